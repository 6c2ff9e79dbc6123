"""core.UserHasLabel"""

from __future__ import annotations

import pytest

from models import sample


@pytest.mark.sample
def test_a_user_with_the_label_has_it(client):
    assert client.user_has_label(sample.ADA, "vegetarian") is True


@pytest.mark.sample
def test_a_user_without_the_label_does_not(client):
    assert client.user_has_label(sample.ADA, "alumni") is False


@pytest.mark.sample
@pytest.mark.parametrize("handle", ["Vegetarian", " VEGETARIAN\t", "\u200bvegetarian"])
def test_a_handle_compares_folded(client, handle):
    assert client.user_has_label(sample.ADA, handle) is True


@pytest.mark.sample
@pytest.mark.parametrize("handle", ["nothing", "", "staff"])
def test_a_handle_that_names_no_label_is_false(client, handle):
    assert client.user_has_label(sample.ADA, handle) is False


@pytest.mark.sample
@pytest.mark.parametrize("handle", ["vegetarian", "nothing"])
def test_an_unknown_user_is_an_error(client, refusal, handle):
    error = refusal(client.user_has_label, sample.NOBODY, handle)

    assert (error.code, error.word) == (-32001, "USER_NOT_FOUND")


def test_all_that_is_wrong_is_told_at_once(client, refusal):
    error = refusal(client.call, "core.UserHasLabel", userId="ada", handle=7)

    assert (error.code, sorted(error.fields)) == (-32602, ["handle", "userId"])
