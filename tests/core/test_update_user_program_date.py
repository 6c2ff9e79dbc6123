"""core.UpdateUserProgramDate"""

from __future__ import annotations

from datetime import date

import pytest

from models import sample
from models.memberships import Membership, MembershipState
from models.programs import Mode
from models.tickets import Ticket, TicketState


def test_the_day_is_stored_and_the_program_comes_back(client, make_membership):
    member = make_membership()

    found = client.update_user_program_date(member.user_id, member.program_id, "2026-02-03")

    assert Membership.get_by_id(member.id).date == date(2026, 2, 3)
    assert [client.lookup_program_instance(member.program_id)] == found


def test_the_participants_own_days_count_from_it(client, make_kind, make_program, make_membership):
    program = make_program(kind_id=make_kind(mode=Mode.OPEN, duration=5).id)
    member = make_membership(program=program)

    client.update_user_program_date(member.user_id, program.id, "2026-03-01")

    [row] = client.list_closing_participants()
    assert row["participantDay"] == 10


def test_it_is_one_row_of_the_history(client, make_membership):
    member = make_membership()

    client.update_user_program_date(member.user_id, member.program_id, "2026-02-03")

    change = client.membership_history(member.user_id, member.program_id)[-1]
    assert (change["from"]["date"], change["to"]["date"]) == ("2026-03-10", "2026-02-03")


def test_the_same_day_is_no_change(client, make_membership):
    member = make_membership()

    client.update_user_program_date(member.user_id, member.program_id, "2026-03-10")

    assert len(member.history()) == 1


def test_nothing_else_of_the_membership_changes(client, make_membership, make_ticket):
    member = make_membership(state=MembershipState.COMPLETED)
    ticket = make_ticket(member.program.kind_id, member.user)

    client.update_user_program_date(member.user_id, member.program_id, "2026-02-03")

    stored = Membership.get_by_id(member.id)
    assert (member.role, member.state, member.cohort_id) == (stored.role, stored.state, stored.cohort_id)
    assert Ticket.get_by_id(ticket.id).state is TicketState.READY


@pytest.mark.parametrize("day", ["2026-2-3", "20260203", "2026-02-30", "0000-01-01", 20260203, "today"])
def test_what_is_no_date_is_refused_by_name(client, refusal, make_membership, day):
    member = make_membership()

    error = refusal(client.update_user_program_date, member.user_id, member.program_id, day)

    assert (error.code, list(error.fields)) == (-32602, ["date"])


def test_without_a_day_it_is_refused(client, refusal, make_membership):
    member = make_membership()

    error = refusal(client.update_user_program_date, member.user_id, member.program_id, None)

    assert (error.code, list(error.fields)) == (-32602, ["date"])


def test_who_is_not_in_the_program_has_no_day(client, refusal, make_user, make_program):
    error = refusal(client.update_user_program_date, make_user().id, make_program().id, "2026-02-03")

    assert (error.code, error.word) == (-32001, "MEMBERSHIP_NOT_FOUND")


def test_an_unknown_user_is_an_error(client, refusal, make_program):
    error = refusal(client.update_user_program_date, sample.NOBODY, make_program().id, "2026-02-03")

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_an_unknown_program_is_an_error(client, refusal, make_user):
    error = refusal(client.update_user_program_date, make_user().id, sample.NOBODY, "2026-02-03")

    assert (error.code, error.word) == (-32001, "PROGRAM_NOT_FOUND")
