"""The catalogue of errors: every word in it can be met, and no other."""

from __future__ import annotations

import ast
import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest
import urllib3

from client import Client, RpcError
from models import sample
from models.database import configure, database
from models.errors import Busy, Conflict, Invalid, NotFound, QueryError
from models.tokens import Scope
from rpc.errors import CATALOGUE, rpc_error, to_rpc_error
from rpc.registry import Lane
from tests.waiting import FAR

ROOT = Path(__file__).parent.parent
pytestmark = pytest.mark.sample

ADA = {"userId": sample.ADA}
IN_SPRING = ADA | {"programId": sample.SPRING}
CHANGE = "core.ModifyProgramMembership"
TICKET = {"programKindId": sample.COOKING}

# The calls that lead to a word, in the sample world; the last is refused with it.
CALLS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "METHOD_NOT_FOUND": [("core.Nothing", {})],
    "INVALID_PARAMS": [("core.ListCohorts", {})],
    "USER_NOT_FOUND": [("core.UserTickets", {"userId": sample.NOBODY})],
    "GROUP_NOT_FOUND": [("core.AddToGroup", ADA | {"id": sample.NOBODY})],
    "LABEL_NOT_FOUND": [("core.AddUserLabel", ADA | {"labelId": sample.NOBODY})],
    "CHANNEL_NOT_FOUND": [("admin.AddToChannel", ADA | {"channelId": sample.NOBODY})],
    "PROGRAM_KIND_NOT_FOUND": [("core.ProgramChildList", {"id": sample.NOBODY})],
    "PROGRAM_NOT_FOUND": [("core.ListCohorts", {"programId": sample.NOBODY})],
    "COHORT_NOT_FOUND": [(CHANGE, IN_SPRING | {"cohortId": sample.NOBODY})],
    "MEMBERSHIP_NOT_FOUND": [("core.MembershipHistory", ADA | {"programId": sample.BREAD})],
    "TICKET_NOT_FOUND": [("core.CancelProgramTicket", {"ticketId": sample.NOBODY})],
    "TOKEN_NOT_FOUND": [("admin.RevokeToken", {"tokenId": sample.NOBODY})],
    "EMAIL_AND_USER_DISAGREE": [(CHANGE, IN_SPRING | {"email": "grace@example.org"})],
    "EMAIL_TAKEN": [("admin.SaveUser", {"id": sample.ADA, "email": "grace@example.org"})],
    "HANDLE_TAKEN": [("admin.SaveGroup", {"handle": "staff", "name": "Another"})],
    "COHORT_OF_ANOTHER_PROGRAM": [(CHANGE, IN_SPRING | {"cohortId": sample.LAST_AUTUMNS_MONDAY})],
    "MEMBERSHIP_IN_ANOTHER_COHORT": [
        ("core.UpdateUserCohortState", IN_SPRING | {"cohortId": sample.TUESDAY, "state": "active"})
    ],
    "PROGRAM_ARCHIVED": [(CHANGE, ADA | {"programId": sample.LATIN_ARCHIVED})],
    "KIND_ARCHIVED": [("core.CreateProgramTicket", ADA | {"programKindId": sample.LATIN})],
    "KIND_IS_FIXED": [("admin.SaveProgram", {"id": sample.SPRING, "programKindId": sample.BAKING})],
    "PROGRAM_KIND_OWN_ANCESTOR": [
        ("admin.SaveProgramKind", {"id": sample.COURSES, "parentId": sample.BAKING})
    ],
    "PROGRAM_OWN_ANCESTOR": [("admin.SaveProgram", {"id": sample.SPRING, "parentId": sample.BREAD})],
    "TICKET_OF_ANOTHER_BUYER": [
        ("core.CreateProgramTicket", TICKET | {"userId": sample.GRACE, "externalId": sample.ORDER_LINE})
    ],
    "TICKET_OF_ANOTHER_SKU": [
        ("core.CreateProgramTicket", TICKET | ADA | {"externalId": sample.ORDER_LINE, "sku": "OTHER"})
    ],
    "TOO_MANY_CHANGES": [
        (
            "core.SyncCohort",
            {
                "programId": sample.SPRING,
                "cohortId": sample.MONDAY,
                "query": "all users",
                "mode": "open",
                "maxChanges": 0,
            },
        )
    ],
    "USER_RETIRED": [
        ("admin.SaveUser", {"id": sample.ADA, "status": "retired"}),
        ("core.AddToGroup", ADA | {"id": sample.STAFF}),
    ],
    "UNKNOWN_NAMES": [
        (
            "core.SyncCohort",
            {"programId": sample.SPRING, "cohortId": sample.MONDAY, "query": "except groups [stuff]"},
        )
    ],
    "USER_ERASED": [("admin.EraseUser", ADA), ("admin.SaveUser", {"id": sample.ADA, "first": "Ada"})],
}

# Bodies that are refused with a word.
BODIES: dict[str, bytes] = {
    "PARSE_ERROR": b"[",
    "INVALID_REQUEST": b"[]",
    "TOO_DEEP": b"[" * 65 + b"]" * 65,
    "TOO_MANY_VALUES": json.dumps([0] * 20_000).encode(),
    "NUMBER_TOO_LONG": b"1" * 33,
    "BATCH_TOO_LARGE": json.dumps([0] * 1001).encode(),
}

CALL = b'{"jsonrpc":"2.0","id":1,"method":"core.ListActivePrograms"}'
JSON = "application/json"

# Requests that are refused with a word: the server's settings, then method, path, body and headers.
REQUESTS: dict[str, tuple[dict[str, Any], str, str, bytes, dict[str, str]]] = {
    "NOT_THERE": ({}, "GET", "/nothing", b"", {}),
    "METHOD_NOT_ALLOWED": ({}, "GET", "/rpc", b"", {}),
    "BODY_TOO_LARGE": ({"max_body": 10}, "POST", "/rpc", CALL, {}),
    "BODY_TOO_SLOW": ({"body_seconds": 0.05}, "POST", "/rpc", b"", {"Content-Length": "1"}),
    "NOT_JSON": ({}, "POST", "/rpc", CALL, {"Content-Type": "text/plain"}),
    "BAD_HTTP": ({}, "POST", "/rpc", CALL, {"Content-Length": "-1"}),
    "UNAUTHORIZED": ({}, "POST", "/rpc", CALL, {"Authorization": "Bearer nothing"}),
    "RATE_LIMITED": ({"rate_limit": 0.001, "rate_burst": 0}, "POST", "/rpc", CALL, {}),
    "DEADLINE_EXCEEDED": ({"call_seconds": 0.0}, "POST", "/rpc", CALL, {}),
    "RESPONSE_TOO_LARGE": ({"max_reply": 1000}, "POST", "/rpc", CALL, {}),
    "BUSY": ({"max_connections": 0}, "POST", "/rpc", CALL, {}),
}

OWN_TESTS = {"FORBIDDEN", "INTERNAL_ERROR"}  # below
OWN_TESTS |= {
    "BAD_IDEMPOTENCY_KEY",
    "IDEMPOTENCY_KEY_REUSED",
    "IDEMPOTENCY_KEY_IN_USE",
    "SECRET_SHOWN_ONCE",
}  # test_repeats.py


def test_every_word_of_the_catalogue_can_be_met():
    assert set(CATALOGUE) == {*CALLS, *BODIES, *REQUESTS, *OWN_TESTS}


@pytest.mark.parametrize("word", CALLS)
def test_a_call_is_refused_with_the_word(word, client):
    *before, (method, params) = CALLS[word]
    for name, values in before:
        client.call(name, **values)

    with pytest.raises(RpcError) as caught:
        client.call(method, **params)

    assert (caught.value.word, caught.value.code) == (word, CATALOGUE[word].code)


@pytest.mark.parametrize("word", BODIES)
def test_a_body_is_refused_with_the_word(word, ask):
    error = json.loads(ask(BODIES[word]))["error"]

    assert (error["data"]["code"], error["code"], error["message"]) == (
        word,
        CATALOGUE[word].code,
        CATALOGUE[word].message,
    )


@pytest.mark.parametrize("word", REQUESTS)
def test_a_request_is_refused_with_the_word(word, serve, world):
    settings, method, path, body, headers = REQUESTS[word]
    connection = http.client.HTTPConnection("127.0.0.1", serve(**settings).running.port, timeout=FAR)
    usual = {"Authorization": f"Bearer {world.secrets[Scope.ADMIN]}", "Content-Type": JSON}

    connection.request(method, path, body, usual | headers)
    error = json.loads(connection.getresponse().read())["error"]
    connection.close()

    assert (error["data"]["code"], error["code"]) == (word, CATALOGUE[word].code)


def test_forbidden_names_the_scope_that_is_needed(server, world):
    client = Client(server.url, world.secrets[Scope.READ])

    with pytest.raises(RpcError) as caught:
        client.add_email_to_group("new@example.org", sample.STAFF)

    assert (caught.value.word, caught.value.data["needs"]) == ("FORBIDDEN", "write")


def test_a_fault_is_an_internal_error(client, make_method):
    make_method("test.Fail", lambda: 1 / 0)

    with pytest.raises(RpcError) as caught:
        client.call("test.Fail")

    assert (caught.value.code, set(caught.value.data)) == (-32603, {"code", "requestId"})


def words_in(folder: str) -> set[str]:
    """The words that the code of a folder names where it raises or refuses."""
    takes_word = {"Conflict", "ModelError", "Refused", "rpc_error"}
    found = set()
    for path in (ROOT / folder).rglob("*.py"):
        if path.parent.name == "roster":  # raises for the command line alone
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", None)
                for argument in node.args[:2] if name in takes_word else ():
                    if isinstance(argument, ast.Constant) and re.fullmatch("[A-Z_]+", str(argument.value)):
                        found.add(argument.value)
                if name == "NotFound" and isinstance(node.args[0], ast.Constant):
                    found.add(NotFound(node.args[0].value, "").word)
    return found


@pytest.mark.parametrize("folder", ["models", "rpc"])
def test_every_word_that_is_said_is_in_the_catalogue(folder):
    said = words_in(folder)

    assert said - set(CATALOGUE) == set()
    assert len(said) > 10


def test_a_word_has_the_shape_of_a_word_and_says_what_it_means():
    for word, row in CATALOGUE.items():
        assert re.fullmatch("[A-Z]+(_[A-Z]+)*", word)
        assert row.meaning.endswith(".")
        assert row.code in range(-32768, -31999)


# From exceptions to errors


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (NotFound("program kind", sample.NOBODY), "PROGRAM_KIND_NOT_FOUND"),
        (Conflict("EMAIL_TAKEN", "Taken"), "EMAIL_TAKEN"),
        (Busy(), "BUSY"),
        (rpc_error("FORBIDDEN", needs="write"), "FORBIDDEN"),
        (ZeroDivisionError("the secret is 42"), "INTERNAL_ERROR"),
    ],
)
def test_what_goes_wrong_has_one_name_on_the_wire(error, word):
    told = to_rpc_error(error, "a-request")

    assert (told.code, told.data["code"]) == (CATALOGUE[word].code, word)
    assert "42" not in f"{told.message}{told.data}"


# Errors that cannot be told


class Odd:
    """What has no JSON."""


UNTOLD = {
    "a word that is missing": lambda: Conflict("NO_SUCH_WORD", "It is not in the catalogue"),
    "a noun that is missing": lambda: NotFound("unicorn", 1),
    "a fact without JSON": lambda: Conflict("EMAIL_TAKEN", "Taken", odd=Odd()),
    "fields that are none": lambda: Invalid({"name": [Odd()]}),
}


@pytest.mark.parametrize("key", [None, "k"], ids=["without a key", "with a key"])
@pytest.mark.parametrize("how", ["quick", "slow", "write", "prepared", "preparing"])
@pytest.mark.parametrize("error", UNTOLD.values(), ids=UNTOLD)
def test_an_error_that_cannot_be_told_is_a_fault_that_is_told_at_once(
    error, how, key, server, world, make_method, caplog
):
    def fail(*_: object) -> None:
        raise error()

    lane = Lane(how) if how in list(Lane) else Lane.WRITE
    prepare = {"prepared": lambda: "prepared", "preparing": fail}.get(how)
    make_method("test.Fail", fail, lane=lane, prepare=prepare)
    client = Client(server.url, world.secrets[Scope.ADMIN], retry=None)
    call = {"jsonrpc": "2.0", "id": 1, "method": "test.Fail", "idempotencyKey": key}
    good = {"jsonrpc": "2.0", "id": 2, "method": "core.UserTickets", "params": ADA}

    def post(content: Any) -> Any:
        headers = {"Authorization": f"Bearer {world.secrets[Scope.ADMIN]}"}
        return urllib3.request("POST", server.url, json=content, headers=headers, timeout=10).json()

    alone, batch = post(call), post([call, good])

    assert ["INTERNAL_ERROR", "INTERNAL_ERROR"] == [
        reply["error"]["data"]["code"] for reply in (alone, batch[0])
    ]
    assert client.user_tickets(sample.ADA) == batch[1]["result"]
    assert any("a call failed" in record.message and record.exc_info for record in caplog.records)


def database_error(statement: str) -> Exception:
    try:
        database.execute_sql(statement)
    except Exception as error:
        return error
    raise AssertionError("nothing went wrong")


def test_a_lock_of_another_process_is_busy(world, locked):
    error = database_error("BEGIN IMMEDIATE")

    assert to_rpc_error(error, "a-request").data == {"code": "BUSY", "retryAfterMs": 1000}


def test_a_mistake_in_a_statement_is_a_fault_and_not_worth_repeating(world):
    error = database_error("SELECT nothing FROM nowhere")

    assert to_rpc_error(error, "a-request").data == {"code": "INTERNAL_ERROR", "requestId": "a-request"}


@pytest.fixture
def locked(world) -> Iterator[None]:
    """Another process writes, and does not end."""
    database.close()
    configure(world.url, busy_seconds=0.01)
    database.connect()
    other = apsw.Connection(str(world.path))
    other.execute("BEGIN IMMEDIATE")
    yield
    other.close()


def test_a_wrong_query_is_told_by_field_and_by_place():
    wrong = QueryError("all users,\ngiven labls [a]", 17, 'expected labels, found "labls"', ["labels"])

    error = to_rpc_error(wrong, "request")

    assert (-32602, "Invalid params") == (error.code, error.message)
    assert {
        "code": "INVALID_PARAMS",
        "fields": {"query": ['Line 2, column 7: expected labels, found "labls"']},
        "query": {"line": 2, "column": 7, "expected": ["labels"]},
    } == error.data
