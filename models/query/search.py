"""What `where` and `sort by` mean in SQL: texts that compare whatever their letter case, and days."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import peewee

from models.memberships import Membership
from models.people import User
from models.programs import Program
from models.query import vocabulary
from models.query.meaning import NAMES, all_of, any_of
from models.query.tree import Language, Operator, Sort, SortField, Word
from models.statements import Piece, given


@functools.cache
def test(word: Word, operator: Operator, blank: bool) -> Piece:
    """Whether the user `u` matches the given `match`, or `day` and `day_after`; `blank`: the match is ''."""
    row = vocabulary.WORDS[word]
    if row.kind is vocabulary.Kind.DAY:
        return Piece(_day_test(row.columns[0], operator), NAMES)
    match operator:
        case Operator.EMPTY:
            found = all_of([_is_empty(text) for text in row.columns])
        case Operator.NOT if blank:
            found = any_of([~_is_empty(text) for text in row.columns])
        case Operator.NOT:
            found = all_of([peewee.fn.COALESCE(_folded(text), "") != _MATCH for text in row.columns])
        case _ if blank:
            found = any_of([text.is_null(False) for text in row.columns])
        case _:
            found = any_of([_text_test(_folded(text), operator) for text in row.columns])
    return Piece(found, NAMES)


_MATCH = given("match")
_LENGTH = peewee.fn.LENGTH(_MATCH)


def _text_test(text: Any, operator: Operator) -> peewee.Node:
    match operator:
        case Operator.IS:
            return text == _MATCH
        case Operator.STARTS:
            return peewee.fn.SUBSTR(text, 1, _LENGTH) == _MATCH
        case Operator.ENDS:
            return peewee.fn.SUBSTR(text, _LENGTH * -1) == _MATCH
        case Operator.CONTAINS:
            return peewee.fn.INSTR(text, _MATCH) > 0
    raise ValueError(operator)


def _day_test(instant: Any, operator: Operator) -> peewee.Node:
    is_on = (instant >= given("day")) & (instant < given("day_after"))
    match operator:
        case Operator.IS:
            return is_on
        case Operator.NOT:
            return instant.is_null() | ~is_on
        case Operator.BEFORE:
            return instant < given("day")
        case Operator.AFTER:
            return instant >= given("day_after")
        case Operator.EMPTY:
            return instant.is_null()
    raise ValueError(operator)


def _folded(text: peewee.Node) -> Any:
    """A text as it compares. Of ASCII, SQLite's own LOWER, which is quick, makes the same as CASEFOLD."""
    if text is User.id:  # always lower case
        return text
    is_ascii = peewee.fn.OCTET_LENGTH(text) == peewee.fn.LENGTH(text)
    return peewee.Case(None, [(is_ascii, peewee.fn.LOWER(text))], peewee.fn.CASEFOLD(text))


def _is_empty(text: peewee.Node) -> Any:
    return peewee.fn.COALESCE(text, "") == ""


# The order of rows unless another is asked for: total, and there is an index of it.
NATURAL: dict[Language, Sequence[peewee.Node]] = {
    Language.USERS: (User.created_at, User.id),
    Language.PROGRAMS: (Program.start_date, Program.name, Program.id),
    Language.PARTICIPANTS: (Membership.id,),
}


def order(language: Language, sorts: Sequence[Sort]) -> Sequence[peewee.Node]:
    """What rows are sorted by: what is asked for, nothing last, and then the language's own order."""
    return [*(column for sort in sorts for column in _by(language, sort)), *NATURAL[language]]


def _by(language: Language, sort: Sort) -> Sequence[peewee.Node]:
    match sort.field:
        case SortField.START:
            first: list[Any] = [Program.start_date]
        case SortField.END:
            first = [Program.end_date]
        case SortField.NAME if language is Language.PROGRAMS:
            first = _by_text(Program.name)
        case SortField.NAME:
            first = _by_text(User.shown_name_column())
        case SortField.FIRST:
            first = _by_text(User.first)
        case SortField.LAST:
            first = _by_text(User.last)
    if sort.descending:
        first[-1] = first[-1].desc()
    return first


def _by_text(text: peewee.Node) -> list[Any]:
    return [_is_empty(text), peewee.fn.COALESCE(_folded(text), "")]
