"""admin.SaveGroup, admin.SaveLabel and admin.SaveChannel, which are alike."""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError
from models.audit import Audit
from models.people import Channel, Group, Label

MODELS = {"Group": Group, "Label": Label, "Channel": Channel}


@pytest.fixture(params=MODELS)
def noun(request):
    return request.param


@pytest.fixture
def model(noun):
    return MODELS[noun]


@pytest.fixture
def save(client, noun):
    """The client's function for the noun."""
    return getattr(client.admin, f"save_{noun.lower()}")


def test_the_handle_is_the_name_unless_one_is_given(save):
    saved = save(handle="staff")

    assert {
        "id": saved["id"],
        "handle": "staff",
        "name": "staff",
        "createdAt": "2026-03-10T12:00:00.000Z",
        "updatedAt": "2026-03-10T12:00:00.000Z",
        "sourcedId": None,
    } == saved


def test_every_member_is_stored(save, model):
    saved = save(handle="staff", name="Our staff", sourced_id="g-1")

    stored = model.of(saved["id"])
    assert ("staff", "Our staff", "g-1") == (stored.handle, stored.name, stored.sourced_id)


def test_an_unknown_id_becomes_the_id_of_a_new_one(save, model):
    chosen = uuid4()

    saved = save(id=chosen, handle="staff")

    assert str(chosen) == saved["id"]
    assert "staff" == model.of(chosen).handle


def test_what_is_not_given_stays(save, model):
    row = model.put(None, handle="staff", name="Our staff", sourced_id="g-1")

    saved = save(id=row.id, name="Their staff")

    assert ("staff", "Their staff", "g-1") == (saved["handle"], saved["name"], saved["sourcedId"])


def test_the_handle_can_change(save, model):
    row = model.put(None, handle="staff")

    save(id=row.id, handle="crew")

    assert (None, row) == (model.handled("staff"), model.handled("crew"))


def test_a_handle_is_one_rows_alone(save, model):
    model.put(None, handle="staff")

    with pytest.raises(RpcError) as caught:
        save(handle="staff")

    assert "HANDLE_TAKEN" == caught.value.word
    assert 1 == model.select().count()


def test_a_handle_of_another_cannot_be_changed_to(save, model):
    model.put(None, handle="staff")
    row = model.put(None, handle="crew")

    with pytest.raises(RpcError) as caught:
        save(id=row.id, handle="staff")

    assert "HANDLE_TAKEN" == caught.value.word
    assert "crew" == model.of(row.id).handle


def test_its_own_handle_may_be_said_again(save, model):
    row = model.put(None, handle="staff")

    assert "Our staff" == save(id=row.id, handle="staff", name="Our staff")["name"]


def test_a_group_a_label_and_a_channel_may_share_a_handle(client):
    saved = [client.admin.save_group, client.admin.save_label, client.admin.save_channel]

    assert ["staff"] * 3 == [save(handle="staff")["handle"] for save in saved]


def test_a_new_one_needs_a_handle(save, model):
    with pytest.raises(RpcError) as caught:
        save(name="Our staff")

    assert {"handle": ["Missing data for required field."]} == caught.value.fields
    assert 0 == model.select().count()


def test_the_sourced_id_can_be_emptied(save, model):
    row = model.put(None, handle="staff", sourced_id="g-1")

    assert save(id=row.id, clear=["sourcedId"])["sourcedId"] is None


@pytest.mark.parametrize("name", ["id", "handle", "name", "nonsense"])
def test_a_member_that_must_have_a_value_cannot_be_emptied(save, model, name):
    row = model.put(None, handle="staff")

    with pytest.raises(RpcError) as caught:
        save(id=row.id, clear=[name])

    assert {"clear": [f"{name} can't be emptied; these can: sourcedId."]} == caught.value.fields


def test_a_member_cannot_be_given_and_emptied(save, model):
    row = model.put(None, handle="staff")

    with pytest.raises(RpcError) as caught:
        save(id=row.id, sourced_id="g-1", clear=["sourcedId"])

    assert {"clear": ["sourcedId is given as well."]} == caught.value.fields


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", "staff"),
        ("handle", ""),
        ("handle", "  "),
        ("handle", 1),
        ("handle", "x" * 256),
        ("name", ""),
        ("sourcedId", 1),
        ("users", []),
    ],
)
def test_what_is_wrong_is_refused_by_name(client, noun, model, member, value):
    with pytest.raises(RpcError) as caught:
        client.call(f"admin.Save{noun}", **{"handle": "staff", member: value})

    assert [member] == list(caught.value.fields)
    assert 0 == model.select().count()


def test_a_save_is_audited_with_the_id_that_it_touched(save, noun):
    saved = save(handle="staff")

    [row] = Audit.select()
    assert (f"admin.Save{noun}", saved["id"]) == (row.method, row.touched)


def test_a_save_that_changes_nothing_writes_nothing(save, model):
    row = model.put(None, handle="staff")

    save(id=row.id, handle="staff", name="staff")

    assert 0 == Audit.select().count()


@pytest.mark.parametrize("handle", ["STAFF", " staff ", "\uff53taff", "sta\u200bff"])
def test_a_handle_that_another_has_but_for_its_spelling_is_taken(save, handle):
    save(handle="Staff")

    with pytest.raises(RpcError) as caught:
        save(handle=handle)

    assert (-32002, "HANDLE_TAKEN") == (caught.value.code, caught.value.word)


def test_a_handle_can_be_spelled_anew(save, model):
    saved = save(handle="staff")

    assert "Staff" == save(id=saved["id"], handle="Staff")["handle"]
    assert saved["id"] == str(model.handled("STAFF").id)


def test_a_handle_of_nothing_to_see_is_refused(save):
    with pytest.raises(RpcError) as caught:
        save(handle="\u200b")

    assert {"handle": ["Must not be empty."]} == caught.value.fields
