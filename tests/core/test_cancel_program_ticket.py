"""core.CancelProgramTicket"""

from __future__ import annotations

import pytest

from models import sample
from models.database import writing
from models.memberships import Membership, MembershipRole, MembershipState
from models.tickets import Ticket, TicketState

ORDER_LINE = "6f9619ff-8b86-d011-b42d-00c04fc964ff"


def test_a_ready_ticket_is_canceled(client, make_user, make_kind, make_ticket, set_clock):
    ticket = make_ticket(make_kind().id, make_user())
    set_clock("2026-03-11T08:00:00Z")

    canceled = client.cancel_program_ticket(ticket.id)

    [found] = client.user_tickets(ticket.user_id)
    assert canceled == 1
    assert (found["state"], found["canceledAt"]) == ("canceled", "2026-03-11T08:00:00.000Z")


def test_a_canceled_ticket_is_not_used_by_joining(client, make_user, make_program, make_ticket):
    user, program = make_user(), make_program()
    ticket = make_ticket(program.kind_id, user)
    client.cancel_program_ticket(ticket.id)

    client.modify_program_membership(user_id=user.id, program_id=program.id)

    assert Ticket.get_by_id(ticket.id).state is TicketState.CANCELED


def test_an_unclaimed_ticket_is_canceled(client, make_kind, make_ticket):
    ticket = make_ticket(make_kind().id, email="ada@example.org")

    assert client.cancel_program_ticket(ticket.id) == 1


def test_again_it_is_zero_and_writes_nothing(client, make_user, make_kind, make_ticket, set_clock):
    ticket = make_ticket(make_kind().id, make_user())
    client.cancel_program_ticket(ticket.id)
    before = Ticket.get().__data__
    set_clock("2026-03-11T08:00:00Z")

    again = client.cancel_program_ticket(ticket.id)

    assert again == 0
    assert before == Ticket.get().__data__


@pytest.mark.parametrize("role", MembershipRole)
def test_the_membership_that_consumed_it_is_refunded(
    client, make_user, make_program, make_ticket, make_membership, role
):
    user, program = make_user(), make_program()
    ticket = make_ticket(program.kind_id, user)
    member = make_membership(user=user, program=program)
    client.modify_program_membership(user_id=user.id, program_id=program.id, role=role)

    canceled = client.cancel_program_ticket(ticket.id, comments="money back")

    stored = Membership.get_by_id(member.id)
    assert canceled == 1
    assert (stored.state, stored.role, stored.comments) == (MembershipState.REFUNDED, role, "money back")
    assert Ticket.get_by_id(ticket.id).state is TicketState.CANCELED


@pytest.mark.parametrize("state", [MembershipState.COMPLETED, MembershipState.WITHDRAWN])
def test_a_membership_that_has_ended_since_is_refunded_too(
    client, make_user, make_program, make_ticket, make_membership, state
):
    user, program = make_user(), make_program()
    ticket = make_ticket(program.kind_id, user)
    member = make_membership(user=user, program=program)
    with writing():
        member.say(state)

    client.cancel_program_ticket(ticket.id)

    assert Membership.get_by_id(member.id).state is MembershipState.REFUNDED


def test_other_memberships_and_tickets_stay(
    client, make_user, make_kind, make_program, make_ticket, make_membership
):
    user, kind = make_user(), make_kind()
    tickets = [make_ticket(kind.id, user) for _ in range(2)]
    others = [make_ticket(kind.id, make_user()), make_ticket(make_kind().id, user)]
    members = [make_membership(user=user, program=make_program(kind_id=kind.id)) for _ in range(2)]

    client.cancel_program_ticket(tickets[0].id)

    states = [Membership.get_by_id(member.id).state.value for member in members]
    assert states == ["refunded", "active"]
    found = [Ticket.get_by_id(ticket.id).state.value for ticket in tickets + others]
    assert found == ["canceled", "consumed", "ready", "ready"]


def test_the_oldest_ready_ticket_takes_its_place_and_an_active_membership_goes_on(
    client, make_user, make_program, make_ticket, make_membership
):
    user, program = make_user(), make_program()
    used, next_one, last = (make_ticket(program.kind_id, user) for _ in range(3))
    member = make_membership(user=user, program=program)

    canceled = client.cancel_program_ticket(used.id, comments="sent twice")

    found = [Ticket.get_by_id(ticket.id) for ticket in (used, next_one, last)]
    assert canceled == 1
    assert [ticket.state.value for ticket in found] == ["canceled", "consumed", "ready"]
    assert (found[1].membership_id, found[1].program_id) == (member.id, program.id)
    assert (Membership.get_by_id(member.id).state, len(member.history())) == (MembershipState.ACTIVE, 1)


@pytest.mark.parametrize("state", [MembershipState.COMPLETED, MembershipState.WITHDRAWN])
def test_no_ticket_takes_its_place_where_the_membership_has_ended(
    client, make_user, make_program, make_ticket, make_membership, state
):
    user, program = make_user(), make_program()
    used, left = (make_ticket(program.kind_id, user) for _ in range(2))
    member = make_membership(user=user, program=program)
    with writing():
        member.say(state)

    client.cancel_program_ticket(used.id)

    assert Membership.get_by_id(member.id).state is MembershipState.REFUNDED
    assert Ticket.get_by_id(left.id).state is TicketState.READY


def test_who_comes_back_after_it_needs_a_new_ticket(
    client, make_user, make_program, make_ticket, make_membership
):
    user, program = make_user(), make_program()
    first = make_ticket(program.kind_id, user)
    make_membership(user=user, program=program)
    client.cancel_program_ticket(first.id)
    second = make_ticket(program.kind_id, user)

    client.modify_program_membership(user_id=user.id, program_id=program.id, state="active")

    states = [Ticket.get_by_id(ticket.id).state for ticket in (first, second)]
    assert states == [TicketState.CANCELED, TicketState.CONSUMED]


def test_an_external_id_with_its_kind_names_the_ticket(client, make_user, make_kind, make_ticket):
    user, kind, other = make_user(), make_kind(), make_kind()
    ticket = make_ticket(kind.id, user, external_id=ORDER_LINE)
    stays = make_ticket(other.id, user, external_id=ORDER_LINE)

    canceled = client.cancel_program_ticket(external_id=ORDER_LINE, program_kind_id=kind.id)

    assert canceled == 1
    assert Ticket.get_by_id(ticket.id).state is TicketState.CANCELED
    assert Ticket.get_by_id(stays.id).state is TicketState.READY


def test_an_unknown_ticket_is_an_error(client, refusal):
    error = refusal(client.cancel_program_ticket, sample.NOBODY)

    assert (error.code, error.word) == (-32001, "TICKET_NOT_FOUND")


def test_an_unknown_external_id_is_an_error(client, refusal, make_kind):
    error = refusal(client.cancel_program_ticket, external_id=ORDER_LINE, program_kind_id=make_kind().id)

    assert (error.code, error.word) == (-32001, "TICKET_NOT_FOUND")


def test_an_unknown_kind_is_an_error(client, refusal):
    error = refusal(client.cancel_program_ticket, external_id=ORDER_LINE, program_kind_id=sample.NOBODY)

    assert (error.code, error.word) == (-32001, "PROGRAM_KIND_NOT_FOUND")


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"external_id": ORDER_LINE},
        {"program_kind_id": ORDER_LINE},
        {"ticket_id": ORDER_LINE, "external_id": ORDER_LINE},
        {"ticket_id": ORDER_LINE, "external_id": ORDER_LINE, "program_kind_id": ORDER_LINE},
    ],
)
def test_a_ticket_must_be_named_in_one_way(client, refusal, given):
    error = refusal(client.cancel_program_ticket, **given)

    told = "Give ticketId alone, or externalId and programKindId."
    assert (error.code, error.fields) == (-32602, {"ticketId": [told]})


def test_an_id_that_is_none_is_told_once(client, refusal):
    error = refusal(client.cancel_program_ticket, "7")

    assert error.fields == {"ticketId": ["Not a valid UUID."]}
