"""Values for parameters: valid by the schema of the OpenRPC document, nearly valid, and hostile.

All of them come from a random.Random that is handed in, so a seed tells them all. What is stored stays
bounded: names, emails and ids of rows that calls make are drawn from pools.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from models import sample

Json = dict[str, Any]


@dataclass(frozen=True)
class Raw:
    """A piece of JSON that is written as it is, such as a number that no Python number is."""

    text: str


def encoded(value: Any, *, ascii_only: bool = True) -> str:
    """JSON; a list of pairs in a tuple is an object that may have a member twice."""
    match value:
        case Raw():
            return value.text
        case list():
            return "[" + ",".join(encoded(one, ascii_only=ascii_only) for one in value) + "]"
        case dict():
            return encoded(tuple(value.items()), ascii_only=ascii_only)
        case tuple():
            members = (
                json.dumps(name, ensure_ascii=ascii_only) + ":" + encoded(one, ascii_only=ascii_only)
                for name, one in value
            )
            return "{" + ",".join(members) + "}"
    return json.dumps(value, ensure_ascii=ascii_only)


# Ids: of the sample world, of rows that calls make, and of nothing.

_USERS = [
    *(sample.ADA, sample.GRACE, sample.ALAN, sample.MARIE, sample.EMMY, sample.LISE),
    *(sample.ROSALIND, sample.KATHERINE, sample.CARL, sample.SRINIVASA, sample.MARYAM, sample.HYPATIA),
]
_KINDS = [
    *(sample.COURSES, sample.COOKING, sample.BAKING, sample.LANGUAGES),
    *(sample.SPANISH, sample.SAFETY, sample.LATIN),
]
_PROGRAMS = [
    *(sample.LAST_AUTUMN, sample.SPRING, sample.NEXT_SUMMER, sample.BREAD, sample.SPANISH_ALWAYS),
    *(sample.SPANISH_SOON, sample.SAFETY_ENDED, sample.LATIN_ARCHIVED, sample.SPANISH_ENDED),
]
_COHORTS = [sample.MONDAY, sample.TUESDAY, sample.LAST_AUTUMNS_MONDAY]
_TICKETS = [
    *(sample.ADAS_TICKET, sample.MARIES_TICKET, sample.CARLS_CANCELED),
    *(sample.EMMYS_REFUNDED, sample.UNCLAIMED, sample.LISES_SAFETY),
]
_MADE = [f"0000000f-0000-4000-8000-{number:012x}" for number in range(40)]  # by calls that name the id
_ORDERS = [sample.ORDER_LINE, *(f"0000000e-0000-4000-8000-{number:012x}" for number in range(60))]

# By the names of members; a name that is not here is an id of any kind.
_POOLS = {
    "userId": _USERS,
    "otherUserId": _USERS,
    "programId": _PROGRAMS,
    "programKindId": _KINDS,
    "kind": _KINDS,
    "parentId": [*_KINDS, *_PROGRAMS],
    "cohortId": _COHORTS,
    "groupId": [sample.STAFF, sample.FRIENDS],
    "labelId": [sample.VEGETARIAN, sample.ALUMNI],
    "channelId": [sample.NEWS],
    "ticketId": _TICKETS,
    "tokenId": [sample.OLD_TOKEN],
    "externalId": _ORDERS,
}
_ANY_ID = [one for pool in _POOLS.values() for one in pool] + _MADE + [sample.NOBODY]

# fmt: off
_EMAILS = [
    *(f"{name}@example.org" for name in ("ada", "grace", "alan", "marie", "emmy", "lise", "carl")),
    *(f"fuzz{number}@example.org" for number in range(120)), "Ada@Example.ORG", " ada@example.org ",
    "\u200bada@example.org", "a\u0308@example.org", "ä@example.org",
    "İ@example.org", "ß@example.org", "x" * 242 + "@example.org", sample.UNCLAIMED_EMAIL, "a@b", "'@'",
]
# fmt: on
_HANDLES = ["staff", "friends", "vegetarian", "alumni", "news", "cooking", "spanish", "x", "Staff", "é", "İ"]
_ZONES = ["UTC", "Europe/Berlin", "Pacific/Auckland", "America/Los_Angeles", "Asia/Kathmandu", "Etc/GMT+12"]
_DAYS = ["2026-03-10", "2024-02-29", "0001-01-01", "9999-12-31", "1970-01-01", "2026-12-31", "1815-12-10"]
_INSTANTS = [
    *("2026-03-10T12:00:00Z", "2027-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999999Z"),
    *("0001-01-01T00:00:00Z", "2099-06-15T08:30:00.5Z"),
]
# fmt: off
_TEXTS = [
    "Monday group", "monday  GROUP", "\uff2donday group", "Straße", "STRASSE", "İstanbul", "ﬁne", "ﷺ", "é",
    "e\u0301", "x", "0", "null", "true", "a b", "a\tb", "a\nb", "a\r\nb", "“quoted”", "日本語", "שלום",
    "\u202eabc", "\u2067x", "👩‍👩‍👧‍👦", "\U0010ffff", "\ufffd", "\ufeffx", "\u200b", "\u00a0", "\u2028",
    "a\u0301\u0301\u0301", "Ⅷ", "½", "\u017f",
    "x" * 255, "é" * 255, "👍" * 255, "=1+1", "@x", "+1", "-1", "#", "%", "_", "\\", "/", "'", '"', "`",
]
# fmt: on

# What programs that are careless with text do something with.
# fmt: off
HOSTILE_TEXTS = [
    "' OR '1'='1", '" OR ""="', "1; DROP TABLE user --", "x') UNION ALL VALUES (1) --", "\\' OR 1=1 #",
    "%' --",
    "%s%n%x", "{0}", "{self.__class__.__mro__}", "${7*7}", "{{7*7}}", "$(id)", "`id`", "|id", "&& id",
    "../../../../etc/passwd", "..\\..\\x", "/dev/null", "C:\\con", "http://127.0.0.1:1/", "-rf", "--help",
    "\r\nX-Injected: 1", "\n\nHTTP/1.1 200 OK\r\n", "<script>x</script>", "[bold]x[/]", "[/x]", "=cmd|x!A1",
    "\x00", "a\x00b", "\x1b[31m", "\x7f", "\x85", "\ud800", "\udc00\ud800", "a\udfffb", "\ud83d", "\uffff",
    "x" * 256, "x" * 4000, "x" * 4001, "é" * 10_001, "a\u0300" * 3000, "ﷺ" * 500, " " * 300, "\u200b" * 300,
    "__proto__", "constructor", "__class__", "NaN", "Infinity", "undefined", "nil", "None", "0x1F", "1e400",
    "Bearer crpc_", "crpc_", "sqlite:///x", "file:x?mode=memory", "CORE_RPC_TOKEN",
]
# fmt: on

# What the query languages are made of; a query is words at random, which is seldom one.
# fmt: off
QUERY_WORDS = [
    "program", "starting", "ending", "active", "open", "from", "to", "as", "today", "year", "week",
    "-2 weeks", "+1 to -12 weeks", "+100 years", "+9999999999999 days", "0001-01-01", "9999-12-31",
    "2024-02-30", "with", "[active]", "[active|completed]", "[]", "[", "]", "given", "except", "programs",
    "kind", "users", "groups", "labels", "channels", "cohorts", "all users", "all admin", "current user",
    "current", "id:", "followers as", "related as current", "status = any", "participant = member", ",",
    "^", "where", "first is 'Ada'", "any", "contains", "'%'", "''''", "is ''", "and", "or", "empty", "not",
    "login before today", "sort by last", "desc",
    "limit 5", "limit 0", "limit 99999999999999999999", "(", ")", "=", "'", '"', "-", "+", "\\", "é", "\n",
]
# fmt: on

NUMBERS: list[Any] = [0, 1, 2, 7, 30, 365, 1000, 10_000, 7.0, 100.0]
# fmt: off
HOSTILE_NUMBERS: list[Any] = [
    -1, -(2**31), 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**31, 1.5, -0.0, 5e-324,
    Raw("1e308"), Raw("1e309"), Raw("-1e999"), Raw("1E+2"), Raw("-0"), Raw("0.10"), Raw("1e-400"),
    Raw("9" * 32), Raw("9" * 33), Raw("0." + "1" * 40), Raw("1" * 5000), Raw("1e" + "9" * 30),
]
# fmt: on


def deep(chance: Random) -> Any:
    """Containers in containers."""
    levels = chance.choice([3, 30, 59, 60, 61, 64, 70, 200, 2000])
    if chance.random() < 0.5:
        return Raw("[" * levels + "]" * levels)
    return Raw('{"a":' * levels + "1" + "}" * levels)


def wrong(chance: Random) -> Any:
    """A value of any type."""
    kind = chance.randrange(10)
    if kind < 3:
        return chance.choice(HOSTILE_TEXTS)
    if kind < 5:
        return chance.choice(HOSTILE_NUMBERS)
    if kind == 5 and chance.random() < 0.3:
        return deep(chance)
    if kind == 6 and chance.random() < 0.02:
        return chance.choice(["x" * 200_000, ["x"] * 10_000, {f"m{n}": n for n in range(5000)}, [[]] * 9000])
    return chance.choice(
        [
            None,
            True,
            False,
            [],
            {},
            [None],
            [[]],
            {"": ""},
            {"id": sample.ADA},
            [sample.ADA],
            "",
            1,
            {"a": {"b": []}},
        ]
    )


def text(chance: Random, name: str) -> str:
    """Text for a member of this name."""
    if name == "query":
        return " ".join(chance.choices(QUERY_WORDS, k=chance.randrange(1, 9)))
    if name == "timezone":
        return chance.choice(_ZONES)
    if "andle" in name or name == "group":
        return chance.choice(_HANDLES)
    return chance.choice(_TEXTS)


def row_id(chance: Random, name: str) -> str:
    """The id of something that a member of this name may mean."""
    pool = _POOLS.get(name, _ANY_ID)
    found = chance.choice(pool if chance.random() < 0.8 else chance.choice([_MADE, _ANY_ID]))
    return found.upper() if chance.random() < 0.05 else found


def valid(schema: Json, name: str, chance: Random) -> Any:
    """A value that the schema allows, as far as it says."""
    if "oneOf" in schema:
        return None if chance.random() < 0.05 else valid(schema["oneOf"][0], name, chance)
    if "enum" in schema:
        return chance.choice(schema["enum"])
    match schema.get("type"):
        case "integer":
            return max(schema.get("minimum", 0), chance.choice(NUMBERS))
        case "boolean":
            return chance.random() < 0.5
        case "array":
            return [valid(schema["items"], name, chance) for _ in range(chance.randrange(3))]
    match schema.get("format"):
        case "uuid":
            return row_id(chance, name)
        case "date":
            return chance.choice(_DAYS)
        case "date-time":
            return chance.choice(_INSTANTS)
        case "email":
            return chance.choice(_EMAILS)
    return text(chance, name)


_SPOILT: list[Callable[[str], str]] = [
    lambda good: good[:-1],
    lambda good: good + "0",
    lambda good: good + "\n",
    lambda good: good + "\x00",
    lambda good: " " + good,
    lambda good: good.upper(),
    lambda good: good.swapcase(),
    lambda good: good.replace("-", ""),
    lambda good: good.replace("-", "\u2010"),
    lambda good: good.replace("0", "\u0660"),
    lambda good: "{" + good + "}",
    lambda good: good.replace("@", "@@"),
    lambda good: good.replace("@", "\uff20"),
    lambda good: good + "\ud800",
    lambda good: good[::-1],
    lambda good: "",
    lambda good: good * 300,
]


def nearly_valid(schema: Json, name: str, chance: Random) -> Any:
    """A value that is not quite what the schema allows."""
    good = valid(schema, name, chance)
    match good:
        case bool():
            return chance.choice([int(good), str(good).lower(), [good]])
        case int() | float():
            return chance.choice([good + 0.5, -good, str(good), 10**12 + good, [good], *HOSTILE_NUMBERS])
        case str():
            return chance.choice(_SPOILT)(good)
        case list():
            return [*good, wrong(chance)]
    return wrong(chance)
