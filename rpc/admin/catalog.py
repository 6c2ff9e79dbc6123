"""The catalogue: program kinds and programs."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from models import sample
from models.programs import DURATION_AT_MOST, Mode, Program, ProgramKind
from models.tokens import Scope
from rpc.registry import Lane, method
from rpc.results import AdminProgramInfoResult, AdminProgramKindResult
from rpc.schemas import (
    ADMIN_LIST,
    Choice,
    Day,
    Filled,
    Flag,
    Id,
    Params,
    Text,
    Timezone,
    Whole,
    change,
    limit,
    offset,
    optional,
)

PRIORITY_AT_MOST = 1_000_000


class SaveProgramKind(Params):
    id = optional(Id, "kind to change; an unknown one is the id of a new kind")
    name = change(Filled, "name; required for a new kind")
    handle = change(Text, "short name for scripts and queries; kinds may share one")
    group = change(Text, "group under which programs of this kind are shown")
    parent_id = change(Id, "kind right above this one")
    mode = change(Choice, "whether participants share the program's days: fixed unless given", words=Mode)
    duration = change(Whole, "days of a program: 1 unless given", least=1, most=DURATION_AT_MOST)
    priority = change(
        Whole,
        "rank among its siblings, highest first: 0 unless given",
        least=-PRIORITY_AT_MOST,
        most=PRIORITY_AT_MOST,
    )
    archived = change(Flag, "whether it is out of use: false unless given")
    sourced_id = change(Text, "id in the system it comes from")

    emptied = ("handle", "group", "parent_id", "sourced_id")


@method(
    "admin.SaveProgramKind",
    params=SaveProgramKind,
    returns=fields.Nested(AdminProgramKindResult),
    example={"name": "Wine", "handle": "wine", "parentId": sample.COURSES, "duration": 14},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def save_program_kind(id: UUID | None, **changes: Any) -> ProgramKind:
    """Make a program kind, or change the one with this id.

    What is not given stays. Programs that were made of the kind keep their mode and duration. A kind
    is never its own ancestor.
    """
    return ProgramKind.put(id, **changes)


class ListProgramKinds(Params):
    id = change(Id, "only this kind")
    sourced_id = change(Text, "only kinds with this id in the system they come from")
    handle = change(Text, "only kinds with this handle")
    group = change(Text, "only kinds of this group")
    parent_id = change(Id, "only kinds right below this one")
    archived = change(Flag, "only archived ones, or only others; both unless given")
    limit = limit(default=ADMIN_LIST)
    offset = offset()


@method(
    "admin.ListProgramKinds",
    params=ListProgramKinds,
    returns=fields.List(fields.Nested(AdminProgramKindResult)),
    example={"parentId": sample.COURSES},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_program_kinds(limit: int, offset: int, **values: Any) -> list[ProgramKind]:
    """List program kinds, archived ones too, by name and id."""
    return ProgramKind.matching(limit, offset, **values)


class SaveProgram(Params):
    id = optional(Id, "program to change; an unknown one is the id of a new program")
    program_kind_id = change(Id, "its kind, for ever; required for a new program", attribute="kind_id")
    name = change(Filled, "name: the kind's unless given")
    start_date = change(Day, "first day; required for a new program")
    duration = change(Whole, "days: the kind's unless given", least=1, most=DURATION_AT_MOST)
    mode = change(Choice, "whether participants share its days: the kind's unless given", words=Mode)
    timezone = change(Timezone, "IANA time zone in which its days begin: UTC unless given")
    parent_id = change(Id, "program that it is part of")
    archived = change(Flag, "whether it is out of use: false unless given")
    sourced_id = change(Text, "id in the system it comes from")

    emptied = ("parent_id", "sourced_id")


@method(
    "admin.SaveProgram",
    params=SaveProgram,
    returns=fields.Nested(AdminProgramInfoResult),
    example={"programKindId": sample.COOKING, "name": "Cooking, winter", "startDate": "2030-01-07"},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def save_program(id: UUID | None, **changes: Any) -> Program:
    """Make a program, or change the one with this id.

    What is not given stays. A new program takes name, mode and duration from its kind, and stays of
    that kind. A program is never its own ancestor.
    """
    return Program.put(id, **changes)


class ListPrograms(Params):
    id = change(Id, "only this program")
    sourced_id = change(Text, "only programs with this id in the system they come from")
    program_kind_id = change(Id, "only programs of exactly this kind", attribute="kind_id")
    parent_id = change(Id, "only programs that are part of this one")
    archived = change(Flag, "only archived ones, or only others; both unless given")
    limit = limit(default=ADMIN_LIST)
    offset = offset()


@method(
    "admin.ListPrograms",
    params=ListPrograms,
    returns=fields.List(fields.Nested(AdminProgramInfoResult)),
    example={"programKindId": sample.COOKING},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_programs(limit: int, offset: int, **values: Any) -> list[Program]:
    """List programs, archived ones too, by start date, name and id."""
    return Program.matching(limit, offset, **values)
