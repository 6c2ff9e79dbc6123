"""A directory or zip of CSV files as tables of rows. Knows CSV, and nothing of OneRoster's columns.

Members of a zip are read as streams, by name; nothing is ever unpacked. Nothing that a file contains
raises: what cannot be read is told to `refuse`, and the rest is read.

CSV is read as Excel and student information systems write it: the separator is found in the header,
the encoding in the bytes, and empty cells at the end of a row may be missing.
"""

from __future__ import annotations

import codecs
import csv
import io
import lzma
import zipfile
import zlib
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from models.errors import ModelError

FILE_AT_MOST = 2 * 2**30  # bytes, uncompressed
BOMB_FROM = 16 * 2**20  # bytes, uncompressed, from which it is looked how well a file was packed
PACKED_AT_MOST = 200  # times; rows that differ at all are packed to a tenth, or a thirtieth
LINE_AT_MOST = 2**20  # characters; longer is no roster, and would be read into memory whole
BLOCK = 2**20
READ_AGAIN_AT_MOST = 200_000  # lines; a file in which every row is broken is not worth more
SEPARATORS = ",;\t"
MAC_FOLDER = "__MACOSX"  # which the Finder adds to a zip
BYTE_ORDER_MARK = "\ufeff"
BLANK_LINE = SEPARATORS + '" \r\n'  # characters of a line in which nothing stands
UTF_8, UTF_16_LE, UTF_16_BE = "utf-8", "utf-16-le", "utf-16-be"
WINDOWS_1252 = (
    "The file is not UTF-8: it was probably saved as Windows-1252 (cp1252). Save it as CSV UTF-8, and import "
    "it again."
)

# How undecodable bytes become lone surrogates, which no cell may contain: a row with one is told, not
# the file.
MARKED = {UTF_8: "surrogateescape", UTF_16_LE: "surrogatepass", UTF_16_BE: "surrogatepass"}

# What a damaged, encrypted or strangely compressed member raises.
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
    UnicodeError,  # of UTF-16 that ends within a character
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
    where: str = ""  # its name, with the folders that it lies in

    @property
    def is_too_large(self) -> bool:
        """Whether it is larger than any roster, or blown up out of next to nothing."""
        is_blown_up = self.packed is not None and self.size > max(BOMB_FROM, self.packed * PACKED_AT_MOST)
        return self.size > FILE_AT_MOST or is_blown_up


class Files(dict[str, Stored]):
    """The files of a directory or zip, by lower-case name without folders."""

    def __init__(self) -> None:
        super().__init__()
        self.unread: list[tuple[str, str]] = []  # entries that are not among them, and why

    def add(self, name: str, stored: Stored) -> None:
        """Take in a file, unless there is one of the same name already."""
        if one := self.get(name.lower()):
            self.unread.append((stored.where, f"It is not read; {one.where} is."))
        else:
            self[name.lower()] = stored


@contextmanager
def stored_files(path: Path) -> Iterator[Files]:
    """The files of a directory or zip."""
    if path.is_dir():
        yield _of_directory(path)
        return
    if not path.exists():
        raise NotARoster(f"There is no file or directory {path}")
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise NotARoster(f"{path} is neither a directory nor a zip") from None
    with archive:
        yield _of_zip(archive)


def _of_directory(path: Path) -> Files:
    """The files of a directory; of names that differ in letter case alone, the lower one counts."""
    files = Files()
    for entry in sorted(path.iterdir(), reverse=True):
        if entry.is_file():
            files.add(entry.name, _stored(entry))
        elif entry.is_dir():
            files.unread.append((f"{entry.name}/", "A folder in a directory is not looked into."))
        else:
            files.unread.append((entry.name, "It is not read: it is no file, or a link to none."))
    return files


def _stored(entry: Path) -> Stored:
    return Stored(entry.stat().st_size, lambda: entry.open("rb"), where=entry.name)


def _of_zip(archive: zipfile.ZipFile) -> Files:
    """The members by name; of the same name in several folders, the outermost counts."""
    files = Files()
    members = [member for member in archive.infolist() if not member.is_dir()]
    for member in sorted(members, key=lambda member: (member.filename.count("/"), member.filename)):
        *folders, name = member.filename.split("/")
        if MAC_FOLDER not in folders:
            where = member.filename
            stored = Stored(member.file_size, partial(archive.open, member), member.compress_size, where)
            files.add(name, stored)
    return files


class _Lines:
    """The lines of a file, one at a time, that can be given back."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        first = text.readline(LINE_AT_MOST).lstrip(BYTE_ORDER_MARK)
        self._again = deque([first] if first else [])
        self._may_repeat = READ_AGAIN_AT_MOST
        self.number = 0  # of the line taken last
        self.taken: list[str] = []  # for the present record

    def __iter__(self) -> Iterator[str]:
        again, taken, readline = self._again, self.taken, self._text.readline
        while line := again.popleft() if again else readline(LINE_AT_MOST):
            self.number += 1
            taken.append(line)
            yield line

    def give_back_all_but(self, kept: int) -> None:
        """Take the lines of the present record again, but for the first few."""
        back = self.taken[kept:]
        self._may_repeat -= len(back)
        if self._may_repeat >= 0:
            self._again.extendleft(reversed(back))
            self.number -= len(back)


class Table:
    """An open CSV file: its columns, then its records."""

    def __init__(self, file: IO[bytes], encoding: str) -> None:
        # Line ends stay as they are, for the csv module to see.
        text = io.TextIOWrapper(file, encoding, errors=MARKED[encoding], newline="")
        self._lines = _Lines(text)
        self._separator = SEPARATORS[0]
        self.columns: list[str] = []

    def read_header(self) -> None:
        """Take the column names. csv.Error when the first record is none."""
        for line in self._lines:
            if line.strip(BLANK_LINE):
                self._separator = _separator(line)
                self._lines.give_back_all_but(len(self._lines.taken) - 1)
                break
        self.columns = [cell.strip() for cell in next(self._left(), [])]

    def _left(self) -> Iterator[list[str]]:
        """The records of the lines that are left. Lines that are given back need it to be made anew."""
        return csv.reader(self._lines, delimiter=self._separator, strict=True)

    def records(self, refuse: Refuse) -> Iterator[tuple[int, list[str]]]:
        """Each record with the line that it begins in, with a cell for each column.

        What is no record is told to `refuse`. Rows without anything in them are passed over.
        """
        lines, reader, width = self._lines, self._left(), len(self.columns)
        while True:
            lines.taken.clear()
            line = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                problem = str(error)
            except UNREADABLE as error:
                refuse(line, None, "UNREADABLE_FILE", f"The rest of the file cannot be read: {error}")
                return
            else:
                if cells and cells[0] and len(cells) == width:  # nearly all
                    if cells[0].isspace() and _is_empty(cells):
                        continue
                    yield line, cells
                    continue
                if _is_empty(cells):
                    continue
                if _is_empty(cells[width:]) and not self._took_in_rows(len(cells)):
                    yield line, cells[:width] + [""] * (width - len(cells))
                    continue
                problem = f"{len(cells)} cells under {width} columns"
            if len(lines.taken[-1]) >= LINE_AT_MOST:
                refuse(line, None, "UNREADABLE_FILE", f"A line has {LINE_AT_MOST} characters or more")
                return
            refuse(line, None, "BAD_ROW", f"Not a row of CSV: {problem}")
            # A stray quote takes in the lines below it, up to the next quote: those are rows again.
            lines.give_back_all_but(1)
            reader = self._left()

    def _took_in_rows(self, count: int) -> bool:
        """Whether a record of too few cells has whole rows in one of them, after a stray quote."""
        width = len(self.columns)
        below = self._lines.taken[1:]
        return count < width and any(line.count(self._separator) >= width - 1 for line in below)


def _separator(header: str) -> str:
    """The separator of a header: the one that gives it most cells."""
    return max(SEPARATORS, key=lambda separator: len(_cells(header, separator)))


def _cells(line: str, separator: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return []


def _is_empty(cells: list[str]) -> bool:
    return not any(cells) or not "".join(cells).strip()


@contextmanager
def opened(stored: Stored, refuse: Refuse) -> Iterator[Table | None]:
    """The table in a file; None, and a refusal, where it cannot be read at all."""
    if stored.is_too_large:
        problem = (
            f"The file has more than {FILE_AT_MOST} bytes, or was packed to less than 1/{PACKED_AT_MOST}"
        )
        refuse(1, None, "FILE_TOO_LARGE", problem)
        yield None
        return
    try:
        scan = _Scan.of(stored)
        file = stored.open()
    except UNREADABLE as error:
        refuse(1, None, "UNREADABLE_FILE", f"The file cannot be read: {error}")
        yield None
        return
    with file:
        if scan.line_not_utf_8:
            refuse(scan.line_not_utf_8, None, "NOT_UTF_8", WINDOWS_1252)
            yield None
            return
        try:
            table = Table(file, scan.encoding)
            table.read_header()
        except (csv.Error, *UNREADABLE) as error:
            refuse(1, None, "UNREADABLE_FILE", f"The header cannot be read: {error}")
            yield None
            return
        yield table


@dataclass(frozen=True)
class _Scan:
    """Facts about a file, from one pass over its bytes."""

    encoding: str
    line_not_utf_8: int | None  # the first one, in a file of which most of what is not ASCII is not UTF-8

    @classmethod
    def of(cls, stored: Stored) -> _Scan:
        feeds = returns = 0
        encoding = None
        text = _Utf8()
        with stored.open() as file:
            while block := file.read(BLOCK):
                encoding = encoding or _encoding(block)
                if encoding == UTF_8:
                    text.feed(block, max(feeds, returns))
                feeds += block.count(b"\n")
                returns += block.count(b"\r")
        text.feed(b"", max(feeds, returns), final=True)
        return cls(encoding or UTF_8, text.first_line if text.wrong > text.right else None)


def _encoding(start: bytes) -> str:
    """UTF-16 by its byte order mark, or by the NULs of a header, which is ASCII; else UTF-8."""
    zeros = tuple(byte == 0 for byte in start[:4])
    if start.startswith(codecs.BOM_UTF16_LE) or zeros == (False, True, False, True):
        return UTF_16_LE
    if start.startswith(codecs.BOM_UTF16_BE) or zeros == (True, False, True, False):
        return UTF_16_BE
    return UTF_8


class _Utf8:
    """The numbers of sequences beyond ASCII that are UTF-8, and that are not."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder(UTF_8)(MARKED[UTF_8])
        self.right = 0  # bytes, less one for each character
        self.wrong = 0  # bytes
        self.first_line: int | None = None  # in which there is a wrong one

    def feed(self, block: bytes, lines: int, final: bool = False) -> None:
        """Take the next bytes, before which so many lines end."""
        pending, _ = self._decoder.getstate()
        if block.isascii() and not pending:
            return
        text = self._decoder.decode(block, final)
        self.right += len(block) - len(text)
        try:
            text.encode()
        except UnicodeEncodeError as error:
            self.wrong += len(text) - len(text.encode(errors="ignore").decode())
            before = text[: error.start]
            self.first_line = self.first_line or lines + max(before.count("\n"), before.count("\r")) + 1
