"""admin.RemoveFromChannel"""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError
from models.audit import Audit
from models.people import Channel


def test_the_user_is_not_in_the_channel_afterwards(client, make_user):
    channel = Channel.put(None, handle="news")
    user, other = make_user(), make_user()
    for one in (user, other):
        one.join_channel(channel)

    assert client.admin.remove_from_channel(user.id, channel.id) is True

    assert [str(other.id)] == [row["id"] for row in client.admin.list_channel_users(channel.id)]


def test_who_was_not_in_it_is_not_in_it(client, make_user):
    channel = Channel.put(None, handle="news")

    assert client.admin.remove_from_channel(make_user().id, channel.id) is True

    assert 0 == Audit.select().count()


def test_the_audit_names_the_user_and_the_channel(client, make_user):
    user, channel = make_user(), Channel.put(None, handle="news")
    user.join_channel(channel)

    client.admin.remove_from_channel(user.id, channel.id)

    [row] = Audit.select()
    assert "admin.RemoveFromChannel" == row.method
    assert {str(user.id), str(channel.id)} < set(row.touched.split())


def test_a_user_who_is_not_there_is_not_found(client):
    channel = Channel.put(None, handle="news")

    with pytest.raises(RpcError) as caught:
        client.admin.remove_from_channel(uuid4(), channel.id)

    assert "USER_NOT_FOUND" == caught.value.word


def test_a_channel_that_is_not_there_is_not_found(client, make_user):
    with pytest.raises(RpcError) as caught:
        client.admin.remove_from_channel(make_user().id, uuid4())

    assert "CHANNEL_NOT_FOUND" == caught.value.word


def test_everything_that_is_wrong_is_told_at_once(client):
    with pytest.raises(RpcError) as caught:
        client.call("admin.RemoveFromChannel", channelId="news", nonsense=1)

    assert {"userId", "channelId", "nonsense"} == set(caught.value.fields)
