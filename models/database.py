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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Self
from uuid import UUID

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

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
    "wal_autocheckpoint": 4_000,  # pages: ids are spread, so pages are written again and again between two
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


class _Converted(peewee.Field):
    """A column whose values differ from what is stored for them; null is null both ways."""

    store: Callable[[Any], Any]  # what is stored of a value
    load: Callable[[Any], Any]  # the value of what is stored

    def db_value(self, value: Any) -> Any:
        return None if value is None else self.store(value)

    def python_value(self, value: Any) -> Any:
        return None if value is None else self.load(value)


class IdField(_Converted):
    """A UUID kept as the text that goes over the wire: lower case, with dashes."""

    field_type = "UUID"
    store = staticmethod(str)
    load = staticmethod(TextUUID)


@functools.lru_cache(maxsize=64)  # a call writes its one instant into several columns
def _instant_text(value: datetime | str) -> str:
    if isinstance(value, str):
        return value
    # Not strftime, whose %Y has fewer than four digits for early years.
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


class InstantField(_Converted):
    """A UTC instant kept as wire text with three fraction digits, so text order is time order."""

    field_type = "TEXT"
    store = staticmethod(_instant_text)
    load = staticmethod(datetime.fromisoformat)


class DayField(_Converted):
    """A calendar day kept as YYYY-MM-DD."""

    field_type = "TEXT"
    store = staticmethod(str)
    load = staticmethod(date.fromisoformat)


class ChoiceField(_Converted):
    """One value of a StrEnum, kept as its text."""

    field_type = "TEXT"

    def __init__(self, choices: type[StrEnum], **options: Any) -> None:
        super().__init__(**options)
        # Either way the member, which is a text; anything else is refused.
        self.store = self.load = {choice.value: choice for choice in choices}.__getitem__


def run(sql: str, values: Sequence[Any] = ()) -> apsw.Cursor:
    """Run a compiled statement on this thread's connection."""
    try:
        return database.cursor().execute(sql, values)
    except apsw.Error:
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            raise


def run_for_each(sql: str, rows: Sequence[Sequence[Any]]) -> None:
    """Run a compiled statement with each of some rows of values."""
    try:
        database.cursor().executemany(sql, rows)
    except apsw.Error:
        with peewee.__exception_wrapper__:  # type: ignore[attr-defined]
            raise


class BaseModel(peewee.Model):
    """A row with an id of ours. Rows are written by the verbs here, which note them for the audit."""

    id = IdField(primary_key=True, default=new_id)

    KEPT: ClassVar[bool] = False  # whether the writer remembers rows: of models that are seldom written

    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def find(cls, **values: Any) -> Self | None:
        """The row that has these values; its statement is compiled once."""
        sql, columns = _find(cls, tuple(values))
        found = run(sql, _stored(values, columns)).fetchone()
        return None if found is None else cls._made_of(found)

    @classmethod
    def exists(cls, row_id: UUID) -> bool:
        """Whether there is a row with this id."""
        return run(_exists(cls), (str(row_id),)).fetchone() is not None

    @classmethod
    def with_id(cls, row_id: UUID) -> Self | None:
        """The row with this id, from the writer's memory if it is kept there."""
        if not cls.KEPT:
            return cls.find(id=row_id)
        return _memory.recall((cls, str(row_id)), lambda: cls.find(id=row_id))

    @classmethod
    def new(cls, **values: Any) -> Self:
        """A new row with the usual values for what is not given; not yet stored.

        Peewee's own way, which also takes rows for ids, takes five times as long.
        """
        names, usual = _new(cls)
        row = cls(__no_default__=1)
        row.__data__ = data = {names[name]: value for name, value in values.items()}
        for name, make in usual:
            if name not in data:
                data[name] = make()
        return row

    @classmethod
    def _made_of(cls, values: Sequence[Any]) -> Self:
        names, conversions = _read(cls)
        row = cls(__no_default__=1)
        row.__data__ = data = dict(zip(names, values, strict=True))
        for name, read in conversions:
            if data[name] is not None:
                data[name] = read(data[name])
        return row

    @classmethod
    def insert_rows(cls, rows: Sequence[BaseModel]) -> None:
        """Insert many new rows by one prepared statement."""
        cls._write(*_insert(cls), [row.__data__ for row in rows])

    @classmethod
    def append(cls, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert new rows that are never looked at here: their values by the names of the columns."""
        cls._write(*_insert(cls), rows)

    @classmethod
    def update_rows(cls, rows: Sequence[BaseModel], *names: str) -> None:
        """Store the columns of these names of many rows by one prepared statement."""
        cls._write(*_update(cls, names), [row.__data__ for row in rows])

    @classmethod
    def _write(cls, sql: str, columns: _Columns, rows: Sequence[Mapping[str, Any]]) -> None:
        if not rows:
            return
        actor.touch([row["id"] for row in rows])
        if cls.KEPT:
            _memory.forget()
        run_for_each(sql, [_stored(row, columns) for row in rows])

    @classmethod
    def add(cls, **values: Any) -> Any:
        """Make and store one new row."""
        row = cls.new(**values)
        cls.insert_rows([row])
        return row

    def change(self, **values: Any) -> bool:
        """Store the values that differ; False, and nothing written, when none does."""
        changed = {name: value for name, value in values.items() if getattr(self, name) != value}
        if not changed:
            return False
        for name, value in changed.items():
            setattr(self, name, value)
        if "updated_at" in self._meta.fields:
            changed["updated_at"] = self.updated_at = clock.now()
        self.update_rows([self], *changed)
        return True


# Peewee takes 0.4 ms to build a statement that runs in 0.02 ms, and converts each value even where
# what is stored is what is meant; so what can be worked out for a model is worked out once.

_Convert = Callable[[Any], Any]
_Columns = list[tuple[str, _Convert | None]]  # name, and what makes what is stored of a value


def _conversion(column: peewee.Field, way: str) -> _Convert | None:
    """What makes what is stored of a column's values (`db_value`), or values of that (`python_value`).

    None where they are the same. A foreign key's values are those of the column that it names.
    """
    target = column.rel_field if isinstance(column, peewee.ForeignKeyField) else column
    if isinstance(target, _Converted):
        return target.store if way == "db_value" else target.load
    return None if type(target) in (peewee.TextField, peewee.IntegerField) else getattr(target, way)


def _columns(columns: Iterable[peewee.Field]) -> _Columns:
    return [(column.name, _conversion(column, "db_value")) for column in columns]


def _stored(values: Mapping[str, Any], columns: _Columns) -> list[Any]:
    """Values as they are stored, in the order of the columns."""
    return [
        value if (value := values.get(name)) is None or convert is None else convert(value)
        for name, convert in columns
    ]


@functools.cache
def _read(model: type[BaseModel]) -> tuple[list[str], list[tuple[str, _Convert]]]:
    """The names of all columns, in their order, and what makes values of what is stored."""
    columns = model._meta.sorted_fields
    conversions = [(column.name, _conversion(column, "python_value")) for column in columns]
    return [column.name for column in columns], [(name, read) for name, read in conversions if read]


@functools.cache
def _new(model: type[BaseModel]) -> tuple[dict[str, str], list[tuple[str, Callable[[], Any]]]]:
    """The columns by the names that they may be given by, and what makes the usual values."""
    names = {name: column.name for name, column in model._meta.combined.items()}
    usual = [
        (column.name, default if callable(default) else functools.partial(_same, default))
        for column, default in model._meta.defaults.items()
    ]
    return names, usual


def _same(value: Any) -> Any:
    return value


@functools.cache
def _find(model: type[BaseModel], names: tuple[str, ...]) -> tuple[str, _Columns]:
    """The select of all columns, in their order, of the row with values in some columns."""
    columns = [model._meta.combined[name] for name in names]
    tests = [column == peewee.SQL("?") for column in columns]
    sql, _ = model.select(*model._meta.sorted_fields).where(*tests).sql()
    return sql, [(name, convert) for name, (_, convert) in zip(names, _columns(columns), strict=True)]


@functools.cache
def _exists(model: type[BaseModel]) -> str:
    """The select of the id of the row with an id."""
    sql, _ = model.select(model.id).where(model.id == peewee.SQL("?")).sql()
    return sql


@functools.cache
def _insert(model: type[BaseModel]) -> tuple[str, _Columns]:
    """The insert of one row, all columns in their order."""
    sql, _ = model.insert(dict.fromkeys(model._meta.sorted_fields, peewee.SQL("?"))).sql()
    return sql, _columns(model._meta.sorted_fields)


@functools.cache
def _update(model: type[BaseModel], names: tuple[str, ...]) -> tuple[str, _Columns]:
    """The update of some columns of the row with an id."""
    named = {model._meta.combined[name].name for name in names}
    columns = [column for column in model._meta.sorted_fields if column.name in named]
    sql, _ = model.update(dict.fromkeys(columns, peewee.SQL("?"))).where(model.id == peewee.SQL("?")).sql()
    return sql, _columns([*columns, model.id])


class _Memory(threading.local):
    """What the writer remembers of models that are read by id in most writes and seldom change.

    It holds for as long as nobody else commits, nothing of these models is written, and nothing is
    rolled back. In other threads nothing is remembered.
    """

    things: dict[Any, Any] | None = None
    version: Any = None

    def recall(self, key: Any, make: Callable[[], Any]) -> Any:
        """What there is under a key, made and remembered if there is nothing."""
        if self.things is None:
            return make()
        found = self.things.get(key)
        if found is None:
            found = self.things[key] = make()
        return found

    def check(self) -> None:
        """Begin to remember, or go on if no other connection has committed; ask inside a transaction."""
        version = database.pragma("data_version")
        if self.things is None or version != self.version:
            self.things, self.version = {}, version

    def forget(self) -> None:
        """Remember nothing of what was."""
        if self.things:
            self.things.clear()


_memory = _Memory()


def made_of(row: BaseModel, use: Any, make: Callable[[Any], Any]) -> Any:
    """What is made of a row for some use; remembered for as long as the row itself is."""
    things = _memory.things
    if not row.KEPT or things is None or things.get((type(row), str(row.id))) is not row:
        return make(row)
    return _memory.recall((use, row.id), lambda: make(row))


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
        run("SAVEPOINT one_call")
        try:
            outcome: Outcome = (self.calls[len(self.outcomes)](), None)
        except Exception as error:
            _memory.forget()
            # A full disk makes SQLite roll back the whole transaction; then this raises as well.
            run("ROLLBACK TO one_call")
            outcome = (None, error)
        run("RELEASE one_call")
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
            _memory.forget()
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
            _memory.check()
            until = time.monotonic() + self.GROUP_SECONDS
            while self._jobs and time.monotonic() < until:
                job = self._jobs.popleft()
                group[job] = None
                turn_until = time.monotonic() + self.TURN_SECONDS
                while not job.finished and time.monotonic() < turn_until:
                    job.run_next()
                if not job.finished:
                    self._jobs.append(job)
