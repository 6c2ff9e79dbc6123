"""core.ConfirmCohort"""

from __future__ import annotations

import pytest

from models import sample
from models.cohorts import Cohort


def test_a_cohort_is_made_where_there_is_none_of_that_name(client, make_program):
    program = make_program()

    found = client.confirm_cohort(program.id, "Monday group")

    [cohort] = client.list_cohorts(program.id)
    assert (cohort["id"], cohort["name"]) == (found, "Monday group")


def test_the_id_comes_back_in_lower_case(client, make_program):
    found = client.confirm_cohort(str(make_program().id).upper(), "Monday group")

    assert found.lower() == found


@pytest.mark.parametrize(
    "spelling",
    [
        "Monday group",
        "MONDAY GROUP",
        "  Monday group ",
        "Monday  \t group",
        "Monday\u00a0group",
        "\u3000Monday\u2003group\r\n",
        "Ｍｏｎｄａｙ group",  # noqa: RUF001  NFKC makes plain letters of these
    ],
)
def test_one_name_in_many_spellings_is_one_cohort(client, make_program, spelling):
    program = make_program()
    first = client.confirm_cohort(program.id, "Monday group")

    assert first == client.confirm_cohort(program.id, spelling)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Straße", "STRASSE"), ("Zoe\u0308", "ZOË"), ("ﬁve", "FIVE"), ("ΣΊΣΥΦΟΣ", "σίσυφος"), ("①", "1")],
)
def test_letters_compare_folded_and_in_compatibility_form(client, make_program, one, other):
    program = make_program()

    assert client.confirm_cohort(program.id, one) == client.confirm_cohort(program.id, other)


@pytest.mark.parametrize("other", ["Mondaygroup", "Monday-group", "Monday group 2", "Mónday group"])
def test_other_names_are_other_cohorts(client, make_program, other):
    program = make_program()

    assert client.confirm_cohort(program.id, "Monday group") != client.confirm_cohort(program.id, other)


def test_the_first_spelling_is_shown(client, make_program):
    program = make_program()
    client.confirm_cohort(program.id, "Monday group")
    client.confirm_cohort(program.id, "MONDAY GROUP")

    assert [cohort["name"] for cohort in client.list_cohorts(program.id)] == ["Monday group"]


def test_the_same_name_in_two_programs_is_two_cohorts(client, make_program):
    one, other = make_program(), make_program()

    assert client.confirm_cohort(one.id, "Monday") != client.confirm_cohort(other.id, "Monday")


@pytest.mark.parametrize("name", ["", "  ", "\t\r\n", "\u00a0\u3000"])
def test_a_name_of_blanks_is_refused_with_all_else_that_is_wrong(client, refusal, name):
    error = refusal(client.confirm_cohort, "x", name)

    assert (error.code, sorted(error.fields)) == (-32602, ["cohortName", "programId"])
    assert error.fields["cohortName"] == ["Must not be empty."]


def test_a_name_of_255_characters_is_taken(client, make_program):
    program = make_program()

    client.confirm_cohort(program.id, "é" * 255)

    assert Cohort.get().name == "é" * 255


@pytest.mark.parametrize("name", ["é" * 256, "a\x00b", "a\x1fb", "a\x7fb", "a\x85b", "a\ud800b", 7])
def test_what_is_no_name_is_refused(client, refusal, make_program, name):
    error = refusal(client.confirm_cohort, make_program().id, name)

    assert (error.code, list(error.fields)) == (-32602, ["cohortName"])


def test_an_unknown_program_is_an_error(client, refusal):
    error = refusal(client.confirm_cohort, sample.NOBODY, "Monday group")

    assert (error.code, error.word) == (-32001, "PROGRAM_NOT_FOUND")
    assert Cohort.select().count() == 0
