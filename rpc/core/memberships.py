"""Memberships: who takes part in a program, in which role, and how far they have come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from marshmallow import fields

from models import sample
from models.memberships import (
    Membership,
    MembershipChange,
    MembershipRole,
    MembershipState,
    Participation,
)
from models.people import User
from models.programs import Program
from models.tokens import Scope
from rpc.registry import Lane, method
from rpc.results import MembershipChangeResult, ProgramInfoResult, ProgramParticipationResult
from rpc.schemas import (
    COMMENTS,
    Choice,
    Day,
    Email,
    Id,
    Params,
    Text,
    Whole,
    change,
    limit,
    offset,
    optional,
    required,
)

MODIFIABLE = (
    MembershipState.ACTIVE,
    MembershipState.COMPLETED,
    MembershipState.GRADUATED,
    MembershipState.INCOMPLETE,
    MembershipState.WITHDRAWN,
)


class ModifyProgramMembership(Params):
    email = optional(Email, "the user's email, if not userId")
    user_id = optional(Id, "the user, if not email")
    program_id = required(Id, "program they are to be in")
    cohort_id = change(Id, "cohort of that program")
    role = change(Choice, "part they take: member for a new membership", words=MembershipRole)
    state = change(
        Choice, "how far they are: active for a new membership", words=MembershipState, only=MODIFIABLE
    )

    emptied = ("cohort_id",)
    any_of = ("user_id", "email")


@method(
    "core.ModifyProgramMembership",
    params=ModifyProgramMembership,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={"userId": sample.ADA, "programId": sample.SPRING, "role": "trainer"},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def modify_program_membership(
    program_id: UUID, user_id: UUID | None, email: str | None, **changes: Any
) -> list[Program]:
    """Put a user into a program, or change their role, state or cohort there.

    What is not given stays. A new membership is an active member without cohort, and uses the user's
    oldest ready ticket of the program's kind, if there is one.
    """
    if user_id is None or email is not None:  # an id alone is proved by a membership, if there is one
        user_id = User.who(user_id, email)
    program = Program.of(program_id)
    Membership.put(user_id, program, **changes)
    return [program]


class UpdateUserCohortState(Params):
    user_id = required(Id, "user to update")
    program_id = required(Id, "program they are in")
    cohort_id = optional(Id, "their cohort; set when they have none")
    state = required(Choice, "new state", words=MembershipState)
    comments = optional(Text, "why it changed", at_most=COMMENTS)
    state_detail = optional(Text, "more on the state")


@method(
    "core.UpdateUserCohortState",
    params=UpdateUserCohortState,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={"userId": sample.ADA, "programId": sample.SPRING, "state": "completed", "comments": "well done"},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def update_user_cohort_state(
    user_id: UUID,
    program_id: UUID,
    cohort_id: UUID | None,
    state: MembershipState,
    comments: str | None,
    state_detail: str | None,
) -> list[Program]:
    """Set how far a user has come in a program.

    Never makes a membership. The same state with new comments is noted in the history; `refunded`
    cancels the ticket that this membership used.
    """
    membership = Membership.of(user_id, program_id)
    membership.say(state, cohort_id, comments, state_detail)
    return [membership.program]


class UpdateUserProgramDate(Params):
    user_id = required(Id, "user to update")
    program_id = required(Id, "program they are in")
    date = required(Day, "day from which they take part")


@method(
    "core.UpdateUserProgramDate",
    params=UpdateUserProgramDate,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={"userId": sample.ADA, "programId": sample.SPRING, "date": "2024-03-01"},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def update_user_program_date(user_id: UUID, program_id: UUID, date: date) -> list[Program]:
    """Set the day from which a user takes part in a program; participantDay counts from it."""
    membership = Membership.of(user_id, program_id)
    membership.move_date(date)
    return [membership.program]


class MembershipHistory(Params):
    user_id = required(Id, "user")
    program_id = required(Id, "program they are in")
    limit = limit()
    offset = offset()


@method(
    "core.MembershipHistory",
    params=MembershipHistory,
    returns=fields.List(fields.Nested(MembershipChangeResult)),
    example={"userId": sample.ADA, "programId": sample.SPRING},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def membership_history(
    user_id: UUID, program_id: UUID, limit: int | None, offset: int
) -> Sequence[MembershipChange]:
    """List what happened to a membership, oldest first.

    That is the order in which the changes were stored, and `at` is when. `effectiveDate` is the day
    on which a change happened, where a roster says so.
    """
    return Membership.of(user_id, program_id).history(limit, offset)


class ListClosingParticipants(Params):
    within_days = optional(Whole, "days until the end of the program", default=7, least=0, most=36_600)
    program_kind_id = optional(Id, "only programs of this kind")
    program_id = optional(Id, "only this program")
    limit = limit()
    offset = offset()


@method(
    "core.ListClosingParticipants",
    params=ListClosingParticipants,
    returns=fields.List(fields.Nested(ProgramParticipationResult)),
    example={"withinDays": 30},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def list_closing_participants(
    within_days: int,
    program_kind_id: UUID | None,
    program_id: UUID | None,
    limit: int | None,
    offset: int,
) -> Sequence[Participation]:
    """List who is still active in programs that have ended or end within so many days.

    By end date, program name, user name and id. Changes nothing.
    """
    return Participation.closing(within_days, program_kind_id, program_id, limit, offset)
