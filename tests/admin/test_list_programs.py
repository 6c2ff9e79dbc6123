"""admin.ListPrograms"""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from client import RpcError


def ids(rows):
    return [row["id"] for row in rows]


def test_programs_come_by_start_date_name_and_id(client, make_kind, make_program):
    kind = make_kind()
    values = [("B", date(2026, 5, 1)), ("A", date(2026, 5, 1)), ("Z", date(2026, 4, 1))]
    b, a, z = (make_program(kind_id=kind.id, name=name, start_date=day) for name, day in values)
    twin = make_program(kind_id=kind.id, name="A", start_date=date(2026, 5, 1))

    found = client.admin.list_programs()

    assert [str(z.id), *sorted([str(a.id), str(twin.id)]), str(b.id)] == ids(found)


def test_a_program_is_shown_whole(client, make_kind):
    program = client.admin.save_program(
        program_kind_id=make_kind(handle="chess").id, start_date="2026-04-01", sourced_id="p-1"
    )

    assert [program] == client.admin.list_programs()


def test_programs_are_found_by_their_sourced_id(client, make_program):
    wanted = make_program(sourced_id="p-1")
    make_program(sourced_id="p-2")

    assert [str(wanted.id)] == ids(client.admin.list_programs(sourced_id="p-1"))


@pytest.mark.parametrize("archived", [True, False])
def test_archived_ones_can_be_left_out_or_wanted_alone(client, make_program, archived):
    wanted = make_program(archived=archived)
    make_program(archived=not archived)

    assert [str(wanted.id)] == ids(client.admin.list_programs(archived=archived))


def test_programs_are_found_by_exactly_their_kind(client, make_kind, make_program):
    kind = make_kind()
    wanted = make_program(kind_id=kind.id)
    make_program(kind_id=make_kind(parent_id=kind.id).id)

    assert [str(wanted.id)] == ids(client.admin.list_programs(program_kind_id=kind.id))


def test_parts_are_found_by_their_parent(client, make_program):
    whole = make_program()
    part = make_program(parent_id=whole.id)

    assert [str(part.id)] == ids(client.admin.list_programs(parent_id=whole.id))


def test_a_program_is_found_by_its_id(client, make_program):
    program = make_program()
    make_program()

    assert [str(program.id)] == ids(client.admin.list_programs(id=program.id))


def test_filters_hold_together(client, make_program):
    program = make_program(sourced_id="p-1")

    assert [] == client.admin.list_programs(id=program.id, archived=True)


@pytest.mark.parametrize(
    ("member", "word"),
    [
        ("id", "PROGRAM_NOT_FOUND"),
        ("parent_id", "PROGRAM_NOT_FOUND"),
        ("program_kind_id", "PROGRAM_KIND_NOT_FOUND"),
    ],
)
def test_an_unknown_id_is_not_an_empty_list(client, member, word):
    with pytest.raises(RpcError) as caught:
        client.admin.list_programs(**{member: uuid4()})

    assert word == caught.value.word


def test_pages_follow_each_other(client, make_kind, make_program):
    kind = make_kind()
    for name in "ABC":
        make_program(kind_id=kind.id, name=name)

    pages = [client.admin.list_programs(limit=2, offset=offset) for offset in (0, 2, 4)]

    assert [["A", "B"], ["C"], []] == [[row["name"] for row in page] for page in pages]


@pytest.mark.parametrize(
    ("member", "value"),
    [("limit", 0), ("offset", "1"), ("archived", 1), ("programKindId", "x"), ("kindId", None), ("after", 1)],
)
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.ListPrograms", **{member: value})

    assert [member] == list(caught.value.fields)
