"""core.QueryParticipants; what the language means is in tests/query."""

from __future__ import annotations

import pytest

from client import RpcError
from models import sample

pytestmark = pytest.mark.sample


def test_a_row_is_what_closing_participants_tells_of_the_membership(client):
    closing = client.list_closing_participants(within_days=7, program_id=sample.BREAD)

    found = client.query_participants(
        f"given programs [{sample.BREAD}] ^ program ending from today to +7 days with [active]"
    )

    def in_order(rows):
        return sorted(rows, key=lambda row: row["userId"])

    assert [list(row.items()) for row in in_order(closing)] == [list(row.items()) for row in in_order(found)]
    assert closing


def test_limit_and_offset_page_inside_the_limit_of_the_text(client):
    text = "participant = member sort by start limit 4"
    every = client.query_participants(text)

    assert every[1:3] == client.query_participants(text, limit=2, offset=1)
    assert every[3:] == client.query_participants(text, limit=2, offset=3)
    assert len(every) == 4


def test_a_mistake_is_told_with_its_place(client):
    with pytest.raises(RpcError) as caught:
        client.query_participants("given cohorts []")

    spot = caught.value.data["query"]
    assert (spot["line"], spot["column"]) == (1, 16)
