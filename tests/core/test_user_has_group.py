"""core.UserHasGroup"""

from __future__ import annotations

import pytest

from models import sample


@pytest.mark.sample
def test_a_user_in_the_group_has_it(client):
    assert client.user_has_group(sample.GRACE, "staff") is True


@pytest.mark.sample
def test_a_user_who_is_not_in_the_group_does_not(client):
    assert client.user_has_group(sample.GRACE, "friends") is False


@pytest.mark.sample
@pytest.mark.parametrize("handle", ["Staff", " STAFF\t", "\u200bstaff"])
def test_a_handle_compares_folded(client, handle):
    assert client.user_has_group(sample.GRACE, handle) is True


@pytest.mark.sample
@pytest.mark.parametrize("handle", ["nothing", "", "vegetarian"])
def test_a_handle_that_names_no_group_is_false(client, handle):
    assert client.user_has_group(sample.GRACE, handle) is False


@pytest.mark.sample
@pytest.mark.parametrize("handle", ["staff", "nothing"])
def test_an_unknown_user_is_an_error(client, refusal, handle):
    error = refusal(client.user_has_group, sample.NOBODY, handle)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_all_that_is_wrong_is_told_at_once(client, refusal):
    error = refusal(client.call, "core.UserHasGroup", id="grace", handle=7)

    assert (error.code, sorted(error.fields)) == (-32602, ["handle", "id"])
