"""From the tree of a query to the statements that find the ids of its rows."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import peewee

from models.memberships import Membership, MembershipState
from models.people import User, email_key
from models.programs import Program
from models.query import meaning, search
from models.query.meaning import NAMES, Link, Meaning, People, Places, What, all_of, any_of
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
)
from models.query.values import POINT_VALUES, RANGE_VALUES, Later, Values, own_name
from models.rows import BaseModel
from models.statements import HOLE, Piece, Statement, given
from models.text import UUID_TEXT

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


class Compiled:
    """The statements of one query, for whoever asks and on whatever day.

    The parts of a query are its terms and its search. In a statement, each is a test of every row, or a
    list of all that it finds, which leads to rows by an index: quick where it finds few.
    """

    def __init__(self, query: Query, language: Language, text: str = "") -> None:
        self.query, self.language = query, language
        reader = _Reader(query, language, text)
        self.parts: list[_Part] = []
        self._groups: list[range] = []  # of numbers of parts
        for group in query.anyof:
            first = len(self.parts)
            self.parts += reader.group(group.terms)
            self._groups.append(range(first, len(self.parts)))
        self._search = len(self.parts)
        if query.search is not None:
            self.parts.append(reader.search(query.search))
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
            found = all_of([self.parts[number].form(number in few) for number in group])
            (tests if self._takes_away(group) else alternatives).append(found)
        if alternatives:
            tests.append(any_of(alternatives))
        if self.query.search is not None:
            tests.append(self.parts[self._search].form(self._search in few))
        return all_of(tests)

    def _takes_away(self, group: range) -> bool:
        """Whether a group says only what is not wanted: that is taken away from what others find."""
        return all(self.parts[number].excluded for number in group)

    def few(self, values: Values, most: int) -> Few:
        """The parts whose lists are made of at most so many rows, or people, each of whom has several."""
        listed = [number for number, part in enumerate(self.parts) if part.listed is not None]
        few = frozenset(number for number in listed if self.parts[number].is_few is None)
        asked = [number for number in listed if number not in few]
        terms = [number for number in asked if number != self._search]
        few |= self._found_few(terms, values, most)
        if terms != asked and not self.leads(few):  # the search looks at all users
            few |= self._found_few([self._search], values, most)
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
        if self._search in few:
            return True
        alternatives = [group for group in self._groups if not self._takes_away(group)]
        leading = {number for number in few if not self.parts[number].excluded}
        return bool(alternatives) and all(not leading.isdisjoint(group) for group in alternatives)


class _Reader:
    """Makes parts of what a tree says, and notes which values they will be run with."""

    def __init__(self, query: Query, language: Language, text: str) -> None:
        self._query, self._language = query, language
        self.later = Later(text)
        self._is_about: set[type[What]] = set()
        # What the whole query says of users, and of the memberships by which they are found.
        self._values: Values = {}
        if query.status is not None:
            self._values["status"] = query.status.value
        if query.role is not None:
            self._values["role"] = query.role.value

    def group(self, terms: Sequence[Term]) -> Iterator[_Part]:
        """The parts that terms joined by `^` make."""
        asked = [set(term.states) for term in terms if isinstance(term, ProgramTerm) and term.states]
        states = sorted(set.intersection(*asked)) if asked else None
        by_people = False
        for term in terms:
            what, values, names = self._meant(term)
            self._is_about.add(type(what))
            excluded = isinstance(term, Listed) and term.excluded
            by_people |= isinstance(what, People) and not excluded
            if self._language is Language.PROGRAMS and states is not None:
                values = values | {"states": states}
            link = self._link(what, "states" in values)
            made = meaning.meaning(self._language, what, link)
            yield _given(made, self._values | values, names, excluded)
        if self._language is Language.PROGRAMS and states is not None and not by_people:
            yield _Part(self._some_member(states))

    def _link(self, what: What, has_states: bool) -> Link:
        """What must be true of the membership by which a term finds."""
        has_role = "role" in self._values
        match self._language, what:
            case Language.USERS, Places():
                return Link(role=has_role, states=has_states)
            case Language.PARTICIPANTS, Places():
                return Link(states=has_states)  # the role is that of the row, whatever the terms
            case Language.PROGRAMS, People():
                return Link(has_role, has_states, "status" in self._values)
        return Link()

    def _some_member(self, states: Sequence[str] | None = None) -> Piece:
        link = Link("role" in self._values, states is not None, "status" in self._values)
        return meaning.some_member(link).given(self._values | {"states": states})

    def _meant(self, term: Term) -> tuple[What, Values, Mapping[str, str]]:
        """What a term is about, its values, and the names of those that it will be run with."""
        match term:
            case Everybody(admins=admins):
                return (meaning.admins() if admins else meaning.everybody()), {}, {}
            case Somebody(user_id=user_id, at=at):
                return meaning.somebody(), *self._user(user_id, at)
            case Tied(tie=tie, user_id=user_id, at=at):
                return meaning.tied(tie), *self._user(user_id, at)
            case Listed(noun=noun, items=items):
                ids, words = _sorted_out(noun, items)
                values: Values = {"ids": _one_or_all(ids), "words": _one_or_all(words)}
                counts = min(len(ids), 2), min(len(words), 2)
                if not any(counts):
                    counts = 2, 0  # any number of ids, which may be none
                if self._language is Language.USERS and noun in _OF_ACTIVE:  # found by that membership itself
                    return meaning.runs(noun, *counts), values | {"states": [MembershipState.ACTIVE]}, {}
                return meaning.listed(noun, *counts), values, {}
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

    def search(self, search: Search) -> _Part:
        """The part that `where` makes."""
        test = any_of([all_of([self._comparison(one) for one in group]) for group in search.groups])
        if self._language is Language.USERS:
            return _Part(test)
        link = self._link(meaning.everybody(), has_states=False)
        return _given(meaning.searched(self._language, link).around(test), self._values)

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
                case Language.USERS if Places not in self._is_about:
                    yield meaning.some_membership().given(self._values)
                case Language.PROGRAMS if People not in self._is_about and self._query.search is None:
                    yield self._some_member()


def _given(
    made: Meaning, values: Values, names: Mapping[str, str] | None = None, excluded: bool = False
) -> _Part:
    def given(piece: Piece | None) -> Piece | None:
        return None if piece is None else piece.given(values, names or {})

    return _Part(made.each.given(values, names or {}), given(made.listed), given(made.is_few), excluded)


def _sorted_out(noun: Noun, items: Sequence[str]) -> tuple[list[str], list[str]]:
    """The items that are ids, and the handles or emails as they are stored."""
    ids = [item.lower() for item in items if UUID_TEXT.fullmatch(item)]
    words = [item for item in items if not UUID_TEXT.fullmatch(item)]
    match noun:
        case Noun.USERS:
            words = [key for word in words if (key := _email_key(word)) is not None]
        case Noun.COHORTS:
            words = []  # they have no handles
    return ids, words


def _email_key(text: str) -> str | None:
    try:
        return email_key(text)
    except ValueError:
        return None


def _one_or_all(values: list[str]) -> str | list[str]:
    return values[0] if len(values) == 1 else values


def _own_names(names: Sequence[str], number: int) -> dict[str, str]:
    return {name: own_name(number, name) for name in names}


# The selects that conditions are put into.


@functools.cache
def _frame(language: Language, sort: Sort | None, in_head: bool) -> Piece:
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


def _rows(language: Language, sort: Sort | None) -> peewee.ModelSelect[Any]:
    model = _MODELS[language]
    found = model.select(model.id)
    if language is Language.PARTICIPANTS:  # crossed: SQLite takes them in this order, whatever it thinks
        found = found.join(User, peewee.JOIN.CROSS).where(Membership.user == User.id)
        if sort is not None and sort.field in (SortField.START, SortField.END):
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
