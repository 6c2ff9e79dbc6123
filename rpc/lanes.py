"""Where planned calls are carried out: quick reads here, slow reads in threads, writes in the writer."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from models.database import Outcome, Writer, connect_reader, connected, database
from models.errors import Busy
from rpc.errors import DeadlineExceeded
from rpc.registry import Lane, Lookup, Planned

TOGETHER = 256  # lookups of one batch that are made at once
TURN_SECONDS = 0.001  # how long the loop works for one caller before others get a turn
SHORT_ROUNDS = 4  # of the loop, in which a short request is read and answered


class Turns:
    """Cuts the long work of one request into pieces, so that others have the loop in between.

    Everybody's pieces stand in one line: however many callers have long work, the loop does one
    piece of it at a time, and between two of them the short requests that have come in.
    """

    def __init__(self, line: asyncio.Lock) -> None:
        self._line = line
        self._until = time.monotonic() + TURN_SECONDS

    async def give(self) -> None:
        """Give way if this turn has lasted long enough."""
        if time.monotonic() > self._until:
            await self.wait()

    async def wait(self) -> None:
        """Stand in line for a turn."""
        async with self._line:
            for _ in range(SHORT_ROUNDS):
                await asyncio.sleep(0)
        self._until = time.monotonic() + TURN_SECONDS


class Lanes:
    """The writer, the readers, and this thread's own read-only connection."""

    def __init__(self, readers: int) -> None:
        self._writer = Writer()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._mine = connected(read_only=True)
        self._line = asyncio.Lock()
        self._together = _Together()

    def open(self) -> None:
        """Start the writer and connect this thread, which must be the loop's."""
        self._mine.__enter__()
        self._writer.start()

    def close(self) -> None:
        """Finish the writes that were submitted, then let go of everything."""
        self._writer.stop()
        self._readers.shutdown()
        self._mine.__exit__(None, None, None)

    def turns(self) -> Turns:
        """Turns for the work of one request."""
        return Turns(self._line)

    async def run(self, calls: Sequence[Planned]) -> list[Outcome]:
        """Carry out calls in the order given; a later one sees what an earlier one wrote."""
        outcomes: list[Outcome] = []
        for lane, group in itertools.groupby(calls, key=lambda call: call.method.lane):
            match lane:
                case Lane.QUICK:
                    outcomes += await self._read_here(list(group))
                case Lane.SLOW:
                    outcomes += await self._read_in_thread(list(group))
                case Lane.WRITE:
                    outcomes += await self._write(list(group))
        return outcomes

    async def _read_here(self, calls: Sequence[Planned]) -> list[Outcome]:
        turns, outcomes = self.turns(), []
        for by_ids, group in itertools.groupby(calls, key=lambda call: call.method.by_ids):
            if by_ids is None:
                for call in group:
                    await turns.give()
                    outcomes.append(_outcome(call))
                continue
            alike = list(group)
            for start in range(0, len(alike), TOGETHER):
                await turns.give()
                outcomes += await self._together.read(alike[start : start + TOGETHER])
        return outcomes

    async def _read_in_thread(self, calls: Sequence[Planned]) -> list[Outcome]:
        return [await self._read_in_time(call) for call in calls]

    async def _read_in_time(self, call: Planned) -> Outcome:
        """Read in a thread; a call that no thread has begun by its deadline is given up."""
        read = self._readers.submit(_snapshot, call)
        answer = asyncio.wrap_future(read)
        await asyncio.wait({answer}, timeout=call.context.deadline - time.monotonic())
        if read.cancel():
            return None, DeadlineExceeded()
        return await answer

    async def _write(self, calls: Sequence[Planned]) -> list[Outcome]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[list[Outcome]] = loop.create_future()

        def tell(outcomes: list[Outcome]) -> None:
            loop.call_soon_threadsafe(answer.set_result, outcomes)

        try:
            self._writer.submit([call.run for call in calls], tell)
        except Busy as error:
            return [(None, error)] * len(calls)
        # A write that has begun is finished, whatever becomes of the waiting side.
        return await asyncio.shield(answer)


class _Together:
    """Lookups by id that come in one turn of the loop, from whatever requests, share a query a kind.

    The first of a turn is made at once, for it may be alone. Those that come behind it in the same
    turn wait for its end, are looked up together, and each request goes on with its own.
    """

    def __init__(self) -> None:
        self._is_first = True
        self._waiting: list[tuple[Sequence[Planned], asyncio.Future[list[Outcome]]]] = []

    async def read(self, calls: Sequence[Planned]) -> list[Outcome]:
        """The outcomes of calls of one method that is looked up by ids."""
        loop = asyncio.get_running_loop()
        if self._is_first:
            self._is_first = False
            loop.call_soon(self._end_turn)
            return _looked_up([calls])[0]
        answer: asyncio.Future[list[Outcome]] = loop.create_future()
        self._waiting.append((calls, answer))
        return await answer

    def _end_turn(self) -> None:
        self._is_first = True
        waiting, self._waiting = self._waiting, []
        outcomes = _looked_up([calls for calls, _ in waiting])
        for (_, answer), found in zip(waiting, outcomes, strict=True):
            if not answer.cancelled():
                answer.set_result(found)


def _looked_up(groups: Sequence[Sequence[Planned]]) -> list[list[Outcome]]:
    """The outcomes of each group of calls, where a group is of one method."""
    ids: dict[Lookup, set[UUID]] = {}
    for calls in groups:
        ids.setdefault(_by_ids(calls[0]), set()).update(map(_id_of, calls))
    found = {by_ids: _try(by_ids, wanted) for by_ids, wanted in ids.items()}
    now = time.monotonic()
    return [[_own(call, now, *found[_by_ids(call)]) for call in calls] for calls in groups]


def _own(call: Planned, now: float, results: Mapping[str, Any], failure: Exception | None) -> Outcome:
    if failure is None and now > call.context.deadline:
        failure = DeadlineExceeded()
    return (None, failure) if failure is not None else (results.get(str(_id_of(call))), None)


def _by_ids(call: Planned) -> Lookup:
    assert call.method.by_ids is not None
    return call.method.by_ids


def _id_of(call: Planned) -> UUID:
    """The one id that the call is for."""
    [row_id] = call.loaded.values()
    return row_id


def _try(by_ids: Lookup, ids: set[UUID]) -> tuple[Mapping[str, Any], Exception | None]:
    try:
        return by_ids(ids), None
    except Exception as error:
        return {}, error


def _outcome(call: Planned) -> Outcome:
    try:
        return call.run(), None
    except Exception as error:
        return None, error


def _snapshot(call: Planned) -> Outcome:
    """Run a read in one transaction of this reader thread, so that all its queries see one state."""
    try:
        connect_reader()
        with database.atomic():
            return call.run(), None
    except Exception as error:
        return None, error
