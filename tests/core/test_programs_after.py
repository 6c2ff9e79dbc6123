"""core.ProgramsAfter, which answers under the name of core.ProgramChildList as well."""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest

from models import sample

both_names = pytest.mark.parametrize("name", ["core.ProgramsAfter", "core.ProgramChildList"])


@both_names
def test_a_row_is_what_the_lookup_of_the_program_gives(client, make_program, name):
    program = make_program(start_date=date(2026, 4, 1))

    [found] = client.call(name, kind=program.kind_id, after="2026-04-01")

    expected = client.lookup_program_instance(program.id)
    assert list(expected.items()) == list(found.items())


@both_names
def test_the_day_itself_is_included_and_earlier_ones_are_not(client, make_kind, make_program, name):
    kind = make_kind()
    for day in (1, 2, 3):
        make_program(kind_id=kind.id, name=f"on {day}", start_date=date(2026, 4, day))

    found = client.call(name, kind=kind.id, after="2026-04-02")

    assert [program["name"] for program in found] == ["on 3", "on 2"]


@both_names
def test_they_come_by_start_date_descending_then_name_then_id(client, make_kind, make_program, name):
    kind = make_kind()
    early, late = date(2026, 4, 1), date(2026, 4, 2)
    for number, start, called in ((4, early, "a"), (3, late, "c"), (2, late, "b"), (1, late, "c")):
        make_program(id=UUID(int=number), kind_id=kind.id, start_date=start, name=called)

    found = client.call(name, kind=kind.id, after="2026-04-01")

    assert [UUID(program["id"]).int for program in found] == [2, 1, 3, 4]


@both_names
def test_only_programs_of_exactly_that_kind_are_listed(client, make_kind, make_program, name):
    top = make_kind()
    child = make_kind(parent_id=top.id)
    make_program(kind_id=child.id)

    found = client.call(name, kind=top.id, after="2026-01-01")

    assert found == []


@both_names
def test_archived_programs_are_left_out(client, make_program, name):
    program = make_program(archived=True)

    found = client.call(name, kind=program.kind_id, after="2026-01-01")

    assert found == []


@both_names
def test_without_kind_programs_of_all_kinds_are_listed(client, make_program, name):
    programs = [make_program(start_date=date(2026, 4, day)) for day in (2, 1)]

    found = client.call(name, after="2026-04-01")

    assert [program["id"] for program in found] == [str(program.id) for program in programs]


@both_names
def test_without_after_it_is_today_in_each_programs_own_zone(
    client, make_kind, make_program, set_clock, name
):
    kind = make_kind()
    for zone in ("Pacific/Auckland", "UTC", "America/Los_Angeles"):
        for day in (9, 10, 11):
            called = f"{zone} {day}"
            make_program(kind_id=kind.id, name=called, start_date=date(2026, 3, day), timezone=zone)

    set_clock("2026-03-10T23:30:00Z")  # the 11th in Auckland, the 10th in Los Angeles
    found = client.call(name, kind=kind.id)

    assert [program["name"] for program in found] == [
        "America/Los_Angeles 11",
        "Pacific/Auckland 11",
        "UTC 11",
        "America/Los_Angeles 10",
        "UTC 10",
    ]


def test_without_kind_and_after_all_that_start_from_today_are_listed(client, make_program):
    program = make_program(start_date=date(2026, 3, 10))
    make_program(start_date=date(2026, 3, 9))

    found = client.programs_after()

    assert [found["id"] for found in found] == [str(program.id)]


@both_names
def test_an_unknown_kind_is_not_an_empty_list(client, refusal, name):
    error = refusal(client.call, name, kind=sample.NOBODY)

    assert (error.code, error.word) == (-32001, "PROGRAM_KIND_NOT_FOUND")


@both_names
def test_what_is_no_date_is_refused_by_name(client, refusal, name):
    error = refusal(client.call, name, after="2026-3-1")

    assert (error.code, list(error.fields)) == (-32602, ["after"])
