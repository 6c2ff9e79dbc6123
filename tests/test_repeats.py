"""Idempotency keys: who repeats a write gets the same answer, and nothing is done twice."""

from __future__ import annotations

import gzip
import hashlib
import threading
from contextlib import closing
from datetime import timedelta
from uuid import uuid4

import apsw
import marshmallow
import orjson
import pytest
import urllib3

from models import backup, clock, sample
from models.audit import Audit
from models.cohorts import Cohort
from models.database import database, writing
from models.errors import Conflict
from models.memberships import Membership, MembershipChange
from models.migrations import MODELS
from models.people import User
from models.repeats import KEPT, KeptAnswer, Repeats
from models.tickets import Ticket
from models.tokens import Scope, Token
from rpc.registry import METHODS, Answer, Lane

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
    assert {"row": made["id"]} == kept("once", call["method"], call["params"])


def test_what_tells_of_a_person_is_not_kept_and_told_again_as_it_is_now(post, client):
    call = {"jsonrpc": "2.0", "id": 1, "method": "admin.SaveUser", "params": {"first": "Ada"}}
    made = post(call, key="once")["result"]
    assert made == post(call, key="once")["result"]
    assert {"row": made["id"]} == kept("once", call["method"], call["params"])

    client.admin.erase_user(made["id"])

    again = post(call, key="once")["result"]
    assert (made["id"], None) == (again["id"], again["first"])
    assert 1 == User.select().count()


def asked(method, params):
    """What tells a call from others."""
    entry = METHODS[method]
    return orjson.dumps([method, entry.params.loaded(params)], str, orjson.OPT_SORT_KEYS)


def kept(key, method, params):
    """What is kept under a key, as whoever repeats the call can read it."""
    token = Token.get(Token.name == Scope.ADMIN)
    return orjson.loads(KeptAnswer.recall(Repeats(token.id, key), asked(method, params)))


# The key comes first, for every write


every_write = pytest.mark.parametrize(
    "entry", [entry for entry in METHODS.values() if entry.lane is Lane.WRITE], ids=lambda entry: entry.name
)
RIGHTS = {Token, KeptAnswer}  # without which nobody can ask


def wipe(path):
    """Remove all that there is, so that whatever is asked for is not found."""
    with closing(apsw.Connection(str(path))) as other:
        for model in MODELS:
            if model not in RIGHTS:
                other.execute(f'DELETE FROM "{model._meta.table_name}"')


def rows():
    """How many rows there are that calls may make."""
    return {model: model.select().count() for model in MODELS if model is not KeptAnswer}


@every_write
@pytest.mark.sample
def test_a_repeated_write_is_answered_as_it_was_though_the_world_has_changed(entry, post, world):
    first = post(call(entry.name, entry.example), key="k")
    wipe(world.path)
    before = rows()

    again = post(call(entry.name, entry.example), key="k")

    assert "result" in first
    if entry.again is None:
        assert first == again
    else:  # of which only the id is kept
        assert {"USER_NOT_FOUND", "SECRET_SHOWN_ONCE"} >= {again["error"]["data"]["code"]}
    assert before == rows()


def another(entry):
    """Parameters of a function, one of them another than in the example."""
    for name, value in entry.example.items():
        for other in (sample.NOBODY, f"{value}x", f"x{value}", "2031-01-01", 1):
            params = entry.example | {name: other}
            try:
                entry.params.loaded(params)
            except marshmallow.ValidationError:
                continue
            return params
    raise LookupError(entry.name)


@every_write
@pytest.mark.sample
def test_a_key_with_other_parameters_is_a_conflict_whatever_these_would_come_to(entry, post, world):
    post(call(entry.name, entry.example), key="k")
    before = rows()

    refused = post(call(entry.name, another(entry)), key="k")

    assert {"code": "IDEMPOTENCY_KEY_REUSED"} == refused["error"]["data"]
    assert before == rows()


@pytest.fixture
def sync(make_program, make_user):
    """A call that brings everybody into a cohort of a program; the program."""
    program = make_program()
    with writing():
        cohort = Cohort.confirm(program.id, "Monday")
    make_user()
    where = {"programId": str(program.id), "cohortId": str(cohort.id), "mode": "open"}
    return program, lambda **more: call("core.SyncCohort", where | {"query": "status = active"} | more)


def test_a_repeated_sync_of_a_program_that_is_archived_now_is_answered_as_it_was(post, sync):
    program, synced = sync
    first = post(synced(), key="k")
    with writing():
        program.change(archived=True)

    assert (1, first) == (first["result"], post(synced(), key="k"))


def test_a_repeated_sync_is_not_told_that_too_many_would_change_by_now(post, sync, make_user):
    _, synced = sync
    first = post(synced(maxChanges=1), key="k")
    make_user()
    make_user()

    assert (1, first) == (first["result"], post(synced(maxChanges=1), key="k"))


def test_a_repeated_dry_run_is_answered_as_it_was(post, sync, make_user):
    program, synced = sync
    first = post(synced(dryRun=True), key="k")
    make_user()
    with writing():
        program.change(archived=True)

    assert (1, first) == (first["result"], post(synced(dryRun=True), key="k"))
    assert 0 == Membership.select().count()


def test_a_conflict_that_was_found_in_preparing_is_kept(post, sync):
    program, synced = sync
    with writing():
        program.change(archived=True)
    first = post(synced(), key="k")
    with writing():
        program.change(archived=False)

    assert ("PROGRAM_ARCHIVED", first) == (first["error"]["data"]["code"], post(synced(), key="k"))
    assert 0 == Membership.select().count()


def test_too_many_changes_are_not_kept(post, sync):
    _, synced = sync
    refused = post(synced(maxChanges=0), key="k")

    assert "TOO_MANY_CHANGES" == refused["error"]["data"]["code"]
    assert 1 == post(synced(), key="k")["result"]


@pytest.mark.parametrize("prepared", ["to be written", Answer("nothing to do")], ids=["write", "answer"])
def test_what_was_prepared_once_is_not_prepared_again(prepared, post, make_method):
    ran = []
    make_method(
        "test.Prepared",
        lambda found: found,
        lane=Lane.WRITE,
        scope=Scope.WRITE,
        prepare=lambda: ran.append(1) or prepared,
    )

    first = post(
        [call("test.Prepared", {}, idempotencyKey="k"), call("test.Prepared", {}, idempotencyKey="k")]
    )
    again = post(call("test.Prepared", {}, idempotencyKey="k"))

    assert [again, again] == first
    assert [1] == ran


# What is kept tells of nobody


EMAIL, NAMES = "victoria.quill@example.org", ("Victoriana", "Quillfeather", "Vicky of the Quills")
PERSONAL = dict(zip(("first", "last", "name"), NAMES, strict=True))


def about(user_id):
    """Calls that tell of a person: by email, by id, in a query; of every write that can."""
    for entry in METHODS.values():
        fields = entry.params.fields
        if entry.lane is not Lane.WRITE or entry.name in ("admin.EraseUser", "admin.CreateToken"):
            continue
        params = dict(entry.example)
        if "email" in fields:
            params.pop("userId", None)
            params["email"] = EMAIL
            params |= {name: text for name, text in PERSONAL.items() if name in fields}
        elif "user_id" in fields and user_id is not None:
            params["userId"] = user_id
        elif "query" in fields:
            params["query"] = f"given users [{EMAIL}] where first is '{NAMES[0]}'"
        else:
            continue
        yield entry.name, params


@pytest.mark.sample
def test_nothing_is_left_of_an_erased_user_in_what_is_kept(post, world, tmp_path):
    calls = {}

    def ask(name, params):
        key = f"{name} {len(calls)}"
        calls[key] = call(name, params), post(call(name, params), key=key)
        return calls[key][1]

    missing = [ask(name, params) for name, params in about(None) if not name.endswith(("User", "ToGroup"))]
    user_id = ask("admin.SaveUser", {"email": EMAIL} | PERSONAL)["result"]["id"]
    for name, params in about(user_id):
        ask(name, params)
    taken = ask("admin.SaveUser", {"id": sample.CARL, "email": EMAIL})
    conflict = ask(
        "core.ModifyProgramMembership", {"email": EMAIL, "userId": sample.ADA, "programId": sample.SPRING}
    )
    assert 1 == ask("admin.EraseUser", {"userId": user_id})["result"]
    database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    backup.backup(tmp_path / "backup.gz")

    told = [reply["error"]["data"]["code"] for reply in (*missing, taken, conflict) if "error" in reply]
    assert {"USER_NOT_FOUND", "UNKNOWN_NAMES", "EMAIL_TAKEN", "EMAIL_AND_USER_DISAGREE"} == set(told)
    for path in (world.path, world.path.with_name("core.db-wal"), tmp_path / "backup.gz"):
        content = path.read_bytes()
        content = gzip.decompress(content) if path.suffix == ".gz" else content
        assert {} == {text: found for text in (EMAIL, *NAMES) if (found := content.count(text.encode()))}
    again = {key: post(request, key=key) for key, (request, _) in calls.items() if "SaveUser" not in key}
    assert {key: calls[key][1] for key in again} == again


def test_what_was_kept_before_answers_were_sealed_is_still_given(post, buy):
    request = buy()
    digest = hashlib.sha256(asked(request["method"], request["params"])).hexdigest()
    token = Token.get(Token.name == Scope.ADMIN)
    with writing():
        KeptAnswer.add(id=Repeats(token.id, "k").id, asked=digest, answer='{"result":7}')

    assert (7, 0) == (post(request, key="k")["result"], tickets())
    other = post(buy() | {"params": request["params"] | {"sku": "X"}}, key="k")
    assert "IDEMPOTENCY_KEY_REUSED" == other["error"]["data"]["code"]
