"""Cohorts: the named parts of one program."""

from __future__ import annotations

import functools
from typing import Self
from uuid import UUID

import peewee

from models.errors import Conflict, Invalid, NotFound
from models.programs import Program
from models.rows import DatedModel
from models.statements import Rows, Select, given
from models.text import name_key


class Cohort(DatedModel):
    """A named part of one program. One cohort per program and name, however it is spelled."""

    program_id: UUID

    program = peewee.ForeignKeyField(Program, backref="cohorts", index=False)
    name = peewee.TextField()  # the first spelling
    name_key = peewee.TextField()

    class Meta:
        indexes = ((("program", "name_key"), True),)

    @classmethod
    def of(cls, cohort_id: UUID, program_id: UUID) -> Self:
        """The cohort with this id in this program; NotFound, or Conflict when it is another's."""
        found = cls.find(id=cohort_id)
        if found is None:
            raise NotFound("cohort", cohort_id)
        if found.program_id != program_id:
            raise Conflict("COHORT_OF_ANOTHER_PROGRAM", "The cohort belongs to another program")
        return found

    @classmethod
    def in_program(cls, program_id: UUID, limit: int | None = None, offset: int = 0) -> Rows[Cohort]:
        """The cohorts of a program, by folded name."""
        found = _in_program().rows(limit, offset, program_id=program_id)
        if not found:
            Program.of(program_id)
        return found

    @classmethod
    def confirm(cls, program_id: UUID, name: str) -> Self:
        """The cohort of this name, made if there is none."""
        Program.of(program_id)
        key = name_key(name)
        if not key:
            raise Invalid({"cohort_name": ["Must not be empty."]})
        found = cls.find(program_id=program_id, name_key=key)
        return found or cls.add(program=program_id, name=name, name_key=key)


@functools.cache
def _in_program() -> Select[Cohort]:
    found = Cohort.select().where(Cohort.program == given("program_id"))
    return Select(found.order_by(Cohort.name_key, Cohort.id))
