"""admin.ListUsers"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from client import RpcError
from models.people import Group, Label, UserRole, UserStatus


def ids(rows):
    return [row["id"] for row in rows]


def test_users_come_in_the_order_of_their_making_then_by_id(client, make_user):
    late = make_user(created_at=datetime(2026, 3, 2, tzinfo=UTC))
    twins = [make_user(created_at=datetime(2026, 3, 1, tzinfo=UTC)) for _ in range(3)]

    found = client.admin.list_users()

    assert [*sorted(str(user.id) for user in twins), str(late.id)] == ids(found)


def test_a_user_is_shown_as_it_was_saved(client):
    user = client.admin.save_user(email="ada@example.org", first="Ada", sourced_id="u-1")

    assert [user] == client.admin.list_users()


def test_groups_and_labels_are_shown_for_each(client, make_user):
    ada, grace = make_user(), make_user()
    ada.join_group(Group.put(None, handle="staff"))
    grace.put_label(Label.put(None, handle="alumni"))

    found = client.admin.list_users()

    assert [(["staff"], []), ([], ["alumni"])] == [(row["groups"], row["labels"]) for row in found]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("sourced_id", "u-1"),
        ("external_id", "S-1"),
        ("role", UserRole.ADMIN),
        ("status", UserStatus.RETIRED),
    ],
)
def test_each_filter_keeps_the_users_of_whom_it_is_true(client, make_user, member, value):
    wanted = make_user(**{member: value})
    make_user()

    assert [str(wanted.id)] == ids(client.admin.list_users(**{member: value}))


def test_two_sources_may_use_the_same_id(client, make_user):
    twins = [make_user(sourced_id="1"), make_user(sourced_id="1")]

    assert [str(user.id) for user in twins] == ids(client.admin.list_users(sourced_id="1"))


def test_an_email_is_found_however_it_is_spelled(client, make_user):
    user = make_user(email="Ada@example.org")
    make_user()

    assert [str(user.id)] == ids(client.admin.list_users(email=" ada@EXAMPLE.org"))


def test_an_email_that_nobody_has_finds_nobody(client, make_user):
    make_user()

    assert [] == client.admin.list_users(email="nobody@example.org")


def test_the_users_of_a_group_are_found(client, make_user):
    group = Group.put(None, handle="staff")
    wanted = make_user()
    wanted.join_group(group)
    make_user().join_group(Group.put(None, handle="friends"))

    assert [str(wanted.id)] == ids(client.admin.list_users(group_id=group.id))


def test_the_users_with_a_label_are_found(client, make_user):
    label = Label.put(None, handle="alumni")
    wanted = make_user()
    wanted.put_label(label)
    make_user()

    assert [str(wanted.id)] == ids(client.admin.list_users(label_id=label.id))


def test_filters_hold_together(client, make_user):
    user = make_user(sourced_id="u-1")

    assert [] == client.admin.list_users(id=user.id, sourced_id="u-2")
    assert [str(user.id)] == ids(client.admin.list_users(id=user.id, sourced_id="u-1"))


def test_erased_users_are_shown_as_such(client, make_user):
    user = make_user()
    client.admin.erase_user(user.id)

    [row] = client.admin.list_users()

    assert (str(user.id), "2026-03-10T12:00:00.000Z") == (row["id"], row["erasedAt"])


@pytest.mark.parametrize(
    ("member", "word"),
    [("id", "USER_NOT_FOUND"), ("group_id", "GROUP_NOT_FOUND"), ("label_id", "LABEL_NOT_FOUND")],
)
def test_an_unknown_id_is_not_an_empty_list(client, member, word):
    with pytest.raises(RpcError) as caught:
        client.admin.list_users(**{member: uuid4()})

    assert word == caught.value.word


def test_pages_follow_each_other(client, make_user):
    made = [str(make_user().id) for _ in range(5)]

    pages = [ids(client.admin.list_users(limit=2, offset=offset)) for offset in (0, 2, 4, 6)]

    assert [made[:2], made[2:4], made[4:], []] == pages


def test_a_list_has_at_most_a_thousand_rows_unless_more_are_asked_for(client, make_user):
    for _ in range(1001):
        make_user()

    assert (1000, 1001) == (len(client.admin.list_users()), len(client.admin.list_users(limit=10_000)))


@pytest.mark.parametrize(
    ("member", "value"),
    [("limit", 0), ("offset", -1), ("email", "x"), ("role", "root"), ("status", "gone"), ("name", "Ada")],
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.ListUsers", **{member: value})

    assert [member] == list(caught.value.fields)
