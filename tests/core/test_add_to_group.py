"""core.AddToGroup"""

from __future__ import annotations

import pytest

from models import sample
from models.database import writing
from models.people import Group, UserGroup


@pytest.fixture
def group(world):
    with writing():
        return Group.put(None, handle="staff", name="Staff")


def test_the_user_is_in_the_group_afterwards(client, group, make_user):
    user = make_user()

    done = client.add_to_group(user.id, group.id)

    assert done is True
    assert client.user_has_group(user.id, "staff") is True


def test_again_it_is_true_and_changes_nothing(client, group, make_user):
    user = make_user()

    done = [client.add_to_group(user.id, group.id) for _ in range(2)]

    assert (done, UserGroup.select().count()) == ([True, True], 1)


def test_an_unknown_user_is_an_error(client, refusal, group):
    error = refusal(client.add_to_group, sample.NOBODY, group.id)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_an_unknown_group_is_an_error(client, refusal, make_user):
    error = refusal(client.add_to_group, make_user().id, sample.NOBODY)

    assert (error.code, error.word) == (-32001, "GROUP_NOT_FOUND")


def test_both_ids_are_required(client, refusal):
    error = refusal(client.call, "core.AddToGroup")

    assert (error.code, sorted(error.fields)) == (-32602, ["id", "userId"])
