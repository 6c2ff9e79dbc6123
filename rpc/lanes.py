"""Where planned calls are carried out: quick reads here, slow reads in threads, writes in the writer."""

from __future__ import annotations

import asyncio
import collections
import functools
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from models.database import connected, snapshot
from models.errors import Busy
from models.retention import Retention
from models.writer import Outcome, Writer
from rpc.errors import DeadlineExceeded
from rpc.fresh import Fresh
from rpc.registry import Call, Lane, Lookup

Item = TypeVar("Item")
Done = asyncio.Future[None]  # what a request waits for

AT_ONCE = 64  # lookups of one batch that share a query
TURN_SECONDS = 0.0003  # how long the loop works for one caller before others get a turn
SHORT_ROUNDS = 4  # of the loop, in which a short request is read and answered
LOOK_SECONDS = 0.1  # how often it is looked whether writes that wait are past their deadline


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


class Together(Generic[Item]):
    """Gathers what comes in one turn of the loop, from whatever requests, and has it done at once.

    The first of a turn, which may be alone, is done without waiting. Those that come behind it wait
    for the end of the turn; one call of `do` gets all of them, each with what it waits for, and then
    `close` ends the turn. So sixty-four callers who ask at the same time cost one pass of
    jsonrpcserver, one query for each kind of lookup, and one group of writes.
    """

    def __init__(self, do: Callable[[list[tuple[Item, Done]]], None], close: Callable[[], None]) -> None:
        self._do, self._close = do, close
        self._is_open = False
        self._waiting: list[tuple[Item, Done]] = []

    @functools.cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        # Asked once: Python 3.11 asks the system for the process's id each time, a tenth of a lookup.
        return asyncio.get_running_loop()

    def add(self, item: Item) -> Done:
        """What ends when the item has been done."""
        done = self._loop.create_future()
        if self._is_open:
            self._waiting.append((item, done))
        else:
            self._is_open = True
            self._loop.call_soon(self._end_turn)
            self._try([(item, done)])
        return done

    def _end_turn(self) -> None:
        self._is_open = False
        waiting, self._waiting = self._waiting, []
        if waiting:
            self._try(waiting)
        self._close()

    def _try(self, waiting: list[tuple[Item, Done]]) -> None:
        try:
            self._do(waiting)
        except Exception as error:
            fail([done for _, done in waiting], error)


def fail(waiting: Iterable[Done], error: Exception) -> None:
    """Have the requests that wait fail, unless they are gone."""
    for done in waiting:
        if not done.done():
            done.set_exception(error)


def end(done: Done) -> None:
    """Let the request that waits go on, unless it is gone."""
    if not done.done():
        done.set_result(None)


@dataclass(eq=False, slots=True)
class _Given:
    """Calls that the writer was given, and who waits for them: one for each, or one for all."""

    calls: Sequence[Call]
    waiting: Sequence[Done]
    outcomes: Sequence[Outcome] = ()

    def deliver(self) -> None:
        """Keep what came of the calls, and let go on who waits."""
        try:
            for call, outcome in zip(self.calls, self.outcomes, strict=True):
                call.end(*outcome)
        except Exception as error:  # who waits is told that, rather than nothing
            fail(self.waiting, error)
        for done in self.waiting:
            end(done)

    def give_up(self) -> None:
        """Let go on who waits only for calls that are late: they never will be carried out."""
        one_for_all = len(self.waiting) == 1
        for at, done in enumerate(self.waiting):
            # The calls of one caller begin in their order, so none has begun where the first has not.
            if self.calls[at].is_late() and not done.done():
                for call in self.calls if one_for_all else [self.calls[at]]:
                    call.end(None, DeadlineExceeded())
                end(done)


class Lanes:
    """The writer, the readers, and this thread's own read-only connection."""

    def __init__(self, readers: int, audit_days: int = 0) -> None:
        self._writer = Writer()
        self._retention = Retention(self._writer, audit_days)
        self._given: dict[_Given, None] = {}  # what the writer has, in order
        self._written: collections.deque[_Given] = collections.deque()  # what it has done
        self._look: asyncio.TimerHandle | None = None
        self._reading: set[Call] = set()  # what the readers have
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="reader")
        self._mine = connected(read_only=True)
        self._line = asyncio.Lock()
        self.fresh = Fresh()
        self._found: dict[Lookup, dict[str, Any]] = {}  # results by the texts of their ids

    def open(self) -> None:
        """Start the writer and connect this thread, which must be the loop's."""
        self._mine.__enter__()
        self._writer.start()
        self._retention.start()

    def close(self) -> None:
        """Finish the writes that were submitted, then let go of everything."""
        self._retention.stop()
        self._writer.stop()
        self._readers.shutdown()
        self._mine.__exit__(None, None, None)

    @property
    def writer(self) -> Writer:
        """The writer, for those who watch it."""
        return self._writer

    @property
    def reading(self) -> int:
        """How many slow reads have been given to the readers and not come back."""
        return len(self._reading)

    def give_up(self) -> None:
        """End all that can be ended: what has not begun never will, and slow reads are cut short."""
        for call in (*self._reading, *(call for given in self._given for call in given.calls)):
            call.context.deadline = 0.0
        self._give_up_late()

    def turns(self) -> Turns:
        """Turns for the work of one request."""
        return Turns(self._line)

    def read_now(self, calls: Sequence[Call]) -> None:
        """Carry out quick reads here and now; lookups by id share a query for each kind."""
        lookups: dict[Lookup, list[Call]] = {}
        for call in calls:
            if (by_ids := call.method.by_ids) is None:
                call.end(*_outcome(call))
            else:
                lookups.setdefault(by_ids, []).append(call)
        for by_ids, alike in lookups.items():
            self._look_up(by_ids, alike)

    def _look_up(self, by_ids: Lookup, calls: Sequence[Call]) -> None:
        if by_ids not in self._found:
            self._found[by_ids] = self.fresh.memory()
        found = self._found[by_ids]
        ids = [str(*call.loaded.values()) for call in calls]
        try:
            self.fresh.check()
            if unknown := [row_id for row_id in dict.fromkeys(ids) if row_id not in found]:
                read = by_ids(unknown)
                found.update((row_id, read.get(row_id)) for row_id in unknown)
        except Exception as error:
            for call in calls:
                call.end(None, error)
            return
        now = time.monotonic()
        for call, row_id in zip(calls, ids, strict=True):
            if now > call.context.deadline:
                call.end(None, DeadlineExceeded())
            else:
                call.value = found[row_id]

    async def run(self, calls: Sequence[Call]) -> None:
        """Carry out planned calls in the order given; a later one sees what an earlier one wrote."""
        for lane, group in itertools.groupby(calls, key=lambda call: call.method.lane):
            match lane:
                case Lane.QUICK:
                    await self._read_here(list(group))
                case Lane.SLOW:
                    for call in group:
                        call.end(*await self._in_reader(call, call.run))
                case Lane.WRITE:
                    await self._write_in_order(group)

    async def _read_here(self, calls: Sequence[Call]) -> None:
        turns = self.turns()
        for by_ids, group in itertools.groupby(calls, key=lambda call: call.method.by_ids):
            alike = list(group)
            at_once = 1 if by_ids is None else AT_ONCE
            for start in range(0, len(alike), at_once):
                await turns.give()
                self.read_now(alike[start : start + at_once])

    async def _in_reader(self, call: Call, step: Callable[[], Any]) -> Outcome:
        """Take a step of a call in a thread; one that no thread has begun by its deadline is given up."""
        reading = self._readers.submit(_snapshot, step, call.is_over)
        answer = asyncio.wrap_future(reading)
        self._reading.add(call)
        try:
            await asyncio.wait({answer}, timeout=call.context.deadline - time.monotonic())
            return (None, DeadlineExceeded()) if reading.cancel() else await answer
        finally:
            self._reading.discard(call)

    async def _write_in_order(self, calls: Iterable[Call]) -> None:
        """Write, each that is to be prepared by itself: it starts from what those before have committed."""
        for is_prepared, group in itertools.groupby(calls, key=lambda call: call.method.prepare is not None):
            if not is_prepared:
                await self._write(list(group))
                continue
            for call in group:
                is_left, failure = await self._in_reader(call, call.prepare)
                if failure is not None:
                    call.end(None, failure)
                elif is_left:
                    await self._write([call])

    async def _write(self, calls: Sequence[Call]) -> None:
        done: Done = asyncio.get_running_loop().create_future()
        self.write(calls, [done])
        await done

    def write(self, calls: Sequence[Call], waiting: Sequence[Done]) -> None:
        """Have the writer carry out calls in this order; who waits goes on when they are durable.

        A write that has begun is finished, whatever becomes of who waits.
        """
        loop = asyncio.get_running_loop()
        given = _Given(calls, waiting)
        self._given[given] = None
        if self._look is None:
            self._look = loop.call_later(LOOK_SECONDS, self._give_up_late)
        try:
            self._writer.submit([call.run for call in calls], functools.partial(self._tell, loop, given))
        except Busy as error:
            given.outcomes = [(None, error)] * len(calls)
            self._written.append(given)
            self._deliver()

    def _tell(self, loop: asyncio.AbstractEventLoop, given: _Given, outcomes: list[Outcome]) -> None:
        """In the writer's thread: the first of a group wakes the loop, which takes all there are."""
        given.outcomes = outcomes
        self._written.append(given)
        if len(self._written) == 1:
            loop.call_soon_threadsafe(self._deliver)

    def _deliver(self) -> None:
        while self._written:
            given = self._written.popleft()
            del self._given[given]
            given.deliver()

    def _give_up_late(self) -> None:
        """Answer for writes whose turn has not come by their deadline, and look again as long as any wait."""
        for given in self._given:
            given.give_up()
        if self._look is not None:
            self._look.cancel()
            self._look = None
        if self._given:
            self._look = asyncio.get_running_loop().call_later(LOOK_SECONDS, self._give_up_late)


def _outcome(call: Call) -> Outcome:
    try:
        return call.run(), None
    except Exception as error:
        return None, error


def _snapshot(step: Callable[[], Any], is_over: Callable[[], bool]) -> Outcome:
    """Read in one transaction of this reader thread, so that all queries of a step see one state."""
    try:
        with snapshot(is_over):
            return step(), None
    except Exception as error:
        return None, error
