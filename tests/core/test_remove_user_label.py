"""core.RemoveUserLabel"""

from __future__ import annotations

import pytest

from models import sample
from models.database import writing
from models.people import Label, UserLabel


@pytest.fixture
def label(world):
    with writing():
        return Label.put(None, handle="vegetarian", name="Vegetarian")


def test_the_user_does_not_have_the_label_afterwards(client, label, make_user):
    user = make_user()
    client.add_user_label(user.id, label.id)

    done = client.remove_user_label(user.id, label.id)

    assert done is True
    assert client.user_has_label(user.id, "vegetarian") is False


def test_who_did_not_have_the_label_does_not_have_it_afterwards(client, label, make_user):
    assert client.remove_user_label(make_user().id, label.id) is True


def test_other_users_keep_the_label_and_the_user_others(client, label, make_user):
    user, other = make_user(), make_user()
    with writing():
        vegan = Label.put(None, handle="vegan")
    for one, put in ((user, label), (user, vegan), (other, label)):
        client.add_user_label(one.id, put.id)

    client.remove_user_label(user.id, label.id)

    left = {(row.user_id, row.label_id) for row in UserLabel.select()}
    assert left == {(user.id, vegan.id), (other.id, label.id)}


def test_an_unknown_user_is_an_error(client, refusal, label):
    error = refusal(client.remove_user_label, sample.NOBODY, label.id)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_an_unknown_label_is_an_error(client, refusal, make_user):
    error = refusal(client.remove_user_label, make_user().id, sample.NOBODY)

    assert (error.code, error.word) == (-32001, "LABEL_NOT_FOUND")


def test_both_ids_are_required(client, refusal):
    error = refusal(client.call, "core.RemoveUserLabel")

    assert (error.code, sorted(error.fields)) == (-32602, ["labelId", "userId"])
