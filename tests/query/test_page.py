"""models/query/README.md says what the vocabulary says; its examples find what stands beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from models import sample
from models.errors import QueryError
from models.memberships import MembershipState
from models.query import finding, vocabulary
from models.query.days import days_of
from models.query.finding import find_participants, find_programs, find_users
from models.query.syntax import CHARACTERS, TERMS, parse
from models.query.tree import Language, SortField, Unit
from rpc.errors import to_rpc_error
from tests.conftest import TODAY

PAGE = (Path(finding.__file__).parent / "README.md").read_text(encoding="utf-8")
Row = dict[str, str]


def tables() -> Iterator[list[Row]]:
    """The tables of the page, each row by the heads of its columns, without the marks of code."""
    for lines in re.findall(r"(?:^\|.+\n)+", PAGE, re.MULTILINE):
        head, _, *rows = [
            [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines.splitlines()
        ]
        yield [dict(zip(head, map(plain, row), strict=True)) for row in rows]


def plain(cell: str) -> str:
    return cell.replace("`", "").replace("\\|", "|")


def table(*head: str) -> list[Row]:
    """The rows of the tables with these heads."""
    return [row for rows in tables() for row in rows if tuple(row)[: len(head)] == head]


def examples(answer: str) -> list[object]:
    return [
        pytest.param(language, row[f"{language[:-1]} query"], row[answer], id=row[f"{language[:-1]} query"])
        for rows in tables()
        for row in rows
        for language in Language
        if f"{language[:-1]} query" in row and answer in row
    ]


def shown(language: Language, text: str) -> str:
    """What a query finds, as the page calls it."""
    ada = UUID(sample.ADA)
    match language:
        case Language.USERS:
            return ", ".join(str(user.first) for user in find_users(text, ada))
        case Language.PROGRAMS:
            return "; ".join(program.name for program in find_programs(text, ada))
        case Language.PARTICIPANTS:
            rows = (one.membership for one in find_participants(text, ada))
            return "; ".join(f"{row.user.first} in {row.program.name}" for row in rows)


@pytest.mark.sample
@pytest.mark.parametrize(("language", "text", "answer"), examples("finds here"))
def test_an_example_finds_what_stands_beside_it(world, language, text, answer):
    assert answer == shown(language, text)


@pytest.mark.sample
@pytest.mark.parametrize(("language", "text", "message"), examples("message"))
def test_a_wrong_example_is_refused_with_the_message_beside_it(world, language, text, message):
    with pytest.raises(QueryError) as caught:
        shown(language, text)

    assert message == caught.value.message


def test_each_example_is_written_with_the_word_that_it_is_for():
    for column in ("written", "state", "word", "operator"):
        for row in table(column):
            word = row[column].split(", ")[0].removesuffix("…")
            [text] = [value for name, value in row.items() if name.endswith(" query")]
            assert re.search(rf"(?<!\w){word}", text), text


def test_the_words_are_those_of_the_vocabulary():
    lists = {
        ("written", "finds"): vocabulary.NOUNS,
        ("written", "finds users"): vocabulary.TIES,
        ("written", "finds programs of which"): vocabulary.PHASES,
        ("operator", "means"): vocabulary.OPERATORS,
    }
    for head, words in lists.items():
        rows = {(row[head[0]], row[head[1]]) for row in table(*head)}
        assert rows >= {(", ".join(row.spellings), plain(row.help)) for row in words.values()}
    assert [(str(word), row.help) for word, row in vocabulary.WORDS.items() if word != "id"] == [
        (row["word"], row["looks at"]) for row in table("word") if row["word"] != "id"
    ]
    assert {"all users", "all admin", "current user", "id:…"} <= {row["written"] for row in table("written")}
    assert list(MembershipState) == [row["state"] for row in table("state")]


def test_the_units_are_those_of_the_vocabulary():
    assert [(row["unit"], row["also written"], row["how long"]) for row in table("unit")] == [
        (unit, ", ".join(vocabulary.UNITS[unit].spellings[1:]), vocabulary.UNITS[unit].help) for unit in Unit
    ]


def test_the_fields_to_sort_by_are_those_of_the_vocabulary():
    heads = {language: f"in a {language[:-1]} query" for language in Language}
    rows = {
        row["sort by"]: {language: row[head] for language, head in heads.items()} for row in table("sort by")
    }

    assert rows == {
        field: {language: vocabulary.SORT_FIELDS[language].get(field, "") for language in Language}
        for field in SortField
    }


@pytest.mark.parametrize("row", table("range"), ids=lambda row: row["range"])
def test_a_range_means_the_days_beside_it(row):
    [[term]] = [group.terms for group in parse(f"program active {row['range']}", Language.USERS).anyof]

    assert (row["first day"], row["last day"]) == tuple(map(str, days_of(term.range, TODAY)))


def test_the_error_on_the_page_is_the_one_that_callers_get():
    [shown] = re.findall(r"```json\n(.+?)```", PAGE, re.DOTALL)

    with pytest.raises(QueryError) as caught:
        parse("given labels [alumni", Language.USERS)

    error = to_rpc_error(caught.value, "a-request")
    assert json.loads(shown) == {"code": error.code, "message": error.message, "data": error.data}


def test_the_limits_on_the_page_are_those_that_hold():
    assert f"at most {CHARACTERS:,} characters and {TERMS} terms" in PAGE


def test_the_ids_on_the_page_are_those_of_the_sample_world():
    assert {row["id"].split(",")[0] for row in table("id", "what has it")} == {
        sample.ADA,
        sample.COOKING,
        sample.SPRING,
        sample.MONDAY,
    }
