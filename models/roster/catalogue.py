"""Terms, courses and classes: the kinds and programs of an import."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from models import clock
from models.cohorts import name_key
from models.errors import ModelError
from models.programs import DURATION_AT_MOST, Program, ProgramKind, end_of
from models.roster.columns import ARCHIVED, CLASSES, COURSES, DURATION, SESSIONS, Column, day, flag
from models.roster.rows import (
    News,
    Refused,
    Row,
    Step,
    assign,
    by_id,
    columns_among,
    dumps,
    missing,
    read_cell,
    tuples,
)
from models.text import NAME

_ARCHIVED = Column("archived", flag, "", "archived")
_DAYS = (Column("startDate", day, ""), Column("endDate", day, ""))
_DATED = {column.name: column for column in (*_DAYS, DURATION)}


class Sessions(Step):
    """Terms, remembered for the classes; nothing of them is stored."""

    file = SESSIONS

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self.days: dict[str, tuple[date, date]] = {}
        self.are_given = False

    def derive(self, row: Row) -> None:
        self.are_given = True
        self.take_status(row)

    def arrange(self, rows: list[Row]) -> Sequence[Row]:
        rows = self.each_once(rows)
        for row in rows:
            if row.gone:
                continue
            start, end = (self._day_in(row, name) for name in ("startDate", "endDate"))
            if start is not None and end is not None:
                if start < end:
                    self.days[row.sourced_id] = start, end
                    continue
                message = "Must be after startDate: it is the day after the last."
                self.warn(row, Refused("endDate", "BAD_DATE", message))
            self.ids.refused[self.file.kind, row.sourced_id] = f"{self.file.name}, line {row.line}"
        return rows

    def _day_in(self, row: Row, name: str) -> date | None:
        """A day that a term needs; None, with a warning, when there is none."""
        if name not in row.given:
            self.warn(row, missing(name))
        return self.read(row, name)


class _InTree(Step):
    """A file of rows that may have a parent in the same file."""

    derived: tuple[Column, ...] = (_ARCHIVED,)
    assumed = {"archived": "false"}
    model: type[Any]
    own_ancestor: str  # the code for a parent that descends from the row

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self._parents: dict[UUID, UUID] = {}  # which the file gives, by the id of the row
        self._moved: dict[UUID, UUID] = {}  # the part of these that rows get who are here already

    def derive(self, row: Row) -> None:
        self.take_status(row)
        archived = self.read(row, ARCHIVED.name)
        row.given.pop(ARCHIVED.name, None)
        row.given["archived"] = "true" if (row.gone if archived is None else archived) else "false"

    def who(self, row: Row) -> str | None:
        return row.given.get("title")

    def arrange(self, rows: list[Row]) -> list[Row]:
        rows = self.each_once(rows)
        for row in rows:
            if title := self.who(row):
                self.ids.names[self.file.kind, row.sourced_id] = title
        self._decide_parents(rows)
        return _parents_first(rows, self._parents)

    def _decide_parents(self, rows: list[Row]) -> None:
        """Find the parents that rows name; those that are unknown, or below the row, are warned of.

        It is looked at the tree as it becomes, so that rows may change places.
        """
        by_row_id = {row.id: row for row in rows}
        wanted = {row.id: self.ids.of(self.file.kind, name) for row in rows if (name := _parent_name(row))}
        there = dict(columns_among(self.model, "id", "imported", id={*by_row_id, *wanted.values()}))
        for row_id, parent_id in wanted.items():
            row = by_row_id[row_id]
            if parent_id in there or (parent_id in by_row_id and not by_row_id[parent_id].gone):
                self._parents[row_id] = parent_id
            else:
                self._leave_out_parent(row, self._unknown_parent(), self._cause_of_parent(row))
        tree = dict(
            tuples(
                self.model.select(self.model.id, self.model.parent).where(self.model.parent.is_null(False))
            )
        )
        fresh = {
            row_id: parent_id
            for row_id, parent_id in self._parents.items()
            if self._is_fresh(by_row_id[row_id], there.get(row_id))
        }
        while circle := _in_circles(tree | fresh):
            for row_id in circle & fresh.keys():
                del fresh[row_id], self._parents[row_id]
                refused = Refused("metadata.parent", self.own_ancestor, "It descends from the row.")
                self._leave_out_parent(by_row_id[row_id], refused)
        self._moved = {
            row_id: parent_id
            for row_id, parent_id in fresh.items()
            if row_id in there and parent_id in there and tree.get(row_id) != parent_id
        }

    @staticmethod
    def _is_fresh(row: Row, imported: str | None) -> bool:
        last = orjson.loads(imported) if imported else {}
        return last.get("metadata.parent") != row.given["metadata.parent"]

    def _leave_out_parent(self, row: Row, refused: Refused, cause: str | None = None) -> None:
        self.warn(row, refused, cause)
        del row.given["metadata.parent"]

    def _cause_of_parent(self, row: Row) -> str | None:
        return self.ids.refused.get((self.file.kind, _parent_name(row)))

    def _unknown_parent(self) -> Refused:
        noun = self.file.kind
        return Refused("metadata.parent", f"UNKNOWN_{noun.upper()}", f"There is no such {noun}.")

    def begin(self) -> None:
        """Move rows below others that are here already, all at once: no circle is there in between."""
        for row in by_id(self.model, self._moved).values():
            row.change(parent_id=self._moved[row.id])

    def new_parent(self, row: Row, known: Collection[UUID]) -> UUID | None:
        """The parent of a new row; None, with a warning, when that did not go in."""
        parent_id = self._parents.get(row.id)
        if parent_id is not None and parent_id not in known:
            self._leave_out_parent(row, self._unknown_parent(), self._cause_of_parent(row))
            return None
        return parent_id

    def move_below(self, news: News, there: ProgramKind | Program, known: Collection[UUID]) -> bool:
        """Give an old row the parent that is news; False: it is not, or it has it."""
        if there.id in self._moved:
            return True
        if "metadata.parent" not in news.fresh:
            return False
        parent_id = self.new_parent(news.row, known)
        return parent_id is not None and there.change(parent_id=parent_id)

    def parents_in(self, rows: Iterable[Row]) -> Iterator[UUID]:
        """The ids of the rows and of their parents."""
        for row in rows:
            yield row.id
            if row.id in self._parents:
                yield self._parents[row.id]


class Courses(_InTree):
    """Courses become kinds."""

    file = COURSES
    model = ProgramKind
    own_ancestor = "PROGRAM_KIND_OWN_ANCESTOR"
    are_given = False

    def derive(self, row: Row) -> None:
        self.are_given = True
        super().derive(row)

    def store(self, rows: Sequence[Row]) -> None:
        found = by_id(ProgramKind, self.parents_in(rows))
        self._make([row for row in rows if row.id not in found], found)
        self._change([row for row in rows if row.id in found], found)

    def _make(self, rows: list[Row], found: Mapping[UUID, ProgramKind]) -> None:
        made: dict[UUID, ProgramKind] = {}
        now = clock.now()
        for news in self.news(rows, {}):
            if not news.values.get("title", "").strip():
                self.refuse(news.row, missing("title"))
                continue
            parent_id = self.new_parent(news.row, {*found, *made})
            values = news.attributes(self.columns) | news.identity(now, self.columns)
            made[news.row.id] = ProgramKind(**values, parent=parent_id)
        ProgramKind.insert_rows(list(made.values()))
        self.report.of(self.file.name).created += len(made)

    def _change(self, rows: list[Row], found: Mapping[UUID, ProgramKind]) -> None:
        changed = []
        known = by_id(ProgramKind, self.parents_in(rows))
        for news in self.news(rows, found):
            kind = found[news.row.id]
            moved = self.move_below(news, kind, known)
            real = assign(kind, news.attributes(self.columns))
            if real:
                kind.updated_at = clock.now()
            if news.note(kind) or real:
                changed.append(kind)
            self.count(real or moved)
        followed = self.file.attributes | {"archived", "updated_at", "imported"}
        ProgramKind.update_rows(changed, *followed)


class Classes(_InTree):
    """Classes with their terms become programs."""

    file = CLASSES
    model = Program
    derived = (_ARCHIVED, *_DAYS)
    own_ancestor = "PROGRAM_OWN_ANCESTOR"

    def __init__(self, sessions: Sessions, courses: Courses, *common: Any) -> None:
        super().__init__(*common)
        self._sessions = sessions
        self._courses = courses
        self._titles: dict[UUID, str] = {}  # of kinds that may have to be made, by their ids
        # Whether that changes what was here before, and whether it is kept as imported.
        self._to_archive: dict[UUID, tuple[bool, bool]] = {}

    def derive(self, row: Row) -> None:
        super().derive(row)
        terms = self.read(row, "termSourcedIds") or []
        days = [self._sessions.days[term] for term in terms if term in self._sessions.days]
        # Some terms without the others would say another time than is meant.
        if days and len(days) == len(terms):
            row.given["startDate"] = min(start for start, _ in days).isoformat()
            row.given["endDate"] = max(end for _, end in days).isoformat()

    def arrange(self, rows: list[Row]) -> list[Row]:
        rows = super().arrange(rows)
        for row in rows:
            if (title := row.given.get("title", "").strip()) and len(title) <= NAME:
                kind_id = self._kind_id(row)
                self._titles[kind_id] = min(title, self._titles.get(kind_id, title))
        return rows

    def store(self, rows: Sequence[Row]) -> None:
        found = by_id(Program, self.parents_in(rows))
        self._make([row for row in rows if row.id not in found], found)
        self._change([row for row in rows if row.id in found], found)

    def _make(self, rows: list[Row], found: Mapping[UUID, Program]) -> None:
        kinds = by_id(ProgramKind, [self._kind_id(row) for row in rows])
        made: dict[UUID, Program] = {}
        new_kinds: dict[UUID, ProgramKind] = {}
        for news in self.news(rows, {}):
            try:
                kind = self._kind_of(news.row, kinds | new_kinds)
                program = self._new(news, kind)
            except Refused as refused:
                self.refuse(news.row, refused, self._cause_of(news.row, refused))
                continue
            program.parent_id = self.new_parent(news.row, {*found, *made})
            made[news.row.id] = program
            if kind.id not in kinds:
                new_kinds[kind.id] = kind
        ProgramKind.insert_rows(list(new_kinds.values()))
        Program.insert_rows(list(made.values()))
        self.report.of(self.file.name).created += len(made)
        if new_kinds:
            self.report.of("kinds").created += len(new_kinds)

    def _kind_of(self, row: Row, kinds: Mapping[UUID, ProgramKind]) -> ProgramKind:
        """The kind of a new program. Where no course can be known, it is one of the class's own title."""
        kind_id = self._kind_id(row)
        if kind_id in kinds:
            return kinds[kind_id]
        if row.given.get("courseSourcedId", "").strip() and self._courses.are_given:
            raise Refused("courseSourcedId", "UNKNOWN_COURSE", "There is no such course.")
        if kind_id not in self._titles:
            raise missing("title")
        name = row.given.get("courseSourcedId", "").strip() or None
        return ProgramKind(id=kind_id, name=self._titles[kind_id], sourced_id=name)

    def _new(self, news: News, kind: ProgramKind) -> Program:
        if "startDate" not in news.values:
            news.row.name_in("termSourcedIds")
            raise Refused("termSourcedIds", "UNKNOWN_TERM", "A term is not in academicSessions.csv.")
        days = _days(news, None)
        self._leave_archiving(news, is_change=False)
        usual = {"name": kind.name, "mode": kind.mode}
        values = usual | days | news.attributes(self.columns) | news.identity(clock.now(), self.columns)
        return Program(**values, kind=kind.id)

    def _cause_of(self, row: Row, refused: Refused) -> str | None:
        """The place at which the course or the term of a class was refused, if it was."""
        if refused.code == "UNKNOWN_COURSE":
            return self.ids.refused.get(("course", row.given["courseSourcedId"].strip()))
        if refused.code == "UNKNOWN_TERM":
            terms = self.read(row, "termSourcedIds") or []
            causes = (self.ids.refused.get(("academicSession", term)) for term in terms)
            return next(filter(None, causes), None)
        return None

    def _change(self, rows: list[Row], found: Mapping[UUID, Program]) -> None:
        changed = []
        known = by_id(Program, self.parents_in(rows))
        for news in self.news(rows, found):
            program = found[news.row.id]
            self._check_course(news, program)
            days = self._new_days(news, program)
            moved = self.move_below(news, program, known)
            archived = not program.archived and self._leave_archiving(news, is_change=True)
            real = assign(program, days | news.attributes(self.columns))
            if real:
                program.updated_at = clock.now()
            if news.note(program) or real:
                changed.append(program)
            self.count(real or moved or archived)
        followed = self.file.attributes | {"archived", "updated_at", "imported"}
        followed |= {"start_date", "end_date", "duration"}
        Program.update_rows(changed, *followed)

    def _check_course(self, news: News, program: Program) -> None:
        """Warn of another course: a program stays of its kind."""
        if "courseSourcedId" in news.fresh and self._kind_id(news.row) != program.kind_id:
            message = "A program stays of the kind it was made of; all else of the row is taken."
            self.warn(news.row, Refused("courseSourcedId", "KIND_IS_FIXED", message))
            del news.row.given["courseSourcedId"]

    def _new_days(self, news: News, program: Program) -> dict[str, Any]:
        """The days that a file says anew; a program keeps its own, with a warning, where they cannot be."""
        terms = self.read(news.row, "termSourcedIds")
        if terms and "startDate" not in news.values and self._sessions.are_given:
            refused = Refused("termSourcedIds", "UNKNOWN_TERM", "A term is not in academicSessions.csv.")
            self.warn(news.row, refused, self._cause_of(news.row, refused))
        try:
            return _days(news, program)
        except Refused as refused:
            self.warn(news.row, refused)
            for name in _DATED:
                news.row.given.pop(name, None)
            return {}

    def _kind_id(self, row: Row) -> UUID:
        if course := row.given.get("courseSourcedId", "").strip():
            return self.ids.of("course", course)
        return self.ids.of("title", name_key(row.given.get("title", "")))

    def _leave_archiving(self, news: News, *, is_change: bool) -> bool:
        """Leave archiving to the end: members that come with the program are let in before."""
        if news.fresh.get("archived") is not True:
            return False
        del news.fresh["archived"], news.row.given["archived"]
        self._to_archive[news.row.id] = is_change, not news.row.ours
        return True

    def archive(self, ids: list[UUID]) -> None:
        """Archive what is `to_archive`, within a transaction."""
        programs = list(by_id(Program, ids).values())
        for program in programs:
            program.archived = True
            is_change, is_kept = self._to_archive[program.id]
            if is_kept:
                program.imported = dumps(orjson.loads(program.imported or "{}") | {"archived": "true"})
            if is_change:
                program.updated_at = clock.now()
        Program.update_rows(programs, "archived", "imported", "updated_at")

    @property
    def to_archive(self) -> list[UUID]:
        return list(self._to_archive)


def _parent_name(row: Row) -> str:
    return row.given.get("metadata.parent", "").strip()


def _parents_first(rows: Sequence[Row], parents: Mapping[UUID, UUID]) -> list[Row]:
    """The rows so that each comes after its parent, if that is among them."""
    waiting = {row.id: row for row in rows}
    ordered: list[Row] = []
    for row in rows:
        line = [row] if row.id in waiting else []
        while line and (parent_id := parents.get(line[-1].id)) in waiting:
            line.append(waiting[parent_id])
        for one in reversed(line):
            if waiting.pop(one.id, None) is not None:
                ordered.append(one)
    return ordered


def _in_circles(parents: Mapping[UUID, UUID]) -> set[UUID]:
    """The ids that are their own ancestors."""
    safe: set[UUID] = set()
    found: set[UUID] = set()
    for start in parents:
        line: dict[UUID, None] = {}
        one: UUID | None = start
        while one is not None and one not in safe and one not in line:
            line[one] = None
            one = parents.get(one)
        if one is not None and one in line:
            members = list(line)
            found.update(members[members.index(one) :])
        safe.update(line)
    return found


def _days(news: News, program: Program | None) -> dict[str, Any]:
    """Start, duration and end of a program, as far as a file says something new of them."""
    duration = _duration(news.values)
    if program is not None:
        last = {
            name: read_cell(column, news.last[name]) for name, column in _DATED.items() if name in news.last
        }
        if duration == _duration(last) or duration is None:
            duration = program.duration
    start = news.fresh["startDate"] if program is None else news.fresh.get("startDate", program.start_date)
    assert duration is not None  # a new program has terms
    try:
        end = end_of(start, duration)
    except ModelError:
        duration = 0
    if not 1 <= duration <= DURATION_AT_MOST:
        message = f"A program has 1 to {DURATION_AT_MOST} days and ends before the year 10000."
        raise Refused("termSourcedIds", "BAD_DURATION", message)
    return {"start_date": start, "duration": duration, "end_date": end}


def _duration(values: Mapping[str, Any]) -> int | None:
    if "metadata.duration" in values:
        return values["metadata.duration"]
    if "startDate" in values and "endDate" in values:
        return (values["endDate"] - values["startDate"]).days
    return None
