"""admin.AddToChannel"""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError
from models.audit import Audit
from models.people import Channel, UserChannel


def test_the_user_is_in_the_channel_afterwards(client, make_user):
    user, channel = make_user(), Channel.put(None, handle="news")

    assert client.admin.add_to_channel(user.id, channel.id) is True

    assert [str(user.id)] == [row["id"] for row in client.admin.list_channel_users(channel.id)]


def test_adding_again_changes_nothing(client, make_user):
    user, channel = make_user(), Channel.put(None, handle="news")
    client.admin.add_to_channel(user.id, channel.id)

    assert client.admin.add_to_channel(user.id, channel.id) is True

    assert (1, 1) == (UserChannel.select().count(), Audit.select().count())


def test_the_audit_names_the_user_and_the_channel(client, make_user):
    user, channel = make_user(), Channel.put(None, handle="news")

    client.admin.add_to_channel(user.id, channel.id)

    [row] = Audit.select()
    assert "admin.AddToChannel" == row.method
    assert {str(user.id), str(channel.id)} < set(row.touched.split())


def test_a_user_who_is_not_there_is_not_found(client):
    channel = Channel.put(None, handle="news")

    with pytest.raises(RpcError) as caught:
        client.admin.add_to_channel(uuid4(), channel.id)

    assert "USER_NOT_FOUND" == caught.value.word


def test_a_channel_that_is_not_there_is_not_found(client, make_user):
    with pytest.raises(RpcError) as caught:
        client.admin.add_to_channel(make_user().id, uuid4())

    assert "CHANNEL_NOT_FOUND" == caught.value.word


def test_everything_that_is_wrong_is_told_at_once(client):
    with pytest.raises(RpcError) as caught:
        client.call("admin.AddToChannel", userId=1, id=str(uuid4()))

    assert {"userId", "channelId", "id"} == set(caught.value.fields)
