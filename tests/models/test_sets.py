"""Many rows in one step: the same as row by row, and one statement."""

from __future__ import annotations

from datetime import date

import peewee
import pytest

from models import sample
from models.database import database, writing
from models.memberships import Membership, MembershipState
from models.people import Label, User
from models.programs import Program, ProgramKind
from models.rows import KeyField
from models.sets import DIFFERENT, MANY
from models.statements import Select, SetOf, Statement, given
from models.text import name_key

NAMES = ["plain", 'with "quotes" and \\', "Zoë 💡", "", "[1, 2]", "null", "a\tb\r\nc"]


@pytest.fixture
def told(world):
    """The statements that write, as the connection is told to run them."""
    statements: list[str] = []

    def note(_: object, sql: str, values: object) -> bool:
        if sql.startswith(("INSERT", "UPDATE")):
            statements.append(sql)
        return True

    database.connection().exec_trace = note
    return statements


def values(rows):
    """All columns of each row, but for keys, which only what is stored has."""
    return [
        {
            name: row.__data__.get(name)
            for name, field in row._meta.fields.items()
            if not isinstance(field, KeyField)
        }
        for row in rows
    ]


def keys(model):
    """The texts that have keys, and these, as they are stored."""
    return {row.handle: row.handle_key for row in model.select()}


def users(count, **values):
    return [User.new(**values) for _ in range(count)]


def kinds(count):
    return [ProgramKind.new(name="Course", handle=None, archived=True, duration=7) for _ in range(count)]


@pytest.mark.parametrize("count", [1, 2, MANY - 1, MANY, MANY * 3])
def test_rows_are_inserted_whatever_their_number(told, count):
    rows = kinds(count)

    with writing():
        ProgramKind.insert_rows(rows)

    stored = {row.id: row for row in ProgramKind.select()}
    assert stored.keys() == {row.id for row in rows}
    assert values(stored[row.id] for row in rows) == values(rows)
    assert len(told) == (count if count < MANY else 1)


@pytest.mark.parametrize("count", [1, 2, MANY - 1, MANY, MANY * 3])
def test_rows_are_updated_whatever_their_number(told, count):
    rows = kinds(count)
    with writing():
        ProgramKind.insert_rows(rows)
        others = kinds(3)
        ProgramKind.insert_rows(others)
    told.clear()
    for number, row in enumerate(rows):
        row.handle, row.archived, row.priority, row.group = NAMES[number % len(NAMES)], False, number, None

    with writing():
        ProgramKind.update_rows(rows, "handle", "archived", "priority", "group")

    stored = {row.id: row for row in ProgramKind.select()}
    assert values(stored[row.id] for row in rows + others) == values(rows + others)
    assert len(told) == (count if count < MANY else 1)
    assert keys(ProgramKind) == {text: text and name_key(text) for text in keys(ProgramKind)}


@pytest.mark.parametrize("name", NAMES)
def test_texts_stay_what_they_are(world, name):
    rows = [Label.new(handle=f"label-{number}", name=name) for number in range(MANY)]

    with writing():
        Label.insert_rows(rows)

    assert {row.name for row in Label.select()} == {name}


def test_rows_that_differ_in_much_go_in_one_by_one(told):
    columns = ("first", "last", "title", "mobile")
    rows = [User.new(**{name: f"{name} {number}" for name in columns}) for number in range(MANY)]
    assert len(columns) + 1 > DIFFERENT

    with writing():
        User.insert_rows(rows)

    assert len(told) == MANY
    assert {row.title for row in User.select()} == {row.title for row in rows}


def test_all_or_nothing_of_them_goes_in(told):
    rows = [Label.new(handle=f"label-{number}", name="Label") for number in range(MANY)]
    rows[-1].handle = rows[0].handle

    with pytest.raises(peewee.IntegrityError), writing():
        Label.insert_rows(rows)

    assert Label.select().count() == 0


def test_rows_that_are_not_there_are_not_updated_and_do_not_appear(told):
    rows = users(MANY, title="Dr")

    with writing():
        User.update_rows(rows, "title")

    assert User.select().count() == 0


# Selects


@pytest.fixture
def make_members(make_program):
    def make(count):
        program = make_program()
        rows = [
            Membership.new(
                user_id=user.id, program_id=program.id, role="member", state="active", date=date(2026, 3, 1)
            )
            for user in users(count)
        ]
        with writing():
            User.insert_rows([User.new(id=row.user_id) for row in rows])
            Membership.insert_rows(rows)
        return program

    return make


@pytest.mark.parametrize("count", [0, 1, MANY])
def test_a_select_finds_at_once_what_it_finds_row_by_row(make_members, count):
    program = make_members(count)
    select = Select(Membership.select().where(Membership.program == given("program_id")))

    at_once = select.at_once(program_id=program.id)

    one_by_one = sorted(select.rows(program_id=program.id), key=lambda row: str(row.id))
    assert values(at_once) == values(one_by_one)
    assert len(at_once) == count
    assert at_once.column("user_id") == [str(row.user_id) for row in at_once]


@pytest.mark.sample
def test_a_set_of_columns_has_the_rows_of_the_statement(world):
    query = Program.select(Program.end_date, Program.name, Program.parent, Program.duration, Program.archived)

    found = SetOf(query.where(Program.kind == given("kind_id"))).stored(kind_id=sample.COOKING)

    expected = Statement(query.where(Program.kind == given("kind_id"))).stored(kind_id=sample.COOKING)
    assert len(found) == 3
    assert [tuple(row) for row in found] == sorted(expected)


def test_changes_of_thousands_in_a_savepoint_take_one_statement(told, make_members):
    program = make_members(3000)
    rows = list(Membership.select().where(Membership.program == program.id))
    other = make_members(0)
    told.clear()

    with writing(), database.savepoint():
        for row in rows:
            row.program_id, row.state = other.id, MembershipState.COMPLETED
        Membership.update_rows(rows, "program", "state")

    assert len(told) == 1
    moved = (Membership.program == other.id) & (Membership.state == MembershipState.COMPLETED)
    assert Membership.select().where(moved).count() == 3000
