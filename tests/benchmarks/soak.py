"""Show that memory stays level and lookups stay quick: `python -m tests.benchmarks.soak`.

A server with a million memberships works under a steady mixed load for some minutes. Its resident
memory must end where it began, and its lookups must take about as long as those of a server with a
thousand memberships.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import peewee

from models import actor, clock
from models.actor import Actor
from models.database import configure, connected, writing
from models.memberships import Membership
from models.people import User
from models.programs import Program
from tests.benchmarks import database, world
from tests.benchmarks.loads import compact
from tests.benchmarks.running import Driving, Missing, Server, serving

LEVEL = 1.05  # the last third of the memory samples, at most so many times the first
AS_QUICK = 1.3  # a lookup among a million rows, at most so many times one among a thousand
ROUNDS = 5
WARM_UP_SECONDS = 120  # until the page caches of all connections are full, which took 100 s
SAMPLE_SECONDS = 2.0
CHANGED = 200  # the first of the memberships that the load looks at are those that it changes


def main() -> None:
    """Run it; exit status 1 when memory grows or lookups are slower than they may be."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--memberships", type=int, default=1_000_000)
    options = parser.parse_args()
    try:
        failures = soak(options.memberships, options.minutes)
    except Missing as missing:
        sys.exit(str(missing))
    sys.exit("\n".join(failures) or 0)


def soak(memberships: int, minutes: float) -> list[str]:
    """Compare lookups, run the load, and tell what was not as it must be."""
    with tempfile.TemporaryDirectory(prefix="core-rpc-soak-") as folder, contextlib.ExitStack() as stack:
        servers = {}
        for count in (1000, memberships):
            path = Path(folder) / f"{count}.db"
            start = time.perf_counter()
            secret = make(path, count)
            print(f"{count:,} memberships made in {time.perf_counter() - start:.0f} s", flush=True)
            servers[count] = stack.enter_context(serving("ours", secret=secret, database=path))
        slower = _times_as_long(servers)
        bodies = _mixed(memberships)
        _drive(servers[memberships], bodies, WARM_UP_SECONDS)
        sampled = _drive(servers[memberships], bodies, round(minutes * 60))
        slower_after = _times_as_long(servers)
    third = len(sampled) // 3
    first, last = median(sampled[:third]), median(sampled[-third:])
    tenths = [sampled[len(sampled) * tenth // 10] for tenth in range(10)]
    print("MiB over time:", *(f"{mib:.0f}" for mib in [*tenths, sampled[-1]]))
    print(f"resident memory: {first:.1f} MiB in the first third, {last:.1f} MiB in the last")
    failures = []
    if last > first * LEVEL:
        failures.append(f"memory grew {last / first:.2f} times; at most {LEVEL} is level")
    for when, by_name in (("before", slower), ("after", slower_after)):
        for name, times in by_name.items():
            print(f"{name} {when} the load: {times:.2f} times as long as with 1,000 memberships")
            if times > AS_QUICK:
                failures.append(f"{name} {when} the load took {times:.2f} times as long; at most {AS_QUICK}")
    return failures


def _times_as_long(servers: dict[int, Server]) -> dict[str, float]:
    """For each sort of lookup, how many times as long it takes on the second server."""
    times: dict[str, list[float]] = {"LookupProgram": [], "MembershipHistory": []}
    for _ in range(ROUNDS):
        seconds: dict[str, list[float]] = {name: [] for name in times}
        for memberships, server in servers.items():
            pairs = _some_memberships(memberships, 5000)[CHANGED:]
            bodies = {
                "LookupProgram": [compact(world.lookup(number)) for number in range(2000)],
                "MembershipHistory": [compact(world.history(at, *pair)) for at, pair in enumerate(pairs)],
            }
            for name in times:
                seen = Driving(server, bodies[name], 4, 1).result()
                seconds[name].append(seen.seconds / seen.requests)
        for name, (few, many) in seconds.items():
            times[name].append(many / few)
    return {name: median(ratios) for name, ratios in times.items()}


def _mixed(memberships: int) -> list[bytes]:
    """Bodies as callers send them: mostly lookups, some lists, some writes, some batches."""
    bodies: list[Any] = []
    pairs = _some_memberships(memberships, 10_000)
    for number, pair in enumerate(pairs):
        bodies += [world.lookup(number + extra) for extra in range(6)]
        if number >= CHANGED:  # the history of those others would grow, and the load would not be steady
            bodies.append(world.history(number, *pair))
        if number % 4 == 0:
            bodies += [world.cohorts(number), world.buy(number)]
        if number % 20 == 0:
            bodies.append([world.lookup(number + extra) for extra in range(100)])
        # The same memberships there and back, so that each of these calls changes something.
        role = world.ROLES[1 - number // CHANGED % 2]
        bodies.append(world.modify(number, role, pairs[number % CHANGED]))
    return [compact(body) for body in bodies]


def _drive(server: Server, bodies: Sequence[bytes], seconds: int) -> list[float]:
    """Load the server and sample the MiB that it holds meanwhile."""
    sampled = []
    driving = Driving(server, bodies, 8, seconds)
    while driving.is_running:
        sampled.append(server.resident())
        time.sleep(SAMPLE_SECONDS)
    seen = driving.result()
    rate = seen.requests / seen.seconds
    print(f"{seconds} s of mixed load: {rate:,.0f} requests/s, p99 {seen.p99:.0f} ms", flush=True)
    return sampled


def make(path: Path, memberships: int) -> str:
    """A database with the world and so many memberships besides, made in a few statements."""
    secret = database.make(path)
    programs = [UUID(program) for program in world.PROGRAMS]
    users = [id_of_user(number) for number in range(-(-memberships // len(programs)))]
    configure(f"sqlite:///{path}")
    with connected(), writing(), actor.acting(Actor("soak")):
        for chunk in peewee.chunked(users, 10_000):
            User.insert_rows([database.user(user_id) for user_id in chunk])
        now = peewee.Value(Membership.created_at.db_value(clock.now()))
        text = peewee.Value
        made_of_both = peewee.fn.PRINTF(
            "0000000b-0000-4000-8%s-%s", peewee.fn.SUBSTR(Program.id, 34), peewee.fn.SUBSTR(User.id, 25)
        )
        pairs = (
            User.select(
                made_of_both,
                now,
                now,
                User.id,
                Program.id,
                text("member"),
                text("active"),
                text("2026-02-01"),
            )
            .join(Program, on=Program.id.in_([str(program) for program in programs]))
            .where(User.id >= str(users[0]), User.id <= str(users[-1]))
            .order_by(User.id, Program.id)
            .limit(memberships)
        )
        columns = ("id", "created_at", "updated_at", "user", "program", "role", "state", "date")
        Membership.insert_from(pairs, [getattr(Membership, name) for name in columns]).execute()
    return secret


def _some_memberships(memberships: int, count: int) -> list[tuple[str, str]]:
    """Some of the (user, program) that `make` made, always the same, spread over all."""
    programs = list(world.PROGRAMS)
    numbers = random.Random(1).choices(range(memberships), k=count)
    return [(id_of_user(number // len(programs)), programs[number % len(programs)]) for number in numbers]


def id_of_user(number: int) -> str:
    return f"0000000a-0000-4000-8000-{number:012x}"


if __name__ == "__main__":
    main()
