"""core.UpdateUserCohortState"""

from __future__ import annotations

import pytest

from models import sample
from models.cohorts import Cohort
from models.database import writing
from models.memberships import Membership, MembershipChange, MembershipRole, MembershipState
from models.tickets import Ticket, TicketState


@pytest.fixture
def make_cohort(world):
    def make(program, name="Monday group"):
        with writing():
            return Cohort.confirm(program.id, name)

    return make


def test_the_new_state_is_stored_and_the_program_comes_back(client, make_membership):
    member = make_membership(state=MembershipState.ACTIVE)

    found = client.update_user_cohort_state(
        member.user_id, member.program_id, state="withdrawn", comments="moved away"
    )

    stored = Membership.get_by_id(member.id)
    assert (stored.state, stored.comments) == (MembershipState.WITHDRAWN, "moved away")
    assert [client.lookup_program_instance(member.program_id)] == found


@pytest.mark.parametrize("state", MembershipState)
def test_all_seven_states_are_taken(client, make_membership, state):
    member = make_membership(role=MembershipRole.OBSERVER, state=MembershipState.INCOMPLETE)

    client.update_user_cohort_state(member.user_id, member.program_id, state=state)

    assert state is Membership.get_by_id(member.id).state


def test_a_state_outside_the_list_is_refused_by_name(client, refusal, make_membership):
    member = make_membership()

    error = refusal(client.update_user_cohort_state, member.user_id, member.program_id, state="asleep")

    assert (error.code, list(error.fields)) == (-32602, ["state"])


def test_without_a_state_it_is_refused(client, refusal, make_membership):
    member = make_membership()

    error = refusal(client.update_user_cohort_state, member.user_id, member.program_id, comments="well done")

    assert (error.code, list(error.fields)) == (-32602, ["state"])


def test_it_never_makes_a_membership(client, refusal, make_user, make_program):
    user, program = make_user(), make_program()

    error = refusal(client.update_user_cohort_state, user.id, program.id, state="active")

    assert (error.code, error.word) == (-32001, "MEMBERSHIP_NOT_FOUND")
    assert Membership.select().count() == 0


def test_an_unknown_user_is_an_error(client, refusal, make_program):
    error = refusal(client.update_user_cohort_state, sample.NOBODY, make_program().id, state="active")

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_an_unknown_program_is_an_error(client, refusal, make_user):
    error = refusal(client.update_user_cohort_state, make_user().id, sample.NOBODY, state="active")

    assert (error.code, error.word) == (-32001, "PROGRAM_NOT_FOUND")


def test_a_cohort_is_set_where_there_is_none(client, make_membership, make_cohort):
    member = make_membership()
    cohort = make_cohort(member.program)

    client.update_user_cohort_state(member.user_id, member.program_id, cohort_id=cohort.id, state="active")

    assert cohort.id == Membership.get_by_id(member.id).cohort_id


def test_the_memberships_own_cohort_is_taken(client, make_program, make_membership, make_cohort):
    program = make_program()
    cohort = make_cohort(program)
    member = make_membership(program=program, cohort_id=cohort.id)

    client.update_user_cohort_state(member.user_id, program.id, cohort_id=cohort.id, state="completed")

    assert Membership.get_by_id(member.id).state is MembershipState.COMPLETED


def test_without_a_cohort_the_membership_stays_in_its_own(client, make_program, make_membership, make_cohort):
    program = make_program()
    cohort = make_cohort(program)
    member = make_membership(program=program, cohort_id=cohort.id)

    client.update_user_cohort_state(member.user_id, program.id, state="completed")

    assert cohort.id == Membership.get_by_id(member.id).cohort_id


def test_another_cohort_of_the_program_is_a_conflict_and_nothing_is_written(
    client, refusal, make_program, make_membership, make_cohort
):
    program = make_program()
    monday, tuesday = make_cohort(program, "Monday"), make_cohort(program, "Tuesday")
    member = make_membership(program=program, cohort_id=monday.id)

    error = refusal(
        client.update_user_cohort_state,
        member.user_id,
        program.id,
        cohort_id=tuesday.id,
        state="completed",
    )

    assert (error.code, error.word) == (-32002, "MEMBERSHIP_IN_ANOTHER_COHORT")
    assert member.__data__ == Membership.get_by_id(member.id).__data__


def test_a_cohort_of_another_program_is_a_conflict(
    client, refusal, make_program, make_membership, make_cohort
):
    member = make_membership()
    cohort = make_cohort(make_program())

    error = refusal(
        client.update_user_cohort_state,
        member.user_id,
        member.program_id,
        cohort_id=cohort.id,
        state="active",
    )

    assert (error.code, error.word) == (-32002, "COHORT_OF_ANOTHER_PROGRAM")


def test_an_unknown_cohort_is_an_error(client, refusal, make_membership):
    member = make_membership()

    error = refusal(
        client.update_user_cohort_state,
        member.user_id,
        member.program_id,
        cohort_id=sample.NOBODY,
        state="active",
    )

    assert (error.code, error.word) == (-32001, "COHORT_NOT_FOUND")


def said(member):
    """What the history of a membership has after its beginning."""
    rows = Membership.get_by_id(member.id).history()[1:]
    return [(row.from_state.value, row.to_state.value, row.comments, row.state_detail) for row in rows]


def test_the_same_state_with_new_comments_is_one_annotation(client, make_membership):
    member = make_membership()
    given = {"state": "active", "comments": "was ill", "state_detail": "week 2"}

    client.update_user_cohort_state(member.user_id, member.program_id, **given)
    client.update_user_cohort_state(member.user_id, member.program_id, **given)

    assert said(member) == [("active", "active", "was ill", "week 2")]


def test_the_same_state_with_another_detail_is_an_annotation(client, make_membership):
    member = make_membership()
    for detail in ("week 2", "week 3"):
        client.update_user_cohort_state(
            member.user_id, member.program_id, state="active", state_detail=detail
        )

    assert said(member) == [
        ("active", "active", None, "week 2"),
        ("active", "active", None, "week 3"),
    ]


def test_comments_said_before_the_last_ones_are_an_annotation_again(client, make_membership):
    member = make_membership()
    for comments in ("ill", "well", "ill"):
        client.update_user_cohort_state(member.user_id, member.program_id, state="active", comments=comments)

    assert [row[2] for row in said(member)] == ["ill", "well", "ill"]


def test_comments_on_an_earlier_state_said_again_of_this_one_are_an_annotation(client, make_membership):
    member = make_membership()
    for state, comments in (("withdrawn", "ill"), ("active", None), ("active", "ill"), ("active", "ill")):
        client.update_user_cohort_state(member.user_id, member.program_id, state=state, comments=comments)

    assert [row[1:3] for row in said(member)] == [("withdrawn", "ill"), ("active", None), ("active", "ill")]


def test_comments_on_an_earlier_state_are_kept_with_a_new_one_too(client, make_membership):
    member = make_membership()
    for state in ("withdrawn", "dropped"):
        client.update_user_cohort_state(member.user_id, member.program_id, state=state, comments="ill")

    assert [row[1:3] for row in said(member)] == [("withdrawn", "ill"), ("dropped", "ill")]


def test_an_annotation_that_is_repeated_within_a_batch_is_one(client, make_membership):
    member = make_membership()
    given = {
        "userId": str(member.user_id),
        "programId": str(member.program_id),
        "state": "active",
        "comments": "ill",
    }

    client.batch([("core.UpdateUserCohortState", given)] * 3)

    assert [row[2] for row in said(member)] == ["ill"]


def test_the_same_state_without_comments_is_no_change(client, make_membership):
    member = make_membership()

    client.update_user_cohort_state(member.user_id, member.program_id, state="active")

    assert said(member) == []
    assert member.updated_at == Membership.get_by_id(member.id).updated_at


def test_earlier_comments_stay_when_none_are_given(client, make_membership):
    member = make_membership()
    client.update_user_cohort_state(member.user_id, member.program_id, state="active", comments="was ill")

    client.update_user_cohort_state(member.user_id, member.program_id, state="completed")

    assert Membership.get_by_id(member.id).comments == "was ill"
    assert said(member)[-1] == ("active", "completed", None, None)


def test_refunded_cancels_the_ticket_that_the_membership_consumed_and_no_other(
    client, make_user, make_kind, make_program, make_ticket, make_membership
):
    user, kind = make_user(), make_kind()
    first, second, third = (make_ticket(kind.id, user) for _ in range(3))
    members = [make_membership(user=user, program=make_program(kind_id=kind.id)) for _ in range(2)]

    client.update_user_cohort_state(user.id, members[1].program_id, state="refunded")

    states = [Ticket.get_by_id(ticket.id).state for ticket in (first, second, third)]
    assert states == [TicketState.CONSUMED, TicketState.CANCELED, TicketState.READY]


def test_refunded_without_a_ticket_is_just_a_state(client, make_membership):
    member = make_membership()

    client.update_user_cohort_state(member.user_id, member.program_id, state="refunded")

    assert Membership.get_by_id(member.id).state is MembershipState.REFUNDED


def test_an_ended_member_who_becomes_active_uses_a_ticket(
    client, make_user, make_program, make_ticket, make_membership
):
    user, program = make_user(), make_program()
    make_membership(user=user, program=program, state=MembershipState.WITHDRAWN)
    ticket = make_ticket(program.kind_id, user)

    client.update_user_cohort_state(user.id, program.id, state="active")

    assert Ticket.get_by_id(ticket.id).state is TicketState.CONSUMED


def test_a_membership_of_an_archived_program_changes(client, make_membership):
    member = make_membership()
    with writing():
        member.program.change(archived=True)

    [found] = client.update_user_cohort_state(member.user_id, member.program_id, state="completed")

    assert found["archived"] is True


@pytest.mark.parametrize(("member_name", "most"), [("comments", 4000), ("state_detail", 255)])
def test_long_texts_are_taken_up_to_their_limit(client, refusal, make_membership, member_name, most):
    member = make_membership()
    given = {"state": "active", member_name: "€" * most}

    client.update_user_cohort_state(member.user_id, member.program_id, **given)
    given[member_name] += "€"
    error = refusal(client.update_user_cohort_state, member.user_id, member.program_id, **given)

    assert error.code == -32602
    assert getattr(MembershipChange.select()[-1], member_name) == "€" * most


def test_comments_are_kept_exactly_as_sent(client, make_membership):
    member = make_membership()
    comments = "  tabs\tand\r\nlines, e\u0301, \U0001f600, \u200b, <b>'\"\\ "

    client.update_user_cohort_state(member.user_id, member.program_id, state="active", comments=comments)

    assert comments == Membership.get_by_id(member.id).comments
