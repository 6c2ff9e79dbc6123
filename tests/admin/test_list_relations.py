"""admin.ListRelations"""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError
from models import sample
from models.people import Relation, RelationKind


def triples(rows):
    return [(row["userId"], row["kind"], row["otherUserId"]) for row in rows]


@pytest.fixture
def pair(make_user):
    return [str(user.id) for user in (make_user(), make_user())]


@pytest.fixture
def related(pair):
    """Four relations between two users, made in no order, listed in the order they should come in."""
    first, second = sorted(pair)
    made = [
        (second, RelationKind.FOLLOWS, first),
        (first, RelationKind.RELATED, second),
        (first, RelationKind.FOLLOWS, second),
        (first, RelationKind.DIRECT, second),
    ]
    for user, kind, other in made:
        Relation.link(user=user, other=other, kind=kind)
    return [made[3], made[2], made[1], made[0]]


def test_relations_come_by_user_kind_and_other_user(client, related):
    assert related == triples(client.admin.list_relations())


def test_a_relation_is_shown_as_it_was_saved(client, pair):
    saved = client.admin.save_relation(*pair, "follows")

    assert [saved] == client.admin.list_relations()


@pytest.mark.parametrize(("member", "position"), [("user_id", 0), ("kind", 1), ("other_user_id", 2)])
def test_each_filter_keeps_the_relations_of_which_it_is_true(client, related, member, position):
    value = related[-1][position]

    found = client.admin.list_relations(**{member: value})

    assert [row for row in related if row[position] == value] == triples(found)


def test_filters_hold_together(client, related):
    user, kind, other = related[1]

    assert [related[1]] == triples(client.admin.list_relations(user, other, kind))


@pytest.mark.parametrize("member", ["user_id", "other_user_id"])
def test_a_user_who_is_not_there_is_not_found(client, member):
    with pytest.raises(RpcError) as caught:
        client.admin.list_relations(**{member: uuid4()})

    assert "USER_NOT_FOUND" == caught.value.word


def test_pages_follow_each_other(client, related):
    pages = [triples(client.admin.list_relations(limit=3, offset=offset)) for offset in (0, 3, 6)]

    assert [related[:3], related[3:], []] == pages


@pytest.mark.parametrize(
    ("member", "value"), [("kind", "friend"), ("userId", 1), ("limit", 0), ("otherId", sample.NOBODY)]
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.ListRelations", **{member: value})

    assert [member] == list(caught.value.fields)
