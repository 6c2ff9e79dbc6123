"""Program kinds (definitions, in a tree) and programs (their dated runs)."""

from __future__ import annotations

import functools
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import peewee

from models import clock, memory
from models.errors import Conflict, Invalid, NotFound
from models.rows import ChoiceField, DatedModel, DayField, KeyField
from models.statements import Rows, Select, Statement, any_given, given
from models.text import name_key

DURATION_AT_MOST = 36_600  # days: a hundred years


class Mode(StrEnum):
    """Whether participants share the program's days or count their own from joining."""

    FIXED = "fixed"
    OPEN = "open"


class _InTree(DatedModel):
    """A row that may have a parent of its own sort, and is never its own ancestor."""

    KEPT = True

    noun: str
    parent: peewee.ForeignKeyField
    parent_id: UUID | None

    @classmethod
    def of(cls, row_id: UUID) -> Self:
        """The row with this id; NotFound when there is none."""
        found = cls.of_or_none(row_id)
        if found is None:
            raise NotFound(cls.noun, row_id)
        return found

    @classmethod
    def of_or_none(cls, row_id: UUID) -> Self | None:
        """The row with this id; in the writer, from memory."""
        return memory.recall(cls, row_id, cls._found)

    @classmethod
    def _found(cls, row_id: UUID) -> Self | None:
        return cls.find(id=row_id)

    @classmethod
    def check_parent(cls, row_id: UUID | None, parent_id: UUID | None) -> None:
        """Refuse a parent that does not exist or that descends from the row."""
        if parent_id is None:
            return
        if parent_id != row_id:  # which may be chosen for a row that is not there yet
            cls.of(parent_id)
        if row_id is not None and row_id in cls._lineage(parent_id):
            word = cls.noun.upper().replace(" ", "_") + "_OWN_ANCESTOR"
            raise Conflict(word, f"The {cls.noun} would be its own ancestor")

    @classmethod
    def _lineage(cls, row_id: UUID) -> set[UUID]:
        """A row's id and those of all its ancestors; one query, however deep the tree is."""
        up = cls.alias()
        start = cls.select(cls.id, cls.parent).where(cls.id == row_id)
        chain = start.cte("chain", recursive=True, columns=("id", "parent_id"))
        chain = chain.union(up.select(up.id, up.parent).join(chain, on=(up.id == chain.c.parent_id)))
        ids = chain.select_from(chain.c.id).tuples().iterator()
        return {row_id, *(UUID(str(found)) for (found,) in ids)}


class ProgramKind(_InTree):
    """What a program is a run of: a course, a training."""

    noun = "program kind"

    name = peewee.TextField()
    handle = peewee.TextField(null=True)
    handle_key = KeyField("handle", null=True, index=True)  # kinds may share one
    group = peewee.TextField(null=True)
    parent_id: UUID | None
    parent = peewee.ForeignKeyField("self", null=True, backref="children")
    mode = ChoiceField(Mode, default=Mode.FIXED)
    duration = peewee.IntegerField(default=1)  # days
    priority = peewee.IntegerField(default=0)
    archived = peewee.BooleanField(default=False)
    sourced_id = peewee.TextField(null=True, index=True)
    imported = peewee.TextField(null=True)  # what the last file said, whatever people did since

    @classmethod
    def matching(cls, limit: int | None = None, offset: int = 0, **values: Any) -> list[Self]:
        """The kinds of which all this is true, archived ones too, by name."""
        for name in values.keys() & {"id", "parent_id"}:
            cls.of(values[name])
        if "handle" in values:
            values["handle_key"] = name_key(values.pop("handle"))
        found = cls.select().filter(**values).order_by(cls.name, cls.id)
        return list(found.limit(limit).offset(offset))

    @classmethod
    def children_of(cls, kind_id: UUID) -> Rows[ProgramKind]:
        """The kinds right below one that are not archived, highest priority first."""
        found = _children_of().rows(parent_id=kind_id)
        if not found:
            cls.of(kind_id)
        return found

    @classmethod
    def put(cls, kind_id: UUID | None, **values: Any) -> Self:
        """Make a kind, or change the one with this id."""
        cls.check_parent(kind_id, values.get("parent_id"))
        found = None if kind_id is None else cls.find(id=kind_id)
        if found is not None:
            found.change(**values)
            return found
        if values.get("name") is None:
            raise Invalid({"name": ["Missing data for required field."]})
        if kind_id is not None:
            values["id"] = kind_id
        return cls.add(**values)


@functools.cache
def _children_of() -> Select[ProgramKind]:
    found = ProgramKind.select().where(ProgramKind.parent == given("parent_id"), ~ProgramKind.archived)
    return Select(found.order_by(ProgramKind.priority.desc(), ProgramKind.name, ProgramKind.id))


def end_of(start: date, duration: int) -> date:
    """The last day of a program, itself included."""
    try:
        return start + timedelta(days=duration - 1)
    except OverflowError:
        raise Invalid({"duration": ["The program would end after the year 9999."]}) from None


class Program(_InTree):
    """One dated run of a kind, from its start date to its end date, both included."""

    noun = "program"

    kind_id: UUID
    parent_id: UUID | None

    kind = peewee.ForeignKeyField(ProgramKind, backref="programs")
    name = peewee.TextField()
    start_date = DayField()
    end_date = DayField(index=True)
    duration = peewee.IntegerField()  # days
    mode = ChoiceField(Mode)
    timezone = peewee.TextField(default="UTC", index=True)
    parent = peewee.ForeignKeyField("self", null=True)
    archived = peewee.BooleanField(default=False)
    sourced_id = peewee.TextField(null=True, index=True)
    imported = peewee.TextField(null=True)  # what the last file said, whatever people did since

    class Meta:
        indexes = ((("start_date", "name", "id"), False),)

    @classmethod
    def _found(cls, row_id: UUID) -> Self | None:
        """The program with this id, its kind with it."""
        found = cls.find(id=row_id)
        if found is not None:
            found.kind = ProgramKind.of(found.kind_id)
        return found

    @classmethod
    def with_kinds(cls) -> peewee.ModelSelect[Self]:
        """All programs, each with its kind in the same row."""
        return cls.select(cls, ProgramKind).join(ProgramKind)

    @classmethod
    def matching(cls, limit: int | None = None, offset: int = 0, **values: Any) -> list[Self]:
        """The programs of which all this is true, archived ones too, by start date and name."""
        for name in values.keys() & {"id", "parent_id"}:
            cls.of(values[name])
        if "kind_id" in values:
            ProgramKind.of(values["kind_id"])
        found = cls.with_kinds().filter(**values).order_by(cls.start_date, cls.name, cls.id)
        return list(found.limit(limit).offset(offset))

    @classmethod
    def active(cls) -> Rows[Program]:
        """The programs that run today, each by the calendar of its own time zone."""
        return _active().rows(**cls.todays())

    @classmethod
    def starting_after(cls, kind_id: UUID | None, day: date | None) -> Rows[Program]:
        """The programs of exactly this kind (or all) that start on or after a day (or today)."""
        select = _starting_after(of_kind=kind_id is not None, today=day is None)
        days = cls.todays() if day is None else {"day": day}
        found = select.rows(kind_id=kind_id, **days)
        if not found and kind_id is not None:
            ProgramKind.of(kind_id)
        return found

    @classmethod
    def today_column(cls) -> peewee.Node:
        """Each program's own today, for selects that are run with `todays`.

        Programs that are out of reach whatever their zone are best left out by `day_behind` or
        `day_ahead` as well, for which there is an index.
        """
        return cls.by_zone("day_ahead", "day_behind", "today")

    @classmethod
    def by_zone(cls, ahead: str, behind: str, usual: str) -> peewee.Node:
        """One of the given days of these names, for selects that are run with `todays`.

        At any instant the zones of the world are on at most three days: that of UTC, and the days
        before and after it.
        """
        cases = [
            (cls.timezone.in_(any_given("zones_ahead")), given(ahead, str)),
            (cls.timezone.in_(any_given("zones_behind")), given(behind, str)),
        ]
        return peewee.Case(None, cases, given(usual, str))

    @classmethod
    def todays(cls) -> dict[str, Any]:
        """What a select with `today_column` is run with."""
        today = clock.today()
        days = {zone: clock.today(zone) for (zone,) in _timezones().stored()}
        return {
            "zones_ahead": [zone for zone, day in days.items() if day > today],
            "zones_behind": [zone for zone, day in days.items() if day < today],
            "day_ahead": max(days.values(), default=today),
            "day_behind": min(days.values(), default=today),
            "today": today,
        }

    @classmethod
    def put(cls, program_id: UUID | None, **values: Any) -> Self:
        """Make a program, or change the one with this id; mode and duration come from the kind."""
        cls.check_parent(program_id, values.get("parent_id"))
        kind_id = values.get("kind_id")
        kind = None if kind_id is None else ProgramKind.of(kind_id)
        found = None if program_id is None else cls.find(id=program_id)
        if found is not None:
            found._edit(values)
            return cls.of(found.id)
        needed = {"program_kind_id": kind_id, "start_date": values.get("start_date")}
        missing = [name for name, value in needed.items() if value is None]
        if kind is None or missing:
            raise Invalid({name: ["Missing data for required field."] for name in missing})
        if program_id is not None:
            values["id"] = program_id
        values = {"name": kind.name, "mode": kind.mode, "duration": kind.duration} | values
        values["end_date"] = end_of(values["start_date"], values["duration"])
        return cls.of(cls.add(**values).id)

    def _edit(self, values: dict[str, Any]) -> None:
        if values.get("kind_id", self.kind_id) != self.kind_id:
            raise Conflict("KIND_IS_FIXED", "A program stays of the kind it was made of")
        start = values.get("start_date", self.start_date)
        duration = values.get("duration", self.duration)
        self.change(**values, end_date=end_of(start, duration))

    def today(self) -> date:
        """The present day in the program's time zone."""
        return clock.today(self.timezone)

    def first_day(self) -> date:
        """The first day of somebody who joins now: today, or the start that is yet to come."""
        return max(self.today(), self.start_date)

    @property
    def is_running(self) -> bool:
        """Whether today is one of its days."""
        return self.start_date <= self.today() <= self.end_date


@functools.cache
def _timezones() -> Statement:
    return Statement(Program.select(Program.timezone).distinct())


@functools.cache
def _active() -> Select[Program]:
    found = Program.with_kinds().where(
        ~Program.archived,
        Program.start_date <= given("day_ahead"),
        Program.start_date <= Program.today_column(),
        Program.end_date >= given("day_behind"),
        Program.end_date >= Program.today_column(),
    )
    return Select(found.order_by(Program.start_date, Program.name, Program.id))


@functools.cache
def _starting_after(*, of_kind: bool, today: bool) -> Select[Program]:
    found = Program.with_kinds().where(~Program.archived)
    if today:
        found = found.where(Program.start_date >= given("day_behind"))
        found = found.where(Program.start_date >= Program.today_column())
    else:
        found = found.where(Program.start_date >= given("day"))
    if of_kind:
        found = found.where(Program.kind == given("kind_id"))
    return Select(found.order_by(Program.start_date.desc(), Program.name, Program.id))
