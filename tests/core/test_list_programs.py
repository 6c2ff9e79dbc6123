"""core.ListPrograms"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest


@pytest.mark.sample
def test_all_programs_are_listed_archived_ones_too(client):
    found = client.list_programs()

    assert {program["id"] for program in client.admin.list_programs()} == {program["id"] for program in found}
    assert found == client.query_programs("program active from -100 years to +100 years")


def test_they_come_by_start_date_then_name_then_id(client, make_program):
    early, late = date(2026, 3, 1), date(2026, 3, 2)
    for number, start, name in ((4, late, "a"), (3, early, "c"), (2, early, "b"), (1, early, "c")):
        make_program(id=UUID(int=number), start_date=start, name=name)

    found = client.list_programs()

    assert [UUID(program["id"]).int for program in found] == [2, 1, 3, 4]


def test_more_than_a_thousand_are_listed(client, make_kind, make_program):
    kind = make_kind()
    for _ in range(1001):
        make_program(kind_id=kind.id)

    assert len(client.list_programs()) == 1001
