"""Copies of the database that show any damage, and the way back from one.

A copy is a gzip file of one moment's database, so `gunzip` alone gets at the data; between two empty
gzip members whose comments say that it is ours and what the SHA-256 of all before is. gzip's own sum
leaves out its headers and has 32 bits; by the seal any bit that changed and any end that is missing
is found.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import apsw

from models import migrations
from models.database import database, path_of
from models.files import check_ours

PIECE = 1024 * 1024  # bytes
SYNC_AFTER = 8 * PIECE  # written; less at once keeps the fsyncs of a server beside short
BUSY_MILLISECONDS = 60_000
LEVEL = 1  # of compression: 3 times smaller; 6 takes three times as long for a tenth less


class BackupRefused(Exception):
    """A backup cannot be made, or a file cannot be restored; says why and what to do."""


def _member(comment: str) -> bytes:
    """A gzip member with nothing in it but a comment."""
    return b"\x1f\x8b\x08\x10\0\0\0\0\0\xff" + comment.encode() + b"\0\x03\0" + bytes(8)


HEAD = _member("core-rpc backup 1")


def _seal(digest: str) -> bytes:
    return _member(f"sha256 {digest}")


SEAL_SIZE = len(_seal("0" * 64))


def backup(path: Path, *, replace: bool = False) -> int:
    """Copy the connected database, as it is at one moment, to a new file; returns its bytes.

    Others go on reading and writing. The file is there when it is whole, on disk, and was read again.
    BackupRefused: the file is there and is not to be replaced; the database is damaged.
    """
    _check_free(path, replace=replace)
    if path.exists() and path.samefile(database.database):
        raise BackupRefused(f"{path} is the database itself")
    _check_replaceable(path)
    with _making(path) as folder:
        copy, packed = folder / "copy.db", folder / "copy.gz"
        _copy(copy)
        _pack(copy, packed)
        copy.unlink()
        _unpack(packed)
        _check_free(path, replace=replace)
        _put(packed, path)
    return path.stat().st_size


def restore(path: Path, url: str, *, replace: bool = False) -> list[str]:
    """Make the database at a URL what the file holds; returns the migrations that it has yet to see.

    It is all there or nothing is changed. BackupRefused: the file is damaged or none of ours; there is
    a database and it is not to be replaced, or somebody has it open. WrongVersion: it is newer than
    this program.
    """
    target = path_of(url)
    _check_free(target, replace=replace)
    if target.exists():
        check_ours(target)
    with _making(target) as folder:
        copy = folder / "copy.db"
        _unpack(path, copy)
        pending = _pending(copy)
        _check_free(target, replace=replace)
        if target.exists():
            _overwrite(target, copy)
        else:
            _check_nothing_is_left_of(target)
            _put(copy, target)
    return pending


# The copy


def _copy(copy: Path) -> None:
    """Copy the connected database to a file.

    By VACUUM INTO, which reads one snapshot as the backup API does in one step (in more, every write
    of another begins it anew), and takes up to twice as long, but leaves out what is deleted: what
    was once known of erased users is still in the free parts of pages.
    """
    _new(copy).close()  # it must be empty or not be there; so it is the owner's alone
    try:
        # The settings of the connection are those of the copy, which need not last. Never on the
        # program's own: it checkpoints when it is closed.
        with contextlib.closing(apsw.Connection(database.database)) as source:
            database.check_in_place()
            source.set_busy_timeout(BUSY_MILLISECONDS)
            source.pragma("synchronous", "off")
            source.execute("VACUUM INTO ?", (str(copy),))
            database.check_in_place()
        with _readable(copy) as made:
            problems = [row[0] for row in made.execute("PRAGMA integrity_check(1)")]
    except apsw.Error as error:
        raise BackupRefused(f"the database cannot be copied: {error}") from None
    if problems != ["ok"]:
        found = " ".join(problems[0].split())
        raise BackupRefused(f"the database is damaged, no backup is made of it: {found}")
    _pending(copy)


def _pending(copy: Path) -> list[str]:
    """The migrations that a copy has yet to see; WrongVersion: it has one that this program does not."""
    with _readable(copy) as file:
        return migrations.pending(migrations.applied_in(file))


def _readable(copy: Path) -> contextlib.closing[apsw.Connection]:
    return contextlib.closing(apsw.Connection(str(copy), apsw.SQLITE_OPEN_READONLY))


# The file


def _pack(copy: Path, packed: Path) -> None:
    """Write the file of a copy."""
    digest = hashlib.sha256()
    packer = zlib.compressobj(LEVEL, wbits=31)  # a gzip member
    with copy.open("rb") as source, _new(packed) as target:
        unsynced = 0

        def write(piece: bytes) -> None:
            nonlocal unsynced
            digest.update(piece)
            target.write(piece)
            unsynced += len(piece)
            if unsynced > SYNC_AFTER:
                target.flush()
                os.fdatasync(target.fileno())
                unsynced = 0

        write(HEAD)
        for piece in _pieces(source):
            write(packer.compress(piece))
        write(packer.flush())
        target.write(_seal(digest.hexdigest()))
        _make_lasting(target)
        # So that it is read again from the disk, and not from what was meant to be there.
        os.posix_fadvise(target.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _unpack(packed: Path, copy: Path | None = None) -> None:
    """Read a file whole, and write the database in it if wanted. BackupRefused: it is damaged."""
    with packed.open("rb") as source:
        size = os.fstat(source.fileno()).st_size - SEAL_SIZE
        if source.read(len(HEAD)) != HEAD:
            raise BackupRefused(f"{packed} is no backup of core-rpc, or its beginning is damaged")
        digest = hashlib.sha256(HEAD)
        for piece in _pieces(source, size - len(HEAD)):
            digest.update(piece)
        if source.read() != _seal(digest.hexdigest()):
            raise BackupRefused(f"{packed} is damaged or cut short: it is not what was written")
        source.seek(len(HEAD))
        unpacker = zlib.decompressobj(wbits=31)
        with _new(copy) if copy else contextlib.nullcontext() as target:
            for piece in _pieces(source, size - len(HEAD)):
                content = unpacker.decompress(piece)
                if target:
                    target.write(content)
            if not unpacker.eof or unpacker.unused_data:
                raise BackupRefused(f"{packed} was not written as it should have been")
            if target:
                _make_lasting(target)


def _pieces(source: BinaryIO, size: int | None = None) -> Iterator[bytes]:
    """What is to be read, or so many bytes of it, in pieces."""
    left = size
    while piece := source.read(PIECE if left is None else max(0, min(PIECE, left))):
        if left is not None:
            left -= len(piece)
        yield piece


# Where it goes


def _check_free(path: Path, *, replace: bool) -> None:
    if path.exists() and not replace:
        raise BackupRefused(f"{path} is there already; --replace replaces it")


def _check_replaceable(path: Path) -> None:
    """Refuse to replace what is neither an earlier backup nor an empty file."""
    if not path.exists():
        return
    if not path.is_file():
        raise BackupRefused(f"{path} is no file; it is left as it is")
    with path.open("rb") as file:
        if file.read(len(HEAD)) not in (b"", HEAD):
            raise BackupRefused(f"{path} is no backup of core-rpc; it is left as it is")


@contextlib.contextmanager
def _making(path: Path) -> Iterator[Path]:
    """A folder of the owner's alone beside a file that is to be made; what a killed run left in it goes."""
    folder = path.with_name(f".{path.name}.part")
    folder.mkdir(0o700, exist_ok=True)
    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        try:
            fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BackupRefused(f"{path} is being made by another command") from None
        os.fchmod(place, 0o700)
        for left in folder.iterdir():
            left.unlink()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)
    finally:
        os.close(place)


def _new(path: Path) -> BinaryIO:
    """A new file that only the owner may read."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _make_lasting(file: BinaryIO) -> None:
    """Have what was written to a file on the disk."""
    file.flush()
    os.fsync(file.fileno())


def _put(made: Path, path: Path) -> None:
    """Give a finished file its name, for good."""
    made.replace(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _check_nothing_is_left_of(target: Path) -> None:
    """Refuse where SQLite would take what another database left for a part of this one."""
    for suffix in ("-wal", "-shm", "-journal"):
        left = target.with_name(target.name + suffix)
        if left.exists():
            raise BackupRefused(f"{left} is left of a database that is gone; move it away first")


def _overwrite(target: Path, copy: Path) -> None:
    """Make the database that is there what the copy is, in one transaction of SQLite.

    Renaming would leave whoever opens it in that moment with a file that is gone.
    """
    try:
        with contextlib.closing(apsw.Connection(str(target), apsw.SQLITE_OPEN_READWRITE)) as there:
            there.pragma("locking_mode", "exclusive")
            there.pragma("journal_mode", "delete")  # refused while anybody else has it open
            with _readable(copy) as source, there.backup("main", source, "main") as whole:
                whole.step()
    except apsw.BusyError:
        raise BackupRefused(f"{target} is in use: stop the server and all commands first") from None
    except (apsw.NotADBError, apsw.CorruptError) as error:
        raise BackupRefused(f"{target} is damaged ({error}); move it away first") from None
    except apsw.Error as error:
        raise BackupRefused(f"{target} cannot be replaced: {error}") from None
