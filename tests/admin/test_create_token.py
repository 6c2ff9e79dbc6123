"""admin.CreateToken"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from client import Client, RpcError
from models import clock
from models.audit import Audit
from models.tokens import Scope, Token


@pytest.fixture
def create(client, server):
    """Make a token over HTTP; a client that calls with it."""

    def make(*args, **params):
        return Client(server.url, client.admin.create_token(*args, **params)["token"])

    return make


def test_the_answer_holds_the_secret_and_all_that_is_known_of_the_token(client, make_user):
    user = make_user()

    made = client.admin.create_token("shop", "write", user.id, "2027-01-01T00:00:00Z")

    secret = made["token"]
    assert secret.startswith("crpc_")
    assert {
        "id": str(Token.with_secret(secret).id),
        "name": "shop",
        "scope": "write",
        "userId": str(user.id),
        "expiresAt": "2027-01-01T00:00:00.000Z",
        "createdAt": "2026-03-10T12:00:00.000Z",
        "token": secret,
    } == made


def test_a_token_without_user_and_end_has_neither(client):
    made = client.admin.create_token("shop", "read")

    assert (None, None) == (made["userId"], made["expiresAt"])


def test_two_tokens_of_the_same_name_have_secrets_of_their_own(client):
    made = [client.admin.create_token("shop", "read") for _ in range(2)]

    assert 2 == len({row["token"] for row in made}) == len({row["id"] for row in made})


def test_the_secret_is_stored_nowhere(client, world):
    secret = client.admin.create_token("shop", "read")["token"]

    files = [path for path in world.path.parent.iterdir() if path.name.startswith(world.path.name)]
    kept = b"".join(path.read_bytes() for path in files)
    assert b"shop" in kept
    assert secret.encode() not in kept


def test_a_new_token_lets_in_at_once(create):
    assert [] == create("shop", "read").list_active_programs()


def test_a_read_token_may_not_write(create, make_membership):
    member = make_membership()

    with pytest.raises(RpcError) as caught:
        create("shop", "read").modify_program_membership(
            user_id=member.user_id, program_id=member.program_id, role="trainer"
        )

    assert ("FORBIDDEN", "write") == (caught.value.word, caught.value.data["needs"])


@pytest.mark.parametrize("scope", ["read", "write"])
def test_only_an_admin_token_may_make_tokens(create, scope):
    with pytest.raises(RpcError) as caught:
        create("shop", scope).admin.create_token("mine", "admin")

    assert ("FORBIDDEN", "admin") == (caught.value.word, caught.value.data["needs"])


def test_an_admin_token_may_do_all(create):
    admin = create("second admin", "admin")

    assert admin.create_user("ada@example.org") is True
    assert "admin" == admin.admin.create_token("third", "admin")["scope"]


def test_a_token_with_a_user_acts_for_that_user(client, create, make_user, make_membership):
    acting, member = make_user(), make_membership()

    create("trainer's script", "write", user_id=acting.id).update_user_cohort_state(
        member.user_id, member.program_id, state="completed"
    )

    change = client.membership_history(member.user_id, member.program_id)[-1]
    assert ("completed", str(acting.id)) == (change["to"]["state"], change["actingUserId"])
    assert str(acting.id) == str(Audit.select().order_by(Audit.id.desc()).first().acting_user_id)


def test_a_token_without_a_user_acts_for_nobody(client, create, make_membership):
    member = make_membership()

    create("shop", "write").update_user_cohort_state(member.user_id, member.program_id, state="completed")

    assert client.membership_history(member.user_id, member.program_id)[-1]["actingUserId"] is None


def test_a_token_lets_nobody_in_from_its_end_on(create):
    end = clock.now() + timedelta(hours=1)
    shop = create("shop", "read", expires_at=end)

    clock.set_to(end - timedelta(milliseconds=1))
    assert [] == shop.list_active_programs()

    clock.set_to(end)
    with pytest.raises(RpcError) as caught:
        shop.list_active_programs()
    assert "UNAUTHORIZED" == caught.value.word


@pytest.mark.parametrize("instant", ["2026-03-10T12:00:00Z", "2025-01-01T00:00:00Z"])
def test_a_token_cannot_be_made_to_have_ended(client, instant):
    with pytest.raises(RpcError) as caught:
        client.admin.create_token("shop", "read", expires_at=instant)

    assert {"expiresAt": ["Must be in the future."]} == caught.value.fields


def test_an_end_can_be_given_as_a_datetime(client):
    made = client.admin.create_token(
        "shop", "read", expires_at=datetime.fromisoformat("2027-01-01T01:00+01:00")
    )

    assert "2027-01-01T00:00:00.000Z" == made["expiresAt"]


def test_a_user_who_is_not_there_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.admin.create_token("shop", "read", user_id=uuid4())

    assert "USER_NOT_FOUND" == caught.value.word


def test_no_token_acts_for_an_erased_user(client, make_user):
    user = make_user()
    client.admin.erase_user(user.id)

    with pytest.raises(RpcError) as caught:
        client.admin.create_token("shop", "read", user_id=user.id)

    assert "USER_ERASED" == caught.value.word
    assert len(Scope) == Token.select().count()


def test_the_audit_names_the_token_and_holds_no_secret(client):
    made = client.admin.create_token("shop", "read")

    [row] = Audit.select().dicts()
    assert ("admin.CreateToken", made["id"]) == (row["method"], row["touched"])
    assert made["token"] not in str(row)


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", ""),
        ("name", None),
        ("name", 1),
        ("name", "x" * 256),
        ("scope", None),
        ("scope", "root"),
        ("scope", "ADMIN"),
        ("userId", "ada"),
        ("expiresAt", "2027-01-01"),
        ("expiresAt", 1),
        ("token", "crpc_mine"),
        ("hash", "00"),
    ],
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.CreateToken", **{"name": "shop", "scope": "read", member: value})

    assert [member] == list(caught.value.fields)
    assert len(Scope) == Token.select().count()
