"""The days that points and ranges of a query mean, on a day that is today."""

from __future__ import annotations

import calendar
from datetime import date, timedelta

from models.query.tree import Between, Lasting, OnDay, Point, Range, Shift, Today, Unit


class OutOfCalendar(Exception):
    """A point lies before the year 1 or after the year 9999."""

    def __init__(self, at: int) -> None:
        super().__init__(at)
        self.at = at


def day_of(point: Point, today: date) -> date:
    """The day that a point means."""
    match point:
        case Today():
            return today
        case OnDay(day=day):
            return day
        case Shift(number=number, unit=unit, at=at):
            return _moved(today, number, unit, at)


def days_of(span: Range, today: date) -> tuple[date, date]:
    """The first and the last day of a range, whichever of its ends comes first."""
    match span:
        case Between(start=start, end=end):
            one, other = day_of(start, today), day_of(end, today)
            return min(one, other), max(one, other)
        case Lasting(start=start, unit=unit):
            first = day_of(start, today)
            return first, _last(first, unit, start.at)


_CYCLE = timedelta(days=146_097)  # 400 years, after which days and leap years are as they were


def _last(first: date, unit: Unit, at: int) -> date:
    """The last day of a unit; the day behind it may be outside the calendar."""
    cycle = _CYCLE if first.year > 400 else timedelta()
    last = _moved(first - cycle, 1, unit, at) - timedelta(days=1)
    try:
        return last + cycle
    except OverflowError:
        raise OutOfCalendar(at) from None


def _moved(day: date, number: int, unit: Unit, at: int) -> date:
    """The day so many units later, or earlier; no later in its month than the month is long."""
    try:
        match unit:
            case Unit.DAY:
                return day + timedelta(days=number)
            case Unit.WEEK:
                return day + timedelta(weeks=number)
            case Unit.MONTH:
                return _months_later(day, number)
            case Unit.YEAR:
                return _months_later(day, 12 * number)
    except (OverflowError, ValueError):
        raise OutOfCalendar(at) from None


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    first = date(year, month + 1, 1)
    return first.replace(day=min(day.day, calendar.monthrange(year, month + 1)[1]))
