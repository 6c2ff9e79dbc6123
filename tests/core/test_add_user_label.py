"""core.AddUserLabel"""

from __future__ import annotations

import pytest

from models import sample
from models.database import writing
from models.people import Label, UserLabel


@pytest.fixture
def label(world):
    with writing():
        return Label.put(None, handle="vegetarian", name="Vegetarian")


def test_the_user_has_the_label_afterwards(client, label, make_user):
    user = make_user()

    done = client.add_user_label(user.id, label.id)

    assert done is True
    assert client.user_has_label(user.id, "vegetarian") is True


def test_again_it_is_true_and_changes_nothing(client, label, make_user):
    user = make_user()

    done = [client.add_user_label(user.id, label.id) for _ in range(2)]

    assert (done, UserLabel.select().count()) == ([True, True], 1)


def test_an_unknown_user_is_an_error(client, refusal, label):
    error = refusal(client.add_user_label, sample.NOBODY, label.id)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_an_unknown_label_is_an_error(client, refusal, make_user):
    error = refusal(client.add_user_label, make_user().id, sample.NOBODY)

    assert (error.code, error.word) == (-32001, "LABEL_NOT_FOUND")


def test_both_ids_are_required(client, refusal):
    error = refusal(client.call, "core.AddUserLabel")

    assert (error.code, sorted(error.fields)) == (-32602, ["labelId", "userId"])
