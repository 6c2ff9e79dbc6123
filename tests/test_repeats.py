"""Idempotency keys: who repeats a write gets the same answer, and nothing is done twice."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import uuid4

import pytest
import urllib3

from models import clock
from models.audit import Audit
from models.database import writing
from models.errors import Conflict
from models.memberships import Membership, MembershipChange
from models.people import User
from models.repeats import KEPT, KeptAnswer
from models.tickets import Ticket
from models.tokens import Scope, Token
from rpc.registry import Lane

pool = urllib3.PoolManager()


@pytest.fixture
def post(server, world):
    """Send requests with headers of the test's choice; the JSON of the reply comes back."""

    def post(content, key=None, secret=None, headers=()):
        sent = urllib3.HTTPHeaderDict(Authorization=f"Bearer {secret or world.secrets[Scope.ADMIN]}")
        sent["Content-Type"] = "application/json"
        if key is not None:
            sent["Idempotency-Key"] = key
        for name, value in headers:
            sent.add(name, value)
        reply = pool.request("POST", server.url, json=content, headers=sent)
        return reply.json() if reply.data else None

    return post


def call(method, params, id=1, **members):
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": id, **members}


@pytest.fixture
def buy(make_user, make_kind):
    """A call that makes a ticket, another one each time it is carried out."""
    params = {"userId": str(make_user().id), "programKindId": str(make_kind().id)}

    def buy(id=1, **members):
        return call("core.CreateProgramTicket", params, id, **members)

    return buy


def tickets():
    return Ticket.select().count()


def test_without_a_key_a_repeated_call_is_another_call(post, buy):
    post(buy())
    post(buy())

    assert tickets() == 2


def test_a_repeated_call_gets_the_answer_with_its_own_id_and_does_nothing(post, buy):
    first = post(buy(1), key="order-1")
    again = post(buy(2), key="order-1")

    assert first == {"jsonrpc": "2.0", "result": 1, "id": 1}
    assert again == {"jsonrpc": "2.0", "result": 1, "id": 2}
    assert tickets() == 1


def test_the_header_may_be_in_quotes(post, buy):
    post(buy(), key='"order-1"')
    post(buy(), key="order-1")

    assert tickets() == 1


def test_the_member_beside_the_id_is_a_key_and_wins_over_the_header(post, buy):
    post(buy(idempotencyKey="a"), key="x")
    post(buy(idempotencyKey="a"), key="y")
    post(buy(idempotencyKey="b"), key="x")

    assert tickets() == 2


def test_null_is_no_key(post, buy):
    post(buy(idempotencyKey=None))
    post(buy(idempotencyKey=None))

    assert tickets() == 2


def test_the_header_of_a_batch_keys_each_entry_by_its_place_from_0(post, buy):
    first = post([buy("a"), buy("b")], key="batch")
    again = post([buy("c"), buy("d"), buy("e")], key="batch")
    single = post(buy("f", idempotencyKey="batch#1"))

    assert [reply["id"] for reply in first] == ["a", "b"]
    assert [(reply["id"], reply["result"]) for reply in again] == [("c", 1), ("d", 1), ("e", 1)]
    assert (single["id"], single["result"]) == ("f", 1)
    assert tickets() == 3


def test_the_places_go_on_through_a_long_batch(post, buy):
    post([buy(number) for number in range(200)], key="long")
    post([buy(number) for number in range(200)], key="long")

    assert tickets() == 200


def test_the_same_key_twice_in_a_batch_is_carried_out_once(post, buy):
    replies = post([buy(1, idempotencyKey="k"), buy(2, idempotencyKey="k")])

    assert [reply["result"] for reply in replies] == [1, 1]
    assert tickets() == 1


def test_a_notification_with_a_key_is_carried_out_once(post, buy):
    notification = buy()
    del notification["id"]

    assert [post(notification, key="n"), post(notification, key="n")] == [None, None]
    assert tickets() == 1


def test_an_answer_that_something_is_missing_is_kept_too(post, make_program):
    program, user_id = make_program(), uuid4()
    asked = call("core.ModifyProgramMembership", {"userId": str(user_id), "programId": str(program.id)})
    first = post(asked, key="k")
    with writing():
        User.appear("late@example.org", id=user_id)

    again = post(asked | {"id": 2}, key="k")

    assert first["error"]["data"]["code"] == "USER_NOT_FOUND"
    assert again == first | {"id": 2}
    assert Membership.select().count() == 0


def test_a_conflict_is_kept_too(post, make_kind, make_user):
    kind, external_id = make_kind(), str(uuid4())

    def bought(user):
        params = {"userId": str(user.id), "programKindId": str(kind.id), "externalId": external_id}
        return call("core.CreateProgramTicket", params)

    one, other = make_user(), make_user()
    post(bought(one))
    first = post(bought(other), key="k")
    with writing():
        Ticket.delete().execute()

    again = post(bought(other), key="k")

    assert first["error"]["data"]["code"] == "TICKET_OF_ANOTHER_BUYER"
    assert again == first


def test_other_errors_are_not_kept(post, buy):
    wrong = buy()
    wrong["params"] = {"userId": 1}

    first = post(wrong, key="k")
    second = post(buy(), key="k")

    assert first["error"]["code"] == -32602
    assert second["result"] == 1


def test_the_key_with_other_parameters_is_a_conflict(post, buy, make_user):
    post(buy(), key="k")
    other = buy()
    other["params"] = other["params"] | {"sku": "X"}

    refused = post(other, key="k")

    assert refused["error"]["code"] == -32002
    assert refused["error"]["data"] == {"code": "IDEMPOTENCY_KEY_REUSED"}
    assert tickets() == 1
    assert post(buy(), key="k")["result"] == 1  # the answer is still kept


def test_the_key_with_another_method_is_a_conflict(post, make_user, make_program):
    ids = {"userId": str(make_user().id), "programId": str(make_program().id)}
    post(call("core.ModifyProgramMembership", ids), key="k")

    refused = post(call("core.UpdateUserCohortState", ids | {"state": "completed"}), key="k")

    assert refused["error"]["data"]["code"] == "IDEMPOTENCY_KEY_REUSED"


def test_it_is_the_same_call_however_the_parameters_are_written(post, make_user, make_program):
    user, program = str(make_user().id), str(make_program().id)
    post(
        call("core.UpdateUserCohortState", {"programId": program, "userId": user, "state": "dropped"}),
        key="k",
    )

    again = post(call("core.UpdateUserCohortState", [user.upper(), program, None, "dropped"]), key="k")

    assert again["error"]["data"]["code"] == "MEMBERSHIP_NOT_FOUND"


def test_keys_of_other_tokens_are_other_keys(post, buy):
    with writing():
        _, secret = Token.issue("another", Scope.WRITE)
    post(buy(), key="k")
    post(buy(), key="k", secret=secret)

    assert tickets() == 2


def test_reads_take_no_notice_of_keys(post, make_program):
    program = make_program(name="before")
    look = call("core.LookupProgramInstance", [str(program.id)])
    before = post(look, key="k")
    with writing():
        program.change(name="after")

    after = post(look, key="k")

    assert (before["result"]["name"], after["result"]["name"]) == ("before", "after")
    assert KeptAnswer.select().count() == 0


def test_answers_are_kept_for_24_hours(post, buy):
    post(buy(), key="k")

    clock.set_to(clock.now() + KEPT)
    post(buy(), key="k")
    at_the_end = tickets()
    clock.set_to(clock.now() + timedelta(seconds=1))
    post(buy(), key="k")

    assert (at_the_end, tickets()) == (1, 2)


def test_old_answers_are_forgotten_as_new_ones_come(post, buy):
    post([buy(number) for number in range(10)], key="old")
    clock.set_to(clock.now() + KEPT + timedelta(seconds=1))
    post([buy(number) for number in range(5)], key="new")

    assert KeptAnswer.select().count() == 5


def test_what_a_call_wrote_before_it_failed_is_undone_and_the_answer_kept(post, make_method, make_program):
    program, ran = make_program(), []

    def half(**params):
        ran.append(1)
        user = User.appear(f"user{len(ran)}@example.org")
        Membership.put(user.id, program)
        raise Conflict("PROGRAM_ARCHIVED", "on purpose")

    make_method("test.Half", half, lane=Lane.WRITE, scope=Scope.WRITE)

    first, again = post(call("test.Half", {}), key="k"), post(call("test.Half", {}), key="k")

    assert (first, ran) == (again, [1])
    assert first["error"]["data"]["code"] == "PROGRAM_ARCHIVED"
    found = (User, Membership, MembershipChange, Audit)
    assert [model.select().count() for model in found] == [0, 0, 0, 0]


def test_an_answer_that_is_given_again_leaves_nothing_in_the_audit(post, buy):
    before = Audit.select().count()
    post(buy(), key="k")
    post(buy(), key="k")

    assert Audit.select().count() == before + 1


def test_while_the_first_still_runs_the_second_is_told_to_come_back(post, make_method):
    begun, go_on, ran = threading.Event(), threading.Event(), []

    def slow(**params):
        ran.append(1)
        begun.set()
        assert go_on.wait(30)
        return "done"

    make_method("test.Slow", slow, lane=Lane.WRITE, scope=Scope.WRITE)
    replies = []
    first = threading.Thread(target=lambda: replies.append(post(call("test.Slow", {}, 1), key="k")))
    first.start()
    begun.wait(30)

    second = post(call("test.Slow", {}, 2), key="k")
    go_on.set()
    first.join()
    third = post(call("test.Slow", {}, 3), key="k")

    assert second["error"]["code"] == -32002
    assert second["error"]["data"] == {"code": "IDEMPOTENCY_KEY_IN_USE", "retryAfterMs": 1000}
    assert [reply["result"] for reply in (*replies, third)] == ["done", "done"]
    assert ran == [1]


@pytest.mark.parametrize("key", ["", "x" * 256, 7, ["k"], True, "a\u0000b"])
def test_what_can_be_no_key_is_refused(post, buy, key):
    reply = post([buy(idempotencyKey=key), buy(2)])

    assert reply[0]["error"]["data"]["code"] == "BAD_IDEMPOTENCY_KEY"
    assert reply[0]["error"]["code"] == -32600
    assert reply[1]["result"] == 1


def test_two_headers_are_refused(post, buy):
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]

    reply = post(buy(), headers=headers)

    assert reply["error"]["data"]["code"] == "BAD_IDEMPOTENCY_KEY"
    assert tickets() == 0


def test_of_fifty_who_come_at_once_with_one_key_one_is_carried_out(post, buy):
    replies = []
    threads = [threading.Thread(target=lambda: replies.append(post(buy(), key="k"))) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    words = {reply.get("error", {}).get("data", {}).get("code", reply.get("result")) for reply in replies}
    assert 1 in words
    assert words <= {1, "IDEMPOTENCY_KEY_IN_USE"}
    assert tickets() == 1


def test_a_secret_is_not_kept_and_the_call_not_made_again(post):
    call = {"jsonrpc": "2.0", "id": 1, "method": "admin.CreateToken", "params": ["shop", "read"]}
    made = post(call, key="once")["result"]

    again = post(call, key="once")

    assert (-32002, "SECRET_SHOWN_ONCE") == (again["error"]["code"], again["error"]["data"]["code"])
    assert 1 == Token.select().where(Token.name == "shop").count()
    assert made["token"] not in "".join(kept.answer for kept in KeptAnswer.select())


def test_what_tells_of_a_person_is_not_kept_and_told_again_as_it_is_now(post, client):
    call = {"jsonrpc": "2.0", "id": 1, "method": "admin.SaveUser", "params": {"first": "Ada"}}
    made = post(call, key="once")["result"]
    assert made == post(call, key="once")["result"]
    assert "Ada" not in "".join(kept.answer for kept in KeptAnswer.select())

    client.admin.erase_user(made["id"])

    again = post(call, key="once")["result"]
    assert (made["id"], None) == (again["id"], again["first"])
    assert 1 == User.select().count()
