"""Cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from marshmallow import ValidationError, fields

from models import sample
from models.cohorts import Cohort, name_key
from models.tokens import Scope
from rpc.registry import Lane, method
from rpc.results import CohortResult
from rpc.schemas import Id, Params, Text, limit, offset, required


class ListCohorts(Params):
    program_id = required(Id, "program whose cohorts are wanted")
    limit = limit()
    offset = offset()


@method(
    "core.ListCohorts",
    params=ListCohorts,
    returns=fields.List(fields.Nested(CohortResult)),
    example={"programId": sample.SPRING},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def list_cohorts(program_id: UUID, limit: int | None, offset: int) -> Sequence[Cohort]:
    """List the cohorts of a program by name, letter case aside, then by id."""
    return Cohort.in_program(program_id, limit, offset)


def _not_blank(name: str) -> None:
    if not name_key(name):
        raise ValidationError("Must not be empty.")


class ConfirmCohort(Params):
    program_id = required(Id, "program of the cohort")
    cohort_name = required(Text, "name of the cohort", validate=_not_blank)


@method(
    "core.ConfirmCohort",
    params=ConfirmCohort,
    returns=fields.UUID(),
    example={"programId": sample.SPRING, "cohortName": "Monday group"},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def confirm_cohort(program_id: UUID, cohort_name: str) -> UUID:
    """Give the id of the program's cohort of this name, made if there is none.

    Names compare after NFKC, trimmed, with blanks collapsed and letter case folded; the first
    spelling is the one shown.
    """
    return Cohort.confirm(program_id, cohort_name).id
