"""What results look like on the wire: one schema for each documented type."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from marshmallow import fields

from models import statements
from models.actor import How
from models.imports import ImportOutcome
from models.memberships import MembershipRole, MembershipState
from models.people import Gender, RelationKind, UserRole, UserStatus
from models.programs import Mode
from models.rows import BaseModel
from models.tickets import TicketState
from models.tokens import Scope
from rpc.rendering import Shape, of_stored
from rpc.schemas import Choice, Day, Flag, Id, Instant, Text, Whole, WireSchema

_MANY = 2**53


def _count() -> Whole:
    return Whole(-_MANY, _MANY)


def _maybe(field: type[fields.Field], **options: Any) -> fields.Field:
    """A member that may be null."""
    return field(allow_none=True, **options)


class _Result(WireSchema):
    """A member that a row does not have is null, never missing."""


class ByIds:
    """Results for the rows with some ids, straight from what is stored.

    Made from the schema of the result, whose members name their columns.
    """

    def __init__(self, result: type[_Result], model: type[BaseModel]) -> None:
        self._shape = Shape(result(), of_stored)
        self._rows = statements.ByIds(model, self._shape.ways)

    def __call__(self, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """The results that there are, by the text of their ids."""
        return {row_id: self._shape(row) for row_id, row in self._rows(ids).items()}


class ProgramKindResult(_Result):
    """A program kind: the definition that programs are runs of."""

    id = Id()
    name = Text()
    handle = _maybe(Text)
    group = _maybe(Text)
    parent_id = _maybe(Id)
    mode = Choice(Mode)
    duration = _count()
    priority = _count()
    archived = Flag()
    created_at = Instant()
    updated_at = Instant()


class ProgramInfoResult(_Result):
    """A program: one dated run of a kind."""

    id = Id()
    name = Text()
    created_at = Instant()
    updated_at = Instant()
    start_date = Day()
    end_date = Day()
    duration = _count()
    mode = Choice(Mode)
    timezone = Text()
    program_kind = Id(attribute="kind_id")
    base_name = Text(attribute="kind.name")
    base_handle = _maybe(Text, attribute="kind.handle")
    program_kind_parent = _maybe(Id, attribute="kind.parent_id")
    priority = Whole(-_MANY, _MANY, attribute="kind.priority")
    parent_id = _maybe(Id)
    archived = Flag()


class CohortResult(_Result):
    """A cohort: a named part of one program."""

    id = Id()
    program_id = Id()
    name = Text()
    created_at = Instant()
    updated_at = Instant()


class ProgramTicketResult(_Result):
    """A ticket: a right to take part in one program of a kind."""

    id = Id()
    user_id = _maybe(Id)
    email = _maybe(Text)
    program_kind_id = Id(attribute="kind_id")
    external_id = _maybe(Id)
    sku = _maybe(Text)
    base_sku = _maybe(Text)
    state = Choice(TicketState)
    program_id = _maybe(Id)
    created_at = Instant()
    updated_at = Instant()
    consumed_at = _maybe(Instant)
    canceled_at = _maybe(Instant)


class ProgramParticipationResult(_Result):
    """A membership, with what its program, kind, user and cohort say of it."""

    program_name = Text(attribute="membership.program.name")
    program_kind = Id(attribute="membership.program.kind_id")
    program_id = Id(attribute="membership.program_id")
    program_group = _maybe(Text, attribute="membership.program.kind.group")
    base_name = Text(attribute="membership.program.kind.name")
    base_handle = _maybe(Text, attribute="membership.program.kind.handle")
    cohort_id = _maybe(Id, attribute="membership.cohort_id")
    cohort_name = _maybe(Text, attribute="cohort_name")
    state = Choice(MembershipState, attribute="membership.state")
    start_date = Day(attribute="membership.program.start_date")
    end_date = Day(attribute="membership.program.end_date")
    duration = Whole(-_MANY, _MANY, attribute="membership.program.duration")
    program_day = _count()
    participant_day = _count()
    mode = Choice(Mode, attribute="membership.program.mode")
    role = Choice(MembershipRole, attribute="membership.role")
    user_id = Id(attribute="membership.user_id")
    email = _maybe(Text, attribute="membership.user.email")
    user_name = _maybe(Text, attribute="membership.user.shown_name")
    first_name = _maybe(Text, attribute="membership.user.first")
    last_name = _maybe(Text, attribute="membership.user.last")
    gender = Choice(Gender, attribute="membership.user.gender", allow_none=True)
    dob = _maybe(Day, attribute="membership.user.dob")
    is_active = Flag()
    org_status = _maybe(Text, attribute="membership.user.external_status")
    same_program_completions = Whole(-_MANY, _MANY, attribute="tally.same_completions")
    all_program_completions = Whole(-_MANY, _MANY, attribute="tally.all_completions")
    same_program_incomplete = Whole(-_MANY, _MANY, attribute="tally.same_incomplete")
    all_program_incomplete = Whole(-_MANY, _MANY, attribute="tally.all_incomplete")
    parent_id = _maybe(Id, attribute="membership.program.parent_id")
    program_kind_parent = _maybe(Id, attribute="membership.program.kind.parent_id")


class UserResult(_Result):
    """A person."""

    id = Id()
    email = _maybe(Text)
    first = _maybe(Text)
    last = _maybe(Text)
    name = _maybe(Text, attribute="shown_name")
    mobile = _maybe(Text)
    timezone = _maybe(Text)
    created_at = Instant()
    external_id = _maybe(Text)
    external_status = _maybe(Text)
    role = Choice(UserRole)
    labels = fields.List(Text())
    groups = fields.List(Text())
    gender = Choice(Gender, allow_none=True)
    title = _maybe(Text)
    last_sign_in_at = _maybe(Instant)
    status = Choice(UserStatus)


class StandingResult(_Result):
    """A membership's standing before or after a change."""

    role = Choice(MembershipRole)
    state = Choice(MembershipState)
    cohort_id = _maybe(Id)
    date = Day()


class MembershipChangeResult(_Result):
    """One change of a membership, or something said about it."""

    id = Id()
    at = Instant()
    effective_date = _maybe(Day)
    token = _maybe(Id, attribute="token_id")
    acting_user_id = _maybe(Id)
    how = Choice(How)
    before = fields.Nested(StandingResult, data_key="from", allow_none=True)
    after = fields.Nested(StandingResult, data_key="to")
    comments = _maybe(Text)
    state_detail = _maybe(Text)


class UnknownNameResult(_Result):
    """An item of a list in a query that names nothing; line and column count from 1."""

    list = Text()
    item = Text()
    line = Whole(1, _MANY)
    column = Whole(1, _MANY)


class ExplanationResult(_Result):
    """A query in words, and the names in it that name nothing."""

    words = Text()
    unknown_names = fields.List(fields.Nested(UnknownNameResult), data_key="unknown", attribute="unknown")


class AdminProgramKindResult(ProgramKindResult):
    """A program kind as those see it who keep the catalogue."""

    sourced_id = _maybe(Text)


class AdminProgramInfoResult(ProgramInfoResult):
    """A program as those see it who keep the catalogue."""

    sourced_id = _maybe(Text)


class AdminUserResult(UserResult):
    """A person as those see them who keep the records."""

    updated_at = Instant()
    sourced_id = _maybe(Text)
    erased_at = _maybe(Instant)


class _NamedResult(_Result):
    id = Id()
    handle = Text()
    name = Text()
    created_at = Instant()
    updated_at = Instant()
    sourced_id = _maybe(Text)


class GroupResult(_NamedResult):
    """A group: a set of users that someone keeps by hand."""


class LabelResult(_NamedResult):
    """A label: a word that is put on users."""


class ChannelResult(_NamedResult):
    """A channel: a place where users talk."""


class RelationResult(_Result):
    """What one user has to do with another."""

    id = Id()
    user_id = Id()
    other_user_id = Id(attribute="other_id")
    kind = Choice(RelationKind)


class AuditResult(_Result):
    """What one call or command wrote: who, when, and the ids of the rows."""

    id = Id()
    at = Instant()
    token_id = _maybe(Id)
    acting_user_id = _maybe(Id)
    request_id = _maybe(Text, attribute="request")
    method = Text()
    touched = fields.List(Id(), attribute="touched_ids")


class ImportResult(_Result):
    """An import of a roster: when it ran, what became of it, and its report."""

    id = Id()
    at = Instant()
    finished_at = Instant()
    source = Text()
    request_id = _maybe(Text)
    outcome = Choice(ImportOutcome)
    error = _maybe(Text)
    refused = _count()
    warnings = _count()
    report = fields.Dict()


class TokenResult(_Result):
    """A token, without its secret."""

    id = Id()
    name = Text()
    scope = Choice(Scope)
    user_id = _maybe(Id)
    expires_at = _maybe(Instant)
    created_at = Instant()
    revoked_at = _maybe(Instant)


class NewTokenResult(_Result):
    """A token that was made just now, with its secret, which is shown this once."""

    id = Id(attribute="token.id")
    name = Text(attribute="token.name")
    scope = Choice(Scope, attribute="token.scope")
    user_id = _maybe(Id, attribute="token.user_id")
    expires_at = _maybe(Instant, attribute="token.expires_at")
    created_at = Instant(attribute="token.created_at")
    token = Text(attribute="secret")
