"""Measure calls through the Python client, on loopback: `python -m tests.benchmarks.client`.

Client and server share the machine. The floor is for lookups by `map`.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from statistics import median

from client import AsyncClient, Client
from models import sample
from models.tokens import Scope
from tests.processes import Served, served

FLOOR = 15_000  # lookups a second through the sync client
ROUNDS = 3


def main() -> None:
    """Print the table; exit status 1 where the floor is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.client", description=__doc__)
    parser.add_argument("--calls", type=int, default=30_000)
    options = parser.parse_args()
    with served() as server:
        found = measure(server, options.calls)
    print("| load | calls/s | against single calls |\n|---|---|---|")
    for name, rate in found.items():
        print(f"| {name} | {rate:,.0f} | {rate / found['lookups, one by one']:.1f} |")
    if found["lookups by map"] < FLOOR:
        sys.exit(f"lookups by map: less than {FLOOR:,} calls/s")


def measure(server: Served, calls: int) -> dict[str, float]:
    """The calls a second of each load: the median of a few rounds, which go through all loads."""
    url = f"http://127.0.0.1:{server.port}/rpc"
    token = server.secrets[Scope.ADMIN]
    with Client(url, token) as client:
        loads: dict[str, tuple[Callable[[int], None], int]] = {
            "lookups, one by one": (lambda count: one_by_one(client, count), calls // 15),
            "lookups by map": (lambda count: mapped(client, count), calls),
            "lookups by batch": (lambda count: batched(client, count), calls),
            "lookups by map, async": (lambda count: asyncio.run(mapped_async(url, token, count)), calls),
            "writes by map": (lambda count: written(client, count), calls // 3),
        }
        rates: dict[str, list[float]] = {name: [] for name in loads}
        for _ in range(ROUNDS):
            for name, (load, count) in loads.items():
                started = time.perf_counter()
                load(count)
                rates[name].append(count / (time.perf_counter() - started))
    return {name: median(found) for name, found in rates.items()}


def one_by_one(client: Client, count: int) -> None:
    for _ in range(count):
        assert client.lookup_program_instance(sample.SPRING) is not None


def mapped(client: Client, count: int) -> None:
    for outcome in client.map("core.LookupProgramInstance", ids(count)):
        assert outcome.result() is not None


def batched(client: Client, count: int) -> None:
    with client.batch() as batch:
        found = [batch.lookup_program_instance(one) for one in ids(count)]
    assert all(pending.result() is not None for pending in found)


async def mapped_async(url: str, token: str, count: int) -> None:
    async with AsyncClient(url, token) as client:
        async for outcome in client.map("core.LookupProgramInstance", ids(count)):
            assert outcome.result() is not None


def written(client: Client, count: int) -> None:
    rows = ({"program_id": sample.SPRING, "cohort_name": f"Cohort {n % 50}"} for n in range(count))
    for outcome in client.map("core.ConfirmCohort", rows):
        assert outcome.error is None


def ids(count: int) -> Iterator[object]:
    return (sample.SPRING for _ in range(count))


if __name__ == "__main__":
    main()
