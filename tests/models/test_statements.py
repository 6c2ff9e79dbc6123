"""Selects that are compiled once find what Peewee's own find."""

from __future__ import annotations

from datetime import date
from functools import reduce

import pytest

from models import sample
from models.cohorts import Cohort
from models.database import database
from models.memberships import Membership, MembershipState, Participation
from models.programs import Program, ProgramKind
from models.statements import Select, Statement, any_given, given

QUERIES = {
    "rows alone": lambda: ProgramKind.select(),
    "rows with one joined": Program.with_kinds,
    "rows with many joined, some of which are not there": Participation.query,
    "rows joined only to be tested": lambda: Program.select().join(ProgramKind),
}


def looked_through(row):
    """A row's values, and those of all that was fetched with it."""
    joined = {name: looked_through(other) for name, other in row.__rel__.items() if other is not None}
    return row.__data__ | joined


@pytest.mark.sample
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_the_models_are_those_that_peewee_makes_with_what_is_joined(world, query):
    ordered = query().order_by(query().model.id)

    found = Select(ordered).rows()

    expected = [looked_through(row) for row in ordered]
    assert len(expected) > 5
    assert expected == [looked_through(row) for row in found]


@pytest.mark.sample
@pytest.mark.parametrize("query", QUERIES.values(), ids=QUERIES)
def test_a_column_is_named_by_the_way_to_its_value(world, query):
    select = Select(query())

    [row, *_], [stored, *_] = select.rows(), select.rows().stored

    assert len(stored) == len(select.columns) > 10
    for way, value in zip(select.columns, stored, strict=True):
        *through, name = way.split(".")
        found = reduce(getattr, through, row)
        assert value == (found and type(found)._meta.combined[name].db_value(getattr(found, name)))


@pytest.mark.sample
def test_a_given_value_is_stored_as_its_column_stores_it(world):
    select = Select(
        Membership.select()
        .join(Program)
        .where(
            Membership.program == given("program_id"),
            Membership.state == given("state"),
            Program.start_date <= given("day"),
            Program.kind.in_(any_given("kinds")),
        )
    )
    [program, *_] = Program.select().where(Program.id == sample.SPRING)
    values = {"program_id": program.id, "state": MembershipState.ACTIVE, "kinds": [program.kind_id]}

    found = select.rows(**values, day=program.start_date)
    before = select.rows(**values, day=date(1, 1, 1))

    assert {row.state for row in found} == {MembershipState.ACTIVE}
    assert {row.program_id for row in found} == {program.id}
    assert not before


@pytest.mark.sample
def test_of_many_given_values_there_may_be_none(world):
    select = Statement(Cohort.select(Cohort.id).where(Cohort.id.in_(any_given("ids"))))

    ids = [cohort.id for cohort in Cohort.select()]

    assert select.stored(ids=[]) == []
    assert sorted(map(str, ids)) == sorted(row for (row,) in select.stored(ids=ids))


@pytest.mark.sample
def test_pages_are_cut_out_of_the_rows(world):
    select = Select(ProgramKind.select().order_by(ProgramKind.id))
    everything = [row.id for row in select.rows()]

    assert everything[1:3] == [row.id for row in select.rows(limit=2, offset=1)]
    assert everything[1:] == [row.id for row in select.rows(offset=1)]
    assert everything[1:3] == [row.id for row in select.rows()[1:3]]
    assert everything[-1] == select.rows()[-1].id


@pytest.mark.sample
def test_a_list_is_compiled_once(world):
    told: list[str] = []
    database.connection().exec_trace = lambda _, sql, values: told.append(sql) or True

    Cohort.in_program(sample.SPRING)
    first, told[:] = list(told), []
    Cohort.in_program(sample.SPRING, limit=3, offset=1)

    assert first == told
