"""Which ticket is used when somebody joins, by whatever route."""

from __future__ import annotations

import pytest

from models.database import writing
from models.memberships import Membership, MembershipRole, MembershipState, settle
from models.programs import Program
from models.tickets import Ticket, TicketState
from tests.conftest import TODAY

ENDED = [state for state in MembershipState if state is not MembershipState.ACTIVE]


@pytest.fixture
def buyer(make_user):
    return make_user()


@pytest.fixture
def program(make_program):
    return make_program()


@pytest.fixture
def joined(buyer, program, make_membership):
    """The buyer's membership of the program, begun as the test says."""
    return lambda **values: make_membership(user=buyer, program=program, **values)


@pytest.fixture
def ticket(buyer, program, make_ticket):
    return make_ticket(program.kind_id, buyer)


def state_of(ticket):
    return Ticket.get_by_id(ticket.id).state


def test_a_new_active_member_uses_a_ticket(ticket, joined):
    member = joined()

    used = Ticket.get_by_id(ticket.id)
    assert (used.state, used.membership_id) == (TicketState.CONSUMED, member.id)
    assert (used.program_id, used.consumed_at) == (member.program_id, member.created_at)


@pytest.mark.parametrize("role", [MembershipRole.TRAINER, MembershipRole.OBSERVER])
def test_a_new_trainer_or_observer_uses_none(ticket, joined, role):
    joined(role=role)

    assert state_of(ticket) is TicketState.READY


@pytest.mark.parametrize("state", ENDED)
def test_a_membership_that_begins_ended_uses_none(ticket, joined, state):
    joined(state=state)

    assert state_of(ticket) is TicketState.READY


@pytest.mark.parametrize("state", ENDED)
def test_an_ended_member_who_becomes_active_uses_a_ticket(buyer, program, joined, make_ticket, state):
    member = joined(state=state)
    ticket = make_ticket(program.kind_id, buyer)

    with writing():
        member.say(MembershipState.ACTIVE)

    assert state_of(ticket) is TicketState.CONSUMED


@pytest.mark.parametrize("role", [MembershipRole.TRAINER, MembershipRole.OBSERVER])
def test_a_trainer_or_observer_who_becomes_a_member_uses_a_ticket(ticket, buyer, program, joined, role):
    joined(role=role)

    with writing():
        Membership.put(buyer.id, program, role=MembershipRole.MEMBER)

    assert state_of(ticket) is TicketState.CONSUMED


def test_an_ended_trainer_who_becomes_an_active_member_uses_a_ticket(ticket, buyer, program, joined):
    joined(role=MembershipRole.TRAINER, state=MembershipState.WITHDRAWN)

    with writing():
        Membership.put(buyer.id, program, role=MembershipRole.MEMBER, state=MembershipState.ACTIVE)

    assert state_of(ticket) is TicketState.CONSUMED


@pytest.mark.parametrize(
    ("begun", "change"),
    [
        ({"role": MembershipRole.TRAINER}, {"state": MembershipState.ACTIVE}),
        (
            {"role": MembershipRole.TRAINER, "state": MembershipState.WITHDRAWN},
            {"state": MembershipState.ACTIVE},
        ),
        (
            {"role": MembershipRole.TRAINER, "state": MembershipState.WITHDRAWN},
            {"role": MembershipRole.MEMBER},
        ),
        ({"state": MembershipState.WITHDRAWN}, {"state": MembershipState.COMPLETED}),
    ],
)
def test_who_does_not_become_an_active_member_uses_none(ticket, buyer, program, joined, begun, change):
    joined(**begun)

    with writing():
        Membership.put(buyer.id, program, **change)

    assert state_of(ticket) is TicketState.READY


def test_who_is_an_active_member_already_uses_no_second_one(buyer, program, joined, make_ticket):
    joined()
    _, left = (make_ticket(program.kind_id, buyer) for _ in range(2))

    with writing():
        Membership.put(buyer.id, program, state=MembershipState.ACTIVE, role=MembershipRole.MEMBER)

    assert state_of(left) is TicketState.READY


def test_who_pays_after_joining_uses_the_ticket_at_once(buyer, program, joined, make_ticket):
    member = joined()

    ticket = make_ticket(program.kind_id, buyer)

    used = Ticket.get_by_id(ticket.id)
    assert (used.state, used.membership_id) == (TicketState.CONSUMED, member.id)
    assert (used.program_id, used.consumed_at) == (program.id, used.created_at)


@pytest.mark.parametrize(
    "begun",
    [{"role": role} for role in MembershipRole if role is not MembershipRole.MEMBER]
    + [{"state": state} for state in ENDED],
)
def test_who_pays_and_is_no_active_member_uses_none(buyer, program, joined, make_ticket, begun):
    joined(**begun)

    assert state_of(make_ticket(program.kind_id, buyer)) is TicketState.READY


def test_who_pays_for_another_kind_uses_none(buyer, joined, make_kind, make_ticket):
    joined()

    assert state_of(make_ticket(make_kind().id, buyer)) is TicketState.READY


def test_who_pays_and_has_joined_two_programs_of_the_kind_uses_none(
    buyer, program, joined, make_program, make_membership, make_ticket
):
    joined()
    make_membership(user=buyer, program=make_program(kind_id=program.kind_id))

    assert state_of(make_ticket(program.kind_id, buyer)) is TicketState.READY


def test_who_pays_and_has_joined_another_program_that_is_paid_for_uses_the_ticket(
    buyer, program, ticket, joined, make_program, make_membership, make_ticket
):
    joined()
    other = make_membership(user=buyer, program=make_program(kind_id=program.kind_id))

    assert Ticket.get_by_id(make_ticket(program.kind_id, buyer).id).membership_id == other.id


@pytest.mark.parametrize(("zone", "used"), [("America/Los_Angeles", True), ("Pacific/Auckland", False)])
def test_who_pays_on_the_last_day_of_the_program_uses_the_ticket(
    buyer, make_program, make_membership, make_ticket, zone, used
):
    program = make_program(start_date=TODAY, duration=1, timezone=zone)  # where it is tomorrow already
    make_membership(user=buyer, program=program)

    ticket = make_ticket(program.kind_id, buyer)

    assert (state_of(ticket) is TicketState.CONSUMED) is used


def test_a_refund_takes_away_what_was_paid_after_joining(buyer, program, joined, make_ticket):
    member = joined()
    ticket = make_ticket(program.kind_id, buyer)

    with writing():
        Ticket.get_by_id(ticket.id).cancel()

    assert Membership.get_by_id(member.id).state is MembershipState.REFUNDED


def test_the_oldest_ready_ticket_is_used(buyer, program, make_ticket, joined):
    canceled, used, left = (make_ticket(program.kind_id, buyer) for _ in range(3))
    with writing():
        canceled.cancel()

    joined()

    assert [state_of(ticket) for ticket in (canceled, used, left)] == [
        TicketState.CANCELED,
        TicketState.CONSUMED,
        TicketState.READY,
    ]


def test_no_ticket_does_not_block(joined):
    assert joined().state is MembershipState.ACTIVE


def test_a_ticket_of_the_kinds_parent_or_child_or_of_another_is_not_used(
    buyer, make_kind, make_program, make_ticket, make_membership
):
    parent = make_kind()
    kind = make_kind(parent_id=parent.id)
    child = make_kind(parent_id=kind.id)
    tickets = [make_ticket(other.id, buyer) for other in (parent, child, make_kind())]

    make_membership(user=buyer, program=make_program(kind_id=kind.id))

    assert [state_of(ticket) for ticket in tickets] == [TicketState.READY] * 3


def test_the_ticket_of_somebody_else_is_not_used(program, joined, make_ticket, make_user):
    others = make_ticket(program.kind_id, make_user())
    unclaimed = make_ticket(program.kind_id, email="nobody@example.org")

    joined()

    assert [state_of(others), state_of(unclaimed)] == [TicketState.READY] * 2


@pytest.mark.parametrize("state", [state for state in ENDED if state is not MembershipState.REFUNDED])
def test_who_comes_back_on_a_ticket_that_is_still_consumed_uses_no_second_one(
    ticket, buyer, program, joined, make_ticket, state
):
    member = joined()
    second = make_ticket(program.kind_id, buyer)

    with writing():
        member.say(state)
        member.say(MembershipState.ACTIVE)

    assert [state_of(ticket), state_of(second)] == [TicketState.CONSUMED, TicketState.READY]


def test_who_was_a_trainer_for_a_while_uses_no_second_ticket(ticket, buyer, program, joined, make_ticket):
    joined()
    second = make_ticket(program.kind_id, buyer)

    with writing():
        for role in (MembershipRole.TRAINER, MembershipRole.MEMBER):
            Membership.put(buyer.id, program, role=role)

    assert state_of(second) is TicketState.READY


def test_who_comes_back_after_a_refund_uses_the_next_ticket(ticket, buyer, program, joined, make_ticket):
    member = joined()
    second = make_ticket(program.kind_id, buyer)

    with writing():
        member.say(MembershipState.REFUNDED)
        member.say(MembershipState.ACTIVE)

    assert [state_of(ticket), state_of(second)] == [TicketState.CANCELED, TicketState.CONSUMED]


def test_who_joined_without_a_ticket_uses_one_when_coming_back(buyer, program, joined, make_ticket):
    member = joined()
    ticket = make_ticket(program.kind_id, buyer)

    with writing():
        member.say(MembershipState.WITHDRAWN)
        member.say(MembershipState.ACTIVE)

    assert state_of(ticket) is TicketState.CONSUMED


def test_each_program_of_a_kind_takes_a_ticket_of_its_own(
    buyer, make_kind, make_program, make_ticket, make_membership
):
    kind = make_kind()
    tickets = [make_ticket(kind.id, buyer) for _ in range(2)]
    programs = [make_program(kind_id=kind.id) for _ in range(3)]

    for program in programs:
        make_membership(user=buyer, program=program)

    used = [Ticket.get_by_id(ticket.id).program_id for ticket in tickets]
    assert used == [program.id for program in programs[:2]]


def test_many_who_join_at_once_use_their_own_tickets_oldest_first(
    make_user, make_kind, make_program, make_ticket
):
    users, kind = [make_user() for _ in range(3)], make_kind()
    programs = [Program.of(make_program(kind_id=kind.id).id) for _ in range(2)]
    tickets = [make_ticket(kind.id, user) for user in users[:2] for _ in range(3)]

    with writing():
        changed = settle([Membership.begin(user.id, program) for user in users for program in programs])

    assert changed == 6
    states = [state_of(ticket).value for ticket in tickets]
    assert states == ["consumed", "consumed", "ready"] * 2


def test_many_who_are_refunded_at_once_lose_the_tickets_they_used(
    make_user, make_kind, make_program, make_ticket, make_membership
):
    kind = make_kind()
    program = make_program(kind_id=kind.id)
    users = [make_user() for _ in range(2)]
    tickets = [make_ticket(kind.id, user) for user in users for _ in range(2)]
    members = [make_membership(user=user, program=program) for user in users]

    with writing():
        for member in members:
            member.say(MembershipState.REFUNDED)

    assert [state_of(ticket).value for ticket in tickets] == ["canceled", "ready"] * 2


def test_refunding_twice_cancels_nothing_more(ticket, buyer, program, joined, make_ticket):
    member = joined()
    second = make_ticket(program.kind_id, buyer)

    with writing():
        member.say(MembershipState.REFUNDED)
        member.say(MembershipState.REFUNDED, comments="again")

    assert state_of(second) is TicketState.READY
