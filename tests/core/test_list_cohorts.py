"""core.ListCohorts"""

from __future__ import annotations

import pytest

from models import sample
from models.cohorts import Cohort
from models.database import writing


@pytest.fixture
def make_cohorts(world):
    def make(program, *names):
        with writing():
            return [Cohort.confirm(program.id, name) for name in names]

    return make


def test_a_cohort_comes_back_member_by_member(client, make_program, make_cohorts):
    program = make_program()
    [cohort] = make_cohorts(program, "Monday group")

    [found] = client.list_cohorts(program.id)

    assert list(found.items()) == [
        ("id", str(cohort.id)),
        ("programId", str(program.id)),
        ("name", "Monday group"),
        ("createdAt", "2026-03-10T12:00:00.000Z"),
        ("updatedAt", "2026-03-10T12:00:00.000Z"),
    ]


def test_they_come_by_name_whatever_the_letter_case(client, make_program, make_cohorts):
    program = make_program()
    make_cohorts(program, "delta", "Beta", "alpha", "Γ", "CHARLIE")

    found = client.list_cohorts(program.id)

    assert [cohort["name"] for cohort in found] == ["alpha", "Beta", "CHARLIE", "delta", "Γ"]


def test_the_cohorts_of_other_programs_are_not_among_them(client, make_program, make_cohorts):
    program, other = make_program(), make_program()
    make_cohorts(other, "Monday group")

    found = client.list_cohorts(program.id)

    assert found == []


def test_those_of_an_archived_program_are_listed(client, make_program, make_cohorts):
    program = make_program(archived=True)
    make_cohorts(program, "Monday group")

    found = client.list_cohorts(program.id)

    assert [cohort["name"] for cohort in found] == ["Monday group"]


def test_limit_and_offset_cut_out_a_page(client, make_program, make_cohorts):
    program = make_program()
    make_cohorts(program, *"edcba")

    pages = [client.list_cohorts(program.id, limit=2, offset=offset) for offset in (0, 2, 4, 6)]

    names = [[cohort["name"] for cohort in page] for page in pages]
    assert names == [["a", "b"], ["c", "d"], ["e"], []]


def test_an_offset_alone_leaves_out_the_first_ones(client, make_program, make_cohorts):
    program = make_program()
    make_cohorts(program, *"cba")

    found = client.list_cohorts(program.id, offset=1)

    assert [cohort["name"] for cohort in found] == ["b", "c"]


@pytest.mark.parametrize(("member", "value"), [("limit", 0), ("limit", 10_001), ("offset", -1)])
def test_a_page_out_of_bounds_is_refused_by_name(client, refusal, make_program, member, value):
    program = make_program()

    error = refusal(client.list_cohorts, program.id, **{member: value})

    assert (error.code, list(error.fields)) == (-32602, [member])


def test_an_unknown_program_is_not_an_empty_list(client, refusal):
    error = refusal(client.list_cohorts, sample.NOBODY)

    assert (error.code, error.word) == (-32001, "PROGRAM_NOT_FOUND")
