"""Calls in a batch: in the order written, each whole or not at all."""

from __future__ import annotations

import gc
import json

from client import RpcError
from models import sample
from models.audit import Audit
from models.memberships import Membership
from models.people import User
from rpc.registry import Lane


def words(outcomes):
    return [outcome.word if isinstance(outcome, RpcError) else "done" for outcome in outcomes]


def test_a_call_that_fails_between_two_leaves_nothing_of_itself(client, make_program):
    program = make_program()
    refused = {"email": "ada@example.org", "groupId": sample.NOBODY}

    outcomes = client.batch(
        [
            ("core.CreateUser", {"email": "grace@example.org"}),
            ("core.AddEmailToGroup", refused),
            ("core.ModifyProgramMembership", {"email": "grace@example.org", "programId": program.id}),
        ]
    )

    assert words(outcomes) == ["done", "GROUP_NOT_FOUND", "done"]
    assert [user.email for user in User.select()] == ["grace@example.org"]
    assert Membership.select().count() == 1


def test_a_call_with_wrong_parameters_does_not_hold_up_the_others(client):
    outcomes = client.batch(
        [
            ("core.CreateUser", {"email": "ada@example.org"}),
            ("core.CreateUser", {"email": "ada"}),
            ("core.CreateUser", {"email": "grace@example.org"}),
        ]
    )

    assert words(outcomes) == ["done", "INVALID_PARAMS", "done"]
    assert User.select().count() == 2


def test_a_refused_call_leaves_no_audit_row(client):
    client.batch(
        [
            ("core.CreateUser", {"email": "ada@example.org"}),
            ("core.AddEmailToGroup", {"email": "grace@example.org", "groupId": sample.NOBODY}),
        ]
    )

    assert [row.method for row in Audit.select()] == ["core.CreateUser"]


def test_a_later_call_sees_what_an_earlier_one_wrote(client, make_program, make_ticket):
    program = make_program()
    who = {"email": "ada@example.org"}
    make_ticket(program.kind_id, email="ada@example.org")

    outcomes = client.batch(
        [
            ("core.UserTickets", who),
            ("core.CreateUser", who),
            ("core.ModifyProgramMembership", who | {"programId": program.id}),
            ("core.UserTickets", who),
            ("core.CancelProgramTicket", {"ticketId": "?"}),
            ("core.ListClosingParticipants", {"withinDays": 100}),
            ("core.CreateUser", who),
        ]
    )

    states = [[ticket["state"] for ticket in outcomes[place]] for place in (0, 3)]
    assert states == [["ready"], ["consumed"]]
    assert (outcomes[1], outcomes[6]) == (True, False)
    assert outcomes[5][0]["email"] == "ada@example.org"


def test_each_quick_read_sees_the_writes_before_it_and_not_those_after(client, make_user):
    user = make_user()
    group = {"handle": "staff"}
    made = client.call("admin.SaveGroup", **group)
    ids = {"userId": user.id, "id": made["id"]}
    ask = ("core.UserHasGroup", {"id": user.id, **group})

    outcomes = client.batch([ask, ("core.AddToGroup", ids), ask, ("core.RemoveUserGroup", ids), ask])

    assert outcomes == [False, True, True, True, False]


def test_calls_of_one_batch_are_carried_out_in_the_order_written(client, make_membership):
    member = make_membership()
    one = {"userId": member.user_id, "programId": member.program_id}
    states = ["completed", "active", "withdrawn", "active", "incomplete"] * 8

    client.batch([("core.UpdateUserCohortState", one | {"state": state}) for state in states])

    history = client.membership_history(member.user_id, member.program_id)
    assert [change["to"]["state"] for change in history] == ["active", *states]


def test_one_instant_has_one_order_even_in_a_batch(client, make_user, make_kind):
    user, kind = make_user(), make_kind()
    ticket = {"userId": user.id, "programKindId": kind.id}

    client.batch([("core.CreateProgramTicket", ticket | {"sku": str(n)}) for n in range(100)])

    found = client.user_tickets(user.id)
    assert len({row["createdAt"] for row in found}) == 1
    assert [int(row["sku"]) for row in found] == list(range(100))


class _Long(list):
    """A long result that can be counted."""


def test_lists_that_have_no_place_in_the_reply_do_not_wait_for_its_end(ask, make_method):
    alive: list[int] = []

    def long() -> list[str]:
        alive.append(sum(type(one) is _Long for one in gc.get_objects()))
        return _Long(["x" * 1000] * 100)

    make_method("test.Long", long, lane=Lane.SLOW)
    body = json.dumps([{"jsonrpc": "2.0", "id": n, "method": "test.Long"} for n in range(30)]).encode()

    replies = json.loads(ask(body, reply=500_000))

    found = [reply["error"]["data"]["code"] if "error" in reply else "result" for reply in replies]
    assert found == ["result"] * 4 + ["RESPONSE_TOO_LARGE"] * 26
    assert max(alive) <= 1
