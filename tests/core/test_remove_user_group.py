"""core.RemoveUserGroup"""

from __future__ import annotations

import pytest

from models import sample
from models.database import writing
from models.people import Group, UserGroup


@pytest.fixture
def group(world):
    with writing():
        return Group.put(None, handle="staff", name="Staff")


def test_the_user_is_not_in_the_group_afterwards(client, group, make_user):
    user = make_user()
    client.add_to_group(user.id, group.id)

    done = client.remove_user_group(user.id, group.id)

    assert done is True
    assert client.user_has_group(user.id, "staff") is False


def test_who_was_not_in_the_group_is_not_in_it_afterwards(client, group, make_user):
    assert client.remove_user_group(make_user().id, group.id) is True


def test_other_users_stay_in_the_group_and_the_user_in_others(client, group, make_user):
    user, other = make_user(), make_user()
    with writing():
        friends = Group.put(None, handle="friends")
    for member, into in ((user, group), (user, friends), (other, group)):
        client.add_to_group(member.id, into.id)

    client.remove_user_group(user.id, group.id)

    left = {(row.user_id, row.group_id) for row in UserGroup.select()}
    assert left == {(user.id, friends.id), (other.id, group.id)}


def test_an_unknown_user_is_an_error(client, refusal, group):
    error = refusal(client.remove_user_group, sample.NOBODY, group.id)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_an_unknown_group_is_an_error(client, refusal, make_user):
    error = refusal(client.remove_user_group, make_user().id, sample.NOBODY)

    assert (error.code, error.word) == (-32001, "GROUP_NOT_FOUND")


def test_both_ids_are_required(client, refusal):
    error = refusal(client.call, "core.RemoveUserGroup")

    assert (error.code, sorted(error.fields)) == (-32602, ["id", "userId"])
