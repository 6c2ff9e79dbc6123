"""The client: one method a documented function, and `call` for anything else."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import urlsplit

import urllib3

from client import protocol
from client.admin import Admin
from client.errors import RpcError, TransportError
from client.protocol import Day, Id, Object, Word, given


class Client:
    """Calls a server at a URL with a token.

    The URL is the endpoint (`http://127.0.0.1:8080/rpc`) or just the server. Instead of it, a function
    from the bytes of a request to those of the reply may be given, which tests use. Safe to share
    between threads. Errors: RpcError for what the server answers, TransportError for the rest.
    """

    def __init__(
        self, url: str | Callable[[bytes], bytes], token: str = "", *, timeout: float = 40.0
    ) -> None:
        self._send = url if callable(url) else _http(url, token, timeout)
        self._ids = itertools.count(1)
        self.admin = Admin(self.call)

    def call(self, method: str, /, *args: Any, **params: Any) -> Any:
        """Call any method, with parameters by position or by their wire names."""
        body = protocol.dumps(protocol.request(next(self._ids), method, args or params))
        return protocol.result(protocol.loads(self._send(body)))

    def notify(self, method: str, /, *args: Any, **params: Any) -> None:
        """Call a method without waiting to hear what came of it."""
        self._send(protocol.dumps(protocol.request(None, method, args or params)))

    def batch(self, calls: Iterable[tuple[str, Any]]) -> list[Any]:
        """Send many calls, as (method, parameters), in one request.

        Results come in the same order; an RpcError stands where one failed.
        """
        requests = [protocol.request(next(self._ids), method, params) for method, params in calls]
        replies = protocol.loads(self._send(protocol.dumps(requests)))
        if not isinstance(replies, list):
            protocol.result(replies)  # the batch as a whole was refused
            raise TransportError("the reply to a batch is not a list")
        by_id = {reply.get("id"): reply for reply in replies}
        return [protocol.outcome_of(by_id.get(request["id"])) for request in requests]

    # Program kinds and programs

    def lookup_program(self, program_kind_id: Id) -> Object | None:
        """Load one program kind, or None when there is none."""
        return self.call("core.LookupProgram", **given(program_kind_id=program_kind_id))

    def lookup_program_instance(self, program_id: Id) -> Object | None:
        """Load one program, or None when there is none."""
        return self.call("core.LookupProgramInstance", **given(program_id=program_id))

    def list_active_programs(self) -> list[Object]:
        """List the programs that run today."""
        return self.call("core.ListActivePrograms")

    def program_child_list(
        self, id: Id | None = None, kind: Id | None = None, after: Day | None = None
    ) -> list[Object]:
        """List the program kinds right below one; with kind or after, as `programs_after`."""
        return self.call("core.ProgramChildList", **given(id=id, kind=kind, after=after))

    def programs_after(self, kind: Id | None = None, after: Day | None = None) -> list[Object]:
        """List the programs of a kind that start on or after a day, latest first."""
        return self.call("core.ProgramsAfter", **given(kind=kind, after=after))

    # Queries

    def query_users(self, query: str, limit: int | None = None, offset: int | None = None) -> list[Object]:
        """Find users by a user query."""
        return self.call("core.QueryUsers", **given(query=query, limit=limit, offset=offset))

    def query_programs(self, query: str, limit: int | None = None, offset: int | None = None) -> list[Object]:
        """Find programs by a program query."""
        return self.call("core.QueryPrograms", **given(query=query, limit=limit, offset=offset))

    def query_participants(
        self, query: str, limit: int | None = None, offset: int | None = None
    ) -> list[Object]:
        """Find memberships by a participant query."""
        return self.call("core.QueryParticipants", **given(query=query, limit=limit, offset=offset))

    def list_programs(self) -> list[Object]:
        """List all programs. Obsolete: `query_programs` finds them."""
        return self.call("core.ListPrograms")

    def list_user_programs(self, user_id: Id) -> list[Object]:
        """List the programs that a user is or was in. Obsolete: `query_programs` finds them."""
        return self.call("core.ListUserPrograms", **given(user_id=user_id))

    def user_future_programs(self, user_id: Id) -> list[Object]:
        """List a user's programs yet to start. Obsolete: `query_programs` finds them."""
        return self.call("core.UserFuturePrograms", **given(user_id=user_id))

    def user_active_programs(self, user_id: Id) -> list[Object]:
        """List a user's programs of today. Obsolete: `query_programs` finds them."""
        return self.call("core.UserActivePrograms", **given(user_id=user_id))

    # Cohorts

    def list_cohorts(
        self, program_id: Id, limit: int | None = None, offset: int | None = None
    ) -> list[Object]:
        """List the cohorts of a program by name."""
        return self.call("core.ListCohorts", **given(program_id=program_id, limit=limit, offset=offset))

    def confirm_cohort(self, program_id: Id, cohort_name: str) -> str:
        """Give the id of the program's cohort of this name, made if there is none."""
        return self.call("core.ConfirmCohort", **given(program_id=program_id, cohort_name=cohort_name))

    def sync_cohort(
        self,
        program_id: Id,
        cohort_id: Id,
        query: str,
        role: Word | None = None,
        mode: Word | None = None,
        dry_run: bool | None = None,
        max_changes: int | None = None,
    ) -> int:
        """Bring the users that a query finds into a cohort; the number of memberships changed."""
        return self.call(
            "core.SyncCohort",
            **given(
                program_id=program_id,
                cohort_id=cohort_id,
                query=query,
                role=role,
                mode=mode,
                dry_run=dry_run,
                max_changes=max_changes,
            ),
        )

    # Memberships

    def modify_program_membership(
        self,
        email: str | None = None,
        user_id: Id | None = None,
        program_id: Id | None = None,
        cohort_id: Id | None = None,
        role: Word | None = None,
        state: Word | None = None,
        clear: Sequence[str] | None = None,
    ) -> list[Object]:
        """Put a user into a program, or change their role, state or cohort there."""
        return self.call(
            "core.ModifyProgramMembership",
            **given(
                email=email,
                user_id=user_id,
                program_id=program_id,
                cohort_id=cohort_id,
                role=role,
                state=state,
                clear=clear,
            ),
        )

    def update_user_cohort_state(
        self,
        user_id: Id,
        program_id: Id,
        cohort_id: Id | None = None,
        state: Word | None = None,
        comments: str | None = None,
        state_detail: str | None = None,
    ) -> list[Object]:
        """Set how far a user has come in a program."""
        return self.call(
            "core.UpdateUserCohortState",
            **given(
                user_id=user_id,
                program_id=program_id,
                cohort_id=cohort_id,
                state=state,
                comments=comments,
                state_detail=state_detail,
            ),
        )

    def update_user_program_date(self, user_id: Id, program_id: Id, date: Day) -> list[Object]:
        """Set the day from which a user takes part in a program."""
        return self.call(
            "core.UpdateUserProgramDate", **given(user_id=user_id, program_id=program_id, date=date)
        )

    def membership_history(
        self, user_id: Id, program_id: Id, limit: int | None = None, offset: int | None = None
    ) -> list[Object]:
        """List what happened to a membership, oldest first."""
        return self.call(
            "core.MembershipHistory",
            **given(user_id=user_id, program_id=program_id, limit=limit, offset=offset),
        )

    def list_closing_participants(
        self,
        within_days: int | None = None,
        program_kind_id: Id | None = None,
        program_id: Id | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List who is still active in programs that have ended or end within so many days."""
        return self.call(
            "core.ListClosingParticipants",
            **given(
                within_days=within_days,
                program_kind_id=program_kind_id,
                program_id=program_id,
                limit=limit,
                offset=offset,
            ),
        )

    # Tickets

    def user_tickets(
        self,
        user_id: Id | None = None,
        state: Word | None = None,
        email: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List a user's tickets, oldest first."""
        return self.call(
            "core.UserTickets",
            **given(user_id=user_id, state=state, email=email, limit=limit, offset=offset),
        )

    def create_program_ticket(
        self,
        user_id: Id | None = None,
        email: str | None = None,
        program_kind_id: Id | None = None,
        external_id: Id | None = None,
        sku: str | None = None,
        base_sku: str | None = None,
    ) -> int:
        """Make a ticket: 1 when one was made, 0 when this buyer has one for the same external id."""
        return self.call(
            "core.CreateProgramTicket",
            **given(
                user_id=user_id,
                email=email,
                program_kind_id=program_kind_id,
                external_id=external_id,
                sku=sku,
                base_sku=base_sku,
            ),
        )

    def cancel_program_ticket(
        self,
        ticket_id: Id | None = None,
        external_id: Id | None = None,
        program_kind_id: Id | None = None,
        comments: str | None = None,
    ) -> int:
        """Cancel a ticket: 1 when it was canceled now, 0 when it was already."""
        return self.call(
            "core.CancelProgramTicket",
            **given(
                ticket_id=ticket_id,
                external_id=external_id,
                program_kind_id=program_kind_id,
                comments=comments,
            ),
        )

    # Users

    def create_user(
        self,
        email: str,
        group_id: Id | None = None,
        external_id: str | None = None,
        title: str | None = None,
        first: str | None = None,
        last: str | None = None,
        name: str | None = None,
        mobile: str | None = None,
        gender: Word | None = None,
        dob: Day | None = None,
    ) -> bool:
        """Make a user: True if one was made, False if somebody has the email."""
        return self.call(
            "core.CreateUser",
            **given(
                email=email,
                group_id=group_id,
                external_id=external_id,
                title=title,
                first=first,
                last=last,
                name=name,
                mobile=mobile,
                gender=gender,
                dob=dob,
            ),
        )

    def add_email_to_group(self, email: str, group_id: Id) -> bool:
        """Put the user with an email into a group, making the user if there is none."""
        return self.call("core.AddEmailToGroup", **given(email=email, group_id=group_id))

    def add_to_group(self, user_id: Id, id: Id) -> bool:
        """Put a user into a group."""
        return self.call("core.AddToGroup", **given(user_id=user_id, id=id))

    def remove_user_group(self, user_id: Id, id: Id) -> bool:
        """Take a user out of a group."""
        return self.call("core.RemoveUserGroup", **given(user_id=user_id, id=id))

    def add_user_label(self, user_id: Id, label_id: Id) -> bool:
        """Put a label on a user."""
        return self.call("core.AddUserLabel", **given(user_id=user_id, label_id=label_id))

    def remove_user_label(self, user_id: Id, label_id: Id) -> bool:
        """Take a label off a user."""
        return self.call("core.RemoveUserLabel", **given(user_id=user_id, label_id=label_id))

    def user_has_group(self, id: Id, handle: str) -> bool:
        """Tell whether a user is in the group with a handle."""
        return self.call("core.UserHasGroup", **given(id=id, handle=handle))

    def user_has_label(self, user_id: Id, handle: str) -> bool:
        """Tell whether a user has the label with a handle."""
        return self.call("core.UserHasLabel", **given(user_id=user_id, handle=handle))


def _http(url: str, token: str, timeout: float) -> Callable[[bytes], bytes]:
    """A function that posts to the endpoint over pooled connections."""
    if urlsplit(url).path in ("", "/"):
        url = url.rstrip("/") + "/rpc"
    pool = urllib3.PoolManager(maxsize=16, retries=False, timeout=timeout)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}

    def send(body: bytes) -> bytes:
        try:
            return pool.request("POST", url, body=body, headers=headers).data
        except urllib3.exceptions.HTTPError as error:
            raise TransportError(f"no reply: {type(error).__name__}") from error

    return send


__all__ = ["Client", "RpcError", "TransportError"]
