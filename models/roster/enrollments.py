"""Enrollments: the memberships of an import."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from models.actor import How
from models.memberships import (
    Membership,
    MembershipChange,
    MembershipRole,
    MembershipState,
    Move,
    settle,
)
from models.people import User
from models.programs import Program
from models.roster.cells import BadCell
from models.roster.cohorts import Cohorts
from models.roster.columns import ENROLLMENTS, Column, rank, role, row_id, word
from models.roster.options import Missing
from models.roster.people import Users
from models.roster.roles import Roles
from models.roster.rows import (
    ROWS,
    News,
    Refused,
    Row,
    Step,
    among,
    by_id,
    columns_among,
    dumps,
    rows_among,
    tuples,
)
from models.text import name_key

# What is kept of what a file says of an enrollment.
ENROLLED = "active"
ENDED = "tobedeleted"
MISSING = "missing"  # it stood in no row of a file whose missing rows end


@dataclass(slots=True)
class Said:
    """A file's statement about one user in one class: one row, or several that were merged into one."""

    row: Row
    rows: list[Row]
    program: Program
    user_id: UUID


@dataclass(slots=True)
class Entry:
    """The news about one user in one class, and the membership if there is one."""

    news: News
    said: Said
    membership: Membership | None

    @property
    def cohort(self) -> tuple[UUID, str] | None:
        """The program and folded name of the cohort that is new in the row."""
        key = name_key(self.news.fresh.get("metadata.cohort", ""))
        return (self.said.program.id, key) if key else None

    @property
    def comes_back(self) -> bool:
        """Whether the file says that somebody is enrolled whom the last file did not, or not as enrolled."""
        states = (None, MembershipState.ACTIVE)
        return (
            self.membership is not None
            and self.membership.state is not MembershipState.ACTIVE
            and self.news.fresh.get("status") == ENROLLED
            and self.news.values.get("metadata.state") in states
            and not self.news.row.ours
        )


class Enrollments(Step):
    """Enrollments become memberships.

    All rows about one user and one class are one membership. What they say together is compared with what
    the last file said together.
    """

    file = ENROLLMENTS
    derived = (Column("role", word(MembershipRole), ""), Column(ROWS, str, ""), Column("status", str, ""))
    assumed = {"status": ENROLLED}

    def __init__(self, cohorts: Cohorts, roles: Roles, users: Users, is_delta: bool, *common: Any) -> None:
        super().__init__(*common)
        self._cohorts = cohorts
        self._roles = roles
        self._users = users
        self._is_delta = is_delta  # rows that are missing go on saying what they said
        self._told = 0  # rows refused of which it is known what they are about
        self._arranged: list[Said] | None = None
        self._standing_ids: set[str] = set()  # sourcedIds of rows that were refused
        self._spellings: dict[tuple[UUID, str], str] = {}  # of cohorts, by program and folded name

    # Reading

    def derive(self, row: Row) -> None:
        given = row.given
        self.take_status(row)
        given["status"] = ENDED if row.gone else ENROLLED
        if "role" in given:
            try:
                given["role"] = str(role(given["role"]))
            except BadCell as bad:
                raise Refused("role", bad.code, bad.message, given["role"]) from None

    def arrange(self, rows: list[Row]) -> list[Said]:
        self._cohorts.fetch_programs(rows)
        groups: dict[tuple[str, str], list[Row]] = {}
        for row in self._each_id_once(rows):
            try:
                self._cohorts.program_of(row)
                pair = row.name_in("classSourcedId"), row.name_in("userSourcedId")
            except Refused as refused:
                self.refuse(row, refused, self._cause_of(row))
                continue
            groups.setdefault(pair, []).append(row)
        users = self._users_named({user for _, user in groups})
        self._arranged = [
            self._said(rows, self._cohorts.program_of(rows[0]), users[user])
            for (_, user), rows in groups.items()
        ]
        if len(set(users.values())) < len(users):
            self._arranged = self._of_one_user(self._arranged)
        self._arranged.sort(key=_place)
        self._note_cohorts(self._arranged)
        return self._arranged

    def _users_named(self, names: Collection[str]) -> dict[str, UUID]:
        """The ids of users by what rows call them; those to whom people here gave a sourcedId included."""
        ids = {name: self.ids.of("user", name) for name in names}
        named = self._users.find_named(names)
        if named:
            known = {user_id for (user_id,) in columns_among(User, "id", id=[ids[name] for name in named])}
            ids |= {name: user_id for name, user_id in named.items() if ids[name] not in known}
        return ids

    def _each_id_once(self, rows: list[Row]) -> list[Row]:
        """The rows but those with the id of another one that is about another user or class, and counts."""
        if len({row.sourced_id for row in rows}) == len(rows) and not any(row.ours for row in rows):
            return rows
        best: dict[str, Row] = {}
        for row in rows:
            there = best.get(str(row.id))
            if there is None or row.preference > there.preference:
                best[str(row.id)] = row
        found = []
        for row in rows:
            counts = best[str(row.id)]
            if _pair(row) == _pair(counts):
                found.append(row)
            else:
                message = f"Line {counts.line} has the same id, is about another user or class, and counts."
                self.refuse(row, Refused("sourcedId", "DUPLICATE_ID", message))
        return found

    def _said(self, rows: list[Row], program: Program, user_id: UUID) -> Said:
        row = rows[0]
        if len(rows) > 1:
            row = self._merged(rows)
            self.report.of(self.file.name).merged += len(rows) - 1
        return Said(row, rows, program, user_id)

    def _of_one_user(self, said: list[Said]) -> list[Said]:
        """The same, when several sourcedIds name one user."""
        by_pair: dict[tuple[UUID, UUID], list[Said]] = {}
        for one in said:
            by_pair.setdefault((one.program.id, one.user_id), []).append(one)
        found = []
        for same in by_pair.values():
            first = same[0]
            if len(same) > 1:
                rows = [row for one in same for row in one.rows]
                self.report.of(self.file.name).merged += len(same) - 1
                first = Said(self._merged(rows), rows, first.program, first.user_id)
            found.append(first)
        return found

    def _merged(self, rows: Sequence[Row]) -> Row:
        """One row that says what several say together of one user and one class.

        It is ended only if all are. Its role is the highest and its beginDate the earliest of the rows that
        are not ended, or of all when all are; other cells come from the first of these that has them, rows
        with the higher role and the earlier beginDate first.
        """
        for row in rows:
            self.read_cells(row, row.given)
        pool = (
            [row for row in rows if not _is_ended(row)] or [row for row in rows if not row.gone] or list(rows)
        )
        pool.sort(key=_precedence)
        given: dict[str, str] = {}
        for row in reversed(pool):
            given |= row.given
        for name, choose in (("beginDate", min), ("endDate", max)):
            days = [row.given[name] for row in pool if name in row.given]
            if days:
                given[name] = choose(days)
        if len(rows) > 1:
            each = sorted(rows, key=lambda row: row.preference)
            given[ROWS] = dumps({row.sourced_id: dumps(row.given) for row in each})
        first = pool[0]
        merged = Row(first.line, first.sourced_id, given, first.carried, first.ours, first.gone)
        merged.id = first.id
        return merged

    def _note_cohorts(self, said: Iterable[Said]) -> None:
        """Note how each cohort is spelled: as in the row of the first sourcedId, if it is new."""
        named = [one for one in said if "metadata.cohort" in one.row.given]
        for one in sorted(named, key=lambda one: one.row.sourced_id):
            name = one.row.given["metadata.cohort"]
            if key := name_key(name):
                self._spellings.setdefault((one.program.id, key), name)

    # Storing

    def store(self, said: list[Said]) -> None:
        erased_at = dict(columns_among(User, "id", "erased_at", id={one.user_id for one in said}))
        memberships = {
            (one.program_id, one.user_id): one for one in rows_among(Membership, user_id=erased_at)
        }
        entries = []
        for one in said:
            membership = memberships.get((one.program.id, one.user_id))
            try:
                if one.user_id not in erased_at:
                    raise Refused("userSourcedId", "UNKNOWN_USER", "There is no such user.")
                is_left = erased_at[one.user_id] is not None and not one.row.ours
                news = None if is_left else self._news(one, membership)
                if news is not None and membership is None and one.program.archived:
                    raise Refused("classSourcedId", "PROGRAM_ARCHIVED", "It takes no new members.")
            except Refused as refused:
                for row in one.rows:
                    self.refuse(row, refused, self._cause_of(row))
                self.report.of(self.file.name).merged -= len(one.rows) - 1
                continue
            if news is None:
                self.count(False)
            else:
                entries.append(Entry(news, one, membership))
        entries = self._without_moved(entries)
        names: dict[tuple[UUID, str], dict[str, Any]] = {}
        for entry in entries:
            if cohort := entry.cohort:
                names[cohort] = {"name": self._spellings[cohort]}
        self._cohorts.confirm(names)
        self._settle(entries)

    def _news(self, said: Said, membership: Membership | None) -> News | None:
        """The news about a user in a class; None also when they end a membership that does not exist."""
        if membership is not None and not said.row.ours:
            self._remember(said, membership)
        row = said.row
        if row.gone and membership is None:
            return None
        news = News.of(row, self, membership)
        if (
            news is None
            and membership is not None
            and membership.sourced_id != self._followed(said, membership)
        ):
            return News(row, {}, {}, dict(row.given), {})
        return news

    def _remember(self, said: Said, membership: Membership) -> None:
        """Have the rows of the last file count that are missing in this one.

        They do in a delta. They also do when all that a file says is that other rows are to be deleted,
        unless missing rows end.
        """
        counts = self._is_delta or (said.row.gone and self.options.missing is Missing.KEEP)
        if not counts or membership.imported is None or membership.sourced_id is None:
            return
        there = {row.sourced_id for row in said.rows}
        earlier = [row for row in _rows_kept(membership) if row.sourced_id not in there and not row.gone]
        if earlier:
            said.row = self._merged([*said.rows, *earlier])

    @staticmethod
    def _followed(said: Said, membership: Membership) -> str | None:
        """The sourcedId that a membership goes on with: its own, as long as a row that counts has it."""
        kept = said.row.kept_sourced_id
        if any(row.sourced_id == membership.sourced_id and row.gone == said.row.gone for row in said.rows):
            return membership.sourced_id
        return kept

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
        ended_here = _ended_by_imports([entry.membership for entry in entries if entry.comes_back])
        moves = [self._move(entry, ended_here) for entry in entries]
        noted = []
        for entry, move in zip(entries, moves, strict=True):
            if move.is_real:
                self.report.changes.count(move)
            membership = entry.membership
            if membership is None:
                continue
            self.count(move.is_real)
            sourced_id = self._followed(entry.said, membership)
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

    def _move(self, entry: Entry, ended_here: Collection[UUID]) -> Move:
        news, membership = entry.news, entry.membership
        standing = self._standing_of(entry, ended_here)
        if membership is None:
            move = Membership.begin(entry.said.user_id, entry.said.program, **standing)
            move.membership.id = news.row.id
            move.membership.sourced_id = news.row.kept_sourced_id
            move.membership.imported = news.imported
        else:
            membership.program = entry.said.program
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

    def _standing_of(self, entry: Entry, ended_here: Collection[UUID]) -> dict[str, Any]:
        """Role, state, cohort and date, as far as the file sets them."""
        news, membership = entry.news, entry.membership
        fresh, standing = news.fresh, {}
        for name, attribute in (("role", "role"), ("metadata.state", "state"), ("beginDate", "date")):
            if name in fresh:
                standing[attribute] = fresh[name]
        if membership is None:
            usual = self._roles.usual(news.row.given["userSourcedId"].strip())
            standing = {"role": usual, "date": entry.said.program.start_date} | standing
        elif entry.comes_back and membership.id in ended_here:
            standing["state"] = MembershipState.ACTIVE
        elif entry.comes_back and "metadata.state" not in fresh:
            message = f"The file says enrolled; it stays {membership.state}, since no import ended it."
            self.warn(news.row, Refused("status", "KEPT_AS_IT_IS", message))
        elif (
            news.row.gone
            and "status" in fresh
            and standing.get("state", membership.state) is MembershipState.ACTIVE
        ):
            standing["state"] = MembershipState.WITHDRAWN
        if cohort := entry.cohort:
            standing["cohort_id"] = self._cohorts.ids_by_name[cohort]
        return standing

    # Those who are missing

    def missing(self) -> list[tuple[UUID, UUID]]:
        """The ids of active memberships that no row is about any more, and of their programs.

        None, with a warning, when not all of the file could be read.
        """
        if self._arranged is None:
            return []
        if self.report.of(self.file.name).refused > self._told:
            message = "Rows that cannot be read may be about anybody, so nobody ends by being missing."
            self.report.warn(self.file.name, 1, None, "MISSING_NOT_ENDED", message)
            return []
        standing = {(one.program.id, one.user_id) for one in self._arranged}
        brought = _brought_by(self.ids.source)
        found = [
            (membership_id, program_id)
            for membership_id, program_id, user_id, sourced_id, state, imported in brought
            if state is MembershipState.ACTIVE
            and (program_id, user_id) not in standing
            and sourced_id not in self._standing_ids
            and orjson.loads(imported).get("status", ENROLLED) == ENROLLED
        ]
        return sorted(found, key=lambda one: (str(one[1]), str(one[0])))

    def end_missing(self, missing: Sequence[tuple[UUID, UUID]]) -> None:
        """End memberships that no row is about any more, within a transaction."""
        found = by_id(Membership, [membership_id for membership_id, _ in missing])
        programs = by_id(Program, {program_id for _, program_id in missing})
        moves = []
        for membership in found.values():
            if membership.state is not MembershipState.ACTIVE:
                continue
            membership.program = programs[membership.program_id]
            after = membership.standing._replace(state=MembershipState.WITHDRAWN)
            move = Move(membership, membership.standing, after)
            last = orjson.loads(membership.imported)
            last.pop(ROWS, None)  # none of them counts any more
            membership.imported = dumps(last | {"status": MISSING})
            self.report.changes.count(move)
            moves.append(move)
        counts = self.report.of("missing enrollments")
        counts.updated += len(moves)
        counts.history += settle(moves)
        Membership.update_rows([move.membership for move in moves], "imported")

    # Telling

    def refuse(self, row: Row, refused: Refused, cause: str | None = None) -> None:
        self._told += 1
        self._standing_ids.add(row.sourced_id)
        super().refuse(row, refused, cause)

    def who(self, row: Row) -> str | None:
        return f"{self._called('user', row)} in {self._called('class', row)}"

    def _called(self, kind: str, row: Row) -> str:
        sourced_id = row.given.get(f"{kind}SourcedId", "").strip()
        name = self.ids.names.get((kind, sourced_id))
        return f"{name} ({sourced_id})" if name else sourced_id or "?"

    def _cause_of(self, row: Row) -> str | None:
        """The place at which the class or the user of a row was refused, if it was."""
        for kind, column in (("class", "classSourcedId"), ("user", "userSourcedId")):
            if cause := self.ids.refused.get((kind, row.given.get(column, "").strip())):
                return cause
        return None


def count_active(source: str) -> int:
    """The number of active memberships that a source brought."""
    return sum(state is MembershipState.ACTIVE for *_, state, _ in _brought_by(source))


def _brought_by(source: str) -> list[tuple[Any, ...]]:
    """Id, program, user, sourcedId, state and `imported` of the memberships that a source brought."""
    named = Program.select(Program.id, Program.sourced_id).where(Program.sourced_id.is_null(False))
    programs = [id for id, name in tuples(named) if row_id(source, "class", name) == id]
    names = ("id", "program_id", "user_id", "sourced_id", "state", "imported")
    return [row for row in columns_among(Membership, *names, program_id=programs) if row[-1] is not None]


def _place(said: Said) -> tuple[Any, ...]:
    """The order of storing, in which tickets are used: programs that begin earlier come first."""
    return said.program.start_date, said.row.given["classSourcedId"], said.row.given["userSourcedId"]


def _pair(row: Row) -> tuple[str, str]:
    return row.given.get("classSourcedId", "").strip(), row.given.get("userSourcedId", "").strip()


def _is_ended(row: Row) -> bool:
    return row.gone or row.given.get("metadata.state", MembershipState.ACTIVE) != MembershipState.ACTIVE


def _precedence(row: Row) -> tuple[Any, ...]:
    """Of several rows about one user and class, the least comes first."""
    height = rank(MembershipRole(row.given["role"])) if "role" in row.given else -1
    return -height, row.given.get("beginDate", "9999-12-31"), row.sourced_id, dumps(row.given)


def _rows_kept(membership: Membership) -> Iterator[Row]:
    """The rows of the last file that were about a membership."""
    said = orjson.loads(membership.imported or "{}")
    kept = orjson.loads(said.pop(ROWS)) if ROWS in said else {membership.sourced_id: dumps(said)}
    for sourced_id, text in kept.items():
        given = orjson.loads(text)
        row = Row(0, str(sourced_id), given, {})
        row.id = membership.id
        row.gone = given.setdefault("status", ENROLLED) != ENROLLED
        yield row


def _ended_by_imports(memberships: Sequence[Membership | None]) -> set[UUID]:
    """The ids of those withdrawn memberships whose present state was set by an import."""
    withdrawn = [one for one in memberships if one and one.state is MembershipState.WITHDRAWN]
    if not withdrawn:
        return set()
    Change = MembershipChange
    newest = Membership.select(Membership.last_change_id).where(
        among(Membership.id, [one.id for one in withdrawn])
    )
    chain = Change.of_all(newest)
    query = Change.select(Change.membership, Change.how, Change.from_state, Change.to_state)
    query = query.join(chain, on=(Change.id == chain.c.id)).with_cte(chain).order_by(Change.id)
    how_ended = {id: how for id, how, before, after in tuples(query) if before is not after}
    return {id for id, how in how_ended.items() if how is How.IMPORT}


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
