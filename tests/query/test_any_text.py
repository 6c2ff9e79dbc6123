"""Any text at all is a query or a query error, soon."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import QueryError
from models.query import vocabulary
from models.query.syntax import parse
from models.query.tree import Language, Query
from models.text import QUERY
from tests.query.cases import cases

SECONDS = 0.5  # of CPU, for 10,000 characters; the longest takes a fifteenth of it

PIECES = [
    *sorted({word for words in vocabulary.LISTS.values() for word in words}),
    *(
        "given",
        "except",
        "all",
        "admin",
        "current",
        "user",
        "id:",
        "as",
        "from",
        "to",
        "today",
        "with",
        "where",
    ),
    *("status", "participant", "and", "or", "sort by", "asc", "desc", "limit", "empty", "is ''", "not ''"),
    *(
        "[",
        "]",
        "[a, b]",
        ",",
        "^",
        "|",
        "=",
        ":",
        "'",
        '"',
        "''",
        "'a'",
        '"b"',
        "'2024-01-31'",
        "(",
        ")",
        ".",
        "\\",
    ),
    *(
        "2024-01-31",
        "2024-02-30",
        "0000-00-00",
        "1-1-1",
        "+1",
        "-2",
        "+",
        "-",
        "+99999999",
        "0",
        "7",
        "9" * 5000,
    ),
    *(
        "00000001-0000-4000-8000-00000000000a",
        "ada@example.org",
        "\u017f",
        "\u0131",
        "\u212a",
        "é",
        "🎈",
        "\ud800",
        "\0",
    ),
    *(" ", "\n", "\r\n", "\t", "\u00a0", "\u2028", "\u200b", "\ufeff", "\x1c", "\x85"),
]
QUERIES = [*sorted({case.text for case in cases()}), *vocabulary.QUALIFIERS]
QUERY_OF_ALL_SORTS = st.characters(exclude_categories=())  # lone surrogates too


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Queries of cases.txt and pieces of them, with some of it taken out, put in or doubled."""
    text = " ".join(draw(st.lists(st.sampled_from(QUERIES), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = draw(st.integers(start, min(len(text), start + 12)))
        put = draw(
            st.one_of(st.just(""), st.sampled_from(PIECES), st.just(text[start:end] * 2), st.text(max_size=3))
        )
        text = text[:start] + put + text[end:]
    return text


texts = st.one_of(
    st.text(QUERY_OF_ALL_SORTS),
    st.lists(st.sampled_from(PIECES)).map(" ".join),
    st.lists(st.sampled_from(PIECES)).map("".join),
    mutations(),
    # Long ones: something said over and over, perhaps with the beginning of a query before it.
    st.builds(
        lambda first, again, last: (
            (first + again * (QUERY // max(len(again), 1)))[: QUERY - len(last)] + last
        ),
        mutations()
        | st.sampled_from(["", "given labels [", "where first is '", "program starting +", "limit "]),
        st.lists(st.sampled_from(PIECES), min_size=1, max_size=6).map(" ".join) | st.text(min_size=1),
        st.sampled_from(["", "]", "'", " sort by name", "x"]),
    ),
)


def outcome(text: str, language: Language) -> Query | QueryError:
    """What comes of a text, past the cache."""
    try:
        return parse.__wrapped__(text, language)
    except QueryError as error:
        return error


def seconds(text: str, language: Language = Language.USERS) -> float:
    """The CPU time that a text takes."""
    began = time.thread_time()
    outcome(text, language)
    return time.thread_time() - began


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts, st.sampled_from(Language))
def test_any_text_is_a_query_or_a_query_error_at_a_place_in_it_or_right_behind(text, language):
    found = outcome(text, language)

    if isinstance(found, QueryError):
        line = text.split("\n")[found.line - 1]
        assert 1 <= found.column <= len(line) + 1
        assert found.message.startswith(f"Line {found.line}, column {found.column}: expected ")
        assert found.message.isprintable()
        assert len(found.message) < 400
        assert found.expected == sorted(set(found.expected))
        assert 1 <= len(found.expected) <= 8
    else:
        assert isinstance(found, Query)


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(texts)
def test_any_text_is_answered_soon(text):
    assert min(seconds(text) for _ in range(2)) < SECONDS


def over_and_over(again: str, first: str = "", last: str = "") -> str:
    return first + again * ((QUERY - len(first) - len(last)) // len(again)) + last


HOSTILE = {
    "opening brackets": over_and_over("["),
    "closing brackets": over_and_over("]"),
    "opening parentheses": over_and_over("("),
    "single quotes": over_and_over("'"),
    "double quotes": over_and_over('"'),
    "quotes of both sorts": over_and_over("'\""),
    "digits": over_and_over("9"),
    "carets": over_and_over("^"),
    "commas": over_and_over(","),
    "signs": over_and_over("+-"),
    "blanks": over_and_over(" "),
    "lines": over_and_over("\n"),
    "blanks before a word": over_and_over(" ", last="x"),
    "wide blanks in a list": over_and_over("\u3000", "given labels [a", "]"),
    "zeros": over_and_over("\0"),
    "surrogates": over_and_over("\ud800"),
    "letters": over_and_over("a"),
    "a long number of days": over_and_over("9", "program starting +"),
    "a long date": over_and_over("0-", "program starting "),
    "a long year": over_and_over("9", "program starting ", "-01-01"),
    "a long limit": over_and_over("9", "limit "),
    "a limit of zeros": over_and_over("0", "limit ", "1"),
    "a long id": over_and_over("0", "id:"),
    "a long id of groups": over_and_over("0000-", "id:"),
    "a long number of days in quotes": over_and_over("9", "where joined after '+", "'"),
    "blanks in quotes": over_and_over(" ", "where joined after '", "'"),
    "items": over_and_over("a,", "given labels [", "a]"),
    "items without an end": over_and_over("a,", "given labels ["),
    "quoted items": over_and_over("'a',", "given labels [", "a]"),
    "an item of quotes": over_and_over("''", "given labels ['", "']"),
    "a quote that is not closed": over_and_over("''", "given labels ['"),
    "a text that is not closed": over_and_over("a", "where first is '"),
    "lists in lists": over_and_over("[", "given labels "),
    "states": over_and_over("active|", "program active with [", "active]"),
    "states without an end": over_and_over("active|", "program active with ["),
    "terms with commas": over_and_over("current,", last="current"),
    "terms with carets": over_and_over("current^", last="current"),
    "terms without a sign": over_and_over("current "),
    "lists": over_and_over("given labels [a] ^ ", last="current"),
    "programs": over_and_over("program starting from -1 to +1, ", last="current"),
    "settings": over_and_over("status=any "),
    "comparisons": over_and_over("any empty or ", "where ", "any empty"),
    "comparisons of days": over_and_over("login is '-1' and ", "where ", "any empty"),
    "comparisons without an end": over_and_over("any is 'a' and ", "where "),
    "words": over_and_over("given "),
    "words in one": over_and_over("given"),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_long_text_that_means_no_good_is_answered_soon(text):
    assert QUERY - 40 < len(text) <= QUERY
    assert min(seconds(text) for _ in range(2)) < SECONDS


@pytest.mark.parametrize(
    "text", ["[" * 1_000_000, "current," * 1_000_000, " " * 1_000_000], ids=["[", "terms", " "]
)
def test_a_text_that_is_too_long_is_not_read(text):
    assert "at most 10000 characters" in str(outcome(text, Language.USERS))
    assert min(seconds(text) for _ in range(2)) < SECONDS
