"""What text may be, whichever way it comes in: the patterns and limits of section 3 of the contract."""

from __future__ import annotations

import re

# No NUL, no control characters but tab, line feed and carriage return, no lone surrogates.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
UUID_TEXT = re.compile("[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
DAY_TEXT = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT_TEXT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")

# Characters at most.
NAME = 255
COMMENTS = 4000
