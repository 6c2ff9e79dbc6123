"""The one clock. Every "now" and "today" of the server comes from here, so that tests can set it."""

from __future__ import annotations

import functools
import time
import zoneinfo
from datetime import UTC, date, datetime, timedelta, tzinfo

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_fixed: datetime | None = None


def now() -> datetime:
    """The present instant in UTC, cut to milliseconds as it is stored and shown."""
    return _fixed or _at(time.time_ns() // 1_000_000)


@functools.lru_cache(maxsize=16)  # a group of writes has many that are of one millisecond
def _at(milliseconds: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=milliseconds)


def today(timezone: str = "UTC") -> date:
    """The present day in an IANA time zone."""
    return now().astimezone(_zone(timezone)).date()


def set_to(instant: datetime | None) -> None:
    """Stop the clock at an instant (setting CORE_RPC_CLOCK), or let it run again with None."""
    global _fixed
    if instant is not None:
        instant = instant.replace(
            tzinfo=instant.tzinfo or UTC, microsecond=instant.microsecond // 1000 * 1000
        )
        instant = instant.astimezone(UTC)
    _fixed = instant


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
