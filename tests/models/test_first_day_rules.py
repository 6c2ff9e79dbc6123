"""From which day somebody takes part, by whatever route they joined."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from models import clock
from models.cohorts import Cohort
from models.database import writing
from models.memberships import Membership, MembershipRole, Participation
from models.programs import Mode, Program
from models.roster import import_oneroster
from models.sync import Sync, SyncMode

APRIL = date(2026, 4, 1)


@pytest.fixture
def program(make_kind, make_program):
    """An open program that starts in April; it is March."""
    return Program.of(make_program(kind_id=make_kind(mode=Mode.OPEN).id, start_date=APRIL).id)


def put(user, program):
    Membership.put(user.id, program)


def sync(user, program):
    cohort = Cohort.confirm(program.id, "Monday")
    found = Sync([str(user.id)], program.id, cohort.id, MembershipRole.MEMBER, SyncMode.OPEN)
    found.prepare()
    found.carry_out()


every_call = pytest.mark.parametrize("join", [put, sync])


@every_call
def test_who_joins_early_takes_part_from_the_start(make_user, program, join):
    user = make_user()

    with writing():
        join(user, program)

    member = Membership.of(user.id, program.id)
    clock.set_to(datetime(2026, 4, 1, 12, tzinfo=UTC))
    [shown] = Participation.closing(within_days=365)
    assert (member.date, shown.participant_day) == (APRIL, 1)


@every_call
def test_who_joins_late_takes_part_from_today(make_user, program, join):
    user = make_user()
    clock.set_to(datetime(2026, 4, 5, 12, tzinfo=UTC))

    with writing():
        join(user, program)

    assert Membership.of(user.id, program.id).date == date(2026, 4, 5)


@every_call
def test_today_is_that_of_the_program(make_user, make_program, join):
    user = make_user()
    program = Program.of(make_program(timezone="Pacific/Auckland", start_date=date(2026, 3, 1)).id)

    with writing():
        join(user, program)

    assert Membership.of(user.id, program.id).date == date(2026, 3, 11)


def test_who_comes_back_keeps_the_day(make_membership, program):
    member = make_membership(program=program, state="withdrawn")
    clock.set_to(datetime(2026, 4, 5, 12, tzinfo=UTC))

    with writing():
        Membership.put(member.user_id, program, state="active")

    assert Membership.of(member.user_id, program.id).date == APRIL


@pytest.mark.parametrize(("begin", "day"), [("", APRIL), ("2026-03-20", date(2026, 3, 20))])
def test_a_roster_says_the_day_or_it_is_the_start(world, tmp_path, begin, day):
    files = {
        "academicSessions": "sourcedId,startDate,endDate\nspring,2026-04-01,2026-05-01\n",
        "courses": "sourcedId,title\ncook,Cooking\n",
        "classes": "sourcedId,title,courseSourcedId,termSourcedIds\ncook-1,Cooking,cook,spring\n",
        "users": "sourcedId,givenName\nada,Ada\n",
        "enrollments": f"sourcedId,classSourcedId,userSourcedId,beginDate\ne1,cook-1,ada,{begin}\n",
    }
    for name, text in files.items():
        (tmp_path / f"{name}.csv").write_text(text)

    import_oneroster(tmp_path)

    [member] = Membership.select()
    assert member.date == day
