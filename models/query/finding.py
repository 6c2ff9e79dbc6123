"""What queries find: users, programs, participants, and the ids of users."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from models.memberships import Participation
from models.people import User
from models.programs import Program
from models.query.compiler import Compiled, Few, compiled, edge, table_size
from models.query.tree import Language
from models.query.values import Values, own_name
from models.rows import BaseModel
from models.statements import Rows, Select, Stored, any_given

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Pace:
    """When which way to the rows is taken; all ways find the same."""

    few: int = 2000  # a list of so many is made in no time
    head: int = 4000  # so many rows are looked at in no time
    head_per_row: int = 20  # and so many more for each row that is wanted
    dearer: int = 10  # how many times as long it takes to look at a program: through its members


PACE = Pace()


def find_users(text: str, current: UUID | None, limit: int | None = None, offset: int = 0) -> Sequence[User]:
    """The users that a query finds, with their handles. QueryError: it says nothing, or nobody is current."""
    found = list(_with_ids(_users(), _ids(text, Language.USERS, current, limit, offset)))
    User.fetch_handles(found)
    return found


def find_programs(
    text: str, current: UUID | None, limit: int | None = None, offset: int = 0
) -> Sequence[Program]:
    """The programs that a query finds, each with its kind."""
    return _with_ids(_programs(), _ids(text, Language.PROGRAMS, current, limit, offset))


def find_participants(
    text: str, current: UUID | None, limit: int | None = None, offset: int = 0
) -> Sequence[Participation]:
    """The memberships that a query finds, with all that is shown of them."""
    rows = _with_ids(_memberships(), _ids(text, Language.PARTICIPANTS, current, limit, offset))
    return Participation.fetch(rows)


def user_ids(text: str, current: UUID | None) -> list[str]:
    """The ids of the users that a query finds, in its order."""
    return _ids(text, Language.USERS, current, None, 0)


def _ids(text: str, language: Language, current: UUID | None, limit: int | None, offset: int) -> list[str]:
    return ids(compiled(text, language), current, limit, offset)


def ids(
    query: Compiled, current: UUID | None, limit: int | None = None, offset: int = 0, pace: Pace = PACE
) -> list[str]:
    """The ids of the rows that a compiled query finds: a page of them inside the query's own limit."""
    values = query.later.values(current)
    if query.query.limit is not None:
        limit = min(query.query.limit - offset, query.query.limit if limit is None else limit)
    if limit is not None and limit <= 0:
        return []
    page = values | {"limit": -1 if limit is None else limit, "offset": offset}
    few = query.few(values, pace.few)
    if not query.leads(few):
        if limit is not None and query.query.sort is None:
            head = pace.head + pace.head_per_row * (offset + limit)
            if query.language is Language.PROGRAMS:
                head //= pace.dearer
            edges = edge(query.language).stored(head=head)
            if edges:
                found = _first(query.statement(few, in_head=True).stored(**page, **_edge_values(edges[0])))
                if len(found) == limit:
                    return found
        few = _leading(query, values, pace.few)
    return _first(query.statement(few).stored(**page))


def _edge_values(columns: Stored) -> Values:
    return {own_name(number, "edge"): value for number, value in enumerate(columns)}


def _leading(query: Compiled, values: Values, most: int) -> Few:
    """The parts with the shortest lists that lead to all; or as few as before, if all rows are looked at."""
    [[size]] = table_size(query.language).stored()
    at_most = (size or 0) // 4
    before = few = query.few(values, most)
    while not query.leads(few) and most < at_most:
        most = min(most * 4, at_most)
        few = query.few(values, most)
    return few if query.leads(few) else before


def _first(rows: Sequence[Stored]) -> list[str]:
    return [row[0] for row in rows]


def _with_ids(select: Select[M], ids: Sequence[str]) -> Rows[M]:
    """The rows with these ids, in their order."""
    found = {row[0]: row for row in select.rows(ids=ids).stored}
    return Rows(select, [found[row_id] for row_id in ids])


@functools.cache
def _users() -> Select[User]:
    return Select(User.select().where(User.id.in_(any_given("ids"))))


@functools.cache
def _programs() -> Select[Program]:
    return Select(Program.with_kinds().where(Program.id.in_(any_given("ids"))))


@functools.cache
def _memberships() -> Select:
    query = Participation.query()
    return Select(query.where(query.model.id.in_(any_given("ids"))))
