"""Connections to the database, and compiled statements run on them.

SQLite through APSW: it brings a SQLite without the WAL bug that versions before 3.51.3 have (two
connections that write and checkpoint at once could corrupt the file), which the interpreter's own
often is not.
"""

from __future__ import annotations

import contextlib
import ctypes
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import peewee
from playhouse.apsw_ext import APSWDatabase

from models.errors import Displaced
from models.files import Gone, Opened

SQLITE_AT_LEAST = (3, 51, 3)

# Said on every connection: FULL, because with NORMAL a power cut takes acknowledged writes with it.
PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": "full",
    "foreign_keys": "on",
    "secure_delete": "on",  # what is blanked is overwritten: of 20,000 names, 1,170 were left otherwise
    "temp_store": "memory",
    "cache_size": -32_000,  # KiB
}

BUSY_SECONDS = 5.0
BUSY_LOOK_SECONDS = 0.001  # how often a waiting connection looks whether the lock is free
STEPS_AT_ONCE = 1_000_000  # of SQLite's virtual machine, some 20 ms, after which a read looks whether to end


class Unsure(peewee.DatabaseError):
    """The outcome of a commit is unknown: it failed with all of it in the log, so a crash before the next
    commit that succeeds may bring it back; or its files were taken away meanwhile."""


class _Database(APSWDatabase):
    """SQLite whose connections look often whether a lock is free, tell which commits are undone, and
    write only to the files that the path names.

    SQLite's own waiting sleeps up to 100 ms between looks, and so misses the short gaps that a writer
    who writes on and on leaves: beside an import, a server's write waited up to 2.6 s, this way 0.1 s.

    The first connection settles which files these are, for as long as any is open. SQLite does not
    notice when another file is put under the name of one of them: a later connection would bring the
    log of the one database into the other.
    """

    def init(self, database: Any, **options: Any) -> None:
        super().init(database, **options)
        if database is not None:
            self._opened = Opened(Path(database))
        self._open: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()  # on these files

    def check_in_place(self) -> None:
        """Displaced, unless the path names the files that are open."""
        if gone := self._opened.gone():
            raise Displaced(gone, self._opened)

    def is_stale(self, connection: apsw.Connection) -> bool:
        """The connection reads a WAL that `give_up_log` has given up."""
        return connection not in self._open

    def _connect(self) -> apsw.Connection:
        if self._open:
            self.check_in_place()
        connection = super()._connect()
        connection.set_busy_handler(_patience(self._timeout))
        connection.create_scalar_function("CASEFOLD", _casefold, 1, deterministic=True)
        connection.pragma("schema_version")  # a first look, for which the log is opened
        if self._open:
            self.check_in_place()
        else:
            self._opened.note()
        self._open.add(connection)
        return connection

    def _add_conn_hooks(self, connection: apsw.Connection) -> None:
        """Settings; the first of them opens the log, so the file is looked at before."""
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        if self._open and (self._opened.gone() or _has_moved(connection)):
            raise Displaced(Gone.DATABASE, self._opened)
        super()._add_conn_hooks(connection)

    def _close(self, connection: apsw.Connection) -> None:
        """Close a connection. The last one brings the log into the file if both are in place; from a log
        that was deleted, whichever can."""
        if self._opened.gone() is None:
            connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        elif not self.is_stale(connection) and self._opened.lacks_only_the_log():
            with contextlib.suppress(apsw.Error):
                connection.wal_checkpoint()
        self._open.discard(connection)
        super()._close(connection)

    def commit(self) -> bool:
        """Commit. Displaced: the files are gone, and nothing is committed. Unsure: the commit failed when
        the log was written already, in syncing it or after that; or the files went meanwhile.

        An acknowledgement rests on the look after the commit: what was written is in the files that the
        path names. The look before it leaves nothing to be undone when they are gone, as they mostly are
        for longer than a commit takes.
        """
        if self.connection().txn_state() != apsw.SQLITE_TXN_WRITE:
            return super().commit()
        self.check_in_place()
        try:
            done = super().commit()
        except Exception as error:
            cause = getattr(error, "orig", error)
            result = getattr(cause, "extendedresult", None)
            if isinstance(cause, _LATE) and result != apsw.SQLITE_IOERR_WRITE:
                raise Unsure(f"a commit that failed may come back: {cause!r}") from error
            raise
        try:
            self.check_in_place()
        except Displaced as error:
            raise Unsure(f"a commit went into files that are gone: {error}") from error
        return done

    def give_up_log(self) -> bool:
        """Checkpoint a deleted WAL, which only open connections still see, into the database file.

        This thread's connection is closed, and all others are stale. False: more than the WAL is missing,
        another process has written since, or a reader still holds a snapshot.
        """
        connection = self.connection()
        if self.is_stale(connection) or not self._opened.lacks_only_the_log():
            return False
        connection.set_busy_handler(None)
        try:
            connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)
        except apsw.Error:
            connection.set_busy_handler(_patience(self._timeout))
            return False
        self._open.clear()
        self.close()
        return True


def _has_moved(connection: apsw.Connection) -> bool:
    """Whether the file that a connection has open is another than its path names."""
    answer = ctypes.c_int()
    connection.file_control("main", apsw.SQLITE_FCNTL_HAS_MOVED, ctypes.addressof(answer))
    return bool(answer.value)


_LATE = (apsw.IOError, apsw.NoMemError)  # how a commit may fail once the log is written


def _casefold(text: str | None) -> str | None:
    """The form in which texts compare whatever their letter case; SQLite's own LOWER knows only ASCII."""
    return None if text is None else text.casefold()


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


database = _Database(None, autoconnect=False)


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


def sizes() -> tuple[int, int]:
    """The bytes of the database file and of its WAL; 0 for one that is not there."""
    files = Path(database.database), Path(f"{database.database}-wal")
    main, wal = (file.stat().st_size if file.exists() else 0 for file in files)
    return main, wal


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


def may_pass(error: BaseException) -> bool:
    """Whether the database refused for a reason that may be gone when a call is repeated."""
    return isinstance(getattr(error, "orig", error), _PASSING)


def was_cut_short(error: Exception) -> bool:
    """Whether a query was ended because its time was over."""
    return isinstance(getattr(error, "orig", error), apsw.InterruptError)


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


def connect_reader() -> bool:
    """Connect this thread, if it is not, so that it can read and not write; False when it was."""
    if not database.is_closed():
        if not database.is_stale(database.connection()):
            return False
        database.close()
    database.connect()
    database.execute_sql("PRAGMA query_only = 1")
    return True


def connect_writer() -> bool:
    """Connect this thread, if it is not, so that it can write; False when it was.

    What cannot be written now SQLite opens for reading alone, and such a connection could not write
    either once the disk is well again; so it is not kept.
    """
    if not database.is_closed():
        database.check_in_place()
        return False
    database.connect()
    if database.connection().readonly("main"):
        database.close()
        raise peewee.OperationalError(apsw.CantOpenError(), "the database cannot be written now")
    return True


def let_go_of_what_only_reads(error: BaseException) -> None:
    """Close this thread's connection if its writing failed because it can only read.

    The database file of such a one may be open for writing all the same, which `connect_writer` asks:
    SQLite takes over files that closed connections have left. Its log is not.
    """
    if isinstance(getattr(error, "orig", error), apsw.ReadOnlyError):
        database.close()


@contextmanager
def snapshot(is_over: Callable[[], bool]) -> Iterator[None]:
    """A transaction of a reader's thread, in which all queries see one state.

    A query that runs when `is_over` says so ends with an error that `was_cut_short` knows.
    """
    connect_reader()
    connection = database.connection()
    connection.set_progress_handler(is_over, STEPS_AT_ONCE)
    try:
        with database.atomic():
            yield
    finally:
        connection.set_progress_handler(None)


@contextmanager
def writing() -> Iterator[None]:
    """One durable transaction for commands that write beside a server; keep it short.

    BEGIN IMMEDIATE, because a transaction that reads first and writes later fails under load
    whatever the time-out.
    """
    with database.atomic("IMMEDIATE"):
        yield


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
