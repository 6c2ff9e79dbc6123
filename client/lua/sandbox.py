"""Runs a Lua script of a stranger: `core.*` reaches the server, nothing else is within reach.

The script runs in a process of its own, which has a limit on memory and is ended when its time is over,
wherever it is then. It sees the Lua of sandbox.lua: no files, no system, no bytecode, nothing of Python.
The token stays on the Python side.
"""

from __future__ import annotations

import json
import math
import os
import resource
import secrets
import signal
import subprocess
import sys
import time
from importlib import import_module, resources
from pathlib import Path
from typing import Any, NoReturn

import urllib3

from client import protocol
from client.errors import ClientError

MOST_OUTPUT = 16 * 1024 * 1024  # bytes that a script may print
PYTHONS_OWN = 512 * 1024 * 1024  # bytes of address space for what surrounds the script, bodies included
OUT_OF_OUTPUT, OUT_OF_MEMORY = 3, 4  # exit statuses of the process that runs the script
HTTP_SECONDS = 40.0
PASSED_ON = ("SSL_CERT_FILE", "SSL_CERT_DIR", "LANG", "LC_ALL", "PATH")


class ScriptError(ClientError):
    """A script that was ended, or could not be started; the message says why."""


def run(path: Path, url: str, token: str, params: dict[str, Any], *, seconds: float, megabytes: int) -> int:
    """Run a script to its end or to its limits; gives the exit status, 1 after an error of the script.

    What it prints goes to our output, and so does the value that it returns, as JSON; its error is a line
    on our error output.
    """
    try:
        import_module("lupa.lua54")
    except ImportError:
        raise ScriptError("scripts need lupa: pip install 'core-rpc[lua]'") from None
    protocol.headers(token)  # so that a bad one is told here
    order = {
        "name": str(path),
        "source": path.read_bytes().decode("latin-1"),  # any bytes, there and back
        "url": url,
        "token": token,
        "params": json.dumps(params),
        "seconds": seconds,
        "megabytes": megabytes,
    }
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "client.lua.sandbox"],  # -P: not what lies in this folder
        stdin=subprocess.PIPE,
        env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
        start_new_session=True,
    )
    try:
        process.communicate(json.dumps(order).encode(), timeout=seconds + 1)  # a second to start
    except subprocess.TimeoutExpired:
        pass
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    if status in (0, 1):
        return status
    raise ScriptError(f"{path}: {_why(status, seconds, megabytes)}")


def _why(status: int, seconds: float, megabytes: int) -> str:
    if status in (-signal.SIGKILL, -signal.SIGALRM, -signal.SIGXCPU):
        return f"ended after its {seconds:g} seconds"
    if status == OUT_OF_OUTPUT:
        return f"ended because it printed more than {MOST_OUTPUT} bytes"
    if status == OUT_OF_MEMORY:
        return f"ended because it needs more than its {megabytes} MB of memory"
    return f"ended by status {status}"


def _main() -> None:
    order = json.loads(sys.stdin.buffer.read())
    _limit(order["seconds"], order["megabytes"])
    host = _Host(order["url"], order["token"])
    try:
        lua = _runtime(order["megabytes"] * 1024 * 1024)
        start = lua.execute(
            _text("sandbox.lua"),
            _text("core.lua"),
            _text("helpers.lua"),
            order["params"].encode(),
            secrets.token_hex(20).encode(),
            host.post,
            host.write,
            host.sleep,
            host.finish,
        )
        start(order["source"].encode("latin-1"), b"@" + order["name"].encode())
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except Exception as error:  # past the pcall of sandbox.lua gets only what has no room for it
        if "memory" in str(error):
            os._exit(OUT_OF_MEMORY)
        raise


def _limit(seconds: float, megabytes: int) -> None:
    """Should the parent be gone, the system ends us."""
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    whole = math.ceil(seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    room = megabytes * 1024 * 1024 + PYTHONS_OWN
    resource.setrlimit(resource.RLIMIT_AS, (room, room))


def _runtime(memory: int) -> Any:
    def refuse(_object: Any, _name: Any, _setting: bool) -> NoReturn:
        raise AttributeError("no")

    return import_module("lupa.lua54").LuaRuntime(
        encoding=None,
        source_encoding="utf-8",
        register_eval=False,
        register_builtins=False,
        unpack_returned_tuples=True,
        attribute_filter=refuse,
        max_memory=memory,
    )


def _text(name: str) -> bytes:
    return resources.files("client.lua").joinpath(name).read_bytes()


class _Host:
    """What the script's Lua can have done for it: texts and numbers in, texts and numbers out.

    Nothing is raised into Lua, where an exception would be an object of Python in the script's hands.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url, self._headers = protocol.endpoint(url), protocol.headers(token)
        self._pool = urllib3.PoolManager(retries=False, timeout=HTTP_SECONDS)
        self._room = MOST_OUTPUT

    def post(self, body: Any) -> tuple[Any, ...]:
        """Status, Retry-After, request id and body of the reply; or None and why there is none."""
        try:
            reply = self._pool.request("POST", self._url, body=body, headers=self._headers, redirect=False)
            told = [reply.headers.get(name) for name in ("Retry-After", "X-Request-Id")]
            return (reply.status, *(text and text.encode("latin-1") for text in told), reply.data)
        except MemoryError:
            os._exit(OUT_OF_MEMORY)
        except Exception as error:
            return None, f"no reply: {type(error).__name__}".encode()

    def write(self, text: bytes) -> None:
        """Print, until it is too much."""
        self._room -= len(text)
        if self._room < 0:
            os._exit(OUT_OF_OUTPUT)
        _write(1, text)

    def sleep(self, seconds: Any) -> None:
        """Wait, but never longer than a server may ask for."""
        time.sleep(min(max(float(seconds), 0.0), 60.0))

    def finish(self, fine: bool, text: bytes) -> NoReturn:
        """End with the script's value or its error, in one line."""
        if fine:
            _write(1, text + b"\n" if text else b"")
            os._exit(0)
        if text.endswith(b"not enough memory"):
            os._exit(OUT_OF_MEMORY)
        _write(2, b"core-rpc: " + b" ".join(text.split())[:4000] + b"\n")
        os._exit(1)


def _write(descriptor: int, text: bytes) -> None:
    try:
        while text:
            text = text[os.write(descriptor, text) :]
    except OSError:  # nobody reads any more
        os._exit(1)


if __name__ == "__main__":
    _main()
