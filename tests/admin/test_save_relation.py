"""admin.SaveRelation"""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError
from models.audit import Audit
from models.people import Relation, RelationKind


@pytest.mark.parametrize("kind", RelationKind)
def test_the_relation_is_there_afterwards(client, make_user, kind):
    ada, grace = make_user(), make_user()

    saved = client.admin.save_relation(ada.id, grace.id, kind)

    [stored] = Relation.select()
    assert (ada.id, grace.id, kind) == (stored.user_id, stored.other_id, stored.kind)
    assert {
        "id": str(stored.id),
        "userId": str(ada.id),
        "otherUserId": str(grace.id),
        "kind": kind,
    } == saved


def test_the_same_again_changes_nothing(client, make_user):
    ada, grace = make_user(), make_user()

    saved = [client.admin.save_relation(ada.id, grace.id, "follows") for _ in range(2)]

    assert saved[0] == saved[1]
    assert (1, 1) == (Relation.select().count(), Audit.select().count())


def test_two_users_may_have_several_relations_in_both_directions(client, make_user):
    ada, grace = make_user(), make_user()

    client.admin.save_relation(ada.id, grace.id, "follows")
    client.admin.save_relation(ada.id, grace.id, "direct")
    client.admin.save_relation(grace.id, ada.id, "follows")

    assert 3 == Relation.select().count()


def test_nobody_is_related_to_themselves(client, make_user):
    ada = make_user()

    with pytest.raises(RpcError) as caught:
        client.admin.save_relation(ada.id, ada.id, "follows")

    assert {"otherUserId": ["Must be another user than userId."]} == caught.value.fields


@pytest.mark.parametrize("unknown", ["user", "other"])
def test_a_user_who_is_not_there_is_not_found(client, make_user, unknown):
    ada = make_user().id
    pair = (uuid4(), ada) if unknown == "user" else (ada, uuid4())

    with pytest.raises(RpcError) as caught:
        client.admin.save_relation(*pair, "follows")

    assert "USER_NOT_FOUND" == caught.value.word
    assert 0 == Relation.select().count()


def test_the_audit_names_both_users(client, make_user):
    ada, grace = make_user(), make_user()

    saved = client.admin.save_relation(ada.id, grace.id, "follows")

    [row] = Audit.select()
    assert "admin.SaveRelation" == row.method
    assert {saved["id"], str(ada.id), str(grace.id)} == set(row.touched.split())


@pytest.mark.parametrize(
    ("member", "value"),
    [("userId", "x"), ("otherUserId", 1), ("kind", "friend"), ("kind", None), ("clear", ["kind"]), ("on", 1)],
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    good = {"userId": str(uuid4()), "otherUserId": str(uuid4()), "kind": "follows"}

    with pytest.raises(RpcError) as caught:
        client.call("admin.SaveRelation", **{**good, member: value})

    assert [member] == list(caught.value.fields)
