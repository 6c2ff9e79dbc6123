"""Servers as processes of their own, started as an operator starts them, on a throw-away database."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from models import clock, files, migrations, sample
from models.actor import Actor
from models.audit import audited
from models.database import configure, connected, writing
from models.tokens import Scope, Token
from tests.waiting import FAR

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Served:
    """A server process, and what a caller needs to talk to it."""

    process: subprocess.Popen[str]
    port: int
    database: Path
    log: Path
    secrets: dict[str, str]  # by scope, and those that let nobody in: `expired`, `revoked`

    def seconds(self) -> float:
        """The server's clock of work done, where the system has one: the machine's other work is not its
        doing."""
        if sys.platform != "linux":
            return time.perf_counter()
        return time.clock_gettime((~self.process.pid << 3) | 2)  # what clock_getcpuclockid(3) gives

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=FAR)

    def head(self, length: int, scope: str = Scope.ADMIN) -> bytes:
        return (
            f"POST /rpc HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self.secrets[scope]}\r\n"
            f"Content-Length: {length}\r\n\r\n"
        ).encode()


def received(wire: socket.socket, method: str = "POST") -> tuple[int, http.client.HTTPMessage, bytes]:
    """The next reply on a connection: status, headers, body."""
    response = http.client.HTTPResponse(wire, method=method)
    response.begin()
    return response.status, response.headers, response.read()


@contextlib.contextmanager
def served(*, module: str = "rpc", **settings: object) -> Iterator[Served]:
    """Serve a sample world; `module` is run where it is not the program itself."""
    with tempfile.TemporaryDirectory(prefix="core-rpc-tests-") as folder:
        path, log = Path(folder) / "core.db", Path(folder) / "log"
        secrets = _make_world(path)
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("CORE_RPC_")
        } | {
            "CORE_RPC_DATABASE": f"sqlite:///{path}",
            "CORE_RPC_DRAIN_SECONDS": "0",
            "PYTHONUNBUFFERED": "1",
        }
        environment |= {f"CORE_RPC_{name.upper()}": str(value) for name, value in settings.items()}
        with log.open("w") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", module, "serve", "--port", "0"],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        with process:
            try:
                said = process.stdout.readline()
                found = re.search(r":(\d+)/rpc", said)
                if found is None:
                    raise RuntimeError(f"the server does not start: {said}{log.read_text()}")
                yield Served(process, int(found[1]), path, log, secrets)
            finally:
                process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(FAR)
                process.kill()


def _make_world(path: Path) -> dict[str, str]:
    """The sample world in a new database, and the secrets of its tokens."""
    files.make_private(path)
    configure(f"sqlite:///{path}")
    secrets: dict[str, str] = {}
    with connected():
        migrations.migrate()
        sample.make()
        with writing(), audited(Actor("test")):
            for scope in Scope:
                _, secrets[scope] = Token.issue(scope, scope)
            long_ago = clock.now() - timedelta(days=1)
            _, secrets["expired"] = Token.issue("expired", Scope.ADMIN, expires_at=long_ago)
            token, secrets["revoked"] = Token.issue("revoked", Scope.ADMIN)
            token.revoke()
    return secrets
