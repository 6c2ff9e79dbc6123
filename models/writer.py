"""The one writer: calls grouped into durable transactions."""

from __future__ import annotations

import collections
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import apsw

from models import memory
from models.database import (
    Unsure,
    connect_writer,
    connected,
    database,
    let_go_of_what_only_reads,
    may_pass,
)
from models.errors import Busy, Displaced
from models.tally import Histogram

log = logging.getLogger(__name__)

Call = Callable[[], Any]
Outcome = tuple[Any, Exception | None]

GROUP_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Seen:
    """What the writer has done so far, and since when it has been at it; its threads alone write here."""

    def __init__(self) -> None:
        self.group_calls = Histogram(GROUP_SIZES)
        self.commit_seconds = Histogram(SECONDS)
        self.rolled_back = 0  # groups
        self.checkpoints = 0  # after each, the WAL begins anew
        self.busy_since: float | None = None  # of the monotonic clock, while a group is run


@dataclass(eq=False)
class _Job:
    """Calls of one caller, to be run in this order, each on its own."""

    calls: Sequence[Call]
    done: Callable[[list[Outcome]], None]
    outcomes: list[Outcome] = field(default_factory=list)
    kept: int = 0  # outcomes of calls whose transaction was committed

    @property
    def finished(self) -> bool:
        return len(self.outcomes) == len(self.calls)

    def run_turn(self, until: float) -> None:
        """Run calls until none is left or the turn is over; each in a savepoint of its own, so that its
        failure undoes nothing else."""
        execute = database.cursor().execute
        for call in islice(self.calls, len(self.outcomes), None):
            marked = memory.mark()
            execute("SAVEPOINT one_call")
            try:
                outcome: Outcome = (call(), None)
            except Exception as error:
                memory.take_back(marked)
                # A full disk makes SQLite roll back the whole transaction; then this raises as well.
                execute("ROLLBACK TO one_call")
                outcome = (None, error)
            execute("RELEASE one_call")
            self.outcomes.append(outcome)
            if time.monotonic() > until:
                return

    def keep(self) -> None:
        """Note that what ran is committed."""
        self.kept = len(self.outcomes)

    def give_up(self, failure: Exception) -> None:
        """Answer with the failure for calls that ran and are not committed, and Busy for those behind."""
        ran = len(self.outcomes)
        self.outcomes[self.kept :] = [(None, failure)] * (ran - self.kept)
        behind = failure if isinstance(failure, Busy) else Busy()
        self.outcomes += [(None, behind)] * (len(self.calls) - ran)

    def tell(self) -> None:
        """Hand over the outcomes; who waits for them may be gone."""
        try:
            self.done(self.outcomes)
        except Exception:
            log.exception("the outcomes of a write could not be handed over")


@contextmanager
def undone_if_it_fails() -> Iterator[None]:
    """A part of a call in the writer that may fail, of which nothing is left then."""
    marked = memory.mark()
    try:
        with database.atomic():
            yield
    except Exception:
        memory.take_back(marked)
        raise


class Checkpoints:
    """Brings what is committed from the WAL into the database file, nearly all of it beside the writer.

    SQLite would do it within a commit, for which everybody waited some 20 ms. A checkpoint beside a
    busy writer never catches up with it, so the WAL would grow and grow; therefore the writer makes
    the last step, of the few pages that came meanwhile, and the WAL begins anew.
    """

    FROM_PAGES = 4_000  # of the WAL; pages are written again and again, so later means less

    def __init__(self, seen: Seen) -> None:
        self._seen = seen
        self._wanted = threading.Semaphore(0)
        self._is_wanted = self._is_nearly_done = self._stopping = False
        self._thread = threading.Thread(target=self._work, name="checkpoints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def watch(self, connection: apsw.Connection) -> None:
        """Look after the WAL that this connection, which is the writer's, writes to."""
        connection.set_wal_hook(self._after_commit)

    def stop(self) -> None:
        self._stopping = True
        self._wanted.release()
        self._thread.join()

    def _after_commit(self, connection: apsw.Connection, name: str, pages: int) -> int:
        if self._is_nearly_done:
            self._is_wanted = self._is_nearly_done = False
            try:
                connection.wal_checkpoint()
                self._seen.checkpoints += 1
            except apsw.Error as error:  # what was committed stays so
                log.warning("a checkpoint is put off: %r", error)
        elif pages >= self.FROM_PAGES and not self._is_wanted:
            self._is_wanted = True
            self._wanted.release()
        return apsw.SQLITE_OK

    def _work(self) -> None:
        while self._wanted.acquire() and not self._stopping:
            try:
                with connected():
                    database.connection().wal_checkpoint()
            except Exception as error:
                log.error("a checkpoint failed, the next commit tries again: %r", error)
            self._is_nearly_done = True


class Writer:
    """The one thread and connection through which this process writes.

    It takes what waits into one transaction (group commit: one fsync serves all), with a savepoint
    for each call, and tells the callers after COMMIT. Long jobs take turns, so that a batch of a
    thousand writes does not keep a single one waiting.
    """

    GROUP_SECONDS = 0.02  # how long a group takes in more before it commits
    TURN_SECONDS = 0.005  # how long one job runs before the next one's turn

    def __init__(self) -> None:
        self._jobs: collections.deque[_Job] = collections.deque()  # in the order of their next turns
        self._news = threading.Condition()
        self._stopping = False
        self._displaced: str | None = None  # the word for why writes are refused just now
        self.seen = Seen()
        self._checkpoints = Checkpoints(self.seen)
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._checkpoints.start()

    def stop(self) -> None:
        """Finish what was submitted, then end."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self._thread.join()
        self._checkpoints.stop()

    def submit(self, calls: Sequence[Call], done: Callable[[list[Outcome]], None]) -> None:
        """Run the calls in order; `done` gets an outcome for each, in the writer's thread.

        Busy, and nothing is run, once the writer was told to stop.
        """
        with self._news:
            if self._stopping:
                raise Busy
            self._jobs.append(_Job(calls, done))
            self._news.notify()

    def look(self) -> None:
        """Have it see whether it can write, though nobody has anything to be written."""
        with contextlib.suppress(Busy):
            self.submit([], lambda _: None)

    @property
    def is_alive(self) -> bool:
        """Whether there is a thread that writes."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many calls are in jobs that wait for a turn."""
        return sum(len(job.calls) - len(job.outcomes) for job in list(self._jobs))

    def _work(self) -> None:
        with contextlib.suppress(Exception):  # a group tries again, and tells
            self._connect()  # from the beginning: only who has a log open can save it when it is deleted
        while self._has_work():
            self._run_group()
        if not database.is_closed():
            database.close()

    def _connect(self) -> None:
        """Be connected to files that are in place; Displaced when they are not."""
        try:
            is_new = connect_writer()
        except Displaced:
            if database.is_closed() or not database.give_up_log():
                raise
            log.warning("the log of %s was deleted; what was in it is saved", database.database)
            is_new = connect_writer()
        if is_new:
            self._checkpoints.watch(database.connection())

    def _has_work(self) -> bool:
        """Wait for jobs; False when told to stop and none is left."""
        with self._news:
            self._news.wait_for(lambda: bool(self._jobs) or self._stopping)
        return bool(self._jobs)

    def _run_group(self) -> None:
        """Run turns for a while and commit them; jobs that are not finished wait for the next group."""
        group: dict[_Job, None] = {}  # ordered, each once
        self.seen.busy_since = time.monotonic()
        try:
            self._run_turns(group)
        except BaseException as error:  # whatever it was, the next group may fare better
            self._say(error)
            self.seen.rolled_back += 1
            memory.forget()
            let_go_of_what_only_reads(error)
            while self._jobs:
                group[self._jobs.popleft()] = None
            for job in group:
                job.give_up(error if isinstance(error, Unsure | Displaced) else Busy())
        else:
            if self._displaced is not None:
                log.warning("the database's files are in place again, writes go on")
                self._displaced = None
            self.seen.group_calls.add(sum(len(job.outcomes) - job.kept for job in group))
            for job in group:
                job.keep()
        self.seen.busy_since = None
        for job in group:
            if job.finished:
                job.tell()

    def _say(self, error: BaseException) -> None:
        """Log why a group failed; that the files are gone is said once, not as often as somebody tries."""
        if not isinstance(error, Displaced):
            log.error("a group of writes was rolled back: %r", error, exc_info=not may_pass(error))
        elif error.word != self._displaced:
            log.error("writes are refused: %s", error)
            self._displaced = error.word

    def _run_turns(self, group: dict[_Job, None]) -> None:
        self._connect()
        with database.atomic("IMMEDIATE"):
            memory.begin()
            until = time.monotonic() + self.GROUP_SECONDS
            while self._jobs:
                job = self._jobs.popleft()
                group[job] = None
                job.run_turn(time.monotonic() + self.TURN_SECONDS)
                if not job.finished:
                    self._jobs.append(job)
                if time.monotonic() > until:
                    break
            memory.insert_waiting()
            committing = time.monotonic()
        self.seen.commit_seconds.add(time.monotonic() - committing)
