"""A disk that loses power, fills up, turns read-only, or fails to sync; disk.c stands before a server's.

The server runs on its real files. Before each change of them disk.c notes what is about to be replaced,
and where each sync begins and ends. A power cut is then made from the files of a killed server: of what
came after the last sync of a file, any part may be missing, sector by sector.
"""

from __future__ import annotations

import os
import random
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import BinaryIO

SOURCE = Path(__file__).with_name("disk.c")
SECTOR = 512  # bytes that a disk writes whole or not at all


class State(IntEnum):
    """What the disk does, as in disk.c."""

    WELL = 0
    FULL = 1  # files do not grow, ENOSPC; what has its place may be written again
    NO_ROOM = 2  # nothing can be written, ENOSPC, as where each write takes a new place
    READ_ONLY = 3  # nothing can be written nor opened to be written, EROFS
    UNSYNCED = 4  # what is written cannot be synced, EIO


class Incomplete(Exception):
    """The notes do not tell all that became of the files, so no power cut can be made from them."""


@dataclass(frozen=True)
class Note:
    """One note of disk.c."""

    kind: str
    inode: int
    offset: int
    length: int
    size: int
    follows: bytes

    @property
    def is_change(self) -> bool:
        return self.kind in "WT"

    @property
    def is_of_name(self) -> bool:
        return self.kind in "MR"

    @property
    def path(self) -> Path:
        return Path(os.fsdecode(self.follows))

    @property
    def size_after(self) -> int:
        return self.offset if self.kind == "T" else max(self.size, self.offset + self.length)

    @property
    def end(self) -> int:
        """Where the part that was changed ends."""
        return self.size if self.kind == "T" else self.offset + self.length


# As in disk.c.
_HEAD = struct.Struct("=c7x Qqqqq")
_TOLD = struct.Struct("=qq")


def build(folder: Path) -> Path:
    """Compile disk.c into a folder."""
    library = folder / "disk.so"
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise RuntimeError("the power cuts need a C compiler: apt-get install gcc libc6-dev")
    options = ["-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([compiler, *options, "-o", library, SOURCE, "-ldl", "-pthread"], check=True)
    return library


@dataclass(frozen=True)
class Cut:
    """What a power cut took: how much was written since the start, and how much of it was not synced."""

    writes: int
    syncs: int
    at_risk: int  # sectors that were not synced
    lost: int  # of these, those of which not all that was written is there
    names: int  # files made or removed of which nothing is left


class Disk:
    """The disk that a database's files are on, for one server after another."""

    def __init__(self, library: Path, database: Path) -> None:
        self._library, self._database = library, database
        self._folder = database.parent / "disk"
        self._folder.mkdir(exist_ok=True)
        self._notes, self._told = self._folder / "notes", self._folder / "told"
        self._tell(State.WELL, 0)

    @property
    def environment(self) -> dict[str, str]:
        """What a process that is to use this disk needs in its environment."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAULTS_FILES": str(self._database),
            "FAULTS_NOTES": str(self._notes),
            "FAULTS_TOLD": str(self._told),
        }

    def turn(self, state: State) -> None:
        """Bring the disk into a state, at once, for whoever uses it."""
        self._tell(state, 0)

    def cut_after(self, changes: int) -> None:
        """Kill whoever uses the disk at so many writes and syncs from now: most moments are between them."""
        self._tell(State.WELL, changes)

    def _tell(self, state: State, cut_after: int) -> None:
        with self._told.open("r+b" if self._told.exists() else "wb") as file:
            file.write(_TOLD.pack(state, cut_after))

    def begin(self) -> None:
        """Take all that is on the disk for durable; nothing may be using it."""
        self._tell(State.WELL, 0)
        for path in self._folder.glob("notes*"):
            path.unlink()
        self._before = self._contents()
        self._inodes = {path: path.stat().st_ino for path in self._before}

    def cut(self, chance: random.Random, keep: float | None = None) -> Cut:
        """Cut the power of a disk whose server was killed: what was not synced is there or not.

        `keep` is the chance of each sector to be there as it was written last; unless it is given,
        each file has its own. Incomplete: not everything that was done to the files was noted.
        """
        notes = list(self._read())
        self._check(notes)
        names = self._undo_names(notes, chance)
        at_risk = lost = 0
        for inode, path in self._paths().items():
            pending = pending_of(notes, inode)
            share = chance.choice((0.0, 0.5, 0.9, chance.random())) if keep is None else keep
            with path.open("r+b") as file:
                sectors = _undo(pending, file, chance, share)
            at_risk += len(sectors)
            lost += sum(sectors.values())
        self._scribble(chance)
        kinds = [note.kind for note in notes]
        return Cut(kinds.count("W"), kinds.count("S"), at_risk, lost, names)

    def _read(self) -> Iterator[Note]:
        """The notes; the last may be cut short, and what it is about was then not done."""
        if not self._notes.exists():  # the server was killed before it began
            return
        notes = self._notes.read_bytes()
        at = 0
        while at + _HEAD.size <= len(notes):
            kind, inode, offset, length, size, follow = _HEAD.unpack_from(notes, at)
            at += _HEAD.size
            if at + follow > len(notes):
                return
            yield Note(kind.decode(), inode, offset, length, size, notes[at : at + follow])
            at += follow

    def _check(self, notes: list[Note]) -> None:
        """Incomplete, unless taking back all that was noted gives the files as they were at the start."""
        for note in notes:
            if note.kind == "X":
                raise Incomplete(note.follows.decode())
        contents = {inode: bytearray(path.read_bytes()) for inode, path in self._paths().items()}
        for note in reversed(notes):
            if note.is_change:
                content = contents[note.inode]
                content[note.offset : note.end] = note.follows
                content += bytes(max(0, note.size - len(content)))
                del content[note.size :]
        names = {path: path.stat().st_ino for path in self._contents()}
        for note in reversed(notes):
            if note.kind == "M":
                names.pop(note.path, None)
            elif note.kind == "R":
                names[note.path] = note.inode
        if names != self._inodes:
            raise Incomplete("files were made or removed without a note")
        if {path: bytes(contents[inode]) for path, inode in names.items()} != self._before:
            raise Incomplete("files were written without a note")

    def _contents(self) -> dict[Path, bytes]:
        """The files that are watched, but for the shared memory, and what is in them."""
        found = self._database.parent.glob(self._database.name + "*")
        return {path: path.read_bytes() for path in found if not path.name.endswith("-shm")}

    def _paths(self) -> dict[int, Path]:
        """Where each file is by its inode: under its name, or kept after it was removed."""
        kept = {int(path.suffix[1:]): path for path in self._folder.glob("notes.*")}
        return kept | {path.stat().st_ino: path for path in self._contents()}

    def _undo_names(self, notes: list[Note], chance: random.Random) -> int:
        """Take back some of the last files made and removed whose directory was not synced since."""
        directory = self._database.parent.stat().st_ino
        pending = [note for note in notes[durable(notes, directory) :] if note.is_of_name]
        undone = pending[chance.randint(0, len(pending)) :]
        for note in reversed(undone):
            if note.kind == "M":
                note.path.unlink(missing_ok=True)  # killed before it was made
            elif not note.path.exists():  # else killed before it was removed
                os.link(self._folder / f"notes.{note.inode}", note.path)
        return len(undone)

    def _scribble(self, chance: random.Random) -> None:
        """Leave anything in the shared memory, which nobody syncs."""
        shared = self._database.with_name(self._database.name + "-shm")
        if shared.exists():
            match chance.randrange(3):
                case 0:
                    shared.unlink()
                case 1:
                    shared.write_bytes(chance.randbytes(shared.stat().st_size))


def durable(notes: list[Note], inode: int) -> int:
    """How many of the notes tell of what is durable: what came before the last completed sync began."""
    begun: dict[int, int] = {}
    until = 0
    for position, note in enumerate(notes):
        if note.inode == inode and note.kind == "B":
            begun[note.offset] = position
        elif note.inode == inode and note.kind == "S":
            until = max(until, begun[note.offset])
    return until


def pending_of(notes: list[Note], inode: int) -> list[Note]:
    """The changes of a file that are not durable."""
    return [note for note in notes[durable(notes, inode) :] if note.inode == inode and note.is_change]


def _undo(pending: list[Note], file: BinaryIO, chance: random.Random, keep: float) -> dict[int, bool]:
    """Take back any part of the changes of a file; the sectors they are in, and whether each lost some.

    A sector is as any of its changes left it, or as it was before them; the file has any size that it
    had meanwhile.
    """
    changes: dict[int, list[int]] = {}  # the positions in `pending` of the changes of each sector
    for position, note in enumerate(pending):
        for sector in range(note.offset // SECTOR, -(-note.end // SECTOR)):
            changes.setdefault(sector, []).append(position)
    first_undone = {
        sector: len(pending) if chance.random() < keep else chance.choice(positions)
        for sector, positions in changes.items()
    }
    for position in range(len(pending) - 1, -1, -1):
        note = pending[position]
        for sector in range(note.offset // SECTOR, -(-note.end // SECTOR)):
            if position >= first_undone[sector]:
                start = max(note.offset, sector * SECTOR)
                end = min(note.end, (sector + 1) * SECTOR)
                old = note.follows[start - note.offset : end - note.offset]
                file.seek(start)
                file.write(old + bytes(end - start - len(old)))
    if pending:
        sizes = [pending[0].size, *(note.size_after for note in pending)]
        file.truncate(sizes[-1] if chance.random() < keep else chance.choice(sizes))
    return {sector: first < len(pending) for sector, first in first_undone.items()}
