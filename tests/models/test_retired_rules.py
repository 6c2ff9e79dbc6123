"""What a retired user does not get: a place, a group, a ticket."""

from __future__ import annotations

import pytest

from models.cohorts import Cohort
from models.database import writing
from models.errors import Conflict
from models.memberships import Membership, MembershipRole, MembershipState
from models.people import Group, User, UserStatus
from models.sync import Sync, SyncMode
from models.tickets import Ticket


@pytest.fixture
def program(make_program):
    return make_program()


@pytest.fixture
def retired(make_user):
    return make_user(email="ada@example.org", status=UserStatus.RETIRED)


@pytest.fixture
def left(make_user, program, make_membership):
    """Somebody who left the program and was retired then."""
    user = make_user()
    member = make_membership(user, program, state=MembershipState.WITHDRAWN)
    with writing():
        user.edit(status=UserStatus.RETIRED)
    return member


def join(user, program):
    Membership.put(user.id, program)


def begin_as_ended(user, program):
    Membership.put(user.id, program, state=MembershipState.COMPLETED)


def be_put_into_a_group(user, program):
    user.join_group(Group.put(None, handle="staff"))


def buy_by_id(user, program):
    Ticket.buy(user.id, None, program.kind_id)


def buy_by_email(user, program):
    Ticket.buy(None, user.email, program.kind_id)


every_way = pytest.mark.parametrize(
    "get", [join, begin_as_ended, be_put_into_a_group, buy_by_id, buy_by_email]
)


@every_way
def test_a_retired_user_is_told(retired, program, get):
    with pytest.raises(Conflict) as caught, writing():
        get(retired, program)

    assert caught.value.word == "USER_RETIRED"
    assert (Membership.select().count(), Ticket.select().count()) == (0, 0)


@every_way
def test_who_is_made_active_first_gets_it(retired, program, get):
    with writing():
        User.put(retired.id, status=UserStatus.ACTIVE)
        get(User.of(retired.id), program)


def test_an_erased_user_is_told_that_they_stay_so(retired, program):
    with writing():
        retired.erase()

    with pytest.raises(Conflict) as caught, writing():
        join(retired, program)

    assert caught.value.word == "USER_ERASED"


@pytest.mark.parametrize(
    "come_back",
    [
        lambda member: Membership.put(member.user_id, member.program, state=MembershipState.ACTIVE),
        lambda member: member.say(MembershipState.ACTIVE),
    ],
)
def test_who_left_does_not_come_back(left, come_back):
    with pytest.raises(Conflict) as caught, writing():
        come_back(left)

    assert caught.value.word == "USER_RETIRED"


def test_what_a_retired_user_has_may_be_changed_and_ended(make_user, make_membership):
    member = make_membership(make_user())
    with writing():
        User.of(member.user_id).edit(status=UserStatus.RETIRED)

        assert Membership.put(member.user_id, member.program, role=MembershipRole.TRAINER)
        assert Membership.of(member.user_id, member.program_id).say(MembershipState.ACTIVE, comments="moved")
        assert Membership.of(member.user_id, member.program_id).say(MembershipState.COMPLETED)


def test_a_repeated_hook_is_answered_as_before(make_user, program, make_ticket):
    user, order = make_user(), Ticket().id
    make_ticket(program.kind_id, user, external_id=order)
    with writing():
        user.edit(status=UserStatus.RETIRED)

        assert Ticket.buy(user.id, None, program.kind_id, external_id=order) is False


def test_an_open_sync_adds_no_retired_user(retired, make_user, program):
    active = make_user()
    with writing():
        cohort = Cohort.confirm(program.id, "Monday")
        users = [str(retired.id), str(active.id)]
        sync = Sync(users, program.id, cohort.id, MembershipRole.MEMBER, SyncMode.OPEN)
        sync.prepare()

        assert sync.carry_out() == 1

    assert [row.user_id for row in Membership.select()] == [active.id]
