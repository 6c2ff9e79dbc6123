"""admin.ListGroups, admin.ListLabels and admin.ListChannels, which are alike."""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError
from models.people import Channel, Group, Label

MODELS = {"Group": Group, "Label": Label, "Channel": Channel}


@pytest.fixture(params=MODELS)
def noun(request):
    return request.param


@pytest.fixture
def model(noun):
    return MODELS[noun]


@pytest.fixture
def listed(client, noun):
    """The client's function for the noun."""
    return getattr(client.admin, f"list_{noun.lower()}s")


def handles(rows):
    return [row["handle"] for row in rows]


def test_they_come_by_handle(listed, model):
    for handle in ("b", "c", "a"):
        model.put(None, handle=handle)

    assert ["a", "b", "c"] == handles(listed())


def test_each_is_shown_as_it_was_saved(client, listed, noun):
    saved = getattr(client.admin, f"save_{noun.lower()}")(handle="staff", name="Staff", sourced_id="g-1")

    assert [saved] == listed()


@pytest.mark.parametrize(("member", "value"), [("sourced_id", "g-1"), ("handle", "staff")])
def test_each_filter_keeps_those_of_which_it_is_true(listed, model, member, value):
    model.put(None, **{"handle": "staff", member: value})
    model.put(None, handle="friends", sourced_id="g-2")

    assert ["staff"] == handles(listed(**{member: value}))


def test_one_is_found_by_its_id(listed, model):
    row = model.put(None, handle="staff")
    model.put(None, handle="friends")

    assert ["staff"] == handles(listed(id=row.id))


def test_a_handle_compares_folded(listed, model):
    model.put(None, handle="Staff")

    assert ["Staff"] == handles(listed(handle=" sTAFF"))


def test_a_handle_that_names_nothing_finds_nothing(listed):
    assert [] == listed(handle="staff")


def test_an_unknown_id_is_not_an_empty_list(listed, noun):
    with pytest.raises(RpcError) as caught:
        listed(id=uuid4())

    assert f"{noun.upper()}_NOT_FOUND" == caught.value.word


def test_pages_follow_each_other(listed, model):
    for handle in "abc":
        model.put(None, handle=handle)

    pages = [handles(listed(limit=2, offset=offset)) for offset in (0, 2, 4)]

    assert [["a", "b"], ["c"], []] == pages


@pytest.mark.parametrize(
    ("member", "value"),
    [("id", "staff"), ("handle", 1), ("sourcedId", 1), ("limit", 10_001), ("offset", -1), ("name", "Staff")],
)
def test_what_is_wrong_is_refused_by_name(client, noun, member, value):
    with pytest.raises(RpcError) as caught:
        client.call(f"admin.List{noun}s", **{member: value})

    assert [member] == list(caught.value.fields)
