"""A tree becomes the one text that means it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.query.syntax import parse
from models.query.tree import Language, Query
from models.query.writing import written
from tests.query.strategies import queries, spellings

SPELLINGS = {
    "All  USERS": "all users",
    "all admin,current": "all admin, current user",
    "ID:00000001-0000-4000-8000-00000000000A": "id:00000001-0000-4000-8000-00000000000a",
    "status = active": "status = active",
    "participant = trainer, status = any": "status = any, participant = trainer",
    "given labels [a] status = retired ^ all users": "given labels [a] ^ all users, status = retired",
    "except user-labels['a','b c',\"it's\"]": "except labels [a, 'b c', 'it''s']",
    "given program-kind[ a|b ]": "given kind ['a|b']",
    "program open": "program open today",
    "program active from today to today": "program active today",
    "program active from -1 to +2 weeks": "program active from -1 week to +2 weeks",
    "program active +0": "program active +0 days",
    "program ending from today as Y with [Active|dropped]": "program ending from today as year with"
    " [active, dropped]",
    "related as current user": "related as current",
    "where name is ''": "where name empty",
    "where name not '' and joined after '2024-01-31' or login is -2 w": "where name not ''"
    " and joined after 2024-01-31 or login is -2 weeks",
    "sort by name asc": "sort by name",
    "sort by name DESC limit 007": "sort by name desc limit 7",
}


@pytest.mark.parametrize(("text", "canonical"), SPELLINGS.items())
def test_other_spellings_become_the_usual_one(text, canonical):
    assert canonical == written(parse(text, Language.USERS))


@pytest.mark.parametrize("canonical", SPELLINGS.values())
def test_the_usual_spelling_stays_as_it_is(canonical):
    assert canonical == written(parse(canonical, Language.USERS))


def test_a_query_that_says_nothing_is_written_as_something():
    text = written(Query())

    assert "status = active" == text
    assert Query() == parse(text, Language.USERS)


every_language = pytest.mark.parametrize("language", Language)


@every_language
@settings(deadline=None)
@given(data=st.data())
def test_the_text_of_a_tree_is_parsed_to_the_same_tree(language, data):
    query = data.draw(queries(language))

    text = written(query)

    assert query == parse(text, language), text


@every_language
@settings(deadline=None)
@given(data=st.data())
def test_a_tree_is_the_same_however_it_is_spelled(language, data):
    query = data.draw(queries(language))
    text = data.draw(spellings(written(query)))

    assert query == parse(text, language), text
