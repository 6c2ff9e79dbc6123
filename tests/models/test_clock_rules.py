"""The one clock, and the day that it is in a place."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from models import clock


@pytest.fixture(autouse=True)
def _running_afterwards():
    yield
    clock.set_to(None)


@pytest.mark.parametrize(
    ("instant", "zone", "day"),
    [
        ("2026-03-10T10:59:59.999Z", "Pacific/Auckland", date(2026, 3, 10)),
        ("2026-03-10T11:00:00Z", "Pacific/Auckland", date(2026, 3, 11)),
        ("2026-03-10T06:59:59.999Z", "America/Los_Angeles", date(2026, 3, 9)),
        ("2026-03-10T07:00:00Z", "America/Los_Angeles", date(2026, 3, 10)),
        ("2026-03-08T07:59:59Z", "America/Los_Angeles", date(2026, 3, 7)),  # before summer time
        ("2026-03-10T23:59:59.999Z", "UTC", date(2026, 3, 10)),
        ("2026-03-10T18:15:00Z", "Asia/Kathmandu", date(2026, 3, 11)),
    ],
)
def test_a_day_turns_at_midnight_of_the_zone(instant, zone, day):
    clock.set_to(datetime.fromisoformat(instant))

    assert day == clock.today(zone)


def test_a_set_clock_stands_still():
    instant = datetime(2026, 3, 10, 12, tzinfo=UTC)
    clock.set_to(instant)

    assert [clock.now(), clock.now(), clock.stopped_at()] == [instant] * 3


def test_a_clock_set_without_a_zone_is_in_utc():
    clock.set_to(datetime(2026, 3, 10, 12))

    assert clock.now() == datetime(2026, 3, 10, 12, tzinfo=UTC)


def test_a_clock_set_in_another_zone_shows_utc():
    clock.set_to(datetime.fromisoformat("2026-03-10T13:00:00+01:00"))

    assert clock.now().isoformat() == "2026-03-10T12:00:00+00:00"


def test_a_clock_that_is_not_set_runs():
    clock.set_to(datetime(2026, 3, 10, 12))
    clock.set_to(None)

    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_an_instant_has_whole_milliseconds():
    clock.set_to(datetime(2026, 3, 10, 12, 0, 0, 123_999))

    assert clock.now().microsecond == 123_000
