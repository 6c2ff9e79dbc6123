"""models/roster/README.md says what the tables in the code say."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest

from models.roster import columns
from models.roster.columns import CARRIED, FILES, row_id

FOLDER = Path(columns.__file__).parent
PAGE = (FOLDER / "README.md").read_text()


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_column_is_on_the_page_and_no_other(file):
    [section] = [part for part in PAGE.split("\n### ") if part.startswith(file.name)]

    lines = [line for line in section.splitlines() if line.startswith("| `")]
    assert lines == [
        f"| `{column.name}`{' *' * (column.name in file.required)}{' °' * column.carried} | {column.help} |"
        for column in file.columns
        if column not in CARRIED
    ]


def test_every_carried_column_is_on_the_page():
    for column in CARRIED:
        assert f"| `{column.name}` ° | {column.help} |" in PAGE


def test_the_ids_on_the_page_are_the_ones_that_are_made():
    vectors = re.findall(r"\| `(\w+)/(\w+)/([\w-]+)` \| `([0-9a-f-]{36})` \|", PAGE)

    assert len(vectors) == 5
    for source, kind, sourced_id, id in vectors:
        assert row_id(source, kind, sourced_id) == UUID(id)


def test_every_code_is_on_the_page():
    texts = [path.read_text() for path in FOLDER.glob("*.py")]
    codes = {code for text in texts for code in re.findall(r'"([A-Z]+(?:_[A-Z0-9]+)+)"', text)}

    told = set(re.findall(r"`([A-Z]+(?:_[A-Z0-9]+)+)`", PAGE))
    assert codes - told - {"NOT_A_ROSTER", "BAD_SOURCE"} == set()
    assert (
        told - codes
        == {
            *("UNKNOWN_COURSE", "UNKNOWN_CLASS"),  # a file's word is put after UNKNOWN_
            *("PROGRAM_KIND_OWN_ANCESTOR", "PROGRAM_OWN_ANCESTOR", "TOO_MANY_CHANGES"),  # the models' words
        }
        - codes
    )
