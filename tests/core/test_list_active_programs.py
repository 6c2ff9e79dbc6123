"""core.ListActivePrograms"""

from __future__ import annotations

from datetime import date
from uuid import UUID

import pytest


@pytest.fixture
def names(client):
    """The names of the programs that run."""
    return lambda: [program["name"] for program in client.list_active_programs()]


def test_without_programs_the_list_is_empty(client):
    assert client.list_active_programs() == []


def test_a_row_is_what_the_lookup_of_the_program_gives(client, make_program):
    program = make_program()

    [found] = client.list_active_programs()

    expected = client.lookup_program_instance(program.id)
    assert list(expected.items()) == list(found.items())


@pytest.mark.parametrize(
    ("start", "runs"),
    [("2026-03-11", False), ("2026-03-10", True), ("2026-03-08", True), ("2026-03-07", False)],
)
def test_a_program_runs_from_its_first_to_its_last_day_both_included(
    names, make_kind, make_program, start, runs
):
    kind = make_kind(duration=3)
    make_program(kind_id=kind.id, name="three days", start_date=date.fromisoformat(start))

    assert names() == (["three days"] if runs else [])


def test_archived_programs_are_left_out(names, make_program):
    make_program(archived=True)

    assert names() == []


def test_a_program_of_an_archived_kind_is_listed(names, make_kind, make_program):
    kind = make_kind(archived=True)
    make_program(kind_id=kind.id, name="last run")

    assert names() == ["last run"]


def test_they_come_by_start_date_then_name_then_id(client, make_program):
    early, late = date(2026, 3, 1), date(2026, 3, 2)
    for number, start, name in ((4, late, "a"), (3, early, "c"), (2, early, "b"), (1, early, "c")):
        make_program(id=UUID(int=number), start_date=start, name=name)

    found = [UUID(program["id"]).int for program in client.list_active_programs()]

    assert found == [2, 1, 3, 4]


@pytest.mark.parametrize(
    ("instant", "runs"),
    [("2026-03-10T10:59:59.999Z", False), ("2026-03-10T11:00:00Z", True), ("2026-03-11T10:59:59Z", True)],
)
def test_in_auckland_a_day_begins_when_it_does_there(
    names, make_kind, make_program, set_clock, instant, runs
):
    kind = make_kind(duration=1)
    make_program(kind_id=kind.id, name="there", start_date=date(2026, 3, 11), timezone="Pacific/Auckland")

    set_clock(instant)

    assert names() == (["there"] if runs else [])


@pytest.mark.parametrize(
    ("instant", "runs"),
    [("2026-03-10T06:59:59.999Z", True), ("2026-03-10T07:00:00Z", False)],
)
def test_in_los_angeles_a_day_ends_when_it_does_there(
    names, make_kind, make_program, set_clock, instant, runs
):
    kind = make_kind(duration=1)
    make_program(kind_id=kind.id, name="there", start_date=date(2026, 3, 9), timezone="America/Los_Angeles")

    set_clock(instant)

    assert names() == (["there"] if runs else [])


def test_three_days_of_the_world_are_told_apart_at_one_instant(names, make_kind, make_program, set_clock):
    kind = make_kind(duration=1)
    for zone, start in (
        ("Pacific/Kiritimati", date(2026, 3, 11)),
        ("UTC", date(2026, 3, 10)),
        ("Pacific/Pago_Pago", date(2026, 3, 9)),
    ):
        for shift in (-1, 0, 1):
            day = date.fromordinal(start.toordinal() + shift)
            make_program(kind_id=kind.id, name=f"{zone} {shift}", start_date=day, timezone=zone)

    set_clock("2026-03-10T10:30:00Z")

    assert names() == ["Pacific/Pago_Pago 0", "UTC 0", "Pacific/Kiritimati 0"]


def test_a_parameter_is_refused_by_name(client, refusal):
    error = refusal(client.call, "core.ListActivePrograms", day="2026-03-10")

    assert (error.code, list(error.fields)) == (-32602, ["day"])
