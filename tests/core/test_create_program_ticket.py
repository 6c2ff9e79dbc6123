"""core.CreateProgramTicket"""

from __future__ import annotations

import pytest

from models import sample
from models.database import writing
from models.people import Group, User
from models.programs import ProgramKind
from models.tickets import Ticket, TicketState

ORDER_LINE = "6f9619ff-8b86-d011-b42d-00c04fc964ff"


@pytest.fixture
def buy(client, make_kind):
    """Buy a ticket of one kind for an order line."""
    kind = make_kind()

    def bought(**buyer):
        given = {"program_kind_id": kind.id, "external_id": ORDER_LINE} | buyer
        return client.create_program_ticket(**given)

    return bought


def test_a_ticket_is_made_ready(client, make_user, make_kind):
    user, kind = make_user(), make_kind()

    made = client.create_program_ticket(user_id=user.id, program_kind_id=kind.id)

    [ticket] = Ticket.select()
    assert made == 1
    assert (ticket.user_id, ticket.kind_id, ticket.state) == (user.id, kind.id, TicketState.READY)


def test_without_an_external_id_each_call_makes_a_ticket(client, make_user, make_kind):
    user, kind = make_user(), make_kind()

    made = [client.create_program_ticket(user.id, program_kind_id=kind.id) for _ in range(2)]

    assert (made, Ticket.select().count()) == ([1, 1], 2)


def test_a_membership_that_was_there_before_uses_it_at_once(client, make_membership):
    member = make_membership()

    made = client.create_program_ticket(member.user_id, program_kind_id=member.program.kind_id)

    used = Ticket.get()
    assert (made, used.state, used.membership_id) == (1, TicketState.CONSUMED, member.id)
    assert (used.program_id, used.consumed_at) == (member.program_id, used.created_at)


def test_a_ticket_that_is_claimed_is_used_by_a_membership_that_was_there_before(
    client, make_membership, make_user
):
    member = make_membership(make_user(email=None))
    for _ in range(2):
        client.create_program_ticket(email="ada@example.org", program_kind_id=member.program.kind_id)

    client.admin.save_user(member.user_id, email="Ada@example.org")

    first, second = Ticket.select().order_by(Ticket.id)
    assert (first.state, first.membership_id) == (TicketState.CONSUMED, member.id)
    assert (second.state, second.user_id) == (TicketState.READY, member.user_id)


def test_an_email_of_a_user_makes_the_ticket_theirs(client, make_user, make_kind):
    user = make_user(email="ada@example.org")

    client.create_program_ticket(email="ADA@example.org", program_kind_id=make_kind().id)

    ticket = Ticket.get()
    assert (ticket.user_id, ticket.email) == (user.id, "ADA@example.org")


def test_an_email_that_nobody_has_is_kept_and_makes_nobody(client, make_kind):
    made = client.create_program_ticket(email="Ada@example.org", program_kind_id=make_kind().id)

    ticket = Ticket.get()
    assert (made, ticket.user_id, ticket.email) == (1, None, "Ada@example.org")
    assert User.select().count() == 0


def test_the_ticket_is_claimed_when_a_user_with_that_email_is_made(client, make_kind):
    client.create_program_ticket(email="Ada@example.org", program_kind_id=make_kind().id)

    client.create_user("ada@EXAMPLE.org")

    assert Ticket.get().user_id == User.get().id


def test_the_ticket_is_claimed_when_a_group_brings_in_that_email(client, make_kind):
    with writing():
        group = Group.put(None, handle="staff")
    client.create_program_ticket(email="Ada@example.org", program_kind_id=make_kind().id)

    client.add_email_to_group("ada@EXAMPLE.org", group.id)

    assert Ticket.get().user_id == User.get().id


def test_the_ticket_is_claimed_when_a_user_takes_on_that_email(client, make_user, make_kind):
    user = make_user(email=None)
    client.create_program_ticket(email="ada@example.org", program_kind_id=make_kind().id)

    with writing():
        user.edit(email="ada@example.org")

    assert Ticket.get().user_id == user.id


def test_a_user_without_email_claims_nothing(client, make_user, make_kind):
    client.create_program_ticket(email="ada@example.org", program_kind_id=make_kind().id)

    make_user(email=None)
    make_user(email="grace@example.org")

    assert Ticket.get().user_id is None


def test_a_claimed_ticket_is_used_by_joining(client, make_program):
    program = make_program()
    client.create_program_ticket(email="ada@example.org", program_kind_id=program.kind_id)
    client.create_user("ada@example.org")

    client.modify_program_membership(email="ada@example.org", program_id=program.id)

    assert Ticket.get().state is TicketState.CONSUMED


def test_the_same_order_line_again_is_zero(buy, make_user):
    user = make_user()

    made = [buy(user_id=user.id) for _ in range(3)]

    assert (made, Ticket.select().count()) == ([1, 0, 0], 1)


def test_one_buyer_may_be_called_by_id_and_by_email(buy, make_user):
    user = make_user(email="ada@example.org")

    made = [buy(user_id=user.id), buy(email="ADA@example.org"), buy(user_id=user.id, email=user.email)]

    assert made == [1, 0, 0]


def test_one_buyer_may_be_called_by_email_and_by_id(buy, make_user):
    user = make_user(email="ada@example.org")

    assert [buy(email="Ada@example.org"), buy(user_id=user.id)] == [1, 0]


def test_an_email_that_nobody_has_is_a_buyer(buy):
    assert [buy(email="Ada@example.org"), buy(email=" ada@EXAMPLE.org")] == [1, 0]


def test_the_buyer_stays_the_same_when_the_email_becomes_a_users(client, buy):
    buy(email="ada@example.org")
    client.create_user("ada@example.org")
    user = User.get()

    assert [buy(email="ada@example.org"), buy(user_id=user.id)] == [0, 0]


def test_the_buyer_stays_the_same_when_the_email_changes(buy, make_user):
    user = make_user(email="ada@example.org")
    buy(email="ada@example.org")
    with writing():
        user.edit(email="ada@example.net")

    assert [buy(email="ada@example.org"), buy(email="ada@example.net")] == [0, 0]


@pytest.mark.parametrize("other", ["userId", "email", "unknown email"])
def test_the_order_line_of_another_buyer_is_a_conflict(buy, refusal, make_user, other):
    buy(user_id=make_user().id)
    stranger = make_user()
    named = {
        "userId": {"user_id": stranger.id},
        "email": {"email": stranger.email},
        "unknown email": {"email": "nobody@example.org"},
    }

    error = refusal(buy, **named[other])

    assert (error.code, error.word) == (-32002, "TICKET_OF_ANOTHER_BUYER")
    assert Ticket.select().count() == 1


def test_an_unclaimed_order_line_is_not_another_emails(buy, refusal):
    buy(email="ada@example.org")

    error = refusal(buy, email="grace@example.org")

    assert error.word == "TICKET_OF_ANOTHER_BUYER"


def test_the_order_line_with_the_same_sku_is_zero(buy, make_user):
    user = make_user()

    assert [buy(user_id=user.id, sku="COOK-1") for _ in range(2)] == [1, 0]


def test_the_order_line_without_a_sku_is_zero(buy, make_user):
    user = make_user()
    buy(user_id=user.id, sku="COOK-1")

    assert buy(user_id=user.id) == 0


def test_the_order_line_takes_what_was_not_known_of_it(buy, make_user):
    user = make_user()

    made = [buy(user_id=user.id), buy(user_id=user.id, sku="COOK-1", base_sku="COOK")]

    ticket = Ticket.get()
    assert (made, ticket.sku, ticket.base_sku) == ([1, 0], "COOK-1", "COOK")


def test_the_order_line_keeps_what_was_known_of_it(buy, make_user):
    user = make_user()

    for base in ("COOK", "BAKE"):
        buy(user_id=user.id, sku="COOK-1", base_sku=base)
    buy(user_id=user.id)

    ticket = Ticket.get()
    assert (ticket.sku, ticket.base_sku) == ("COOK-1", "COOK")


def test_the_order_line_of_another_buyer_tells_nothing_of_the_ticket(buy, refusal, make_user):
    buy(user_id=make_user().id)

    refusal(buy, user_id=make_user().id, sku="COOK-1")

    assert Ticket.get().sku is None


def test_the_order_line_with_another_sku_is_a_conflict(buy, refusal, make_user):
    user = make_user()
    buy(user_id=user.id, sku="COOK-1")

    error = refusal(buy, user_id=user.id, sku="COOK-2")

    assert (error.code, error.word) == (-32002, "TICKET_OF_ANOTHER_SKU")


def test_another_base_sku_is_no_other_ticket(buy, make_user):
    user = make_user()

    assert [buy(user_id=user.id, base_sku=base) for base in ("A", "B")] == [1, 0]


def test_one_order_line_may_hold_tickets_of_two_kinds(buy, make_user, make_kind):
    user = make_user()

    made = [buy(user_id=user.id), buy(user_id=user.id, program_kind_id=make_kind().id)]

    assert made == [1, 1]


def test_the_order_line_of_a_canceled_ticket_is_zero_still(client, buy, make_user):
    user = make_user()
    buy(user_id=user.id)
    client.cancel_program_ticket(ticket_id=Ticket.get().id)

    assert buy(user_id=user.id) == 0
    assert Ticket.get().state is TicketState.CANCELED


def test_the_order_line_of_a_consumed_ticket_is_zero(client, buy, make_user, make_program):
    user = make_user()
    buy(user_id=user.id)
    program = make_program(kind_id=Ticket.get().kind_id)
    client.modify_program_membership(user_id=user.id, program_id=program.id)

    assert buy(user_id=user.id) == 0


def test_the_order_line_in_upper_case_is_the_same(buy, make_user):
    user = make_user()

    made = [buy(user_id=user.id, external_id=text) for text in (ORDER_LINE, ORDER_LINE.upper())]

    assert made == [1, 0]


def test_an_archived_kind_is_refused(client, refusal, make_user, make_kind):
    kind = make_kind(archived=True)

    error = refusal(client.create_program_ticket, make_user().id, program_kind_id=kind.id)

    assert (error.code, error.word) == (-32002, "KIND_ARCHIVED")
    assert Ticket.select().count() == 0


def test_a_repeated_order_line_is_zero_after_its_kind_was_archived(buy, make_user):
    user = make_user()
    buy(user_id=user.id)
    with writing():
        ProgramKind.get().change(archived=True)

    assert buy(user_id=user.id) == 0


def test_an_unknown_user_is_an_error(buy, refusal):
    error = refusal(buy, user_id=sample.NOBODY)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_an_unknown_kind_is_an_error(buy, refusal, make_user):
    error = refusal(buy, user_id=make_user().id, program_kind_id=sample.NOBODY)

    assert (error.code, error.word) == (-32001, "PROGRAM_KIND_NOT_FOUND")


def test_userid_and_email_of_two_users_disagree_and_nothing_is_written(buy, refusal, make_user):
    error = refusal(buy, user_id=make_user().id, email=make_user().email)

    assert (error.code, error.word) == (-32002, "EMAIL_AND_USER_DISAGREE")
    assert Ticket.select().count() == 0


def test_a_userid_with_an_email_that_nobody_has_disagrees(buy, refusal, make_user):
    error = refusal(buy, user_id=make_user().id, email="nobody@example.org")

    assert error.word == "EMAIL_AND_USER_DISAGREE"


def test_all_that_is_wrong_is_told_at_once(client, refusal):
    error = refusal(client.create_program_ticket, external_id="order 7", sku="x" * 256, base_sku=1)

    assert error.code == -32602
    assert sorted(error.fields) == ["baseSku", "externalId", "programKindId", "sku", "userId"]
