"""admin.ListProgramKinds"""

from __future__ import annotations

from uuid import uuid4

import pytest

from client import RpcError


def ids(rows):
    return [row["id"] for row in rows]


def test_kinds_come_by_name_and_id(client, make_kind):
    chess, go, second_go = make_kind(name="Chess"), make_kind(name="Go"), make_kind(name="Go")
    backgammon = make_kind(name="Backgammon")

    found = client.admin.list_program_kinds()

    twins = sorted([str(go.id), str(second_go.id)])
    assert [str(backgammon.id), str(chess.id), *twins] == ids(found)


def test_a_kind_is_shown_whole(client):
    kind = client.admin.save_program_kind(name="Chess", handle="chess", sourced_id="c-1")

    assert [kind] == client.admin.list_program_kinds()


@pytest.mark.parametrize(
    ("member", "value"),
    [("sourced_id", "c-1"), ("handle", "chess"), ("group", "Games"), ("archived", True)],
)
def test_each_filter_keeps_the_kinds_of_which_it_is_true(client, make_kind, member, value):
    wanted = make_kind(**{member: value})
    make_kind()

    found = client.admin.list_program_kinds(**{member: value})

    assert [str(wanted.id)] == ids(found)


def test_archived_ones_can_be_left_out(client, make_kind):
    kind = make_kind()
    make_kind(archived=True)

    assert [str(kind.id)] == ids(client.admin.list_program_kinds(archived=False))


def test_a_kind_is_found_by_its_id(client, make_kind):
    kind = make_kind()
    make_kind()

    assert [str(kind.id)] == ids(client.admin.list_program_kinds(id=kind.id))


def test_children_are_found_by_their_parent(client, make_kind):
    top = make_kind()
    child = make_kind(parent_id=top.id)
    make_kind(parent_id=child.id)

    assert [str(child.id)] == ids(client.admin.list_program_kinds(parent_id=top.id))


def test_filters_hold_together(client, make_kind):
    make_kind(handle="chess")
    wanted = make_kind(handle="chess", archived=True)

    assert [str(wanted.id)] == ids(client.admin.list_program_kinds(handle="chess", archived=True))


def test_a_sourced_id_that_nothing_has_finds_nothing(client, make_kind):
    make_kind(sourced_id="c-1")

    assert [] == client.admin.list_program_kinds(sourced_id="C-1")


@pytest.mark.parametrize("member", ["id", "parent_id"])
def test_an_unknown_id_is_not_an_empty_list(client, member):
    with pytest.raises(RpcError) as caught:
        client.admin.list_program_kinds(**{member: uuid4()})

    assert "PROGRAM_KIND_NOT_FOUND" == caught.value.word


def test_pages_follow_each_other(client, make_kind):
    for name in "ABCDE":
        make_kind(name=name)

    pages = [client.admin.list_program_kinds(limit=2, offset=offset) for offset in (0, 2, 4, 6)]

    assert [["A", "B"], ["C", "D"], ["E"], []] == [[row["name"] for row in page] for page in pages]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("limit", 0),
        ("limit", 10_001),
        ("offset", -1),
        ("archived", "yes"),
        ("sourcedId", 1),
        ("parentId", "x"),
        ("nonsense", 1),
    ],
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.ListProgramKinds", **{member: value})

    assert [member] == list(caught.value.fields)
