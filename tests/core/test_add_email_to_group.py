"""core.AddEmailToGroup"""

from __future__ import annotations

import pytest

from models import sample
from models.database import writing
from models.people import Group, User, UserGroup


@pytest.fixture
def group(world):
    with writing():
        return Group.put(None, handle="staff", name="Staff")


def test_the_user_with_the_email_is_put_into_the_group(client, group, make_user):
    user = make_user(email="ada@example.org")

    done = client.add_email_to_group("ADA@example.org", group.id)

    assert done is True
    assert client.user_has_group(user.id, "staff") is True
    assert User.select().count() == 1


def test_an_unknown_email_becomes_a_user_in_the_group(client, group):
    done = client.add_email_to_group("Ada@example.org", group.id)

    user = User.get()
    assert (done, user.email) == (True, "Ada@example.org")
    assert client.user_has_group(user.id, "staff") is True


def test_again_it_is_true_and_changes_nothing(client, group):
    done = [client.add_email_to_group("ada@example.org", group.id) for _ in range(2)]

    assert done == [True, True]
    assert (User.select().count(), UserGroup.select().count()) == (1, 1)


def test_an_unknown_group_is_an_error_and_nobody_is_made(client, refusal):
    error = refusal(client.add_email_to_group, "ada@example.org", sample.NOBODY)

    assert (error.code, error.word) == (-32001, "GROUP_NOT_FOUND")
    assert User.select().count() == 0


def test_all_that_is_wrong_is_told_at_once(client, refusal):
    error = refusal(client.add_email_to_group, "ada", "staff")

    assert (error.code, sorted(error.fields)) == (-32602, ["email", "groupId"])
