"""Cohorts."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

from marshmallow import ValidationError, fields

from models import sample
from models.cohorts import Cohort, name_key
from models.memberships import MembershipRole
from models.query.finding import user_ids
from models.query.names import check_names
from models.query.tree import Language
from models.sync import Sync, SyncMode
from models.tokens import Scope
from rpc.registry import Answer, Lane, caller, method
from rpc.results import CohortResult
from rpc.schemas import (
    MANY,
    QUERY,
    Choice,
    Flag,
    Id,
    Params,
    Text,
    Whole,
    extra,
    limit,
    offset,
    optional,
    required,
)


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

    Names compare without zero-width characters, after NFKC, trimmed, with blanks collapsed and letter
    case folded; the first spelling is the one shown.
    """
    return Cohort.confirm(program_id, cohort_name).id


class UnknownNames(StrEnum):
    """The treatment of queries with unknown names."""

    REFUSE = "refuse"
    IGNORE = "ignore"


class SyncCohort(Params):
    program_id = required(Id, "program of the cohort")
    cohort_id = required(Id, "cohort that users are brought into")
    query = required(Text, "user query that finds them", at_most=QUERY)
    role = optional(
        Choice, "part that those play who are added", default=MembershipRole.MEMBER, words=MembershipRole
    )
    mode = optional(
        Choice, "open: add those who are not in the program", default=SyncMode.CLOSED, words=SyncMode
    )
    dry_run = extra(Flag, "true: only tell how many would change", default=False)
    max_changes = extra(Whole, "change nothing where more than so many would", least=0, most=MANY)
    bring_back = extra(
        Flag, "true, with mode open: those who have withdrawn become active again", default=False
    )
    unknown = extra(
        Choice,
        "ignore: names in the query that name nothing find nothing",
        default=UnknownNames.REFUSE,
        words=UnknownNames,
    )


def plan_sync(
    program_id: UUID,
    cohort_id: UUID,
    query: str,
    role: MembershipRole,
    mode: SyncMode,
    dry_run: bool,
    max_changes: int | None,
    bring_back: bool,
    unknown: UnknownNames,
) -> Sync | Answer:
    """Find the users, and make the rows that are to be stored for them."""
    if unknown is UnknownNames.REFUSE:
        check_names(query, Language.USERS)
    sync = Sync(user_ids(query, caller().user_id), program_id, cohort_id, role, mode, bring_back)
    if max_changes is not None:
        sync.check_at_most(max_changes)
    if dry_run or not sync.changes:
        return Answer(sync.changes)
    sync.prepare()
    return sync


@method(
    "core.SyncCohort",
    params=SyncCohort,
    returns=Whole(0, MANY),
    example={
        "programId": sample.SPRING,
        "cohortId": sample.MONDAY,
        "query": "given labels [alumni]",
        "mode": "open",
    },
    scope=Scope.WRITE,
    lane=Lane.WRITE,
    prepare=plan_sync,
)
def sync_cohort(sync: Sync) -> int:
    """Bring the users that a query finds into a cohort; the number of memberships changed.

    Who is active in the program is moved, and keeps their role. Who is not in the program is added
    if the mode is `open`. Nobody is removed, and nobody whose state has ended is brought back, but those
    who have withdrawn where `bringBack` says so. A query with names that name nothing is refused, unless
    `unknown` is `ignore`.
    """
    return sync.carry_out()
