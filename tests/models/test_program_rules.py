"""What a program takes from its kind, and how long it runs."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import clock
from models.database import writing
from models.errors import Conflict, Invalid, NotFound
from models.programs import Mode, Program, end_of
from models.sample import NOBODY


@given(st.dates(max_value=date(9899, 12, 31)), st.integers(1, 36_600))
def test_a_program_has_as_many_days_as_its_duration(start, duration):
    end = end_of(start, duration)

    assert duration == (end - start).days + 1


def test_a_program_must_end_before_the_calendar_does(make_kind, make_program):
    kind = make_kind(duration=2)

    with pytest.raises(Invalid) as caught:
        make_program(kind_id=kind.id, start_date=date.max)

    assert list(caught.value.facts["fields"]) == ["duration"]


def test_mode_and_duration_are_taken_from_the_kind_when_the_program_is_made(make_kind, make_program):
    kind = make_kind(mode=Mode.OPEN, duration=7)
    program = make_program(kind_id=kind.id)

    with writing():
        kind.change(mode=Mode.FIXED, duration=9)

    found = Program.of(program.id)
    assert (found.mode, found.duration) == (Mode.OPEN, 7)


def test_priority_is_the_kinds_whatever_it_becomes(client, make_kind, make_program):
    kind = make_kind(priority=1)
    program = make_program(kind_id=kind.id)

    with writing():
        kind.change(priority=5)

    assert client.lookup_program_instance(program.id)["priority"] == 5


def test_the_end_moves_with_start_and_duration(make_program):
    program = make_program(start_date=date(2026, 3, 1))

    with writing():
        moved = Program.put(program.id, start_date=date(2026, 4, 1), duration=2)

    assert moved.end_date == date(2026, 4, 2)


@pytest.mark.parametrize("model", ["kind", "program"])
def test_nothing_is_its_own_ancestor(make_kind, make_program, model):
    make = {"kind": make_kind, "program": make_program}[model]
    top = make()
    middle = make(parent_id=top.id)
    bottom = make(parent_id=middle.id)

    for parent in (top, middle, bottom):
        with pytest.raises(Conflict) as caught, writing():
            type(top).put(top.id, parent_id=parent.id)
        assert caught.value.word.endswith("_OWN_ANCESTOR")


def test_a_parent_must_exist(make_kind):
    with pytest.raises(NotFound) as caught:
        make_kind(parent_id=NOBODY)

    assert caught.value.word == "PROGRAM_KIND_NOT_FOUND"


zones = st.sampled_from(sorted(clock.timezones()))


@given(zones, st.datetimes(datetime(1990, 1, 1), datetime(2080, 1, 1)), st.integers(-2, 2))
def test_a_program_runs_when_today_of_its_zone_is_one_of_its_days(zone, instant, shift):
    clock.set_to(instant.replace(tzinfo=UTC))
    start = clock.now().date() + timedelta(days=shift)
    program = Program(start_date=start, end_date=start, timezone=zone)

    assert program.is_running is (clock.today(zone) == start)


@pytest.fixture(autouse=True, scope="module")
def _clock_running_afterwards():
    yield
    clock.set_to(None)
