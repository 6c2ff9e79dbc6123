"""The page of the query languages: each example finds something, and no word is missing."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest

from models import sample
from models.errors import QueryError
from models.query import vocabulary
from models.query.finding import find_participants, find_programs, find_users
from models.query.names import unknown_names
from models.query.syntax import parse
from models.query.tree import Language
from models.query.words import in_words

PAGE = Path(vocabulary.__file__).with_name("README.md").read_text()
FINDS = {
    Language.USERS: find_users,
    Language.PROGRAMS: find_programs,
    Language.PARTICIPANTS: find_participants,
}


def examples():
    """The queries of the page's tables, each with its language: the last cell or, of two, the first."""
    language = None
    for line in PAGE.splitlines():
        if marker := re.match(r"<!-- examples: (\w+) -->", line):
            language = Language(marker[1])
        if language is None or not line.startswith("| "):
            continue
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        cell = cells[0] if len(cells) == 2 else cells[-1]
        if example := re.fullmatch(r"`([^`]+)`", cell.strip(" |")):
            yield language, example[1]


EXAMPLES = list(examples())


def test_the_page_has_examples_of_each_language():
    numbers = {language: len([1 for of, _ in EXAMPLES if of is language]) for language in Language}

    assert numbers[Language.USERS] > 50
    assert min(numbers.values()) >= 5


@pytest.mark.sample
@pytest.mark.parametrize(("language", "text"), EXAMPLES, ids=[text for _, text in EXAMPLES])
def test_an_example_finds_something(world, language, text):
    assert FINDS[language](text, UUID(sample.GRACE))


def spellings():
    for table in ("NOUNS", "TIES", "PHASES", "OPERATORS"):
        for row in getattr(vocabulary, table).values():
            yield from row.spellings
    yield from (word.value for word in vocabulary.WORDS)
    yield from (field.value for fields in vocabulary.SORT_FIELDS.values() for field in fields)
    yield from vocabulary.STATUSES
    yield from (unit.value for unit in vocabulary.UNITS)
    yield from (*vocabulary.LISTS["STATE"], *vocabulary.LISTS["ROLE"])


@pytest.mark.parametrize("word", sorted(set(spellings())))
def test_every_word_is_on_the_page(word):
    assert re.search(rf"(?<![\w-]){word}(?![\w-])", PAGE)


@pytest.mark.sample
def test_names_that_name_nothing_are_told_as_the_page_says(world):
    text, words = re.search(r"core-rpc query '(.+stuff\])'\n(.+)\n", PAGE).groups()

    [name] = unknown_names(text, Language.USERS)

    assert words == in_words(parse(text, Language.USERS), Language.USERS)
    assert f"'{name.item}' in {name.list} (line {name.line}, column {name.column}) names nothing" in PAGE


def test_the_mistake_is_told_as_the_page_says():
    text = re.search(r"core-rpc query '(.+sort by age)'", PAGE)[1]

    with pytest.raises(QueryError) as caught:
        parse(text, Language.USERS)

    assert f"\n{caught.value.message}\n" in PAGE
    assert "\n" + " " * (caught.value.column - 1) + "^\n" in PAGE
