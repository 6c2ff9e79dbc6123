"""What was understood of a query, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.query.syntax import parse
from models.query.tree import Language
from models.query.words import in_words
from tests.query.strategies import queries

TOLD = (Path(__file__).parent / "words.txt").read_text().replace("\\\n", "")


def cases() -> Iterator[tuple[Language, str, str]]:
    """The blocks of the file: language, query, and what is told of it."""
    _, *blocks = TOLD.strip().split("\n\n")
    for block in blocks:
        asked, told = block.split("\n", 1)
        language, text = asked.split(": ", 1)
        yield Language(language), text, told


@pytest.mark.parametrize(("language", "text", "told"), list(cases()))
def test_it_is_told_what_was_understood(language, text, told):
    assert told == in_words(parse(text, language), language)


@pytest.mark.parametrize(
    ("language", "found"),
    [
        (Language.USERS, "Users who "),
        (Language.PROGRAMS, "Programs "),
        (Language.PARTICIPANTS, "Memberships "),
    ],
)
@settings(deadline=None)
@given(data=st.data())
def test_there_are_words_for_every_tree(language, found, data):
    told = in_words(data.draw(queries(language)), language)

    assert told.startswith((found, f"All {language.replace('participants', 'memberships')}"))
