"""core.UserTickets"""

from __future__ import annotations

from uuid import UUID

import pytest

from models import sample
from models.database import writing
from models.people import User
from models.tickets import Ticket, TicketState

ORDER_LINE = "6F9619FF-8B86-D011-B42D-00C04FC964FF"


def test_a_ready_ticket_comes_back_member_by_member(client, make_user, make_kind):
    user, kind = make_user(email="ada@example.org"), make_kind()
    client.create_program_ticket(
        email="Ada@example.org",
        program_kind_id=kind.id,
        external_id=ORDER_LINE,
        sku="COOK-1",
        base_sku="COOK",
    )

    [found] = client.user_tickets(user.id)

    assert UUID(found["id"])
    assert list(found.items())[1:] == [
        ("userId", str(user.id)),
        ("email", "Ada@example.org"),
        ("programKindId", str(kind.id)),
        ("externalId", ORDER_LINE.lower()),
        ("sku", "COOK-1"),
        ("baseSku", "COOK"),
        ("state", "ready"),
        ("programId", None),
        ("createdAt", "2026-03-10T12:00:00.000Z"),
        ("updatedAt", "2026-03-10T12:00:00.000Z"),
        ("consumedAt", None),
        ("canceledAt", None),
    ]


def test_a_consumed_ticket_tells_where_and_when(client, make_user, make_program, make_ticket, set_clock):
    user, program = make_user(), make_program()
    make_ticket(program.kind_id, user)
    set_clock("2026-03-11T08:00:00.25Z")
    client.modify_program_membership(user_id=user.id, program_id=program.id)

    [found] = client.user_tickets(user.id)

    assert (found["state"], found["programId"]) == ("consumed", str(program.id))
    assert (found["consumedAt"], found["canceledAt"]) == ("2026-03-11T08:00:00.250Z", None)
    assert found["updatedAt"] == "2026-03-11T08:00:00.250Z"


def test_a_ticket_canceled_after_use_keeps_where_and_when_it_was_used(
    client, make_user, make_program, make_ticket, set_clock
):
    user, program = make_user(), make_program()
    ticket = make_ticket(program.kind_id, user)
    client.modify_program_membership(user_id=user.id, program_id=program.id)
    set_clock("2026-03-12T08:00:00Z")
    client.cancel_program_ticket(ticket_id=ticket.id)

    [found] = client.user_tickets(user.id)

    assert (found["state"], found["programId"]) == ("canceled", str(program.id))
    assert found["consumedAt"] == "2026-03-10T12:00:00.000Z"
    assert found["canceledAt"] == "2026-03-12T08:00:00.000Z"


def test_what_a_ticket_does_not_have_is_null(client, make_user, make_kind, make_ticket):
    user = make_user()
    make_ticket(make_kind().id, user)

    [found] = client.user_tickets(user.id)

    nothing = [name for name, value in found.items() if value is None]
    expected = ["email", "externalId", "sku", "baseSku", "programId", "consumedAt", "canceledAt"]
    assert expected == nothing


def test_they_come_oldest_first_then_by_id(client, make_user, make_kind, set_clock):
    user, kind = make_user(), make_kind()
    for number, instant in ((4, "11:00:00.001"), (3, "11:00:00"), (1, "11:00:00"), (2, "11:00:00")):
        set_clock(f"2026-03-10T{instant}Z")
        with writing():
            Ticket.add(id=UUID(int=number), user=user.id, kind=kind.id)

    found = [UUID(ticket["id"]).int for ticket in client.user_tickets(user.id)]

    assert found == [1, 2, 3, 4]


def test_that_is_the_order_in_which_they_are_consumed(
    client, make_user, make_kind, make_program, make_ticket
):
    user, kind = make_user(), make_kind()
    for _ in range(3):
        make_ticket(kind.id, user)
    programs = [make_program(kind_id=kind.id) for _ in range(3)]
    for program in programs:
        client.modify_program_membership(user_id=user.id, program_id=program.id)

    found = [ticket["programId"] for ticket in client.user_tickets(user.id)]

    assert found == [str(program.id) for program in programs]


def test_a_state_narrows_the_list(client, make_user, make_program, make_ticket):
    user, program = make_user(), make_program()
    tickets = [make_ticket(program.kind_id, user) for _ in range(3)]
    client.modify_program_membership(user_id=user.id, program_id=program.id)
    client.cancel_program_ticket(ticket_id=tickets[2].id)

    found = {state: client.user_tickets(user.id, state) for state in TicketState}

    ids = {state.value: [ticket["id"] for ticket in tickets] for state, tickets in found.items()}
    consumed, ready, canceled = ([str(ticket.id)] for ticket in tickets)
    assert ids == {"ready": ready, "consumed": consumed, "canceled": canceled}


def test_without_a_state_all_are_listed(client, make_user, make_kind, make_ticket):
    user, kind = make_user(), make_kind()
    for _ in range(2):
        make_ticket(kind.id, user)

    assert len(client.user_tickets(user.id)) == 2


def test_the_tickets_of_others_are_not_among_them(client, make_user, make_kind, make_ticket):
    make_ticket(make_kind().id, make_user())

    assert client.user_tickets(make_user().id) == []


def test_an_email_finds_its_users_tickets(client, make_user, make_kind, make_ticket):
    user = make_user(email="ada@example.org")
    ticket = make_ticket(make_kind().id, user)

    found = client.user_tickets(email=" ADA@example.org ")

    assert [ticket["id"] for ticket in found] == [str(ticket.id)]


def test_an_email_finds_tickets_that_nobody_has_claimed_yet(client, make_kind, make_ticket):
    make_ticket(make_kind().id, email="Ada@example.org")

    [found] = client.user_tickets(email="ada@EXAMPLE.org")

    assert (found["userId"], found["email"]) == (None, "Ada@example.org")


def test_an_email_that_nobody_has_finds_nothing(client):
    assert client.user_tickets(email="nobody@example.org") == []


def test_userid_and_email_of_one_user_agree(client, make_user, make_kind, make_ticket):
    user = make_user()
    make_ticket(make_kind().id, user)

    assert len(client.user_tickets(user.id, email=user.email)) == 1


def test_userid_and_email_of_two_users_disagree(client, refusal, make_user):
    error = refusal(client.user_tickets, make_user().id, email=make_user().email)

    assert (error.code, error.word) == (-32002, "EMAIL_AND_USER_DISAGREE")


def test_neither_userid_nor_email_is_refused_with_all_else_that_is_wrong(client, refusal):
    error = refusal(client.user_tickets, state="lost")

    assert (error.code, sorted(error.fields)) == (-32602, ["state", "userId"])


def test_an_unknown_user_is_not_an_empty_list(client, refusal):
    error = refusal(client.user_tickets, sample.NOBODY)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_limit_and_offset_cut_out_a_page(client, make_user, make_kind, make_ticket):
    user, kind = make_user(), make_kind()
    tickets = [make_ticket(kind.id, user, sku=str(number)) for number in range(5)]
    assert len(tickets) == 5

    pages = [client.user_tickets(user.id, limit=2, offset=offset) for offset in (0, 2, 4, 6)]

    skus = [[ticket["sku"] for ticket in page] for page in pages]
    assert skus == [["0", "1"], ["2", "3"], ["4"], []]


def test_looking_makes_no_user(client):
    client.user_tickets(email="nobody@example.org")

    assert User.select().count() == 0


@pytest.mark.parametrize("email", ["nobody", "a@b@c", "@example.org", "a@", "a b@c", "", 7])
def test_what_is_no_email_is_refused_by_name(client, refusal, email):
    error = refusal(client.user_tickets, email=email)

    assert (error.code, list(error.fields)) == (-32602, ["email"])
