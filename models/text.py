"""What text may be, whichever way it comes in: the patterns and limits of section 3 of the contract;
and how an instant is written."""

from __future__ import annotations

import functools
import re
import unicodedata
from datetime import UTC, datetime

import orjson

# No NUL, no control characters but tab, line feed and carriage return, no lone surrogates.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
UUID_TEXT = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DAY_TEXT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")

# Characters that take no room and count for nothing where names are compared: soft hyphen, joiners,
# marks of direction, Hangul fillers, byte order mark.
_ZERO_WIDTH = "\u00ad\u034f\u061c\u115f\u1160\u180e\u3164\ufeff\uffa0" + "".join(
    chr(code)
    for first, last in ((0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F))
    for code in range(first, last + 1)
)
_WITHOUT_ZERO_WIDTH = dict.fromkeys(map(ord, _ZERO_WIDTH))

# Characters at most.
NAME = 255
COMMENTS = 4000
QUERY = 10_000


def without_zero_width(text: str) -> str:
    """A text without the characters that take no room."""
    return text.translate(_WITHOUT_ZERO_WIDTH)


def trimmed(text: str) -> str:
    """A text without blanks, and characters that take no room, around it."""
    while (shorter := text.strip().strip(_ZERO_WIDTH)) != text:
        text = shorter
    return text


@functools.lru_cache(maxsize=1024)  # a file of a roster has the same few names in each row
def name_key(name: str) -> str:
    """The form in which names and handles compare.

    NFKC without zero-width characters, blanks trimmed and collapsed, case folded.
    """
    folded = unicodedata.normalize("NFKC", without_zero_width(name)).casefold()
    return " ".join(without_zero_width(unicodedata.normalize("NFKC", folded)).split())


def instant_text(instant: datetime) -> str:
    """An instant as it is stored and goes over the wire: UTC, always three fraction digits."""
    if instant.tzinfo is not UTC:
        instant = instant.astimezone(UTC)
    # orjson takes half as long as isoformat.
    seconds = orjson.dumps(instant, None, orjson.OPT_OMIT_MICROSECONDS)[1:20].decode()
    return f"{seconds}.{instant.microsecond // 1000:03}Z"
