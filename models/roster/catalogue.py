"""Terms, courses and classes: the kinds and programs of an import."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from models import clock
from models.errors import ModelError
from models.programs import DURATION_AT_MOST, Program, ProgramKind, end_of
from models.roster.columns import ARCHIVED, CLASSES, COURSES, DURATION, SESSIONS, Column, Status, day, flag
from models.roster.rows import News, Refused, Row, Step, assign, by_id, dumps, missing, read_cell

_ARCHIVED = Column("archived", flag, "", "archived")
_DAYS = (Column("startDate", day, ""), Column("endDate", day, ""))
_DATED = {column.name: column for column in (*_DAYS, DURATION)}


class Sessions(Step):
    """Terms, remembered for the classes; nothing of them is stored."""

    file = SESSIONS

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self.days: dict[str, tuple[date, date]] = {}

    def derive(self, row: Row) -> None:
        if row.take_status() is Status.TO_BE_DELETED:
            return
        start, end = (row.read(self.columns[name]) for name in ("startDate", "endDate"))
        if start is None or end is None:
            raise missing("startDate" if start is None else "endDate")
        if end <= start:
            raise Refused("endDate", "BAD_DATE", "Must be after startDate: it is the day after the last.")
        self.days[row.sourced_id] = start, end


class _InTree(Step):
    """A file of rows that may have a parent in the same file; parents are stored first."""

    derived: tuple[Column, ...] = (_ARCHIVED,)
    parents_first = True

    def derive(self, row: Row) -> None:
        status = row.take_status()
        archived = None if status is None else row.gone
        if ARCHIVED.name in row.given:
            archived = row.read(ARCHIVED)
            del row.given[ARCHIVED.name]
        if archived is not None:
            row.given["archived"] = "true" if archived else "false"

    def parent_of(self, row: Row) -> UUID | None:
        parent = row.given.get("metadata.parent", "").strip()
        return self.ids.of(self.file.kind, parent) if parent else None

    def ids_in(self, rows: list[Row]) -> Iterator[UUID]:
        """The ids of the rows and of their parents."""
        for row in rows:
            yield row.id
            if (parent_id := self.parent_of(row)) is not None:
                yield parent_id

    def new_parent(self, row: Row, known: Collection[UUID]) -> UUID | None:
        """The parent of a new row. Refused: there is none of that name."""
        parent_id = self.parent_of(row)
        if parent_id is not None and parent_id not in known:
            raise self._unknown_parent()
        return parent_id

    def move_below(self, news: News, there: ProgramKind | Program) -> bool:
        """Give an old row another parent, at once, so that the check of the next one sees it."""
        parent_id = self.parent_of(news.row)
        if "metadata.parent" not in news.fresh or there.parent_id == parent_id:
            return False
        try:
            there.check_parent(there.id, parent_id)
        except ModelError as error:
            if error.word.endswith("_NOT_FOUND"):
                raise self._unknown_parent() from None
            raise Refused("metadata.parent", error.word, error.message) from None
        return there.change(parent_id=parent_id)

    def _unknown_parent(self) -> Refused:
        noun = self.file.kind
        return Refused("metadata.parent", f"UNKNOWN_{noun.upper()}", f"There is no such {noun}.")


class Courses(_InTree):
    """Courses become kinds."""

    file = COURSES

    def store(self, rows: list[Row]) -> None:
        found = by_id(ProgramKind, self.ids_in(rows))
        self._make([row for row in rows if row.id not in found], found)
        self._change([row for row in rows if row.id in found], found)

    def _make(self, rows: list[Row], found: Mapping[UUID, ProgramKind]) -> None:
        made: dict[UUID, ProgramKind] = {}
        now = clock.now()
        for news in self.news(rows, {}):
            try:
                if not news.values.get("title", "").strip():
                    raise missing("title")
                parent_id = self.new_parent(news.row, {*found, *made})
            except Refused as refused:
                self.refuse(news.row, refused)
                continue
            values = news.attributes(self.columns) | news.identity(now, self.columns)
            made[news.row.id] = ProgramKind(**values, parent=parent_id)
        ProgramKind.insert_rows(list(made.values()))
        self.report.of(self.file.name).created += len(made)

    def _change(self, rows: list[Row], found: Mapping[UUID, ProgramKind]) -> None:
        changed = []
        for news in self.news(rows, found):
            kind = found[news.row.id]
            try:
                moved = self.move_below(news, kind)
            except Refused as refused:
                self.refuse(news.row, refused)
                continue
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
    derived = (_ARCHIVED, *_DAYS)

    def __init__(self, sessions: Sessions, *common: Any) -> None:
        super().__init__(*common)
        self._sessions = sessions
        # Whether that changes what was here before, and whether it is kept as imported.
        self._to_archive: dict[UUID, tuple[bool, bool]] = {}

    def derive(self, row: Row) -> None:
        super().derive(row)
        terms = row.read(self.columns["termSourcedIds"]) or []
        days = [self._sessions.days[term] for term in terms if term in self._sessions.days]
        # Some terms without the others would say another time than is meant.
        if days and len(days) == len(terms):
            row.given["startDate"] = min(start for start, _ in days).isoformat()
            row.given["endDate"] = max(end for _, end in days).isoformat()

    def store(self, rows: list[Row]) -> None:
        found = by_id(Program, self.ids_in(rows))
        self._make([row for row in rows if row.id not in found], found)
        self._change([row for row in rows if row.id in found], found)

    def _make(self, rows: list[Row], found: Mapping[UUID, Program]) -> None:
        kinds = by_id(ProgramKind, [self._kind_id(row) for row in rows])
        made: dict[UUID, Program] = {}
        for news in self.news(rows, {}):
            try:
                parent_id = self.new_parent(news.row, {*found, *made})
                made[news.row.id] = self._new(news, kinds, parent_id)
            except Refused as refused:
                self.refuse(news.row, refused)
        Program.insert_rows(list(made.values()))
        self.report.of(self.file.name).created += len(made)

    def _new(self, news: News, kinds: Mapping[UUID, ProgramKind], parent_id: UUID | None) -> Program:
        news.row.name_in("courseSourcedId")
        kind = kinds.get(self._kind_id(news.row))
        if kind is None:
            raise Refused("courseSourcedId", "UNKNOWN_COURSE", "There is no such course.")
        if "startDate" not in news.values:
            news.row.name_in("termSourcedIds")
            raise Refused("termSourcedIds", "UNKNOWN_TERM", "A term is not in academicSessions.csv.")
        days = _days(news, None)
        self._leave_archiving(news, is_change=False)
        usual = {"name": kind.name, "mode": kind.mode}
        values = usual | days | news.attributes(self.columns) | news.identity(clock.now(), self.columns)
        return Program(**values, kind=kind.id, parent=parent_id)

    def _change(self, rows: list[Row], found: Mapping[UUID, Program]) -> None:
        changed = []
        for news in self.news(rows, found):
            program = found[news.row.id]
            try:
                if "courseSourcedId" in news.fresh and self._kind_id(news.row) != program.kind_id:
                    message = "A program stays of the kind it was made of."
                    raise Refused("courseSourcedId", "KIND_IS_FIXED", message)
                days = _days(news, program)
                moved = self.move_below(news, program)
            except Refused as refused:
                self.refuse(news.row, refused)
                continue
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

    def _kind_id(self, row: Row) -> UUID:
        return self.ids.of("course", row.given.get("courseSourcedId", "").strip())

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
