"""Servers as processes of their own, and the load generator that drives them."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks import world
from tests.ports import free_port

HERE = Path(__file__).parent
TREE = HERE.parent.parent
TICKS = os.sysconf("SC_CLK_TCK")


class Missing(Exception):
    """Something that the benchmark needs is not on this machine; the message says how to get it."""


def peers_python() -> Path:
    """The interpreter of the environment that the peers live in, which is made on first use."""
    wanted = (HERE / "peers.txt").read_bytes() + sys.version.encode()
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "core-rpc-benchmarks" / hashlib.sha256(wanted).hexdigest()[:16]
    if not (folder / "complete").exists():
        print(f"installing the peers into {folder}", file=sys.stderr)
        venv.create(folder, clear=True, with_pip=True)
        pip = [folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        if subprocess.run([*pip, "-r", HERE / "peers.txt"], stdout=sys.stderr).returncode:
            raise Missing("the peers cannot be installed here; --rows without them runs the others")
        (folder / "complete").touch()
    return folder / "bin" / "python"


def wrk() -> str:
    """The path of the load generator."""
    found = shutil.which("wrk")
    if found is None:
        raise Missing("wrk is not installed: apt-get install wrk (Debian, Ubuntu), brew install wrk")
    return found


@dataclass
class Server:
    """A running server, and the database it answers from, if it has one."""

    process: subprocess.Popen[bytes]
    port: int
    secret: str
    database: Path | None = None

    def post(self, body: bytes, path: str = "/rpc") -> bytes:
        """Send one body and read the reply."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.secret}"}
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            reply = response.read()
        finally:
            connection.close()
        if response.status != 200:
            raise RuntimeError(f"HTTP {response.status}: {reply[:200]!r}")
        return reply

    def cpu(self) -> float:
        """The seconds that the process has computed so far, in all its threads."""
        after_name = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / TICKS

    def resident(self) -> float:
        """The MiB of memory that the process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) / 1024


@contextlib.contextmanager
def serving(
    name: str,
    *,
    secret: str,
    database: Path | None = None,
    python: Path | None = None,
    settings: dict[str, str] | None = None,
) -> Iterator[Server]:
    """Start tests/benchmarks/servers/NAME.py, wait until it listens, and stop it afterwards."""
    port = free_port()
    environment = os.environ | {"CORE_RPC_DRAIN_SECONDS": "0"} | (settings or {})
    if database is not None:
        environment["CORE_RPC_DATABASE"] = f"sqlite:///{database}"
    command = [python or sys.executable, "-m", f"tests.benchmarks.servers.{name}", str(port)]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, cwd=TREE, env=environment, stdout=log, stderr=log)
        try:
            if not _listens(process, port):
                log.seek(0)
                raise RuntimeError(f"{name} does not start:\n{log.read().decode()}")
            yield Server(process, port, secret, database)
        finally:
            process.terminate()
            process.wait()


def _listens(process: subprocess.Popen[bytes], port: int) -> bool:
    until = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        time.sleep(0.05)
    return False


@dataclass(frozen=True)
class Drive:
    """What wrk saw: requests, over so many seconds, and the milliseconds that one took."""

    requests: int
    seconds: float
    mean: float
    p50: float
    p99: float


class Driving:
    """wrk at work on a server; `result` waits for its end."""

    def __init__(self, server: Server, bodies: Sequence[bytes], connections: int, seconds: int) -> None:
        self._file = tempfile.NamedTemporaryFile(suffix=".jsonl")  # noqa: SIM115
        self._file.write(b"\n".join(bodies))
        self._file.flush()
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "120s", "--latency"]
        script = ["-s", HERE / "wrk.lua", f"http://127.0.0.1:{server.port}/rpc"]
        arguments = ["--", self._file.name, server.secret, world.FRESH, secrets.token_hex(4)]
        command = [wrk(), *options, *script, *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def result(self) -> Drive:
        """What wrk saw. RuntimeError: it met an error, or a reply that is one."""
        output, errors = self._process.communicate()
        self._file.close()
        if self._process.returncode:
            raise RuntimeError(f"wrk: {errors or output}")
        seen = json.loads(output.splitlines()[-1])
        if seen["wrong"] or not seen["requests"]:
            raise RuntimeError(f"wrk met errors: {seen}")
        return Drive(
            seen["requests"],
            seen["micros"] / 1e6,
            seen["mean"] / 1000,
            seen["p50"] / 1000,
            seen["p99"] / 1000,
        )
