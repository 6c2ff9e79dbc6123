"""OneRoster out: a set in the layout of OneRoster 1.1, with columns of ours for what that has none for."""

from __future__ import annotations

import contextlib
import csv
import io
import itertools
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import peewee

from models import files
from models.cohorts import Cohort
from models.database import database
from models.identities import RosterId
from models.memberships import Membership, MembershipChange, MembershipRole, MembershipState
from models.people import Label, User, UserLabel, UserRole, UserStatus
from models.programs import Program, ProgramKind
from models.roster.columns import (
    CLASSES,
    COHORTS,
    COURSES,
    ENROLLMENTS,
    LABELS,
    SESSIONS,
    USERS,
    File,
    as_cell,
    as_list,
    row_id,
)
from models.roster.reader import NotARoster
from models.roster.rows import among, tuples

ROWS_AT_ONCE = 1000
ORG = "core-rpc"  # OneRoster has everything belong to an organisation

# The columns of OneRoster 1.1, in its order; ours come after them.
LAYOUT = {
    SESSIONS: "sourcedId status dateLastModified title type startDate endDate parentSourcedId schoolYear",
    COURSES: "sourcedId status dateLastModified schoolYearSourcedId title courseCode grades orgSourcedId"
    " subjects subjectCodes",
    CLASSES: "sourcedId status dateLastModified title grades courseSourcedId classCode classType location"
    " schoolSourcedId termSourcedIds subjects subjectCodes periods",
    LABELS: "handle name sourcedId",
    USERS: "sourcedId status dateLastModified enabledUser orgSourcedIds role username userIds givenName"
    " familyName middleName identifier email sms phone agentSourcedIds grades password",
    COHORTS: "classSourcedId name",
    ENROLLMENTS: "sourcedId status dateLastModified classSourcedId schoolSourcedId userSourcedId role primary"
    " beginDate endDate",
}
ORGS = (
    ("sourcedId", "status", "dateLastModified", "name", "type", "identifier", "parentSourcedId"),
    (ORG, "", "", ORG, "school", "", ""),
)
ABSENT = "categories classResources courseResources demographics lineItems resources results"

ROLES = {
    MembershipRole.MEMBER: "student",
    MembershipRole.TRAINER: "teacher",
    MembershipRole.OBSERVER: "proctor",
}

Cells = Mapping[str, str]
Write = Callable[[str, Iterable[Iterable[str]]], int]


def export_oneroster(path: Path, *, source: str = "default") -> dict[str, int]:
    """Write the connected database as a OneRoster set; returns the number of rows by file.

    `path` is a zip or, if it does not end in .zip, a directory. Rows that came in from `source` keep
    the ids they have there; the others are called by the ids they have here.
    """
    with _zip(path) if path.suffix.lower() == ".zip" else _directory(path) as write, database.atomic():
        names = _Names(source)
        tables: dict[File, Iterable[Cells]] = {
            SESSIONS: _sessions(),
            COURSES: _courses(names),
            CLASSES: _classes(names),
            LABELS: (_cells(label, LABELS) for label in _all(Label)),
            USERS: _users(names),
            COHORTS: _cohorts(names),
            ENROLLMENTS: _enrollments(names),
        }
        write("manifest.csv", _manifest())
        write("orgs.csv", ORGS)
        return {file.name: write(file.name, _table(file, rows)) - 1 for file, rows in tables.items()}


@contextlib.contextmanager
def _zip(path: Path) -> Iterator[Write]:
    """Write a zip, which is there when it is whole."""
    with files.written(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:

        def write(name: str, rows: Iterable[Iterable[str]]) -> int:
            with archive.open(name, "w", force_zip64=True) as member:
                return _write_csv(io.TextIOWrapper(member, "utf-8", newline=""), rows)

        yield write


@contextlib.contextmanager
def _directory(path: Path) -> Iterator[Write]:
    if path.exists() and not path.is_dir():
        raise NotARoster(f"{path} is neither a directory nor named .zip")
    path.mkdir(parents=True, exist_ok=True)

    def write(name: str, rows: Iterable[Iterable[str]]) -> int:
        with files.written(path / name) as file:
            text = io.TextIOWrapper(file, "utf-8", newline="")
            count = _write_csv(text, rows)
            text.detach()
            return count

    yield write


def _write_csv(file: io.TextIOWrapper, rows: Iterable[Iterable[str]]) -> int:
    count = 0

    def counted() -> Iterator[Iterable[str]]:
        nonlocal count
        for row in rows:
            count += 1
            yield row

    csv.writer(file, lineterminator="\r\n").writerows(counted())
    file.flush()
    return count


def _table(file: File, rows: Iterable[Cells]) -> Iterator[list[str]]:
    """The header of a file, then its rows."""
    ours = [column.name for column in file.columns if column.name.startswith("metadata.")]
    header = [*LAYOUT[file].split(), *ours]
    yield header
    for cells in rows:
        yield [cells.get(name, "") for name in header]


def _manifest() -> Iterator[tuple[str, str]]:
    yield "propertyName", "value"
    yield "manifest.version", "1.0"
    yield "oneroster.version", "1.1"
    there = [file.name.removesuffix(".csv") for file in LAYOUT if not file.name.startswith("metadata.")]
    for name in sorted(["orgs", *there]):
        yield f"file.{name}", "bulk"
    for name in ABSENT.split():
        yield f"file.{name}", "absent"
    yield "source.systemName", ORG
    yield "source.systemCode", ORG


class _Names:
    """What rows are called in the set: by their ids in the source that they came from, or by ours."""

    def __init__(self, source: str) -> None:
        self._source = source
        self.kinds = self._of_all(ProgramKind, "course")
        self.programs = self._of_all(Program, "class")
        self._users = {one.user_id: one for one in RosterId.of_source(source).values()}

    def _of_all(self, model: type[Any], kind: str) -> dict[UUID, str]:
        rows = tuples(model.select(model.id, model.sourced_id))
        return {id: self.of(kind, id, sourced_id) for id, sourced_id in rows}

    def of_user(self, user_id: UUID, sourced_id: str | None) -> str:
        known = self._users.get(user_id)
        return self.of("user", user_id, sourced_id) if known is None else known.sourced_id

    def imported(self, user: User) -> str:
        """The cells that the last import of the source gave for a user, as JSON."""
        known = self._users.get(user.id)
        return (user.imported if known is None else known.imported) or ""

    def of(self, kind: str, id: UUID, sourced_id: str | None) -> str:
        if sourced_id is not None and row_id(self._source, kind, sourced_id) == id:
            return sourced_id
        return str(id)


def _chunks(model: type[Any], query: Any = None) -> Iterator[list[Any]]:
    """All rows, by id, so many at a time."""
    query = (model.select() if query is None else query).order_by(model.id).limit(ROWS_AT_ONCE)
    rows = list(query)
    while rows:
        yield rows
        rows = list(query.where(model.id > rows[-1].id))


def _all(model: type[Any]) -> Iterator[Any]:
    return itertools.chain.from_iterable(_chunks(model))


def _cells(row: Any, file: File) -> dict[str, str]:
    """The cells that follow attributes of a row."""
    return {name: as_cell(getattr(row, attribute)) for name, attribute in file.follows}


def _carrying(row: Any, file: File, name: str) -> dict[str, str]:
    """As `_cells`, with all that is needed to make the same row again."""
    empty = [column for column, attribute in file.follows if getattr(row, attribute) == ""]
    if row.sourced_id == "":
        empty.append("metadata.sourcedId")
    return _cells(row, file) | {
        "sourcedId": name,
        "metadata.id": str(row.id),
        "metadata.sourcedId": row.sourced_id or "",
        "metadata.imported": row.imported or "",
        "metadata.empty": as_list(empty),
    }


def _sessions() -> Iterator[Cells]:
    """A term for each time that programs take."""
    times = Program.select(Program.start_date, Program.end_date).distinct()
    for start, end in tuples(times.order_by(Program.start_date, Program.end_date)):
        yield {
            "sourcedId": _term(start, end),
            "title": f"{start} to {end}",
            "type": "term",
            "startDate": as_cell(start),
            "endDate": as_cell(end + timedelta(days=1) if end < date.max else end),
            "schoolYear": str(end.year),
        }


def _term(start: date, end: date) -> str:
    return f"{start}_{end}"


def _courses(names: _Names) -> Iterator[Cells]:
    for kind in _all(ProgramKind):
        yield _carrying(kind, COURSES, names.kinds[kind.id]) | {
            "orgSourcedId": ORG,
            "metadata.parent": names.kinds.get(kind.parent_id, ""),
            "metadata.archived": as_cell(kind.archived),
        }


def _classes(names: _Names) -> Iterator[Cells]:
    for program in _all(Program):
        name = names.programs[program.id]
        yield _carrying(program, CLASSES, name) | {
            "courseSourcedId": names.kinds[program.kind_id],
            "classCode": name,
            "classType": "scheduled",
            "schoolSourcedId": ORG,
            "termSourcedIds": _term(program.start_date, program.end_date),
            "metadata.duration": str(program.duration),
            "metadata.parent": names.programs.get(program.parent_id, ""),
            "metadata.archived": as_cell(program.archived),
        }


def _users(names: _Names) -> Iterator[Cells]:
    for users in _chunks(User):
        labels = UserLabel.handles_by_user(users)
        trainers = _trainers(users)
        for user in users:
            name = names.of_user(user.id, user.sourced_id)
            role = "teacher" if user.id in trainers else "student"
            yield _carrying(user, USERS, name) | {
                "metadata.imported": names.imported(user),
                "enabledUser": as_cell(user.status is UserStatus.ACTIVE),
                "orgSourcedIds": ORG,
                "role": "administrator" if user.role is UserRole.ADMIN else role,
                "username": user.email or name,
                "metadata.labels": as_list(labels.get(user.id, [])),
            }


def _trainers(users: list[User]) -> set[UUID]:
    found = Membership.select(Membership.user).distinct()
    found = found.where(
        among(Membership.user, [user.id for user in users]), Membership.role == MembershipRole.TRAINER
    )
    return {id for (id,) in tuples(found)}


def _cohorts(names: _Names) -> Iterator[Cells]:
    for cohort in _all(Cohort):
        yield _cells(cohort, COHORTS) | {"classSourcedId": names.programs[cohort.program_id]}


def _enrollments(names: _Names) -> Iterator[Cells]:
    query = Membership.select(Membership, User.id, User.sourced_id, Cohort.id, Cohort.name)
    query = query.join(User).join_from(Membership, Cohort, peewee.JOIN.LEFT_OUTER)
    for memberships in _chunks(Membership, query):
        latest = _latest_changes(memberships)
        for one in memberships:
            changed_at, ended_on, effective_date = latest[one.id]
            yield _carrying(one, ENROLLMENTS, names.of("enrollment", one.id, one.sourced_id)) | {
                "classSourcedId": names.programs[one.program_id],
                "schoolSourcedId": ORG,
                "userSourcedId": names.of_user(one.user_id, one.user.sourced_id),
                "role": ROLES[one.role],
                "primary": "false",
                "beginDate": as_cell(one.date),
                "endDate": as_cell(ended_on),
                "metadata.state": one.state,
                "metadata.cohort": as_cell(one.cohort and one.cohort.name),
                "metadata.changedAt": as_cell(changed_at),
                "metadata.effectiveDate": as_cell(effective_date),
            }


def _latest_changes(
    memberships: list[Membership],
) -> dict[UUID, tuple[datetime, date | None, date | None]]:
    """When each last changed; since when it is in its state, if that is an ended one, as far as we know,
    and as a roster said."""
    found: dict[UUID, tuple[datetime, date | None, date | None]] = {}
    Change = MembershipChange
    query = Change.select(
        Change.membership, Change.at, Change.effective_date, Change.from_state, Change.to_state
    )
    newest = Membership.select(Membership.last_change_id)
    chain = Change.of_all(newest.where(among(Membership.id, [one.id for one in memberships])))
    query = query.join(chain, on=(Change.id == chain.c.id)).with_cte(chain)
    query = query.order_by(Change.membership, chain.c.age.desc())
    for id, at, effective_date, before, after in tuples(query):
        if after is MembershipState.ACTIVE:
            found[id] = at, None, None
        elif before is not after:
            found[id] = at, effective_date or at.date(), effective_date
        else:
            found[id] = at, *found[id][1:]
    return found
