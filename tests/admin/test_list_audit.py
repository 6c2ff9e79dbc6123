"""admin.ListAudit"""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from client import Client, RpcError
from models.audit import Audit
from models.people import User
from models.tokens import Scope, Token
from tests.waiting import FAR

DAY = datetime(2026, 3, 1, tzinfo=UTC)


def ids(rows):
    return [row["id"] for row in rows]


@pytest.fixture
def note(make_audit):
    """The id of a new row of the audit, some hours after the beginning of a day."""
    return lambda hours=0, **values: str(make_audit(at=DAY + timedelta(hours=hours), **values).id)


def test_rows_come_newest_first_then_by_id_backwards(client, note):
    noon, evening, other_noon, morning = note(12), note(18), note(12), note(6)

    found = client.admin.list_audit()

    assert [evening, *sorted([noon, other_noon], reverse=True), morning] == ids(found)


def test_a_call_is_shown_whole(server, world, make_user):
    acting = make_user()
    token, secret = Token.issue("shop", Scope.WRITE, acting)
    connection = http.client.HTTPConnection("127.0.0.1", server.running.port, timeout=FAR)
    call = {"jsonrpc": "2.0", "id": 1, "method": "core.CreateUser", "params": {"email": "ada@example.org"}}
    connection.request("POST", "/rpc", json.dumps(call), {"Authorization": f"Bearer {secret}"})
    response = connection.getresponse()
    response.read()
    connection.close()

    [row] = Client(server.url, world.secrets[Scope.ADMIN]).admin.list_audit()

    assert {
        "id": str(Audit.get().id),
        "at": "2026-03-10T12:00:00.000Z",
        "tokenId": str(token.id),
        "actingUserId": str(acting.id),
        "requestId": response.headers["X-Request-Id"],
        "method": "core.CreateUser",
        "touched": [str(User.with_email("ada@example.org").id)],
    } == row


def test_what_a_row_does_not_have_is_null(client, note):
    note()

    [row] = client.admin.list_audit()

    assert (None, None, None, []) == tuple(
        row[name] for name in ("tokenId", "actingUserId", "requestId", "touched")
    )


def test_the_writes_of_a_token_are_found(client, note):
    token, _ = Token.issue("shop", Scope.WRITE)
    mine = note(token_id=token.id)
    note()

    assert [mine] == ids(client.admin.list_audit(token_id=token.id))


def test_what_was_written_for_a_user_is_found(client, note, make_user):
    user = make_user()
    theirs = note(acting_user_id=user.id)
    note(touched=[user.id])

    assert [theirs] == ids(client.admin.list_audit(acting_user_id=user.id))


@pytest.mark.parametrize(
    ("member", "value"),
    [("method", "core-rpc token create"), ("request_id", "5f0c1e4a"), ("touched", uuid4())],
)
def test_each_filter_keeps_the_rows_of_which_it_is_true(client, note, member, value):
    wanted = note(**{member: [uuid4(), value, uuid4()] if member == "touched" else value})
    note(touched=[uuid4()])

    assert [wanted] == ids(client.admin.list_audit(**{member: value}))


def test_what_was_touched_is_found_in_any_letter_case(client, note):
    touched = uuid4()
    wanted = note(touched=[touched])

    assert [wanted] == ids(client.admin.list_audit(touched=str(touched).upper()))


def test_from_is_within_and_to_is_not(client, note):
    note(5)
    six, seven = note(6), note(7)
    note(8)

    found = client.admin.list_audit(since=DAY + timedelta(hours=6), until=DAY + timedelta(hours=8))

    assert [seven, six] == ids(found)


def test_a_range_that_is_turned_round_holds_nothing(client, note):
    note(6)

    assert [] == client.admin.list_audit(since="2026-03-02T00:00:00Z", until="2026-03-01T00:00:00Z")


def test_filters_are_and_ed(client, note):
    touched = uuid4()
    wanted = note(7, method="core.X", touched=[touched])
    note(7, method="core.X")
    note(7, touched=[touched])
    note(1, method="core.X", touched=[touched])

    found = client.admin.list_audit(
        method="core.X",
        touched=touched,
        since=DAY + timedelta(hours=6),
        until=DAY + timedelta(days=1),
    )

    assert [wanted] == ids(found)


def test_a_word_that_names_nothing_finds_nothing(client, note):
    note()

    for filters in ({"method": "core.Nothing"}, {"request_id": "nothing"}, {"touched": uuid4()}):
        assert [] == client.admin.list_audit(**filters)


@pytest.mark.parametrize(
    ("member", "word"), [("token_id", "TOKEN_NOT_FOUND"), ("acting_user_id", "USER_NOT_FOUND")]
)
def test_an_unknown_token_or_user_is_not_an_empty_list(client, member, word):
    with pytest.raises(RpcError) as caught:
        client.admin.list_audit(**{member: uuid4()})

    assert word == caught.value.word


def test_pages_follow_each_other(client, note):
    for hours in range(5):
        note(hours // 2)
    everything = ids(client.admin.list_audit())

    pages = [ids(client.admin.list_audit(limit=2, offset=offset)) for offset in (0, 2, 4, 6)]

    assert [everything[:2], everything[2:4], everything[4:], []] == pages


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("since", "2026-03-01"),
        ("until", "yesterday"),
        ("from", "2026-03-01T00:00:00Z"),
        ("touched", "x"),
        ("method", ""),
        ("limit", 0),
        ("offset", -1),
    ],
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.ListAudit", **{member: value})

    assert [member] == list(caught.value.fields)
