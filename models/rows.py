"""Rows: what a column holds, and the verbs by which rows are found and written."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar, Self
from uuid import UUID

import peewee

from models import actor, clock, memory
from models.database import database, run, run_for_each
from models.ids import TextUUID, new_id
from models.sets import MANY, Columns, Prepared
from models.text import instant_text, name_key


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
    return value if isinstance(value, str) else instant_text(value)


@functools.lru_cache(maxsize=1024)  # the same few days are written again and again
def _day_text(value: date | str) -> str:
    return str(value)


class InstantField(_Converted):
    """A UTC instant kept as wire text with three fraction digits, so text order is time order."""

    field_type = "TEXT"
    store = staticmethod(_instant_text)
    load = staticmethod(datetime.fromisoformat)


class DayField(_Converted):
    """A calendar day kept as YYYY-MM-DD."""

    field_type = "TEXT"
    store = staticmethod(_day_text)
    load = staticmethod(date.fromisoformat)


class ChoiceField(_Converted):
    """One value of a StrEnum, kept as its text."""

    field_type = "TEXT"

    def __init__(self, choices: type[StrEnum], **options: Any) -> None:
        super().__init__(**options)
        # Either way the member, which is a text; anything else is refused.
        self.store = self.load = {choice.value: choice for choice in choices}.__getitem__


class KeyField(peewee.TextField):
    """The form in which another column's text compares, kept by whatever stores that column."""

    def __init__(self, of: str, **options: Any) -> None:
        super().__init__(**options)
        self.of = of  # name of that column


class BaseModel(peewee.Model):
    """A row with an id of ours. Rows are written by the verbs here, which note them for the audit."""

    id = IdField(primary_key=True, default=new_id)

    KEPT: ClassVar[bool] = False  # whether the writer remembers rows, until any of such models is written

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
    def new(cls, **values: Any) -> Self:
        """A new row with the usual values for what is not given; not yet stored.

        Peewee's own way, which also takes rows for ids, takes five times as long.
        """
        names, usual = _new(cls)
        data = {names[name]: value for name, value in values.items()}
        for name, make in usual:
            if name not in data:
                data[name] = make()
        return cls._holding(data)

    @classmethod
    def _made_of(cls, values: Sequence[Any]) -> Self:
        names, conversions = _read(cls)
        data = dict(zip(names, values, strict=True))
        for name, read in conversions:
            if data[name] is not None:
                data[name] = read(data[name])
        return cls._holding(data)

    @classmethod
    def _holding(cls, data: dict[str, Any]) -> Self:
        row = cls.__new__(cls)
        row.__data__, row.__rel__ = data, {}
        row._dirty = set()  # type: ignore[attr-defined]  # and this is all that peewee's __init__ sets
        return row

    @classmethod
    def insert_rows(cls, rows: Sequence[BaseModel]) -> None:
        """Insert many new rows by one prepared statement."""
        if len(rows) >= MANY:
            cls.run_prepared(cls.inserts([row.__data__ for row in rows]))
        elif rows:
            sql, columns = _insert(cls)
            cls._run_for_each(sql, columns, rows)

    @classmethod
    def append(cls, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert new rows, given as values by the names of all columns; the audit does not note them.

        The writer inserts them at the end of its group, all at once: for models that are only added to,
        of which a write reads nothing but by `appended`.
        """
        if len(rows) >= MANY:
            cls.append_prepared(cls.inserts(rows))
        elif rows:
            sql, columns = _insert(cls)
            memory.append(sql, [_stored(row, columns) for row in rows])

    @classmethod
    def appended(cls, row_id: UUID) -> Self:
        """The row with this id, also while it waits to be inserted."""
        found = cls.find(id=row_id)
        if found is not None:
            return found
        sql, columns = _insert(cls)
        place, wanted = [name for name, _ in columns].index("id"), str(row_id)
        return next(cls._made_of(row) for row in reversed(memory.waiting(sql)) if row[place] == wanted)

    @classmethod
    def update_rows(cls, rows: Sequence[BaseModel], *names: str) -> None:
        """Store the columns of these names of many rows by one prepared statement."""
        if len(rows) >= MANY:
            cls.run_prepared(cls.updates([row.__data__ for row in rows], *names))
        elif rows:
            sql, columns = _update(cls, names)
            cls._run_for_each(sql, columns, rows)

    @classmethod
    def _run_for_each(cls, sql: str, columns: Columns, rows: Sequence[BaseModel]) -> None:
        actor.touch([row.__data__["id"] for row in rows])
        if cls.KEPT:
            memory.forget()
        run_for_each(sql, [_stored(row.__data__, columns) for row in rows])

    @classmethod
    def inserts(cls, rows: Sequence[Mapping[str, Any]]) -> Prepared:
        """What inserts new rows, given as values by the names of all columns."""
        sql, columns = _insert(cls)
        return Prepared(cls, sql, _names(cls), False, [_stored(row, columns) for row in rows])

    @classmethod
    def updates(cls, rows: Sequence[Mapping[str, Any]], *names: str) -> Prepared:
        """What stores the columns of these names, of rows given as values by the names of columns."""
        sql, columns = _update(cls, names)
        return Prepared(cls, sql, _names(cls, names), True, [_stored(row, columns) for row in rows])

    @classmethod
    def run_prepared(cls, prepared: Prepared) -> None:
        """Run what `inserts` or `updates` has made, and note the rows for the audit."""
        actor.touch(prepared.ids)
        if cls.KEPT:
            memory.forget()
        prepared.run()

    @classmethod
    def append_prepared(cls, prepared: Prepared) -> None:
        """As `append`, of what `inserts` has made."""
        if prepared.are_many:
            prepared.run()
        elif prepared.rows:
            memory.append(prepared.sql, prepared.rows)

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


def _conversion(column: peewee.Field, way: str) -> _Convert | None:
    """What makes what is stored of a column's values (`db_value`), or values of that (`python_value`).

    None where they are the same. A foreign key's values are those of the column that it names.
    """
    target = column.rel_field if isinstance(column, peewee.ForeignKeyField) else column
    if isinstance(target, _Converted):
        return target.store if way == "db_value" else target.load
    return None if type(target) in (peewee.TextField, peewee.IntegerField, KeyField) else getattr(target, way)


def _columns(columns: Iterable[peewee.Field]) -> Columns:
    """For each column: the column whose value is stored in it, and the conversion of that value."""
    return [
        (column.of, name_key)
        if isinstance(column, KeyField)
        else (column.name, _conversion(column, "db_value"))
        for column in columns
    ]


def _stored(values: Mapping[str, Any], columns: Columns) -> list[Any]:
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
def _find(model: type[BaseModel], names: tuple[str, ...]) -> tuple[str, Columns]:
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
def _insert(model: type[BaseModel]) -> tuple[str, Columns]:
    """The insert of one row, all columns in their order."""
    sql, _ = model.insert(dict.fromkeys(model._meta.sorted_fields, peewee.SQL("?"))).sql()
    return sql, _columns(model._meta.sorted_fields)


def _updated(model: type[BaseModel], names: tuple[str, ...]) -> list[peewee.Field]:
    """The columns that are stored where those of these names are: their keys too."""
    named = {model._meta.combined[name].name for name in names}
    return [
        column
        for column in model._meta.sorted_fields
        if (column.of if isinstance(column, KeyField) else column.name) in named
    ]


@functools.cache
def _names(model: type[BaseModel], updated: tuple[str, ...] | None = None) -> tuple[str, ...]:
    """The names of the columns of an insert, or of an update of these and their keys."""
    columns = model._meta.sorted_fields if updated is None else [*_updated(model, updated), model.id]
    return tuple(column.name for column in columns)


@functools.cache
def _update(model: type[BaseModel], names: tuple[str, ...]) -> tuple[str, Columns]:
    """The update of some columns of the row with an id."""
    columns = _updated(model, names)
    sql, _ = model.update(dict.fromkeys(columns, peewee.SQL("?"))).where(model.id == peewee.SQL("?")).sql()
    return sql, _columns([*columns, model.id])


class DatedModel(BaseModel):
    """A row that knows when it was made and last changed."""

    created_at = InstantField(default=clock.now)
    updated_at = InstantField(default=clock.now)
