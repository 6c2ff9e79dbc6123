"""admin.SaveUser"""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from client import RpcError
from models.audit import Audit
from models.people import Gender, Group, Label, User, UserRole, UserStatus
from models.tickets import Ticket
from rpc.schemas import camel

PERSONAL = {
    "email": "ada@example.org",
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
    "last_sign_in_at": "2026-03-01T08:30:00.250Z",
    "sourced_id": "u-1",
}


def test_a_user_needs_nothing(client):
    user = client.admin.save_user()

    assert {
        "id": user["id"],
        "email": None,
        "first": None,
        "last": None,
        "name": None,
        "mobile": None,
        "timezone": None,
        "createdAt": "2026-03-10T12:00:00.000Z",
        "externalId": None,
        "externalStatus": None,
        "role": "user",
        "labels": [],
        "groups": [],
        "gender": None,
        "title": None,
        "lastSignInAt": None,
        "status": "active",
        "updatedAt": "2026-03-10T12:00:00.000Z",
        "sourcedId": None,
        "erasedAt": None,
    } == user


def test_every_member_is_stored(client):
    user = client.admin.save_user(**PERSONAL, role="admin", status="retired")

    stored = User.get_by_id(user["id"])
    signed_in = {"last_sign_in_at": datetime(2026, 3, 1, 8, 30, 0, 250_000, tzinfo=UTC)}
    assert PERSONAL | signed_in == {name: getattr(stored, name) for name in PERSONAL}
    assert (UserRole.ADMIN, UserStatus.RETIRED) == (stored.role, stored.status)


def test_every_member_but_the_birth_date_is_shown(client):
    user = client.admin.save_user(**PERSONAL, role="admin", status="retired")

    given = {camel(name): value for name, value in PERSONAL.items() if name != "dob"}
    assert given | {"role": "admin", "status": "retired"} == {
        name: value
        for name, value in user.items()
        if name not in ("id", "groups", "labels", "createdAt", "updatedAt", "erasedAt")
    }


def test_an_unknown_id_becomes_the_id_of_a_new_user(client):
    chosen = uuid4()

    user = client.admin.save_user(id=chosen, email="ada@example.org")

    assert str(chosen) == user["id"]
    assert "ada@example.org" == User.get_by_id(chosen).email


def test_what_is_not_given_stays(client, make_user):
    user = make_user(email="ada@example.org", first="Ada", role=UserRole.ADMIN)

    saved = client.admin.save_user(id=user.id, last="Lovelace")

    assert ("ada@example.org", "Ada", "Ada Lovelace", "admin") == (
        saved["email"],
        saved["first"],
        saved["name"],
        saved["role"],
    )


def test_groups_and_labels_are_shown_by_their_sorted_handles(client, make_user):
    user = make_user()
    for handle in ("b", "a"):
        user.join_group(Group.put(None, handle=handle))
        user.put_label(Label.put(None, handle=f"label-{handle}"))

    saved = client.admin.save_user(id=user.id, title="Dr")

    assert (["a", "b"], ["label-a", "label-b"]) == (saved["groups"], saved["labels"])


def test_members_can_be_emptied(client):
    user = client.admin.save_user(**PERSONAL)
    clear = ["externalId", "externalStatus", "lastSignInAt", "sourcedId"]
    clear += [name for name in PERSONAL if "_" not in name]

    client.admin.save_user(id=user["id"], clear=clear)

    stored = User.get_by_id(user["id"])
    assert dict.fromkeys(PERSONAL) == {name: getattr(stored, name) for name in PERSONAL}


def test_an_emptied_email_can_be_taken_by_another_user(client, make_user):
    user = make_user(email="ada@example.org")

    client.admin.save_user(id=user.id, clear=["email"])

    assert "ada@example.org" == client.admin.save_user(email="ada@example.org")["email"]


@pytest.mark.parametrize("name", ["id", "role", "status", "erasedAt", "createdAt", "last_sign_in_at"])
def test_a_member_that_must_have_a_value_cannot_be_emptied(client, make_user, name):
    with pytest.raises(RpcError) as caught:
        client.admin.save_user(id=make_user().id, clear=[name])

    assert ["clear"] == list(caught.value.fields)
    [text] = caught.value.fields["clear"]
    assert text.startswith(f"{name} can't be emptied")


def test_a_member_cannot_be_given_and_emptied(client, make_user):
    user = make_user(first="Ada")

    with pytest.raises(RpcError) as caught:
        client.admin.save_user(id=user.id, first="Grace", clear=["last", "first"])

    assert {"clear": ["first is given as well."]} == caught.value.fields
    assert "Ada" == User.get_by_id(user.id).first


def test_a_taken_email_is_a_conflict_for_a_new_user(client, make_user):
    make_user(email="ada@example.org")

    with pytest.raises(RpcError) as caught:
        client.admin.save_user(email=" ADA@example.org\u200b")

    assert "EMAIL_TAKEN" == caught.value.word
    assert 1 == User.select().count()


def test_a_taken_email_is_a_conflict_for_a_known_user(client, make_user):
    make_user(email="ada@example.org")
    grace = make_user(email="grace@example.org")

    with pytest.raises(RpcError) as caught:
        client.admin.save_user(id=grace.id, email="Ada@Example.org", first="Grace")

    assert "EMAIL_TAKEN" == caught.value.word
    stored = User.get_by_id(grace.id)
    assert ("grace@example.org", None) == (stored.email, stored.first)


def test_the_spelling_of_an_email_is_mended(client, make_user):
    user = make_user(email="ada@example.org")

    saved = client.admin.save_user(id=user.id, email=" Ada@Example.org\u200b")

    assert "Ada@Example.org" == saved["email"]


def test_the_old_email_is_free_after_a_change(client, make_user):
    user = make_user(email="ada@example.org")

    client.admin.save_user(id=user.id, email="lovelace@example.org")

    assert User.with_email("ada@example.org") is None
    assert user == User.with_email("Lovelace@example.org")


def test_a_new_user_claims_the_tickets_that_wait_for_the_email(client, make_kind, make_ticket):
    ticket = make_ticket(make_kind().id, email="Ada@example.org")

    user = client.admin.save_user(email="ada@example.org")

    assert user["id"] == str(Ticket.get_by_id(ticket.id).user_id)


def test_a_new_email_claims_the_tickets_that_wait_for_it(client, make_user, make_kind, make_ticket):
    user = make_user(email="ada@example.org")
    ticket = make_ticket(make_kind().id, email="lovelace@example.org")

    client.admin.save_user(id=user.id, email="lovelace@example.org")

    assert user.id == Ticket.get_by_id(ticket.id).user_id


def test_a_changed_email_keeps_the_tickets_of_the_old_one(client, make_user, make_kind, make_ticket):
    user = make_user(email="ada@example.org")
    ticket = make_ticket(make_kind().id, email="ada@example.org")

    client.admin.save_user(id=user.id, email="lovelace@example.org")

    assert [str(ticket.id)] == [row["id"] for row in client.user_tickets(email="lovelace@example.org")]


def test_an_erased_user_cannot_be_changed(client, make_user):
    user = make_user()
    client.admin.erase_user(user.id)

    with pytest.raises(RpcError) as caught:
        client.admin.save_user(id=user.id, first="Ada", status="active")

    assert "USER_ERASED" == caught.value.word
    stored = User.get_by_id(user.id)
    assert (None, UserStatus.RETIRED) == (stored.first, stored.status)


def test_a_time_is_kept_to_the_millisecond(client, make_user):
    user = make_user()

    saved = client.admin.save_user(id=user.id, last_sign_in_at="2026-03-01T08:30:00.123987Z")
    again = client.admin.save_user(id=user.id, last_sign_in_at="2026-03-01T08:30:00.123987Z")

    assert "2026-03-01T08:30:00.123Z" == saved["lastSignInAt"] == again["lastSignInAt"]
    assert 1 == Audit.select().count()


@pytest.mark.parametrize("instant", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.999Z"])
def test_the_ends_of_the_calendar_are_times(client, instant):
    user = client.admin.save_user(last_sign_in_at=instant)

    assert [instant] == [row["lastSignInAt"] for row in client.admin.list_users(id=user["id"])]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", "ada"),
        ("email", "ada"),
        ("email", "ada@example@org"),
        ("email", "a da@example.org"),
        ("email", ""),
        ("email", "x" * 250 + "@example.org"),
        ("first", 1),
        ("last", "x" * 256),
        ("name", "nul\0"),
        ("title", False),
        ("gender", "unknown"),
        ("dob", "10.12.1815"),
        ("mobile", 442079460000),
        ("timezone", "Mars/Olympus"),
        ("externalId", {}),
        ("externalStatus", []),
        ("role", "owner"),
        ("status", "erased"),
        ("lastSignInAt", "2026-03-01"),
        ("lastSignInAt", "2026-03-01T08:30:00+01:00"),
        ("lastSignInAt", 1772353800),
        ("sourcedId", 1),
        ("groups", ["staff"]),
        ("erasedAt", "2026-03-01T08:30:00Z"),
        ("nonsense", 1),
    ],
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.SaveUser", **{member: value})

    assert [member] == list(caught.value.fields)
    assert 0 == User.select().count()


def test_a_save_is_audited_with_all_that_it_touched(client, make_kind, make_ticket):
    ticket = make_ticket(make_kind().id, email="ada@example.org")

    user = client.admin.save_user(email="ada@example.org")

    [row] = Audit.select()
    assert ("admin.SaveUser", [user["id"], str(ticket.id)]) == (row.method, row.touched.split())


def test_the_audit_holds_no_contents(client):
    client.admin.save_user(email="ada@example.org", first="Ada")

    [row] = Audit.select().dicts()
    assert "Ada" not in str(row)
    assert "example.org" not in str(row)


def test_a_save_that_changes_nothing_writes_nothing(client, make_user):
    user = make_user(email="ada@example.org", first="Ada")

    client.admin.save_user(id=user.id, email=" ada@example.org", first="Ada", clear=["last"])

    assert 0 == Audit.select().count()
