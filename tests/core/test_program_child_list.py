"""core.ProgramChildList"""

from __future__ import annotations

from uuid import UUID

import pytest

from models import sample
from models.errors import Conflict
from models.programs import ProgramKind


def test_the_kinds_right_below_one_come_back_as_their_lookup_gives_them(client, make_kind):
    top = make_kind()
    child = make_kind(parent_id=top.id)
    make_kind(parent_id=child.id)
    make_kind()

    found = client.program_child_list(top.id)

    assert [client.lookup_program(child.id)] == found


def test_a_kind_without_children_has_an_empty_list(client, make_kind):
    kind = make_kind()

    assert client.program_child_list(kind.id) == []


def test_archived_children_are_left_out(client, make_kind):
    top = make_kind()
    make_kind(parent_id=top.id, archived=True)

    assert client.program_child_list(top.id) == []


def test_the_children_of_an_archived_kind_are_listed(client, make_kind):
    top = make_kind(archived=True)
    child = make_kind(parent_id=top.id)

    found = client.program_child_list(top.id)

    assert [kind["id"] for kind in found] == [str(child.id)]


def test_they_come_by_priority_highest_first_then_name_then_id(client, make_kind):
    top = make_kind()
    for number, priority, name in ((5, 1, "a"), (4, 9, "c"), (3, 9, "c"), (2, 9, "b"), (1, -1, "a")):
        make_kind(id=UUID(int=number), parent_id=top.id, priority=priority, name=name)

    found = [UUID(kind["id"]).int for kind in client.program_child_list(top.id)]

    assert found == [2, 3, 4, 5, 1]


def test_an_unknown_kind_is_not_an_empty_list(client, refusal):
    error = refusal(client.program_child_list, sample.NOBODY)

    assert (error.code, error.word) == (-32001, "PROGRAM_KIND_NOT_FOUND")


@pytest.mark.parametrize("more", [{"kind": sample.COOKING}, {"after": "2026-03-10"}])
def test_an_id_together_with_kind_or_after_is_refused(client, refusal, make_kind, more):
    kind = make_kind()

    error = refusal(client.program_child_list, kind.id, **more)

    assert (error.code, list(error.fields)) == (-32602, ["id"])


def test_none_of_the_three_is_refused(client, refusal):
    error = refusal(client.program_child_list)

    assert (error.code, error.fields) == (-32602, {"id": ["id or kind or after is required."]})


def test_all_that_is_wrong_is_told_at_once(client, refusal):
    error = refusal(client.program_child_list, id="x", kind="y", after="z")

    assert sorted(error.fields) == ["after", "id", "kind"]
    assert error.fields["id"] == ["Not a valid UUID.", "Must be left out when kind or after is given."]


def test_a_kind_is_never_its_own_ancestor(make_kind):
    top = make_kind()
    child = make_kind(parent_id=top.id)

    with pytest.raises(Conflict) as caught:
        ProgramKind.put(top.id, parent_id=child.id)

    assert caught.value.word == "PROGRAM_KIND_OWN_ANCESTOR"
