"""admin.RemoveRelation"""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError
from models.audit import Audit
from models.people import Relation, RelationKind


def test_only_this_relation_is_gone_afterwards(client, make_user):
    ada, grace = make_user(), make_user()
    Relation.put(ada.id, grace.id, RelationKind.FOLLOWS)
    others = [
        Relation.put(ada.id, grace.id, RelationKind.DIRECT),
        Relation.put(grace.id, ada.id, RelationKind.FOLLOWS),
    ]

    assert client.admin.remove_relation(ada.id, grace.id, "follows") is True

    assert {row.id for row in others} == {row.id for row in Relation.select()}


def test_a_relation_that_was_not_there_is_not_there(client, make_user):
    assert client.admin.remove_relation(make_user().id, make_user().id, "direct") is True

    assert 0 == Audit.select().count()


def test_the_audit_names_both_users(client, make_user):
    ada, grace = make_user(), make_user()
    relation = Relation.put(ada.id, grace.id, RelationKind.RELATED)

    client.admin.remove_relation(ada.id, grace.id, "related")

    [row] = Audit.select()
    assert "admin.RemoveRelation" == row.method
    assert {str(relation.id), str(ada.id), str(grace.id)} == set(row.touched.split())


@pytest.mark.parametrize("unknown", ["user", "other"])
def test_a_user_who_is_not_there_is_not_found(client, make_user, unknown):
    ada = make_user().id
    pair = (uuid4(), ada) if unknown == "user" else (ada, uuid4())

    with pytest.raises(RpcError) as caught:
        client.admin.remove_relation(*pair, "follows")

    assert "USER_NOT_FOUND" == caught.value.word


def test_everything_that_is_wrong_is_told_at_once(client):
    with pytest.raises(RpcError) as caught:
        client.call("admin.RemoveRelation", userId="x", kind="friend", nonsense=1)

    assert {"userId", "otherUserId", "kind", "nonsense"} == set(caught.value.fields)
