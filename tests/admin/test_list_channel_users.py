"""admin.ListChannelUsers"""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from client import RpcError
from models.people import Channel


@pytest.fixture
def channel(world):
    return Channel.put(None, handle="news")


def ids(rows):
    return [row["id"] for row in rows]


def test_only_those_in_the_channel_are_listed_in_the_order_of_their_making(client, make_user, channel):
    late = make_user(created_at=datetime(2026, 3, 2, tzinfo=UTC))
    twins = [make_user(created_at=datetime(2026, 3, 1, tzinfo=UTC)) for _ in range(2)]
    for user in (late, *twins):
        user.join_channel(channel)
    make_user().join_channel(Channel.put(None, handle="other"))

    found = client.admin.list_channel_users(channel.id)

    assert [*sorted(str(user.id) for user in twins), str(late.id)] == ids(found)


def test_a_user_is_shown_as_it_was_saved(client, channel):
    user = client.admin.save_user(email="ada@example.org", first="Ada")
    client.admin.add_to_channel(user["id"], channel.id)

    assert [user] == client.admin.list_channel_users(channel.id)


def test_nobody_may_be_in_it(client, channel):
    assert [] == client.admin.list_channel_users(channel.id)


def test_the_channel_can_be_given_as_id_or_by_position(client, make_user, channel):
    make_user().join_channel(channel)

    by_id = client.call("admin.ListChannelUsers", id=str(channel.id))
    by_position = client.call("admin.ListChannelUsers", str(channel.id))

    assert by_id == by_position == client.admin.list_channel_users(channel.id)


def test_a_channel_that_is_not_there_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.admin.list_channel_users(uuid4())

    assert "CHANNEL_NOT_FOUND" == caught.value.word


def test_pages_follow_each_other(client, make_user, channel):
    users = [make_user() for _ in range(3)]
    for user in users:
        user.join_channel(channel)

    pages = [ids(client.admin.list_channel_users(channel.id, limit=2, offset=offset)) for offset in (0, 2, 4)]

    made = [str(user.id) for user in users]
    assert [made[:2], made[2:], []] == pages


@pytest.mark.parametrize(("member", "value"), [("channelId", "news"), ("limit", 0), ("handle", "news")])
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.ListChannelUsers", **{"channelId": str(uuid4()), member: value})

    assert [member] == list(caught.value.fields)
