"""core.ModifyProgramMembership"""

from __future__ import annotations

from uuid import UUID

import pytest

from models import sample
from models.cohorts import Cohort
from models.database import writing
from models.memberships import Membership, MembershipChange, MembershipRole, MembershipState
from models.people import User
from models.tickets import Ticket, TicketState


@pytest.fixture
def make_cohort(world):
    def make(program, name="Monday group"):
        with writing():
            return Cohort.confirm(program.id, name)

    return make


def stored(user, program):
    """Role, state and cohort of a membership as stored."""
    found = Membership.of(user.id, program.id)
    return found.role.value, found.state.value, found.cohort_id


def test_the_program_comes_back_as_its_lookup_gives_it(client, make_user, make_program):
    user, program = make_user(), make_program()

    found = client.modify_program_membership(user_id=user.id, program_id=program.id)

    expected = client.lookup_program_instance(program.id)
    assert [expected] == found
    assert list(expected) == list(found[0])


def test_a_new_membership_is_an_active_member_without_cohort(client, make_user, make_program):
    user, program = make_user(), make_program()

    client.modify_program_membership(user_id=user.id, program_id=program.id)

    assert stored(user, program) == ("member", "active", None)


def test_a_new_membership_takes_what_is_given(client, make_user, make_program, make_cohort):
    user, program = make_user(), make_program()
    cohort = make_cohort(program)

    client.modify_program_membership(
        user_id=user.id, program_id=program.id, cohort_id=cohort.id, role="observer", state="completed"
    )

    assert stored(user, program) == ("observer", "completed", cohort.id)


@pytest.mark.parametrize(("zone", "day"), [("Pacific/Auckland", 11), ("America/Los_Angeles", 10)])
def test_a_new_membership_begins_today_as_the_program_counts_days(
    client, make_user, make_program, set_clock, zone, day
):
    user, program = make_user(), make_program(timezone=zone)
    set_clock("2026-03-10T23:30:00Z")

    client.modify_program_membership(user_id=user.id, program_id=program.id)

    assert Membership.of(user.id, program.id).date.day == day


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("trainer", "completed", True)),
        ({"role": "observer"}, ("observer", "completed", True)),
        ({"state": "graduated"}, ("trainer", "graduated", True)),
        ({"clear": ["cohortId"]}, ("trainer", "completed", False)),
    ],
)
def test_what_is_not_given_stays(client, make_program, make_membership, make_cohort, given, expected):
    program = make_program()
    cohort = make_cohort(program)
    member = make_membership(
        program=program,
        role=MembershipRole.TRAINER,
        state=MembershipState.COMPLETED,
        cohort_id=cohort.id,
    )

    client.modify_program_membership(user_id=member.user_id, program_id=program.id, **given)

    role, state, in_cohort = expected
    assert stored(member.user, program) == (role, state, cohort.id if in_cohort else None)


def test_a_member_moves_to_another_cohort(client, make_program, make_membership, make_cohort):
    program = make_program()
    monday, tuesday = make_cohort(program, "Monday"), make_cohort(program, "Tuesday")
    member = make_membership(program=program, cohort_id=monday.id)

    client.modify_program_membership(user_id=member.user_id, program_id=program.id, cohort_id=tuesday.id)

    assert stored(member.user, program) == ("member", "active", tuesday.id)


def test_the_first_day_stays_when_something_else_changes(client, make_membership, set_clock):
    member = make_membership()
    set_clock("2026-03-20T12:00:00Z")

    client.modify_program_membership(user_id=member.user_id, program_id=member.program_id, role="trainer")

    assert member.date == Membership.get_by_id(member.id).date


def test_an_ended_membership_is_brought_back_in_place(client, make_membership):
    member = make_membership(state=MembershipState.WITHDRAWN)

    client.modify_program_membership(user_id=member.user_id, program_id=member.program_id, state="active")

    [found] = Membership.select()
    assert (member.id, MembershipState.ACTIVE) == (found.id, found.state)


@pytest.mark.parametrize("email", ["ADA@example.org", "  Ada@Example.Org\t", "\u200bada@example.org"])
def test_an_email_stands_for_its_user_however_it_is_spelled(client, make_user, make_program, email):
    user, program = make_user(email="ada@example.org"), make_program()

    client.modify_program_membership(email=email, program_id=program.id)

    assert stored(user, program) == ("member", "active", None)


def test_userid_and_email_of_one_user_agree(client, make_user, make_program):
    user, program = make_user(), make_program()

    client.modify_program_membership(email=user.email, user_id=user.id, program_id=program.id)

    assert stored(user, program) == ("member", "active", None)


def test_userid_and_email_of_two_users_disagree_and_nothing_is_written(
    client, refusal, make_user, make_program
):
    user, other, program = make_user(), make_user(), make_program()

    error = refusal(
        client.modify_program_membership, email=other.email, user_id=user.id, program_id=program.id
    )

    assert (error.code, error.word) == (-32002, "EMAIL_AND_USER_DISAGREE")
    assert Membership.select().count() == 0


def test_an_email_that_nobody_has_disagrees_with_a_userid(client, refusal, make_user, make_program):
    user, program = make_user(), make_program()

    error = refusal(
        client.modify_program_membership,
        email="nobody@example.org",
        user_id=user.id,
        program_id=program.id,
    )

    assert error.word == "EMAIL_AND_USER_DISAGREE"


def test_neither_userid_nor_email_is_refused_with_all_else_that_is_wrong(client, refusal):
    error = refusal(client.modify_program_membership, program_id="x", role="guest")

    assert (error.code, sorted(error.fields)) == (-32602, ["programId", "role", "userId"])
    assert error.fields["userId"] == ["userId or email is required."]


def test_an_unknown_email_is_an_error_and_makes_nobody(client, refusal, make_program):
    program = make_program()

    error = refusal(client.modify_program_membership, email="nobody@example.org", program_id=program.id)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")
    assert User.select().count() == 0


def test_an_unknown_user_is_an_error(client, refusal, make_program):
    program = make_program()

    error = refusal(client.modify_program_membership, user_id=sample.NOBODY, program_id=program.id)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_an_unknown_program_is_an_error(client, refusal, make_user):
    user = make_user()

    error = refusal(client.modify_program_membership, user_id=user.id, program_id=sample.NOBODY)

    assert (error.code, error.word) == (-32001, "PROGRAM_NOT_FOUND")


def test_an_unknown_cohort_is_an_error_and_nothing_is_written(client, refusal, make_user, make_program):
    user, program = make_user(), make_program()

    error = refusal(
        client.modify_program_membership,
        user_id=user.id,
        program_id=program.id,
        cohort_id=sample.NOBODY,
    )

    assert (error.code, error.word) == (-32001, "COHORT_NOT_FOUND")
    assert Membership.select().count() == 0


def test_a_cohort_of_another_program_is_refused_and_nothing_is_written(
    client, refusal, make_user, make_program, make_cohort
):
    user, program = make_user(), make_program()
    cohort = make_cohort(make_program())

    error = refusal(
        client.modify_program_membership,
        user_id=user.id,
        program_id=program.id,
        cohort_id=cohort.id,
        role="trainer",
    )

    assert (error.code, error.word) == (-32002, "COHORT_OF_ANOTHER_PROGRAM")
    assert Membership.select().count() == 0


def test_a_new_membership_of_an_archived_program_is_refused(client, refusal, make_user, make_program):
    user, program = make_user(), make_program(archived=True)

    error = refusal(client.modify_program_membership, user_id=user.id, program_id=program.id)

    assert (error.code, error.word) == (-32002, "PROGRAM_ARCHIVED")
    assert Membership.select().count() == 0


def test_a_membership_of_an_archived_program_still_changes(client, make_program, make_membership):
    program = make_program()
    member = make_membership(program=program, state=MembershipState.WITHDRAWN)
    with writing():
        program.change(archived=True)

    client.modify_program_membership(user_id=member.user_id, program_id=program.id, state="active")

    assert stored(member.user, program) == ("member", "active", None)


@pytest.mark.parametrize("state", ["active", "completed", "graduated", "incomplete", "withdrawn"])
def test_the_documented_states_are_taken(client, make_user, make_program, state):
    user, program = make_user(), make_program()

    client.modify_program_membership(user_id=user.id, program_id=program.id, state=state)

    assert stored(user, program) == ("member", state, None)


@pytest.mark.parametrize("state", ["dropped", "refunded", "Active", "asleep", "", 1, True])
def test_any_other_state_is_refused_by_name(client, refusal, make_user, make_program, state):
    user, program = make_user(), make_program()

    error = refusal(client.modify_program_membership, user_id=user.id, program_id=program.id, state=state)

    assert (error.code, list(error.fields)) == (-32602, ["state"])


@pytest.mark.parametrize("role", ["student", "Member", "", []])
def test_a_role_that_is_not_documented_is_refused_by_name(client, refusal, make_user, make_program, role):
    user, program = make_user(), make_program()

    error = refusal(client.modify_program_membership, user_id=user.id, program_id=program.id, role=role)

    assert (error.code, list(error.fields)) == (-32602, ["role"])


def test_a_dropped_membership_keeps_its_state_when_the_role_changes(client, make_membership):
    member = make_membership()
    with writing():
        member.say(MembershipState.DROPPED)

    client.modify_program_membership(user_id=member.user_id, program_id=member.program_id, role="trainer")

    assert stored(member.user, member.program) == ("trainer", "dropped", None)


def test_a_new_active_member_uses_their_oldest_ready_ticket(client, make_user, make_program, make_ticket):
    user, program = make_user(), make_program()
    old, new = make_ticket(program.kind_id, user), make_ticket(program.kind_id, user)

    client.modify_program_membership(user_id=user.id, program_id=program.id)

    states = [Ticket.get_by_id(ticket.id).state for ticket in (old, new)]
    assert states == [TicketState.CONSUMED, TicketState.READY]


def test_doing_it_again_writes_nothing(client, make_user, make_program):
    user, program = make_user(), make_program()
    given = {"user_id": user.id, "program_id": program.id, "role": "trainer"}
    client.modify_program_membership(**given)
    before = Membership.get().__data__

    client.modify_program_membership(**given)

    assert before == Membership.get().__data__
    assert MembershipChange.select().count() == 1


def test_a_cohort_given_and_cleared_is_refused(client, refusal, make_user, make_program, make_cohort):
    user, program = make_user(), make_program()
    cohort = make_cohort(program)

    error = refusal(
        client.modify_program_membership,
        user_id=user.id,
        program_id=program.id,
        cohort_id=cohort.id,
        clear=["cohortId"],
    )

    assert (error.code, error.fields) == (-32602, {"clear": ["cohortId is given as well."]})


@pytest.mark.parametrize("name", ["programId", "role", "state", "userId", "email", "nothing", ""])
def test_nothing_but_the_cohort_can_be_cleared(client, refusal, make_user, name):
    error = refusal(
        client.modify_program_membership,
        user_id=make_user().id,
        program_id=UUID(int=1),
        clear=[name],
    )

    assert (error.code, list(error.fields)) == (-32602, ["clear"])
