"""What queries find: users, programs, participants, and the ids of users."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from models.memberships import Membership, Participation, ParticipationSelect
from models.people import User, UserSelect
from models.programs import Program
from models.query.compiler import Compiled, Few, compiled, edge, table_size
from models.query.tree import Language
from models.query.values import Values, own_name
from models.rows import BaseModel
from models.statements import Rows, Select, Stored, any_given

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class Pace:
    """What takes no time, in rows, and how much more if many are wanted; all ways find the same."""

    few: int = 2000  # in a list
    few_per_row: int = 4
    head: int = 4000  # looked at one by one
    head_per_row: int = 20
    members: int = 20  # a program is looked at through its members, and so takes as long as so many rows


PACE = Pace()


def find_users(text: str, current: UUID | None, limit: int | None = None, offset: int = 0) -> Sequence[User]:
    """The users that a query finds, with their handles. QueryError: it says nothing, or nobody is current."""
    return _with_ids(_users(), _ids(text, Language.USERS, current, limit, offset))


def find_programs(
    text: str, current: UUID | None, limit: int | None = None, offset: int = 0
) -> Sequence[Program]:
    """The programs that a query finds, each with its kind."""
    return _with_ids(_programs(), _ids(text, Language.PROGRAMS, current, limit, offset))


def find_participants(
    text: str, current: UUID | None, limit: int | None = None, offset: int = 0
) -> Sequence[Participation]:
    """The memberships that a query finds, with all that is shown of them."""
    return _with_ids(_participations(), _ids(text, Language.PARTICIPANTS, current, limit, offset))


def user_ids(text: str, current: UUID | None) -> list[str]:
    """The ids of the users that a query finds, in its order."""
    return _ids(text, Language.USERS, current, None, 0)


def _ids(text: str, language: Language, current: UUID | None, limit: int | None, offset: int) -> list[str]:
    return ids(compiled(text, language), current, limit, offset)


def ids(
    query: Compiled, current: UUID | None, limit: int | None = None, offset: int = 0, pace: Pace = PACE
) -> list[str]:
    """The ids of the rows that a compiled query finds: a page of them inside the query's own limit.

    Where lists of few lead to all rows, these are taken. Else the page may be filled by looking at the
    first of all rows, in the order in which they are wanted. Where that is not so either, longer lists
    are made; or, if there are none, all rows are looked at.
    """
    values = query.later.values(current)  # first of all: a query that is wrong is refused on any page
    if query.query.limit is not None:
        rest = query.query.limit - offset
        limit = rest if limit is None else min(limit, rest)
    if limit is not None and limit <= 0:
        return []
    page = values | {"limit": -1 if limit is None else limit, "offset": offset}
    wanted = 0 if limit is None else offset + limit
    few = query.few(values, pace.few + pace.few_per_row * wanted)
    if not query.leads(few):
        if wanted and not query.query.sort:
            found = _in_head(query, few, page, pace.head + pace.head_per_row * wanted, pace)
            if len(found) == limit:
                return found
        few = _longer(query, few, values, pace.few)
    return _first(query.statement(few).stored(**page))


def _in_head(query: Compiled, few: Few, page: Values, head: int, pace: Pace) -> list[str]:
    """What is found among the first rows of all; nothing if all are so few."""
    if query.language is Language.PROGRAMS:
        head //= pace.members
    edges = edge(query.language).stored(head=head)
    if not edges:
        return []
    values = {own_name(number, "edge"): value for number, value in enumerate(edges[0])}
    return _first(query.statement(few, in_head=True).stored(**page, **values))


def _longer(query: Compiled, few: Few, values: Values, most: int) -> Few:
    """The parts with the shortest lists that lead to all rows; else those to look at all rows with."""
    [[size]] = table_size(query.language).stored()
    rows = size or 0
    while most < rows // 4:
        most *= 4
        longer = query.few(values, most)
        if query.leads(longer):
            return longer
    return few | query.excluded


def _first(rows: Sequence[Stored]) -> list[str]:
    return [row[0] for row in rows]


def _with_ids(select: Select[M], ids: Sequence[str]) -> Rows[M]:
    """The rows with these ids, in their order."""
    found = {row[0]: row for row in select.rows(ids=ids).stored}
    return Rows(select, [found[row_id] for row_id in ids])


@functools.cache
def _users() -> UserSelect:
    return UserSelect(User.select().where(User.id.in_(any_given("ids"))))


@functools.cache
def _programs() -> Select[Program]:
    return Select(Program.with_kinds().where(Program.id.in_(any_given("ids"))))


@functools.cache
def _participations() -> ParticipationSelect:
    return ParticipationSelect(Participation.query().where(Membership.id.in_(any_given("ids"))))
