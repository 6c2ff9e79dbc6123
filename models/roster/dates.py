"""Dates as systems and spreadsheets write them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from models.roster.cells import BadCell
from models.roster.options import Dates
from models.text import DAY_TEXT

# A time of zero behind a date says nothing more than the date.
_ISO = re.compile(
    r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"
    r"[T ]00:00(:00([.,]0{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?"
)
_US = re.compile(
    r"(?P<month>[0-9]{1,2})/(?P<day>[0-9]{1,2})/(?P<year>[0-9]{4})"
    r"( (00?:00(:00)?|12:00(:00)? ?AM))?",
    re.IGNORECASE,
)

_MESSAGES = {
    Dates.ISO: "Must be a date as YYYY-MM-DD.",
    Dates.US: "Must be a date as YYYY-MM-DD or M/D/YYYY.",
}


def day_as(dates: Dates) -> Callable[[str], date]:
    """A reader of cells with dates. YYYY-MM-DD is read always."""
    others = (_ISO, _US) if dates is Dates.US else (_ISO,)

    def day(cell: str) -> date:
        text = cell.strip()
        try:
            if DAY_TEXT.fullmatch(text):
                return date.fromisoformat(text)
            for form in others:
                if found := form.fullmatch(text):
                    return date(int(found["year"]), int(found["month"]), int(found["day"]))
        except ValueError:
            pass
        message = _MESSAGES[dates]
        if dates is not Dates.US and _US.fullmatch(text):
            message += " With --dates us, M/D/YYYY is read, too."
        raise BadCell("BAD_DATE", message)

    return day
