"""admin.ListTokens"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from client import RpcError
from models import clock
from models.tokens import Scope, Token


def ids(rows):
    return [row["id"] for row in rows]


def test_tokens_come_oldest_first_then_by_id(client):
    Token.delete().where(Token.scope != Scope.ADMIN).execute()
    [mine] = Token.select()
    made = {}
    for day in (12, 11, 11):
        clock.set_to(datetime(2026, 3, day, tzinfo=UTC))
        made.setdefault(day, []).append(str(Token.issue("shop", Scope.READ).token.id))

    assert [str(mine.id), *sorted(made[11]), *made[12]] == ids(client.admin.list_tokens())


def test_a_token_is_shown_without_its_secret(client, make_user):
    user = make_user()
    made = client.admin.create_token("shop", "write", user.id, "2027-01-01T00:00:00Z")

    [row] = client.admin.list_tokens(id=made["id"])

    told = {name: value for name, value in made.items() if name != "token"}
    assert {**told, "revokedAt": None} == row


def test_no_secret_and_no_hash_is_in_the_answer(client):
    made = client.admin.create_token("shop", "write")

    answer = json.dumps(client.admin.list_tokens())

    assert made["id"] in answer
    assert made["token"] not in answer
    assert not [row.hash for row in Token.select() if row.hash in answer]


def test_ended_and_revoked_ones_are_listed_too(client):
    ended, _ = Token.issue("old", Scope.READ, expires_at=clock.now() - timedelta(days=1))
    revoked, _ = Token.issue("lost", Scope.READ)
    revoked.revoke()

    rows = {row["id"]: row for row in client.admin.list_tokens()}

    assert "2026-03-09T12:00:00.000Z" == rows[str(ended.id)]["expiresAt"]
    assert "2026-03-10T12:00:00.000Z" == rows[str(revoked.id)]["revokedAt"]


def test_the_tokens_of_a_user_are_found(client, make_user):
    user = make_user()
    token, _ = Token.issue("script", Scope.READ, user)
    Token.issue("script", Scope.READ, make_user())

    assert [str(token.id)] == ids(client.admin.list_tokens(user_id=user.id))


def test_the_tokens_of_a_scope_are_found(client):
    found = client.admin.list_tokens(scope="admin")

    assert ["admin"] == [row["name"] for row in found]


@pytest.mark.parametrize(("member", "word"), [("id", "TOKEN_NOT_FOUND"), ("user_id", "USER_NOT_FOUND")])
def test_an_unknown_id_is_not_an_empty_list(client, member, word):
    with pytest.raises(RpcError) as caught:
        client.admin.list_tokens(**{member: uuid4()})

    assert word == caught.value.word


def test_pages_follow_each_other(client):
    everything = ids(client.admin.list_tokens())

    pages = [ids(client.admin.list_tokens(limit=2, offset=offset)) for offset in (0, 2, 4)]

    assert [everything[:2], everything[2:], []] == pages


@pytest.mark.parametrize(
    ("member", "value"), [("scope", "root"), ("userId", 1), ("limit", 0), ("offset", -1), ("hash", "00")]
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.ListTokens", **{member: value})

    assert [member] == list(caught.value.fields)
