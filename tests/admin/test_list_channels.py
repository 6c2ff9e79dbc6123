"""admin.ListChannels, where it does more than the lists of test_list_groups.py."""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError
from models.people import Channel


def test_the_channels_that_a_user_is_in_are_found(client, make_user):
    user = make_user()
    for handle in ("b", "a"):
        user.join_channel(Channel.put(None, handle=handle))
    make_user().join_channel(Channel.put(None, handle="c"))

    assert ["a", "b"] == [row["handle"] for row in client.admin.list_channels(user_id=user.id)]


def test_filters_hold_together(client, make_user):
    user = make_user()
    user.join_channel(Channel.put(None, handle="a"))

    assert [] == client.admin.list_channels(user_id=user.id, handle="b")


def test_a_user_who_is_not_there_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.admin.list_channels(user_id=uuid4())

    assert "USER_NOT_FOUND" == caught.value.word
