"""admin.RevokeToken"""

from __future__ import annotations

from uuid import uuid4

import pytest
import urllib3

from client import Client, RpcError
from models import clock
from models.audit import Audit
from models.tokens import Token


def post(server, secret):
    body = b'{"jsonrpc":"2.0","method":"core.ListActivePrograms","id":1}'
    headers = {"Authorization": f"Bearer {secret}"}
    return urllib3.request("POST", server.url, body=body, headers=headers, retries=False)


def test_the_next_call_with_it_is_refused_with_401(client, server):
    made = client.admin.create_token("shop", "read")
    assert 200 == post(server, made["token"]).status

    assert 1 == client.admin.revoke_token(made["id"])

    reply = post(server, made["token"])
    assert (401, -32004, "UNAUTHORIZED") == (
        reply.status,
        reply.json()["error"]["code"],
        reply.json()["error"]["data"]["code"],
    )


def test_every_server_on_the_database_refuses_it_at_once(client, serve):
    made = client.admin.create_token("shop", "read")
    other = serve()
    assert 200 == post(other, made["token"]).status

    client.admin.revoke_token(made["id"])

    assert 401 == post(other, made["token"]).status


def test_other_tokens_go_on(client, server):
    kept, ended = (client.admin.create_token("shop", "read") for _ in range(2))

    client.admin.revoke_token(ended["id"])

    assert 200 == post(server, kept["token"]).status


def test_a_token_is_revoked_once(client):
    made = client.admin.create_token("shop", "read")
    client.admin.revoke_token(made["id"])
    audited = Audit.select().count()

    assert 0 == client.admin.revoke_token(made["id"])
    assert audited == Audit.select().count()


def test_the_time_is_kept(client, world):
    made = client.admin.create_token("shop", "read")

    client.admin.revoke_token(made["id"])

    assert clock.now() == Token.of(made["id"]).revoked_at


def test_a_token_may_revoke_itself(client, server):
    made = client.admin.create_token("second admin", "admin")
    second = Client(server.url, made["token"])

    assert 1 == second.admin.revoke_token(made["id"])

    assert 401 == post(server, made["token"]).status


def test_the_token_can_be_given_as_id_too(client):
    made = client.admin.create_token("shop", "read")

    assert 1 == client.call("admin.RevokeToken", id=made["id"])


def test_the_audit_names_the_token(client):
    made = client.admin.create_token("shop", "read")

    client.admin.revoke_token(made["id"])

    row = Audit.get(Audit.method == "admin.RevokeToken")
    assert made["id"] == row.touched


def test_a_token_that_is_not_there_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.admin.revoke_token(uuid4())

    assert "TOKEN_NOT_FOUND" == caught.value.word


@pytest.mark.parametrize(
    ("params", "member"), [({}, "tokenId"), ({"tokenId": "crpc_x"}, "tokenId"), ({"id": 1}, "tokenId")]
)
def test_what_is_wrong_is_refused_by_name(client, params, member):
    with pytest.raises(RpcError) as caught:
        client.call("admin.RevokeToken", **params)

    assert [member] == list(caught.value.fields)
