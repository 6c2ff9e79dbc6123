"""The table of the documented functions, from which all forms of calling them are made."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

READ, WRITE = False, True


@dataclass(frozen=True)
class Parameter:
    """What a function takes: its name here and on the wire."""

    name: str
    wire: str
    type: str
    required: bool


@dataclass(frozen=True)
class Function:
    """A documented function, as a row of the table says it."""

    name: str
    parameters: tuple[Parameter, ...]
    wires: Mapping[str, str]  # names of the parameters on the wire, by their names here
    returns: str
    writes: bool
    help: str

    @property
    def namespace(self) -> str:
        return self.name.partition(".")[0]

    @property
    def pascal(self) -> str:
        """Its name without the namespace, as the documentation has it."""
        return self.name.partition(".")[2]

    @property
    def snake(self) -> str:
        """Its name without the namespace, as Python has it."""
        return re.sub("(?<!^)(?=[A-Z])", "_", self.pascal).lower()

    @property
    def asked_for(self) -> tuple[str, ...]:
        """The parameters that a call cannot be written without: the required ones before any other."""
        first = takewhile(lambda parameter: parameter.required, self.parameters)
        return tuple(parameter.name for parameter in first)

    def named(self, args: tuple[Any, ...], params: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters by their wire names, without those that are None, which means "not given".

        TypeError for what the function does not take, as Python has it for its own functions.
        """
        if len(args) > len(self.parameters):
            raise TypeError(f"{self.name} takes at most {len(self.parameters)} arguments")
        given = {parameter.name: value for parameter, value in zip(self.parameters, args, strict=False)}
        for name, value in params.items():
            if name not in self.wires:
                raise TypeError(f"{self.name} takes no {name!r}")
            if name in given:
                raise TypeError(f"{self.name} was given {name!r} twice")
            given[name] = value
        missing = [name for name in self.asked_for if name not in given]
        if missing:
            raise TypeError(f"{self.name} needs {', '.join(missing)}")
        return {self.wires[name]: value for name, value in given.items() if value is not None}

    @property
    def keyed(self) -> bool:
        """Whether a call has an idempotency key unless told otherwise.

        The server shows no secret twice: a repetition by itself could not get the answer that was lost.
        """
        return self.writes and self.returns != "NewToken"


def _function(name: str, signature: str, returns: str, writes: bool, help: str) -> Function:
    """The function that a row of the table describes."""
    texts = [text.split(": ") for text in signature.split(", ") if text]
    names = [(text.rstrip("?"), kind, not text.endswith("?")) for text, kind in texts]
    parameters = tuple(Parameter(one, camel(one), kind, required) for one, kind, required in names)
    wires = {parameter.name: parameter.wire for parameter in parameters}
    return Function(name, parameters, wires, returns, writes, help)


def camel(name: str) -> str:
    """A parameter's or member's name on the wire: `user_id` is `userId`."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


# Name, parameters in the documented order ("?": may be left out), result ("?": or None), whether it
# writes, and what help() says.
# fmt: off
_ROWS = (
    ("core.AddEmailToGroup", "email: str, group_id: Id", "bool", WRITE, "Put the user with an email into a group, making the user if there is none."),
    ("core.AddToGroup", "user_id: Id, id: Id", "bool", WRITE, "Put a user into a group; True also when they were in it."),
    ("core.AddUserLabel", "user_id: Id, label_id: Id", "bool", WRITE, "Put a label on a user; True also when they had it."),
    ("core.CancelProgramTicket", "ticket_id?: Id, external_id?: Id, program_kind_id?: Id, comments?: str", "int", WRITE, "Cancel a ticket: 1 when it was canceled now, 0 when it was already."),
    ("core.ConfirmCohort", "program_id: Id, cohort_name: str", "str", WRITE, "Give the id of the program's cohort of this name, made if there is none."),
    ("core.CreateProgramTicket", "user_id?: Id, email?: str, program_kind_id: Id, external_id?: Id, sku?: str, base_sku?: str", "int", WRITE, "Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."),
    ("core.CreateUser", "email: str, group_id?: Id, external_id?: str, title?: str, first?: str, last?: str, name?: str, mobile?: str, gender?: Gender, dob?: Day", "bool", WRITE, "Make a user: True if one was made, False if somebody has the email."),
    ("core.ExplainQuery", "find: Language, query: str", "Explanation", READ, "Say in words how a query is understood, and which of the names in its lists name nothing."),
    ("core.ListActivePrograms", "", "[ProgramInfo]", READ, "List the programs that run today, by start date, name and id."),
    ("core.ListClosingParticipants", "within_days?: int, program_kind_id?: Id, program_id?: Id, limit?: int, offset?: int", "[ProgramParticipation]", READ, "List who is still active in programs that have ended or end within so many days."),
    ("core.ListCohorts", "program_id: Id, limit?: int, offset?: int", "[Cohort]", READ, "List the cohorts of a program by name, letter case aside, then by id."),
    ("core.ListPrograms", "", "[ProgramInfo]", READ, "List all programs. Obsolete: `query_programs` finds them."),
    ("core.ListUserPrograms", "user_id: Id", "[ProgramInfo]", READ, "List the programs that a user is or was in. Obsolete: `query_programs` finds them."),
    ("core.LookupProgram", "program_kind_id: Id", "ProgramKind?", READ, "Load one program kind, or None when there is none."),
    ("core.LookupProgramInstance", "program_id: Id", "ProgramInfo?", READ, "Load one program, or None when there is none."),
    ("core.MembershipHistory", "user_id: Id, program_id: Id, limit?: int, offset?: int", "[MembershipChange]", READ, "List what happened to a membership, oldest first."),
    ("core.ModifyProgramMembership", "email?: str, user_id?: Id, program_id: Id, cohort_id?: Id, role?: MembershipRole, state?: MembershipState, clear?: Names", "[ProgramInfo]", WRITE, "Put a user into a program, or change their role, state or cohort there."),
    ("core.ProgramChildList", "id?: Id, kind?: Id, after?: Day", "[ProgramKind|ProgramInfo]", READ, "List the program kinds right below one; with kind or after, as `programs_after`."),
    ("core.ProgramsAfter", "kind?: Id, after?: Day", "[ProgramInfo]", READ, "List the programs of a kind that start on or after a day, latest first, then by name and id."),
    ("core.QueryParticipants", "query: str, limit?: int, offset?: int", "[ProgramParticipation]", READ, "Find memberships by a participant query; in the order of their making unless it sorts."),
    ("core.QueryPrograms", "query: str, limit?: int, offset?: int", "[ProgramInfo]", READ, "Find programs by a program query; by start date, name and id unless it sorts."),
    ("core.QueryUsers", "query: str, limit?: int, offset?: int", "[User]", READ, "Find users by a user query; in the order of their making unless it sorts."),
    ("core.RemoveUserGroup", "user_id: Id, id: Id", "bool", WRITE, "Take a user out of a group; True also when they were not in it."),
    ("core.RemoveUserLabel", "user_id: Id, label_id: Id", "bool", WRITE, "Take a label off a user; True also when they did not have it."),
    ("core.SyncCohort", "program_id: Id, cohort_id: Id, query: str, role?: MembershipRole, mode?: SyncMode, dry_run?: bool, max_changes?: int, bring_back?: bool, unknown?: UnknownNames", "int", WRITE, "Bring the users that a query finds into a cohort; the number of memberships changed."),
    ("core.UpdateUserCohortState", "user_id: Id, program_id: Id, cohort_id?: Id, state: MembershipState, comments?: str, state_detail?: str", "[ProgramInfo]", WRITE, "Set how far a user has come in a program."),
    ("core.UpdateUserProgramDate", "user_id: Id, program_id: Id, date: Day", "[ProgramInfo]", WRITE, "Set the day from which a user takes part in a program; participantDay counts from it."),
    ("core.UserActivePrograms", "user_id: Id", "[ProgramInfo]", READ, "List the programs that run today and that a user is active in. Obsolete: `query_programs` finds them."),
    ("core.UserFuturePrograms", "user_id: Id", "[ProgramInfo]", READ, "List the programs yet to start that a user is active in. Obsolete: `query_programs` finds them."),
    ("core.UserHasGroup", "id: Id, handle: str", "bool", READ, "Tell whether a user is in the group with a handle; False when no group has it."),
    ("core.UserHasLabel", "user_id: Id, handle: str", "bool", READ, "Tell whether a user has the label with a handle; False when no label has it."),
    ("core.UserTickets", "user_id?: Id, state?: TicketState, email?: str, limit?: int, offset?: int", "[ProgramTicket]", READ, "List a user's tickets, oldest first, which is the order in which they are used."),
    ("admin.AddToChannel", "user_id: Id, channel_id: Id", "bool", WRITE, "Put a user into a channel; True also when they were in it."),
    ("admin.CreateToken", "name: str, scope: Scope, user_id?: Id, expires_at?: Instant", "NewToken", WRITE, "Make a token; its secret is in the answer this once and nowhere else."),
    ("admin.EraseUser", "user_id: Id", "int", WRITE, "Blank whatever says who a user is: 1 when it was done now, 0 when it was done before."),
    ("admin.ListAudit", "token_id?: Id, acting_user_id?: Id, method?: str, request_id?: str, touched?: Id, since?: Instant, until?: Instant, limit?: int, offset?: int", "[Audit]", READ, "List who wrote what, newest first, then by id: a row for each call or command that wrote."),
    ("admin.ListChannelUsers", "channel_id: Id, limit?: int, offset?: int", "[AdminUser]", READ, "List who is in a channel, in the order of their making, then by id."),
    ("admin.ListChannels", "id?: Id, sourced_id?: str, handle?: str, user_id?: Id, limit?: int, offset?: int", "[Channel]", READ, "List channels by handle and id."),
    ("admin.ListGroups", "id?: Id, sourced_id?: str, handle?: str, limit?: int, offset?: int", "[Group]", READ, "List groups by handle and id; `list_users` with group_id lists who is in one."),
    ("admin.ListImports", "limit?: int, after?: Id", "[Import]", READ, "List the imports that wrote, or were to, newest first, with their reports."),
    ("admin.ListLabels", "id?: Id, sourced_id?: str, handle?: str, limit?: int, offset?: int", "[Label]", READ, "List labels by handle and id; `list_users` with label_id lists who has one."),
    ("admin.ListProgramKinds", "id?: Id, sourced_id?: str, handle?: str, group?: str, parent_id?: Id, archived?: bool, limit?: int, offset?: int", "[AdminProgramKind]", READ, "List program kinds, archived ones too, by name and id."),
    ("admin.ListPrograms", "id?: Id, sourced_id?: str, program_kind_id?: Id, parent_id?: Id, archived?: bool, limit?: int, offset?: int", "[AdminProgramInfo]", READ, "List programs, archived ones too, by start date, name and id."),
    ("admin.ListRelations", "user_id?: Id, other_user_id?: Id, kind?: RelationKind, limit?: int, offset?: int", "[Relation]", READ, "List relations between users, by user, kind, other user and id."),
    ("admin.ListTokens", "id?: Id, user_id?: Id, scope?: Scope, limit?: int, offset?: int", "[Token]", READ, "List tokens, ended and revoked ones too, oldest first, then by id; never a secret."),
    ("admin.ListUsers", "id?: Id, sourced_id?: str, email?: str, external_id?: str, role?: UserRole, status?: UserStatus, group_id?: Id, label_id?: Id, limit?: int, offset?: int", "[AdminUser]", READ, "List users, retired and erased ones too, in the order of their making, then by id."),
    ("admin.RemoveFromChannel", "user_id: Id, channel_id: Id", "bool", WRITE, "Take a user out of a channel; True also when they were not in it."),
    ("admin.RemoveRelation", "user_id: Id, other_user_id: Id, kind: RelationKind", "bool", WRITE, "End a relation between two users; True also when there was none."),
    ("admin.RevokeToken", "token_id: Id", "int", WRITE, "Let nobody in with a token any more: 1 when it was revoked now, 0 when it was already."),
    ("admin.SaveChannel", "id?: Id, handle?: str, name?: str, sourced_id?: str, clear?: Names", "Channel", WRITE, "Make a channel, or change the one with this id; what is not given stays."),
    ("admin.SaveGroup", "id?: Id, handle?: str, name?: str, sourced_id?: str, clear?: Names", "Group", WRITE, "Make a group, or change the one with this id; what is not given stays."),
    ("admin.SaveLabel", "id?: Id, handle?: str, name?: str, sourced_id?: str, clear?: Names", "Label", WRITE, "Make a label, or change the one with this id; what is not given stays."),
    ("admin.SaveProgram", "id?: Id, program_kind_id?: Id, name?: str, start_date?: Day, duration?: int, mode?: Mode, timezone?: str, parent_id?: Id, archived?: bool, sourced_id?: str, clear?: Names", "AdminProgramInfo", WRITE, "Make a program, or change the one with this id."),
    ("admin.SaveProgramKind", "id?: Id, name?: str, handle?: str, group?: str, parent_id?: Id, mode?: Mode, duration?: int, priority?: int, archived?: bool, sourced_id?: str, clear?: Names", "AdminProgramKind", WRITE, "Make a program kind, or change the one with this id."),
    ("admin.SaveRelation", "user_id: Id, other_user_id: Id, kind: RelationKind", "Relation", WRITE, "Have one user follow, report to (direct) or be related to another; the same again changes nothing."),
    ("admin.SaveUser", "id?: Id, email?: str, first?: str, last?: str, name?: str, title?: str, gender?: Gender, dob?: Day, mobile?: str, timezone?: str, external_id?: str, external_status?: str, role?: UserRole, status?: UserStatus, last_sign_in_at?: Instant, sourced_id?: str, clear?: Names", "AdminUser", WRITE, "Make a user, or change the one with this id."),
)
# fmt: on

FUNCTIONS = {row[0]: _function(*row) for row in _ROWS}
