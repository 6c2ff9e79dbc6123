"""Programs that fork with a client in use: `python -m tests.client.forking NAME ID...`, by test_forks.py.

Each looks kinds up by the ids that it is given, and checks that each answer is the answer to its own call. It
prints how many it got, in all its processes.
"""

from __future__ import annotations

import asyncio
import faulthandler
import multiprocessing
import os
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from types import CodeType, FrameType
from typing import Any
from uuid import UUID

import pytest

from client import AsyncClient, Client, ClientError
from client.errors import NotFound
from tests.waiting import FAR

KINDS: list[UUID] = []
CALLS = 150  # that a thread makes
THREADS = 4
CHILDREN = 6
NOBODY = "00000003-0000-4000-8000-00000000{:04x}"

client: Client
async_client: AsyncClient


def kinds(count: int) -> Iterator[UUID]:
    """So many ids, from another one on in each process and thread."""
    start = (os.getpid() * 7 + threading.get_ident()) % len(KINDS)
    return islice(cycle(KINDS[start:] + KINDS[:start]), count)


def look_up(count: int = CALLS) -> int:
    """Ask for kinds singly, in a batch and by map, for what there is not, and for a ticket.

    Gives how many answers came.
    """
    asked = list(kinds(count))
    for kind in asked:
        found = client.core.LookupProgram(kind)
        assert found.id == kind, (found.id, kind)
    with client.batch() as batch:
        pending = [(kind, batch.core.LookupProgram(kind)) for kind in asked]
    for kind, one in pending:
        assert one.result().id == kind
    for kind, outcome in zip(asked, client.map("core.LookupProgram", asked, size=10), strict=True):
        assert outcome.result().id == kind
    for number in range(20):
        program = NOBODY.format((os.getpid() + number) % 65536)
        with pytest.raises(NotFound, match=program):
            client.core.ListCohorts(program)
    assert client.core.CreateProgramTicket(None, f"buyer-{os.getpid()}@example.org", KINDS[0]) == 1
    return 3 * count + 21


async def look_up_by_tasks(count: int = CALLS) -> int:
    """As `look_up`, with all calls on their way at once."""

    async def ask(kind: UUID) -> None:
        found = await async_client.core.LookupProgram(kind)
        assert found.id == kind, (found.id, kind)

    await asyncio.gather(*(ask(kind) for kind in kinds(count)))
    async with async_client.batch() as batch:
        pending = [(kind, batch.core.LookupProgram(kind)) for kind in kinds(count)]
    for kind, one in pending:
        assert one.result().id == kind
    return 2 * count


def by_threads() -> int:
    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda _: look_up(), range(THREADS)))


def in_child(work: Callable[[], int]) -> Callable[[], int]:
    """Fork a child that does some work; gives what waits for its end and tells how much it did."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        faulthandler.register(signal.SIGALRM, chain=True)
        signal.alarm(int(FAR / 2))  # a child that is stuck ends, and shows where it was
        try:
            os.write(writing, str(work()).encode())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)

    def wait() -> int:
        with open(reading, "rb") as pipe:
            said = pipe.read()
        _, status = os.waitpid(child, 0)
        assert status == 0, status
        return int(said)

    return wait


def with_a_grandchild() -> int:
    grandchild = in_child(by_threads)
    return by_threads() + grandchild()


def fork() -> int:
    """Children and grandchildren, forked beside idle connections, and while threads of the parent call."""
    done = by_threads()
    children = [in_child(with_a_grandchild) for _ in range(CHILDREN // 2)]
    with ThreadPoolExecutor(THREADS) as pool:
        beside = [pool.submit(look_up) for _ in range(THREADS)]
        children += [in_child(with_a_grandchild) for _ in range(CHILDREN // 2)]
        done += sum(child() for child in children)
        return done + sum(future.result() for future in beside)


def _one_of_a_pool(_number: int) -> int:
    return look_up(20)


def pool() -> int:
    """Processes of multiprocessing, forked from one that has called."""
    done = look_up()
    with multiprocessing.get_context("fork").Pool(CHILDREN) as processes:
        done += sum(processes.map(_one_of_a_pool, range(10 * CHILDREN), chunksize=1))
    return done + look_up()


def once() -> int:
    assert client.core.LookupProgram(KINDS[1]).id == KINDS[1]
    return 1


def at_each_line() -> int:
    """A child forked by another thread at each line of a first call, with what locks the call holds there."""
    places: set[tuple[CodeType, int]] = set()
    done = 0

    def fork_here(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal done
        if frame.f_globals.get("__name__") == "logging":
            return None  # a fork waits for its lock
        place = frame.f_code, frame.f_lineno
        if event == "line" and place not in places:
            places.add(place)
            done += forker.submit(lambda: in_child(once)()).result()
        return fork_here

    with ThreadPoolExecutor(1) as forker:
        forker.submit(int).result()  # the thread is there
        sys.settrace(fork_here)
        try:
            once()
        finally:
            sys.settrace(None)
    return done


def often() -> int:
    """Many short-lived children, so that some are forked at the worst moment of a call."""
    stop = threading.Event()

    def without_end() -> int:
        done = 0
        while not stop.is_set():
            assert client.core.LookupProgram(KINDS[0]).id == KINDS[0]
            done += 1
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        beside = [pool.submit(without_end) for _ in range(THREADS)]
        try:
            done = sum(in_child(once)() for _ in range(200))
        finally:
            stop.set()  # or the pool would wait for ever
        return done + sum(future.result() for future in beside)


def loops() -> int:
    """One AsyncClient in one event loop after the other, without a word about closing, then in children."""
    done = asyncio.run(look_up_by_tasks()) + asyncio.run(look_up_by_tasks())
    children = [in_child(lambda: asyncio.run(look_up_by_tasks())) for _ in range(CHILDREN)]
    done += asyncio.run(look_up_by_tasks())
    done += sum(child() for child in children)

    async def close() -> None:
        await async_client.close()

    asyncio.run(close())
    return done


def running_loop() -> int:
    """Children forked inside an event loop, each with a loop of its own; the parent's goes on."""

    async def parent() -> int:
        async with async_client:
            done = await look_up_by_tasks()
            for _ in range(CHILDREN):
                child = in_child(lambda: asyncio.run(look_up_by_tasks()))
                done += await look_up_by_tasks()
                done += await asyncio.to_thread(child)
                done += await look_up_by_tasks()
            return done

    return asyncio.run(parent())


def loops_of_threads() -> int:
    """One AsyncClient in the event loops of several threads at once."""

    async def closed_after() -> int:
        async with async_client:
            return await look_up_by_tasks()

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(lambda _: asyncio.run(closed_after()), range(THREADS)))


def begun_before() -> int:
    """What was begun before a fork is refused in the child, and goes on in the parent."""
    batch = client.batch()
    pending = batch.core.LookupProgram(KINDS[0])
    outcomes = client.map("core.LookupProgram", KINDS * 10, size=10)
    first = next(outcomes)

    def go_on() -> int:
        with pytest.raises(ClientError, match="forked"):
            batch.send()
        with pytest.raises(ClientError, match="forked"):
            list(outcomes)
        return 0

    assert in_child(go_on)() == 0
    batch.send()
    rest = [outcome.result().id for outcome in outcomes]
    assert [first.result().id, *rest] == KINDS * 10
    assert pending.result().id == KINDS[0]
    return len(rest)


if __name__ == "__main__":
    KINDS += map(UUID, sys.argv[2:])
    client, async_client = Client.from_env(), AsyncClient.from_env()
    print(globals()[sys.argv[1]]())
