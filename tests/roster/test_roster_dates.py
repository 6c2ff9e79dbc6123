"""Dates as systems and spreadsheets write them."""

from __future__ import annotations

from datetime import date

import pytest

from models.roster.cells import BadCell
from models.roster.columns import day
from models.roster.dates import day_as
from models.roster.options import Dates

FIRST = date(2025, 9, 1)
both = pytest.mark.parametrize("read", [day_as(Dates.ISO), day_as(Dates.US)], ids=["iso", "us"])


@both
@pytest.mark.parametrize(
    "cell",
    [
        "2025-09-01",
        " 2025-09-01 ",
        "2025-09-01T00:00:00",
        "2025-09-01T00:00:00Z",
        "2025-09-01T00:00:00.000Z",
        "2025-09-01T00:00:00.0000000",
        "2025-09-01T00:00:00+02:00",
        "2025-09-01 00:00:00",
        "2025-09-01 00:00",
    ],
)
def test_a_day_may_have_a_time_of_zero(read, cell):
    assert read(cell) == FIRST


@pytest.mark.parametrize(
    "cell",
    [
        "9/1/2025",
        "09/01/2025",
        "9/01/2025",
        "9/1/2025 0:00",
        "9/1/2025 00:00:00",
        "9/1/2025 12:00:00 AM",
        " 9/1/2025",
    ],
)
def test_dates_of_the_united_states_are_read_where_they_are_asked_for(cell):
    assert day_as(Dates.US)(cell) == FIRST


@pytest.mark.parametrize("cell", ["9/1/2025", "9/1/2025 0:00", "13/9/2025"])
def test_without_being_asked_for_they_are_refused_with_the_option_that_reads_them(cell):
    with pytest.raises(BadCell) as caught:
        day(cell)

    assert caught.value.code == "BAD_DATE"
    assert "YYYY-MM-DD" in caught.value.message
    assert "--dates us" in caught.value.message


@both
@pytest.mark.parametrize(
    "cell",
    [
        *("", "soon", "20250901", "2025-9-1", "2025-02-30", "0000-01-01", "1.9.2025", "45901", "²025-09-01"),
        *("2025-09-01T04:00:00Z", "2025-09-01T00:00:01", "2025-09-01T", "2025-09-01T00"),
        *(
            "13/9/2025",
            "0/1/2025",
            "2/30/2025",
            "9/1/25",
            "9/1/2025 1:00",
            "9-1-2025",
            "9/1/2025 12:00",
            "1/1/0000",
        ),
    ],
)
def test_what_is_no_day_is_refused(read, cell):
    with pytest.raises(BadCell) as caught:
        read(cell)

    assert caught.value.code == "BAD_DATE"


def test_what_may_be_written_is_told():
    with pytest.raises(BadCell) as caught:
        day_as(Dates.US)("soon")

    assert caught.value.message == "Must be a date as YYYY-MM-DD or M/D/YYYY."
