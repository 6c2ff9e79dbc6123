"""The names in a query that name nothing: mistyped handles and emails, ids of what is gone."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, NamedTuple

import peewee

from models.cohorts import Cohort
from models.errors import Conflict, spot
from models.people import Channel, Group, Label, User
from models.programs import Program, ProgramKind
from models.query.items import sorted_out
from models.query.syntax import parse
from models.query.tree import Language, Listed, Noun
from models.statements import Statement, any_given

TOLD = 100  # in an error, at most


class UnknownName(NamedTuple):
    """An item of a list, as it is written without quotes, and where: line and column count from 1."""

    list: str
    item: str
    line: int
    column: int


# The columns that the ids and the keys of a list are looked up in.
_KINDS = ((ProgramKind.id,), (ProgramKind.handle_key,))
_COLUMNS: dict[Noun, tuple[tuple[peewee.Field, ...], tuple[peewee.Field, ...]]] = {
    Noun.PROGRAMS: ((Program.id,), (ProgramKind.handle_key,)),
    Noun.KIND: _KINDS,
    Noun.PROGRAM_KIND_ACTIVE: _KINDS,
    Noun.ACTIVE: ((Program.id, ProgramKind.id), (ProgramKind.handle_key,)),
    Noun.USERS: ((User.id,), (User.email_key,)),
    Noun.GROUPS: ((Group.id,), (Group.handle_key,)),
    Noun.CHANNELS: ((Channel.id,), (Channel.handle_key,)),
    Noun.LABELS: ((Label.id,), (Label.handle_key,)),
    Noun.COHORTS: ((Cohort.id,), ()),
}


def unknown_names(text: str, language: Language) -> list[UnknownName]:
    """The items of all lists of a query that name nothing, in their order. QueryError: it says nothing."""
    items = list(_items(text, language))
    wanted: dict[peewee.Field, set[str]] = {}
    for item in items:
        for column in item.columns:
            wanted.setdefault(column, set()).add(item.value)
    known = {column: _known(column, values) for column, values in wanted.items()}
    return [
        UnknownName(item.noun.value, item.text, *spot(text, item.place))
        for item in items
        if not any(item.value in known[column] for column in item.columns)
    ]


def check_names(text: str, language: Language) -> None:
    """Conflict when items of lists name nothing: with `except`, or in a sync, that is no small matter."""
    unknown = unknown_names(text, language)
    if not unknown:
        return
    first, more = unknown[0], f", nor {len(unknown) - 1} more of its names" if len(unknown) > 1 else ""
    raise Conflict(
        "UNKNOWN_NAMES",
        f"Line {first.line}, column {first.column}: this item of {first.list} names nothing{more}",
        unknown=[one._asdict() for one in unknown[:TOLD]],
    )


class _Item(NamedTuple):
    noun: Noun
    text: str
    place: int
    value: str  # an id in lower case, or a key
    columns: tuple[peewee.Field, ...]


def _items(text: str, language: Language) -> Iterator[_Item]:
    query = parse(text, language)
    for term in (term for group in query.anyof for term in group.terms):
        if not isinstance(term, Listed):
            continue
        by_id, by_key = _COLUMNS[term.noun]
        for item, place in zip(term.items, term.places, strict=True):
            [ids, keys] = sorted_out(term.noun, [item])
            [value] = ids or keys
            yield _Item(term.noun, item, place, value, by_id if ids else by_key)


def _known(column: peewee.Field, values: set[str]) -> set[Any]:
    return {value for (value,) in _among(column).stored(values=values)}


@functools.cache
def _among(column: peewee.Field) -> Statement:
    """The select of those of some values that a column has."""
    return Statement(column.model.select(column).where(column.in_(any_given("values"))).distinct())
