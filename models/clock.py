"""The one clock. Every "now" and "today" of the server comes from here, so that tests can set it."""

from __future__ import annotations

import functools
import zoneinfo
from datetime import UTC, date, datetime, tzinfo

_fixed: datetime | None = None


def now() -> datetime:
    """The present instant in UTC, cut to milliseconds as it is stored and shown."""
    instant = _fixed or datetime.now(UTC)
    return instant.replace(microsecond=instant.microsecond // 1000 * 1000)


def today(timezone: str = "UTC") -> date:
    """The present day in an IANA time zone."""
    return now().astimezone(_zone(timezone)).date()


def set_to(instant: datetime | None) -> None:
    """Stop the clock at an instant (setting CORE_RPC_CLOCK), or let it run again with None."""
    global _fixed
    if instant is not None and instant.tzinfo is None:
        instant = instant.replace(tzinfo=UTC)
    _fixed = instant.astimezone(UTC) if instant else None


def stopped_at() -> datetime | None:
    """The instant the clock was stopped at; None while it runs."""
    return _fixed


@functools.cache
def timezones() -> frozenset[str]:
    """The names of all IANA time zones; not "localtime", which is another zone on each machine."""
    return frozenset(zoneinfo.available_timezones() - {"localtime"})


@functools.cache
def _zone(timezone: str) -> tzinfo:
    return UTC if timezone == "UTC" else zoneinfo.ZoneInfo(timezone)
