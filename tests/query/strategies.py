"""Random trees of each language over the world of `world.py`, and random spellings of their texts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from models.memberships import MembershipRole, MembershipState
from models.people import UserStatus
from models.query.items import is_possible
from models.query.tree import (
    AllOf,
    Between,
    Comparison,
    Everybody,
    Language,
    Lasting,
    Listed,
    Noun,
    OnDay,
    Operator,
    Phase,
    Point,
    ProgramTerm,
    Query,
    Range,
    Search,
    Shift,
    Somebody,
    Sort,
    SortField,
    Term,
    Tie,
    Tied,
    Today,
    Unit,
    Unplaced,
    Word,
)
from tests.query import world

# What the wire lets through: no control characters but blanks, no lone surrogates.
CHARACTERS = st.characters(exclude_categories=("Cs", "Cc"), include_characters="\t\n\r")


@st.composite
def _often(draw: st.DrawFn, usual: st.SearchStrategy[Any], *others: st.SearchStrategy[Any]) -> Any:
    """The usual in three cases of four."""
    return draw(usual if draw(st.integers(0, 3)) < 3 else st.one_of(*others))


@st.composite
def _one_of(draw: st.DrawFn, *weighted: tuple[int, st.SearchStrategy[Any]]) -> Any:
    """One of some strategies, so many times as often as if all were alike."""
    return draw(draw(st.sampled_from([one for times, one in weighted for _ in range(times)])))


# --- Items

_NOWHERE = UUID("00000000-0000-4000-8000-00000000dead")


def _ids(rows: list[world.Values]) -> list[str]:
    return [str(row["id"]) for row in rows]


def _handles(rows: list[world.Values]) -> list[str]:
    return [row["handle"] for row in rows if row["handle"]]


_EMAILS = [row["email"] for row in world.USERS if row["email"]]
_USUAL = {
    Noun.PROGRAMS: _ids(world.PROGRAMS) + _handles(world.KINDS) * 3,
    Noun.KIND: _ids(world.KINDS) + _handles(world.KINDS),
    Noun.PROGRAM_KIND_ACTIVE: _ids(world.KINDS) + _handles(world.KINDS),
    Noun.ACTIVE: _ids(world.PROGRAMS) + _ids(world.KINDS) + _handles(world.KINDS),
    Noun.USERS: _ids(world.USERS) + _EMAILS,
    Noun.GROUPS: _ids(world.GROUPS) + _handles(world.GROUPS),
    Noun.CHANNELS: _ids(world.CHANNELS) + _handles(world.CHANNELS),
    Noun.LABELS: _ids(world.LABELS) + _handles(world.LABELS) * 3,
    Noun.COHORTS: _ids(world.COHORTS),
}
_STRANGE = [
    str(_NOWHERE),
    *("nobody@example.org", "@", "a@b@c", "user 1@example.org", "\u200buser1@example.org\ufeff"),
    *(
        "'",
        '"',
        "''",
        "]",
        ",",
        ";",
        "a;b",
        " ",
        "\n",
        "\u00a0",
        "with",
        "given",
        "all users",
        "|",
        "^",
        "%",
        "_",
        "--",
    ),
    str(_NOWHERE).replace("-", ""),
    "{" + str(_NOWHERE) + "}",
]


def items(noun: Noun) -> st.SearchStrategy[str]:
    """Names of things, mostly of the right sort and mostly of things that there are."""
    usual = st.sampled_from(_USUAL[noun])
    other = st.sampled_from(sorted({item for items in _USUAL.values() for item in items}))
    return _often(
        usual,
        st.builds(str.upper, usual),
        st.builds(str.swapcase, usual),
        other,
        st.sampled_from(_STRANGE),
        st.text(CHARACTERS, min_size=1, max_size=8),
    ).map(lambda item: item if is_possible(noun, item) else str(_NOWHERE))


# --- Days

numbers = _often(
    st.integers(-3, 3), st.integers(-800, 800), st.sampled_from([-2100, 8000, -9_999_999, 9_999_999])
)
shifts = st.builds(Shift, numbers, st.sampled_from(Unit))
days = _often(
    st.builds(lambda number: world.TODAY + timedelta(days=number), st.integers(-45, 45)),
    st.sampled_from([date.min, date(2024, 2, 29), date(9999, 12, 1), date.max]),
    st.dates(),
)
points: st.SearchStrategy[Point] = st.one_of(st.builds(Today), shifts, st.builds(OnDay, days))
ranges: st.SearchStrategy[Range] = st.one_of(
    st.builds(Between, points, points),
    points.map(lambda point: Between(point, point)),
    st.builds(Lasting, points, st.sampled_from(Unit)),
)

# --- Terms

user_ids = _often(
    st.none(), st.sampled_from([row["id"] for row in world.USERS]), st.just(_NOWHERE), st.uuids()
)
states = st.lists(st.sampled_from(MembershipState), max_size=3, unique=True).map(tuple)
program_terms = st.builds(ProgramTerm, st.sampled_from(Phase), ranges, states)


def _listed(noun: Noun) -> st.SearchStrategy[Listed]:
    several = st.lists(items(noun), min_size=1, max_size=4).map(tuple)
    excluded = _often(st.just(False), st.just(True))
    if noun in (Noun.PROGRAMS, Noun.KIND, Noun.COHORTS):
        return st.builds(Listed, st.just(noun), several, excluded, _often(st.just(()), states))
    return st.builds(Listed, st.just(noun), several, excluded)


terms: st.SearchStrategy[Term] = _one_of(
    (3, program_terms),
    (6, st.sampled_from(Noun).flatmap(_listed)),
    (1, st.builds(Unplaced)),
    (1, st.builds(Everybody, st.booleans())),
    (1, st.builds(Somebody, user_ids)),
    (2, st.builds(Tied, st.sampled_from(Tie), user_ids)),
)
groups = st.lists(terms, min_size=1, max_size=3).map(lambda some: AllOf(tuple(some)))

# --- Search

_OF_DAYS = (Word.LOGIN, Word.JOINED)
_DAY_OPERATORS = (Operator.IS, Operator.NOT, Operator.BEFORE, Operator.AFTER)
_TEXT_OPERATORS = (Operator.IS, Operator.NOT, Operator.STARTS, Operator.ENDS, Operator.CONTAINS)
_TEXTS = sorted(
    {
        str(row[name])
        for row in world.USERS
        for name in ("id", "first", "last", "name", "email", "mobile", "external_id", "external_status")
        if row[name]
    }
)


@st.composite
def matches(draw: st.DrawFn) -> str:
    """A piece of a text that there is, as it is or in other letter case; or any text."""
    text = draw(st.sampled_from(_TEXTS))
    start = draw(st.sampled_from([0, 0, 1, len(text) // 2]))
    end = draw(st.sampled_from([len(text), len(text), start + 1, len(text) - 1]))
    change: Callable[[str], str] = draw(st.sampled_from([str, str.upper, str.lower, str.title, str.casefold]))
    return draw(st.one_of(st.just(change(text[start:end])), st.just(""), st.text(CHARACTERS, max_size=3)))


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    word = draw(st.sampled_from(Word))
    if draw(st.integers(0, 7)) == 0:
        return Comparison(word, Operator.EMPTY)
    if word in _OF_DAYS:
        near = _often(
            st.builds(OnDay, st.sampled_from([row["created_at"].date() for row in world.USERS])), points
        )
        return Comparison(word, draw(st.sampled_from(_DAY_OPERATORS)), draw(near))
    operator = draw(st.sampled_from(_TEXT_OPERATORS))
    match = draw(matches())
    if operator is Operator.IS and not match:  # which is another tree
        return Comparison(word, Operator.EMPTY)
    return Comparison(word, operator, match)


searches = st.builds(
    Search,
    st.lists(st.lists(comparisons(), min_size=1, max_size=3).map(tuple), min_size=1, max_size=3).map(tuple),
)

# --- Queries

SORTED_BY = {
    Language.USERS: (SortField.LAST, SortField.FIRST, SortField.NAME),
    Language.PROGRAMS: (SortField.NAME, SortField.START, SortField.END),
    Language.PARTICIPANTS: tuple(SortField),
}


def queries(language: Language) -> st.SearchStrategy[Query]:
    """Trees that a text of the language can say."""
    fields = st.lists(st.sampled_from(SORTED_BY[language]), unique=True, max_size=3)
    sorts = fields.flatmap(
        lambda some: st.tuples(*(st.builds(Sort, st.just(one), st.booleans()) for one in some))
    )
    return st.builds(
        Query,
        anyof=st.lists(groups, max_size=3).map(tuple),
        status=_often(st.just(UserStatus.ACTIVE), st.none(), st.just(UserStatus.RETIRED)),
        role=_often(st.none(), st.sampled_from(MembershipRole)),
        search=_often(st.none(), searches),
        sort=sorts,
        limit=_often(st.none(), st.integers(1, 50), st.just(999_999_999)),
    )


# --- Spellings

_TOKEN = re.compile(r"'(?:[^']|'')*'|[\[\],^=]|\s+|[^\s\[\],^=']+")
_ALIASES = {
    "kind": ["program-kind"],
    "labels": ["user-labels"],
    "days": ["d", "day", "D"],
    "day": ["d", "days"],
    "weeks": ["w", "week"],
    "week": ["w", "weeks"],
    "months": ["m", "month"],
    "month": ["m", "months"],
    "years": ["y", "year"],
    "year": ["y", "years"],
}


@st.composite
def spellings(draw: st.DrawFn, text: str) -> str:
    """Another spelling of a canonical text: blanks, letter case, quotes, other words for the same."""
    spelled: list[str] = []
    word = ""  # the last one outside of brackets
    inside = False
    for token in _TOKEN.findall(text):
        is_item = inside and word != "with"
        if token == "[":
            inside = True
        elif token == "]":
            inside = False
        elif token[0] == "'" or (is_item and token not in ", "):
            spelled.append(_requoted(draw, token, bare=is_item))
            continue
        elif not token.isspace() and not inside:
            word = token
        if token.isspace():
            spelled.append(draw(st.sampled_from([" ", " ", "  ", "\n", "\t ", "\r\n"])))
        elif token in "[],^=":
            if token == "," and inside and word == "with":
                token = draw(st.sampled_from(",|"))
            blanks = st.sampled_from(["", " ", "\n"])
            if spelled and spelled[-1].isspace() and not draw(st.booleans()):
                spelled.pop()  # blanks may as well be left out before brackets and signs
            spelled.append(draw(blanks) + token + draw(blanks))
        else:
            same = draw(st.sampled_from([token, *_ALIASES.get(token, [])]))
            spelled.append(draw(st.sampled_from([same, same, same.upper(), same.title()])))
    return "".join(spelled)


def _requoted(draw: st.DrawFn, token: str, *, bare: bool) -> str:
    """A text in either quotes, or without where it may."""
    text = token[1:-1].replace("''", "'") if token[0] == "'" else token
    written = ["'" + text.replace("'", "''") + "'", '"' + text.replace('"', '""') + '"']
    return draw(st.sampled_from([*written, token] if bare else written))
