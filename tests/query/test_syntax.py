"""What each piece of a query's text becomes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from uuid import UUID

import pytest

from models.errors import QueryError
from models.memberships import MembershipRole, MembershipState
from models.people import UserStatus
from models.query import vocabulary
from models.query.syntax import TERMS, parse
from models.query.tree import (
    PLACES,
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

ADA = UUID("00000001-0000-4000-8000-00000000000a")
A, B, C = (Listed(Noun.LABELS, (item,)) for item in "abc")
TODAY = Between(Today(), Today())
ITEMS = {Noun.USERS: ("a@example.org", str(ADA)), Noun.COHORTS: (str(ADA), str(ADA))}

in_every_language = pytest.mark.parametrize("language", Language)


def users(text: str) -> Query:
    return parse(text, Language.USERS)


def term(text: str) -> Term:
    """The only term of a query that is nothing else."""
    query = users(text)
    [group] = query.anyof
    [only] = group.terms
    assert Query((group,)) == query
    return only


def days(text: str) -> Range:
    only = term(f"program starting {text}")
    assert isinstance(only, ProgramTerm)
    return only.range


def groups(text: str) -> tuple[tuple[Term, ...], ...]:
    return tuple(group.terms for group in users(text).anyof)


def comparison(text: str) -> Comparison:
    search = users(f"where {text}").search
    assert search is not None
    [[only]] = search.groups
    return only


def refused(text: str, language: Language = Language.USERS) -> QueryError:
    with pytest.raises(QueryError) as caught:
        parse(text, language)
    return caught.value


# --- How terms are joined


def test_a_caret_joins_terms_before_a_comma_does():
    assert ((A, B), (C,)) == groups("given labels [a] ^ given labels [b], given labels [c]")


def test_a_comma_begins_a_new_group():
    assert ((A,), (B,), (C,)) == groups("given labels [a], given labels [b], given labels [c]")


def test_blanks_and_ends_of_lines_are_free():
    spread = "\n given\tlabels\r\n[\u00a0a ]  ^given labels[b]\n,\n\ngiven labels [c]\n"

    assert groups("given labels [a]^given labels [b],given labels [c]") == groups(spread)


def test_the_letter_case_of_words_is_free_and_that_of_items_is_kept():
    assert Listed(Noun.LABELS, ("North",), excluded=True) == term("EXCEPT Labels [North]")
    assert term("program active from today as year with [active]") == term(
        "Program ACTIVE From Today AS Year WITH [Active]"
    )
    assert users("where first is 'a' or last empty sort by last desc limit 2") == users(
        "WHERE FIRST IS 'a' OR LAST EMPTY SORT BY LAST DESC LIMIT 2"
    )


def test_a_word_ends_where_a_word_ends():
    assert "givenlabels" in refused("givenlabels [a]").message
    assert ((Somebody(), Somebody()),) == groups("current^current")


@in_every_language
@pytest.mark.parametrize("text", ["", " ", "\n\t \n"])
def test_nothing_is_no_query(language, text):
    error = refused(text, language)

    assert error.message.endswith("expected a query, found the end")
    assert ["a query"] == error.expected


def test_a_place_counts_characters_and_not_bytes():
    query = users("given labels ['🎈é'] ^ current")

    assert [0, 22] == [term.at for term in query.anyof[0].terms]


# --- Lists


@pytest.mark.parametrize("noun", Noun)
@pytest.mark.parametrize(("word", "excluded"), [("given", False), ("except", True)])
def test_a_list_of_each_noun_in_each_spelling(noun, word, excluded):
    for spelling in vocabulary.NOUNS[noun].spellings:
        one, other = ITEMS.get(noun, ("a", "b"))
        assert Listed(noun, (one, other), excluded) == term(f"{word} {spelling} [{one}, {other}]")


@pytest.mark.parametrize(
    ("written", "items"),
    [
        ("[a]", ["a"]),
        ("[a,b]", ["a", "b"]),
        ("[ a , b ]", ["a", "b"]),
        ("[o'hara@example.org]", ["o'hara@example.org"]),
        ('[5"]', ['5"']),
        ("[given]", ["given"]),
        ("[a|b, ^, =, c:d, (e), {f}]", ["a|b", "^", "=", "c:d", "(e)", "{f}"]),
        ("['a, b', \"c] d\"]", ["a, b", "c] d"]),
        ('[\'it\'\'s\', "a ""b"""]', ["it's", 'a "b"']),
        ('[\'say "it"\', "it\'s"]', ['say "it"', "it's"]),
        ("['''']", ["'"]),
        ("[' a ', '\nb']", [" a ", "\nb"]),
        ("['a;b', \"c; d\"]", ["a;b", "c; d"]),
        ("[Zoë, 北, 🎈]", ["Zoë", "北", "🎈"]),
        ("[\ufeffa@example.org\u200b]", ["\ufeffa@example.org\u200b"]),
        ("[a, a]", ["a", "a"]),
    ],
)
def test_items_are_bare_or_quoted(written, items):
    assert Listed(Noun.LABELS, tuple(items)) == term(f"given labels {written}")


def test_the_places_of_items_are_those_in_the_text():
    listed = term("given labels [a, 'b c',\n d]")

    assert isinstance(listed, Listed)
    assert (14, 17, 25) == listed.places


@pytest.mark.parametrize(
    ("text", "column", "expected"),
    [
        ("given cohorts [monday]", 16, "a cohort id"),
        ("except cohorts [00000004-0000-4000-8000-000000000001, 'Monday']", 55, "a cohort id"),
        ("given users [ada]", 14, "a user id or email"),
        ("except users [a@b@c]", 15, "a user id or email"),
        ("given users ['ada lovelace@example.org']", 14, "a user id or email"),
        ("given groups ['']", 15, "an id or handle"),
        ("given groups [' ']", 15, "an id or handle"),
        ("given kind ['\u200b']", 13, "an id or handle"),
        (f"given labels [{'a' * 1021}]", 15, "an id or handle"),
    ],
)
def test_an_item_that_the_list_cannot_hold_is_refused(text, column, expected):
    error = refused(text)

    assert (1, column, [expected]) == (error.line, error.column, error.expected)


def test_items_are_plain_text():
    listed = term("given labels [a, 'b']")

    assert isinstance(listed, Listed)
    assert [str, str] == [type(item) for item in listed.items]


# --- Other users


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all users", Everybody()),
        ("all admin", Everybody(admins=True)),
        ("current user", Somebody()),
        ("current", Somebody()),
        (f"id:{ADA}", Somebody(ADA)),
        (f"id : {str(ADA).upper()}", Somebody(ADA)),
    ],
)
def test_everybody_and_somebody(text, expected):
    assert expected == term(text)


@pytest.mark.parametrize("tie", Tie)
@pytest.mark.parametrize(
    ("other", "user_id"),
    [
        ("current", None),
        ("current user", None),
        (str(ADA), ADA),
        (str(ADA).upper(), ADA),
        (f"id:{ADA}", ADA),
    ],
)
def test_each_tie_to_the_current_user_or_another(tie, other, user_id):
    assert Tied(tie, user_id) == term(f"{tie} as {other}")


# --- Programs by days


@pytest.mark.parametrize("phase", Phase)
def test_each_phase_is_today_unless_said(phase):
    assert ProgramTerm(phase, TODAY) == term(f"program {phase}")
    assert ProgramTerm(phase, TODAY) == term(f"program {phase} today")


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("today", Today()),
        ("2024-02-29", OnDay(date(2024, 2, 29))),
        ("0001-01-01", OnDay(date.min)),
        ("9999-12-31", OnDay(date.max)),
        ("+1", Shift(1, Unit.DAY)),
        ("-2 weeks", Shift(-2, Unit.WEEK)),
        ("+0", Shift(0, Unit.DAY)),
        ("+007 d", Shift(7, Unit.DAY)),
        ("-12m", Shift(-12, Unit.MONTH)),
        ("+9999999 years", Shift(9999999, Unit.YEAR)),
    ],
)
def test_each_point_in_time(text, point):
    assert Between(point, point) == days(text)
    assert Between(point, Today()) == days(f"from {text} to today")
    assert Between(Today(), point) == days(f"from today to {text}")
    assert Lasting(point, Unit.MONTH) == days(f"from {text} as month")


@pytest.mark.parametrize("unit", Unit)
def test_each_unit_in_each_spelling(unit):
    for spelling in vocabulary.UNITS[unit].spellings:
        assert Between(Shift(2, unit), Shift(2, unit)) == days(f"+2 {spelling}")
        assert Lasting(Today(), unit) == days(f"from today as {spelling}")


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("from +1 to -12 weeks", Unit.WEEK, Unit.WEEK),
        ("from +1 month to -12", Unit.MONTH, Unit.MONTH),
        ("from +1 year to -12 weeks", Unit.YEAR, Unit.WEEK),
        ("from +1 to -12", Unit.DAY, Unit.DAY),
    ],
)
def test_a_missing_unit_is_that_of_the_other_end_or_days(text, start, end):
    assert Between(Shift(1, start), Shift(-12, end)) == days(text)


@pytest.mark.parametrize("other", ["today", "2024-01-31"])
def test_a_missing_unit_beside_a_day_is_days(other):
    found = days(f"from {other} to +3")

    assert isinstance(found, Between)
    assert Shift(3, Unit.DAY) == found.end


def test_a_missing_unit_of_a_range_that_lasts_is_days():
    assert Lasting(Shift(1, Unit.DAY), Unit.YEAR) == days("from +1 as year")


@pytest.mark.parametrize("state", MembershipState)
def test_each_state(state):
    assert ProgramTerm(Phase.OPEN, TODAY, (state,)) == term(f"program open with [{state}]")


@pytest.mark.parametrize("noun", PLACES)
@pytest.mark.parametrize(("word", "excluded"), [("given", False), ("except", True)])
def test_a_list_of_places_takes_states(noun, word, excluded):
    states = (MembershipState.COMPLETED, MembershipState.GRADUATED)

    assert Listed(noun, (str(ADA),), excluded, states) == term(
        f"{word} {noun} [{ADA}] with [completed, graduated]"
    )


@pytest.mark.parametrize("noun", [noun for noun in Noun if noun not in PLACES])
def test_no_other_list_takes_states(noun):
    error = refused(f"given {noun} [{ADA}] with [active]")

    assert len(f"given {noun} [{ADA}] ") + 1 == error.column


def test_no_cohort_is_a_term_and_is_only_given():
    assert Unplaced() == term("GIVEN no Cohort")
    assert 8 == refused("except no cohort").column


@pytest.mark.parametrize("list_", ["[active, dropped]", "[active|dropped]", "[ active | dropped ]"])
def test_states_are_listed_with_commas_or_bars(list_):
    states = (MembershipState.ACTIVE, MembershipState.DROPPED)

    assert ProgramTerm(Phase.ENDING, Lasting(Today(), Unit.WEEK), states) == term(
        f"program ending from today as week with {list_}"
    )


def test_the_words_program_active_and_cohort_depend_on_what_is_before_them():
    text = "program active with [active], given active [active], program as current, cohort as current"

    assert (
        (ProgramTerm(Phase.ACTIVE, TODAY, (MembershipState.ACTIVE,)),),
        (Listed(Noun.ACTIVE, ("active",)),),
        (Tied(Tie.PROGRAM),),
        (Tied(Tie.COHORT),),
    ) == groups(text)


# --- Settings of the whole query


@pytest.mark.parametrize(
    ("word", "status"), [("any", None), ("active", UserStatus.ACTIVE), ("retired", UserStatus.RETIRED)]
)
def test_each_status(word, status):
    assert Query(status=status) == users(f"status = {word}")


@pytest.mark.parametrize("role", MembershipRole)
def test_each_role(role):
    assert Query(role=role) == users(f"participant={role}")


@pytest.mark.parametrize(
    "text",
    [
        "status = any, participant = trainer, given labels [a] ^ given labels [b], given labels [c]",
        "status = any participant = trainer, given labels [a] ^ given labels [b], given labels [c]",
        "given labels [a] ^ status = any ^ given labels [b], participant = trainer ^ given labels [c]",
        "given labels [a] status = any ^ given labels [b] participant = trainer, given labels [c]",
        "given labels [a] ^ given labels [b], given labels [c], status = any, participant = trainer",
        "given labels [a] ^ given labels [b], given labels [c] status = any participant = trainer",
        "given labels [a] ^ given labels [b], status = any ^ participant = trainer, given labels [c]",
    ],
)
def test_settings_are_no_terms_wherever_they_stand(text):
    assert Query((AllOf((A, B)), AllOf((C,))), None, MembershipRole.TRAINER) == users(text)


def test_a_setting_is_said_once():
    error = refused("status = any, given labels [a] ^ status = any")

    assert "Line 1, column 34: expected status only once, found it again" == error.message


# --- Search


@pytest.mark.parametrize("word", [word for word, row in vocabulary.WORDS.items() if row.kind == "text"])
@pytest.mark.parametrize("operator", [Operator.NOT, Operator.STARTS, Operator.ENDS, Operator.CONTAINS])
def test_each_word_for_a_text_takes_a_quoted_text(word, operator):
    for match in ["A", "", "it's", 'say "it"', " % _ \\ \n", "2024-01-31"]:
        quoted = match.replace("'", "''")
        assert Comparison(word, operator, match) == comparison(f"{word} {operator} '{quoted}'")


@pytest.mark.parametrize("word", [word for word, row in vocabulary.WORDS.items() if row.kind == "day"])
@pytest.mark.parametrize("operator", [Operator.IS, Operator.NOT, Operator.BEFORE, Operator.AFTER])
@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("2024-01-31", OnDay(date(2024, 1, 31))),
        ("today", Today()),
        ("-2 weeks", Shift(-2, Unit.WEEK)),
        ("+3", Shift(3, Unit.DAY)),
    ],
)
def test_each_word_for_a_day_takes_a_day_bare_or_quoted(word, operator, text, point):
    for written in [text, f"'{text}'", f'"{text}"', f"' {text.upper()} '"]:
        assert Comparison(word, operator, point) == comparison(f"{word} {operator} {written}")


@pytest.mark.parametrize("word", Word)
@pytest.mark.parametrize("operator", ["empty", "is ''", 'is ""', "IS''"])
def test_is_nothing_and_empty_are_alike(word, operator):
    assert Comparison(word, Operator.EMPTY) == comparison(f"{word} {operator}")


def test_not_nothing_stays_as_it_is():
    assert Comparison(Word.FIRST, Operator.NOT, "") == comparison("first not ''")


@pytest.mark.parametrize("word", Word)
@pytest.mark.parametrize("operator", Operator)
def test_an_operator_that_a_word_does_not_allow_is_refused_with_those_it_does(word, operator):
    allowed = vocabulary.ALLOWED[vocabulary.WORDS[word].kind]
    text = f"where {word} {operator}" + ("" if operator is Operator.EMPTY else " '2024-01-31'")

    if operator in allowed:
        assert users(text).search is not None
    else:
        error = refused(text)
        assert (1, 8 + len(word)) == (error.line, error.column)
        assert sorted(allowed) == error.expected


def test_and_joins_comparisons_before_or_does():
    one, two, three = (Comparison(Word.FIRST, Operator.IS, match) for match in "abc")

    assert (
        Search(((one, two), (three,))) == users("where first is 'a' and first is 'b' or first is 'c'").search
    )
    assert (
        Search(((one,), (two, three))) == users("where first is 'a' or first is 'b' and first is 'c'").search
    )


def test_a_place_in_quotes_is_that_of_the_text():
    found = comparison("joined after ' -2 weeks'").match

    assert isinstance(found, Shift)
    assert len("where joined after ' ") == found.at
    assert (1, 21) == (refused("where login is ' x'").line, refused("where login is '    x'").column)


# --- Sort and limit


@in_every_language
@pytest.mark.parametrize("field", SortField)
def test_each_language_has_its_sort_fields(language, field):
    text = f"sort by {field}"

    if field in vocabulary.SORT_FIELDS[language]:
        assert Query(sort=(Sort(field),)) == parse(text, language)
        assert Query(sort=(Sort(field),)) == parse(text + " asc", language)
        assert Query(sort=(Sort(field, descending=True),)) == parse(text + " desc", language)
    else:
        error = refused(text, language)
        assert (1, 9) == (error.line, error.column)
        assert sorted(vocabulary.SORT_FIELDS[language]) == error.expected


def test_it_sorts_by_several_fields_each_with_its_direction():
    assert users("sort by last desc, first, name desc").sort == (
        Sort(SortField.LAST, descending=True),
        Sort(SortField.FIRST),
        Sort(SortField.NAME, descending=True),
    )


def test_a_field_is_sorted_by_once():
    error = refused("sort by last, first, last desc")

    assert "Line 1, column 22: expected last only once, found it again" == error.message


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("50", 50), ("007", 7), ("999999999", 999_999_999)])
def test_a_limit_is_one_or_more(text, limit):
    assert Query(limit=limit) == users(f"limit {text}")


@in_every_language
def test_the_parts_come_in_their_order_and_each_may_be_left_out(language):
    parts = ["given labels [a]", "where any empty", "sort by name", "limit 5"]
    whole = Query(
        (AllOf((A,)),),
        search=Search(((Comparison(Word.ANY, Operator.EMPTY),),)),
        sort=(Sort(SortField.NAME),),
        limit=5,
    )
    absent = [{"anyof": ()}, {"search": None}, {"sort": ()}, {"limit": None}]

    for chosen in range(1, 16):
        text = " ".join(part for number, part in enumerate(parts) if chosen & 1 << number)
        left_out = {k: v for n, one in enumerate(absent) if not chosen & 1 << n for k, v in one.items()}
        assert replace(whole, **left_out) == parse(text, language)


# --- Limits


@pytest.mark.parametrize("first", ["current" + ", current" * 99, "current" + "^current" * 99])
def test_there_are_at_most_so_many_terms_and_comparisons(first):
    comparisons = "any empty" + " or any empty" * 99
    assert users(f"{first} where {comparisons}").search

    error = refused(f"{first} where {comparisons} and first is 'A'")

    assert f"expected at most {TERMS} terms, found 201" in error.message
    assert len(f"{first} where {comparisons} and ") + 1 == error.column


def test_there_are_at_most_10000_characters():
    assert users("current".ljust(10_000))

    error = refused("current".ljust(10_001))

    assert "Line 1, column 10001: expected at most 10000 characters, found 10001" == error.message


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x1f", "\x7f", "\x85", "\ud800"])
def test_control_characters_and_lone_surrogates_are_refused_at_their_place(character):
    error = refused(f"current,\n given users ['{character}']")

    found = f"U+{ord(character):04X}"
    assert f"Line 2, column 16: expected text without control characters, found {found}" == error.message


# --- The vocabulary


@in_every_language
@pytest.mark.parametrize("example", vocabulary.QUALIFIERS)
def test_the_examples_of_the_vocabulary_are_queries(language, example):
    query = parse(example, language)

    assert query != Query()


def test_the_vocabulary_has_a_row_for_each_word():
    assert set(Noun) == set(vocabulary.NOUNS)
    assert set(Tie) == set(vocabulary.TIES)
    assert set(Phase) == set(vocabulary.PHASES)
    assert set(Unit) == set(vocabulary.UNITS)
    assert set(Word) == set(vocabulary.WORDS)
    assert set(Operator) == set(vocabulary.OPERATORS)
    assert set(Language) == set(vocabulary.SORT_FIELDS)


def test_the_texts_that_any_looks_in_are_those_of_the_words():
    words = (
        Word.NAME,
        Word.FIRST,
        Word.LAST,
        Word.EMAIL,
        Word.PHONE,
        Word.TIMEZONE,
        Word.MEMBERSHIP,
        Word.EXTERNAL,
    )

    assert {vocabulary.WORDS[word].columns[0].name for word in words} == {
        column.name for column in vocabulary.WORDS[Word.ANY].columns
    }


def test_the_same_text_is_read_once():
    assert users("given labels [a], current") is users("given labels [a], current")
