"""From the tree of a query to the statements that find the ids of its rows."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import peewee

from models.memberships import Membership, MembershipState
from models.people import User
from models.programs import Program
from models.query import meaning, search
from models.query.items import sorted_out
from models.query.meaning import NAMES, Link, Meaning, Places, What, all_of, any_of
from models.query.search import NATURAL
from models.query.syntax import parse
from models.query.tree import (
    Comparison,
    Everybody,
    Language,
    Listed,
    Noun,
    ProgramTerm,
    Query,
    Search,
    Somebody,
    Sort,
    SortField,
    Term,
    Tied,
    Unplaced,
    is_about_participant,
    is_excluded,
    states_of,
)
from models.query.values import POINT_VALUES, RANGE_VALUES, Later, Values, own_name
from models.rows import BaseModel
from models.statements import HOLE, Piece, Statement, given

Few = frozenset[int]  # the numbers of the parts that find few

_TRUE = peewee.SQL("TRUE")
_OF_ACTIVE = (Noun.ACTIVE, Noun.PROGRAM_KIND_ACTIVE)


@functools.lru_cache(maxsize=512)
def compiled(text: str, language: Language) -> Compiled:
    """The statements of a query; QueryError where the text says nothing."""
    return Compiled(parse(text, language), language, text)


@dataclass(frozen=True)
class _Part:
    """A term, or the search, with its values: the forms of its Meaning."""

    each: peewee.Node
    listed: peewee.Node | None = None
    is_few: Piece | None = None
    excluded: bool = False

    def form(self, is_few: bool) -> peewee.Node:
        found = self.listed if is_few and self.listed is not None else self.each
        # Not `NOT`: where there is no cohort, say, nobody can tell whether it is one of some.
        return peewee.Expression(found, "IS NOT", _TRUE) if self.excluded else found


@dataclass(frozen=True)
class _Group:
    """Terms joined by `^`, by the numbers of their parts.

    Some parts are about the row itself. In a program query others may be about one participant, who
    must be all of it at once.
    """

    of_row: Sequence[int]
    takes_away: bool  # it says only what is not wanted, and is taken away from what others find
    of_member: Sequence[int] | None = None  # None: the group asks for no participant
    member: Meaning | None = None  # around these


class Compiled:
    """The statements of one query, for whoever asks and on whatever day.

    The parts of a query are its terms and its search. In a statement, each is a test of every row, or a
    list of all that it finds, which leads to rows by an index: quick where it finds few.
    """

    def __init__(self, query: Query, language: Language, text: str = "") -> None:
        self.query, self.language = query, language
        reader = _Reader(query, language, text)
        self._groups = reader.groups()
        self.parts, self._search = reader.parts, reader.search
        self._always = list(reader.always())
        self.later = reader.later
        self._statements: dict[tuple[Few, bool], Statement] = {}

    def statement(self, few: Few, *, in_head: bool = False) -> Statement:
        """What finds the ids, `limit` of them behind `offset`; in the head, only those before an edge."""
        if (few, in_head) not in self._statements:
            frame = _frame(self.language, self.query.sort, in_head)
            self._statements[few, in_head] = Statement(frame.around(self._condition(few)))
        return self._statements[few, in_head]

    def _condition(self, few: Few) -> peewee.Node:
        tests: list[peewee.Node] = list(self._always)
        alternatives: list[peewee.Node] = []
        for group in self._groups:
            (tests if group.takes_away else alternatives).append(self._form(group, few))
        if alternatives:
            tests.append(any_of(alternatives))
        if self._search is not None and self.language is not Language.PROGRAMS:
            tests.append(self.parts[self._search].form(self._search in few))
        return all_of(tests)

    def _form(self, group: _Group, few: Few) -> peewee.Node:
        found = [self.parts[number].form(number in few) for number in group.of_row]
        if group.member is not None and group.of_member is not None:
            inner = all_of([self.parts[number].form(number in few) for number in group.of_member])
            leads = not (few - self.excluded).isdisjoint(group.of_member)
            form = group.member.listed if leads else group.member.each
            assert form is not None
            found.append(form.around(inner))
        return all_of(found)

    def few(self, values: Values, most: int) -> Few:
        """The parts whose lists are made of at most so many rows, or people, each of whom has several."""
        listed = [number for number, part in enumerate(self.parts) if part.listed is not None]
        few = frozenset(number for number in listed if self.parts[number].is_few is None)
        asked = [number for number in listed if number not in few]
        few |= self._found_few([number for number in asked if number != self._search], values, most)
        if not self.leads(few):  # the search looks at all users
            few |= self._found_few([number for number in asked if number == self._search], values, most)
        return few

    def _found_few(self, numbers: Sequence[int], values: Values, most: int) -> Few:
        if not numbers:
            return frozenset()
        people = most // 4 if self.language is Language.PARTICIPANTS else most
        [answers] = self.questions(numbers).stored(**values, few_rows=most, few_people=people)
        return frozenset(number for number, is_few in zip(numbers, answers, strict=True) if is_few)

    def questions(self, numbers: Sequence[int]) -> Statement:
        """Whether some parts, of which that is not known beforehand, find few."""
        return Statement(peewee.Select(columns=[self.parts[number].is_few for number in numbers]))

    @functools.cached_property
    def excluded(self) -> Few:
        """The parts of what is not wanted."""
        return frozenset(number for number, part in enumerate(self.parts) if part.excluded)

    def leads(self, few: Few) -> bool:
        """Whether the lists of these parts lead to all that the query finds: then no others are looked at."""
        if self._search in few and self.language is not Language.PROGRAMS:
            return True
        alternatives = [group for group in self._groups if not group.takes_away]
        leading = few - self.excluded
        return bool(alternatives) and all(
            not leading.isdisjoint([*group.of_row, *(group.of_member or ())]) for group in alternatives
        )


class _Reader:
    """Makes parts of what a tree says, and notes which values they will be run with."""

    def __init__(self, query: Query, language: Language, text: str) -> None:
        self._query, self._language = query, language
        self.later = Later(text)
        self.parts: list[_Part] = []
        self._found_in_role: list[bool] = []  # of groups of a user query: whether a term sees to it
        # What the whole query says of users, and of the memberships by which they are found.
        self._values: Values = {}
        if query.status is not None:
            self._values["status"] = query.status.value
        if query.role is not None:
            self._values["role"] = query.role.value
        self.search: int | None = None
        if query.search is not None:
            self.search = self._add(self._searching(query.search))

    def _add(self, part: _Part) -> int:
        self.parts.append(part)
        return len(self.parts) - 1

    def groups(self) -> list[_Group]:
        """The groups of terms, each with the parts that its terms make."""
        of_one = self._of_program if self._language is Language.PROGRAMS else self._of_row
        groups = [of_one(group.terms) for group in self._query.anyof]
        if self._language is Language.PROGRAMS and all(group.takes_away for group in groups):
            everything = self._with_member([], [], None)
            if everything.of_member is not None:
                groups.append(everything)
        return groups

    def _of_row(self, terms: Sequence[Term]) -> _Group:
        """Terms that are each about the user or the membership that is found."""
        numbers = []
        by_membership = False
        for term in terms:
            what, values, names = self._meant(term)
            by_membership |= isinstance(what, Places) and not is_excluded(term)
            made = meaning.meaning(self._language, what, self._link(what, "states" in values))
            numbers.append(self._add(_given(made, self._values | values, names, is_excluded(term))))
        takes_away = all(map(is_excluded, terms))
        if not takes_away:
            self._found_in_role.append(by_membership)
        return _Group(numbers, takes_away)

    def _of_program(self, terms: Sequence[Term]) -> _Group:
        """Terms about the program that is found, and those about one participant.

        Where no term gives a participant, what is excluded is excluded of all participants.
        """
        takes_away = all(map(is_excluded, terms))
        gives_member = any(is_about_participant(term) and not is_excluded(term) for term in terms)
        asked = [set(states_of(term)) for term in terms if states_of(term) and not is_excluded(term)]
        states = sorted(set.intersection(*asked)) if asked else None
        of_row: list[int] = []
        of_member: list[int] = []
        for term in terms:
            what, values, names = self._meant(term)
            excluded = is_excluded(term)
            if not is_about_participant(term):
                made = meaning.meaning(Language.PROGRAMS, what, Link())
                of_row.append(self._add(_given(made, values, names, excluded)))
                continue
            made = meaning.meaning(Language.PARTICIPANTS, what, Link(states="states" in values))
            if gives_member or not excluded:
                of_member.append(self._add(_given(made, values, names, excluded)))
            else:
                around = self._around(None if states_of(term) else states)
                of_row.append(self._add(_given(made, values, names, excluded, around)))
        if takes_away:
            return _Group(of_row, takes_away)
        return self._with_member(of_row, of_member, states)

    def _with_member(
        self, of_row: Sequence[int], of_member: Sequence[int], states: Sequence[str] | None
    ) -> _Group:
        """A group with all that the query says of its participant."""
        searched: list[int] = [] if self.search is None else [self.search]
        of_member = [*of_member, *searched]
        if of_member or states is not None or "role" in self._values:
            return _Group(of_row, False, of_member, self._around(states))
        return _Group(of_row, False)

    def _around(self, states: Sequence[str] | None) -> Meaning:
        """Programs with a participant as the query and these states say, to be put around more of that."""
        link = Link("role" in self._values, states is not None, "status" in self._values)
        return meaning.with_member(link).given(self._values | {"states": states})

    def _link(self, what: What, has_states: bool) -> Link:
        """What must be true of the membership by which a term finds."""
        has_role = "role" in self._values
        match self._language, what:
            case Language.USERS, Places():
                return Link(role=has_role, states=has_states)
            case Language.PARTICIPANTS, Places():
                return Link(states=has_states)  # the role is that of the row, whatever the terms
        return Link()

    def _meant(self, term: Term) -> tuple[What, Values, Mapping[str, str]]:
        """What a term is about, its values, and the names of those that it will be run with."""
        match term:
            case Everybody(admins=admins):
                return (meaning.admins() if admins else meaning.everybody()), {}, {}
            case Somebody(user_id=user_id, at=at):
                return meaning.somebody(), *self._user(user_id, at)
            case Tied(tie=tie, user_id=user_id, at=at):
                return meaning.tied(tie), *self._user(user_id, at)
            case Unplaced():
                active = {"states": [MembershipState.ACTIVE]} if self._language is Language.USERS else {}
                return meaning.unplaced(), active, {}
            case Listed(noun=noun, items=items, states=states):
                ids, words = sorted_out(noun, items)
                values: Values = {"ids": _one_or_all(ids), "words": _one_or_all(words)}
                counts = min(len(ids), 2), min(len(words), 2)
                if self._language is Language.USERS and noun in _OF_ACTIVE:  # found by that membership itself
                    return meaning.runs(noun, *counts), values | {"states": [MembershipState.ACTIVE]}, {}
                return meaning.listed(noun, *counts), values | ({"states": states} if states else {}), {}
            case ProgramTerm(phase=phase, range=span, states=states):
                number = len(self.later.ranges)
                self.later.ranges.append(span)
                values = {"states": states} if states else {}
                return meaning.running(phase), values, _own_names(RANGE_VALUES, number)

    def _user(self, user_id: UUID | None, at: int) -> tuple[Values, Mapping[str, str]]:
        if user_id is not None:
            return {"user_id": user_id}, {}
        if self.later.current is None:
            self.later.current = at
        return {}, {"user_id": "current"}

    def _searching(self, search: Search) -> _Part:
        """The part that `where` makes."""
        test = any_of([all_of([self._comparison(one) for one in group]) for group in search.groups])
        if self._language is Language.USERS:
            return _Part(test)
        return _given(meaning.searched().around(test), {})

    def _comparison(self, comparison: Comparison) -> Piece:
        word, match = comparison.word, comparison.match
        test = search.test(word, comparison.operator, match == "")
        if match is None or isinstance(match, str):
            return test.given({"match": match and match.casefold()})
        number = len(self.later.points)
        self.later.points.append(match)
        return test.given({}, _own_names(POINT_VALUES, number))

    def always(self) -> Iterator[Piece]:
        """What must be true of every row, whatever the terms; to be asked behind them."""
        if "status" in self._values and self._language is not Language.PROGRAMS:
            yield meaning.with_status().given(self._values)
        if "role" in self._values:
            match self._language:
                case Language.PARTICIPANTS:
                    yield meaning.in_role().given(self._values)
                case Language.USERS if not all(self._found_in_role or [False]):
                    yield meaning.some_membership().given(self._values)


def _given(
    made: Meaning,
    values: Values,
    names: Mapping[str, str] | None = None,
    excluded: bool = False,
    around: Meaning | None = None,
) -> _Part:
    made = made.given(values, names or {})
    if around is not None:
        made = around.around(made)
    return _Part(made.each, made.listed, made.is_few, excluded)


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _own_names(names: Sequence[str], number: int) -> dict[str, str]:
    return {name: own_name(number, name) for name in names}


# The selects that conditions are put into.


@functools.lru_cache(maxsize=256)
def _frame(language: Language, sort: tuple[Sort, ...], in_head: bool) -> Piece:
    tests = [HOLE]
    if in_head:
        edge = [given(own_name(number, "edge")) for number in range(len(NATURAL[language]))]
        tests.append(peewee.Tuple(*NATURAL[language]) < peewee.Tuple(*edge))
    order = search.order(language, sort)
    found = _rows(language, sort).where(*tests).order_by(*order)
    return Piece(found.limit(given("limit")).offset(given("offset")), NAMES)


_MODELS: dict[Language, type[BaseModel]] = {
    Language.USERS: User,
    Language.PROGRAMS: Program,
    Language.PARTICIPANTS: Membership,
}


def _rows(language: Language, sort: Sequence[Sort]) -> peewee.ModelSelect[Any]:
    model = _MODELS[language]
    found = model.select(model.id)
    if language is Language.PARTICIPANTS:  # crossed: SQLite takes them in this order, whatever it thinks
        found = found.join(User, peewee.JOIN.CROSS).where(Membership.user == User.id)
        if any(one.field in (SortField.START, SortField.END) for one in sort):
            found = found.join_from(Membership, Program, peewee.JOIN.CROSS)
            found = found.where(Membership.program == Program.id)
    return found


@functools.cache
def edge(language: Language) -> Statement:
    """The row behind the first `head` in the language's own order, by the columns of that."""
    order = NATURAL[language]
    found = _MODELS[language].select(*order).order_by(*order)
    return Statement(found.limit(1).offset(given("head")))


@functools.cache
def table_size(language: Language) -> Statement:
    """About how many rows there may be to look at."""
    model = User if language is Language.USERS else Membership
    return Statement(model.select(peewee.fn.MAX(peewee.SQL("rowid"))))
