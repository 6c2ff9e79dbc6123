"""Connections, columns and the one writer.

SQLite through APSW: it brings a SQLite without the WAL bug that versions before 3.51.3 have (two
connections that write and checkpoint at once could corrupt the file), which the interpreter's own
often is not.
"""

from __future__ import annotations

import collections
import functools
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase
from playhouse.fields import EnumFieldMixin

from models import actor, clock
from models.errors import Busy
from models.ids import TextUUID, new_id

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
BUSY_LOOK_SECONDS = 0.001  # how often a waiting connection looks whether the lock is free


class _Database(APSWDatabase):
    """SQLite whose connections look often whether a lock is free.

    SQLite's own waiting sleeps up to 100 ms between looks, and so misses the short gaps that a writer
    who writes on and on leaves: beside an import, a server's write waited up to 2.6 s, this way 0.1 s.
    """

    def _connect(self) -> apsw.Connection:
        connection = super()._connect()
        connection.set_busy_handler(_patience(self._timeout))
        return connection


def _patience(seconds: float) -> Callable[[int], bool]:
    """A busy handler that waits so long: SQLite tells it how often it has waited already."""
    until = 0.0

    def wait(times: int) -> bool:
        nonlocal until
        now = time.monotonic()
        if times == 0:
            until = now + seconds
        time.sleep(BUSY_LOOK_SECONDS)
        return now < until

    return wait


database: APSWDatabase = _Database(None, autoconnect=False)


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


# Reasons to refuse that may be gone when the same is asked again.
_PASSING = (apsw.BusyError, apsw.LockedError, apsw.FullError, apsw.IOError, apsw.CantOpenError)


def may_pass(error: Exception) -> bool:
    """Whether the database refused for a reason that may be gone when a call is repeated."""
    return isinstance(getattr(error, "orig", None), _PASSING)


@contextmanager
def connected(*, read_only: bool = False) -> Iterator[None]:
    """Hold a connection in this thread; a read-only one refuses to write."""
    if read_only:
        connect_reader()
    else:
        database.connect(reuse_if_open=True)
    try:
        yield
    finally:
        database.close()


def connect_reader() -> None:
    """Connect this thread, if it is not, so that it can read and not write."""
    if database.is_closed():
        database.connect()
        database.execute_sql("PRAGMA query_only = 1")


@contextmanager
def writing() -> Iterator[None]:
    """One durable transaction for commands that write beside a server; keep it short.

    BEGIN IMMEDIATE, because a transaction that reads first and writes later fails under load
    whatever the time-out.
    """
    with database.atomic("IMMEDIATE"):
        yield


class IdField(peewee.Field):
    """A UUID kept as the text that goes over the wire: lower case, with dashes."""

    field_type = "UUID"

    def db_value(self, value: Any) -> str | None:
        return None if value is None else str(value)

    def python_value(self, value: Any) -> UUID | None:
        return None if value is None else TextUUID(value)


class InstantField(peewee.Field):
    """A UTC instant kept as wire text with three fraction digits, so text order is time order."""

    field_type = "TEXT"

    def db_value(self, value: Any) -> str | None:
        if value is None or isinstance(value, str):
            return value
        # Not strftime, whose %Y has fewer than four digits for early years.
        return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"

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
        self._by_text = {choice.value: choice for choice in choices}

    def db_value(self, value: Any) -> str | None:
        return None if value is None else self._by_text[value].value

    def python_value(self, value: Any) -> Any:
        return None if value is None else self._by_text[value]


class BaseModel(peewee.Model):
    """A row with an id of ours. Rows are written by the verbs here, which note them for the audit."""

    id = IdField(primary_key=True, default=new_id)

    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def find(cls, **values: Any) -> Self | None:
        """The row that has these values; its statement is compiled once."""
        fields = cls._meta.combined
        bound = [fields[name].db_value(value) for name, value in values.items()]
        found = database.execute_sql(_find_sql(cls, tuple(values)), bound).fetchone()
        return None if found is None else cls._made_of(found)

    @classmethod
    def _made_of(cls, values: Sequence[Any]) -> Self:
        row = cls(__no_default__=1)
        row.__data__ = {name: read(value) for (name, read), value in zip(_readers(cls), values, strict=True)}
        return row

    @classmethod
    def insert_rows(cls, rows: Sequence[BaseModel]) -> None:
        """Insert many new rows by one prepared statement."""
        cls._run_for_each(_insert_sql(cls), rows, cls._meta.sorted_fields)

    @classmethod
    def update_rows(cls, rows: Sequence[BaseModel], *columns: peewee.Field) -> None:
        """Store some columns of many rows by one prepared statement."""
        names = {column.name for column in columns}
        ordered = [column for column in cls._meta.sorted_fields if column.name in names]
        sql = _update_sql(cls, tuple(column.name for column in ordered))
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
        cls.insert_rows([row])
        return row

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
        self.update_rows([self], *(self._meta.combined[name] for name in only))
        return True


# Peewee takes 0.4 ms to build a statement that runs in 0.02 ms, so those for single rows are kept.


@functools.cache
def _find_sql(model: type[BaseModel], names: tuple[str, ...]) -> str:
    """The select of all columns, in their order, of the row with values in some columns."""
    tests = [model._meta.combined[name] == peewee.SQL("?") for name in names]
    sql, _ = model.select(*model._meta.sorted_fields).where(*tests).sql()
    return sql


@functools.cache
def _readers(model: type[BaseModel]) -> list[tuple[str, Callable[[Any], Any]]]:
    """The name of each column, in their order, and what makes a value of what is stored."""
    return [(column.name, column.python_value) for column in model._meta.sorted_fields]


@functools.cache
def _insert_sql(model: type[BaseModel]) -> str:
    """The insert of one row, all columns in their order."""
    sql, _ = model.insert(dict.fromkeys(model._meta.sorted_fields, peewee.SQL("?"))).sql()
    return sql


@functools.cache
def _update_sql(model: type[BaseModel], names: tuple[str, ...]) -> str:
    """The update of some columns, in their order, of the row with an id."""
    values = {model._meta.fields[name]: peewee.SQL("?") for name in names}
    sql, _ = model.update(values).where(model.id == peewee.SQL("?")).sql()
    return sql


class DatedModel(BaseModel):
    """A row that knows when it was made and last changed."""

    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)


Call = Callable[[], Any]
Outcome = tuple[Any, Exception | None]


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

    def run_next(self) -> None:
        """Run one call in a savepoint of its own, so that its failure undoes nothing else."""
        database.execute_sql("SAVEPOINT one_call")
        try:
            outcome: Outcome = (self.calls[len(self.outcomes)](), None)
        except Exception as error:
            # A full disk makes SQLite roll back the whole transaction; then this raises as well.
            database.execute_sql("ROLLBACK TO one_call")
            outcome = (None, error)
        database.execute_sql("RELEASE one_call")
        self.outcomes.append(outcome)

    def keep(self) -> None:
        """Note that what ran is committed."""
        self.kept = len(self.outcomes)

    def give_up(self) -> None:
        """Answer Busy for every call that is not committed: none of them was carried out."""
        self.outcomes[self.kept :] = [(None, Busy())] * (len(self.calls) - self.kept)

    def tell(self) -> None:
        """Hand over the outcomes; who waits for them may be gone."""
        try:
            self.done(self.outcomes)
        except Exception:
            log.exception("the outcomes of a write could not be handed over")


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
        self._thread = threading.Thread(target=self._work, name="writer", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish what was submitted, then end."""
        with self._news:
            self._stopping = True
            self._news.notify()
        self._thread.join()

    def submit(self, calls: Sequence[Call], done: Callable[[list[Outcome]], None]) -> None:
        """Run the calls in order; `done` gets an outcome for each, in the writer's thread.

        Busy, and nothing is run, once the writer was told to stop.
        """
        with self._news:
            if self._stopping:
                raise Busy
            self._jobs.append(_Job(calls, done))
            self._news.notify()

    def _work(self) -> None:
        while self._has_work():
            self._run_group()
        if not database.is_closed():
            database.close()

    def _has_work(self) -> bool:
        """Wait for jobs; False when told to stop and none is left."""
        with self._news:
            self._news.wait_for(lambda: bool(self._jobs) or self._stopping)
        return bool(self._jobs)

    def _run_group(self) -> None:
        """Run turns for a while and commit them; jobs that are not finished wait for the next group."""
        group: dict[_Job, None] = {}  # ordered, each once
        try:
            self._run_turns(group)
        except BaseException:  # whatever it was, the next group may fare better
            log.exception("a group of writes was rolled back")
            while self._jobs:
                group[self._jobs.popleft()] = None
            for job in group:
                job.give_up()
        else:
            for job in group:
                job.keep()
        for job in group:
            if job.finished:
                job.tell()

    def _run_turns(self, group: dict[_Job, None]) -> None:
        database.connect(reuse_if_open=True)
        with database.atomic("IMMEDIATE"):
            until = time.monotonic() + self.GROUP_SECONDS
            while self._jobs and time.monotonic() < until:
                job = self._jobs.popleft()
                group[job] = None
                turn_until = time.monotonic() + self.TURN_SECONDS
                while not job.finished and time.monotonic() < turn_until:
                    job.run_next()
                if not job.finished:
                    self._jobs.append(job)
