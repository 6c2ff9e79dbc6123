"""A real university's seven courses, 28,785 students and 32,593 enrollments, counted independently.

The expected numbers were computed from the data set's original files and not by this program.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path

import peewee
import pytest

from client import Client
from models import clock
from models.cohorts import Cohort
from models.database import configure, connected, database
from models.memberships import Membership, MembershipChange
from models.people import Label, User, UserLabel
from models.programs import Program, ProgramKind
from models.roster import Counts, export_oneroster, import_oneroster
from models.tokens import Scope

DATA = Path(__file__).parent.parent.parent / "shared" / "data" / "oulad-oneroster.zip"
pytestmark = [
    pytest.mark.skipif(not DATA.exists(), reason="the OULAD data set is not there"),
    pytest.mark.xdist_group("oulad"),  # imported once
]


@dataclasses.dataclass
class Imported:
    """A database with the data set in it, and how it got there."""

    path: Path
    report: object


@pytest.fixture(scope="module")
def imported(templates, tmp_path_factory):
    path = tmp_path_factory.mktemp("oulad") / "core.db"
    shutil.copy(templates["empty"].path, path)
    configure(f"sqlite:///{path}")
    clock.set_to(datetime(2026, 3, 10, 12, tzinfo=UTC))
    with connected():
        report = import_oneroster(DATA)
    return Imported(path, report)


@pytest.fixture
def path(request, imported, tmp_path):
    """The imported database, which no test changes; or, for those that do, a copy of it."""
    return shutil.copy(imported.path, tmp_path / "core.db") if hasattr(request, "param") else imported.path


on_a_copy = pytest.mark.parametrize("path", ["copy"], indirect=True)


@pytest.fixture
def world(path, templates):
    """The imported database in the place of the empty one."""
    clock.set_to(datetime(2026, 3, 10, 12, tzinfo=UTC))
    made = dataclasses.replace(templates["empty"], path=path)
    configure(made.url)
    with connected():
        yield made
    clock.set_to(None)


def test_all_rows_go_in(imported):
    counts = imported.report.counts

    assert imported.report.refusals == []
    assert counts["courses.csv"] == Counts(created=7)
    assert counts["classes.csv"] == Counts(created=22)
    assert counts["users.csv"] == Counts(created=28_785)
    assert counts["enrollments.csv"] == Counts(created=32_593, history=32_593)
    assert counts["cohorts"] == Counts(created=282)


def test_memberships_are_in_the_states_of_the_registrations(world):
    states = Counter(state for (state,) in Membership.select(Membership.state).tuples())

    assert states == {
        "completed": 12_361,
        "graduated": 3_024,
        "incomplete": 7_052,
        "withdrawn": 7_480,
        "dropped": 2_676,
    }


def test_rows_are_as_many_as_there_are_things(world):
    models = (ProgramKind, Program, User, Membership, Cohort, MembershipChange, UserLabel)

    numbers = [model.select().count() for model in models]

    assert numbers == [7, 22, 28_785, 32_593, 282, 32_593, 28_785]


def test_users_have_up_to_five_memberships(world):
    each = Membership.select(peewee.fn.COUNT("*")).group_by(Membership.user).tuples()

    numbers = [number for (number,) in each]
    assert (len([number for number in numbers if number > 1]), max(numbers)) == (3_538, 5)


def test_the_largest_program_has_2498_members(world):
    each = Membership.select(peewee.fn.COUNT("*")).group_by(Membership.program).tuples()

    assert max(each) == (2_498,)


def test_programs_end_on_the_day_before_the_term_does(world):
    times = Program.select(Program.start_date, Program.duration, Program.end_date).distinct().tuples()

    assert {(f"{start:%Y-%m-%d}", days, f"{end:%Y-%m-%d}") for start, days, end in times} == {
        ("2013-02-01", 240, "2013-09-28"),
        ("2013-10-01", 261, "2014-06-18"),
        ("2013-10-01", 268, "2014-06-25"),
        ("2014-02-01", 234, "2014-09-22"),
        ("2014-02-01", 241, "2014-09-29"),
        ("2014-10-01", 262, "2015-06-19"),
        ("2014-10-01", 269, "2015-06-26"),
    }


def test_the_first_program_has_the_members_that_it_had(world):
    program = Program.get(Program.sourced_id == "AAA-2013J")

    members = list(Membership.select(Membership, Cohort).join(Cohort).where(Membership.program == program.id))
    assert len(members) == 383
    assert Counter(member.state for member in members) == {
        "completed": 258,
        "graduated": 20,
        "incomplete": 45,
        "withdrawn": 53,
        "dropped": 7,
    }
    assert Counter(member.cohort.name for member in members).most_common(4) == [
        ("East Anglian Region", 51),
        ("South Region", 44),
        ("London Region", 36),
        ("North Western Region", 35),
    ]


def test_every_user_has_the_email_and_the_label_of_the_file(world):
    user = User.with_email("11391@students.example")

    User.fetch_handles([user])
    assert (user.sourced_id, user.labels) == ("11391", ["east-anglian-region"])
    assert User.select().where(User.email_key.is_null()).count() == 0


def test_enrollments_without_a_begin_count_from_the_start_of_their_program(world):
    """Of 45; everybody else's begin is as in the file, which is before the term for nearly all."""
    at_the_start = Membership.select().join(Program).where(Membership.date == Program.start_date)
    before = Membership.select().join(Program).where(Membership.date < Program.start_date)

    assert before.count() == 32_312
    assert at_the_start.count() >= 45


def test_history_rows_have_the_date_of_the_end_where_there_is_one(world):
    """Of the withdrawn, the dropped, and nine that failed; the others ended on no known day."""
    dated = MembershipChange.select().where(MembershipChange.effective_date.is_null(False))

    states = Counter(change.to_state for change in dated)
    assert states == {"withdrawn": 7_387, "dropped": 2_676, "incomplete": 9}
    [member] = Membership.select().where(Membership.sourced_id == "AAA-2013J-30268")
    assert [change.effective_date for change in member.history()] == [date(2013, 10, 13)]


@pytest.mark.parametrize(
    ("day", "number"),
    [
        ("2013-01-31", 0),
        ("2013-02-01", 3),
        ("2013-09-28", 3),
        ("2013-09-29", 0),
        ("2013-10-01", 6),
        ("2014-02-01", 12),
        ("2014-06-25", 10),
        ("2014-06-26", 6),
        ("2014-10-01", 7),
        ("2015-06-26", 5),
        ("2015-06-27", 0),
    ],
)
def test_so_many_programs_are_active_on_a_day(world, serve, day, number):
    server = serve(clock=datetime.fromisoformat(f"{day}T12:00:00Z"))
    client = Client(server.url, world.secrets[Scope.READ])

    assert len(client.list_active_programs()) == number


@pytest.mark.parametrize(
    ("day", "number"),
    [
        ("2013-10-01", 19),
        ("2013-10-02", 13),
        ("2014-02-01", 13),
        ("2014-02-02", 7),
        ("2014-10-01", 7),
        ("2014-10-02", 0),
    ],
)
def test_so_many_programs_start_on_or_after_a_day(world, client, serve, day, number):
    assert len(client.programs_after(after=date.fromisoformat(day))) == number


def test_programs_after_without_a_day_are_those_from_today(world, serve):
    server = serve(clock=datetime(2014, 2, 2, 12, tzinfo=UTC))

    assert len(Client(server.url, world.secrets[Scope.READ]).programs_after()) == 7


def test_a_second_import_changes_nothing(world, imported, tmp_path):
    shutil.copy(imported.path, tmp_path / "copy.db")
    configure(f"sqlite:///{tmp_path}/copy.db")
    with connected():
        report = import_oneroster(DATA)
        changes = MembershipChange.select().count()
    configure(world.url)

    total = report.total
    assert (total.created, total.updated, total.refused, total.history) == (0, 0, 0, 0)
    assert changes == 32_593


def test_exported_and_imported_into_an_empty_database_it_gives_equal_rows(world, templates, tmp_path):
    def rows():
        """All rows; links and history without their ids, which are nobody's."""
        for table in ("program_kind", "program", "cohort", "label", "user"):
            yield list(database.execute_sql(f'SELECT * FROM "{table}" ORDER BY id'))
        columns = [column for column in Membership._meta.columns if column != "last_change_id"]
        yield list(database.execute_sql(f"SELECT {', '.join(columns)} FROM membership ORDER BY id"))
        yield list(database.execute_sql("SELECT user_id, label_id FROM user_label ORDER BY 1, 2"))
        columns = "membership_id, at, how, to_role, to_state, to_cohort_id, to_date"
        yield list(database.execute_sql(f"SELECT {columns} FROM membership_change ORDER BY membership_id"))

    export_oneroster(tmp_path / "out.zip")
    before = list(rows())
    shutil.copy(templates["empty"].path, tmp_path / "other.db")
    configure(f"sqlite:///{tmp_path}/other.db")
    with connected():
        report = import_oneroster(tmp_path / "out.zip")
        after = list(rows())
    configure(world.url)

    assert report.refusals == []
    assert [one == other for one, other in zip(before, after, strict=True)] == [True] * 8


# SyncCohort, in a program of which every membership has ended, but for those that are set back to active

REGIONS = ["London Region", "South Region", "North Western Region"]


@dataclasses.dataclass
class Reopened:
    """AAA 2013J with every other member of three regions active again, and in no cohort."""

    program: Program
    london: str  # the cohort
    active: set[str]  # the users
    londoners: set[str]  # all users with the label, wherever they are


@pytest.fixture
def reopened(world, client):
    program = Program.get(Program.sourced_id == "AAA-2013J")
    cohorts = {row["name"]: row["id"] for row in client.list_cohorts(program.id)}
    users = []
    for region in REGIONS:
        theirs = Membership.select(Membership.user).where(Membership.cohort == cohorts[region])
        users += [str(row.user_id) for row in theirs.order_by(Membership.user)][::2]
    again = {"programId": program.id, "state": "active", "clear": ["cohortId"]}
    client.batch([("core.ModifyProgramMembership", again | {"userId": user}) for user in users])
    labelled = UserLabel.select(UserLabel.user).join(Label).where(Label.handle == "london-region")
    londoners = {str(row.user_id) for row in labelled}
    return Reopened(program, cohorts["London Region"], set(users), londoners)


def _standings(program):
    """State and cohort of the program's members, by user."""
    rows = Membership.select().where(Membership.program == program.id)
    return {str(row.user_id): (row.state.value, row.cohort_id and str(row.cohort_id)) for row in rows}


def _changed(before, after):
    return {user: standing for user, standing in after.items() if before.get(user) != standing}


@on_a_copy
def test_a_closed_sync_moves_the_active_members_with_the_label_and_nobody_else(client, reopened):
    program, before = reopened.program, _standings(reopened.program)
    sync = {
        "program_id": program.id,
        "cohort_id": reopened.london,
        "query": f"given labels [london-region] ^ given programs [{program.id}]",
        "mode": "closed",
    }

    numbers = [
        client.sync_cohort(**sync, dry_run=True),
        client.sync_cohort(**sync),
        client.sync_cohort(**sync),
    ]

    moved = reopened.active & reopened.londoners
    assert numbers == [18, 18, 0]
    assert _changed(before, _standings(program)) == dict.fromkeys(moved, ("active", reopened.london))


@on_a_copy
def test_an_open_sync_adds_who_was_no_member_and_brings_nobody_back(client, reopened):
    program, before = reopened.program, _standings(reopened.program)
    sync = {
        "program_id": program.id,
        "cohort_id": reopened.london,
        "query": "given labels [london-region]",
        "mode": "open",
    }

    numbers = [
        client.sync_cohort(**sync, dry_run=True),
        client.sync_cohort(**sync),
        client.sync_cohort(**sync),
    ]

    added = reopened.londoners - before.keys()
    moved = reopened.active & reopened.londoners
    assert numbers == [len(added) + len(moved)] * 2 + [0]
    assert (len(moved), len(added)) == (18, 2809)
    assert _changed(before, _standings(program)) == dict.fromkeys(added | moved, ("active", reopened.london))


@on_a_copy
@pytest.mark.parametrize("mode", ["closed", "open"])
def test_a_query_that_finds_nothing_changes_nothing(client, reopened, mode):
    before = _standings(reopened.program), MembershipChange.select().count()

    for query in ("given labels [atlantis]", "given labels [atlantis] ^ given labels [london-region]"):
        found = client.sync_cohort(reopened.program.id, reopened.london, query, mode=mode, unknown="ignore")
        assert found == 0

    assert (_standings(reopened.program), MembershipChange.select().count()) == before
