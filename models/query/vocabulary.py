"""The words of the query languages, a row a word: how each is written and what it means."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

import peewee

from models.memberships import MembershipRole, MembershipState
from models.people import User, UserStatus
from models.query.tree import PLACES, Language, Noun, Operator, Phase, SortField, Tie, Unit, Word


@dataclass(frozen=True)
class NounRow:
    """A noun of lists: its spellings, its items in words, and the users that a list finds."""

    spellings: tuple[str, ...]
    items: str
    help: str


@dataclass(frozen=True)
class Row:
    """A word in one or more spellings, the usual one first."""

    spellings: tuple[str, ...]
    help: str


class Kind(StrEnum):
    """What a `where` word is compared with."""

    TEXT = "text"
    DAY = "day"


@dataclass(frozen=True)
class WordRow:
    """A `where` word: the columns it looks in, what it is compared with."""

    columns: tuple[peewee.ColumnBase, ...]
    kind: Kind
    help: str


# What may stand between `,` and `^`, by an example; NOUNS, PHASES and TIES have the words that vary.
QUALIFIERS = {
    "program active today": "programs by their days, and users by being in them",
    "program starting from today as year with [active, completed]": "the same, by these states",
    "given labels [london-region]": "what has to do with one of those in the list",
    "except labels [london-region]": "all but that",
    "given kind [cooking] with [completed]": "the same, by these states; of programs, kind and cohorts",
    "given no cohort": "memberships without a cohort; users by an active one",
    "all users": "every user",
    "all admin": "every user whose role is admin",
    "current user": "the user that the token acts for; `current` alone is the same",
    "id:00000001-0000-4000-8000-000000000001": "the user with this id",
    "followers as current": "users tied to the user that the token acts for",
    "followers as 00000001-0000-4000-8000-000000000001": "users tied to the user with this id",
    "status = any": "which users count: any, active (unless said) or retired",
    "participant = trainer": "the role that counts: member, trainer or observer; any unless said",
}

_BY_HANDLE = "an id or handle"
NOUNS = {
    Noun.PROGRAMS: NounRow(
        ("programs",), _BY_HANDLE, "in one of these programs: ids, or handles of kinds for all their programs"
    ),
    Noun.KIND: NounRow(
        ("kind", "program-kind"), _BY_HANDLE, "in a program of one of these kinds: ids or handles"
    ),
    Noun.PROGRAM_KIND_ACTIVE: NounRow(
        ("program-kind-active",),
        _BY_HANDLE,
        "now active in a program of one of these kinds: ids or handles",
    ),
    Noun.USERS: NounRow(("users",), "a user id or email", "one of these users: ids or emails"),
    Noun.GROUPS: NounRow(("groups",), _BY_HANDLE, "in one of these groups: ids or handles"),
    Noun.CHANNELS: NounRow(("channels",), _BY_HANDLE, "in one of these channels: ids or handles"),
    Noun.LABELS: NounRow(("labels", "user-labels"), _BY_HANDLE, "with one of these labels: handles or ids"),
    Noun.ACTIVE: NounRow(
        ("active",), _BY_HANDLE, "now active in one of these programs, or kinds: ids, or handles of kinds"
    ),
    Noun.COHORTS: NounRow(("cohorts",), "a cohort id", "now in one of these cohorts: ids"),
}

TIES = {
    Tie.FOLLOWERS: Row(("followers",), "who follow the user"),
    Tie.FOLLOWING: Row(("following",), "whom the user follows"),
    Tie.DIRECT: Row(("direct",), "who report to the user, or to whom the user reports"),
    Tie.RELATED: Row(("related",), "who are related to the user"),
    Tie.COHORT: Row(("cohort",), "who share a cohort with the user"),
    Tie.PROGRAM: Row(("program",), "who share a program with the user"),
}

PHASES = {
    Phase.STARTING: Row(("starting",), "the program's first day is in the range"),
    Phase.ENDING: Row(("ending",), "the program's last day is in the range"),
    Phase.ACTIVE: Row(("active",), "one of the program's days is in the range"),
    Phase.OPEN: Row(("open",), "the same, and the program's mode is open"),
}

UNITS = {
    Unit.DAY: Row(("day", "days", "d"), "a day"),
    Unit.WEEK: Row(("week", "weeks", "w"), "seven days"),
    Unit.MONTH: Row(("month", "months", "m"), "to the same day of another month, or its last"),
    Unit.YEAR: Row(("year", "years", "y"), "to the same day of another year, or the month's last"),
}

STATUSES = {"any": None, **{status.value: status for status in UserStatus}}

_TEXTS = {
    Word.NAME: WordRow((User.shown_name_column(),), Kind.TEXT, "the whole name"),
    Word.FIRST: WordRow((User.first,), Kind.TEXT, "the first name"),
    Word.LAST: WordRow((User.last,), Kind.TEXT, "the last name"),
    Word.EMAIL: WordRow((User.email,), Kind.TEXT, "the email"),
    Word.PHONE: WordRow((User.mobile,), Kind.TEXT, "the mobile number"),
    Word.TIMEZONE: WordRow((User.timezone,), Kind.TEXT, "the time zone"),
    Word.MEMBERSHIP: WordRow((User.external_status,), Kind.TEXT, "externalStatus"),
    Word.EXTERNAL: WordRow((User.external_id,), Kind.TEXT, "externalId"),
}

WORDS = {
    Word.ANY: WordRow(tuple(row.columns[0] for row in _TEXTS.values()), Kind.TEXT, "any of the texts below"),
    **_TEXTS,
    Word.ID: WordRow((User.id,), Kind.TEXT, "the id"),
    Word.LOGIN: WordRow((User.last_sign_in_at,), Kind.DAY, "the day of the last sign-in"),
    Word.JOINED: WordRow((User.created_at,), Kind.DAY, "the day the user joined"),
}

OPERATORS = {
    Operator.IS: Row(("is",), "the same, whatever the letter case; `is ''`: empty"),
    Operator.NOT: Row(("not",), "not the same; nothing at all is not the same either"),
    Operator.STARTS: Row(("starts",), "begins with"),
    Operator.ENDS: Row(("ends",), "ends with"),
    Operator.CONTAINS: Row(("contains",), "has in it"),
    Operator.EMPTY: Row(("empty",), "has nothing in it; takes no match"),
    Operator.BEFORE: Row(("before",), "on an earlier day"),
    Operator.AFTER: Row(("after",), "on a later day"),
}

ALLOWED = {
    Kind.TEXT: (
        Operator.IS,
        Operator.NOT,
        Operator.STARTS,
        Operator.ENDS,
        Operator.CONTAINS,
        Operator.EMPTY,
    ),
    Kind.DAY: (Operator.IS, Operator.NOT, Operator.BEFORE, Operator.AFTER, Operator.EMPTY),
}

# What a result can be sorted by; the rows of the other languages have no such member.
SORT_FIELDS = {
    Language.USERS: {
        SortField.LAST: "the last name",
        SortField.FIRST: "the first name",
        SortField.NAME: "the whole name",
    },
    Language.PROGRAMS: {
        SortField.NAME: "the program's name",
        SortField.START: "the program's first day",
        SortField.END: "the program's last day",
    },
    Language.PARTICIPANTS: {
        SortField.LAST: "the user's last name",
        SortField.FIRST: "the user's first name",
        SortField.NAME: "the user's whole name",
        SortField.START: "the program's first day",
        SortField.END: "the program's last day",
    },
}


def _spellings(rows: Iterable[Row | NounRow]) -> tuple[str, ...]:
    return tuple(spelling for row in rows for spelling in row.spellings)


def _operators(kind: Kind) -> tuple[str, ...]:
    """Those that take a match."""
    allowed = (OPERATORS[operator] for operator in ALLOWED[kind] if operator is not Operator.EMPTY)
    return _spellings(allowed)


def _words(kind: Kind) -> tuple[str, ...]:
    return tuple(word.value for word, row in WORDS.items() if row.kind is kind)


# The lists of words that the grammar has in capitals.
LISTS: dict[str, tuple[str, ...]] = {
    "NOUN": _spellings(row for noun, row in NOUNS.items() if noun not in PLACES),
    "PLACE_NOUN": _spellings(NOUNS[noun] for noun in PLACES),
    "PHASE": _spellings(PHASES.values()),
    "STATE": tuple(state.value for state in MembershipState),
    "TIE": _spellings(row for tie, row in TIES.items() if tie is not Tie.PROGRAM),  # a piece of its own there
    "UNIT": _spellings(UNITS.values()),
    "USER_STATUS": tuple(STATUSES),
    "ROLE": tuple(role.value for role in MembershipRole),
    "TEXT_WORD": _words(Kind.TEXT),
    "TEXT_OPERATOR": _operators(Kind.TEXT),
    "DAY_WORD": _words(Kind.DAY),
    "DAY_OPERATOR": _operators(Kind.DAY),
    "FIELD": tuple(field.value for field in SortField),
}

LIMIT_DIGITS = 9
A_LIMIT = f"a number from 1 to {'9' * LIMIT_DIGITS}"
A_DATE = "a date as YYYY-MM-DD"
A_DAY = "a day of the calendar from 0001-01-01 to 9999-12-31"

# How errors speak of the other pieces that are not one word.
EXPECTED: dict[str, tuple[str, ...]] = {
    "DATE": (A_DATE,),
    "SHIFT": ("a signed number",),
    "NUMBER": (A_LIMIT,),
    "UUID": ("a user id",),
    "QUOTED": ("a text in quotes",),
    "QUOTED_ITEM": ("an id, handle or email",),
    "QUOTED_DAY": (A_DATE,),
    "ITEM": ("an id, handle or email",),
    # One spelling of each is enough.
    "NOUN": tuple(noun.value for noun in NOUNS if noun not in PLACES),
    "PLACE_NOUN": tuple(noun.value for noun in PLACES),
    "UNIT": tuple(unit.value for unit in Unit),
    "$END": ("the end",),
}
