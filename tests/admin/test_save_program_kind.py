"""admin.SaveProgramKind"""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError
from models.audit import Audit
from models.programs import DURATION_AT_MOST, Mode, ProgramKind


def test_a_kind_with_only_a_name_gets_the_usual_values(client):
    kind = client.admin.save_program_kind(name="Chess")

    stored = ProgramKind.get_by_id(kind["id"])
    assert {
        "id": str(stored.id),
        "name": "Chess",
        "handle": None,
        "group": None,
        "parentId": None,
        "mode": "fixed",
        "duration": 1,
        "priority": 0,
        "archived": False,
        "createdAt": "2026-03-10T12:00:00.000Z",
        "updatedAt": "2026-03-10T12:00:00.000Z",
        "sourcedId": None,
    } == kind


def test_every_member_is_stored(client, make_kind):
    parent = make_kind()
    given = {
        "name": "Chess",
        "handle": "chess",
        "group": "Games",
        "parent_id": parent.id,
        "mode": "open",
        "duration": 10,
        "priority": -3,
        "archived": True,
        "sourced_id": "c-1",
    }

    kind = client.admin.save_program_kind(**given)

    stored = ProgramKind.get_by_id(kind["id"])
    assert given | {"mode": Mode.OPEN} == {name: getattr(stored, name) for name in given}


def test_an_unknown_id_becomes_the_id_of_a_new_kind(client):
    chosen = uuid4()

    kind = client.admin.save_program_kind(id=str(chosen).upper(), name="Chess")

    assert str(chosen) == kind["id"]
    assert "Chess" == ProgramKind.get_by_id(chosen).name


def test_what_is_not_given_stays(client, make_kind):
    kind = make_kind(name="Chess", handle="chess", duration=12, mode=Mode.OPEN, sourced_id="c-1")

    saved = client.admin.save_program_kind(id=kind.id, priority=7)

    stored = ProgramKind.get_by_id(kind.id)
    assert ("Chess", "chess", 12, Mode.OPEN, "c-1", 7) == (
        stored.name,
        stored.handle,
        stored.duration,
        stored.mode,
        stored.sourced_id,
        stored.priority,
    )
    assert "c-1" == saved["sourcedId"]


def test_null_means_not_given(client, make_kind):
    kind = make_kind(handle="chess")

    client.call("admin.SaveProgramKind", id=str(kind.id), handle=None, name=None, clear=None)

    assert "chess" == ProgramKind.get_by_id(kind.id).handle


def test_members_can_be_emptied(client, make_kind):
    kind = make_kind(handle="chess", group="Games", parent_id=make_kind().id, sourced_id="c-1")

    saved = client.admin.save_program_kind(id=kind.id, clear=["handle", "group", "parentId", "sourcedId"])

    assert [None] * 4 == [saved[name] for name in ("handle", "group", "parentId", "sourcedId")]


@pytest.mark.parametrize("name", ["name", "mode", "duration", "priority", "archived", "id", "nonsense"])
def test_a_member_that_must_have_a_value_cannot_be_emptied(client, make_kind, name):
    kind = make_kind()

    with pytest.raises(RpcError) as caught:
        client.admin.save_program_kind(id=kind.id, clear=[name])

    assert {
        "clear": [f"{name} can't be emptied; these can: handle, group, parentId, sourcedId."]
    } == caught.value.fields


def test_a_member_cannot_be_given_and_emptied(client, make_kind):
    kind = make_kind(handle="chess")

    with pytest.raises(RpcError) as caught:
        client.admin.save_program_kind(id=kind.id, handle="go", clear=["handle"])

    assert {"clear": ["handle is given as well."]} == caught.value.fields
    assert "chess" == ProgramKind.get_by_id(kind.id).handle


def test_a_new_kind_needs_a_name(client):
    with pytest.raises(RpcError) as caught:
        client.admin.save_program_kind(id=uuid4(), handle="chess")

    assert {"name": ["Missing data for required field."]} == caught.value.fields
    assert 0 == ProgramKind.select().count()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", "not-an-id"),
        ("name", 5),
        ("name", ""),
        ("name", " \t"),
        ("name", "x" * 256),
        ("name", "bell\x07"),
        ("handle", ["chess"]),
        ("group", {}),
        ("parentId", "x"),
        ("mode", "fluid"),
        ("duration", 0),
        ("duration", DURATION_AT_MOST + 1),
        ("duration", 1.5),
        ("duration", "7"),
        ("duration", True),
        ("priority", 1_000_001),
        ("priority", -1_000_001),
        ("archived", 1),
        ("archived", "true"),
        ("sourcedId", 7),
        ("clear", "handle"),
        ("clear", [7]),
        ("createdAt", "2026-01-01T00:00:00Z"),
        ("nonsense", 1),
    ],
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.SaveProgramKind", **{"name": "Chess", member: value})

    assert [member] == list(caught.value.fields)
    assert 0 == ProgramKind.select().count()


def test_everything_that_is_wrong_is_told_at_once(client):
    with pytest.raises(RpcError) as caught:
        client.admin.save_program_kind(name="", duration=0, mode="fluid", clear=["name"])

    assert {"name", "duration", "mode", "clear"} == set(caught.value.fields)


def test_the_longest_duration_is_taken(client):
    kind = client.admin.save_program_kind(name="Life", duration=DURATION_AT_MOST)

    assert DURATION_AT_MOST == kind["duration"]


def test_a_parent_that_is_not_there_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.admin.save_program_kind(name="Chess", parent_id=uuid4())

    assert "PROGRAM_KIND_NOT_FOUND" == caught.value.word
    assert 0 == ProgramKind.select().count()


def test_a_kind_is_never_its_own_parent(client, make_kind):
    kind = make_kind()

    with pytest.raises(RpcError) as caught:
        client.admin.save_program_kind(id=kind.id, parent_id=kind.id)

    assert "PROGRAM_KIND_OWN_ANCESTOR" == caught.value.word


def test_a_new_kind_is_not_its_own_parent_either(client):
    chosen = uuid4()

    with pytest.raises(RpcError) as caught:
        client.admin.save_program_kind(id=chosen, name="Chess", parent_id=chosen)

    assert "PROGRAM_KIND_OWN_ANCESTOR" == caught.value.word


def test_a_kind_is_never_its_own_ancestor(client, make_kind):
    top = make_kind()
    middle = make_kind(parent_id=top.id)
    bottom = make_kind(parent_id=middle.id)

    with pytest.raises(RpcError) as caught:
        client.admin.save_program_kind(id=top.id, parent_id=bottom.id)

    assert "PROGRAM_KIND_OWN_ANCESTOR" == caught.value.word
    assert ProgramKind.get_by_id(top.id).parent_id is None


def test_a_tree_may_be_deep_and_is_looked_through_in_one_query(client, make_kind):
    chain = [make_kind()]
    for _ in range(300):
        chain.append(ProgramKind.add(name="Course", parent_id=chain[-1].id))

    with pytest.raises(RpcError) as caught:
        client.admin.save_program_kind(id=chain[0].id, parent_id=chain[-1].id)

    assert "PROGRAM_KIND_OWN_ANCESTOR" == caught.value.word
    assert (
        str(chain[-1].id) == client.admin.save_program_kind(name="Leaf", parent_id=chain[-1].id)["parentId"]
    )


def test_a_kind_can_move_to_another_branch(client, make_kind):
    left, right = make_kind(), make_kind()
    leaf = make_kind(parent_id=left.id)

    client.admin.save_program_kind(id=leaf.id, parent_id=right.id)

    assert [str(leaf.id)] == [kind["id"] for kind in client.program_child_list(id=right.id)]
    assert [] == client.program_child_list(id=left.id)


def test_programs_keep_what_they_took_from_their_kind(client, make_program):
    program = make_program(duration=30)

    client.admin.save_program_kind(id=program.kind_id, duration=99, mode="open", name="Renamed")

    info = client.lookup_program_instance(program.id)
    assert (30, "fixed", "Renamed") == (info["duration"], info["mode"], info["baseName"])


def test_kinds_may_share_a_handle(client):
    client.admin.save_program_kind(name="Chess", handle="chess")

    second = client.admin.save_program_kind(name="Chess for two", handle="chess")

    assert "chess" == second["handle"]


def test_a_save_is_audited_with_the_id_that_it_touched(client):
    kind = client.admin.save_program_kind(name="Chess")

    [row] = Audit.select()
    assert ("admin.SaveProgramKind", kind["id"]) == (row.method, row.touched)
    assert row.token_id is not None
    assert row.request_id != ""


def test_a_save_that_changes_nothing_writes_nothing(client, make_kind):
    kind = make_kind(name="Chess", duration=12)

    saved = client.admin.save_program_kind(id=kind.id, name="Chess", duration=12, clear=["handle"])

    assert "Chess" == saved["name"]
    assert 0 == Audit.select().count()


def test_a_refused_save_is_not_audited(client, make_kind):
    kind = make_kind()

    with pytest.raises(RpcError):
        client.admin.save_program_kind(id=kind.id, parent_id=kind.id)

    assert 0 == Audit.select().count()


def test_members_can_be_given_by_position(client, make_kind):
    kind = make_kind(name="Chess")

    saved = client.call("admin.SaveProgramKind", str(kind.id), "Chess for two", "chess")

    assert ("Chess for two", "chess") == (saved["name"], saved["handle"])
