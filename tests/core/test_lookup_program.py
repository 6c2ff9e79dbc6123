"""core.LookupProgram"""

from __future__ import annotations

from models import sample
from models.database import writing
from models.programs import Mode


def test_a_kind_comes_back_member_by_member(client, make_kind, set_clock):
    parent = make_kind()
    set_clock("2026-03-10T12:00:00.007Z")
    kind = make_kind(
        name="Cooking",
        handle="cooking",
        group="School",
        parent_id=parent.id,
        mode=Mode.OPEN,
        duration=90,
        priority=7,
    )
    set_clock("2026-03-11T00:00:00Z")
    with writing():
        kind.change(name="Cookery")

    found = client.lookup_program(kind.id)

    assert list(found.items()) == [
        ("id", str(kind.id)),
        ("name", "Cookery"),
        ("handle", "cooking"),
        ("group", "School"),
        ("parentId", str(parent.id)),
        ("mode", "open"),
        ("duration", 90),
        ("priority", 7),
        ("archived", False),
        ("createdAt", "2026-03-10T12:00:00.007Z"),
        ("updatedAt", "2026-03-11T00:00:00.000Z"),
    ]


def test_what_a_kind_does_not_have_is_null(client, make_kind):
    kind = make_kind()

    found = client.lookup_program(kind.id)

    assert (found["handle"], found["group"], found["parentId"]) == (None, None, None)


def test_an_id_that_names_no_kind_gives_null(client):
    found = client.lookup_program(sample.NOBODY)

    assert found is None


def test_the_id_of_a_program_gives_null(client, make_program):
    program = make_program()

    found = client.lookup_program(program.id)

    assert found is None


def test_an_archived_kind_is_found(client, make_kind):
    kind = make_kind(archived=True)

    found = client.lookup_program(kind.id)

    assert found["archived"] is True


def test_any_letter_case_of_an_id_is_understood_and_lower_case_comes_back(client, make_kind):
    kind = make_kind()

    found = client.lookup_program(str(kind.id).upper())

    assert found["id"] == str(kind.id).lower()


def test_what_is_no_id_is_refused_by_name(client, refusal):
    error = refusal(client.lookup_program, "cooking")

    assert (error.code, list(error.fields)) == (-32602, ["programKindId"])
