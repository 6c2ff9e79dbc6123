"""Rows of files, what is new in them, and what every step of an import does alike.

A step reads its file as a whole (`arrange`) before it stores anything, so that what becomes of a row does
not depend on the order of rows. Then it stores pieces of what it has arranged, each in one transaction.
"""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
import peewee

from models.database import database
from models.roster.cells import BadCell
from models.roster.columns import STATUS, Column, File, Status, day, row_id
from models.roster.dates import day_as
from models.roster.options import Options
from models.roster.report import Report
from models.rows import BaseModel

ROWS = "rows"  # what is kept of each of several rows that are about one membership
_MANY = "(SELECT value FROM json_each(?))"


class Refused(Exception):
    """A row does not go in, or a cell of it: which column, why, and what stands there."""

    def __init__(self, field: str | None, code: str, message: str, cell: str | None = None) -> None:
        super().__init__(message)
        self.field = field
        self.code = code
        self.message = message
        self.cell = cell


def missing(name: str) -> Refused:
    """The refusal of a row without a cell that it needs."""
    return Refused(name, "MISSING_VALUE", "Must be given.")


Warn = Callable[["Row", Refused], None]


@dataclass(slots=True)
class Row:
    """A row of a file: its cells that are not empty, by column."""

    line: int
    sourced_id: str
    given: dict[str, str]
    carried: dict[str, str]  # those that count only when the row is new here
    id: UUID = field(init=False)
    ours: bool = False  # the file is one that we wrote
    gone: bool = False  # its status is tobedeleted
    modified: str = ""  # its dateLastModified

    @property
    def imported(self) -> str:
        """What is kept of the row, for the next file to be compared with."""
        return dumps(self.given)

    @property
    def kept_sourced_id(self) -> str | None:
        """What the row is called where it comes from; files that we wrote say that apart."""
        return self.carried.get("metadata.sourcedId") if "metadata.id" in self.carried else self.sourced_id

    @property
    def preference(self) -> tuple[bool, str, str]:
        """The greatest of rows with the same id counts: one that is not to be deleted, the latest."""
        return not self.gone, self.modified, dumps(self.given | self.carried)

    def name_in(self, column: str) -> str:
        """The sourcedId of another row in a column; Refused when there is none."""
        name = self.given.get(column, "").strip()
        if not name:
            raise missing(column)
        return name


@dataclass(slots=True)
class News:
    """What a row says that is to be done here."""

    row: Row
    values: dict[str, Any]  # all that it gives
    fresh: dict[str, Any]  # of that, what the last import of the row did not give
    last: dict[str, str]  # what that one gave
    carried: dict[str, Any]

    @classmethod
    def of(cls, row: Row, step: Step, there: Any) -> News | None:
        """What a row says that the last import of it did not; None when that is nothing.

        `there` is what we have of it, None when it is new here.
        """
        imported = there and there.imported
        if imported is not None and imported == row.imported:
            return None
        values = step.read_cells(row, row.given)
        if there is None:
            return cls(row, values, values, {}, step.read_cells(row, row.carried) if row.carried else {})
        last = step.assumed | orjson.loads(imported) if imported else {}
        fresh = {name: value for name, value in values.items() if last.get(name) != row.given[name]}
        return cls(row, values, fresh, last, {})

    def attributes(self, columns: Mapping[str, Column]) -> dict[str, Any]:
        """The fresh values by the attribute that follows them."""
        found = ((columns[name].attribute, value) for name, value in self.fresh.items())
        return {attribute: value for attribute, value in found if attribute is not None}

    def identity(self, now: datetime, columns: Mapping[str, Column]) -> dict[str, Any]:
        """What a new row is besides: how it is called, when it was made, and what is kept of the file."""
        carried = {
            attribute: value
            for name, value in self.carried.items()
            if (attribute := columns[name].attribute) is not None
        }
        made = {"id": self.row.id, "sourced_id": self.row.kept_sourced_id, "imported": self.imported}
        return {"created_at": now, "updated_at": now} | carried | made

    @property
    def imported(self) -> str | None:
        """What is kept: what this file gives, and what an earlier one gave where this gives nothing."""
        if self.row.ours:
            return self.carried.get("metadata.imported")
        return dumps(self._kept())

    def _kept(self) -> dict[str, str]:
        kept = self.last | self.row.given
        if ROWS not in self.row.given:
            kept.pop(ROWS, None)
        return kept

    def note(self, there: Any) -> bool:
        """Keep in our row what the file says; False when that is no other than before.

        Files that we wrote are no news from where the row comes from.
        """
        kept = None if self.row.ours else self.imported
        if kept is None or there.imported == kept:
            return False
        there.imported = kept
        return True


def dumps(given: Mapping[str, str]) -> str:
    return orjson.dumps(given, option=orjson.OPT_SORT_KEYS).decode()


def read_cell(column: Column, cell: str) -> Any:
    """What a cell means. Refused: nothing that its column can mean."""
    try:
        return column.read(cell)
    except BadCell as error:
        raise Refused(column.name, error.code, error.message, cell) from None


def assign(there: Any, values: Mapping[str, Any]) -> bool:
    """Set the attributes that differ; False when none does."""
    different = [(name, value) for name, value in values.items() if getattr(there, name) != value]
    for name, value in different:
        setattr(there, name, value)
    return bool(different)


def among(column: Any, values: Iterable[Any]) -> peewee.Expression:
    """Whether a column has one of many values: one parameter and one text, however many they are."""
    return column.in_(peewee.SQL(_MANY, [_as_json(column, values)]))


def tuples(query: Any) -> Iterator[tuple[Any, ...]]:
    """The rows of a query, as tuples."""
    return iter(query.tuples())


def by_id(model: type[Any], ids: Iterable[UUID]) -> dict[UUID, Any]:
    """The rows with these ids, as far as there are such."""
    return {row.id: row for row in rows_among(model, id=set(ids))}


def rows_among(model: type[Any], **values: Collection[Any]) -> list[Any]:
    """The rows that have one of many values, in each of the columns named."""
    names = tuple(column.name for column in model._meta.sorted_fields)
    return [model._made_of(stored) for stored in _stored(model, names, values)]


def columns_among(model: type[Any], *names: str, **values: Collection[Any]) -> list[tuple[Any, ...]]:
    """As `rows_among`, but only some columns."""
    readers = [model._meta.combined[name].python_value for name in names]
    return [
        tuple([read(value) for read, value in zip(readers, stored, strict=True)])
        for stored in _stored(model, names, values)
    ]


def _stored(
    model: type[BaseModel], names: tuple[str, ...], values: Mapping[str, Collection[Any]]
) -> list[Sequence[Any]]:
    if not all(values.values()):
        return []
    columns = model._meta.combined
    many = [_as_json(columns[name], some) for name, some in values.items()]
    return database.execute_sql(_sql(model, names, tuple(values)), many).fetchall()


@functools.cache
def _sql(model: type[BaseModel], names: tuple[str, ...], tested: tuple[str, ...]) -> str:
    """The select of some columns of the rows that have one of many values in each of others."""
    columns = model._meta.combined
    tests = [columns[name].in_(peewee.SQL(_MANY)) for name in tested]
    sql, _ = model.select(*(columns[name] for name in names)).where(*tests).sql()
    return sql


def _as_json(column: Any, values: Iterable[Any]) -> str:
    return orjson.dumps([column.db_value(value) for value in values]).decode()


class Ids:
    """The ids of rows by what they are called in the files."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.refused: dict[
            tuple[str, str], str
        ] = {}  # where a row stands that was refused, by kind and sourcedId
        self.names: dict[tuple[str, str], str] = {}  # what people call a row, by kind and sourcedId
        self._given: dict[tuple[str, str], UUID] = {}

    def give(self, kind: str, sourced_id: str, id: UUID) -> None:
        """A row brings its id along."""
        self._given[kind, sourced_id] = id

    def of(self, kind: str, sourced_id: str) -> UUID:
        """The id of the row that a file calls so."""
        if self._given and (given := self._given.get((kind, sourced_id))):
            return given
        return row_id(self.source, kind, sourced_id)


class Step:
    """The import of one file: its rows are read as a whole, then stored some at a time."""

    file: File
    derived: tuple[Column, ...] = ()  # columns that `derive` puts in the place of others
    assumed: Mapping[str, str] = {}  # what an earlier import said where it kept nothing of a column

    def __init__(self, ids: Ids, report: Report, options: Options) -> None:
        self.ids = ids
        self.report = report
        self.options = options

    @functools.cached_property
    def columns(self) -> dict[str, Column]:
        return {
            column.name: column if column.read is not day else dataclasses.replace(column, read=self._day)
            for column in (*self.file.columns, *self.derived)
        }

    @functools.cached_property
    def _day(self) -> Callable[[str], date]:
        return day_as(self.options.dates)

    # Reading

    def prepare(self, row: Row) -> None:
        """Give a row its id and derive its cells. Refused: the row is nothing that can go in."""
        if row.carried:
            self._unpack(row)
        if row.sourced_id:
            row.id = self.ids.of(self.file.kind, row.sourced_id)
        self.derive(row)

    def derive(self, row: Row) -> None:
        """Put cells that say the same thing into one, outside of any transaction."""

    def arrange(self, rows: list[Row]) -> Sequence[Any]:
        """Decide over all rows of the file what is to be stored, in an order that is not theirs."""
        if "sourcedId" in self.file.required:
            return self.each_once(rows)
        return sorted(rows, key=lambda row: dumps(row.given))

    def each_once(self, rows: Iterable[Row]) -> list[Row]:
        """The rows in the order of their ids; of several with one id, that which counts.

        The others are merged with it when they say the same, and refused when they do not.
        """
        by_id: dict[str, list[Row]] = {}  # texts: UUIDs can be made up by which their hashes are all the same
        for row in rows:
            by_id.setdefault(str(row.id), []).append(row)
        found = []
        for same in by_id.values():
            counts = same[0] if len(same) == 1 else self._one_of(same)
            found.append(counts)
        found.sort(key=_sourced_id)
        return found

    def _one_of(self, same: list[Row]) -> Row:
        found = max(same, key=lambda row: row.preference)
        for row in same:
            if row is found:
                continue
            if (row.given, row.carried) == (found.given, found.carried):
                self.report.of(self.file.name).merged += 1
            else:
                message = f"Line {found.line} has the same id and counts."
                self.refuse(row, Refused("sourcedId", "DUPLICATE_ID", message))
        return found

    def read(self, row: Row, name: str) -> Any:
        """The value of a cell; None when it is empty. A cell that means nothing is warned of and emptied."""
        return self._read(row, self.columns[name])

    def _read(self, row: Row, column: Column) -> Any:
        cell = row.given.get(column.name)
        if cell is None:
            return None
        try:
            return read_cell(column, cell)
        except Refused as bad:
            self.warn(row, bad)
            del row.given[column.name]
            return None

    def read_cells(self, row: Row, cells: dict[str, str]) -> dict[str, Any]:
        """The values of cells; cells that mean nothing are warned of and taken out.

        Words and dates in them are put as we spell them.
        """
        values: dict[str, Any] = {}
        bad: list[Refused] = []
        columns = self.columns
        for name, cell in cells.items():
            try:
                value = values[name] = columns[name].read(cell)
            except BadCell as error:
                bad.append(Refused(name, error.code, error.message, cell))
                continue
            if type(value) is not str and (isinstance(value, StrEnum) or type(value) is date):
                cells[name] = str(value)
        for refused in bad:
            self.warn(row, refused)
            del cells[str(refused.field)]
        return values

    def take_status(self, row: Row) -> Status | None:
        """The status; the cell is taken out of what is given."""
        status = self._read(row, STATUS)
        row.given.pop(STATUS.name, None)
        row.gone = status is Status.TO_BE_DELETED
        return status

    def _unpack(self, row: Row) -> None:
        """Take what files that we wrote say of a row's id, and of text that is there but empty."""
        empty = row.carried.pop("metadata.empty", "")
        for name in read_cell(self.columns["metadata.empty"], empty) if empty else ():
            if name in self.columns:
                (row.carried if self.columns[name].carried else row.given)[name] = ""
        if "metadata.id" in row.carried:
            row_id = read_cell(self.columns["metadata.id"], row.carried["metadata.id"])
            self.ids.give(self.file.kind, row.sourced_id, row_id)

    # Storing

    def begin(self) -> None:
        """Store, in one transaction, changes that must come before any piece."""

    def store(self, items: list[Any]) -> None:
        """Bring a piece of what was arranged into the database, within a transaction; count each row."""
        self.count(False, len(items))

    def news(self, rows: Iterable[Row], found: Mapping[UUID, Any]) -> Iterator[News]:
        """The news of rows; rows without news are counted here, as unchanged.

        What is to be deleted and not here, and who was erased, stay as they are.
        """
        for row in rows:
            there = found.get(row.id)
            if (there is None and row.gone) or getattr(there, "erased_at", None) is not None:
                self.count(False)
                continue
            news = News.of(row, self, there)
            if news is None:
                self.count(False)
            else:
                yield news

    # Telling

    def who(self, row: Row) -> str | None:
        """The subject of a row, as people call it."""
        return None

    def refuse(self, row: Row, refused: Refused, cause: str | None = None) -> None:
        """Tell that a row does not go in, and for what follows from that, remember it."""
        cell = refused.cell or row.given.get(refused.field or "")
        self.report.refuse(
            self.file.name,
            row.line,
            refused.field,
            refused.code,
            refused.message,
            sourced_id=row.sourced_id or None,
            cell=cell,
            who=self.who(row),
            cause=cause,
        )
        self.ids.refused.setdefault((self.file.kind, row.sourced_id), f"{self.file.name}, line {row.line}")

    def warn(self, row: Row, refused: Refused, cause: str | None = None) -> None:
        """Tell that something of a row counts for nothing."""
        self.report.warn(
            self.file.name,
            row.line,
            refused.field,
            refused.code,
            refused.message,
            sourced_id=row.sourced_id or None,
            cell=refused.cell or row.given.get(refused.field or ""),
            who=self.who(row),
            cause=cause,
        )

    def count(self, real: bool, rows: int = 1) -> None:
        """Count rows of what was here before: something of it changed, or nothing."""
        counts = self.report.of(self.file.name)
        if real:
            counts.updated += rows
        else:
            counts.unchanged += rows


_sourced_id = operator.attrgetter("sourced_id")


def without_taken_ids(model: type[BaseModel], rows: list[Any]) -> None:
    """Give new ids to new rows whose own is taken by an older one, or by one of them."""
    taken = {id for (id,) in columns_among(model, "id", id=[row.id for row in rows])}
    for row in rows:
        if row.id in taken:
            row.id = model.id.default()
        taken.add(row.id)
