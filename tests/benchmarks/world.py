"""The rows that every server of the benchmark answers from, as they go over the wire.

Needs nothing but the standard library, because the peers' environment has nothing of ours in it.
"""

from __future__ import annotations

from typing import Any

Call = dict[str, Any]


def _id(noun: int, number: int) -> str:
    return f"{noun:08x}-0000-4000-8000-{number:012x}"


MADE = {"createdAt": "2026-01-05T08:00:00.000Z", "updatedAt": "2026-01-06T09:30:00.000Z"}

KINDS: dict[str, dict[str, Any]] = {
    _id(2, number): {
        "id": _id(2, number),
        "name": f"Course number {number:03}",
        "handle": f"course-{number:03}",
        "group": "Evening school",
        "parentId": _id(2, 0) if number else None,
        "mode": "fixed",
        "duration": 90,
        "priority": number % 10,
        "archived": False,
        **MADE,
    }
    for number in range(200)
}

PROGRAMS: dict[str, dict[str, Any]] = {
    _id(3, number): {
        "id": _id(3, number),
        "name": f"Course number {number:03}, spring",
        **MADE,
        "startDate": "2026-02-01",
        "endDate": "2026-05-01",
        "duration": 90,
        "mode": "fixed",
        "timezone": "UTC",
        "programKind": _id(2, number),
        "baseName": f"Course number {number:03}",
        "baseHandle": f"course-{number:03}",
        "programKindParent": KINDS[_id(2, number)]["parentId"],
        "priority": number % 10,
        "parentId": None,
        "archived": False,
    }
    for number in range(20)
}

CROWDED = _id(3, 0)  # the program with the cohorts
COHORTS = [
    {"id": _id(4, number), "programId": CROWDED, "name": f"Cohort {number:03}", **MADE}
    for number in range(50)
]

MEMBERSHIPS = [(_id(1, number), _id(3, number % 20)) for number in range(2000)]
BUYERS = [_id(1, number) for number in range(2000, 3000)]  # others, so that no ticket is used by joining
USERS = [user for user, _ in MEMBERSHIPS] + BUYERS
ROLES = ("member", "trainer")  # the first is the one that memberships begin with

FRESH = "f4e5c000-0000-4000-8000-000000000000"  # stands for an id that nobody has sent before


def lookup(number: int) -> Call:
    """Look up the kind with this number."""
    return _call(number, "core.LookupProgram", programKindId=_id(2, number % len(KINDS)))


def cohorts(number: int) -> Call:
    """List the fifty cohorts."""
    return _call(number, "core.ListCohorts", programId=CROWDED)


def modify(number: int, role: str, pair: tuple[str, str] | None = None) -> Call:
    """Give a membership a role: that of the pair, or the world's with this number."""
    user, program = pair or MEMBERSHIPS[number]
    return _call(number, "core.ModifyProgramMembership", userId=user, programId=program, role=role)


def history(number: int, user: str, program: str) -> Call:
    """List what happened to a membership."""
    return _call(number, "core.MembershipHistory", userId=user, programId=program)


def buy(number: int) -> Call:
    """Make a ticket for the buyer with this number, as a shop's hook does."""
    bought = {"programKindId": _id(2, number % len(KINDS)), "externalId": FRESH, "sku": "EVE-1"}
    return _call(number, "core.CreateProgramTicket", userId=BUYERS[number % len(BUYERS)], **bought)


def _call(number: int, method: str, **params: Any) -> Call:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": number}


def reply_to(call: Call) -> dict[str, Any]:
    """The reply that a call must get."""
    params = call["params"]
    match call["method"]:
        case "core.LookupProgram":
            result: Any = KINDS[params["programKindId"]]
        case "core.ListCohorts":
            result = COHORTS
        case "core.ModifyProgramMembership":
            result = [PROGRAMS[params["programId"]]]
        case "core.CreateProgramTicket":
            result = 1
    return {"jsonrpc": "2.0", "result": result, "id": call["id"]}
