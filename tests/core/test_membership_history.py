"""core.MembershipHistory"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from client import Client
from models import clock, sample
from models.cohorts import Cohort
from models.database import writing
from models.memberships import MembershipChange
from models.tokens import Scope, Token


@pytest.fixture
def as_user(server, world):
    """A client whose token acts for a user, and the token."""

    def make(user):
        with writing():
            token, secret = Token.issue("bridge", Scope.WRITE, user)
        return Client(server.url, secret), token

    return make


def test_a_change_comes_back_member_by_member(client, as_user, make_user, make_program, set_clock):
    user, actor, program = make_user(), make_user(), make_program()
    caller, token = as_user(actor)
    with writing():
        cohort = Cohort.confirm(program.id, "Monday")
    client.modify_program_membership(user_id=user.id, program_id=program.id)
    set_clock("2026-03-11T08:30:00.5Z")
    caller.update_user_cohort_state(
        user.id,
        program.id,
        cohort_id=cohort.id,
        state="withdrawn",
        comments="moved away",
        state_detail="to Rome",
    )

    found = client.membership_history(user.id, program.id)[-1]

    assert UUID(found["id"])
    assert list(found.items())[1:] == [
        ("at", "2026-03-11T08:30:00.500Z"),
        ("effectiveDate", None),
        ("token", str(token.id)),
        ("actingUserId", str(actor.id)),
        ("how", "api"),
        ("from", {"role": "member", "state": "active", "cohortId": None, "date": "2026-03-10"}),
        (
            "to",
            {"role": "member", "state": "withdrawn", "cohortId": str(cohort.id), "date": "2026-03-10"},
        ),
        ("comments", "moved away"),
        ("stateDetail", "to Rome"),
    ]
    assert list(found["to"]) == ["role", "state", "cohortId", "date"]


def test_the_beginning_comes_from_nothing(client, make_user, make_program):
    user, program = make_user(), make_program()
    client.modify_program_membership(user_id=user.id, program_id=program.id, role="trainer")

    [found] = client.membership_history(user.id, program.id)

    after = {"role": "trainer", "state": "active", "cohortId": None, "date": "2026-03-10"}
    assert (found["from"], found["to"]) == (None, after)


def test_what_was_not_said_or_known_is_null(client, make_user, make_program):
    user, program = make_user(), make_program()
    client.modify_program_membership(user_id=user.id, program_id=program.id)

    [found] = client.membership_history(user.id, program.id)

    nothing = [name for name, value in found.items() if value is None]
    assert nothing == ["effectiveDate", "actingUserId", "from", "comments", "stateDetail"]


def test_a_canceled_ticket_is_how_a_membership_was_refunded(
    client, make_user, make_program, make_ticket, make_membership
):
    user, program = make_user(), make_program()
    ticket = make_ticket(program.kind_id, user)
    make_membership(user=user, program=program)
    client.cancel_program_ticket(ticket_id=ticket.id, comments="money back")

    found = client.membership_history(user.id, program.id)[-1]

    shown = found["how"], found["from"]["state"], found["to"]["state"], found["comments"]
    assert shown == ("ticket", "active", "refunded", "money back")


def test_changes_come_oldest_first(client, make_membership):
    member = make_membership()
    for state in ("completed", "active", "incomplete"):
        client.update_user_cohort_state(member.user_id, member.program_id, state=state)

    found = client.membership_history(member.user_id, member.program_id)

    states = [change["to"]["state"] for change in found]
    assert states == ["active", "completed", "active", "incomplete"]


def test_changes_come_in_the_order_in_which_they_were_stored_whatever_the_clock_said(client, make_membership):
    member = make_membership()
    with writing():
        MembershipChange.delete().execute()
        for number, previous in ((2, None), (3, 2), (1, 3)):
            MembershipChange.add(
                id=UUID(int=number),
                at=clock.now() - timedelta(days=number),
                membership=member.id,
                previous_id=previous and UUID(int=previous),
                how="import",
                to_role="member",
                to_state="active",
                to_date=member.date,
            )
        member.change(last_change_id=UUID(int=1))

    found = client.membership_history(member.user_id, member.program_id)

    assert [UUID(change["id"]).int for change in found] == [2, 3, 1]


def test_only_this_membership_is_told_of(client, make_user, make_membership):
    user = make_user()
    member, other = make_membership(user=user), make_membership(user=user)
    make_membership(program=member.program)
    client.update_user_cohort_state(user.id, other.program_id, state="completed")

    found = client.membership_history(user.id, member.program_id)

    assert len(found) == 1


def test_limit_and_offset_cut_out_a_page(client, make_membership):
    member = make_membership()
    for number in range(4):
        client.update_user_cohort_state(
            member.user_id, member.program_id, state="active", comments=str(number)
        )
    one = member.user_id, member.program_id

    pages = [client.membership_history(*one, limit=2, offset=offset) for offset in (0, 2, 4, 5)]

    said = [[change["comments"] for change in page] for page in pages]
    assert said == [[None, "0"], ["1", "2"], ["3"], []]


def test_who_was_never_in_the_program_has_no_history(client, refusal, make_user, make_program):
    error = refusal(client.membership_history, make_user().id, make_program().id)

    assert (error.code, error.word) == (-32001, "MEMBERSHIP_NOT_FOUND")


def test_an_unknown_user_is_an_error(client, refusal, make_program):
    error = refusal(client.membership_history, sample.NOBODY, make_program().id)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_an_unknown_program_is_an_error(client, refusal, make_user):
    error = refusal(client.membership_history, make_user().id, sample.NOBODY)

    assert (error.code, error.word) == (-32001, "PROGRAM_NOT_FOUND")


def test_both_ids_are_required(client, refusal):
    error = refusal(client.call, "core.MembershipHistory")

    assert (error.code, sorted(error.fields)) == (-32602, ["programId", "userId"])
