"""The tree of a query as text that means the same: the one spelling of it."""

from __future__ import annotations

import re

from models.memberships import MembershipState
from models.people import UserStatus
from models.query.tree import (
    AllOf,
    Between,
    Comparison,
    Everybody,
    Listed,
    OnDay,
    Point,
    ProgramTerm,
    Query,
    Range,
    Search,
    Shift,
    Somebody,
    Sort,
    Term,
    Tied,
    Today,
    Unplaced,
)

_BARE = re.compile(r"[\w.@+-]+")


def written(query: Query) -> str:
    """The query as text; parsing it gives the same tree."""
    qualifiers = [_group(group) for group in query.anyof]
    if query.status is None:
        qualifiers.append("status = any")
    elif query.status is not UserStatus.ACTIVE:
        qualifiers.append(f"status = {query.status}")
    if query.role is not None:
        qualifiers.append(f"participant = {query.role}")
    parts = [", ".join(qualifiers)] if qualifiers else []
    if query.search is not None:
        parts.append(_search(query.search))
    if query.sort:
        parts.append("sort by " + ", ".join(map(_sort, query.sort)))
    if query.limit is not None:
        parts.append(f"limit {query.limit}")
    return " ".join(parts) or f"status = {UserStatus.ACTIVE}"  # a blank text is no query


def _quoted(text: str) -> str:
    """A text in quotes, those inside doubled."""
    return "'" + text.replace("'", "''") + "'"


def _group(group: AllOf) -> str:
    return " ^ ".join(_term(term) for term in group.terms)


def _term(term: Term) -> str:
    match term:
        case ProgramTerm(phase, days, states):
            return f"program {phase} {_range(days)}{_with(states)}"
        case Listed(noun, items, excluded, states):
            listed = f"{noun} [{', '.join(map(item_text, items))}]{_with(states)}"
            return f"{'except' if excluded else 'given'} {listed}"
        case Unplaced():
            return "given no cohort"
        case Everybody(admins):
            return "all admin" if admins else "all users"
        case Somebody(user_id):
            return "current user" if user_id is None else f"id:{user_id}"
        case Tied(tie, user_id):
            return f"{tie} as {user_id or 'current'}"


def _with(states: tuple[MembershipState, ...]) -> str:
    return f" with [{', '.join(states)}]" if states else ""


def item_text(item: str) -> str:
    """An item of a list, in quotes where it needs them."""
    return item if _BARE.fullmatch(item) else _quoted(item)


def _range(days: Range) -> str:
    """A range as it is written."""
    match days:
        case Between(start, end) if start == end:
            return _point(start)
        case Between(start, end):
            return f"from {_point(start)} to {_point(end)}"
    return f"from {_point(days.start)} as {days.unit}"


def _point(point: Point) -> str:
    """A day as it is written."""
    match point:
        case Today():
            return "today"
        case Shift(number, unit):
            return f"{number:+} {unit}{'' if abs(number) == 1 else 's'}"
        case OnDay(day):
            return str(day)


def _search(search: Search) -> str:
    groups = (" and ".join(_comparison(one) for one in group) for group in search.groups)
    return "where " + " or ".join(groups)


def _comparison(comparison: Comparison) -> str:
    compared = f"{comparison.word} {comparison.operator}"
    match comparison.match:
        case None:
            return compared
        case str(text):
            return f"{compared} {_quoted(text)}"
        case point:
            return f"{compared} {_point(point)}"


def _sort(sort: Sort) -> str:
    return f"{sort.field}{' desc' if sort.descending else ''}"
