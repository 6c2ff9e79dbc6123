"""Hostile connections beside a normal client: `python -m tests.overload.hostile`; see README.md."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import multiprocessing
import os
import random
import socket
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.benchmarks import database, world
from tests.benchmarks.loads import compact
from tests.benchmarks.running import Server, serving
from tests.overload.callers import percentile, request

IDLE_BYTES_AT_MOST = 10_000
HELD_AT_MOST = 35.0  # seconds, with the settings as they are
PIPELINED = 300  # requests in one piece
PIPELINERS = 20
PIPELINE_SECONDS = 5.0  # between two of one caller's
DRIP_SECONDS = 0.1  # on average: callers who know nothing of each other do not act in step
IDLE_LOOK_SECONDS = 2.0  # how often one of the many idle ones looks whether it is closed
KERNEL_LOOK_SECONDS = 2.0  # how often it is looked which connections the server's kernel has
CONNECTS_AT_ONCE = 20

TIME_WAIT = "06"  # the state of a connection that is over, in /proc/net/tcp
ESTABLISHED = 1  # the state of a connection that nobody has closed, in the first byte of TCP_INFO


@dataclass(frozen=True)
class Form:
    """How many, for how long, and with which settings."""

    idle: int
    each: int
    seconds: float  # beside all of them
    alone: float  # seconds in which the normal client is alone, before and after
    held_at_most: float
    p99_at_most: float  # times that without the others
    settings: dict[str, str] = field(default_factory=dict)


LONG = Form(
    idle=10_000,
    each=100,
    seconds=120.0,
    alone=20.0,
    held_at_most=HELD_AT_MOST,
    p99_at_most=2.0,
    settings={"CORE_RPC_MAX_CONNECTIONS": "12000"},  # as it is set, the idle ones alone are all that may come
)
SHORT = Form(
    idle=1000,
    each=20,
    seconds=5.0,
    alone=2.0,
    held_at_most=6.0,  # the longest of the settings, and room for a busy machine
    p99_at_most=5.0,  # who is cut ten times as soon comes ten times as often, and CI's machine has other work
    settings={
        "CORE_RPC_HEADER_SECONDS": "2",
        "CORE_RPC_BODY_SECONDS": "1",
        "CORE_RPC_REPLY_SECONDS": "3",
    },
)


@dataclass(frozen=True)
class Found:
    """What came of it."""

    held: dict[str, list[float]]  # by kind: for how many seconds each connection was held
    pipelined: int  # requests of those who pipeline that were answered
    wrong: list[str]
    idle_bytes: float  # of the server's memory, for each idle connection
    alone: list[float]  # seconds that each call of the normal client took
    beside: list[float]

    def failures(self, form: Form) -> list[str]:
        """What is not as it must be."""
        failures = [
            f"{kind}: held for {max(seconds):.1f} s"
            for kind, seconds in self.held.items()
            if max(seconds) > form.held_at_most
        ]
        failures += self.wrong
        failures += [f"{kind}: none was cut" for kind in KINDS if not self.held.get(kind)]
        if not self.pipelined:
            failures.append("no pipelined request was answered")
        if self.idle_bytes > IDLE_BYTES_AT_MOST:
            failures.append(f"an idle connection takes {self.idle_bytes:,.0f} bytes")
        if self.times_p99 > form.p99_at_most:
            failures.append(f"a normal client's p99 is {self.times_p99:.1f} times")
        return failures

    @property
    def times_p99(self) -> float:
        return percentile(self.beside, 0.99) / percentile(self.alone, 0.99)

    def __str__(self) -> str:
        lines = ["| kind | cut | held for, median s | at most s |", "|---|---|---|---|"]
        for kind, seconds in self.held.items():
            lines.append(f"| {kind} | {len(seconds)} | {percentile(seconds, 0.5):.1f} | {max(seconds):.1f} |")
        lines += ["", f"pipelined requests answered: {self.pipelined:,}"]
        lines += [f"memory for an idle connection: {self.idle_bytes:,.0f} bytes", ""]
        lines += ["| a normal client's lookups | p50 ms | p99 ms |", "|---|---|---|"]
        for name, took in (("alone", self.alone), ("beside", self.beside)):
            cells = [f"{percentile(took, share) * 1000:.2f}" for share in (0.5, 0.99)]
            lines.append(f"| {name} | {' | '.join(cells)} |")
        lines.append(f"| times | | {self.times_p99:.2f} |")
        return "\n".join(lines)


def main() -> None:
    """Run it; exit status 1 when something is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m tests.overload.hostile", description=__doc__)
    parser.add_argument("--short", action="store_true", help="1,000 idle for 5 s, with shortened settings")
    form = SHORT if parser.parse_args().short else LONG
    found = beset(form)
    print(found)
    sys.exit("\n".join(found.failures(form)) or 0)


def beset(form: Form) -> Found:
    """Measure a server alone, beset it, measure it again."""
    with tempfile.TemporaryDirectory(prefix="core-rpc-hostile-") as folder:
        path = Path(folder) / "core.db"
        secret = database.make(path)
        with serving("ours", secret=secret, database=path, settings=form.settings) as server:
            _call_for(server, 1.0)  # what is made once is made
            alone = _call_for(server, form.alone)
            before = server.resident()
            with _attacking(server, form) as attack:
                assert attack.recv() == "idle ones are there"
                idle_bytes = (server.resident() - before) * 1024 * 1024 / form.idle
                assert attack.recv() == "all are there"
                beside = _call_for(server, form.seconds)
                attack.send("enough")
                held, pipelined, wrong = attack.recv()
            alone = [*alone, *_call_for(server, form.alone)]
    return Found(
        held,
        pipelined,
        wrong,
        idle_bytes,
        alone,
        beside,
    )


def _call_for(server: Server, seconds: float) -> list[float]:
    """How long each lookup took of a normal client, who makes one after the other on one connection."""
    asked = request(compact(world.lookup(1)), server.secret)
    found = []
    with socket.create_connection(("127.0.0.1", server.port)) as wire:
        until = time.perf_counter() + seconds
        while (began := time.perf_counter()) < until:
            wire.sendall(asked)
            reply = wire.recv(65536)
            took = time.perf_counter() - began
            if not reply.startswith(b"HTTP/1.1 200 OK") or b'"result":{' not in reply:
                raise RuntimeError(f"a normal client got {reply[:300]!r}")
            found.append(took)
    return found


# The attack, in a process of its own


@contextlib.contextmanager
def _attacking(server: Server, form: Form) -> Iterator[Connection]:
    spawn = multiprocessing.get_context("spawn")
    here, there = spawn.Pipe()
    attack = spawn.Process(target=_attack, args=(there, server.port, server.secret, form), daemon=True)
    attack.start()
    there.close()
    try:
        yield here
    finally:
        attack.join(10)
        attack.kill()
        here.close()


def _attack(told: Connection, port: int, secret: str, form: Form) -> None:
    # Elsewhere it would compute on machines of its own: here it gets what the other two leave of the cores.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    asyncio.run(Attack(port, secret).run(told, form))


class Wire:
    """A connection on which nothing is read unless it is asked for, and which knows whether it was closed."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire

    @property
    def port(self) -> int:
        return self._wire.getsockname()[1]

    @property
    def is_open(self) -> bool:
        return self._wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == ESTABLISHED

    async def send(self, data: bytes) -> None:
        """Send as much as the other side takes, until all is sent or it closes."""
        with contextlib.suppress(OSError):
            while data and self.is_open:
                try:
                    data = data[self._wire.send(data) :]
                except BlockingIOError:
                    await asyncio.sleep(DRIP_SECONDS)

    async def closed(self, look_seconds: float = DRIP_SECONDS) -> None:
        while self.is_open:
            await asyncio.sleep(look_seconds)

    async def receive(self, marker: bytes, times: int) -> int:
        """Read until a marker has come so many times; how often it came."""
        received = b""
        loop = asyncio.get_running_loop()
        with contextlib.suppress(OSError):
            while received.count(marker) < times and (piece := await loop.sock_recv(self._wire, 65536)):
                received += piece
        return received.count(marker)


class Attack:
    """All hostile callers; each that is cut comes again."""

    def __init__(self, port: int, secret: str) -> None:
        self._port, self._secret = port, secret
        self._connecting = asyncio.Semaphore(CONNECTS_AT_ONCE)
        self._connected_once: set[asyncio.Task[Any] | None] = set()
        self._held: dict[str, list[float]] = defaultdict(list)
        self._looked_at, self._kept = 0.0, set[int]()
        self._pipelined = 0
        self._wrong: list[str] = []

    async def run(self, told: Connection, form: Form) -> None:
        idle = [asyncio.create_task(self._again_and_again("idle", _idle)) for _ in range(form.idle)]
        await self._connected(form.idle)
        told.send("idle ones are there")
        others = [
            asyncio.create_task(self._again_and_again(kind, act))
            for kind, act in KINDS.items()
            for _ in range(form.each)
        ]
        others += [
            asyncio.create_task(self._pipeline(number * PIPELINE_SECONDS / PIPELINERS))
            for number in range(PIPELINERS)
        ]
        await self._connected(form.idle + len(KINDS) * form.each + PIPELINERS)
        told.send("all are there")
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, told.recv)
        told.send((dict(self._held), self._pipelined, self._wrong))
        for task in (*idle, *others):
            task.cancel()

    async def _connected(self, count: int) -> None:
        """Wait until so many callers have had a connection; those that are cut are renewed."""
        while len(self._connected_once) < count:
            await asyncio.sleep(0.05)
        await asyncio.sleep(1.0)  # in which what they sent first is dealt with

    @contextlib.asynccontextmanager
    async def _wire(self, receive_buffer: int | None = None) -> Any:
        loop = asyncio.get_running_loop()
        with socket.socket() as made:
            made.setblocking(False)
            if receive_buffer is not None:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            async with self._connecting:
                await loop.sock_connect(made, ("127.0.0.1", self._port))
            self._connected_once.add(asyncio.current_task())
            yield Wire(made)

    async def _again_and_again(self, kind: str, act: Callable[[Wire, str], Awaitable[None]]) -> None:
        while True:
            takes_nothing = kind in NEVER_READING
            async with self._wire(4096 if takes_nothing else None) as wire:
                began = time.monotonic()
                await act(wire, self._secret)
                await (self._let_go(wire) if takes_nothing else wire.closed())
            self._held[kind].append(time.monotonic() - began)

    async def _let_go(self, wire: Wire) -> None:
        """Wait until the server's kernel has forgotten the connection, which it tells nobody who does
        not read."""
        await asyncio.sleep(KERNEL_LOOK_SECONDS)  # so that the look is younger than the connection
        while wire.is_open and wire.port in self._kept_by_kernel():
            await asyncio.sleep(KERNEL_LOOK_SECONDS / 2)

    def _kept_by_kernel(self) -> set[int]:
        """The callers' ports of the connections that the server's kernel has; no older than a look."""
        if time.monotonic() > self._looked_at + KERNEL_LOOK_SECONDS * 0.95:
            self._looked_at = time.monotonic()
            lines = (line.split(maxsplit=4) for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
            ends = ((int(ours[-4:], 16), int(theirs[-4:], 16), state) for _, ours, theirs, state, _ in lines)
            self._kept = {theirs for ours, theirs, state in ends if ours == self._port and state != TIME_WAIT}
        return self._kept

    async def _pipeline(self, wait: float) -> None:
        asked = request(compact(world.lookup(1)), self._secret) * PIPELINED
        await asyncio.sleep(wait)
        while True:
            async with self._wire() as wire:
                sending = asyncio.create_task(wire.send(asked))
                answered = await wire.receive(b"HTTP/1.1 200 OK", PIPELINED)
                await sending
            if answered != PIPELINED:
                self._wrong.append(f"of {PIPELINED} pipelined requests {answered} were answered")
            self._pipelined += answered
            await asyncio.sleep(PIPELINE_SECONDS)


async def _idle(wire: Wire, secret: str) -> None:
    await wire.closed(IDLE_LOOK_SECONDS)


async def _nothing(wire: Wire, secret: str) -> None:
    pass


async def _drip_header(wire: Wire, secret: str) -> None:
    await _drip(wire, b"POST /rpc HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 5000)


async def _drip_body(wire: Wire, secret: str) -> None:
    head, _, _ = request(b" " * 5000, secret).partition(b"\r\n\r\n")
    await wire.send(head + b"\r\n\r\n")
    await _drip(wire, b" " * 5000)


async def _drip(wire: Wire, data: bytes) -> None:
    for at in range(len(data)):
        if not wire.is_open:
            break
        await wire.send(data[at : at + 1])
        await _pause()


async def _pause() -> None:
    await asyncio.sleep(random.uniform(0, 2 * DRIP_SECONDS))


async def _endless_headers(wire: Wire, secret: str) -> None:
    await wire.send(b"POST /rpc HTTP/1.1\r\nHost: a\r\n")
    while wire.is_open:
        await wire.send(b"X: a\r\n" * 10)
        await _pause()


async def _endless_header(wire: Wire, secret: str) -> None:
    await wire.send(b"POST /rpc HTTP/1.1\r\nHost: a\r\nX: ")
    while wire.is_open:
        await wire.send(b"a" * 1000)
        await _pause()


async def _half_body(wire: Wire, secret: str) -> None:
    whole = request(b" " * 5000, secret)
    await wire.send(whole[:-2500])


async def _never_read(wire: Wire, secret: str) -> None:
    batch = compact([world.lookup(number) for number in range(1000)])
    await wire.send(request(batch, secret) * 3)


async def _never_read_pipelined(wire: Wire, secret: str) -> None:
    await wire.send(request(compact(world.cohorts(1)), secret) * PIPELINED)


KINDS: dict[str, Callable[[Wire, str], Awaitable[None]]] = {
    "silent": _nothing,
    "header byte by byte": _drip_header,
    "body byte by byte": _drip_body,
    "endless headers": _endless_headers,
    "an endless header": _endless_header,
    "half a body": _half_body,
    "never reading large replies": _never_read,
    "never reading, pipelining": _never_read_pipelined,
}

NEVER_READING = ("never reading large replies", "never reading, pipelining")

if __name__ == "__main__":
    main()
