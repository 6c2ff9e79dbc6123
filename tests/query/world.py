"""A world for random queries: rich in what is rare, and the same in every run."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from models.cohorts import Cohort, name_key
from models.database import writing
from models.memberships import Membership, MembershipRole, MembershipState
from models.people import (
    Channel,
    Group,
    Label,
    Relation,
    RelationKind,
    User,
    UserChannel,
    UserGroup,
    UserLabel,
    UserRole,
    UserStatus,
    email_key,
)
from models.programs import Mode, Program, ProgramKind, end_of

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
TODAY = NOW.date()

Values = dict[str, Any]

_chance = random.Random(20260310)


def _id() -> UUID:
    return UUID(int=_chance.getrandbits(128), version=4)


def _some(choices: Sequence[Any], most: int) -> list[Any]:
    """Some of the choices, each once."""
    return _chance.sample(choices, _chance.randint(0, min(most, len(choices))))


# Spellings that fold to each other and that do not, blanks, and what other languages treat as signs.
NAMES = (
    *("Straße", "STRASSE", "strasse", "Weiß", "weiss", "\u1e9e"),
    *("İstanbul", "istanbul", "ISTANBUL", "\u0131stanbul", "i\u0307stanbul"),
    *("ǅungla", "Ǆungla", "ǆungla", "ﬁn", "FIN", "fin"),
    *("ΣΊΣΥΦΟΣ", "σίσυφος", "Σίσυφοσ", "Ångström", "A\u030angstro\u0308m", "ångström", "\u212bngström"),
    *("O'Brien", 'Say "so"', "100%", "a_b", "aXb", "a*b?", "[a-c]", "back\\slash", "semi;colon"),
    *(
        "Ada",
        "ada",
        "Ann Lee",
        " Lee",
        "Lee ",
        "\u2003",
        "\t",
        "two\nlines",
        "limit 5",
        "where",
        "日本",
        "🎉",
    ),
    *("", "", None, None, None),
)

USERS: list[Values] = []
for _number in range(40):
    _email = _chance.choice(
        [f"user{_number}@example.org", f"User{_number}@Example.ORG", f"straße{_number}@İ.example", None]
    )
    USERS.append(
        {
            "id": _id(),
            "email": _email,
            "email_key": _email and email_key(_email),
            "first": _chance.choice(NAMES),
            "last": _chance.choice(NAMES),
            "name": _chance.choice([None, None, "", *NAMES]),
            "mobile": _chance.choice([None, "", "+44 20 7946 0000", "+44 20 7946 0001", "0"]),
            "timezone": _chance.choice([None, "", "UTC", "Europe/Berlin", "Pacific/Auckland"]),
            "external_id": _chance.choice([None, "", "S-4", "s-4", "S-44"]),
            "external_status": _chance.choice([None, "", "paid", "PAID", "unpaid", "bezahlt: groß"]),
            "role": _chance.choice([UserRole.USER, UserRole.USER, UserRole.ADMIN]),
            "status": _chance.choice([UserStatus.ACTIVE, UserStatus.ACTIVE, UserStatus.RETIRED]),
            # Several are made at one instant, and some of the others just beside midnight.
            "created_at": _chance.choice(
                [
                    NOW - timedelta(days=_number // 4),
                    datetime(2026, 3, 8, tzinfo=UTC),
                    datetime(2026, 3, 8, 23, 59, 59, 999000, tzinfo=UTC),
                    datetime(2024, 2, 29, 12, tzinfo=UTC),
                ]
            ),
            "last_sign_in_at": _chance.choice(
                [
                    None,
                    NOW,
                    datetime(2026, 3, 9, 23, 59, 59, 999000, tzinfo=UTC),
                    datetime(2026, 3, 10, tzinfo=UTC),
                    datetime(2026, 2, 28, 6, tzinfo=UTC),
                    NOW - timedelta(days=365),
                ]
            ),
        }
    )

# More than one kind may have a handle; a kind may have none.
KINDS: list[Values] = [
    {"id": _id(), "name": handle or "Nameless", "handle": handle}
    for handle in ("cooking", "cooking", "Cooking", "straße", "evening, late", "it's", "active", None)
]

ZONES = (
    *("UTC", "UTC", "Europe/Berlin", "Asia/Kolkata", "America/Los_Angeles"),
    *("Pacific/Auckland", "Pacific/Kiritimati", "Pacific/Pago_Pago"),
)

PROGRAMS: list[Values] = []
for _number in range(15):
    _start = TODAY + timedelta(
        days=_chance.choice([-400, -365, -40, -14, -7, -2, -1, 0, 0, 1, 2, 7, 31, 366])
    )
    _duration = _chance.choice([1, 1, 2, 7, 14, 30, 365, 800])
    PROGRAMS.append(
        {
            "id": _id(),
            "kind": _chance.choice(KINDS)["id"],
            "name": _chance.choice(["Straße", "strasse", "Spring", "spring", "Autumn", "ǅ", ""]),
            "start_date": _start,
            "end_date": end_of(_start, _duration),
            "duration": _duration,
            "mode": _chance.choice(list(Mode)),
            "timezone": _chance.choice(ZONES),
            "archived": _chance.random() < 0.2,
        }
    )

COHORTS: list[Values] = [
    {"id": _id(), "program": program["id"], "name": name, "name_key": name_key(name)}
    for program in PROGRAMS[:10]
    for name in _some(["Monday", "Tuesday", "straße"], 3)
]

# The program with most members has nearly all users, some programs have nobody.
MEMBERSHIPS: list[Values] = [
    {
        "id": _id(),
        "user": user["id"],
        "program": program["id"],
        "cohort": _chance.choice([None, *(row["id"] for row in COHORTS if row["program"] == program["id"])]),
        "role": _chance.choice([MembershipRole.MEMBER, *MembershipRole]),
        "state": _chance.choice([MembershipState.ACTIVE] * 5 + list(MembershipState)),
        "date": program["start_date"],
        "created_at": NOW - timedelta(hours=_chance.randint(0, 10)),
    }
    for number, program in enumerate(PROGRAMS)
    for user in _chance.sample(USERS, (38, 20, 12, 6, 3, 1, 0)[number % 7])
]

GROUPS = [
    {"id": _id(), "handle": handle, "name": handle} for handle in ("Staff", "\u200bBüro ", "where", "n°1")
]
CHANNELS = [{"id": _id(), "handle": handle, "name": handle} for handle in ("news", "staff", "a b")]
LABELS = [
    {"id": _id(), "handle": handle, "name": handle}
    for handle in ("straße", "Straßen", "a,b", "[c]", "it's", "🎉", "staff", "ﬁn", "London  Region")
]
LABELS.append({"id": _id(), "handle": str(LABELS[0]["id"]), "name": "Looks like an id"})

IN_GROUPS = [{"user": row["id"], "group": one["id"]} for row in USERS for one in _some(GROUPS, 2)]
IN_CHANNELS = [{"user": row["id"], "channel": one["id"]} for row in USERS for one in _some(CHANNELS, 2)]
UNDER_LABELS = [{"user": row["id"], "label": one["id"]} for row in USERS for one in _some(LABELS, 4)]
RELATIONS = [
    {"user": row["id"], "other": other["id"], "kind": kind}
    for row in USERS
    for kind in RelationKind
    for other in _some(USERS, 3)
    if other is not row
]


def make() -> None:
    """Fill the connected, empty database."""
    with writing():
        for model, rows in (
            (User, USERS),
            (Group, GROUPS),
            (Channel, CHANNELS),
            (Label, LABELS),
            (UserGroup, IN_GROUPS),
            (UserChannel, IN_CHANNELS),
            (UserLabel, UNDER_LABELS),
            (Relation, RELATIONS),
            (ProgramKind, KINDS),
            (Program, PROGRAMS),
            (Cohort, COHORTS),
            (Membership, MEMBERSHIPS),
        ):
            model.insert_rows([model.new(**values) for values in rows])
