"""Every right query of cases.txt finds its rows in the sample world, in their order."""

from __future__ import annotations

import re
from itertools import product
from uuid import UUID

import pytest

from models import sample
from models.memberships import MembershipRole, MembershipState
from models.people import UserStatus
from models.query.finding import find_participants, find_programs, find_users
from models.query.syntax import parse
from models.query.tree import (
    PLACES,
    Between,
    Comparison,
    Language,
    Lasting,
    Listed,
    Noun,
    OnDay,
    Phase,
    ProgramTerm,
    Shift,
    Tie,
    Tied,
    Today,
    Unit,
    Unplaced,
    Word,
)
from models.query.vocabulary import ALLOWED, SORT_FIELDS, WORDS
from tests.query.cases import Found, cases, params

NAMES = {value: name for name, value in vars(sample).items() if name.isupper() and isinstance(value, str)}


def with_ids(text: str) -> str:
    """The text, with ids for the names that stand for them."""
    return re.sub(r"\{([A-Z_]+)\}", lambda match: getattr(sample, match[1]), text)


def found(language: Language, text: str) -> list[str]:
    """What a query finds, as the cases call it."""
    match language:
        case Language.USERS:
            return [NAMES[str(user.id)] for user in find_users(text, UUID(sample.ADA))]
        case Language.PROGRAMS:
            return [NAMES[str(program.id)] for program in find_programs(text, UUID(sample.ADA))]
        case Language.PARTICIPANTS:
            rows = [one.membership for one in find_participants(text, UUID(sample.ADA))]
            return [f"{NAMES[str(row.user_id)]}/{NAMES[str(row.program_id)]}" for row in rows]


@pytest.mark.sample
@pytest.mark.parametrize("case", params(Found))
def test_a_right_query_finds_its_rows(world, case):
    assert list(case.rows) == found(case.language, with_ids(case.text))


QUERIES = [
    (case.language, parse(with_ids(case.text), case.language)) for case in cases() if isinstance(case, Found)
]
TERMS = [(language, term) for language, query in QUERIES for group in query.anyof for term in group.terms]
COMPARISONS: list[Comparison] = [
    comparison
    for _, query in QUERIES
    if query.search
    for group in query.search.groups
    for comparison in group
]


def test_there_are_two_hundred_and_more():
    assert len(QUERIES) > 200


def test_each_piece_of_the_languages_is_among_them():
    lists = {(language, term.noun, term.excluded) for language, term in TERMS if isinstance(term, Listed)}
    ties = {(language, term.tie) for language, term in TERMS if isinstance(term, Tied)}
    programs = [(language, term) for language, term in TERMS if isinstance(term, ProgramTerm)]
    sorts = {(language, sort.field) for language, query in QUERIES for sort in query.sort}
    settings = {(language, query.role) for language, query in QUERIES}

    assert lists >= set(product([Language.USERS], Noun, [False, True]))
    assert lists >= set(product(Language, Noun, [False]))
    with_states = {
        (language, term.noun) for language, term in TERMS if isinstance(term, Listed) and term.states
    }
    assert with_states >= set(product([Language.USERS, Language.PROGRAMS], PLACES))
    assert {language for language, term in TERMS if isinstance(term, Unplaced)} == set(Language)
    assert ties == set(product(Language, Tie))
    assert {(language, term.phase) for language, term in programs} == set(product(Language, Phase))
    assert {state for _, term in programs for state in term.states} == set(MembershipState)
    assert settings == set(product(Language, [None, *MembershipRole]))
    assert {query.status for _, query in QUERIES} == {None, *UserStatus}
    assert sorts == {(language, field) for language, fields in SORT_FIELDS.items() for field in fields}
    assert {sort.descending for _, query in QUERIES for sort in query.sort} == {False, True}
    assert max(len(query.sort) for _, query in QUERIES) > 1
    assert {language for language, query in QUERIES if query.limit} == set(Language)


def test_each_form_of_a_range_is_among_them():
    ranges = [term.range for _, term in TERMS if isinstance(term, ProgramTerm)]
    points = [point for one in ranges if isinstance(one, Between) for point in (one.start, one.end)]

    assert {one.unit for one in ranges if isinstance(one, Lasting)} == set(Unit)
    assert {point.unit for point in points if isinstance(point, Shift)} == set(Unit)
    assert {type(point) for point in points} == {Today, Shift, OnDay}
    assert {one.start == one.end for one in ranges if isinstance(one, Between)} == {False, True}


def test_each_word_and_each_operator_of_where_is_among_them():
    allowed = {(row.kind, operator) for row in WORDS.values() for operator in ALLOWED[row.kind]}

    assert {comparison.word for comparison in COMPARISONS} == set(Word)
    assert {(WORDS[one.word].kind, one.operator) for one in COMPARISONS} == allowed
