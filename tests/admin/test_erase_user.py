"""admin.EraseUser"""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from client import Client, RpcError
from models import clock
from models.audit import Audit
from models.database import database
from models.memberships import Membership, MembershipState
from models.people import Gender, Group, User, UserStatus
from models.tickets import Ticket, TicketState
from models.tokens import Scope, Token

PERSONAL = {
    "email": "Ada@example.org",
    "first": "Ada",
    "last": "Lovelace",
    "name": "Countess Lovelace",
    "title": "Countess",
    "gender": Gender.FEMALE,
    "dob": date(1815, 12, 10),
    "mobile": "+44 20 7946 0000",
    "timezone": "Europe/London",
    "external_id": "S-1",
    "external_status": "paid",
    "sourced_id": "u-1",
}


def test_no_personal_field_is_left(client, make_user, world):
    user = make_user(**PERSONAL, last_sign_in_at=clock.now())

    assert 1 == client.admin.erase_user(user.id)

    stored = User.get_by_id(user.id)
    assert dict.fromkeys(User.PERSONAL) == {name: getattr(stored, name) for name in User.PERSONAL}
    assert (UserStatus.RETIRED, clock.now()) == (stored.status, stored.erased_at)


def test_every_column_of_a_user_is_either_blanked_or_says_nothing_of_the_person(world):
    impersonal = {"id", "created_at", "updated_at", "role", "status", "erased_at"}

    assert set(User._meta.fields) == {*User.PERSONAL, *impersonal}


def test_in_the_database_file_nothing_of_the_person_is_left(client, make_user, make_kind, make_ticket, world):
    kind = make_kind()
    users = [make_user(email=f"somebody{n}@example.org", first=f"Forename{n}") for n in range(200)]
    for user in users:
        make_ticket(kind.id, email=user.email)
        client.admin.save_user(id=user.id, first=f"Forename the {user.first}", mobile="1" * 80)

    for user in users:
        client.admin.erase_user(user.id)

    assert (0, 0, 0) == database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    content = world.path.read_bytes()
    assert [0, 0] == [content.count(text) for text in (b"somebody", b"Forename")]


def test_the_email_goes_from_tickets_too(client, make_user, make_kind, make_ticket):
    user = make_user(email="ada@example.org")
    ticket = make_ticket(make_kind().id, email="ada@example.org", sku="COOK-1")

    client.admin.erase_user(user.id)

    stored = Ticket.get_by_id(ticket.id)
    assert (None, None, user.id, "COOK-1", TicketState.READY) == (
        stored.email,
        stored.email_key,
        stored.user_id,
        stored.sku,
        stored.state,
    )


def test_the_tickets_of_others_keep_their_emails(client, make_user, make_kind, make_ticket):
    user = make_user(email="ada@example.org")
    other = make_ticket(make_kind().id, email="grace@example.org")

    client.admin.erase_user(user.id)

    assert "grace@example.org" == Ticket.get_by_id(other.id).email


def test_memberships_groups_and_history_stay(client, make_membership):
    member = make_membership(state=MembershipState.COMPLETED)
    user = User.of(member.user_id)
    user.join_group(Group.put(None, handle="staff"))

    client.admin.erase_user(user.id)

    assert MembershipState.COMPLETED == Membership.get_by_id(member.id).state
    assert 1 == len(client.membership_history(user.id, member.program_id))
    assert client.user_has_group(user.id, "staff")


def test_an_erased_user_is_erased_once(client, make_user):
    user = make_user()
    client.admin.erase_user(user.id)

    assert 0 == client.admin.erase_user(user.id)
    assert 1 == Audit.select().count()


def test_the_email_is_free_for_somebody_new(client, make_user):
    user = make_user(email="ada@example.org")
    client.admin.erase_user(user.id)

    newcomer = client.admin.save_user(email="ada@example.org")

    assert str(user.id) != newcomer["id"]
    assert newcomer["id"] == str(User.with_email("ada@example.org").id)


def test_somebody_new_with_the_email_gets_no_ticket_of_the_erased_one(
    client, make_user, make_kind, make_ticket
):
    user = make_user(email="ada@example.org")
    make_ticket(make_kind().id, email="ada@example.org")
    client.admin.erase_user(user.id)

    newcomer = client.admin.save_user(email="ada@example.org")

    assert [] == client.user_tickets(user_id=newcomer["id"])


def test_tokens_that_act_for_an_erased_user_let_nobody_in(client, make_user, server):
    user = make_user()
    secret = client.admin.create_token("ada's script", "read", user_id=user.id)["token"]
    assert [] == Client(server.url, secret).list_active_programs()

    client.admin.erase_user(user.id)

    with pytest.raises(RpcError) as caught:
        Client(server.url, secret).list_active_programs()
    assert "UNAUTHORIZED" == caught.value.word


def test_other_tokens_stay(client, make_user):
    token, _ = Token.issue("grace's script", Scope.READ, make_user())

    client.admin.erase_user(make_user().id)

    assert Token.of(token.id).is_usable


def test_the_erasure_is_audited_with_all_that_it_touched(client, make_user, make_kind, make_ticket):
    user = make_user(email="ada@example.org")
    ticket = make_ticket(make_kind().id, email="ada@example.org")

    client.admin.erase_user(user.id)

    [row] = Audit.select()
    assert ("admin.EraseUser", {str(user.id), str(ticket.id)}) == (row.method, set(row.touched.split()))


def test_the_user_can_be_given_as_id_too(client, make_user):
    user = make_user()

    assert 1 == client.call("admin.EraseUser", id=str(user.id))


def test_a_user_who_is_not_there_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.admin.erase_user(uuid4())

    assert "USER_NOT_FOUND" == caught.value.word


@pytest.mark.parametrize(
    ("params", "member"),
    [
        ({}, "userId"),
        ({"userId": 1}, "userId"),
        ({"email": "ada@example.org", "userId": str(uuid4())}, "email"),
    ],
)
def test_what_is_wrong_is_refused_by_name(client, params, member):
    with pytest.raises(RpcError) as caught:
        client.call("admin.EraseUser", **params)

    assert [member] == list(caught.value.fields)
