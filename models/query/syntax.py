"""From the text of a query to its tree, or to an error that says where and what was expected there."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken
from lark.lexer import PatternRE, PatternStr, TerminalDef

from models.errors import QueryError
from models.memberships import MembershipRole, MembershipState
from models.query import vocabulary
from models.query.hints import hint
from models.query.items import is_possible
from models.query.tree import (
    AllOf,
    Between,
    Comparison,
    Everybody,
    Language,
    Lasting,
    Listed,
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
from models.text import DAY_TEXT, FORBIDDEN, QUERY

# At most.
TERMS = 200
SHIFT_DIGITS = 7
SHOWN_CHARACTERS = 40


@functools.lru_cache(maxsize=512)
def parse(text: str, language: Language) -> Query:
    """What a text says; QueryError where it says nothing."""
    try:
        _check_text(text)
        query: Query = _read(text, "query")
        _check_terms(query)
        _check_sort(query.sort, language)
    except _Mistake as mistake:
        told = hint(_known(mistake.expected, language), text, mistake.place)
        found = mistake.found or shown_at(text, mistake.place)
        problem = f"expected {told.words or _either(told.expected)}, found {found}"
        raise QueryError(text, mistake.place, problem, told.expected) from None
    return query


class _Mistake(Exception):
    """What was expected, and where, in characters from 0; what was found there, unless the text shows it."""

    def __init__(self, place: int, *expected: str, found: str | None = None) -> None:
        super().__init__(place, expected)
        self.place = place
        self.expected = sorted(expected)
        self.found = found


def _check_text(text: str) -> None:
    if len(text) > QUERY:
        raise _Mistake(QUERY, f"at most {QUERY} characters", found=str(len(text)))
    if not text.strip():
        raise _Mistake(len(text), "a query")
    if wrong := FORBIDDEN.search(text):
        raise _Mistake(wrong.start(), "text without control characters")


def _check_terms(query: Query) -> None:
    places = [term.at for group in query.anyof for term in group.terms]
    if query.search:
        places += [comparison.at for group in query.search.groups for comparison in group]
    if len(places) > TERMS:
        raise _Mistake(places[TERMS], f"at most {TERMS} terms", found=str(len(places)))


def _check_sort(sorts: Sequence[Sort], language: Language) -> None:
    for number, sort in enumerate(sorts):
        if sort.field not in vocabulary.SORT_FIELDS[language]:
            raise _Mistake(sort.at, *vocabulary.LISTS["FIELD"])
        if sort.field in [before.field for before in sorts[:number]]:
            raise _Mistake(sort.at, f"{sort.field} only once", found="it again")


def _known(expected: list[str], language: Language) -> list[str]:
    """What a language knows of what its grammar, the same in all three, expects."""
    if expected == sorted(vocabulary.LISTS["FIELD"]):
        return sorted(field.value for field in vocabulary.SORT_FIELDS[language])
    return expected


def _read(text: str, start: str) -> Any:
    """What a text says as the rule of this name."""
    try:
        return _LARK.parse(text, start=start)
    except UnexpectedCharacters as error:
        place = error.pos_in_stream or 0
        quote = text[place]
        if quote in "'\"" and not _QUOTED.isdisjoint(error.allowed):
            raise _Mistake(place, f"a closing {quote}", found="the end") from None
        raise _Mistake(place, *_expected(error)) from None
    except UnexpectedToken as error:
        place = len(text.rstrip()) if error.token.type == "$END" else _at(error.token)
        raise _Mistake(place, *_expected(error)) from None


_QUOTED = {"QUOTED", "QUOTED_ITEM", "QUOTED_DAY"}


def _expected(error: UnexpectedCharacters | UnexpectedToken) -> Iterable[str]:
    return {text for name in error.interactive_parser.accepts() for text in _EXPECTED[name]}


# What an error shows of the text: a word, something in quotes, or else a character.
_SHOWN = re.compile(r"""[\w@.:/+-]+|'[^']*'?|"[^"]*"?|.""", re.DOTALL)


def shown_at(text: str, place: int) -> str:
    """What an error says that it found at a place of the text."""
    match = _SHOWN.match(text.rstrip(), place)
    if not match:
        return "the end"
    found = match[0]
    if len(found) == 1 and not found.isprintable():
        return f"U+{ord(found):04X}"
    if len(found) > SHOWN_CHARACTERS:
        found = found[: SHOWN_CHARACTERS - 1] + "…"
    found = "".join(one if one.isprintable() else " " for one in found)
    return found if found[0] in "'\"" else f'"{found}"'


def _either(texts: Iterable[str]) -> str:
    *others, last = [text if text[0].isalnum() else f'"{text}"' for text in texts]
    return f"{', '.join(others)} or {last}" if others else last


class _Setting(NamedTuple):
    """`status = …` or `participant = …`, which is about the whole query."""

    word: str
    name: str  # of the member of Query
    value: Any
    at: int


class _Unitless(NamedTuple):
    """A signed number whose unit is not written."""

    number: int
    at: int


class _Tree(Transformer):
    """A method for each rule of the grammar, called with the pieces once they are read."""

    def query(self, parts: list[tuple[str, Any]]) -> Query:
        found = dict(parts)
        groups, settings = found.pop("qualifiers", ((), {}))
        return Query(groups, **settings, **found)

    def qualifiers(self, groups: list[list[Term | _Setting]]) -> tuple[str, Any]:
        settings: dict[str, Any] = {}
        for setting in chain(*groups):
            if isinstance(setting, _Setting):
                if setting.name in settings:
                    raise _Mistake(setting.at, f"{setting.word} only once", found="it again")
                settings[setting.name] = setting.value
        terms = (tuple(one for one in group if not isinstance(one, _Setting)) for group in groups)
        return "qualifiers", (tuple(AllOf(group) for group in terms if group), settings)

    def all_of(self, terms: list[Term | _Setting]) -> list[Term | _Setting]:
        return terms

    def program(self, parts: list[Any]) -> ProgramTerm:
        first, phase, *others = parts
        states = others.pop() if others and isinstance(others[-1], tuple) else ()
        today = Today(_at(first))
        days = others[0] if others else Between(today, today)
        return ProgramTerm(Phase(phase.lower()), days, states, _at(first))

    def between(self, points: list[Point | _Unitless]) -> Range:
        start, end = points[0], points[-1]
        return Between(_complete(start, end), _complete(end, start))

    def lasting(self, parts: list[Any]) -> Range:
        start, unit = parts
        return Lasting(_complete(start), _UNITS[unit.lower()])

    def states(self, words: list[Token]) -> tuple[MembershipState, ...]:
        return tuple([MembershipState(word.lower()) for word in words])

    def today(self, words: list[Token]) -> Point:
        return Today(_at(words[0]))

    def day(self, words: list[Token]) -> Point:
        [text] = words
        if not DAY_TEXT.fullmatch(text):
            raise _Mistake(_at(text), vocabulary.A_DATE)
        try:
            return OnDay(date.fromisoformat(text), _at(text))
        except ValueError:
            raise _Mistake(_at(text), vocabulary.A_DAY) from None

    def shift(self, parts: list[Token]) -> Point | _Unitless:
        text = parts[0]
        if len(text) > 1 + SHIFT_DIGITS:
            raise _Mistake(_at(text), f"a signed number of at most {SHIFT_DIGITS} digits")
        if len(parts) == 1:
            return _Unitless(int(text), _at(text))
        return Shift(int(text), _UNITS[parts[1].lower()], _at(text))

    def listed(self, words: list[Any]) -> Term:
        first, noun, *items = words
        states = items.pop() if isinstance(items[-1], tuple) else ()
        texts = tuple([_unquoted(item) if item.type == "QUOTED_ITEM" else str(item) for item in items])
        name, places = _NOUNS[noun.lower()], tuple(map(_at, items))
        for item, place in zip(texts, places, strict=True):
            if not is_possible(name, item):
                raise _Mistake(place, vocabulary.NOUNS[name].items)
        return Listed(name, texts, first.type == "EXCEPT", states, _at(first), places)

    def unplaced(self, words: list[Token]) -> Term:
        return Unplaced(_at(words[0]))

    def everybody(self, words: list[Token]) -> Term:
        return Everybody(len(words) == 2, _at(words[0]))

    def somebody(self, words: list[Token]) -> Somebody:
        return Somebody(UUID(words[1]) if len(words) == 2 else None, _at(words[0]))

    def tied(self, parts: list[Any]) -> Term:
        tie, other = parts
        user_id = other.user_id if isinstance(other, Somebody) else UUID(other)
        return Tied(Tie(tie.lower()), user_id, _at(tie))

    def status(self, words: list[Token]) -> _Setting:
        return _Setting("status", "status", vocabulary.STATUSES[words[1].lower()], _at(words[0]))

    def participant(self, words: list[Token]) -> _Setting:
        return _Setting("participant", "role", MembershipRole(words[1].lower()), _at(words[0]))

    def search(self, groups: list[tuple[Comparison, ...]]) -> tuple[str, Search]:
        return "search", Search(tuple(groups))

    def all_match(self, comparisons: list[Comparison]) -> tuple[Comparison, ...]:
        return tuple(comparisons)

    def comparison(self, parts: list[Any]) -> Comparison:
        word, operator = Word(parts[0].lower()), Operator(parts[1].lower())
        match = parts[2] if len(parts) == 3 else None
        if isinstance(match, Token):
            if operator is Operator.IS and len(match) == 2:
                operator, match = Operator.EMPTY, None
            else:
                match = _unquoted(match) if match.type == "QUOTED" else _quoted_point(match)
        elif match is not None:
            match = _complete(match)
        return Comparison(word, operator, match, _at(parts[0]))

    def sort(self, sorts: list[Sort]) -> tuple[str, tuple[Sort, ...]]:
        return "sort", tuple(sorts)

    def sorted(self, words: list[Token]) -> Sort:
        return Sort(SortField(words[0].lower()), len(words) == 2, _at(words[0]))

    def limit(self, words: list[Token]) -> tuple[str, int]:
        [text] = words
        if len(text) > vocabulary.LIMIT_DIGITS or not int(text):
            raise _Mistake(_at(text), vocabulary.A_LIMIT)
        return "limit", int(text)


def _at(token: Token) -> int:
    assert token.start_pos is not None  # it is of a text
    return token.start_pos


# Spellings, and what they say.
_NOUNS = {spelling: noun for noun, row in vocabulary.NOUNS.items() for spelling in row.spellings}
_UNITS = {spelling: unit for unit, row in vocabulary.UNITS.items() for spelling in row.spellings}


def _complete(point: Point | _Unitless, other: Point | _Unitless | None = None) -> Point:
    """A point with its unit, if need be that of the other end of its range."""
    if isinstance(point, _Unitless):
        return Shift(point.number, other.unit if isinstance(other, Shift) else Unit.DAY, point.at)
    return point


def _unquoted(text: Token) -> str:
    quote = text[0]
    return text[1:-1].replace(quote + quote, quote)


def _quoted_point(text: Token) -> Point:
    """As if the quotes were not there."""
    inside = text[1:-1]
    try:
        point = _complete(_read(inside, "point"))
    except _Mistake as mistake:
        at_end = mistake.place == len(inside.rstrip())
        place = _at(text) if at_end else _at(text) + 1 + mistake.place
        raise _Mistake(place, *mistake.expected) from None
    return replace(point, at=_at(text) + 1 + point.at)


# What errors say of a piece of the grammar; what is written as it stands there says itself.
_EXPECTED = {**vocabulary.LISTS, **vocabulary.EXPECTED}


def _finish(terminal: TerminalDef) -> None:
    """Words are read in any letter case, and only where no other word begins so."""
    pattern = terminal.pattern
    if isinstance(pattern, PatternStr):
        _EXPECTED[terminal.name] = (pattern.value,)
    if pattern.value[0].isalpha():
        # By ASCII, or the long s and the Kelvin sign would be letters of our words.
        terminal.pattern = PatternRE(f"(?ai:{pattern.value})(?![\\w-])")


def _grammar() -> str:
    """The grammar with its lists of words."""
    lists = (f"{name}: /{'|'.join(words)}/" for name, words in vocabulary.LISTS.items())
    return "\n".join([Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8"), *lists])


_LARK = Lark(
    _grammar(),
    parser="lalr",
    start=["query", "point"],
    transformer=_Tree(),
    maybe_placeholders=False,
    edit_terminals=_finish,
)
