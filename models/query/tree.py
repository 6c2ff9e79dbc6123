"""What a query says, as values that compare: the tree that the parser makes and the compiler reads.

A place (`at`) counts characters of the text from 0 and is left out of comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from uuid import UUID

from models.memberships import MembershipRole, MembershipState
from models.people import UserStatus


class Language(StrEnum):
    """What a query finds; the three languages share their grammar."""

    USERS = "users"
    PROGRAMS = "programs"
    PARTICIPANTS = "participants"


class Unit(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


def _place() -> int:
    return field(default=0, compare=False)


@dataclass(frozen=True)
class Today:
    """Each program's own day; in `where`, that of UTC."""

    at: int = _place()


@dataclass(frozen=True)
class Shift:
    """So many units from today, before it if negative."""

    number: int
    unit: Unit
    at: int = _place()


@dataclass(frozen=True)
class OnDay:
    """A day of the calendar."""

    day: date
    at: int = _place()


Point = Today | Shift | OnDay


@dataclass(frozen=True)
class Between:
    """From one point to another, both included, in whichever order."""

    start: Point
    end: Point


@dataclass(frozen=True)
class Lasting:
    """From a point, one unit long: `from today as year`."""

    start: Point
    unit: Unit


Range = Between | Lasting


class Phase(StrEnum):
    """What of a program lies in a range."""

    STARTING = "starting"
    ENDING = "ending"
    ACTIVE = "active"
    OPEN = "open"


@dataclass(frozen=True)
class ProgramTerm:
    """`program starting from today as year with [active]`; no states: any."""

    phase: Phase
    range: Range  # today where the text has none
    states: tuple[MembershipState, ...] = ()
    at: int = _place()


class Noun(StrEnum):
    """What a list of ids, handles or emails names."""

    PROGRAMS = "programs"
    KIND = "kind"
    PROGRAM_KIND_ACTIVE = "program-kind-active"
    USERS = "users"
    GROUPS = "groups"
    CHANNELS = "channels"
    LABELS = "labels"
    ACTIVE = "active"
    COHORTS = "cohorts"


@dataclass(frozen=True)
class Listed:
    """`given labels [a, b]`, or `except kind [a, b] with [completed]`; no states: any."""

    noun: Noun  # other spellings of the text (`program-kind`, `user-labels`) are made one
    items: tuple[str, ...]  # as written, without quotes
    excluded: bool = False
    states: tuple[MembershipState, ...] = ()
    at: int = _place()
    places: tuple[int, ...] = field(default=(), compare=False)  # of the items


@dataclass(frozen=True)
class Unplaced:
    """`given no cohort`."""

    at: int = _place()


@dataclass(frozen=True)
class Everybody:
    """`all users`, or `all admin`."""

    admins: bool = False
    at: int = _place()


@dataclass(frozen=True)
class Somebody:
    """`current user` (None), or `id:<user id>`."""

    user_id: UUID | None = None
    at: int = _place()


class Tie(StrEnum):
    """What users have to do with one of them."""

    FOLLOWERS = "followers"
    FOLLOWING = "following"
    DIRECT = "direct"
    RELATED = "related"
    COHORT = "cohort"
    PROGRAM = "program"


@dataclass(frozen=True)
class Tied:
    """`followers as current` (None), or `followers as <user id>`."""

    tie: Tie
    user_id: UUID | None = None
    at: int = _place()


Term = ProgramTerm | Listed | Unplaced | Everybody | Somebody | Tied


def is_excluded(term: Term) -> bool:
    return isinstance(term, Listed) and term.excluded


def states_of(term: Term) -> tuple[MembershipState, ...]:
    """The states that it names of memberships; none: any."""
    return term.states if isinstance(term, Listed | ProgramTerm) else ()


# Nouns whose lists say where memberships are: of which program, of which kind, in which cohort.
PLACES = (Noun.PROGRAMS, Noun.KIND, Noun.COHORTS)


def is_about_users(term: Term) -> bool:
    """Whether it is about users, and not about where memberships are."""
    if isinstance(term, Listed):
        return term.noun not in PLACES
    return not isinstance(term, ProgramTerm | Unplaced)


def is_about_participant(term: Term) -> bool:
    """Whether, in a program query, it is about a participant of the program."""
    if isinstance(term, Listed) and term.states:  # of a program or kind it is enough that the group says so
        return term.excluded or term.noun is Noun.COHORTS
    return is_about_users(term) or isinstance(term, Unplaced)


@dataclass(frozen=True)
class AllOf:
    """Terms joined by `^`, one or more."""

    terms: tuple[Term, ...]


class Word(StrEnum):
    """A keyword of `where`."""

    ANY = "any"
    NAME = "name"
    FIRST = "first"
    LAST = "last"
    EMAIL = "email"
    PHONE = "phone"
    TIMEZONE = "timezone"
    ID = "id"
    MEMBERSHIP = "membership"
    EXTERNAL = "external"
    LOGIN = "login"
    JOINED = "joined"


class Operator(StrEnum):
    """How `where` compares; `is ''` is made EMPTY, and only EMPTY has no match."""

    IS = "is"
    NOT = "not"
    STARTS = "starts"
    ENDS = "ends"
    CONTAINS = "contains"
    EMPTY = "empty"
    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True)
class Comparison:
    """`first starts 'A'`, or `joined after 2024-01-31`."""

    word: Word
    operator: Operator
    match: str | Point | None = None  # a Point for login and joined, a text for all others
    at: int = _place()


@dataclass(frozen=True)
class Search:
    """`where …`: groups of comparisons joined by `and`; one of the groups is enough."""

    groups: tuple[tuple[Comparison, ...], ...]


class SortField(StrEnum):
    LAST = "last"
    FIRST = "first"
    NAME = "name"
    START = "start"
    END = "end"


@dataclass(frozen=True)
class Sort:
    field: SortField
    descending: bool = False
    at: int = _place()


@dataclass(frozen=True)
class Query:
    """A whole query. Nothing said of what is wanted: everything."""

    anyof: tuple[AllOf, ...] = ()  # joined by `,`
    status: UserStatus | None = UserStatus.ACTIVE  # None: `status = any`
    role: MembershipRole | None = None  # `participant = …`; None: any
    search: Search | None = None
    sort: tuple[Sort, ...] = ()  # the first counts most
    limit: int | None = None
