"""What each kind of term means in SQL, compiled once for all values that it may have.

The tables of a select have the same names everywhere: `u` is the user, `m` the membership and `p` the
program that is looked at. A term is about users (People), or about memberships by the programs and
cohorts that they are in (Places); each language makes of it a condition on its own rows.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from models.cohorts import Cohort
from models.memberships import Membership, MembershipState
from models.people import (
    Channel,
    Group,
    Label,
    Relation,
    RelationKind,
    User,
    UserChannel,
    UserGroup,
    UserLabel,
    UserRole,
)
from models.programs import Mode, Program, ProgramKind
from models.query.tree import Language, Noun, Phase, Tie
from models.statements import HOLE, Piece, any_given, given

NAMES: dict[type[peewee.Model], str] = {User: "u", Program: "p", Membership: "m"}

_ONE = peewee.SQL("1")
_NO_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True, eq=False)
class People:
    """Users: a test of one, and the ids of all of them."""

    test: peewee.Node  # of the user `u`
    ids: peewee.SelectBase | None  # None: everybody
    few: bool = False  # whatever the values
    read: peewee.SelectBase | None = None  # what is read to find the ids, if that may be many more


@dataclass(frozen=True, eq=False)
class Places:
    """Memberships by where they are: tests of the membership `m`, and of the program `p`."""

    row: peewee.Node  # for an index to find the memberships by
    by_hand: peewee.Node  # the same, for memberships that were found by another index
    program: peewee.Node | None  # None: it is not about programs
    in_order: bool = False  # an index gives these memberships in the order of their ids


What = People | Places


@dataclass(frozen=True)
class Link:
    """What the membership must be by which something is found: which values are given."""

    role: bool = False
    states: bool = False
    status: bool = False  # of its user

    def tests(self) -> list[peewee.Node]:
        tests: list[peewee.Node] = []
        if self.role:
            tests.append(Membership.role == given("role"))
        if self.states:
            tests.append(Membership.state.in_(any_given("states")))
        if self.status:
            tests.append(User.status == given("status"))
        return tests


@dataclass(frozen=True, eq=False)
class Meaning:
    """A condition on the rows of a language, in two forms that find the same.

    Which is the quicker one depends on how many a term finds: a list of few leads to the rows by an
    index; where it finds many, each row is tested, in the order in which rows are wanted.
    """

    each: Piece
    listed: Piece | None  # None: there is no list
    is_few: Piece | None  # whether the list is made of at most so many; None: always

    def given(self, values: Mapping[str, Any], names: Mapping[str, str] = _NO_NAMES) -> Meaning:
        """The same with some of the values already given; others will be asked for by another name."""

        def filled(piece: Piece | None) -> Piece | None:
            return None if piece is None else piece.given(values, names)

        return Meaning(self.each.given(values, names), filled(self.listed), filled(self.is_few))

    def around(self, inner: peewee.Node | Meaning) -> Meaning:
        """The same with a part put where it has a hole; each of its forms, if there are more."""
        if isinstance(inner, Meaning):
            listed = None if self.listed is None or inner.listed is None else self.listed.around(inner.listed)
            return Meaning(self.each.around(inner.each), listed, inner.is_few)

        def filled(piece: Piece | None) -> Piece | None:
            return None if piece is None else piece.around(inner)

        return Meaning(self.each.around(inner), filled(self.listed), filled(self.is_few))


def _meaning(each: peewee.Node, listed: peewee.Node | None, is_few: Piece | None = None) -> Meaning:
    # None and no other: Peewee would run a select to see whether it is true.
    return Meaning(Piece(each, NAMES), None if listed is None else Piece(listed, NAMES), is_few)


def _no_more(rows: peewee.SelectBase, most: str) -> Piece:
    """Whether there are no more rows than the given value of this name."""
    return Piece(~_exists(rows.limit(1).offset(given(most))), NAMES)


def _few_people(what: People, most: str) -> Piece | None:
    rows = what.ids if what.read is None else what.read
    return None if what.few or rows is None else _no_more(rows, most)


def _few_rows(row: peewee.Node) -> Piece:
    return _no_more(Membership.select(_ONE).where(row), "few_rows")


@functools.cache
def meaning(language: Language, what: What, link: Link) -> Meaning:
    """What a term means for the rows of a language."""
    tests = link.tests()
    match language, what:
        case Language.USERS, People():
            if what.ids is None:
                return _meaning(what.test, None)
            return _meaning(what.test, User.id.in_(what.ids), _few_people(what, "few_rows"))
        case Language.USERS, Places():
            each = Membership.select(_ONE).where(Membership.user == User.id, what.by_hand, *tests)
            of_users = Membership.select(Membership.user).where(what.row, *tests)
            return _meaning(_exists(each), User.id.in_(of_users), _few_rows(what.row))
        case Language.PARTICIPANTS, People():
            if what.ids is None:
                return _meaning(what.test, None)
            among = Membership.user.in_(what.ids)
            return _meaning(what.test, among, _few_people(what, "few_people"))
        case Language.PARTICIPANTS, Places():
            is_few = None if what.in_order else _few_rows(what.row)
            return _meaning(all_of([what.by_hand, *tests]), all_of([what.row, *tests]), is_few)
        case Language.PROGRAMS, Places() if what.program is not None:
            return _meaning(what.program, what.program)
    raise ValueError(language, what)


@functools.cache
def with_member(link: Link) -> Meaning:
    """The programs with a membership that is as it must be, to be put around tests of it and its user."""
    members = _linked(link, _ONE).where(Membership.program == Program.id, HOLE)
    programs = _linked(link, Membership.program).where(HOLE)
    return _meaning(_exists(members), Program.id.in_(programs))


@functools.cache
def with_status() -> Piece:
    return Piece(User.status == given("status"), NAMES)


@functools.cache
def in_role() -> Piece:
    return Piece(Membership.role == given("role"), NAMES)


@functools.cache
def some_membership() -> Piece:
    """Whether the user has a membership in a role."""
    of_user = Membership.select(_ONE).where(Membership.user == User.id, Membership.role == given("role"))
    return Piece(_exists(of_user), NAMES)


@functools.cache
def searched() -> Meaning:
    """What finds memberships by their users, to be put around a test of the user `u`."""
    return meaning(Language.PARTICIPANTS, People(HOLE, User.select(User.id).where(HOLE)), Link())


def _linked(link: Link, *columns: peewee.Node) -> peewee.ModelSelect[Any]:
    """The memberships that are as they must be, of whichever program."""
    return Membership.select(*columns).join(User).where(all_of(link.tests()))


def _exists(query: peewee.SelectBase) -> peewee.Function:
    return peewee.fn.EXISTS(query)


def all_of(tests: Sequence[peewee.Node]) -> peewee.Node:
    first, *others = tests or [peewee.SQL("TRUE")]
    return functools.reduce(operator.and_, others, first)


def any_of(tests: Sequence[peewee.Node]) -> peewee.Node:
    first, *others = tests or [peewee.SQL("FALSE")]
    return functools.reduce(operator.or_, others, first)


class _ByHand(peewee.ColumnBase):
    """A column that no index is used for: SQLite's own sign for that is a plus."""

    def __init__(self, column: peewee.Field) -> None:
        self._column = column

    def __sql__(self, ctx: peewee.Context) -> peewee.Context:
        return ctx.literal("+").sql(self._column)


# What the terms are about. `one` says that there is one value, which an index can be asked for directly.


@functools.cache
def everybody() -> People:
    return People(_ONE, None)


@functools.cache
def admins() -> People:
    ids = User.select(User.id).where(User.role == UserRole.ADMIN)
    return People(_ByHand(User.role) == UserRole.ADMIN.value, ids)


@functools.cache
def somebody() -> People:
    """The user whose id is `user_id`."""
    is_it = User.id == given("user_id")
    return People(is_it, User.select(User.id).where(is_it), few=True)


@functools.cache
def tied(tie: Tie) -> People:
    """Those who have to do with the user `user_id`."""
    other = given("user_id")
    match tie:
        case Tie.FOLLOWERS:
            return _related([(RelationKind.FOLLOWS, Relation.user, Relation.other)])
        case Tie.FOLLOWING:
            return _related([(RelationKind.FOLLOWS, Relation.other, Relation.user)])
        case Tie.DIRECT | Tie.RELATED:
            kind = RelationKind(tie.value)
            return _related([(kind, Relation.user, Relation.other), (kind, Relation.other, Relation.user)])
        case Tie.COHORT | Tie.PROGRAM:
            column = Membership.cohort if tie is Tie.COHORT else Membership.program
            theirs = Membership.select(column).where(Membership.user == other, column.is_null(False))
            not_them = Membership.user != other
            # There is an index of the users of a cohort; those of a program are looked for by user.
            by_hand = column if tie is Tie.COHORT else _ByHand(column)
            each = Membership.select(_ONE).where(Membership.user == User.id, by_hand.in_(theirs), not_them)
            return People(
                _exists(each), Membership.select(Membership.user).where(column.in_(theirs), not_them)
            )


def _related(ways: list[tuple[RelationKind, peewee.Field, peewee.Field]]) -> People:
    """Those who stand in one column of a relation of a kind in whose other column the user stands."""
    found = [
        (who, Relation.select(who).where(Relation.kind == kind, whose == given("user_id")))
        for kind, who, whose in ways
    ]
    tests = [_exists(query.select(_ONE).where(who == User.id)) for who, query in found]
    return People(any_of(tests), functools.reduce(operator.add, (query for _, query in found)))


_TAGGED = {
    Noun.GROUPS: (UserGroup, Group),
    Noun.CHANNELS: (UserChannel, Channel),
    Noun.LABELS: (UserLabel, Label),
}


@functools.cache
def listed(noun: Noun, ids: int, words: int) -> What:
    """What has to do with what a list names by `ids` and `words`; of either there is none, one, or more."""
    match noun:
        case Noun.USERS:
            is_it = any_of(_tests((User.id, "ids", ids), (User.email_key, "words", words)))
            return People(is_it, User.select(User.id).where(is_it), few=True)
        case Noun.GROUPS | Noun.CHANNELS | Noun.LABELS:
            links, kind = _TAGGED[noun]
            tag = links._meta.fields[links.tag]
            found = links.select(links.user).where(_named(tag, kind, ids, words))
            return People(_exists(found.select(_ONE).where(links.user == User.id)), found)
        case Noun.ACTIVE | Noun.PROGRAM_KIND_ACTIVE:
            places = runs(noun, ids, words)
            active = Membership.state == MembershipState.ACTIVE
            each = Membership.select(_ONE).where(Membership.user == User.id, places.by_hand, active)
            users = Membership.select(Membership.user).where(places.row)
            return People(_exists(each), users.where(active), read=users)
        case Noun.COHORTS:
            row = any_of(_tests((Membership.cohort, "ids", ids)))  # there is an index by cohort and user
            programs = Cohort.select(Cohort.program).where(any_of(_tests((Cohort.id, "ids", ids))))
            return Places(row, row, Program.id.in_(programs))
        case Noun.PROGRAMS | Noun.KIND:
            return runs(noun, ids, words)


@functools.cache
def runs(noun: Noun, ids: int, words: int) -> Places:
    """Memberships of the programs that a list names, by themselves or by their kinds."""
    by_kind = [(Program.kind, "ids", ids)] if noun is not Noun.PROGRAMS else []
    by_id = [(Program.id, "ids", ids)] if noun in (Noun.PROGRAMS, Noun.ACTIVE) else []
    tests = _tests(*by_id)
    if words or by_kind:
        tests.append(_named(Program.kind, ProgramKind, ids if by_kind else 0, words))
    program = any_of(tests)
    if noun is Noun.PROGRAMS and not words:
        row = any_of(_tests((Membership.program, "ids", ids)))
        by_hand = row if ids == 1 else any_of(_tests((_ByHand(Membership.program), "ids", ids)))
        return Places(row, by_hand, program, in_order=ids == 1)
    return _within(program)


@functools.cache
def unplaced() -> Places:
    """Memberships without a cohort."""
    return Places(Membership.cohort.is_null(), _ByHand(Membership.cohort).is_null(), None)


def _within(program: peewee.Node) -> Places:
    """Memberships of the programs that pass a test."""
    programs = Program.select(Program.id).where(program)
    return Places(Membership.program.in_(programs), _ByHand(Membership.program).in_(programs), program)


def _tests(*columns: tuple[Any, str, int]) -> list[peewee.Node]:
    """For each column of which there are values, whether it has one of them."""
    return [
        column == given(name) if count == 1 else column.in_(any_given(name))
        for column, name, count in columns
        if count
    ]


def _named(column: peewee.Field, model: Any, ids: int, words: int) -> peewee.Node:
    """Whether a column names a row that has one of the ids or, as its handle, one of the words."""
    if not words:
        return any_of(_tests((column, "ids", ids)))
    names = any_of(_tests((model.id, "ids", ids), (model.handle_key, "words", words)))
    rows = model.select(model.id).where(names)
    is_one = words == 1 and not ids and model.handle_key.unique
    return column == rows if is_one else column.in_(rows)


@functools.cache
def running(phase: Phase) -> Places:
    """Memberships of programs of which the phase lies in a range of days, which depends on their zones."""
    low, high = (Program.by_zone(f"{end}_ahead", f"{end}_behind", end) for end in ("low", "high"))
    match phase:
        case Phase.STARTING:
            first = last = Program.start_date
        case Phase.ENDING:
            first = last = Program.end_date
        case Phase.ACTIVE | Phase.OPEN:
            first, last = Program.start_date, Program.end_date
    # `least` and `most` are for the index: the zones that programs have come to the same, one by one.
    tests = [first <= given("most"), last >= given("least"), first <= high, last >= low]
    if phase is Phase.OPEN:
        tests.append(Program.mode == Mode.OPEN)
    return _within(all_of(tests))
