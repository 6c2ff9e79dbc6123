# Made by `python -m tests.client.stub` of client/functions.py.
import inspect
from collections.abc import Callable, Coroutine, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from client.batch import Pending
from client.functions import Function
from client.results import AdminProgramInfo, AdminProgramKind, AdminUser, Audit, Channel, Cohort, Explanation, Group, Import, Label, MembershipChange, NewToken, ProgramInfo, ProgramKind, ProgramParticipation, ProgramTicket, Relation, Token, User
from client.words import Gender, Language, MembershipRole, MembershipState, Mode, RelationKind, Scope, SyncMode, TicketState, UnknownNames, UserRole, UserStatus

Take = Callable[[Function, dict[str, Any]], Any]

def signature(function: Function) -> inspect.Signature: ...

class SyncCore:
    def AddEmailToGroup(self, email: str, group_id: UUID | str) -> bool:
        """Put the user with an email into a group, making the user if there is none."""
    def add_email_to_group(self, email: str, group_id: UUID | str) -> bool:
        """Put the user with an email into a group, making the user if there is none."""
    def AddToGroup(self, user_id: UUID | str, id: UUID | str) -> bool:
        """Put a user into a group; True also when they were in it."""
    def add_to_group(self, user_id: UUID | str, id: UUID | str) -> bool:
        """Put a user into a group; True also when they were in it."""
    def AddUserLabel(self, user_id: UUID | str, label_id: UUID | str) -> bool:
        """Put a label on a user; True also when they had it."""
    def add_user_label(self, user_id: UUID | str, label_id: UUID | str) -> bool:
        """Put a label on a user; True also when they had it."""
    def CancelProgramTicket(self, ticket_id: UUID | str | None = None, external_id: UUID | str | None = None, program_kind_id: UUID | str | None = None, comments: str | None = None) -> int:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
    def cancel_program_ticket(self, ticket_id: UUID | str | None = None, external_id: UUID | str | None = None, program_kind_id: UUID | str | None = None, comments: str | None = None) -> int:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
    def ConfirmCohort(self, program_id: UUID | str, cohort_name: str) -> str:
        """Give the id of the program's cohort of this name, made if there is none."""
    def confirm_cohort(self, program_id: UUID | str, cohort_name: str) -> str:
        """Give the id of the program's cohort of this name, made if there is none."""
    def CreateProgramTicket(self, user_id: UUID | str | None = None, email: str | None = None, program_kind_id: UUID | str | None = None, external_id: UUID | str | None = None, sku: str | None = None, base_sku: str | None = None) -> int:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
    def create_program_ticket(self, user_id: UUID | str | None = None, email: str | None = None, program_kind_id: UUID | str | None = None, external_id: UUID | str | None = None, sku: str | None = None, base_sku: str | None = None) -> int:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
    def CreateUser(self, email: str, group_id: UUID | str | None = None, external_id: str | None = None, title: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, mobile: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None) -> bool:
        """Make a user: True if one was made, False if somebody has the email."""
    def create_user(self, email: str, group_id: UUID | str | None = None, external_id: str | None = None, title: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, mobile: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None) -> bool:
        """Make a user: True if one was made, False if somebody has the email."""
    def ExplainQuery(self, find: Language | str, query: str) -> Explanation:
        """Say in words how a query is understood, and which of the names in its lists name nothing."""
    def explain_query(self, find: Language | str, query: str) -> Explanation:
        """Say in words how a query is understood, and which of the names in its lists name nothing."""
    def ListActivePrograms(self) -> list[ProgramInfo]:
        """List the programs that run today, by start date, name and id."""
    def list_active_programs(self) -> list[ProgramInfo]:
        """List the programs that run today, by start date, name and id."""
    def ListClosingParticipants(self, within_days: int | None = None, program_kind_id: UUID | str | None = None, program_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> list[ProgramParticipation]:
        """List who is still active in programs that have ended or end within so many days."""
    def list_closing_participants(self, within_days: int | None = None, program_kind_id: UUID | str | None = None, program_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> list[ProgramParticipation]:
        """List who is still active in programs that have ended or end within so many days."""
    def ListCohorts(self, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> list[Cohort]:
        """List the cohorts of a program by name, letter case aside, then by id."""
    def list_cohorts(self, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> list[Cohort]:
        """List the cohorts of a program by name, letter case aside, then by id."""
    def ListPrograms(self) -> list[ProgramInfo]:
        """List all programs. Obsolete: `query_programs` finds them."""
    def list_programs(self) -> list[ProgramInfo]:
        """List all programs. Obsolete: `query_programs` finds them."""
    def ListUserPrograms(self, user_id: UUID | str) -> list[ProgramInfo]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
    def list_user_programs(self, user_id: UUID | str) -> list[ProgramInfo]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
    def LookupProgram(self, program_kind_id: UUID | str) -> ProgramKind | None:
        """Load one program kind, or None when there is none."""
    def lookup_program(self, program_kind_id: UUID | str) -> ProgramKind | None:
        """Load one program kind, or None when there is none."""
    def LookupProgramInstance(self, program_id: UUID | str) -> ProgramInfo | None:
        """Load one program, or None when there is none."""
    def lookup_program_instance(self, program_id: UUID | str) -> ProgramInfo | None:
        """Load one program, or None when there is none."""
    def MembershipHistory(self, user_id: UUID | str, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> list[MembershipChange]:
        """List what happened to a membership, oldest first."""
    def membership_history(self, user_id: UUID | str, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> list[MembershipChange]:
        """List what happened to a membership, oldest first."""
    def ModifyProgramMembership(self, email: str | None = None, user_id: UUID | str | None = None, program_id: UUID | str | None = None, cohort_id: UUID | str | None = None, role: MembershipRole | str | None = None, state: MembershipState | str | None = None, clear: Sequence[str] | None = None) -> list[ProgramInfo]:
        """Put a user into a program, or change their role, state or cohort there."""
    def modify_program_membership(self, email: str | None = None, user_id: UUID | str | None = None, program_id: UUID | str | None = None, cohort_id: UUID | str | None = None, role: MembershipRole | str | None = None, state: MembershipState | str | None = None, clear: Sequence[str] | None = None) -> list[ProgramInfo]:
        """Put a user into a program, or change their role, state or cohort there."""
    def ProgramChildList(self, id: UUID | str | None = None, kind: UUID | str | None = None, after: date | str | None = None) -> list[ProgramKind] | list[ProgramInfo]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
    def program_child_list(self, id: UUID | str | None = None, kind: UUID | str | None = None, after: date | str | None = None) -> list[ProgramKind] | list[ProgramInfo]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
    def ProgramsAfter(self, kind: UUID | str | None = None, after: date | str | None = None) -> list[ProgramInfo]:
        """List the programs of a kind that start on or after a day, latest first, then by name and id."""
    def programs_after(self, kind: UUID | str | None = None, after: date | str | None = None) -> list[ProgramInfo]:
        """List the programs of a kind that start on or after a day, latest first, then by name and id."""
    def QueryParticipants(self, query: str, limit: int | None = None, offset: int | None = None) -> list[ProgramParticipation]:
        """Find memberships by a participant query; in the order of their making unless it sorts."""
    def query_participants(self, query: str, limit: int | None = None, offset: int | None = None) -> list[ProgramParticipation]:
        """Find memberships by a participant query; in the order of their making unless it sorts."""
    def QueryPrograms(self, query: str, limit: int | None = None, offset: int | None = None) -> list[ProgramInfo]:
        """Find programs by a program query; by start date, name and id unless it sorts."""
    def query_programs(self, query: str, limit: int | None = None, offset: int | None = None) -> list[ProgramInfo]:
        """Find programs by a program query; by start date, name and id unless it sorts."""
    def QueryUsers(self, query: str, limit: int | None = None, offset: int | None = None) -> list[User]:
        """Find users by a user query; in the order of their making unless it sorts."""
    def query_users(self, query: str, limit: int | None = None, offset: int | None = None) -> list[User]:
        """Find users by a user query; in the order of their making unless it sorts."""
    def RemoveUserGroup(self, user_id: UUID | str, id: UUID | str) -> bool:
        """Take a user out of a group; True also when they were not in it."""
    def remove_user_group(self, user_id: UUID | str, id: UUID | str) -> bool:
        """Take a user out of a group; True also when they were not in it."""
    def RemoveUserLabel(self, user_id: UUID | str, label_id: UUID | str) -> bool:
        """Take a label off a user; True also when they did not have it."""
    def remove_user_label(self, user_id: UUID | str, label_id: UUID | str) -> bool:
        """Take a label off a user; True also when they did not have it."""
    def SyncCohort(self, program_id: UUID | str, cohort_id: UUID | str, query: str, role: MembershipRole | str | None = None, mode: SyncMode | str | None = None, dry_run: bool | None = None, max_changes: int | None = None, bring_back: bool | None = None, unknown: UnknownNames | str | None = None) -> int:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
    def sync_cohort(self, program_id: UUID | str, cohort_id: UUID | str, query: str, role: MembershipRole | str | None = None, mode: SyncMode | str | None = None, dry_run: bool | None = None, max_changes: int | None = None, bring_back: bool | None = None, unknown: UnknownNames | str | None = None) -> int:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
    def UpdateUserCohortState(self, user_id: UUID | str, program_id: UUID | str, cohort_id: UUID | str | None = None, state: MembershipState | str | None = None, comments: str | None = None, state_detail: str | None = None) -> list[ProgramInfo]:
        """Set how far a user has come in a program."""
    def update_user_cohort_state(self, user_id: UUID | str, program_id: UUID | str, cohort_id: UUID | str | None = None, state: MembershipState | str | None = None, comments: str | None = None, state_detail: str | None = None) -> list[ProgramInfo]:
        """Set how far a user has come in a program."""
    def UpdateUserProgramDate(self, user_id: UUID | str, program_id: UUID | str, date: date | str) -> list[ProgramInfo]:
        """Set the day from which a user takes part in a program; participantDay counts from it."""
    def update_user_program_date(self, user_id: UUID | str, program_id: UUID | str, date: date | str) -> list[ProgramInfo]:
        """Set the day from which a user takes part in a program; participantDay counts from it."""
    def UserActivePrograms(self, user_id: UUID | str) -> list[ProgramInfo]:
        """List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."""
    def user_active_programs(self, user_id: UUID | str) -> list[ProgramInfo]:
        """List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."""
    def UserFuturePrograms(self, user_id: UUID | str) -> list[ProgramInfo]:
        """List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."""
    def user_future_programs(self, user_id: UUID | str) -> list[ProgramInfo]:
        """List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."""
    def UserHasGroup(self, id: UUID | str, handle: str) -> bool:
        """Tell whether a user is in the group with a handle; False when no group has it."""
    def user_has_group(self, id: UUID | str, handle: str) -> bool:
        """Tell whether a user is in the group with a handle; False when no group has it."""
    def UserHasLabel(self, user_id: UUID | str, handle: str) -> bool:
        """Tell whether a user has the label with a handle; False when no label has it."""
    def user_has_label(self, user_id: UUID | str, handle: str) -> bool:
        """Tell whether a user has the label with a handle; False when no label has it."""
    def UserTickets(self, user_id: UUID | str | None = None, state: TicketState | str | None = None, email: str | None = None, limit: int | None = None, offset: int | None = None) -> list[ProgramTicket]:
        """List a user's tickets, oldest first, which is the order in which they are used."""
    def user_tickets(self, user_id: UUID | str | None = None, state: TicketState | str | None = None, email: str | None = None, limit: int | None = None, offset: int | None = None) -> list[ProgramTicket]:
        """List a user's tickets, oldest first, which is the order in which they are used."""

class SyncAdmin:
    def AddToChannel(self, user_id: UUID | str, channel_id: UUID | str) -> bool:
        """Put a user into a channel; True also when they were in it."""
    def add_to_channel(self, user_id: UUID | str, channel_id: UUID | str) -> bool:
        """Put a user into a channel; True also when they were in it."""
    def CreateToken(self, name: str, scope: Scope | str, user_id: UUID | str | None = None, expires_at: datetime | str | None = None) -> NewToken:
        """Make a token; its secret is in the answer this once and nowhere else."""
    def create_token(self, name: str, scope: Scope | str, user_id: UUID | str | None = None, expires_at: datetime | str | None = None) -> NewToken:
        """Make a token; its secret is in the answer this once and nowhere else."""
    def EraseUser(self, user_id: UUID | str) -> int:
        """Blank whatever says who a user is: 1 when it was done now, 0 when it was done before."""
    def erase_user(self, user_id: UUID | str) -> int:
        """Blank whatever says who a user is: 1 when it was done now, 0 when it was done before."""
    def ListAudit(self, token_id: UUID | str | None = None, acting_user_id: UUID | str | None = None, method: str | None = None, request_id: str | None = None, touched: UUID | str | None = None, since: datetime | str | None = None, until: datetime | str | None = None, limit: int | None = None, offset: int | None = None) -> list[Audit]:
        """List who wrote what, newest first, then by id: a row for each call or command that wrote."""
    def list_audit(self, token_id: UUID | str | None = None, acting_user_id: UUID | str | None = None, method: str | None = None, request_id: str | None = None, touched: UUID | str | None = None, since: datetime | str | None = None, until: datetime | str | None = None, limit: int | None = None, offset: int | None = None) -> list[Audit]:
        """List who wrote what, newest first, then by id: a row for each call or command that wrote."""
    def ListChannelUsers(self, channel_id: UUID | str, limit: int | None = None, offset: int | None = None) -> list[AdminUser]:
        """List who is in a channel, in the order of their making, then by id."""
    def list_channel_users(self, channel_id: UUID | str, limit: int | None = None, offset: int | None = None) -> list[AdminUser]:
        """List who is in a channel, in the order of their making, then by id."""
    def ListChannels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, user_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> list[Channel]:
        """List channels by handle and id."""
    def list_channels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, user_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> list[Channel]:
        """List channels by handle and id."""
    def ListGroups(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> list[Group]:
        """List groups by handle and id; `list_users` with group_id lists who is in one."""
    def list_groups(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> list[Group]:
        """List groups by handle and id; `list_users` with group_id lists who is in one."""
    def ListImports(self, limit: int | None = None, after: UUID | str | None = None) -> list[Import]:
        """List the imports that wrote, or were to, newest first, with their reports."""
    def list_imports(self, limit: int | None = None, after: UUID | str | None = None) -> list[Import]:
        """List the imports that wrote, or were to, newest first, with their reports."""
    def ListLabels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> list[Label]:
        """List labels by handle and id; `list_users` with label_id lists who has one."""
    def list_labels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> list[Label]:
        """List labels by handle and id; `list_users` with label_id lists who has one."""
    def ListProgramKinds(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> list[AdminProgramKind]:
        """List program kinds, archived ones too, by name and id."""
    def list_program_kinds(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> list[AdminProgramKind]:
        """List program kinds, archived ones too, by name and id."""
    def ListPrograms(self, id: UUID | str | None = None, sourced_id: str | None = None, program_kind_id: UUID | str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> list[AdminProgramInfo]:
        """List programs, archived ones too, by start date, name and id."""
    def list_programs(self, id: UUID | str | None = None, sourced_id: str | None = None, program_kind_id: UUID | str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> list[AdminProgramInfo]:
        """List programs, archived ones too, by start date, name and id."""
    def ListRelations(self, user_id: UUID | str | None = None, other_user_id: UUID | str | None = None, kind: RelationKind | str | None = None, limit: int | None = None, offset: int | None = None) -> list[Relation]:
        """List relations between users, by user, kind, other user and id."""
    def list_relations(self, user_id: UUID | str | None = None, other_user_id: UUID | str | None = None, kind: RelationKind | str | None = None, limit: int | None = None, offset: int | None = None) -> list[Relation]:
        """List relations between users, by user, kind, other user and id."""
    def ListTokens(self, id: UUID | str | None = None, user_id: UUID | str | None = None, scope: Scope | str | None = None, limit: int | None = None, offset: int | None = None) -> list[Token]:
        """List tokens, ended and revoked ones too, oldest first, then by id; never a secret."""
    def list_tokens(self, id: UUID | str | None = None, user_id: UUID | str | None = None, scope: Scope | str | None = None, limit: int | None = None, offset: int | None = None) -> list[Token]:
        """List tokens, ended and revoked ones too, oldest first, then by id; never a secret."""
    def ListUsers(self, id: UUID | str | None = None, sourced_id: str | None = None, email: str | None = None, external_id: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, group_id: UUID | str | None = None, label_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> list[AdminUser]:
        """List users, retired and erased ones too, in the order of their making, then by id."""
    def list_users(self, id: UUID | str | None = None, sourced_id: str | None = None, email: str | None = None, external_id: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, group_id: UUID | str | None = None, label_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> list[AdminUser]:
        """List users, retired and erased ones too, in the order of their making, then by id."""
    def RemoveFromChannel(self, user_id: UUID | str, channel_id: UUID | str) -> bool:
        """Take a user out of a channel; True also when they were not in it."""
    def remove_from_channel(self, user_id: UUID | str, channel_id: UUID | str) -> bool:
        """Take a user out of a channel; True also when they were not in it."""
    def RemoveRelation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> bool:
        """End a relation between two users; True also when there was none."""
    def remove_relation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> bool:
        """End a relation between two users; True also when there was none."""
    def RevokeToken(self, token_id: UUID | str) -> int:
        """Let nobody in with a token any more: 1 when it was revoked now, 0 when it was already."""
    def revoke_token(self, token_id: UUID | str) -> int:
        """Let nobody in with a token any more: 1 when it was revoked now, 0 when it was already."""
    def SaveChannel(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Channel:
        """Make a channel, or change the one with this id; what is not given stays."""
    def save_channel(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Channel:
        """Make a channel, or change the one with this id; what is not given stays."""
    def SaveGroup(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Group:
        """Make a group, or change the one with this id; what is not given stays."""
    def save_group(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Group:
        """Make a group, or change the one with this id; what is not given stays."""
    def SaveLabel(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Label:
        """Make a label, or change the one with this id; what is not given stays."""
    def save_label(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Label:
        """Make a label, or change the one with this id; what is not given stays."""
    def SaveProgram(self, id: UUID | str | None = None, program_kind_id: UUID | str | None = None, name: str | None = None, start_date: date | str | None = None, duration: int | None = None, mode: Mode | str | None = None, timezone: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> AdminProgramInfo:
        """Make a program, or change the one with this id."""
    def save_program(self, id: UUID | str | None = None, program_kind_id: UUID | str | None = None, name: str | None = None, start_date: date | str | None = None, duration: int | None = None, mode: Mode | str | None = None, timezone: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> AdminProgramInfo:
        """Make a program, or change the one with this id."""
    def SaveProgramKind(self, id: UUID | str | None = None, name: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, mode: Mode | str | None = None, duration: int | None = None, priority: int | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> AdminProgramKind:
        """Make a program kind, or change the one with this id."""
    def save_program_kind(self, id: UUID | str | None = None, name: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, mode: Mode | str | None = None, duration: int | None = None, priority: int | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> AdminProgramKind:
        """Make a program kind, or change the one with this id."""
    def SaveRelation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Relation:
        """Have one user follow, report to (direct) or be related to another; the same again changes nothing."""
    def save_relation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Relation:
        """Have one user follow, report to (direct) or be related to another; the same again changes nothing."""
    def SaveUser(self, id: UUID | str | None = None, email: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, title: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None, mobile: str | None = None, timezone: str | None = None, external_id: str | None = None, external_status: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, last_sign_in_at: datetime | str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> AdminUser:
        """Make a user, or change the one with this id."""
    def save_user(self, id: UUID | str | None = None, email: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, title: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None, mobile: str | None = None, timezone: str | None = None, external_id: str | None = None, external_status: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, last_sign_in_at: datetime | str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> AdminUser:
        """Make a user, or change the one with this id."""

class SyncFunctions:
    @property
    def core(self) -> SyncCore: ...
    @property
    def admin(self) -> SyncAdmin: ...
    def add_email_to_group(self, email: str, group_id: UUID | str) -> bool:
        """Put the user with an email into a group, making the user if there is none."""
    def add_to_group(self, user_id: UUID | str, id: UUID | str) -> bool:
        """Put a user into a group; True also when they were in it."""
    def add_user_label(self, user_id: UUID | str, label_id: UUID | str) -> bool:
        """Put a label on a user; True also when they had it."""
    def cancel_program_ticket(self, ticket_id: UUID | str | None = None, external_id: UUID | str | None = None, program_kind_id: UUID | str | None = None, comments: str | None = None) -> int:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
    def confirm_cohort(self, program_id: UUID | str, cohort_name: str) -> str:
        """Give the id of the program's cohort of this name, made if there is none."""
    def create_program_ticket(self, user_id: UUID | str | None = None, email: str | None = None, program_kind_id: UUID | str | None = None, external_id: UUID | str | None = None, sku: str | None = None, base_sku: str | None = None) -> int:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
    def create_user(self, email: str, group_id: UUID | str | None = None, external_id: str | None = None, title: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, mobile: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None) -> bool:
        """Make a user: True if one was made, False if somebody has the email."""
    def explain_query(self, find: Language | str, query: str) -> Explanation:
        """Say in words how a query is understood, and which of the names in its lists name nothing."""
    def list_active_programs(self) -> list[ProgramInfo]:
        """List the programs that run today, by start date, name and id."""
    def list_closing_participants(self, within_days: int | None = None, program_kind_id: UUID | str | None = None, program_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> list[ProgramParticipation]:
        """List who is still active in programs that have ended or end within so many days."""
    def list_cohorts(self, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> list[Cohort]:
        """List the cohorts of a program by name, letter case aside, then by id."""
    def list_programs(self) -> list[ProgramInfo]:
        """List all programs. Obsolete: `query_programs` finds them."""
    def list_user_programs(self, user_id: UUID | str) -> list[ProgramInfo]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
    def lookup_program(self, program_kind_id: UUID | str) -> ProgramKind | None:
        """Load one program kind, or None when there is none."""
    def lookup_program_instance(self, program_id: UUID | str) -> ProgramInfo | None:
        """Load one program, or None when there is none."""
    def membership_history(self, user_id: UUID | str, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> list[MembershipChange]:
        """List what happened to a membership, oldest first."""
    def modify_program_membership(self, email: str | None = None, user_id: UUID | str | None = None, program_id: UUID | str | None = None, cohort_id: UUID | str | None = None, role: MembershipRole | str | None = None, state: MembershipState | str | None = None, clear: Sequence[str] | None = None) -> list[ProgramInfo]:
        """Put a user into a program, or change their role, state or cohort there."""
    def program_child_list(self, id: UUID | str | None = None, kind: UUID | str | None = None, after: date | str | None = None) -> list[ProgramKind] | list[ProgramInfo]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
    def programs_after(self, kind: UUID | str | None = None, after: date | str | None = None) -> list[ProgramInfo]:
        """List the programs of a kind that start on or after a day, latest first, then by name and id."""
    def query_participants(self, query: str, limit: int | None = None, offset: int | None = None) -> list[ProgramParticipation]:
        """Find memberships by a participant query; in the order of their making unless it sorts."""
    def query_programs(self, query: str, limit: int | None = None, offset: int | None = None) -> list[ProgramInfo]:
        """Find programs by a program query; by start date, name and id unless it sorts."""
    def query_users(self, query: str, limit: int | None = None, offset: int | None = None) -> list[User]:
        """Find users by a user query; in the order of their making unless it sorts."""
    def remove_user_group(self, user_id: UUID | str, id: UUID | str) -> bool:
        """Take a user out of a group; True also when they were not in it."""
    def remove_user_label(self, user_id: UUID | str, label_id: UUID | str) -> bool:
        """Take a label off a user; True also when they did not have it."""
    def sync_cohort(self, program_id: UUID | str, cohort_id: UUID | str, query: str, role: MembershipRole | str | None = None, mode: SyncMode | str | None = None, dry_run: bool | None = None, max_changes: int | None = None, bring_back: bool | None = None, unknown: UnknownNames | str | None = None) -> int:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
    def update_user_cohort_state(self, user_id: UUID | str, program_id: UUID | str, cohort_id: UUID | str | None = None, state: MembershipState | str | None = None, comments: str | None = None, state_detail: str | None = None) -> list[ProgramInfo]:
        """Set how far a user has come in a program."""
    def update_user_program_date(self, user_id: UUID | str, program_id: UUID | str, date: date | str) -> list[ProgramInfo]:
        """Set the day from which a user takes part in a program; participantDay counts from it."""
    def user_active_programs(self, user_id: UUID | str) -> list[ProgramInfo]:
        """List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."""
    def user_future_programs(self, user_id: UUID | str) -> list[ProgramInfo]:
        """List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."""
    def user_has_group(self, id: UUID | str, handle: str) -> bool:
        """Tell whether a user is in the group with a handle; False when no group has it."""
    def user_has_label(self, user_id: UUID | str, handle: str) -> bool:
        """Tell whether a user has the label with a handle; False when no label has it."""
    def user_tickets(self, user_id: UUID | str | None = None, state: TicketState | str | None = None, email: str | None = None, limit: int | None = None, offset: int | None = None) -> list[ProgramTicket]:
        """List a user's tickets, oldest first, which is the order in which they are used."""

class AsyncCore:
    def AddEmailToGroup(self, email: str, group_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put the user with an email into a group, making the user if there is none."""
    def add_email_to_group(self, email: str, group_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put the user with an email into a group, making the user if there is none."""
    def AddToGroup(self, user_id: UUID | str, id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put a user into a group; True also when they were in it."""
    def add_to_group(self, user_id: UUID | str, id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put a user into a group; True also when they were in it."""
    def AddUserLabel(self, user_id: UUID | str, label_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put a label on a user; True also when they had it."""
    def add_user_label(self, user_id: UUID | str, label_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put a label on a user; True also when they had it."""
    def CancelProgramTicket(self, ticket_id: UUID | str | None = None, external_id: UUID | str | None = None, program_kind_id: UUID | str | None = None, comments: str | None = None) -> Coroutine[Any, Any, int]:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
    def cancel_program_ticket(self, ticket_id: UUID | str | None = None, external_id: UUID | str | None = None, program_kind_id: UUID | str | None = None, comments: str | None = None) -> Coroutine[Any, Any, int]:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
    def ConfirmCohort(self, program_id: UUID | str, cohort_name: str) -> Coroutine[Any, Any, str]:
        """Give the id of the program's cohort of this name, made if there is none."""
    def confirm_cohort(self, program_id: UUID | str, cohort_name: str) -> Coroutine[Any, Any, str]:
        """Give the id of the program's cohort of this name, made if there is none."""
    def CreateProgramTicket(self, user_id: UUID | str | None = None, email: str | None = None, program_kind_id: UUID | str | None = None, external_id: UUID | str | None = None, sku: str | None = None, base_sku: str | None = None) -> Coroutine[Any, Any, int]:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
    def create_program_ticket(self, user_id: UUID | str | None = None, email: str | None = None, program_kind_id: UUID | str | None = None, external_id: UUID | str | None = None, sku: str | None = None, base_sku: str | None = None) -> Coroutine[Any, Any, int]:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
    def CreateUser(self, email: str, group_id: UUID | str | None = None, external_id: str | None = None, title: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, mobile: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None) -> Coroutine[Any, Any, bool]:
        """Make a user: True if one was made, False if somebody has the email."""
    def create_user(self, email: str, group_id: UUID | str | None = None, external_id: str | None = None, title: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, mobile: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None) -> Coroutine[Any, Any, bool]:
        """Make a user: True if one was made, False if somebody has the email."""
    def ExplainQuery(self, find: Language | str, query: str) -> Coroutine[Any, Any, Explanation]:
        """Say in words how a query is understood, and which of the names in its lists name nothing."""
    def explain_query(self, find: Language | str, query: str) -> Coroutine[Any, Any, Explanation]:
        """Say in words how a query is understood, and which of the names in its lists name nothing."""
    def ListActivePrograms(self) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs that run today, by start date, name and id."""
    def list_active_programs(self) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs that run today, by start date, name and id."""
    def ListClosingParticipants(self, within_days: int | None = None, program_kind_id: UUID | str | None = None, program_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramParticipation]]:
        """List who is still active in programs that have ended or end within so many days."""
    def list_closing_participants(self, within_days: int | None = None, program_kind_id: UUID | str | None = None, program_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramParticipation]]:
        """List who is still active in programs that have ended or end within so many days."""
    def ListCohorts(self, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Cohort]]:
        """List the cohorts of a program by name, letter case aside, then by id."""
    def list_cohorts(self, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Cohort]]:
        """List the cohorts of a program by name, letter case aside, then by id."""
    def ListPrograms(self) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List all programs. Obsolete: `query_programs` finds them."""
    def list_programs(self) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List all programs. Obsolete: `query_programs` finds them."""
    def ListUserPrograms(self, user_id: UUID | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
    def list_user_programs(self, user_id: UUID | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
    def LookupProgram(self, program_kind_id: UUID | str) -> Coroutine[Any, Any, ProgramKind | None]:
        """Load one program kind, or None when there is none."""
    def lookup_program(self, program_kind_id: UUID | str) -> Coroutine[Any, Any, ProgramKind | None]:
        """Load one program kind, or None when there is none."""
    def LookupProgramInstance(self, program_id: UUID | str) -> Coroutine[Any, Any, ProgramInfo | None]:
        """Load one program, or None when there is none."""
    def lookup_program_instance(self, program_id: UUID | str) -> Coroutine[Any, Any, ProgramInfo | None]:
        """Load one program, or None when there is none."""
    def MembershipHistory(self, user_id: UUID | str, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[MembershipChange]]:
        """List what happened to a membership, oldest first."""
    def membership_history(self, user_id: UUID | str, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[MembershipChange]]:
        """List what happened to a membership, oldest first."""
    def ModifyProgramMembership(self, email: str | None = None, user_id: UUID | str | None = None, program_id: UUID | str | None = None, cohort_id: UUID | str | None = None, role: MembershipRole | str | None = None, state: MembershipState | str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Put a user into a program, or change their role, state or cohort there."""
    def modify_program_membership(self, email: str | None = None, user_id: UUID | str | None = None, program_id: UUID | str | None = None, cohort_id: UUID | str | None = None, role: MembershipRole | str | None = None, state: MembershipState | str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Put a user into a program, or change their role, state or cohort there."""
    def ProgramChildList(self, id: UUID | str | None = None, kind: UUID | str | None = None, after: date | str | None = None) -> Coroutine[Any, Any, list[ProgramKind] | list[ProgramInfo]]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
    def program_child_list(self, id: UUID | str | None = None, kind: UUID | str | None = None, after: date | str | None = None) -> Coroutine[Any, Any, list[ProgramKind] | list[ProgramInfo]]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
    def ProgramsAfter(self, kind: UUID | str | None = None, after: date | str | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs of a kind that start on or after a day, latest first, then by name and id."""
    def programs_after(self, kind: UUID | str | None = None, after: date | str | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs of a kind that start on or after a day, latest first, then by name and id."""
    def QueryParticipants(self, query: str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramParticipation]]:
        """Find memberships by a participant query; in the order of their making unless it sorts."""
    def query_participants(self, query: str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramParticipation]]:
        """Find memberships by a participant query; in the order of their making unless it sorts."""
    def QueryPrograms(self, query: str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Find programs by a program query; by start date, name and id unless it sorts."""
    def query_programs(self, query: str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Find programs by a program query; by start date, name and id unless it sorts."""
    def QueryUsers(self, query: str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[User]]:
        """Find users by a user query; in the order of their making unless it sorts."""
    def query_users(self, query: str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[User]]:
        """Find users by a user query; in the order of their making unless it sorts."""
    def RemoveUserGroup(self, user_id: UUID | str, id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Take a user out of a group; True also when they were not in it."""
    def remove_user_group(self, user_id: UUID | str, id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Take a user out of a group; True also when they were not in it."""
    def RemoveUserLabel(self, user_id: UUID | str, label_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Take a label off a user; True also when they did not have it."""
    def remove_user_label(self, user_id: UUID | str, label_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Take a label off a user; True also when they did not have it."""
    def SyncCohort(self, program_id: UUID | str, cohort_id: UUID | str, query: str, role: MembershipRole | str | None = None, mode: SyncMode | str | None = None, dry_run: bool | None = None, max_changes: int | None = None, bring_back: bool | None = None, unknown: UnknownNames | str | None = None) -> Coroutine[Any, Any, int]:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
    def sync_cohort(self, program_id: UUID | str, cohort_id: UUID | str, query: str, role: MembershipRole | str | None = None, mode: SyncMode | str | None = None, dry_run: bool | None = None, max_changes: int | None = None, bring_back: bool | None = None, unknown: UnknownNames | str | None = None) -> Coroutine[Any, Any, int]:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
    def UpdateUserCohortState(self, user_id: UUID | str, program_id: UUID | str, cohort_id: UUID | str | None = None, state: MembershipState | str | None = None, comments: str | None = None, state_detail: str | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Set how far a user has come in a program."""
    def update_user_cohort_state(self, user_id: UUID | str, program_id: UUID | str, cohort_id: UUID | str | None = None, state: MembershipState | str | None = None, comments: str | None = None, state_detail: str | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Set how far a user has come in a program."""
    def UpdateUserProgramDate(self, user_id: UUID | str, program_id: UUID | str, date: date | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Set the day from which a user takes part in a program; participantDay counts from it."""
    def update_user_program_date(self, user_id: UUID | str, program_id: UUID | str, date: date | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Set the day from which a user takes part in a program; participantDay counts from it."""
    def UserActivePrograms(self, user_id: UUID | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."""
    def user_active_programs(self, user_id: UUID | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."""
    def UserFuturePrograms(self, user_id: UUID | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."""
    def user_future_programs(self, user_id: UUID | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."""
    def UserHasGroup(self, id: UUID | str, handle: str) -> Coroutine[Any, Any, bool]:
        """Tell whether a user is in the group with a handle; False when no group has it."""
    def user_has_group(self, id: UUID | str, handle: str) -> Coroutine[Any, Any, bool]:
        """Tell whether a user is in the group with a handle; False when no group has it."""
    def UserHasLabel(self, user_id: UUID | str, handle: str) -> Coroutine[Any, Any, bool]:
        """Tell whether a user has the label with a handle; False when no label has it."""
    def user_has_label(self, user_id: UUID | str, handle: str) -> Coroutine[Any, Any, bool]:
        """Tell whether a user has the label with a handle; False when no label has it."""
    def UserTickets(self, user_id: UUID | str | None = None, state: TicketState | str | None = None, email: str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramTicket]]:
        """List a user's tickets, oldest first, which is the order in which they are used."""
    def user_tickets(self, user_id: UUID | str | None = None, state: TicketState | str | None = None, email: str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramTicket]]:
        """List a user's tickets, oldest first, which is the order in which they are used."""

class AsyncAdmin:
    def AddToChannel(self, user_id: UUID | str, channel_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put a user into a channel; True also when they were in it."""
    def add_to_channel(self, user_id: UUID | str, channel_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put a user into a channel; True also when they were in it."""
    def CreateToken(self, name: str, scope: Scope | str, user_id: UUID | str | None = None, expires_at: datetime | str | None = None) -> Coroutine[Any, Any, NewToken]:
        """Make a token; its secret is in the answer this once and nowhere else."""
    def create_token(self, name: str, scope: Scope | str, user_id: UUID | str | None = None, expires_at: datetime | str | None = None) -> Coroutine[Any, Any, NewToken]:
        """Make a token; its secret is in the answer this once and nowhere else."""
    def EraseUser(self, user_id: UUID | str) -> Coroutine[Any, Any, int]:
        """Blank whatever says who a user is: 1 when it was done now, 0 when it was done before."""
    def erase_user(self, user_id: UUID | str) -> Coroutine[Any, Any, int]:
        """Blank whatever says who a user is: 1 when it was done now, 0 when it was done before."""
    def ListAudit(self, token_id: UUID | str | None = None, acting_user_id: UUID | str | None = None, method: str | None = None, request_id: str | None = None, touched: UUID | str | None = None, since: datetime | str | None = None, until: datetime | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Audit]]:
        """List who wrote what, newest first, then by id: a row for each call or command that wrote."""
    def list_audit(self, token_id: UUID | str | None = None, acting_user_id: UUID | str | None = None, method: str | None = None, request_id: str | None = None, touched: UUID | str | None = None, since: datetime | str | None = None, until: datetime | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Audit]]:
        """List who wrote what, newest first, then by id: a row for each call or command that wrote."""
    def ListChannelUsers(self, channel_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[AdminUser]]:
        """List who is in a channel, in the order of their making, then by id."""
    def list_channel_users(self, channel_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[AdminUser]]:
        """List who is in a channel, in the order of their making, then by id."""
    def ListChannels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, user_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Channel]]:
        """List channels by handle and id."""
    def list_channels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, user_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Channel]]:
        """List channels by handle and id."""
    def ListGroups(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Group]]:
        """List groups by handle and id; `list_users` with group_id lists who is in one."""
    def list_groups(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Group]]:
        """List groups by handle and id; `list_users` with group_id lists who is in one."""
    def ListImports(self, limit: int | None = None, after: UUID | str | None = None) -> Coroutine[Any, Any, list[Import]]:
        """List the imports that wrote, or were to, newest first, with their reports."""
    def list_imports(self, limit: int | None = None, after: UUID | str | None = None) -> Coroutine[Any, Any, list[Import]]:
        """List the imports that wrote, or were to, newest first, with their reports."""
    def ListLabels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Label]]:
        """List labels by handle and id; `list_users` with label_id lists who has one."""
    def list_labels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Label]]:
        """List labels by handle and id; `list_users` with label_id lists who has one."""
    def ListProgramKinds(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[AdminProgramKind]]:
        """List program kinds, archived ones too, by name and id."""
    def list_program_kinds(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[AdminProgramKind]]:
        """List program kinds, archived ones too, by name and id."""
    def ListPrograms(self, id: UUID | str | None = None, sourced_id: str | None = None, program_kind_id: UUID | str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[AdminProgramInfo]]:
        """List programs, archived ones too, by start date, name and id."""
    def list_programs(self, id: UUID | str | None = None, sourced_id: str | None = None, program_kind_id: UUID | str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[AdminProgramInfo]]:
        """List programs, archived ones too, by start date, name and id."""
    def ListRelations(self, user_id: UUID | str | None = None, other_user_id: UUID | str | None = None, kind: RelationKind | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Relation]]:
        """List relations between users, by user, kind, other user and id."""
    def list_relations(self, user_id: UUID | str | None = None, other_user_id: UUID | str | None = None, kind: RelationKind | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Relation]]:
        """List relations between users, by user, kind, other user and id."""
    def ListTokens(self, id: UUID | str | None = None, user_id: UUID | str | None = None, scope: Scope | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Token]]:
        """List tokens, ended and revoked ones too, oldest first, then by id; never a secret."""
    def list_tokens(self, id: UUID | str | None = None, user_id: UUID | str | None = None, scope: Scope | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Token]]:
        """List tokens, ended and revoked ones too, oldest first, then by id; never a secret."""
    def ListUsers(self, id: UUID | str | None = None, sourced_id: str | None = None, email: str | None = None, external_id: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, group_id: UUID | str | None = None, label_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[AdminUser]]:
        """List users, retired and erased ones too, in the order of their making, then by id."""
    def list_users(self, id: UUID | str | None = None, sourced_id: str | None = None, email: str | None = None, external_id: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, group_id: UUID | str | None = None, label_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[AdminUser]]:
        """List users, retired and erased ones too, in the order of their making, then by id."""
    def RemoveFromChannel(self, user_id: UUID | str, channel_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Take a user out of a channel; True also when they were not in it."""
    def remove_from_channel(self, user_id: UUID | str, channel_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Take a user out of a channel; True also when they were not in it."""
    def RemoveRelation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Coroutine[Any, Any, bool]:
        """End a relation between two users; True also when there was none."""
    def remove_relation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Coroutine[Any, Any, bool]:
        """End a relation between two users; True also when there was none."""
    def RevokeToken(self, token_id: UUID | str) -> Coroutine[Any, Any, int]:
        """Let nobody in with a token any more: 1 when it was revoked now, 0 when it was already."""
    def revoke_token(self, token_id: UUID | str) -> Coroutine[Any, Any, int]:
        """Let nobody in with a token any more: 1 when it was revoked now, 0 when it was already."""
    def SaveChannel(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, Channel]:
        """Make a channel, or change the one with this id; what is not given stays."""
    def save_channel(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, Channel]:
        """Make a channel, or change the one with this id; what is not given stays."""
    def SaveGroup(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, Group]:
        """Make a group, or change the one with this id; what is not given stays."""
    def save_group(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, Group]:
        """Make a group, or change the one with this id; what is not given stays."""
    def SaveLabel(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, Label]:
        """Make a label, or change the one with this id; what is not given stays."""
    def save_label(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, Label]:
        """Make a label, or change the one with this id; what is not given stays."""
    def SaveProgram(self, id: UUID | str | None = None, program_kind_id: UUID | str | None = None, name: str | None = None, start_date: date | str | None = None, duration: int | None = None, mode: Mode | str | None = None, timezone: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, AdminProgramInfo]:
        """Make a program, or change the one with this id."""
    def save_program(self, id: UUID | str | None = None, program_kind_id: UUID | str | None = None, name: str | None = None, start_date: date | str | None = None, duration: int | None = None, mode: Mode | str | None = None, timezone: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, AdminProgramInfo]:
        """Make a program, or change the one with this id."""
    def SaveProgramKind(self, id: UUID | str | None = None, name: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, mode: Mode | str | None = None, duration: int | None = None, priority: int | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, AdminProgramKind]:
        """Make a program kind, or change the one with this id."""
    def save_program_kind(self, id: UUID | str | None = None, name: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, mode: Mode | str | None = None, duration: int | None = None, priority: int | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, AdminProgramKind]:
        """Make a program kind, or change the one with this id."""
    def SaveRelation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Coroutine[Any, Any, Relation]:
        """Have one user follow, report to (direct) or be related to another; the same again changes nothing."""
    def save_relation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Coroutine[Any, Any, Relation]:
        """Have one user follow, report to (direct) or be related to another; the same again changes nothing."""
    def SaveUser(self, id: UUID | str | None = None, email: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, title: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None, mobile: str | None = None, timezone: str | None = None, external_id: str | None = None, external_status: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, last_sign_in_at: datetime | str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, AdminUser]:
        """Make a user, or change the one with this id."""
    def save_user(self, id: UUID | str | None = None, email: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, title: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None, mobile: str | None = None, timezone: str | None = None, external_id: str | None = None, external_status: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, last_sign_in_at: datetime | str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, AdminUser]:
        """Make a user, or change the one with this id."""

class AsyncFunctions:
    @property
    def core(self) -> AsyncCore: ...
    @property
    def admin(self) -> AsyncAdmin: ...
    def add_email_to_group(self, email: str, group_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put the user with an email into a group, making the user if there is none."""
    def add_to_group(self, user_id: UUID | str, id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put a user into a group; True also when they were in it."""
    def add_user_label(self, user_id: UUID | str, label_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Put a label on a user; True also when they had it."""
    def cancel_program_ticket(self, ticket_id: UUID | str | None = None, external_id: UUID | str | None = None, program_kind_id: UUID | str | None = None, comments: str | None = None) -> Coroutine[Any, Any, int]:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
    def confirm_cohort(self, program_id: UUID | str, cohort_name: str) -> Coroutine[Any, Any, str]:
        """Give the id of the program's cohort of this name, made if there is none."""
    def create_program_ticket(self, user_id: UUID | str | None = None, email: str | None = None, program_kind_id: UUID | str | None = None, external_id: UUID | str | None = None, sku: str | None = None, base_sku: str | None = None) -> Coroutine[Any, Any, int]:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
    def create_user(self, email: str, group_id: UUID | str | None = None, external_id: str | None = None, title: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, mobile: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None) -> Coroutine[Any, Any, bool]:
        """Make a user: True if one was made, False if somebody has the email."""
    def explain_query(self, find: Language | str, query: str) -> Coroutine[Any, Any, Explanation]:
        """Say in words how a query is understood, and which of the names in its lists name nothing."""
    def list_active_programs(self) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs that run today, by start date, name and id."""
    def list_closing_participants(self, within_days: int | None = None, program_kind_id: UUID | str | None = None, program_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramParticipation]]:
        """List who is still active in programs that have ended or end within so many days."""
    def list_cohorts(self, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[Cohort]]:
        """List the cohorts of a program by name, letter case aside, then by id."""
    def list_programs(self) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List all programs. Obsolete: `query_programs` finds them."""
    def list_user_programs(self, user_id: UUID | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
    def lookup_program(self, program_kind_id: UUID | str) -> Coroutine[Any, Any, ProgramKind | None]:
        """Load one program kind, or None when there is none."""
    def lookup_program_instance(self, program_id: UUID | str) -> Coroutine[Any, Any, ProgramInfo | None]:
        """Load one program, or None when there is none."""
    def membership_history(self, user_id: UUID | str, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[MembershipChange]]:
        """List what happened to a membership, oldest first."""
    def modify_program_membership(self, email: str | None = None, user_id: UUID | str | None = None, program_id: UUID | str | None = None, cohort_id: UUID | str | None = None, role: MembershipRole | str | None = None, state: MembershipState | str | None = None, clear: Sequence[str] | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Put a user into a program, or change their role, state or cohort there."""
    def program_child_list(self, id: UUID | str | None = None, kind: UUID | str | None = None, after: date | str | None = None) -> Coroutine[Any, Any, list[ProgramKind] | list[ProgramInfo]]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
    def programs_after(self, kind: UUID | str | None = None, after: date | str | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs of a kind that start on or after a day, latest first, then by name and id."""
    def query_participants(self, query: str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramParticipation]]:
        """Find memberships by a participant query; in the order of their making unless it sorts."""
    def query_programs(self, query: str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Find programs by a program query; by start date, name and id unless it sorts."""
    def query_users(self, query: str, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[User]]:
        """Find users by a user query; in the order of their making unless it sorts."""
    def remove_user_group(self, user_id: UUID | str, id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Take a user out of a group; True also when they were not in it."""
    def remove_user_label(self, user_id: UUID | str, label_id: UUID | str) -> Coroutine[Any, Any, bool]:
        """Take a label off a user; True also when they did not have it."""
    def sync_cohort(self, program_id: UUID | str, cohort_id: UUID | str, query: str, role: MembershipRole | str | None = None, mode: SyncMode | str | None = None, dry_run: bool | None = None, max_changes: int | None = None, bring_back: bool | None = None, unknown: UnknownNames | str | None = None) -> Coroutine[Any, Any, int]:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
    def update_user_cohort_state(self, user_id: UUID | str, program_id: UUID | str, cohort_id: UUID | str | None = None, state: MembershipState | str | None = None, comments: str | None = None, state_detail: str | None = None) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Set how far a user has come in a program."""
    def update_user_program_date(self, user_id: UUID | str, program_id: UUID | str, date: date | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """Set the day from which a user takes part in a program; participantDay counts from it."""
    def user_active_programs(self, user_id: UUID | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."""
    def user_future_programs(self, user_id: UUID | str) -> Coroutine[Any, Any, list[ProgramInfo]]:
        """List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."""
    def user_has_group(self, id: UUID | str, handle: str) -> Coroutine[Any, Any, bool]:
        """Tell whether a user is in the group with a handle; False when no group has it."""
    def user_has_label(self, user_id: UUID | str, handle: str) -> Coroutine[Any, Any, bool]:
        """Tell whether a user has the label with a handle; False when no label has it."""
    def user_tickets(self, user_id: UUID | str | None = None, state: TicketState | str | None = None, email: str | None = None, limit: int | None = None, offset: int | None = None) -> Coroutine[Any, Any, list[ProgramTicket]]:
        """List a user's tickets, oldest first, which is the order in which they are used."""

class BatchCore:
    def AddEmailToGroup(self, email: str, group_id: UUID | str) -> Pending[bool]:
        """Put the user with an email into a group, making the user if there is none."""
    def add_email_to_group(self, email: str, group_id: UUID | str) -> Pending[bool]:
        """Put the user with an email into a group, making the user if there is none."""
    def AddToGroup(self, user_id: UUID | str, id: UUID | str) -> Pending[bool]:
        """Put a user into a group; True also when they were in it."""
    def add_to_group(self, user_id: UUID | str, id: UUID | str) -> Pending[bool]:
        """Put a user into a group; True also when they were in it."""
    def AddUserLabel(self, user_id: UUID | str, label_id: UUID | str) -> Pending[bool]:
        """Put a label on a user; True also when they had it."""
    def add_user_label(self, user_id: UUID | str, label_id: UUID | str) -> Pending[bool]:
        """Put a label on a user; True also when they had it."""
    def CancelProgramTicket(self, ticket_id: UUID | str | None = None, external_id: UUID | str | None = None, program_kind_id: UUID | str | None = None, comments: str | None = None) -> Pending[int]:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
    def cancel_program_ticket(self, ticket_id: UUID | str | None = None, external_id: UUID | str | None = None, program_kind_id: UUID | str | None = None, comments: str | None = None) -> Pending[int]:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
    def ConfirmCohort(self, program_id: UUID | str, cohort_name: str) -> Pending[str]:
        """Give the id of the program's cohort of this name, made if there is none."""
    def confirm_cohort(self, program_id: UUID | str, cohort_name: str) -> Pending[str]:
        """Give the id of the program's cohort of this name, made if there is none."""
    def CreateProgramTicket(self, user_id: UUID | str | None = None, email: str | None = None, program_kind_id: UUID | str | None = None, external_id: UUID | str | None = None, sku: str | None = None, base_sku: str | None = None) -> Pending[int]:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
    def create_program_ticket(self, user_id: UUID | str | None = None, email: str | None = None, program_kind_id: UUID | str | None = None, external_id: UUID | str | None = None, sku: str | None = None, base_sku: str | None = None) -> Pending[int]:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
    def CreateUser(self, email: str, group_id: UUID | str | None = None, external_id: str | None = None, title: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, mobile: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None) -> Pending[bool]:
        """Make a user: True if one was made, False if somebody has the email."""
    def create_user(self, email: str, group_id: UUID | str | None = None, external_id: str | None = None, title: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, mobile: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None) -> Pending[bool]:
        """Make a user: True if one was made, False if somebody has the email."""
    def ExplainQuery(self, find: Language | str, query: str) -> Pending[Explanation]:
        """Say in words how a query is understood, and which of the names in its lists name nothing."""
    def explain_query(self, find: Language | str, query: str) -> Pending[Explanation]:
        """Say in words how a query is understood, and which of the names in its lists name nothing."""
    def ListActivePrograms(self) -> Pending[list[ProgramInfo]]:
        """List the programs that run today, by start date, name and id."""
    def list_active_programs(self) -> Pending[list[ProgramInfo]]:
        """List the programs that run today, by start date, name and id."""
    def ListClosingParticipants(self, within_days: int | None = None, program_kind_id: UUID | str | None = None, program_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramParticipation]]:
        """List who is still active in programs that have ended or end within so many days."""
    def list_closing_participants(self, within_days: int | None = None, program_kind_id: UUID | str | None = None, program_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramParticipation]]:
        """List who is still active in programs that have ended or end within so many days."""
    def ListCohorts(self, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Pending[list[Cohort]]:
        """List the cohorts of a program by name, letter case aside, then by id."""
    def list_cohorts(self, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Pending[list[Cohort]]:
        """List the cohorts of a program by name, letter case aside, then by id."""
    def ListPrograms(self) -> Pending[list[ProgramInfo]]:
        """List all programs. Obsolete: `query_programs` finds them."""
    def list_programs(self) -> Pending[list[ProgramInfo]]:
        """List all programs. Obsolete: `query_programs` finds them."""
    def ListUserPrograms(self, user_id: UUID | str) -> Pending[list[ProgramInfo]]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
    def list_user_programs(self, user_id: UUID | str) -> Pending[list[ProgramInfo]]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
    def LookupProgram(self, program_kind_id: UUID | str) -> Pending[ProgramKind | None]:
        """Load one program kind, or None when there is none."""
    def lookup_program(self, program_kind_id: UUID | str) -> Pending[ProgramKind | None]:
        """Load one program kind, or None when there is none."""
    def LookupProgramInstance(self, program_id: UUID | str) -> Pending[ProgramInfo | None]:
        """Load one program, or None when there is none."""
    def lookup_program_instance(self, program_id: UUID | str) -> Pending[ProgramInfo | None]:
        """Load one program, or None when there is none."""
    def MembershipHistory(self, user_id: UUID | str, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Pending[list[MembershipChange]]:
        """List what happened to a membership, oldest first."""
    def membership_history(self, user_id: UUID | str, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Pending[list[MembershipChange]]:
        """List what happened to a membership, oldest first."""
    def ModifyProgramMembership(self, email: str | None = None, user_id: UUID | str | None = None, program_id: UUID | str | None = None, cohort_id: UUID | str | None = None, role: MembershipRole | str | None = None, state: MembershipState | str | None = None, clear: Sequence[str] | None = None) -> Pending[list[ProgramInfo]]:
        """Put a user into a program, or change their role, state or cohort there."""
    def modify_program_membership(self, email: str | None = None, user_id: UUID | str | None = None, program_id: UUID | str | None = None, cohort_id: UUID | str | None = None, role: MembershipRole | str | None = None, state: MembershipState | str | None = None, clear: Sequence[str] | None = None) -> Pending[list[ProgramInfo]]:
        """Put a user into a program, or change their role, state or cohort there."""
    def ProgramChildList(self, id: UUID | str | None = None, kind: UUID | str | None = None, after: date | str | None = None) -> Pending[list[ProgramKind] | list[ProgramInfo]]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
    def program_child_list(self, id: UUID | str | None = None, kind: UUID | str | None = None, after: date | str | None = None) -> Pending[list[ProgramKind] | list[ProgramInfo]]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
    def ProgramsAfter(self, kind: UUID | str | None = None, after: date | str | None = None) -> Pending[list[ProgramInfo]]:
        """List the programs of a kind that start on or after a day, latest first, then by name and id."""
    def programs_after(self, kind: UUID | str | None = None, after: date | str | None = None) -> Pending[list[ProgramInfo]]:
        """List the programs of a kind that start on or after a day, latest first, then by name and id."""
    def QueryParticipants(self, query: str, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramParticipation]]:
        """Find memberships by a participant query; in the order of their making unless it sorts."""
    def query_participants(self, query: str, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramParticipation]]:
        """Find memberships by a participant query; in the order of their making unless it sorts."""
    def QueryPrograms(self, query: str, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramInfo]]:
        """Find programs by a program query; by start date, name and id unless it sorts."""
    def query_programs(self, query: str, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramInfo]]:
        """Find programs by a program query; by start date, name and id unless it sorts."""
    def QueryUsers(self, query: str, limit: int | None = None, offset: int | None = None) -> Pending[list[User]]:
        """Find users by a user query; in the order of their making unless it sorts."""
    def query_users(self, query: str, limit: int | None = None, offset: int | None = None) -> Pending[list[User]]:
        """Find users by a user query; in the order of their making unless it sorts."""
    def RemoveUserGroup(self, user_id: UUID | str, id: UUID | str) -> Pending[bool]:
        """Take a user out of a group; True also when they were not in it."""
    def remove_user_group(self, user_id: UUID | str, id: UUID | str) -> Pending[bool]:
        """Take a user out of a group; True also when they were not in it."""
    def RemoveUserLabel(self, user_id: UUID | str, label_id: UUID | str) -> Pending[bool]:
        """Take a label off a user; True also when they did not have it."""
    def remove_user_label(self, user_id: UUID | str, label_id: UUID | str) -> Pending[bool]:
        """Take a label off a user; True also when they did not have it."""
    def SyncCohort(self, program_id: UUID | str, cohort_id: UUID | str, query: str, role: MembershipRole | str | None = None, mode: SyncMode | str | None = None, dry_run: bool | None = None, max_changes: int | None = None, bring_back: bool | None = None, unknown: UnknownNames | str | None = None) -> Pending[int]:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
    def sync_cohort(self, program_id: UUID | str, cohort_id: UUID | str, query: str, role: MembershipRole | str | None = None, mode: SyncMode | str | None = None, dry_run: bool | None = None, max_changes: int | None = None, bring_back: bool | None = None, unknown: UnknownNames | str | None = None) -> Pending[int]:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
    def UpdateUserCohortState(self, user_id: UUID | str, program_id: UUID | str, cohort_id: UUID | str | None = None, state: MembershipState | str | None = None, comments: str | None = None, state_detail: str | None = None) -> Pending[list[ProgramInfo]]:
        """Set how far a user has come in a program."""
    def update_user_cohort_state(self, user_id: UUID | str, program_id: UUID | str, cohort_id: UUID | str | None = None, state: MembershipState | str | None = None, comments: str | None = None, state_detail: str | None = None) -> Pending[list[ProgramInfo]]:
        """Set how far a user has come in a program."""
    def UpdateUserProgramDate(self, user_id: UUID | str, program_id: UUID | str, date: date | str) -> Pending[list[ProgramInfo]]:
        """Set the day from which a user takes part in a program; participantDay counts from it."""
    def update_user_program_date(self, user_id: UUID | str, program_id: UUID | str, date: date | str) -> Pending[list[ProgramInfo]]:
        """Set the day from which a user takes part in a program; participantDay counts from it."""
    def UserActivePrograms(self, user_id: UUID | str) -> Pending[list[ProgramInfo]]:
        """List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."""
    def user_active_programs(self, user_id: UUID | str) -> Pending[list[ProgramInfo]]:
        """List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."""
    def UserFuturePrograms(self, user_id: UUID | str) -> Pending[list[ProgramInfo]]:
        """List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."""
    def user_future_programs(self, user_id: UUID | str) -> Pending[list[ProgramInfo]]:
        """List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."""
    def UserHasGroup(self, id: UUID | str, handle: str) -> Pending[bool]:
        """Tell whether a user is in the group with a handle; False when no group has it."""
    def user_has_group(self, id: UUID | str, handle: str) -> Pending[bool]:
        """Tell whether a user is in the group with a handle; False when no group has it."""
    def UserHasLabel(self, user_id: UUID | str, handle: str) -> Pending[bool]:
        """Tell whether a user has the label with a handle; False when no label has it."""
    def user_has_label(self, user_id: UUID | str, handle: str) -> Pending[bool]:
        """Tell whether a user has the label with a handle; False when no label has it."""
    def UserTickets(self, user_id: UUID | str | None = None, state: TicketState | str | None = None, email: str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramTicket]]:
        """List a user's tickets, oldest first, which is the order in which they are used."""
    def user_tickets(self, user_id: UUID | str | None = None, state: TicketState | str | None = None, email: str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramTicket]]:
        """List a user's tickets, oldest first, which is the order in which they are used."""

class BatchAdmin:
    def AddToChannel(self, user_id: UUID | str, channel_id: UUID | str) -> Pending[bool]:
        """Put a user into a channel; True also when they were in it."""
    def add_to_channel(self, user_id: UUID | str, channel_id: UUID | str) -> Pending[bool]:
        """Put a user into a channel; True also when they were in it."""
    def CreateToken(self, name: str, scope: Scope | str, user_id: UUID | str | None = None, expires_at: datetime | str | None = None) -> Pending[NewToken]:
        """Make a token; its secret is in the answer this once and nowhere else."""
    def create_token(self, name: str, scope: Scope | str, user_id: UUID | str | None = None, expires_at: datetime | str | None = None) -> Pending[NewToken]:
        """Make a token; its secret is in the answer this once and nowhere else."""
    def EraseUser(self, user_id: UUID | str) -> Pending[int]:
        """Blank whatever says who a user is: 1 when it was done now, 0 when it was done before."""
    def erase_user(self, user_id: UUID | str) -> Pending[int]:
        """Blank whatever says who a user is: 1 when it was done now, 0 when it was done before."""
    def ListAudit(self, token_id: UUID | str | None = None, acting_user_id: UUID | str | None = None, method: str | None = None, request_id: str | None = None, touched: UUID | str | None = None, since: datetime | str | None = None, until: datetime | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Audit]]:
        """List who wrote what, newest first, then by id: a row for each call or command that wrote."""
    def list_audit(self, token_id: UUID | str | None = None, acting_user_id: UUID | str | None = None, method: str | None = None, request_id: str | None = None, touched: UUID | str | None = None, since: datetime | str | None = None, until: datetime | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Audit]]:
        """List who wrote what, newest first, then by id: a row for each call or command that wrote."""
    def ListChannelUsers(self, channel_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Pending[list[AdminUser]]:
        """List who is in a channel, in the order of their making, then by id."""
    def list_channel_users(self, channel_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Pending[list[AdminUser]]:
        """List who is in a channel, in the order of their making, then by id."""
    def ListChannels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, user_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Channel]]:
        """List channels by handle and id."""
    def list_channels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, user_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Channel]]:
        """List channels by handle and id."""
    def ListGroups(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Group]]:
        """List groups by handle and id; `list_users` with group_id lists who is in one."""
    def list_groups(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Group]]:
        """List groups by handle and id; `list_users` with group_id lists who is in one."""
    def ListImports(self, limit: int | None = None, after: UUID | str | None = None) -> Pending[list[Import]]:
        """List the imports that wrote, or were to, newest first, with their reports."""
    def list_imports(self, limit: int | None = None, after: UUID | str | None = None) -> Pending[list[Import]]:
        """List the imports that wrote, or were to, newest first, with their reports."""
    def ListLabels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Label]]:
        """List labels by handle and id; `list_users` with label_id lists who has one."""
    def list_labels(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Label]]:
        """List labels by handle and id; `list_users` with label_id lists who has one."""
    def ListProgramKinds(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[AdminProgramKind]]:
        """List program kinds, archived ones too, by name and id."""
    def list_program_kinds(self, id: UUID | str | None = None, sourced_id: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[AdminProgramKind]]:
        """List program kinds, archived ones too, by name and id."""
    def ListPrograms(self, id: UUID | str | None = None, sourced_id: str | None = None, program_kind_id: UUID | str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[AdminProgramInfo]]:
        """List programs, archived ones too, by start date, name and id."""
    def list_programs(self, id: UUID | str | None = None, sourced_id: str | None = None, program_kind_id: UUID | str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[AdminProgramInfo]]:
        """List programs, archived ones too, by start date, name and id."""
    def ListRelations(self, user_id: UUID | str | None = None, other_user_id: UUID | str | None = None, kind: RelationKind | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Relation]]:
        """List relations between users, by user, kind, other user and id."""
    def list_relations(self, user_id: UUID | str | None = None, other_user_id: UUID | str | None = None, kind: RelationKind | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Relation]]:
        """List relations between users, by user, kind, other user and id."""
    def ListTokens(self, id: UUID | str | None = None, user_id: UUID | str | None = None, scope: Scope | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Token]]:
        """List tokens, ended and revoked ones too, oldest first, then by id; never a secret."""
    def list_tokens(self, id: UUID | str | None = None, user_id: UUID | str | None = None, scope: Scope | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[Token]]:
        """List tokens, ended and revoked ones too, oldest first, then by id; never a secret."""
    def ListUsers(self, id: UUID | str | None = None, sourced_id: str | None = None, email: str | None = None, external_id: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, group_id: UUID | str | None = None, label_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[AdminUser]]:
        """List users, retired and erased ones too, in the order of their making, then by id."""
    def list_users(self, id: UUID | str | None = None, sourced_id: str | None = None, email: str | None = None, external_id: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, group_id: UUID | str | None = None, label_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[AdminUser]]:
        """List users, retired and erased ones too, in the order of their making, then by id."""
    def RemoveFromChannel(self, user_id: UUID | str, channel_id: UUID | str) -> Pending[bool]:
        """Take a user out of a channel; True also when they were not in it."""
    def remove_from_channel(self, user_id: UUID | str, channel_id: UUID | str) -> Pending[bool]:
        """Take a user out of a channel; True also when they were not in it."""
    def RemoveRelation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Pending[bool]:
        """End a relation between two users; True also when there was none."""
    def remove_relation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Pending[bool]:
        """End a relation between two users; True also when there was none."""
    def RevokeToken(self, token_id: UUID | str) -> Pending[int]:
        """Let nobody in with a token any more: 1 when it was revoked now, 0 when it was already."""
    def revoke_token(self, token_id: UUID | str) -> Pending[int]:
        """Let nobody in with a token any more: 1 when it was revoked now, 0 when it was already."""
    def SaveChannel(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[Channel]:
        """Make a channel, or change the one with this id; what is not given stays."""
    def save_channel(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[Channel]:
        """Make a channel, or change the one with this id; what is not given stays."""
    def SaveGroup(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[Group]:
        """Make a group, or change the one with this id; what is not given stays."""
    def save_group(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[Group]:
        """Make a group, or change the one with this id; what is not given stays."""
    def SaveLabel(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[Label]:
        """Make a label, or change the one with this id; what is not given stays."""
    def save_label(self, id: UUID | str | None = None, handle: str | None = None, name: str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[Label]:
        """Make a label, or change the one with this id; what is not given stays."""
    def SaveProgram(self, id: UUID | str | None = None, program_kind_id: UUID | str | None = None, name: str | None = None, start_date: date | str | None = None, duration: int | None = None, mode: Mode | str | None = None, timezone: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[AdminProgramInfo]:
        """Make a program, or change the one with this id."""
    def save_program(self, id: UUID | str | None = None, program_kind_id: UUID | str | None = None, name: str | None = None, start_date: date | str | None = None, duration: int | None = None, mode: Mode | str | None = None, timezone: str | None = None, parent_id: UUID | str | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[AdminProgramInfo]:
        """Make a program, or change the one with this id."""
    def SaveProgramKind(self, id: UUID | str | None = None, name: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, mode: Mode | str | None = None, duration: int | None = None, priority: int | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[AdminProgramKind]:
        """Make a program kind, or change the one with this id."""
    def save_program_kind(self, id: UUID | str | None = None, name: str | None = None, handle: str | None = None, group: str | None = None, parent_id: UUID | str | None = None, mode: Mode | str | None = None, duration: int | None = None, priority: int | None = None, archived: bool | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[AdminProgramKind]:
        """Make a program kind, or change the one with this id."""
    def SaveRelation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Pending[Relation]:
        """Have one user follow, report to (direct) or be related to another; the same again changes nothing."""
    def save_relation(self, user_id: UUID | str, other_user_id: UUID | str, kind: RelationKind | str) -> Pending[Relation]:
        """Have one user follow, report to (direct) or be related to another; the same again changes nothing."""
    def SaveUser(self, id: UUID | str | None = None, email: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, title: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None, mobile: str | None = None, timezone: str | None = None, external_id: str | None = None, external_status: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, last_sign_in_at: datetime | str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[AdminUser]:
        """Make a user, or change the one with this id."""
    def save_user(self, id: UUID | str | None = None, email: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, title: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None, mobile: str | None = None, timezone: str | None = None, external_id: str | None = None, external_status: str | None = None, role: UserRole | str | None = None, status: UserStatus | str | None = None, last_sign_in_at: datetime | str | None = None, sourced_id: str | None = None, clear: Sequence[str] | None = None) -> Pending[AdminUser]:
        """Make a user, or change the one with this id."""

class BatchFunctions:
    @property
    def core(self) -> BatchCore: ...
    @property
    def admin(self) -> BatchAdmin: ...
    def add_email_to_group(self, email: str, group_id: UUID | str) -> Pending[bool]:
        """Put the user with an email into a group, making the user if there is none."""
    def add_to_group(self, user_id: UUID | str, id: UUID | str) -> Pending[bool]:
        """Put a user into a group; True also when they were in it."""
    def add_user_label(self, user_id: UUID | str, label_id: UUID | str) -> Pending[bool]:
        """Put a label on a user; True also when they had it."""
    def cancel_program_ticket(self, ticket_id: UUID | str | None = None, external_id: UUID | str | None = None, program_kind_id: UUID | str | None = None, comments: str | None = None) -> Pending[int]:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
    def confirm_cohort(self, program_id: UUID | str, cohort_name: str) -> Pending[str]:
        """Give the id of the program's cohort of this name, made if there is none."""
    def create_program_ticket(self, user_id: UUID | str | None = None, email: str | None = None, program_kind_id: UUID | str | None = None, external_id: UUID | str | None = None, sku: str | None = None, base_sku: str | None = None) -> Pending[int]:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
    def create_user(self, email: str, group_id: UUID | str | None = None, external_id: str | None = None, title: str | None = None, first: str | None = None, last: str | None = None, name: str | None = None, mobile: str | None = None, gender: Gender | str | None = None, dob: date | str | None = None) -> Pending[bool]:
        """Make a user: True if one was made, False if somebody has the email."""
    def explain_query(self, find: Language | str, query: str) -> Pending[Explanation]:
        """Say in words how a query is understood, and which of the names in its lists name nothing."""
    def list_active_programs(self) -> Pending[list[ProgramInfo]]:
        """List the programs that run today, by start date, name and id."""
    def list_closing_participants(self, within_days: int | None = None, program_kind_id: UUID | str | None = None, program_id: UUID | str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramParticipation]]:
        """List who is still active in programs that have ended or end within so many days."""
    def list_cohorts(self, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Pending[list[Cohort]]:
        """List the cohorts of a program by name, letter case aside, then by id."""
    def list_programs(self) -> Pending[list[ProgramInfo]]:
        """List all programs. Obsolete: `query_programs` finds them."""
    def list_user_programs(self, user_id: UUID | str) -> Pending[list[ProgramInfo]]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
    def lookup_program(self, program_kind_id: UUID | str) -> Pending[ProgramKind | None]:
        """Load one program kind, or None when there is none."""
    def lookup_program_instance(self, program_id: UUID | str) -> Pending[ProgramInfo | None]:
        """Load one program, or None when there is none."""
    def membership_history(self, user_id: UUID | str, program_id: UUID | str, limit: int | None = None, offset: int | None = None) -> Pending[list[MembershipChange]]:
        """List what happened to a membership, oldest first."""
    def modify_program_membership(self, email: str | None = None, user_id: UUID | str | None = None, program_id: UUID | str | None = None, cohort_id: UUID | str | None = None, role: MembershipRole | str | None = None, state: MembershipState | str | None = None, clear: Sequence[str] | None = None) -> Pending[list[ProgramInfo]]:
        """Put a user into a program, or change their role, state or cohort there."""
    def program_child_list(self, id: UUID | str | None = None, kind: UUID | str | None = None, after: date | str | None = None) -> Pending[list[ProgramKind] | list[ProgramInfo]]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
    def programs_after(self, kind: UUID | str | None = None, after: date | str | None = None) -> Pending[list[ProgramInfo]]:
        """List the programs of a kind that start on or after a day, latest first, then by name and id."""
    def query_participants(self, query: str, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramParticipation]]:
        """Find memberships by a participant query; in the order of their making unless it sorts."""
    def query_programs(self, query: str, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramInfo]]:
        """Find programs by a program query; by start date, name and id unless it sorts."""
    def query_users(self, query: str, limit: int | None = None, offset: int | None = None) -> Pending[list[User]]:
        """Find users by a user query; in the order of their making unless it sorts."""
    def remove_user_group(self, user_id: UUID | str, id: UUID | str) -> Pending[bool]:
        """Take a user out of a group; True also when they were not in it."""
    def remove_user_label(self, user_id: UUID | str, label_id: UUID | str) -> Pending[bool]:
        """Take a label off a user; True also when they did not have it."""
    def sync_cohort(self, program_id: UUID | str, cohort_id: UUID | str, query: str, role: MembershipRole | str | None = None, mode: SyncMode | str | None = None, dry_run: bool | None = None, max_changes: int | None = None, bring_back: bool | None = None, unknown: UnknownNames | str | None = None) -> Pending[int]:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
    def update_user_cohort_state(self, user_id: UUID | str, program_id: UUID | str, cohort_id: UUID | str | None = None, state: MembershipState | str | None = None, comments: str | None = None, state_detail: str | None = None) -> Pending[list[ProgramInfo]]:
        """Set how far a user has come in a program."""
    def update_user_program_date(self, user_id: UUID | str, program_id: UUID | str, date: date | str) -> Pending[list[ProgramInfo]]:
        """Set the day from which a user takes part in a program; participantDay counts from it."""
    def user_active_programs(self, user_id: UUID | str) -> Pending[list[ProgramInfo]]:
        """List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."""
    def user_future_programs(self, user_id: UUID | str) -> Pending[list[ProgramInfo]]:
        """List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."""
    def user_has_group(self, id: UUID | str, handle: str) -> Pending[bool]:
        """Tell whether a user is in the group with a handle; False when no group has it."""
    def user_has_label(self, user_id: UUID | str, handle: str) -> Pending[bool]:
        """Tell whether a user has the label with a handle; False when no label has it."""
    def user_tickets(self, user_id: UUID | str | None = None, state: TicketState | str | None = None, email: str | None = None, limit: int | None = None, offset: int | None = None) -> Pending[list[ProgramTicket]]:
        """List a user's tickets, oldest first, which is the order in which they are used."""
