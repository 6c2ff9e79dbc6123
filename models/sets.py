"""Rows on their way into the database, one after the other, or thousands in one step.

For each row that SQLite takes or gives, a thread lets go of Python's lock and waits to have it back:
beside a busy loop, thousands of rows took ten times as long as alone. And inside a savepoint, thousands
of updates of foreign keys take time that grows with the square of their number, because of what
SQLite keeps for each. Many rows therefore go in as one JSON text, by one statement.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

import orjson
import peewee

from models.database import run, run_for_each

MANY = 100  # rows, from which one statement for all is worth it
DIFFERENT = 4  # columns, above which JSON costs more than it saves

# For each column the name of the one whose value is stored in it, its own but for keys, and what makes what
# is stored of that.
Columns = list[tuple[str, Callable[[Any], Any] | None]]


@dataclass(slots=True)
class Prepared:
    """Rows of stored values, and the compiled statement that is to be run with each."""

    model: type[peewee.Model]
    sql: str
    names: tuple[str, ...]  # of the columns
    is_update: bool  # of the row with the id that is the last value; else an insert, with the id first
    rows: list[list[Any]]
    _differing: tuple[int, ...] = ()  # places of the columns in which many rows are not all alike

    def __post_init__(self) -> None:
        if self.are_many:
            columns = enumerate(zip(*self.rows, strict=True))
            differing = (place for place, values in columns if values.count(values[0]) < len(values))
            self._differing = tuple(differing)

    @property
    def are_many(self) -> bool:
        return len(self.rows) >= MANY

    @property
    def ids(self) -> list[str]:
        place = -self.is_update
        return [row[place] for row in self.rows]

    def set(self, name: str, value: Any) -> None:
        """Give all rows this value, as it is stored, in a column."""
        [place] = [place for place, column in enumerate(self.names) if column == name]
        for row in self.rows:
            row[place] = value

    def run(self) -> None:
        """Put the rows into the database."""
        if 0 < len(self._differing) <= DIFFERENT:
            sql, params = _at_once(self.model, self.names, self.is_update, self._differing)
            run(sql, [param.filled(self.rows, self._differing) for param in params])
        elif self.rows:
            run_for_each(self.sql, self.rows)


@dataclass(frozen=True)
class _Rows:
    """Stands for the rows, in the columns in which they differ."""

    def filled(self, rows: list[list[Any]], differing: tuple[int, ...]) -> str:
        columns = (map(itemgetter(place), rows) for place in differing)
        return orjson.dumps(list(zip(*columns, strict=True))).decode()


@dataclass(frozen=True)
class _Same:
    """Stands for a value that all rows have."""

    place: int

    def filled(self, rows: list[list[Any]], differing: tuple[int, ...]) -> Any:
        return rows[0][self.place]


@dataclass(frozen=True)
class _Path:
    """Stands for the way to a value in the JSON of a row."""

    path: str

    def filled(self, rows: list[list[Any]], differing: tuple[int, ...]) -> str:
        return self.path


@functools.cache
def _at_once(
    model: type[peewee.Model], names: tuple[str, ...], is_update: bool, differing: tuple[int, ...]
) -> tuple[str, list[_Rows | _Same | _Path]]:
    """The insert or update of all rows, and what stands for its values."""

    def value(place: int) -> peewee.Node:
        if place not in differing:
            return peewee.Value(_Same(place), converter=False)
        path = peewee.Value(_Path(f"$[{differing.index(place)}]"), converter=False)
        return peewee.fn.json_extract(peewee.SQL("given.value"), path)

    rows = peewee.fn.json_each(peewee.Value(_Rows(), converter=False)).alias("given")
    fields = [model._meta.fields[name] for name in names]
    values = [value(place) for place in range(len(names))]
    if is_update:
        changes = dict(zip(fields[:-1], values[:-1], strict=True))
        return model.update(changes).from_(rows).where(fields[-1] == values[-1]).sql()
    return model.insert_from(peewee.Select([rows], values), fields).sql()
