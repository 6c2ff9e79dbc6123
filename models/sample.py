"""A small world with fixed ids, built by the models' own verbs; demo, docs and tests use it.

Dates are relative to the day on which it is made, so that there are always programs before, during
and after today. The people are scientists of the past, at addresses that nobody can have.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from models import clock, imports
from models.actor import Actor
from models.audit import audited
from models.cohorts import Cohort
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
    UserRole,
    UserStatus,
)
from models.programs import Mode, Program, ProgramKind
from models.tickets import Ticket
from models.tokens import Scope, Token


def _id(noun: int, number: int) -> str:
    return f"{noun:08x}-0000-4000-8000-{number:012x}"


ADA, GRACE, ALAN, MARIE, EMMY, LISE = (_id(1, number) for number in range(1, 7))
ROSALIND, KATHERINE, CARL, SRINIVASA, MARYAM, HYPATIA = (_id(1, number) for number in range(7, 13))
NOBODY = _id(1, 99)  # an id that names nothing

COURSES, COOKING, BAKING, LANGUAGES, SPANISH, SAFETY, LATIN = (_id(2, number) for number in range(1, 8))

LAST_AUTUMN, SPRING, NEXT_SUMMER = (_id(3, number) for number in range(1, 4))  # of COOKING
BREAD = _id(3, 4)  # of BAKING: ends in five days
SPANISH_ALWAYS, SPANISH_SOON = _id(3, 5), _id(3, 6)  # open
SAFETY_ENDED = _id(3, 7)
LATIN_ARCHIVED = _id(3, 8)
SPANISH_ENDED = _id(3, 9)  # open

MONDAY, TUESDAY, LAST_AUTUMNS_MONDAY = (_id(4, number) for number in range(1, 4))

ADAS_TICKET, MARIES_TICKET, CARLS_CANCELED, EMMYS_REFUNDED, UNCLAIMED, LISES_SAFETY = (
    _id(5, number) for number in range(1, 7)
)
ORDER_LINE = _id(6, 1)  # the external id of ADAS_TICKET
UNCLAIMED_EMAIL = "not-here-yet@example.org"

STAFF, FRIENDS = _id(7, 1), _id(7, 2)
VEGETARIAN, ALUMNI = _id(8, 1), _id(8, 2)
NEWS, COOKS = _id(9, 1), _id(9, 2)
OLD_TOKEN = _id(10, 1)  # lets nobody in: nobody has its secret

_PEOPLE: tuple[tuple[Any, ...], ...] = (
    (ADA, "ada", "Ada", "Lovelace", {"gender": "female", "dob": date(1815, 12, 10)}),
    (GRACE, "grace", "Grace", "Hopper", {"role": UserRole.ADMIN, "title": "Rear Admiral"}),
    (ALAN, "alan", "Alan", "Turing", {"mobile": "+44 20 7946 0000", "timezone": "Europe/London"}),
    (MARIE, "marie", "Marie", "Curie", {"external_id": "S-4", "external_status": "paid"}),
    (EMMY, "emmy", "Emmy", "Noether", {"timezone": "Europe/Berlin"}),
    (LISE, "lise", "Lise", "Meitner", {"name": "L. Meitner"}),
    (ROSALIND, "rosalind", "Rosalind", "Franklin", {}),
    (KATHERINE, "katherine", "Katherine", "Johnson", {}),
    (CARL, "carl", "Carl", "Gauss", {"gender": "male"}),
    (SRINIVASA, "srinivasa", "Srinivasa", "Ramanujan", {}),
    (MARYAM, "maryam", "Maryam", "Mirzakhani", {}),
    (HYPATIA, None, "Hypatia", None, {}),  # has no email
)

# Who was there before the day on which the world is made, and who has signed in: how many days before.
_JOINED = {ADA: 730, GRACE: 400, ALAN: 30}
_SIGNED_IN = {ADA: 0, GRACE: 1, ALAN: 10}

# id, handle, name, parent, mode, duration, priority
_KINDS = (
    (COURSES, "courses", "Courses", None, Mode.FIXED, 30, 0),
    (COOKING, "cooking", "Cooking", COURSES, Mode.FIXED, 90, 10),
    (BAKING, "baking", "Baking", COOKING, Mode.FIXED, 28, 5),
    (LANGUAGES, "languages", "Languages", COURSES, Mode.OPEN, 365, 20),
    (SPANISH, "spanish", "Spanish", LANGUAGES, Mode.OPEN, 365, 0),
    (SAFETY, "safety", "Safety training", None, Mode.FIXED, 2, 0),
    (LATIN, "latin", "Latin", LANGUAGES, Mode.OPEN, 365, 0),
)

# id, kind, name, first day from today, further values
_PROGRAMS: tuple[tuple[Any, ...], ...] = (
    (LAST_AUTUMN, COOKING, "Cooking, autumn", -200, {}),
    (SPRING, COOKING, "Cooking, spring", -30, {"timezone": "Europe/Berlin"}),
    (NEXT_SUMMER, COOKING, "Cooking, summer", 61, {}),
    (BREAD, BAKING, "Bread", -22, {"parent_id": UUID(SPRING)}),
    (SPANISH_ALWAYS, SPANISH, "Spanish, any time", -100, {"timezone": "Pacific/Auckland"}),
    (SPANISH_SOON, SPANISH, "Spanish, next year", 20, {"timezone": "America/Los_Angeles"}),
    (SAFETY_ENDED, SAFETY, "Safety", -10, {}),
    (SPANISH_ENDED, SPANISH, "Spanish, last year", -500, {}),
    (LATIN_ARCHIVED, LATIN, "Latin", -40, {"archived": True}),
)

# id, buyer, email, kind, external id, sku
_TICKETS = (
    (ADAS_TICKET, ADA, None, COOKING, ORDER_LINE, "COOK-1"),
    (MARIES_TICKET, MARIE, None, COOKING, None, "COOK-1"),
    (CARLS_CANCELED, CARL, None, SPANISH, None, None),
    (EMMYS_REFUNDED, EMMY, None, BAKING, None, None),
    (UNCLAIMED, None, UNCLAIMED_EMAIL, COOKING, None, "COOK-1"),
    (LISES_SAFETY, LISE, None, SAFETY, None, "SAFE-9"),
)

# user, program, cohort, role, first day from today, then state unless active
_MEMBERSHIPS = (
    (ADA, SPRING, MONDAY, MembershipRole.TRAINER, -30, None),
    (GRACE, SPRING, None, MembershipRole.OBSERVER, -30, None),
    (ALAN, SPRING, MONDAY, MembershipRole.MEMBER, -30, MembershipState.WITHDRAWN),
    (MARIE, SPRING, TUESDAY, MembershipRole.MEMBER, -29, None),
    (ROSALIND, SPRING, None, MembershipRole.MEMBER, -28, None),
    (MARIE, LAST_AUTUMN, LAST_AUTUMNS_MONDAY, MembershipRole.MEMBER, -200, MembershipState.COMPLETED),
    (KATHERINE, LAST_AUTUMN, LAST_AUTUMNS_MONDAY, MembershipRole.MEMBER, -200, MembershipState.GRADUATED),
    (CARL, LAST_AUTUMN, None, MembershipRole.MEMBER, -190, MembershipState.INCOMPLETE),
    (EMMY, BREAD, None, MembershipRole.MEMBER, -22, MembershipState.REFUNDED),
    (MARIE, BREAD, None, MembershipRole.MEMBER, -22, None),
    (SRINIVASA, SPANISH_ALWAYS, None, MembershipRole.MEMBER, -15, None),
    (HYPATIA, SPANISH_ALWAYS, None, MembershipRole.TRAINER, -100, None),
    (KATHERINE, SAFETY_ENDED, None, MembershipRole.MEMBER, -10, None),
    (MARYAM, SAFETY_ENDED, None, MembershipRole.MEMBER, -10, MembershipState.DROPPED),
    (ROSALIND, NEXT_SUMMER, None, MembershipRole.MEMBER, 61, None),
)


_REPORT = {
    "source": "sis",
    "dryRun": False,
    "counts": {"courses.csv": {"created": 0, "updated": 0, "unchanged": 1, "refused": 1, "history": 0}},
    "refusals": [
        {
            "file": "courses.csv",
            "line": 3,
            "field": "title",
            "code": "MISSING_VALUE",
            "message": "Must be given.",
        }
    ],
    "warnings": [],
}


def make() -> None:
    """Fill the connected, empty database."""
    with writing(), audited(Actor("sample")):
        _make_people()
        _make_programs()
        _make_tickets()
        _make_memberships()
        User.of(UUID(MARYAM)).edit(status=UserStatus.RETIRED)
        Ticket.named(UUID(CARLS_CANCELED), None, None).cancel()
        ProgramKind.of(UUID(LATIN)).change(archived=True)
        Token.add(id=UUID(OLD_TOKEN), name="Old shop", scope=Scope.READ, hash=secrets.token_hex(32))
        imports.record(_REPORT, at=clock.now(), source="sis")


def _make_people() -> None:
    for row_id, name, first, last, more in _PEOPLE:
        email = f"{name}@example.org" if name else None
        if row_id in _JOINED:
            more = more | {"created_at": _days_ago(_JOINED[row_id])}
        if row_id in _SIGNED_IN:
            more = more | {"last_sign_in_at": _days_ago(_SIGNED_IN[row_id])}
        User.appear(email, id=UUID(row_id), first=first, last=last, **more)
    staff = Group.put(UUID(STAFF), handle="staff", name="Staff")
    Group.put(UUID(FRIENDS), handle="friends", name="Friends of the house")
    vegetarian = Label.put(UUID(VEGETARIAN), handle="vegetarian", name="Vegetarian")
    alumni = Label.put(UUID(ALUMNI), handle="alumni", name="Alumni")
    news = Channel.put(UUID(NEWS), handle="news", name="News")
    cooks = Channel.put(UUID(COOKS), handle="cooks", name="Cooks")
    User.of(UUID(GRACE)).join_group(staff)
    User.of(UUID(ALAN)).join_group(staff)
    User.of(UUID(ADA)).put_label(vegetarian)
    User.of(UUID(MARIE)).put_label(alumni)
    User.of(UUID(KATHERINE)).put_label(alumni)
    for user in (ADA, GRACE, EMMY):
        UserChannel.link(user=UUID(user), channel=news.id)
    for user in (EMMY, MARIE):
        UserChannel.link(user=UUID(user), channel=cooks.id)
    Relation.link(user=UUID(ADA), other=UUID(GRACE), kind=RelationKind.FOLLOWS)
    Relation.link(user=UUID(EMMY), other=UUID(ADA), kind=RelationKind.FOLLOWS)
    Relation.link(user=UUID(ALAN), other=UUID(GRACE), kind=RelationKind.DIRECT)
    Relation.link(user=UUID(MARIE), other=UUID(LISE), kind=RelationKind.RELATED)


def _days_ago(days: int) -> datetime:
    """The first instant of the day so many days ago."""
    return datetime.combine(clock.today() - timedelta(days=days), time.min, UTC)


def _make_programs() -> None:
    for row_id, handle, name, parent, mode, duration, priority in _KINDS:
        ProgramKind.put(
            UUID(row_id),
            handle=handle,
            name=name,
            group="Evening school",
            parent_id=parent and UUID(parent),
            mode=mode,
            duration=duration,
            priority=priority,
        )
    for row_id, kind, name, first_day, more in _PROGRAMS:
        start = clock.today() + timedelta(days=first_day)
        Program.put(UUID(row_id), kind_id=UUID(kind), name=name, start_date=start, **more)
    for row_id, program, name in (
        (MONDAY, SPRING, "Monday group"),
        (TUESDAY, SPRING, "Tuesday group"),
        (LAST_AUTUMNS_MONDAY, LAST_AUTUMN, "Monday group"),
    ):
        Cohort.add(id=UUID(row_id), program=UUID(program), name=name, name_key=name.casefold())


def _make_tickets() -> None:
    for row_id, buyer, email, kind, external_id, sku in _TICKETS:
        Ticket.add(
            id=UUID(row_id),
            user=buyer and UUID(buyer),
            email=email,
            email_key=email,
            kind=UUID(kind),
            external_id=external_id and UUID(external_id),
            sku=sku,
        )


def _make_memberships() -> None:
    for user, program, cohort, role, first_day, state in _MEMBERSHIPS:
        one = UUID(user), Program.of(UUID(program))
        day = clock.today() + timedelta(days=first_day)
        Membership.put(*one, role=role, cohort_id=cohort and UUID(cohort), date=day)
        if state is not None:
            Membership.of(one[0], one[1].id).say(state)
