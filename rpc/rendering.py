"""From results to JSON values: what marshmallow's dump gives, for a part of what it costs.

All is derived from the field that a method returns and the fields of its schema, which stay the one
definition. What is not known here goes to the field's own `serialize`; a property test holds both
equal.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from datetime import date
from operator import attrgetter, itemgetter
from typing import Any

import orjson
from marshmallow import Schema, fields
from marshmallow.fields import Field

from models.memory import made_of
from models.rows import BaseModel
from models.statements import Rows, Select, Stored
from rpc.schemas import Choice, Day, Flag, Id, Instant, OneOf, Text, Whole, instant_text

Render = Callable[[Any], Any]  # makes the JSON value of what is not None


def rendered(field: Field, value: Any) -> Any:
    """The JSON value of a result, by the field that the method returns."""
    render = _render(field)
    if render is None:
        return field.serialize("result", {"result": value})
    return None if value is None else render(value)


@functools.cache
def _render(field: Field) -> Render | None:
    """What renders the values of a field; None where only marshmallow knows."""
    if type(field) is fields.Nested and not field.many:
        return _object(field.schema)
    if type(field) is fields.List:
        return _list(field.inner)
    if type(field) is OneOf:
        return lambda value: rendered(field.shapes[field.pick(value)], value)
    return _OF_VALUES.get(type(field))


def of_stored(field: Field) -> Render | None:
    """What renders a field's values as they are stored: as on the wire, but for truth values, 0 and 1,
    and for lists, which are stored as JSON."""
    if type(field) is Flag:
        return bool
    if type(field) is fields.List:
        return orjson.loads if of_stored(field.inner) is _same else None
    return _same if type(field) in _OF_VALUES else None


def _same(value: Any) -> Any:
    return value


_OF_VALUES: dict[type[Field], Render] = {
    Id: str,
    Text: _same,
    Whole: _same,
    Flag: _same,
    Choice: attrgetter("value"),
    Day: date.isoformat,
    Instant: instant_text,
}


class Shape:
    """The members of a schema, in their order, and the object that is made of their values."""

    def __init__(self, schema: Schema, render_of: Callable[[Field], Render | None]) -> None:
        members = schema.dump_fields
        renders = [(str(field.data_key), render_of(field)) for field in members.values()]
        self.ways = [field.attribute or name for name, field in members.items()]
        self.is_known = all(render for _, render in renders) and not any(schema._hooks.values())
        self._names = [name for name, _ in renders]
        self._other = [(name, render) for name, render in renders if render not in (None, _same)]

    def __call__(self, values: Iterable[Any]) -> dict[str, Any]:
        made = dict(zip(self._names, values, strict=True))
        for name, render in self._other:
            if (value := made[name]) is not None:
                made[name] = render(value)
        return made


def _object(schema: Schema) -> Render | None:
    shape = Shape(schema, _render)
    if not shape.is_known or len(shape.ways) < 2:  # of one attribute, attrgetter makes no tuple
        return None
    values_of = attrgetter(*shape.ways)

    def made(value: Any) -> dict[str, Any]:
        return shape(values_of(value))

    def render(value: Any) -> dict[str, Any]:
        try:
            return (
                made_of(value, schema, made) if isinstance(value, BaseModel) and value.KEPT else made(value)
            )
        except AttributeError:  # a mapping, or it lacks one: marshmallow knows what then
            return schema.dump(value)

    return render


def _list(inner: Field) -> Render | None:
    one = _render(inner)
    if one is None:
        return None

    def render(values: Iterable[Any]) -> list[Any]:
        if type(values) is Rows and type(inner) is fields.Nested:
            of_rows = _rows(inner.schema, values.select)
            if of_rows is not None:
                return of_rows(values.stored)
        return [None if value is None else one(value) for value in values]

    return render


@functools.cache
def _rows(schema: Schema, select: Select) -> Callable[[list[Stored]], list[Any]] | None:
    """What renders the stored rows of a select, where it has a column for each member."""
    shape = Shape(schema, of_stored)
    if not shape.is_known or not set(shape.ways) <= set(select.columns):
        return None
    pick = itemgetter(*(select.columns.index(way) for way in shape.ways))
    return lambda rows: list(map(shape, map(pick, rows)))
