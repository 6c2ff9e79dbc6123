"""The order of rows and files means nothing, and neither do the pieces in which rows are stored.

Hypothesis makes up some nights of one source: drops, returns, terms, swapped and shared addresses, double
roles, double rows, trees of courses, tickets and people's own changes. Each night is imported twice into
each of two databases: as it is and in one piece, and with its rows and files shuffled and in small pieces.
What is stored and what is reported must be equal, and the second import changes nothing.
`--hypothesis-profile=long -o faulthandler_timeout=0` looks longer.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import zipfile
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models import clock
from models.cohorts import Cohort
from models.database import configure, database, writing
from models.errors import Conflict
from models.identities import RosterId
from models.memberships import Membership, MembershipState
from models.people import User, UserStatus
from models.programs import Program, ProgramKind
from models.roster import Options, import_oneroster
from models.roster.options import Match, Missing
from models.tickets import Ticket

USERS, CLASSES, COURSES = ("ann", "ben", "cid", "dan"), ("a1", "a2", "b1"), ("alg", "bio", "all")
EMAILS = ("", "x@example.org", "Y@example.org", "z@example.org", "shop@example.org", "n/a")
DAYS = ("", "2026-02-01", "2026-02-10", "2026-03-01")

status = st.sampled_from(("", "", "", "active", "tobedeleted", "inactive", "gone"))


def row_of(*cells):
    return st.tuples(*cells).map(",".join)


def rows_of(row, least, most):
    return st.lists(row, min_size=least, max_size=most)


USER = row_of(
    st.sampled_from(USERS),
    status,
    st.sampled_from(("Ann", "Ben", "")),
    st.sampled_from(EMAILS),
    st.sampled_from(("", "vip", " VIP", "new")),
    st.sampled_from(("", "2026-01-01", "2026-01-02")),
)
ENROLLMENT = row_of(
    st.sampled_from([f"e{number}" for number in range(8)]),
    status,
    st.sampled_from(CLASSES),
    st.sampled_from((*USERS, "shop", "nobody")),
    st.sampled_from(("student", "student", "teacher", "guardian", "", "wizard")),
    st.sampled_from(DAYS),
    st.sampled_from(("", "2026-03-05", "soon")),
    st.sampled_from(("", "", "", "completed", "withdrawn", "active", "CA")),
    st.sampled_from(("", "Monday", "MONDAY ", "Tuesday")),
)
COURSE = row_of(
    st.sampled_from(COURSES), status, st.sampled_from(("A", "B", "")), st.sampled_from(("", *COURSES))
)
CLASS = row_of(
    st.sampled_from(CLASSES),
    status,
    st.sampled_from(("Class", "Lesson", "")),
    st.sampled_from((*COURSES, "", "none")),
    st.sampled_from(("spring", "summer", "none", "")),
)
ROLE = row_of(
    st.sampled_from(USERS), st.sampled_from(("primary", "")), st.sampled_from(("teacher", "aide", "boss"))
)
SURE_CLASSES = ["a1,,One,alg,spring", "a2,,Two,alg,summer", "b1,,Bio,bio,spring"]

HEADERS = {
    "academicSessions.csv": "sourcedId,startDate,endDate",
    "courses.csv": "sourcedId,status,title,metadata.parent",
    "classes.csv": "sourcedId,status,title,courseSourcedId,termSourcedIds",
    "users.csv": "sourcedId,status,givenName,email,metadata.labels,dateLastModified",
    "roles.csv": "userSourcedId,roleType,role",
    "enrollments.csv": "sourcedId,status,classSourcedId,userSourcedId,role,beginDate,endDate,metadata.state,"
    "metadata.cohort",
}
NIGHT = st.fixed_dictionaries(
    {
        "academicSessions.csv": st.just(["spring,2026-02-01,2026-05-01", "summer,2026-04-01,2026-08-01"]),
        "courses.csv": st.one_of(st.just(["alg,,Algebra,", "bio,,Biology,"]), rows_of(COURSE, 0, 5)),
        "classes.csv": st.one_of(st.just(SURE_CLASSES), rows_of(CLASS, 0, 5)),
        "users.csv": rows_of(USER, 2, 7),
        "enrollments.csv": rows_of(ENROLLMENT, 0, 14),
    },
    optional={"roles.csv": rows_of(ROLE, 0, 4)},
)
CHANGE = st.one_of(
    st.none(),
    st.tuples(st.sampled_from(USERS), st.sampled_from(CLASSES), st.sampled_from(tuple(MembershipState))),
    st.tuples(st.sampled_from(USERS), st.sampled_from(tuple(UserStatus))),
)
PLAN = st.lists(
    st.tuples(NIGHT, CHANGE, st.sampled_from(tuple(Missing)), st.booleans()), min_size=1, max_size=3
)


@pytest.fixture
def two_databases(world, templates, tmp_path):
    """Two new databases, each with a buyer whom a shop made; connects one of them."""
    paths = [tmp_path / "one.db", tmp_path / "two.db"]

    def begin():
        for path in paths:
            for file in tmp_path.glob(f"{path.name}*"):
                file.unlink()
            shutil.copy(templates["empty"].path, path)
            use(paths.index(path))
            with writing():
                User.put(UUID(int=1), email="shop@example.org")
                User.put(UUID(int=2), email="x@example.org", first="Xenia")
                User.put(UUID(int=3), sourced_id="shop")
        return use

    def use(number):
        database.close()
        configure(f"sqlite:///{paths[number]}")
        database.connect()

    yield begin
    database.close()
    configure(world.url)
    database.connect()


def carry_out(path, night, options, order=None):
    with zipfile.ZipFile(path, "w") as archive:
        files = [*night.items()]
        if order is not None:
            order.shuffle(files)
        for name, rows in files:
            rows = [*rows]
            if order is not None:
                order.shuffle(rows)
            archive.writestr(name, "\n".join([HEADERS[name], *rows]))
    return import_oneroster(path, options)


def sell_to(email):
    """What a shop does between two nights: it sells a place of each kind, and is told where it cannot."""
    for kind in ProgramKind.select().order_by(ProgramKind.id):
        with contextlib.suppress(Conflict), writing():
            Ticket.buy(None, email, kind.id)


def change_by_hand(change):
    """What a person does between two nights, and is told where it cannot be."""
    with contextlib.suppress(Conflict), writing():
        users = list(User.select().where(User.sourced_id == change[0]))
        for user in users:
            if len(change) == 2:
                user.edit(status=change[1])
                continue
            for program in Program.select().where(Program.sourced_id == change[1]):
                membership = Membership.find(program_id=program.id, user_id=user.id)
                if membership is not None:
                    Membership.put(user.id, program, state=change[2])


def stored():
    """All that is stored but ids of ours and moments."""
    names = {user.id: user.sourced_id or user.email for user in User.select()}
    cohorts = {cohort.id: cohort.name for cohort in Cohort.select()}
    users = list(User.select())
    User.fetch_handles(users)

    def told(standing):
        return standing and (standing.role, standing.state, cohorts.get(standing.cohort_id), standing.date)

    memberships = [
        (
            names[one.user_id],
            str(one.program_id),
            str(one.id),
            one.sourced_id,
            one.imported,
            told(one.standing),
            [(each.how, told(each.before), told(each.after), each.effective_date) for each in one.history()],
        )
        for one in Membership.select()
    ]
    return {
        "users": sorted(
            repr((names[one.id], one.first, one.email, one.status, one.labels, one.imported)) for one in users
        ),
        "roster ids": sorted(
            repr((one.sourced_id, names[one.user_id], one.imported)) for one in RosterId.select()
        ),
        "kinds": sorted(
            repr((str(one.id), one.name, one.sourced_id, str(one.parent_id), one.archived, one.imported))
            for one in ProgramKind.select()
        ),
        "programs": sorted(
            repr((str(one.id), one.name, one.start_date, one.duration, one.archived, one.imported))
            for one in Program.select()
        ),
        "cohorts": sorted(repr((str(one.program_id), one.name)) for one in Cohort.select()),
        "memberships": sorted(map(repr, memberships)),
        "tickets": sorted(
            repr((one.email, names.get(one.user_id), one.state, str(one.program_id)))
            for one in Ticket.select()
        ),
    }


def told(report):
    """What a report says but lines, which are those of the order of rows."""
    findings = [
        (
            one.file,
            one.sourced_id,
            one.field,
            one.cell,
            one.code,
            one.who,
            re.sub(r"\d+", "#", f"{one.message} {one.cause}"),
        )
        for one in [*report.refusals, *report.warnings]
    ]
    return report.counts, report.changes, report.sums, sorted(map(repr, findings))


@given(
    plan=PLAN,
    order=st.randoms(use_true_random=False),
    pieces=st.integers(1, 9),
    match=st.sampled_from(Match),
)
@settings(deadline=None, suppress_health_check=list(HealthCheck))
def test_the_order_of_rows_and_files_and_the_pieces_mean_nothing(
    two_databases, tmp_path, plan, order, pieces, match
):
    use = two_databases()
    clock.set_to(datetime(2026, 3, 10, 12, tzinfo=UTC))
    path = tmp_path / "set.zip"
    for night, change, missing, sells in plan:
        seen = []
        for number, (rows_at_once, turn) in enumerate([(400, None), (pieces, order)]):
            use(number)
            if sells:
                sell_to("x@example.org")
            options = Options(missing=missing, match=match, rows_at_once=rows_at_once)
            first = told(carry_out(path, night, options, turn))
            after = stored()
            again = carry_out(path, night, options, turn)
            assert stored() == after
            assert (again.changes.total, again.total.history, again.total.updated) == (0, 0, 0)
            if change is not None:
                change_by_hand(change)
            seen.append((first, after))
        assert seen[0][0] == seen[1][0]
        assert seen[0][1] == seen[1][1]
    clock.set_to(None)
