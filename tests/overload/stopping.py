"""Stop the server under load, over and over: `python -m tests.overload.stopping`; see README.md."""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks import database, world
from tests.benchmarks.loads import compact
from tests.benchmarks.running import Server, serving
from tests.overload.callers import FRESH, batch_of_writes, in_turn, request

EXIT_WITHIN = 10.0  # seconds after the signal
LOAD_SECONDS = 0.7  # before the signal
WAIT_SECONDS = "15"  # long: how fast the machine is must not decide whether a batch is refused as overload
DRAIN_SECONDS = {"long": "2", "short": "0.7"}


@dataclass
class Seen:
    """What callers without retries saw, from first to last."""

    answered: Counter[str] = field(default_factory=Counter)  # by the sort of caller
    told_to_close: int = 0
    failed: list[str] = field(default_factory=list)
    writes: int = 0  # answered calls that make a ticket


@dataclass(frozen=True)
class Sort:
    """A sort of caller: what it asks, how many of them there are, how long it thinks between two requests."""

    name: str
    bodies: Callable[[], list[bytes]]
    callers: int
    think_seconds: float = 0.0
    keeps_alive: bool = True
    writes: int = 0  # tickets that an answered request makes


def _lookups() -> list[bytes]:
    return [compact(world.lookup(number)) for number in range(200)]


def _tickets() -> list[bytes]:
    return [compact(world.buy(number)) for number in range(200)]


def _batch() -> list[bytes]:
    return [compact([world.lookup(number) for number in range(1000)])]


def _writes() -> list[bytes]:
    return [batch_of_writes(200)]


def _lists() -> list[bytes]:
    return [compact([world.cohorts(number) for number in range(100)])]


SORTS = (
    Sort("lookups", _lookups, 12),
    Sort("lookups, now and then", _lookups, 12, think_seconds=0.3),
    Sort("lookups, a connection for each", _lookups, 4, keeps_alive=False),
    Sort("writes", _tickets, 8, writes=1),
    Sort("batches of 1,000 lookups", _batch, 2),
    Sort("batches of 200 writes", _writes, 2, writes=200),
    Sort("batches of 100 slow reads", _lists, 3),
)


@dataclass(frozen=True)
class Round:
    """A server that was stopped."""

    seen: Seen
    seconds: float  # from the signal to the exit
    status: int
    was_unready: bool
    tickets: int  # more than before, in the database

    def failures(self) -> list[str]:
        """What was not as it must be."""
        failures = list(self.seen.failed)
        if self.seconds > EXIT_WITHIN:
            failures.append(f"it ended {self.seconds:.1f} s after the signal")
        if self.status:
            failures.append(f"its exit status was {self.status}")
        if not self.was_unready:
            failures.append("/ready did not say that it is stopping")
        if not self.seen.told_to_close:
            failures.append("nobody was told that the connection is closed")
        if self.tickets != self.seen.writes:
            failures.append(
                f"{self.seen.writes} writes were answered, and {self.tickets} are in the database"
            )
        failures += [f"{sort.name}: none was answered" for sort in SORTS if not self.seen.answered[sort.name]]
        return failures

    def __str__(self) -> str:
        failed, answered = len(self.seen.failed), self.seen.answered.total()
        return f"{answered:,} answered, {failed} failed, ended after {self.seconds:.1f} s"


def main() -> None:
    """Run it; exit status 1 when a request failed, or the server ended late."""
    parser = argparse.ArgumentParser(prog="python -m tests.overload.stopping", description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    failures = []
    for number, done in enumerate(stopped_again_and_again(parser.parse_args().rounds, "long"), 1):
        print(f"round {number}: {done}", flush=True)
        failures += [f"round {number}: {failure}" for failure in done.failures()]
    sys.exit("\n".join(failures) or 0)


def stopped_again_and_again(rounds: int, form: str) -> list[Round]:
    """Stop a server under load so many times, on one database."""
    with tempfile.TemporaryDirectory(prefix="core-rpc-stopping-") as folder:
        path = Path(folder) / "core.db"
        secret = database.make(path)
        settings = {"CORE_RPC_DRAIN_SECONDS": DRAIN_SECONDS[form], "CORE_RPC_WAIT_SECONDS": WAIT_SECONDS}
        done = []
        for _ in range(rounds):
            before = database.count(path, ("ticket",))["ticket"]
            with serving("ours", secret=secret, database=path, settings=settings) as server:
                seen, seconds, was_unready = asyncio.run(_stop_under_load(server))
                status = server.process.wait()
            tickets = database.count(path, ("ticket",))["ticket"] - before
            done.append(Round(seen, seconds, status, was_unready, tickets))
        return done


async def _stop_under_load(server: Server) -> tuple[Seen, float, bool]:
    seen = Seen()
    callers = [
        asyncio.create_task(_call(server, sort, in_turn(_requests(server, sort), FRESH), seen))
        for sort in SORTS
        for _ in range(sort.callers)
    ]
    await asyncio.sleep(LOAD_SECONDS)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    was_unready = await _is_unready(server)
    await asyncio.to_thread(server.process.wait)
    seconds = time.monotonic() - began
    await asyncio.gather(*callers)
    return seen, seconds, was_unready


def _requests(server: Server, sort: Sort) -> list[bytes]:
    made = [request(body, server.secret) for body in sort.bodies()]
    if sort.keeps_alive:
        return made
    return [one.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) for one in made]


async def _is_unready(server: Server) -> bool:
    """Whether /ready says so, on a new connection, soon after the signal."""
    for _ in itertools.repeat(None, 5):
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        except OSError:
            return False
        writer.write(b"GET /ready HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        line = await reader.readline()
        writer.close()
        if b" 503 " in line:
            return True
        await asyncio.sleep(0.05)
    return False


async def _call(server: Server, sort: Sort, following: Callable[[], bytes], seen: Seen) -> None:
    """Call until nobody listens any more, as a client without retries does: a connection is used until
    a reply says that it is closed, or it is found closed before a request is sent on it."""
    while True:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        except OSError:
            return  # nothing was asked, so nothing has failed
        is_kept = True
        while is_kept:
            writer.write(following())
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
                body = await reader.readexactly(length)
            except (OSError, asyncio.IncompleteReadError) as error:
                seen.failed.append(f"{sort.name}: {error!r}")
                break
            if not head.startswith(b"HTTP/1.1 200 ") or b'"error"' in body:
                seen.failed.append(f"{sort.name}: {head[:200]!r} {body[:200]!r}")
            else:
                seen.answered[sort.name] += 1
                seen.writes += sort.writes
            is_kept = b"\r\nConnection: close\r\n" not in head
            seen.told_to_close += not is_kept
            if is_kept and sort.think_seconds:
                await asyncio.sleep(random.uniform(0, sort.think_seconds))
                is_kept = not reader.at_eof()
        writer.close()


if __name__ == "__main__":
    main()
