"""admin.SaveProgram"""

from __future__ import annotations

from datetime import date
from uuid import uuid4

import pytest

from client import RpcError
from models.audit import Audit
from models.programs import DURATION_AT_MOST, Mode, Program


def test_a_program_takes_name_mode_and_duration_from_its_kind(client, make_kind):
    kind = make_kind(name="Chess", mode=Mode.OPEN, duration=10, handle="chess", priority=4)

    info = client.admin.save_program(program_kind_id=kind.id, start_date="2026-04-01")

    assert {
        "id": info["id"],
        "name": "Chess",
        "createdAt": "2026-03-10T12:00:00.000Z",
        "updatedAt": "2026-03-10T12:00:00.000Z",
        "startDate": "2026-04-01",
        "endDate": "2026-04-10",
        "duration": 10,
        "mode": "open",
        "timezone": "UTC",
        "programKind": str(kind.id),
        "baseName": "Chess",
        "baseHandle": "chess",
        "programKindParent": None,
        "priority": 4,
        "parentId": None,
        "archived": False,
        "sourcedId": None,
    } == info


def test_every_member_is_stored(client, make_kind, make_program):
    given = {
        "name": "Chess, spring",
        "start_date": date(2026, 4, 1),
        "duration": 5,
        "mode": Mode.OPEN,
        "timezone": "Europe/Berlin",
        "parent_id": make_program().id,
        "archived": True,
        "sourced_id": "p-1",
    }

    info = client.admin.save_program(program_kind_id=make_kind().id, **given)

    stored = Program.get_by_id(info["id"])
    assert given == {name: getattr(stored, name) for name in given}
    assert date(2026, 4, 5) == stored.end_date


def test_an_unknown_id_becomes_the_id_of_a_new_program(client, make_kind):
    chosen = uuid4()

    info = client.admin.save_program(id=chosen, program_kind_id=make_kind().id, start_date="2026-04-01")

    assert str(chosen) == info["id"]
    assert date(2026, 4, 1) == Program.get_by_id(chosen).start_date


def test_what_is_not_given_stays(client, make_program):
    program = make_program(name="Chess", duration=9, timezone="Europe/Berlin", sourced_id="p-1")

    info = client.admin.save_program(id=program.id, archived=True)

    assert ("Chess", 9, "2026-03-10", "Europe/Berlin", "p-1", True) == (
        info["name"],
        info["duration"],
        info["startDate"],
        info["timezone"],
        info["sourcedId"],
        info["archived"],
    )


def test_the_end_follows_the_start(client, make_program):
    program = make_program(duration=9)

    info = client.admin.save_program(id=program.id, start_date="2026-05-01")

    assert "2026-05-09" == info["endDate"]


def test_the_end_follows_the_duration(client, make_program):
    program = make_program(duration=9)

    info = client.admin.save_program(id=program.id, duration=1)

    assert info["startDate"] == info["endDate"]


def test_members_can_be_emptied(client, make_program):
    program = make_program(parent_id=make_program().id, sourced_id="p-1")

    info = client.admin.save_program(id=program.id, clear=["parentId", "sourcedId"])

    assert (None, None) == (info["parentId"], info["sourcedId"])


@pytest.mark.parametrize("name", ["programKindId", "name", "startDate", "duration", "timezone", "archived"])
def test_a_member_that_must_have_a_value_cannot_be_emptied(client, make_program, name):
    program = make_program()

    with pytest.raises(RpcError) as caught:
        client.admin.save_program(id=program.id, clear=[name])

    assert {"clear": [f"{name} can't be emptied; these can: parentId, sourcedId."]} == caught.value.fields


def test_a_member_cannot_be_given_and_emptied(client, make_program):
    program = make_program()

    with pytest.raises(RpcError) as caught:
        client.admin.save_program(id=program.id, sourced_id="p-1", clear=["sourcedId"])

    assert {"clear": ["sourcedId is given as well."]} == caught.value.fields


def test_a_new_program_needs_its_kind_and_its_first_day(client):
    with pytest.raises(RpcError) as caught:
        client.admin.save_program(name="Chess")

    missing = ["Missing data for required field."]
    assert {"programKindId": missing, "startDate": missing} == caught.value.fields


def test_a_new_program_of_a_known_kind_needs_its_first_day(client, make_kind):
    with pytest.raises(RpcError) as caught:
        client.admin.save_program(program_kind_id=make_kind().id)

    assert {"startDate": ["Missing data for required field."]} == caught.value.fields


def test_a_kind_that_is_not_there_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.admin.save_program(program_kind_id=uuid4(), start_date="2026-04-01")

    assert "PROGRAM_KIND_NOT_FOUND" == caught.value.word


def test_a_program_stays_of_its_kind(client, make_program, make_kind):
    program = make_program()

    with pytest.raises(RpcError) as caught:
        client.admin.save_program(id=program.id, program_kind_id=make_kind().id)

    assert "KIND_IS_FIXED" == caught.value.word
    assert program.kind_id == Program.get_by_id(program.id).kind_id


def test_its_own_kind_may_be_said_again(client, make_program):
    program = make_program()

    info = client.admin.save_program(id=program.id, program_kind_id=program.kind_id, name="Renamed")

    assert "Renamed" == info["name"]


def test_a_parent_that_is_not_there_is_not_found(client, make_program):
    program = make_program()

    with pytest.raises(RpcError) as caught:
        client.admin.save_program(id=program.id, parent_id=uuid4())

    assert "PROGRAM_NOT_FOUND" == caught.value.word


def test_a_program_is_never_its_own_ancestor(client, make_program):
    top = make_program()
    bottom = make_program(parent_id=make_program(parent_id=top.id).id)

    with pytest.raises(RpcError) as caught:
        client.admin.save_program(id=top.id, parent_id=bottom.id)

    assert "PROGRAM_OWN_ANCESTOR" == caught.value.word
    assert Program.get_by_id(top.id).parent_id is None


def test_a_program_cannot_end_after_the_calendar_does(client, make_kind):
    with pytest.raises(RpcError) as caught:
        client.admin.save_program(program_kind_id=make_kind().id, start_date="9999-12-31", duration=2)

    assert ["duration"] == list(caught.value.fields)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_first_and_last_days_of_the_calendar_are_days(client, make_kind, day):
    info = client.admin.save_program(program_kind_id=make_kind().id, start_date=day, duration=1)

    assert (day, day) == (info["startDate"], info["endDate"])


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", 7),
        ("programKindId", "x"),
        ("name", ""),
        ("startDate", "2026-02-30"),
        ("startDate", "2026-4-1"),
        ("startDate", "20260401"),
        ("startDate", "2026-04-01T00:00:00Z"),
        ("duration", 0),
        ("duration", DURATION_AT_MOST + 1),
        ("mode", "OPEN"),
        ("timezone", "Europe/Atlantis"),
        ("timezone", "localtime"),
        ("timezone", "europe/berlin"),
        ("parentId", ""),
        ("archived", 0),
        ("sourcedId", []),
        ("endDate", "2026-04-01"),
        ("nonsense", 1),
    ],
)
def test_what_is_wrong_is_refused_by_name(client, make_kind, member, value):
    good = {"programKindId": str(make_kind().id), "startDate": "2026-04-01"}

    with pytest.raises(RpcError) as caught:
        client.call("admin.SaveProgram", **{**good, member: value})

    assert [member] == list(caught.value.fields)
    assert 0 == Program.select().count()


def test_a_save_is_audited_with_the_id_that_it_touched(client, make_program):
    program = make_program()

    client.admin.save_program(id=program.id, name="Renamed")

    [row] = Audit.select()
    assert ("admin.SaveProgram", str(program.id)) == (row.method, row.touched)


def test_a_save_that_changes_nothing_writes_nothing(client, make_program):
    program = make_program(name="Chess")

    client.admin.save_program(id=program.id, name="Chess", start_date=program.start_date)

    assert 0 == Audit.select().count()
