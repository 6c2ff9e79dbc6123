"""Servers as processes that are killed."""

from __future__ import annotations

import contextlib
import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.ports import free_port
from tests.waiting import FAR

TREE = Path(__file__).parent.parent.parent


class DoesNotStart(Exception):
    """The server ended, or was not ready after a long time; the message has its last words."""


@dataclass(frozen=True)
class Ready:
    """How long a server took to be ready, and how much of that it waited for other processes."""

    seconds: float
    waited: float

    @property
    def own(self) -> float:
        """What it would have taken on a machine that had nothing else to do."""
        return self.seconds - self.waited


class Server:
    """A server on a database, from its start on: not yet ready, ready, or killed."""

    def __init__(
        self,
        database: Path,
        environment: Mapping[str, str] | None = None,
        *,
        checkpoint_pages: int = 100,
        synchronous: str = "full",
        log: Path | None = None,
    ) -> None:
        self.port = free_port()
        self._log = log or database.with_name("server.log")
        settings = {
            "CORE_RPC_DATABASE": f"sqlite:///{database}",
            "FAULTS_CHECKPOINT_PAGES": str(checkpoint_pages),
            "FAULTS_SYNCHRONOUS": synchronous,
        }
        command = [sys.executable, "-m", "tests.faults.serve", str(self.port)]
        self._started = time.monotonic()
        variables = os.environ | settings | (environment or {})
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(command, cwd=TREE, env=variables, stdout=output, stderr=output)

    @property
    def log(self) -> str:
        """What servers on this database have logged."""
        return self._log.read_text() if self._log.is_file() else ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/rpc"

    def wait_until_ready(self) -> Ready:
        """Wait until `/ready` says so."""
        while time.monotonic() < self._started + FAR:
            if self.is_ready():
                return Ready(time.monotonic() - self._started, self._waited())
            if self._process.poll() is not None:
                break
            time.sleep(0.005)
        self.kill()
        raise DoesNotStart(f"the server does not start:\n{self.log[-4000:]}")

    def is_ready(self) -> bool:
        """Whether `/ready` says so."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False
        finally:
            connection.close()

    def _waited(self) -> float:
        """The seconds for which its main thread could have run, and other processes had the cores."""
        return int(Path(f"/proc/{self._process.pid}/schedstat").read_text().split()[1]) / 1e9

    def wait_until_gone(self, seconds: float) -> None:
        """Wait for its end, so long at most."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(seconds)

    def terminate(self) -> None:
        """Have it stop as it does by itself, by SIGTERM."""
        self._process.terminate()
        self._process.wait(FAR)

    def kill(self) -> None:
        """End it as it is, by SIGKILL."""
        self._process.kill()
        self._process.wait()


@contextlib.contextmanager
def serving(*args: object, **options: object) -> Iterator[Server]:
    """A server that is ready, and killed in the end."""
    server = Server(*args, **options)  # type: ignore[arg-type]
    try:
        server.wait_until_ready()
        yield server
    finally:
        server.kill()
