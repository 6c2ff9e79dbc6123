"""Connections, columns and the one writer.

SQLite through APSW: it brings a SQLite without the WAL bug that versions before 3.51.3 have (two
connections that write and checkpoint at once could corrupt the file), which the interpreter's own
often is not.
"""

from __future__ import annotations

import collections
import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw
import peewee
import uuid_utils.compat
from playhouse.apsw_ext import APSWDatabase
from playhouse.fields import EnumFieldMixin

from models import actor, clock
from models.errors import Busy

log = logging.getLogger(__name__)

SQLITE_AT_LEAST = (3, 51, 3)

# Said on every connection: FULL, because with NORMAL a power cut takes acknowledged writes with it.
PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": "on",
    "temp_store": "memory",
    "cache_size": -32_000,  # KiB
}

BUSY_SECONDS = 5.0

database = APSWDatabase(None, autoconnect=False)


class BadDatabaseUrl(ValueError):
    """The database setting is not a URL that can be opened."""


def path_of(url: str) -> Path:
    """The file that a `sqlite:///path` URL names; `sqlite:////path` is absolute."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or not url[len(prefix) :]:
        raise BadDatabaseUrl(f"{url!r} is not of the form sqlite:///path/to/file.db")
    return Path(url[len(prefix) :])


def sqlite_version() -> tuple[int, ...]:
    """The version of the SQLite library in use."""
    return tuple(int(part) for part in apsw.sqlite_lib_version().split("."))


def configure(url: str, busy_seconds: float = BUSY_SECONDS) -> None:
    """Name the file that all connections of this process open; opens none."""
    if sqlite_version() < SQLITE_AT_LEAST:
        wanted = ".".join(str(part) for part in SQLITE_AT_LEAST)
        raise RuntimeError(
            f"SQLite {apsw.sqlite_lib_version()} is older than {wanted}: update the package apsw"
        )
    database.init(str(path_of(url)), pragmas=PRAGMAS, timeout=busy_seconds)


@contextmanager
def connected(*, read_only: bool = False) -> Iterator[None]:
    """Hold a connection in this thread; a read-only one refuses to write."""
    database.connect(reuse_if_open=True)
    if read_only:
        database.execute_sql("PRAGMA query_only = 1")
    try:
        yield
    finally:
        database.close()


@contextmanager
def writing() -> Iterator[None]:
    """One durable transaction for commands that write beside a server; keep it short.

    BEGIN IMMEDIATE, because a transaction that reads first and writes later fails under load
    whatever the time-out.
    """
    with database.atomic("IMMEDIATE"):
        yield


def new_id() -> UUID:
    """A UUID of version 7: later ones sort later, so ids break ties of time in order."""
    return uuid_utils.compat.uuid7()


class IdField(peewee.Field):
    """A UUID kept as the text that goes over the wire: lower case, with dashes."""

    field_type = "UUID"

    def db_value(self, value: Any) -> str | None:
        return None if value is None else str(value)

    def python_value(self, value: Any) -> UUID | None:
        return None if value is None else UUID(value)


class InstantField(peewee.Field):
    """A UTC instant kept as wire text with three fraction digits, so text order is time order."""

    field_type = "TEXT"

    def db_value(self, value: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03d}Z"

    def python_value(self, value: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


class DayField(peewee.Field):
    """A calendar day kept as YYYY-MM-DD."""

    field_type = "TEXT"

    def db_value(self, value: Any) -> str | None:
        return value.isoformat() if isinstance(value, date) else value

    def python_value(self, value: Any) -> date | None:
        return None if value is None else date.fromisoformat(value)


class ChoiceField(EnumFieldMixin, peewee.TextField):
    """One value of a StrEnum, kept as its text."""

    enum_value_type = str

    def __init__(self, choices: type[StrEnum], **options: Any) -> None:
        super().__init__(choices, **options)

    def python_value(self, value: Any) -> Any:
        return None if value is None else self.enum_class(value)


class BaseModel(peewee.Model):
    """A row with an id of ours. Every save is noted for the audit row of the call that made it."""

    id = IdField(primary_key=True, default=new_id)

    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def insert_rows(cls, rows: Sequence[BaseModel]) -> None:
        """Insert many new rows by one prepared statement."""
        columns = cls._meta.sorted_fields
        sql, _ = cls.insert({column: peewee.SQL("?") for column in columns}).sql()
        cls._run_for_each(sql, rows, columns)

    @classmethod
    def update_rows(cls, rows: Sequence[BaseModel], *columns: peewee.Field) -> None:
        """Store some columns of many rows by one prepared statement."""
        names = {column.name for column in columns}
        ordered = [column for column in cls._meta.sorted_fields if column.name in names]
        sql, _ = cls.update(dict.fromkeys(ordered, peewee.SQL("?"))).where(cls.id == peewee.SQL("?")).sql()
        cls._run_for_each(sql, rows, [*ordered, cls.id])

    @classmethod
    def _run_for_each(cls, sql: str, rows: Sequence[BaseModel], columns: Sequence[peewee.Field]) -> None:
        if not rows:
            return
        actor.touch(*(row.id for row in rows))
        values = [[column.db_value(row.__data__.get(column.name)) for column in columns] for row in rows]
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            database.cursor().executemany(sql, values)

    @classmethod
    def add(cls, **values: Any) -> Any:
        """Make and store one new row."""
        row = cls(**values)
        row.save(force_insert=True)
        return row

    def save(self, *args: Any, **options: Any) -> Any:
        actor.touch(self.id)
        return super().save(*args, **options)

    def change(self, **values: Any) -> bool:
        """Store the values that differ; False, and nothing written, when none does."""
        changed = {name: value for name, value in values.items() if getattr(self, name) != value}
        if not changed:
            return False
        for name, value in changed.items():
            setattr(self, name, value)
        only = set(changed)
        if "updated_at" in self._meta.fields:
            self.updated_at = clock.now()
            only.add("updated_at")
        self.save(only=[self._meta.combined[name] for name in only])
        return True


class DatedModel(BaseModel):
    """A row that knows when it was made and last changed."""

    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)


Call = Callable[[], Any]
Outcome = tuple[Any, Exception | None]


@dataclass
class _Job:
    """Calls of one caller, to be run in this order, each on its own."""

    calls: Sequence[Call]
    done: Callable[[list[Outcome]], None]
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        return len(self.outcomes) == len(self.calls)


class Writer:
    """The one thread and connection through which this process writes.

    It takes what waits into one transaction (group commit: one fsync serves all), with a savepoint
    for each call, and tells the callers after COMMIT. Long jobs take turns, so that a batch of a
    thousand writes does not keep a single one waiting.
    """

    GROUP_SECONDS = 0.02  # how long a group takes in more before it commits
    TURN_SECONDS = 0.005  # how long one job runs before the next one's turn

    def __init__(self) -> None:
        self._waiting: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what was submitted, then end."""
        self._waiting.put(None)
        self._thread.join()

    def submit(self, calls: Sequence[Call], done: Callable[[list[Outcome]], None]) -> None:
        """Run the calls in order; `done` gets an outcome for each, in the writer's thread."""
        self._waiting.put(_Job(calls, done))

    def _work(self) -> None:
        with connected():
            turns: collections.deque[_Job] = collections.deque()
            open_for_more = True
            while open_for_more or turns:
                if not turns:
                    job = self._waiting.get()
                    if job is None:
                        return
                    turns.append(job)
                open_for_more = self._take_in(turns) and open_for_more
                self._run_group(turns)

    def _take_in(self, turns: collections.deque[_Job]) -> bool:
        """Move what waits into the turns; False once told to stop."""
        try:
            while True:
                job = self._waiting.get_nowait()
                if job is None:
                    return False
                turns.append(job)
        except queue.Empty:
            return True

    def _run_group(self, turns: collections.deque[_Job]) -> None:
        """Run turns for a while and commit them; what is unfinished stays in the deque."""
        group = {id(job): (job, len(job.outcomes)) for job in turns}
        try:
            with database.atomic("IMMEDIATE"):
                until = time.monotonic() + self.GROUP_SECONDS
                while turns and time.monotonic() < until:
                    self._run_turn(turns[0])
                    turns.rotate(-1)
                    if turns[-1].finished:
                        turns.pop()
        except Exception:
            log.exception("a group of writes was rolled back")
            for job, committed in group.values():
                job.outcomes[committed:] = [(None, Busy())] * (len(job.calls) - committed)
            turns.clear()
        for job, _ in group.values():
            if job.finished:
                job.done(job.outcomes)

    def _run_turn(self, job: _Job) -> None:
        until = time.monotonic() + self.TURN_SECONDS
        while not job.finished and (time.monotonic() < until):
            call = job.calls[len(job.outcomes)]
            database.execute_sql("SAVEPOINT one_call")
            try:
                outcome: Outcome = (call(), None)
            except Exception as error:
                database.execute_sql("ROLLBACK TO one_call")
                outcome = (None, error)
            database.execute_sql("RELEASE one_call")
            job.outcomes.append(outcome)
