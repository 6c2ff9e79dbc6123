"""core.QueryPrograms; what the language means is in tests/query."""

from __future__ import annotations

import pytest

from client import RpcError
from models import sample

pytestmark = pytest.mark.sample


def test_a_row_is_what_the_lookup_of_the_program_gives(client):
    [found] = client.query_programs(f"given programs [{sample.BREAD}]")

    expected = client.lookup_program_instance(sample.BREAD)
    assert list(expected.items()) == list(found.items())


def test_programs_are_found_by_those_who_take_part(client):
    text = "given users [ada@example.org, grace@example.org, emmy@example.org]"
    found = client.query_programs(text)

    programs = {row["programId"] for row in client.query_participants(text)}
    assert programs == {program["id"] for program in found}
    assert len(found) > 1


def test_limit_and_offset_page_inside_the_limit_of_the_text(client):
    text = "given kind [cooking, spanish] limit 4"
    every = client.query_programs(text)

    assert every[1:3] == client.query_programs(text, limit=2, offset=1)
    assert every[3:] == client.query_programs(text, limit=2, offset=3)
    assert len(every) == 4


def test_a_word_of_another_language_is_refused_by_name(client):
    with pytest.raises(RpcError) as caught:
        client.query_programs("program active sort by last")

    spot = caught.value.data["query"]
    assert (spot["line"], spot["column"]) == (1, 24)
    assert spot["expected"] == ["end", "name", "start"]
