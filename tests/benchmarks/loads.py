"""The loads: what is asked, over how many connections, and whether the answers were right."""

from __future__ import annotations

import json
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from tests.benchmarks import database, world
from tests.benchmarks.running import Driving, Server
from tests.benchmarks.world import Call


@dataclass(frozen=True)
class Load:
    """Calls that are sent in turn, over and over; alone, or in batches of `size`."""

    name: str
    says: str
    connections: int
    calls: Callable[[Server], list[Call]]
    size: int = 0
    base: str = ""  # the load whose raw rate is the measure; its own unless given
    grows: tuple[str, ...] = ()  # the tables to which each call must add a row
    beside: str = ""  # the load that another client runs at the same time

    def bodies(self, server: Server) -> list[bytes]:
        """The bodies to send, in their order."""
        calls = self.calls(server)
        if not self.size:
            return [compact(call) for call in calls]
        return [compact(calls[at : at + self.size]) for at in range(0, len(calls), self.size)]


@dataclass(frozen=True)
class Sample:
    """One server under one load in one round."""

    rate: float  # calls a second
    cpu: float  # seconds a call
    p50: float  # milliseconds a request
    p99: float
    kept: float | None = None  # share of its undisturbed rate that the load beside it had


def compact(value: Any) -> bytes:
    """JSON without blanks, as clients send it."""
    return json.dumps(value, separators=(",", ":")).encode()


def expected(body: bytes) -> Any:
    """The reply that a body must get."""
    sent = json.loads(body)
    return [world.reply_to(call) for call in sent] if isinstance(sent, list) else world.reply_to(sent)


def _lookups(server: Server) -> list[Call]:
    return [world.lookup(number) for number in range(2000)]


def _cohorts(server: Server) -> list[Call]:
    return [world.cohorts(number) for number in range(100)]


def _tickets(server: Server) -> list[Call]:
    return [world.buy(number) for number in range(len(world.BUYERS))]


def _changes(server: Server) -> list[Call]:
    """Give every membership the role that it does not have, then the other again, so that each call
    really changes something however often they go round."""
    changed = set() if server.database is None else database.trainers(server.database)
    now = [pair in changed for pair in world.MEMBERSHIPS]
    there = [world.modify(number, world.ROLES[not is_second]) for number, is_second in enumerate(now)]
    back = [world.modify(number, world.ROLES[is_second]) for number, is_second in enumerate(now)]
    return there + back


HISTORY = ("membership_change", "audit")
TICKETS = ("ticket", "audit")

LOADS = (
    Load("lookups-1", "single lookups, 1 connection", 1, _lookups),
    Load("lookups-16", "single lookups, 16 connections", 16, _lookups),
    Load("lookups-64", "single lookups, 64 connections", 64, _lookups),
    Load("batch-100", "batches of 100 lookups", 1, _lookups, size=100, base="lookups-64"),
    Load("batch-1000", "batches of 1,000 lookups", 1, _lookups, size=1000, base="lookups-64"),
    Load("list-50", "a list of 50 rows, 16 connections", 16, _cohorts),
    Load("writes-64", "durable changes of a role, 64 connections", 64, _changes, grows=HISTORY),
    Load("tickets-64", "durable new tickets, 64 connections", 64, _tickets, grows=TICKETS),
    Load(
        "writes-1000",
        "batches of 1,000 changes of a role",
        1,
        _changes,
        size=1000,
        base="lookups-64",
        grows=HISTORY,
    ),
    Load(
        "tickets-1000",
        "batches of 1,000 new tickets",
        1,
        _tickets,
        size=1000,
        base="lookups-64",
        grows=TICKETS,
    ),
    Load(
        "beside-batches",
        "single lookups, 4 connections, while another client posts batches of 1,000",
        4,
        _lookups,
        beside="batch-1000",
    ),
)

BY_NAME = {load.name: load for load in LOADS}


def check(server: Server, load: Load) -> float:
    """Send one body and compare the answer and what it wrote; how many seconds it took.

    RuntimeError: it was not as it must be.
    """
    before = _count(server, load)
    body = re.sub(world.FRESH.encode(), lambda _: str(uuid4()).encode(), load.bodies(server)[0])
    start = time.perf_counter()
    reply = json.loads(server.post(body))
    took = time.perf_counter() - start
    if reply != expected(body):
        raise RuntimeError(f"{load.name}: wrong answer\n{str(reply)[:300]}\nto\n{body[:300]!r}")
    _check_rows(load, before, _count(server, load), load.size or 1, 0)
    return took


def measure(server: Server, load: Load, seconds: int, one_takes: float) -> Sample:
    """Drive the server for a while. RuntimeError: an answer was an error, or rows are missing."""
    # Enough that a slow batch is answered a few times.
    seconds = max(seconds, math.ceil(3 * one_takes))
    if load.beside:
        return _measure_beside(server, load, seconds)
    before, cpu = _count(server, load), server.cpu()
    seen = Driving(server, load.bodies(server), load.connections, seconds).result()
    cpu = server.cpu() - cpu
    calls = seen.requests * (load.size or 1)
    if load.grows and server.database is not None:
        in_flight = load.connections * (load.size or 1)
        _check_rows(load, before, _settled_count(server, load), calls, in_flight)
    # wrk drops the batch that its end cuts off, so of few long ones the mean tells the rate better.
    rate = load.size / seen.mean * 1000 if load.size else calls / seen.seconds
    return Sample(rate, cpu / calls, seen.p50, seen.p99)


def _measure_beside(server: Server, load: Load, seconds: int) -> Sample:
    other = BY_NAME[load.beside]
    bodies = other.bodies(server)
    alone = Driving(server, bodies, other.connections, seconds).result()
    cpu = server.cpu()
    batches = Driving(server, bodies, other.connections, seconds + 1)
    time.sleep(0.5)  # so that they begin before and end after the lookups
    seen = Driving(server, load.bodies(server), load.connections, seconds).result()
    disturbed = batches.result()
    cpu = server.cpu() - cpu
    calls = seen.requests + disturbed.requests * other.size
    return Sample(
        seen.requests / seen.seconds, cpu / calls, seen.p50, seen.p99, kept=alone.mean / disturbed.mean
    )


def _count(server: Server, load: Load) -> dict[str, int]:
    return {} if server.database is None else database.count(server.database, load.grows)


def _settled_count(server: Server, load: Load) -> dict[str, int]:
    """The counts once the server has finished what was under way when wrk left."""
    found = _count(server, load)
    while True:
        time.sleep(0.3)
        again = _count(server, load)
        if again == found:
            return found
        found = again


def _check_rows(
    load: Load, before: dict[str, int], after: dict[str, int], answered: int, in_flight: int
) -> None:
    """Every answered call added its rows, and nothing else but what was under way did."""
    for table, count in after.items():
        added = count - before[table]
        if not answered <= added <= answered + in_flight:
            raise RuntimeError(f"{load.name}: {answered} calls were answered, {table} has {added} rows more")
