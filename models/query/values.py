"""The values that a query's statements are run with and that its text does not say: who asks, and days."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from models import clock
from models.errors import QueryError
from models.programs import Program
from models.query.days import OutOfCalendar, day_of, days_of
from models.query.syntax import shown_at
from models.query.tree import Point, Range
from models.query.vocabulary import A_DAY

Values = dict[str, Any]

AFTER_DAY = "U"  # behind a day's text: later than all its instants, whose texts go on with T

# Programs may be in zones on three days at once: what ends the names of values for each, and that day's name.
_ZONES = {"": "today", "_ahead": "day_ahead", "_behind": "day_behind"}
RANGE_VALUES = ("least", "most", *(end + zone for end in ("low", "high") for zone in _ZONES))
POINT_VALUES = ("day", "day_after")

_A_USER = "a token that acts for a user"


@dataclass
class Later:
    """What a text says of who asks and of days, in the order in which it says it."""

    text: str
    current: int | None = None  # the first place that speaks of who asks
    ranges: list[Range] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)

    def values(self, current: UUID | None) -> Values:
        """The values for a user who asks now; QueryError where there are none."""
        if self.current is not None and current is None:
            problem = f"expected {_A_USER}, found one that acts for none"
            raise QueryError(self.text, self.current, problem, [_A_USER])
        values: Values = {"current": current and str(current)}
        try:
            if self.ranges:
                todays = Program.todays()
                values |= todays
                for number, span in enumerate(self.ranges):
                    values |= numbered(number, _of_range(span, todays))
            for number, point in enumerate(self.points):
                day = str(day_of(point, clock.today()))
                values |= numbered(number, {"day": day, "day_after": day + AFTER_DAY})
        except OutOfCalendar as error:
            problem = f"expected {A_DAY}, found {shown_at(self.text, error.at)}"
            raise QueryError(self.text, error.at, problem, [A_DAY]) from None
        return values


def numbered(number: int, values: Mapping[str, Any]) -> Values:
    """Values under names that are those of one term."""
    return {own_name(number, name): value for name, value in values.items()}


def own_name(number: int, name: str) -> str:
    return f"{name} {number}"


def _of_range(span: Range, todays: Mapping[str, date]) -> Values:
    """The ends of a range in each zone, and what is in none outside them."""
    days = {"": days_of(span, todays["today"])}
    for zone, today in _ZONES.items():
        try:
            days[zone] = days_of(span, todays[today])
        except OutOfCalendar:  # for this zone alone
            days[zone] = days[""]
    lows, highs = zip(*days.values(), strict=True)
    values = {"least": min(lows), "most": max(highs)}
    for zone, (low, high) in days.items():
        values |= {f"low{zone}": low, f"high{zone}": high}
    return values
