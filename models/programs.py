"""Program kinds (definitions, in a tree) and programs (their dated runs)."""

from __future__ import annotations

from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import peewee

from models import clock
from models.database import ChoiceField, DatedModel, DayField
from models.errors import Conflict, Invalid, NotFound

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
        found = cls.with_id(row_id)
        if found is None:
            raise NotFound(cls.noun, row_id)
        return found

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
    handle = peewee.TextField(null=True, index=True)
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
        found = cls.select().filter(**values).order_by(cls.name, cls.id)
        return list(found.limit(limit).offset(offset))

    @classmethod
    def children_of(cls, kind_id: UUID) -> list[Self]:
        """The kinds right below one that are not archived, highest priority first."""
        cls.of(kind_id)
        return list(
            cls.select()
            .where(cls.parent == kind_id, ~cls.archived)
            .order_by(cls.priority.desc(), cls.name, cls.id)
        )

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
    def of(cls, row_id: UUID) -> Self:
        """The program with this id, its kind with it; NotFound when there is none."""
        found = cls.of_or_none(row_id)
        if found is None:
            raise NotFound(cls.noun, row_id)
        return found

    @classmethod
    def of_or_none(cls, row_id: UUID) -> Self | None:
        """The program with this id, its kind with it."""
        found = cls.with_id(row_id)
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
    def active(cls) -> list[Self]:
        """The programs that run today, each by the calendar of its own time zone."""
        running = (cls.start_date <= cls.today_column()) & (cls.end_date >= cls.today_column())
        return list(cls.with_kinds().where(~cls.archived, running).order_by(cls.start_date, cls.name, cls.id))

    @classmethod
    def starting_after(cls, kind_id: UUID | None, day: date | None) -> list[Self]:
        """The programs of exactly this kind (or all) that start on or after a day (or today)."""
        found = cls.with_kinds().where(~cls.archived)
        if kind_id is not None:
            ProgramKind.of(kind_id)
            found = found.where(cls.kind == kind_id)
        earliest = cls.today_column() if day is None else day.isoformat()
        found = found.where(cls.start_date >= earliest)
        return list(found.order_by(cls.start_date.desc(), cls.name, cls.id))

    @classmethod
    def today_column(cls, plus_days: int = 0) -> peewee.Node:
        """Each program's own today, or so many days later, for queries.

        At any instant the zones of the world are on at most three days, so this is one short CASE
        over the zones that are in use.
        """
        usual = clock.today()
        others: dict[date, list[str]] = {}
        for (zone,) in cls.select(cls.timezone).distinct().tuples().iterator():
            if (day := clock.today(zone)) != usual:
                others.setdefault(day, []).append(zone)

        def text(day: date) -> str:
            return (day + timedelta(days=plus_days)).isoformat()

        if not others:
            return peewee.Value(text(usual))
        cases = [(cls.timezone.in_(zones), text(day)) for day, zones in others.items()]
        return peewee.Case(None, cases, text(usual))

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

    @property
    def is_running(self) -> bool:
        """Whether today is one of its days."""
        return self.start_date <= self.today() <= self.end_date
