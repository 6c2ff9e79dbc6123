"""Program kinds and programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from marshmallow import ValidationError, fields, validates_schema

from models import sample
from models.programs import Program, ProgramKind
from models.tokens import Scope
from rpc.registry import Lane, method
from rpc.results import ByIds, ProgramInfoResult, ProgramKindResult
from rpc.schemas import Day, Id, OneOf, Params, optional, required


class LookupProgram(Params):
    program_kind_id = required(Id, "id of the program kind to load")


@method(
    "core.LookupProgram",
    params=LookupProgram,
    returns=fields.Nested(ProgramKindResult, allow_none=True),
    example={"programKindId": sample.COOKING},
    scope=Scope.READ,
    lane=Lane.QUICK,
    by_ids=ByIds(ProgramKindResult, ProgramKind),
)
def lookup_program(program_kind_id: UUID) -> ProgramKind | None:
    """Load one program kind, or null when there is none.

    Archived ones are found too.
    """
    return ProgramKind.find(id=program_kind_id)


class LookupProgramInstance(Params):
    program_id = required(Id, "id of the program to load")


@method(
    "core.LookupProgramInstance",
    params=LookupProgramInstance,
    returns=fields.Nested(ProgramInfoResult, allow_none=True),
    example={"programId": sample.SPRING},
    scope=Scope.READ,
    lane=Lane.QUICK,
    by_ids=ByIds(ProgramInfoResult, Program),
)
def lookup_program_instance(program_id: UUID) -> Program | None:
    """Load one program, or null when there is none.

    Archived ones are found too.
    """
    return Program.of_or_none(program_id)


class ListActivePrograms(Params):
    pass


@method(
    "core.ListActivePrograms",
    params=ListActivePrograms,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def list_active_programs() -> Sequence[Program]:
    """List the programs that run today, by start date, name and id.

    Each program's today is that of its own time zone. Archived ones are left out.
    """
    return Program.active()


class ProgramChildList(Params):
    id = optional(Id, "program kind whose children are wanted")
    kind = optional(Id, "as in core.ProgramsAfter")
    after = optional(Day, "as in core.ProgramsAfter")

    any_of = ("id", "kind", "after")

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def one_function_of_the_two(self, data: object, given: dict[str, object], **kwargs: object) -> None:
        if "id" in given and ("kind" in given or "after" in given):
            raise ValidationError("Must be left out when kind or after is given.", "id")


@method(
    "core.ProgramChildList",
    params=ProgramChildList,
    returns=OneOf(
        lambda found: bool(found) and isinstance(found[0], Program),
        fields.List(fields.Nested(ProgramKindResult)),
        fields.List(fields.Nested(ProgramInfoResult)),
    ),
    example={"id": sample.COURSES},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def program_child_list(
    id: UUID | None, kind: UUID | None, after: date | None
) -> Sequence[ProgramKind] | Sequence[Program]:
    """List the program kinds right below one, highest priority first, then by name and id.

    Archived kinds are left out. With kind or after, and no id, it is core.ProgramsAfter, because the
    documentation prints that function under this name.
    """
    if id is None:
        return programs_after(kind, after)
    return ProgramKind.children_of(id)


class ProgramsAfter(Params):
    kind = optional(Id, "program kind of the programs; all kinds unless given")
    after = optional(Day, "day on or after which they start; each program's today unless given")


@method(
    "core.ProgramsAfter",
    params=ProgramsAfter,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={"kind": sample.COOKING, "after": "2020-01-01"},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def programs_after(kind: UUID | None, after: date | None) -> Sequence[Program]:
    """List the programs of a kind that start on or after a day, latest first, then by name and id.

    Only programs of exactly this kind; archived ones are left out.
    """
    return Program.starting_after(kind, after)
