"""Fifty callers at once, each over a socket of its own: one of them is first, and the rest find that out."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from client import Client
from models.actor import Actor, How, acting
from models.cohorts import Cohort
from models.database import connected, writing
from models.memberships import Membership, MembershipChange
from models.people import User
from models.tickets import Ticket, TicketState
from models.tokens import Scope

CALLERS = 50
ORDER_LINE = "6f9619ff-8b86-d011-b42d-00c04fc964ff"


@pytest.fixture
def at_once(server, world):
    """Have fifty clients do something at the same moment; what each got, in the order of their numbers."""

    def race(act):
        ready = threading.Barrier(CALLERS)

        def run(number):
            client = Client(server.url, world.secrets[Scope.ADMIN])
            client.list_active_programs()  # so that the connection is there
            ready.wait()
            return act(client, number)

        with ThreadPoolExecutor(CALLERS) as pool:
            return list(pool.map(run, range(CALLERS)))

    return race


def test_one_cohort_name_gets_one_id(at_once, make_program):
    program = make_program()

    ids = at_once(lambda client, number: client.confirm_cohort(program.id, "Monday" + " " * (number % 3)))

    assert [str(cohort.id) for cohort in Cohort.select()] == list(set(ids))


def test_one_ticket_is_consumed_once_by_one_user_who_joins_again_and_again(
    at_once, make_user, make_program, make_ticket
):
    user, program = make_user(), make_program()
    ticket = make_ticket(program.kind_id, user)

    at_once(lambda client, _: client.modify_program_membership(user_id=user.id, program_id=program.id))

    [member] = Membership.select()
    used = Ticket.get_by_id(ticket.id)
    assert (used.state, used.membership_id) == (TicketState.CONSUMED, member.id)
    assert MembershipChange.select().count() == 1


def test_one_ticket_is_consumed_in_one_of_the_programs_that_its_user_joins(
    at_once, make_user, make_kind, make_program, make_ticket
):
    user, kind = make_user(), make_kind()
    programs = [make_program(kind_id=kind.id) for _ in range(CALLERS)]
    make_ticket(kind.id, user)

    at_once(
        lambda client, number: client.modify_program_membership(
            user_id=user.id, program_id=programs[number].id
        )
    )

    [ticket] = Ticket.select()
    assert ticket.state is TicketState.CONSUMED
    assert ticket.program_id == Membership.get_by_id(ticket.membership_id).program_id
    assert Membership.select().count() == CALLERS


def test_everybody_who_joins_uses_their_own_ticket(at_once, make_user, make_program, make_ticket):
    program = make_program()
    users = [make_user() for _ in range(CALLERS)]
    for user in users:
        make_ticket(program.kind_id, user)

    at_once(
        lambda client, number: client.modify_program_membership(
            user_id=users[number].id, program_id=program.id
        )
    )

    tickets = list(Ticket.select())
    assert {ticket.state for ticket in tickets} == {TicketState.CONSUMED}
    assert all(ticket.user_id == ticket.membership.user_id for ticket in tickets)


def test_one_order_line_makes_one_ticket(at_once, make_user, make_kind):
    user, kind = make_user(), make_kind()

    made = at_once(
        lambda client, _: client.create_program_ticket(
            user.id, program_kind_id=kind.id, external_id=ORDER_LINE
        )
    )

    assert Counter(made) == {1: 1, 0: CALLERS - 1}
    assert Ticket.select().count() == 1


def test_one_email_makes_one_user(at_once, make_kind, make_ticket):
    ticket = make_ticket(make_kind().id, email="ada@example.org")

    made = at_once(
        lambda client, number: client.create_user("ADA@example.org" if number % 2 else "ada@example.org")
    )

    [user] = User.select()
    assert Counter(made) == {True: 1, False: CALLERS - 1}
    assert Ticket.get_by_id(ticket.id).user_id == user.id


def test_a_ticket_is_canceled_once(at_once, make_user, make_program, make_ticket, make_membership):
    user, program = make_user(), make_program()
    ticket = make_ticket(program.kind_id, user)
    member = make_membership(user=user, program=program)

    canceled = at_once(lambda client, _: client.cancel_program_ticket(ticket.id))

    assert Counter(canceled) == {1: 1, 0: CALLERS - 1}
    assert [row.to_state.value for row in member.history()] == ["active", "refunded"]


def test_a_ticket_is_joined_with_or_canceled_but_not_both(at_once, make_user, make_program, make_ticket):
    program = make_program()
    users = [make_user() for _ in range(CALLERS // 2)]
    tickets = [make_ticket(program.kind_id, user) for user in users]

    def join_or_cancel(client, number):
        if number % 2:
            return client.cancel_program_ticket(tickets[number // 2].id)
        return client.modify_program_membership(user_id=users[number // 2].id, program_id=program.id)

    at_once(join_or_cancel)

    members = {member.user_id: member.state.value for member in Membership.select()}
    for ticket in Ticket.select():
        assert ticket.state is TicketState.CANCELED
        was_used = ticket.membership_id is not None
        assert members[ticket.user_id] == ("refunded" if was_used else "active")


def test_no_comment_is_lost(at_once, make_membership):
    member = make_membership()

    at_once(
        lambda client, number: client.update_user_cohort_state(
            member.user_id, member.program_id, state="active", comments=str(number)
        )
    )

    said = [row.comments for row in member.history()[1:]]
    assert sorted(said, key=int) == [str(number) for number in range(CALLERS)]
    assert Membership.get_by_id(member.id).comments == said[-1]


def test_two_cohorts_synced_with_the_same_users_end_with_each_of_them_in_exactly_one(
    at_once, make_user, make_program, make_membership, make_ticket
):
    program, users = make_program(), [make_user() for _ in range(40)]
    with writing():
        cohorts = [Cohort.confirm(program.id, name).id for name in ("Monday", "Tuesday")]
    for user in users[:10]:
        make_membership(user=user, program=program)
    for user in users[10:]:
        make_ticket(program.kind_id, user)

    changed = at_once(
        lambda client, number: client.sync_cohort(
            program.id, cohorts[number % 2], "all users", mode="open" if number % 5 else "closed"
        )
    )

    members = list(Membership.select())
    assert sorted(row.user_id for row in members) == sorted(user.id for user in users)
    assert {row.cohort_id for row in members} <= set(cohorts)
    assert sum(changed) == MembershipChange.select().where(MembershipChange.how == How.SYNC).count()
    for row in members:
        steps = list(row.history())
        assert [step.before for step in steps[1:]] == [step.after for step in steps[:-1]]
        assert steps[-1].after == row.standing
    assert Ticket.select().where(Ticket.state == TicketState.CONSUMED).count() == 30


def test_a_command_beside_the_server_and_its_callers_take_turns(at_once, make_program):
    program = make_program()

    def confirm(client, number):
        if number % 10:
            return client.confirm_cohort(program.id, f"group {number // 10}")
        return "beside"

    with ThreadPoolExecutor(1) as pool:
        beside = pool.submit(_confirm_beside, program.id)
        ids = at_once(confirm)
        beside.result()

    assert {str(row.id) for row in Cohort.select()} == set(ids) - {"beside"}


def _confirm_beside(program_id):
    with connected(), acting(Actor("command")):
        for number in range(CALLERS // 10):
            with writing():
                Cohort.confirm(program_id, f"group {number}")
