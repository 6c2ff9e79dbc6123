"""Enrollments: the cohorts and memberships of an import."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from models.cohorts import Cohort, name_key
from models.memberships import Membership, MembershipRole, MembershipState, Move, settle
from models.people import User
from models.programs import Program
from models.roster.columns import COHORTS, ENROLLMENTS, Column, role, word
from models.roster.people import Roles
from models.roster.rows import (
    News,
    Refused,
    Row,
    Step,
    by_id,
    columns_among,
    missing,
    read_cell,
    rows_among,
    without_taken_ids,
)


class Cohorts(Step):
    """Cohorts, those of a file that we wrote and those that enrollments name."""

    file = COHORTS

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self.ids_by_name: dict[tuple[UUID, str], UUID] = {}  # by program and folded name
        self._programs: dict[str, Program] = {}  # by the sourcedId of the class

    def store(self, rows: list[Row]) -> None:
        self.fetch_programs(rows)
        wanted: dict[tuple[UUID, str], dict[str, Any]] = {}
        for row in rows:
            try:
                values = {name: read_cell(self.columns[name], cell) for name, cell in row.given.items()}
                program = self.program_of(row)
                key = name_key(values.get("name", ""))
                if not key:
                    raise missing("name")
            except Refused as refused:
                self.refuse(row, refused)
                continue
            self.count(False)
            attributes = ((self.columns[name].attribute, value) for name, value in values.items())
            wanted.setdefault((program.id, key), {name: value for name, value in attributes if name})
        self.confirm(wanted)

    def confirm(self, wanted: Mapping[tuple[UUID, str], Mapping[str, Any]]) -> None:
        """Know the ids of the cohorts with these programs and folded names; those missing are made."""
        unknown = [pair for pair in wanted if pair not in self.ids_by_name]
        if not unknown:
            return
        programs, keys = map(set, zip(*unknown, strict=True))
        found = columns_among(Cohort, "program_id", "name_key", "id", program_id=programs, name_key=keys)
        self.ids_by_name.update(((program, key), cohort) for program, key, cohort in found)
        absent = [pair for pair in unknown if pair not in self.ids_by_name]
        made = [Cohort(program=pair[0], name_key=pair[1], **wanted[pair]) for pair in absent]
        without_taken_ids(Cohort, made)
        Cohort.insert_rows(made)
        self.ids_by_name.update(((row.program_id, row.name_key), row.id) for row in made)
        self.report.of("cohorts").created += len(made)

    def fetch_programs(self, rows: Iterable[Row]) -> None:
        """Know the programs of the classes that rows name."""
        names = {row.given.get("classSourcedId", "").strip() for row in rows}
        ids = {name: self.ids.of("class", name) for name in names - self._programs.keys()}
        found = by_id(Program, ids.values())
        self._programs.update({name: found[id] for name, id in ids.items() if id in found})

    def program_of(self, row: Row) -> Program:
        program = self._programs.get(row.name_in("classSourcedId"))
        if program is None:
            raise Refused("classSourcedId", "UNKNOWN_CLASS", "There is no such class.")
        return program


@dataclass(slots=True)
class Entry:
    """An enrollment with what it is of: a user, a program, and the membership if there is one."""

    news: News
    program: Program
    user_id: UUID
    membership: Membership | None

    @property
    def cohort(self) -> tuple[UUID, str] | None:
        """The program and folded name of the cohort that is new in the row."""
        key = name_key(self.news.fresh.get("metadata.cohort", ""))
        return (self.program.id, key) if key else None


class Enrollments(Step):
    """Enrollments become memberships."""

    file = ENROLLMENTS
    derived = (Column("role", word(MembershipRole), ""),)

    def __init__(self, cohorts: Cohorts, roles: Roles, *common: Any) -> None:
        super().__init__(*common)
        self._cohorts = cohorts
        self._roles = roles
        self._enrolled: set[tuple[UUID, UUID]] = set()  # programs and users in this file

    def derive(self, row: Row) -> None:
        given = row.given
        if row.take_status() is not None:
            given["status"] = "tobedeleted" if row.gone else "active"
        if "role" in given:
            given["role"] = str(role(given["role"]))

    def store(self, rows: list[Row]) -> None:
        self._cohorts.fetch_programs(rows)
        users = [self.ids.of("user", row.given.get("userSourcedId", "").strip()) for row in rows]
        erased_at = dict(columns_among(User, "id", "erased_at", id=set(users)))
        memberships = {
            (one.program_id, one.user_id): one for one in rows_among(Membership, user_id=erased_at)
        }
        entries = []
        for row, user_id in zip(rows, users, strict=True):
            try:
                program = self._cohorts.program_of(row)
                row.name_in("userSourcedId")
                if user_id not in erased_at:
                    raise Refused("userSourcedId", "UNKNOWN_USER", "There is no such user.")
                membership = memberships.get((program.id, user_id))
                is_left = erased_at[user_id] is not None and not row.ours
                news = None if is_left else self._news(row, membership)
                if not row.gone:
                    self._enroll(program.id, user_id)
                if news is not None and membership is None and program.archived:
                    raise Refused("classSourcedId", "PROGRAM_ARCHIVED", "It takes no new members.")
            except Refused as refused:
                self.refuse(row, refused)
                continue
            if news is None:
                self.count(False)
            else:
                entries.append(Entry(news, program, user_id, membership))
        entries = self._without_moved(entries)
        names: dict[tuple[UUID, str], dict[str, Any]] = {}
        for entry in entries:
            if cohort := entry.cohort:
                names.setdefault(cohort, {"name": entry.news.fresh["metadata.cohort"]})
        self._cohorts.confirm(names)
        self._settle(entries)

    def _news(self, row: Row, membership: Membership | None) -> News | None:
        """What is new in a row; None also when it asks to end what is not there or goes on as another."""
        if row.gone and (membership is None or membership.sourced_id not in (None, row.kept_sourced_id)):
            return None
        news = News.of(row, self.columns, membership)
        if news is None and membership is not None and membership.sourced_id != row.kept_sourced_id:
            return News(row, {}, {}, dict(row.given), {})
        return news

    def _enroll(self, program_id: UUID, user_id: UUID) -> None:
        """Note that a row of the file is about this user and program. Refused: another one was."""
        if (program_id, user_id) in self._enrolled:
            message = "An earlier row has the same user and class."
            raise Refused("userSourcedId", "DUPLICATE_ENROLLMENT", message)
        self._enrolled.add((program_id, user_id))

    def _without_moved(self, entries: Sequence[Entry]) -> list[Entry]:
        """Refuse enrollments that were of another user or class: memberships stay what they are of."""
        new = [entry.news.row.id for entry in entries if entry.membership is None]
        taken = {id for (id,) in columns_among(Membership, "id", id=new)}
        for entry in entries:
            if entry.membership is None and entry.news.row.id in taken:
                message = "It was of another user or class; another one needs another sourcedId."
                self.refuse(entry.news.row, Refused("sourcedId", "ENROLLMENT_IS_FIXED", message))
        return [entry for entry in entries if entry.membership is not None or entry.news.row.id not in taken]

    def _settle(self, entries: Sequence[Entry]) -> None:
        """Carry out all that the entries say of their memberships."""
        moves = [self._move(entry) for entry in entries]
        noted = []
        for entry, move in zip(entries, moves, strict=True):
            membership = entry.membership
            if membership is None:
                continue
            self.count(move.is_real)
            sourced_id = entry.news.row.kept_sourced_id
            if entry.news.note(membership) or membership.sourced_id != sourced_id:
                membership.sourced_id = sourced_id
                noted.append(membership)
        counts = self.report.of(self.file.name)
        counts.created += sum(entry.membership is None for entry in entries)
        counts.history += settle(moves)
        Membership.update_rows(noted, "imported", "sourced_id")
        _date_back(
            (move.membership, entry.news)
            for entry, move in zip(entries, moves, strict=True)
            if entry.news.carried
        )

    def _move(self, entry: Entry) -> Move:
        news, membership = entry.news, entry.membership
        standing = self._standing(entry)
        if membership is None:
            move = Membership.begin(entry.user_id, entry.program, **standing)
            move.membership.id = news.row.id
            move.membership.sourced_id = news.row.kept_sourced_id
            move.membership.imported = news.imported
        else:
            membership.program = entry.program
            after = membership.standing._replace(**standing)
            move = Move(membership, membership.standing, after)
        move.comments = news.fresh.get("metadata.comments")
        move.state_detail = news.fresh.get("metadata.stateDetail")
        if membership is not None:  # what was said last is not said again
            if move.comments == (membership.comments or ""):
                move.comments = None
            if move.state_detail == (membership.state_detail or ""):
                move.state_detail = None
        move.stored_at = news.carried.get("metadata.changedAt")
        move.effective_date = _effective_date(news, move)
        return move

    def _standing(self, entry: Entry) -> dict[str, Any]:
        """What a row sets of role, state, cohort and date."""
        news, membership = entry.news, entry.membership
        fresh, standing = news.fresh, {}
        for name, attribute in (("role", "role"), ("metadata.state", "state"), ("beginDate", "date")):
            if name in fresh:
                standing[attribute] = fresh[name]
        if membership is None:
            usual = role(self._roles.usual(news.row.given["userSourcedId"].strip()))
            standing = {"role": usual, "date": entry.program.start_date} | standing
        elif (
            news.row.gone
            and "status" in fresh
            and standing.get("state", membership.state) is MembershipState.ACTIVE
        ):
            standing["state"] = MembershipState.WITHDRAWN
        if cohort := entry.cohort:
            standing["cohort_id"] = self._cohorts.ids_by_name[cohort]
        return standing


def _effective_date(news: News, move: Move) -> date | None:
    """The day on which it happened, where the file says so: of an end."""
    if "metadata.changedAt" in news.carried:
        return news.carried.get("metadata.effectiveDate")
    ends = move.before is None or move.before.state is not move.after.state
    return news.values.get("endDate") if ends and move.after.state is not MembershipState.ACTIVE else None


def _date_back(restored: Iterable[tuple[Membership, News]]) -> None:
    """Give new memberships the times that a file which we wrote carries."""
    dated = [(row, news.carried) for row, news in restored if "metadata.createdAt" in news.carried]
    for row, carried in dated:
        row.created_at = carried["metadata.createdAt"]
        row.updated_at = carried.get("metadata.updatedAt", row.created_at)
    Membership.update_rows([row for row, _ in dated], "created_at", "updated_at")
