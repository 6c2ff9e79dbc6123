"""A directory or zip of CSV files as tables of rows. Knows CSV, and nothing of OneRoster's columns.

Members of a zip are read as streams, by name; nothing is ever unpacked. Nothing that a file contains
raises: what cannot be read is told to `refuse`, and the rest is read.
"""

from __future__ import annotations

import csv
import io
import lzma
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from models.errors import ModelError

FILE_AT_MOST = 2 * 2**30  # bytes, uncompressed
BOMB_FROM = 16 * 2**20  # bytes, uncompressed, from which it is looked how well a file was packed
PACKED_AT_MOST = 200  # times; rows that differ at all are packed to a tenth, or a thirtieth
LINE_AT_MOST = 2**20  # characters; longer is no roster, and would be read into memory whole
BLOCK = 2**20
READ_AGAIN_AT_MOST = 200_000  # lines; a file in which every row is broken is not worth more

# What a damaged, encrypted or strangely compressed member raises.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)

# Takes line, column, code word and message.
Refuse = Callable[[int, str | None, str, str], None]


class NotARoster(ModelError):
    """What was named is no directory or zip of OneRoster CSV files."""

    def __init__(self, message: str) -> None:
        super().__init__("NOT_A_ROSTER", message)


@dataclass(frozen=True)
class Stored:
    """A file that is there: how large it is, and how to open it."""

    size: int
    open: Callable[[], IO[bytes]]
    packed: int | None = None  # its bytes in a zip

    @property
    def is_too_large(self) -> bool:
        """Whether it is larger than any roster, or blown up out of next to nothing."""
        is_blown_up = self.packed is not None and self.size > max(BOMB_FROM, self.packed * PACKED_AT_MOST)
        return self.size > FILE_AT_MOST or is_blown_up


@contextmanager
def stored_files(path: Path) -> Iterator[dict[str, Stored]]:
    """The files of a directory or zip, by lower-case name without folders."""
    if path.is_dir():
        entries = sorted(entry for entry in path.iterdir() if entry.is_file())
        yield {entry.name.lower(): _of_directory(entry) for entry in entries}
        return
    if not path.exists():
        raise NotARoster(f"There is no file or directory {path}")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise NotARoster(f"{path} is neither a directory nor a zip") from None
    with archive:
        yield _of_zip(archive)


def _of_directory(entry: Path) -> Stored:
    return Stored(entry.stat().st_size, lambda: entry.open("rb"))


def _of_zip(archive: zipfile.ZipFile) -> dict[str, Stored]:
    """The members by name; of the same name in several folders, the outermost counts."""

    def stored(member: zipfile.ZipInfo) -> Stored:
        return Stored(member.file_size, lambda: archive.open(member), member.compress_size)

    found: dict[str, Stored] = {}
    members = [member for member in archive.infolist() if not member.is_dir()]
    for member in sorted(members, key=lambda member: (member.filename.count("/"), member.filename)):
        *folders, name = member.filename.split("/")
        if "__MACOSX" not in folders:
            found.setdefault(name.lower(), stored(member))
    return found


class _Lines:
    """The lines of a file, one at a time, that can be given back."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self._may_repeat = READ_AGAIN_AT_MOST
        self.number = 0  # of the line taken last
        self.taken: list[str] = []  # for the present record

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(LINE_AT_MOST)
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        return line

    def give_back_all_but_first(self) -> None:
        back = self.taken[1:]
        self._may_repeat -= len(back)
        if self._may_repeat >= 0:
            self._again.extendleft(reversed(back))
            self.number -= len(back)


class Table:
    """An open CSV file: its columns, then its records."""

    def __init__(self, name: str, file: IO[bytes], total: int) -> None:
        # Bytes that are not UTF-8 become lone surrogates, which no cell may contain: a bad row is
        # refused, not the file. Line ends stay as they are, for the csv module to see.
        text = io.TextIOWrapper(file, "utf-8-sig", errors="surrogateescape", newline="")
        self.name = name
        self.total = total  # about so many records
        self._lines = _Lines(text)
        self._reader = csv.reader(self._lines, strict=True)
        self.columns: list[str] = []

    def read_header(self) -> None:
        """Take the column names. csv.Error when the first record is none."""
        for cells in self._reader:
            if cells:
                self.columns = [cell.strip() for cell in cells]
                return

    def records(self, refuse: Refuse) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line that it begins in; what is no record is told to `refuse`."""
        lines, width = self._lines, len(self.columns)
        while True:
            lines.taken.clear()
            line = lines.number + 1
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                problem = str(error)
            except UNREADABLE as error:
                refuse(line, None, "UNREADABLE_FILE", f"The rest of the file cannot be read: {error}")
                return
            else:
                if len(cells) == width:
                    yield line, cells
                    continue
                if not any(cells[width:]) and not 0 < len(cells) < width:
                    if cells:  # otherwise it is an empty line
                        yield line, cells[:width]
                    continue
                problem = f"{len(cells)} cells under {width} columns"
            if len(lines.taken[-1]) >= LINE_AT_MOST:
                refuse(line, None, "UNREADABLE_FILE", f"A line has {LINE_AT_MOST} characters or more")
                return
            refuse(line, None, "BAD_ROW", f"Not a row of CSV: {problem}")
            # A stray quote takes in the lines below it, up to the next quote: those are rows again.
            lines.give_back_all_but_first()


@contextmanager
def opened(name: str, stored: Stored, refuse: Refuse) -> Iterator[Table | None]:
    """The table in a file; None, and a refusal, where it cannot be read at all."""
    if stored.is_too_large:
        problem = (
            f"The file has more than {FILE_AT_MOST} bytes, or was packed to less than 1/{PACKED_AT_MOST}"
        )
        refuse(1, None, "FILE_TOO_LARGE", problem)
        yield None
        return
    try:
        total = _count_lines(stored) - 1
        file = stored.open()
    except UNREADABLE as error:
        refuse(1, None, "UNREADABLE_FILE", f"The file cannot be read: {error}")
        yield None
        return
    with file:
        table = Table(name, file, max(total, 0))
        try:
            table.read_header()
        except (csv.Error, *UNREADABLE) as error:
            refuse(1, None, "UNREADABLE_FILE", f"The header cannot be read: {error}")
            yield None
            return
        yield table


def _count_lines(stored: Stored) -> int:
    """About how many lines a file has, whatever ends them."""
    feeds = returns = 0
    last = b"\n"
    with stored.open() as file:
        while block := file.read(BLOCK):
            feeds += block.count(b"\n")
            returns += block.count(b"\r")
            last = block[-1:]
    return max(feeds, returns) + (last not in b"\r\n")
