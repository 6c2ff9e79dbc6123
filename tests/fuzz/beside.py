"""A polite caller beside the fuzz, in a process of its own: how long it waits for others."""

from __future__ import annotations

import multiprocessing
import socket
import sys
import time
from typing import Any

from models import sample
from tests.processes import Served
from tests.waiting import FAR
from tests.wire import Reader

LOOKUP = b'{"jsonrpc":"2.0","id":1,"method":"core.LookupProgram","params":["%s"]}' % sample.COOKING.encode()
Delay = tuple[float, float, float]  # began, ended, and the server's work in between


class beside:
    """A polite caller in a process of its own, while the body runs; its delays come in afterwards."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._delays: list[Delay] = []

    def __enter__(self) -> list[Delay]:
        self._mine, other = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        server = self._server
        arguments = (other, server.port, server.process.pid, server.secrets["read"])
        self._process = context.Process(target=ask_politely, args=arguments)
        self._process.start()
        self._mine.recv()
        return self._delays

    def __exit__(self, *_: object) -> None:
        self._mine.send(None)
        self._delays += self._mine.recv()
        self._process.join(FAR)


def ask_politely(pipe: Any, port: int, pid: int, secret: str) -> None:
    """Look the same thing up again and again until told to stop; say how long each took.

    What counts is the work that the server does till the answer: the machine has other work too.
    """
    clock = (~pid << 3) | 2  # what clock_getcpuclockid(3) gives
    seconds = time.perf_counter if sys.platform != "linux" else lambda: time.clock_gettime(clock)
    head = f"POST /rpc HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\n"
    request = f"{head}Content-Length: {len(LOOKUP)}\r\n\r\n".encode() + LOOKUP
    delays: list[Delay] = []
    with socket.create_connection(("127.0.0.1", port), FAR) as wire:
        reader = Reader(wire)
        pipe.send(None)
        while not pipe.poll():
            began, work = time.monotonic(), seconds()
            wire.sendall(request)
            answer = reader.next()
            work = seconds() - work
            assert answer is not None
            assert b'"id":1' in answer.body
            delays.append((began, time.monotonic(), work))
            time.sleep(0.001)
    pipe.send(delays)
