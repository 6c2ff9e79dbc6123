"""Show that queries and the sync of a cohort are quick enough: `python -m tests.benchmarks.queries`.

On a database with a million memberships: what a query costs before it is run, what finding a page
through a server costs, and what an open sync that adds ten thousand users costs its caller and others.
"""

from __future__ import annotations

import argparse
import http.client
import itertools
import json
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple
from uuid import UUID

from models.actor import Actor, acting
from models.clock import today
from models.cohorts import Cohort
from models.database import configure, connected, writing
from models.people import Label, UserLabel
from models.programs import Program
from models.query.compiler import compiled
from models.query.tree import Language
from models.tickets import Ticket
from tests.benchmarks import soak, world
from tests.benchmarks.loads import compact
from tests.benchmarks.running import Server, serving
from tests.benchmarks.tables import table

PARTS = ("compile", "find", "sync")
LABEL = "crowd"  # of those who are added
FULL = next(iter(world.PROGRAMS))  # a program that everybody is in
TEXTS = 200  # queries that nobody has asked before
CALLS = 200  # of a query through the server
LIMIT = 50  # rows of a page
CHANGED = 200  # memberships that are changed over and over beside a sync
BEFORE_SECONDS = 0.5  # of that, before the sync


class Figure(NamedTuple):
    """What was found, and what it may be at most."""

    what: str
    found: float
    at_most: float
    unit: str

    @property
    def is_reached(self) -> bool:
        return self.found <= self.at_most

    @property
    def line(self) -> list[str]:
        verdict = "reached" if self.is_reached else "not reached"
        return [self.what, f"{self.found:.3g} {self.unit}", f"{self.at_most:g} {self.unit}", verdict]


class Run(NamedTuple):
    """What a sync fills: a program that nobody is in, and a cohort of it."""

    program: str
    cohort: str


def main() -> None:
    """Run it; exit status 1 when something takes longer than it may."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.queries", description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--memberships", type=int, default=1_000_000)
    parser.add_argument("--added", type=int, default=10_000, help="users that each sync adds")
    parser.add_argument("--rounds", type=int, default=5, help="syncs of each sort")
    options = parser.parse_args()
    figures: list[Figure] = []
    if "compile" in options.parts:
        figures += _compiling()
    if {"find", "sync"} & {*options.parts}:
        figures += _serving(options.parts, options.memberships, options.added, options.rounds)
    print(table(["what", "found", "at most", ""], [figure.line for figure in figures]))
    sys.exit(not all(figure.is_reached for figure in figures))


def _serving(parts: Sequence[str], memberships: int, added: int, rounds: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory(prefix="core-rpc-queries-") as folder:
        path = Path(folder) / "core.db"
        start = time.perf_counter()
        secret = soak.make(path, memberships)
        runs = _make_crowd(path, memberships // len(world.PROGRAMS), added, rounds * 2)
        print(f"{memberships:,} memberships made in {time.perf_counter() - start:.0f} s", flush=True)
        with serving("ours", secret=secret, database=path) as server:
            if "find" in parts:
                yield from _finding(server)
            if "sync" in parts:
                yield from _syncing("an open sync", server, runs[:rounds], added)
                yield from _syncing("where each uses a ticket", server, runs[rounds:], added)


def _make_crowd(path: Path, users: int, added: int, count: int) -> list[Run]:
    """Label users, and make programs that they can be added to; for half of these they have tickets."""
    numbers = random.Random(2).sample(range(users), added)
    crowd = [UUID(soak.id_of_user(number)) for number in numbers]
    kinds = [UUID(kind) for kind in list(world.KINDS)[-count:]]
    configure(f"sqlite:///{path}")
    with connected(), writing(), acting(Actor("queries")):
        label = Label.put(None, handle=LABEL, name="Crowd")
        UserLabel.insert_rows([UserLabel.new(user_id=user_id, label_id=label.id) for user_id in crowd])
        programs = [Program.put(None, kind_id=kind, start_date=today()) for kind in kinds]
        for program in programs[count // 2 :]:
            Ticket.insert_rows([Ticket.new(user_id=user_id, kind_id=program.kind_id) for user_id in crowd])
        return [Run(str(row.id), str(Cohort.confirm(row.id, "Crowd").id)) for row in programs]


# Before a query is run


def _compiling() -> Iterator[Figure]:
    texts = [_ten_terms(number) for number in range(TEXTS)]
    _compile(_ten_terms(TEXTS))  # reads the grammar, and compiles what each sort of term means
    for what, at_most in (("parse and compile ten terms", 1), ("the same again", 0.05)):
        yield Figure(what, median(_milliseconds(_compile, texts)), at_most, "ms")


def _ten_terms(number: int) -> str:
    """A query of ten terms that is another one for each number."""
    user = soak.id_of_user(number)
    return (
        f"given labels [l-{number}] ^ given programs [{FULL}] ^ given groups [g-{number}, staff]"
        f" ^ given active [{FULL}], program active from today to +{number} days with [active]"
        f" ^ except users [{user}], given kind [course-{number:03}] ^ following as {user},"
        f" cohort as {user} where last starts 'a{number}'"
    )


def _compile(text: str) -> None:
    compiled(text, Language.USERS).statement(frozenset())


def _milliseconds(do: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[float]:
    for item in items:
        start = time.perf_counter()
        do(item)
        yield (time.perf_counter() - start) * 1000


# Through a server


class Caller:
    """A connection on which one call follows the other."""

    def __init__(self, server: Server) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {server.secret}"}

    def post(self, call: dict[str, Any]) -> Any:
        """The result of a call. RuntimeError: it got none."""
        self._connection.request("POST", "/rpc", compact(call), self._headers)
        reply = json.loads(self._connection.getresponse().read())
        if "result" not in reply:
            raise RuntimeError(f"{call['method']}: {reply}")
        return reply["result"]

    def call(self, method: str, **params: Any) -> Any:
        return self.post({"jsonrpc": "2.0", "method": method, "params": params, "id": 1})

    def close(self) -> None:
        self._connection.close()


def _finding(server: Server) -> Iterator[Figure]:
    caller = Caller(server)
    query = {"query": f"given programs [{FULL}] ^ given labels [{LABEL}]", "limit": LIMIT}
    for method in ("core.QueryUsers", "core.QueryParticipants"):
        if len(caller.call(method, **query)) != LIMIT:
            raise RuntimeError(f"{method} does not find {LIMIT} rows")
        taken = median(_milliseconds(lambda name: caller.call(name, **query), [method] * CALLS))
        yield Figure(f"{method}: given programs ^ given labels, {LIMIT} rows", taken, 10, "ms")
    caller.close()


class Beside(threading.Thread):
    """Calls that are made one after the other while something else goes on."""

    def __init__(self, server: Server, calls: Iterable[dict[str, Any]]) -> None:
        super().__init__()
        self._server, self._calls = server, calls
        self._is_over = threading.Event()
        self._taken: list[tuple[float, float]] = []  # from when to when
        self._failure: Exception | None = None

    def run(self) -> None:
        caller = Caller(self._server)
        try:
            for call in self._calls:
                start = time.perf_counter()
                caller.post(call)
                self._taken.append((start, time.perf_counter()))
                if self._is_over.is_set():
                    break
        except Exception as error:
            self._failure = error
        caller.close()

    def during(self, start: float, end: float) -> list[float]:
        """Stop, and tell the milliseconds of those calls that were under way at any time in between."""
        self._is_over.set()
        self.join()
        if self._failure is not None:
            raise self._failure
        return [(last - first) * 1000 for first, last in self._taken if first < end and last > start]


def _syncing(what: str, server: Server, runs: Sequence[Run], added: int) -> Iterator[Figure]:
    """How long syncs took, the median of the runs, and those that called beside them."""
    whole, held, p99 = zip(*(_sync(server, run, added) for run in runs), strict=True)
    yield Figure(f"{what} that adds {added:,} users", median(whole), 2, "s")
    yield Figure(f"{what}: longest wait of a single write beside it", median(held), 600, "ms")
    yield Figure(f"{what}: p99 of single lookups beside it", median(p99), 100, "ms")


def _sync(server: Server, run: Run, added: int) -> tuple[float, float, float]:
    """The seconds of a sync, the longest milliseconds of a write beside it, and the p99 of lookups."""
    changes = (
        world.modify(number % CHANGED, world.ROLES[1 - number // CHANGED % 2]) for number in itertools.count()
    )
    writes, lookups = Beside(server, changes), Beside(server, map(world.lookup, itertools.count()))
    writes.start()
    lookups.start()
    time.sleep(BEFORE_SECONDS)
    caller = Caller(server)
    params = {
        "programId": run.program,
        "cohortId": run.cohort,
        "query": f"given labels [{LABEL}]",
        "mode": "open",
    }
    start = time.perf_counter()
    changed = caller.call("core.SyncCohort", **params)
    end = time.perf_counter()
    caller.close()
    waited, looked_up = writes.during(start, end), lookups.during(start, end)
    if changed != added:
        raise RuntimeError(f"the sync changed {changed} memberships, not {added}")
    return end - start, max(waited), quantiles(looked_up, n=100)[-1]


if __name__ == "__main__":
    main()
