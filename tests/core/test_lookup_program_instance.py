"""core.LookupProgramInstance"""

from __future__ import annotations

from datetime import date

from models import sample
from models.programs import Mode


def test_a_program_comes_back_member_by_member(client, make_kind, make_program):
    top = make_kind()
    kind = make_kind(
        name="Cooking", handle="cooking", parent_id=top.id, mode=Mode.OPEN, duration=90, priority=7
    )
    parent = make_program()
    program = make_program(
        kind_id=kind.id,
        name="Spring",
        start_date=date(2026, 3, 1),
        timezone="Europe/Berlin",
        parent_id=parent.id,
    )

    found = client.lookup_program_instance(program.id)

    assert list(found.items()) == [
        ("id", str(program.id)),
        ("name", "Spring"),
        ("createdAt", "2026-03-10T12:00:00.000Z"),
        ("updatedAt", "2026-03-10T12:00:00.000Z"),
        ("startDate", "2026-03-01"),
        ("endDate", "2026-05-29"),
        ("duration", 90),
        ("mode", "open"),
        ("timezone", "Europe/Berlin"),
        ("programKind", str(kind.id)),
        ("baseName", "Cooking"),
        ("baseHandle", "cooking"),
        ("programKindParent", str(top.id)),
        ("priority", 7),
        ("parentId", str(parent.id)),
        ("archived", False),
    ]


def test_what_a_program_does_not_have_is_null(client, make_program):
    program = make_program()

    found = client.lookup_program_instance(program.id)

    nothing = [name for name, value in found.items() if value is None]
    assert nothing == ["baseHandle", "programKindParent", "parentId"]


def test_a_program_of_one_day_ends_on_the_day_it_starts(client, make_kind, make_program):
    program = make_program(kind_id=make_kind(duration=1).id, start_date=date(2026, 3, 1))

    found = client.lookup_program_instance(program.id)

    assert (found["startDate"], found["endDate"]) == ("2026-03-01", "2026-03-01")


def test_an_id_that_names_no_program_gives_null(client):
    found = client.lookup_program_instance(sample.NOBODY)

    assert found is None


def test_the_id_of_a_kind_gives_null(client, make_kind):
    kind = make_kind()

    found = client.lookup_program_instance(kind.id)

    assert found is None


def test_an_archived_program_is_found(client, make_program):
    program = make_program(archived=True)

    found = client.lookup_program_instance(program.id)

    assert found["archived"] is True


def test_without_an_id_it_is_refused(client, refusal):
    error = refusal(client.call, "core.LookupProgramInstance")

    assert (error.code, list(error.fields)) == (-32602, ["programId"])
