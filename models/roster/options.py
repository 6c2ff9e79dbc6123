"""Options of an import, and how they are written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ROWS_AT_ONCE = 400  # rows stored in one transaction, which takes some 50 ms

_AMOUNT = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(%?)", re.ASCII)


class Dates(StrEnum):
    """Forms of dates: YYYY-MM-DD alone, or also M/D/YYYY."""

    ISO = "iso"
    US = "us"


class Missing(StrEnum):
    """The fate of memberships that no row of a source names any longer."""

    KEEP = "keep"
    END = "end"


class Match(StrEnum):
    """Which users a new sourcedId is given to, found by their email.

    Those without a sourcedId; none; or those of other sources, too.
    """

    DEFAULT = "default"
    NONE = "none"
    EMAIL = "email"


@dataclass(frozen=True)
class MaxChanges:
    """A limit of changed memberships: a number, or a percentage of the active ones of a source."""

    amount: Decimal
    is_percentage: bool = False

    @classmethod
    def parse(cls, text: str) -> MaxChanges:
        """A limit written as `50` or `5%`; ValueError when it is neither."""
        found = _AMOUNT.fullmatch(text.strip())
        if found is None or ("." in found[1] and not found[2]):
            raise ValueError(f"{text!r} is neither a number such as 50 nor a percentage such as 5%")
        return cls(Decimal(found[1]), bool(found[2]))

    def of(self, active: int) -> int:
        """The number of changes that are allowed where so many memberships are active."""
        return int(self.amount * active / 100 if self.is_percentage else self.amount)

    def __str__(self) -> str:
        return f"{self.amount}{'%' * self.is_percentage}"


@dataclass(frozen=True)
class Options:
    """The choices of a caller of an import."""

    source: str = "default"  # name of the system that the ids come from
    dry_run: bool = False
    dates: Dates = Dates.ISO
    missing: Missing = Missing.KEEP
    max_changes: MaxChanges | None = None
    match: Match = Match.DEFAULT
    rows_at_once: int = ROWS_AT_ONCE
