"""Files that hold people's data: made for the eyes of their owner, and what lets others at them."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
import urllib.parse
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO

import apsw

OWNER_ONLY = 0o600
HISTORY = "schema_migration"  # the table of what was migrated, which comes first
OUR_TABLES = {HISTORY, "membership"}  # by which a database of ours is known
READ_MILLISECONDS = 5_000  # for which a database that is locked is waited for
BESIDE = ("-wal", "-shm", "-journal")  # what SQLite keeps beside a database, with the same rights


class Gone(StrEnum):
    """Which file under a database's name is not the one that was opened."""

    DATABASE = "DATABASE_GONE"
    LOG = "LOG_GONE"  # the WAL, or its index in shared memory


class Opened:
    """The files of a database as they were when it was opened, to be compared with what its path names.

    What is written to a file that was deleted, moved away or replaced is lost, however well it is synced.
    """

    def __init__(self, database: Path) -> None:
        real = database.resolve()
        self._paths = str(database.absolute()), f"{real}-wal", f"{real}-shm"
        self._opened = self._now()

    def __str__(self) -> str:
        return self._paths[0]

    def note(self) -> None:
        """Take what is there now for what was opened."""
        self._opened = self._now()

    def gone(self) -> Gone | None:
        """The file that is not the one that was opened; None when all are."""
        now, opened = self._now(), self._opened
        if now == opened:
            return None
        return Gone.DATABASE if now[0] != opened[0] else Gone.LOG

    def lacks_only_the_log(self) -> bool:
        """Whether the WAL alone is not as it was opened, and nobody has written another in its place."""
        (database, _, index), opened = self._now(), self._opened
        if (database, index) != (opened[0], opened[2]):
            return False
        try:
            return os.stat(self._paths[1]).st_size == 0
        except FileNotFoundError:
            return True

    def _now(self) -> tuple[_Identity, ...]:
        return tuple([_identity(path) for path in self._paths])


_Identity = tuple[int, int] | None


def _identity(path: str) -> _Identity:
    """Device and inode of a file; None where there is no file."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


class NotOurs(Exception):
    """The path of a database names something else, which is left as it is."""


def check_ours(database: Path) -> None:
    """NotOurs: what is at the path is no database of this program, which would be spoilt as one.

    Through SQLite alone: a file that is opened and closed in another way loses the locks of all of this
    process's connections to it.
    """
    try:
        if not stat.S_ISREG(_mode(database)):
            raise NotOurs(f"{database} is no file; it is left as it is")
        found = _tables(database)
    except apsw.NotADBError:
        raise NotOurs(f"{database} is no database; move it away first") from None
    except apsw.Error as error:
        raise NotOurs(f"{database} cannot be read as a database: {error}") from None
    is_as_made = found <= {HISTORY} and not _mode(database) & (stat.S_IRWXG | stat.S_IRWXO)
    if not (found >= OUR_TABLES or is_as_made):
        raise NotOurs(f"{database} is not a database of core-rpc; it is left as it is")


def _tables(database: Path) -> set[str]:
    """The names of a database's tables; nothing of it is changed, and no file made beside it.

    For that the file is read alone. Where nothing is found so, what it holds may still be in a log.
    """
    real = database.resolve()
    has_log = real.with_name(f"{real.name}-wal").exists()
    with contextlib.suppress(*[apsw.Error] * has_log):
        if (found := _tables_by(real, "immutable=1")) or not has_log:
            return found
    return _tables_by(real, "mode=ro")


def _tables_by(real: Path, query: str) -> set[str]:
    name = f"file:{urllib.parse.quote(str(real))}?{query}"
    flags = apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI
    with contextlib.closing(apsw.Connection(name, flags)) as connection:
        connection.set_busy_timeout(READ_MILLISECONDS)
        return {
            table for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        }


def make_private(database: Path) -> None:
    """Make a database file if there is none; one that anybody could read is its owner's alone again.

    What only the group may, somebody has chosen; it stays. NotOurs: there is something else.
    """
    try:
        os.close(os.open(database.resolve(), os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_ONLY))
    except FileExistsError:
        check_ours(database)
    for path in _open_to_all(database):
        os.chmod(path, OWNER_ONLY)


def remedies(database: Path) -> list[str]:
    """The commands after which nobody but the owner, and perhaps the group, reads or writes a database.

    Who may write its folder can put another file, or another log, in the place of ours: the sticky bit
    does not keep them from a log that is not there yet.
    """
    found = [f"chmod 600 {path}" for path in _open_to_all(database)]
    folders = dict.fromkeys((database.absolute().parent, database.resolve().parent))
    return found + [f"chmod o-w {path}" for path in folders if _mode(path) & stat.S_IWOTH]


def _open_to_all(database: Path) -> list[Path]:
    real = database.resolve()
    paths = [real, *(real.with_name(real.name + ending) for ending in BESIDE)]
    return [path for path in paths if path.exists() and _mode(path) & stat.S_IRWXO]


def _mode(path: Path) -> int:
    return path.stat().st_mode


def private(path: str, flags: int) -> int:
    """An opener, for `open`, of a file that is the owner's alone if it is made now."""
    return os.open(path, flags, OWNER_ONLY)


@contextlib.contextmanager
def written(path: Path) -> Iterator[IO[bytes]]:
    """A new file for the owner alone, which takes its place when it is whole.

    Until then it has a name that nobody can guess: in a folder that others can write, a link put
    under a known name would have us write wherever it points.
    """
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with open(number, "w+b") as file:
            yield file
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
