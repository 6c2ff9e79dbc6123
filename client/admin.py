"""The admin.* functions, as `client.admin`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from client.protocol import Day, Id, Instant, Object, Word, given


class Admin:
    """What the documentation has no function for; needs a token of scope admin.

    Each `save_...` makes a row, or changes the one with the id given: what is left out stays, and
    `clear` names, as the wire does, the members to be emptied. Lists give at most 1,000 rows unless
    `limit` says otherwise.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    # Program kinds and programs

    def save_program_kind(
        self,
        id: Id | None = None,
        name: str | None = None,
        handle: str | None = None,
        group: str | None = None,
        parent_id: Id | None = None,
        mode: Word | None = None,
        duration: int | None = None,
        priority: int | None = None,
        archived: bool | None = None,
        sourced_id: str | None = None,
        clear: Sequence[str] | None = None,
    ) -> Object:
        """Make a program kind, or change one."""
        return self._call(
            "admin.SaveProgramKind",
            **given(
                id=id,
                name=name,
                handle=handle,
                group=group,
                parent_id=parent_id,
                mode=mode,
                duration=duration,
                priority=priority,
                archived=archived,
                sourced_id=sourced_id,
                clear=clear,
            ),
        )

    def list_program_kinds(
        self,
        id: Id | None = None,
        sourced_id: str | None = None,
        handle: str | None = None,
        group: str | None = None,
        parent_id: Id | None = None,
        archived: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List program kinds by name."""
        return self._call(
            "admin.ListProgramKinds",
            **given(
                id=id,
                sourced_id=sourced_id,
                handle=handle,
                group=group,
                parent_id=parent_id,
                archived=archived,
                limit=limit,
                offset=offset,
            ),
        )

    def save_program(
        self,
        id: Id | None = None,
        program_kind_id: Id | None = None,
        name: str | None = None,
        start_date: Day | None = None,
        duration: int | None = None,
        mode: Word | None = None,
        timezone: str | None = None,
        parent_id: Id | None = None,
        archived: bool | None = None,
        sourced_id: str | None = None,
        clear: Sequence[str] | None = None,
    ) -> Object:
        """Make a program, or change one."""
        return self._call(
            "admin.SaveProgram",
            **given(
                id=id,
                program_kind_id=program_kind_id,
                name=name,
                start_date=start_date,
                duration=duration,
                mode=mode,
                timezone=timezone,
                parent_id=parent_id,
                archived=archived,
                sourced_id=sourced_id,
                clear=clear,
            ),
        )

    def list_programs(
        self,
        id: Id | None = None,
        sourced_id: str | None = None,
        program_kind_id: Id | None = None,
        parent_id: Id | None = None,
        archived: bool | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List programs by start date and name."""
        return self._call(
            "admin.ListPrograms",
            **given(
                id=id,
                sourced_id=sourced_id,
                program_kind_id=program_kind_id,
                parent_id=parent_id,
                archived=archived,
                limit=limit,
                offset=offset,
            ),
        )

    # Users

    def save_user(
        self,
        id: Id | None = None,
        email: str | None = None,
        first: str | None = None,
        last: str | None = None,
        name: str | None = None,
        title: str | None = None,
        gender: Word | None = None,
        dob: Day | None = None,
        mobile: str | None = None,
        timezone: str | None = None,
        external_id: str | None = None,
        external_status: str | None = None,
        role: Word | None = None,
        status: Word | None = None,
        last_sign_in_at: Instant | None = None,
        sourced_id: str | None = None,
        clear: Sequence[str] | None = None,
    ) -> Object:
        """Make a user, or change one."""
        return self._call(
            "admin.SaveUser",
            **given(
                id=id,
                email=email,
                first=first,
                last=last,
                name=name,
                title=title,
                gender=gender,
                dob=dob,
                mobile=mobile,
                timezone=timezone,
                external_id=external_id,
                external_status=external_status,
                role=role,
                status=status,
                last_sign_in_at=last_sign_in_at,
                sourced_id=sourced_id,
                clear=clear,
            ),
        )

    def list_users(
        self,
        id: Id | None = None,
        sourced_id: str | None = None,
        email: str | None = None,
        external_id: str | None = None,
        role: Word | None = None,
        status: Word | None = None,
        group_id: Id | None = None,
        label_id: Id | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List users in the order of their making."""
        return self._call(
            "admin.ListUsers",
            **given(
                id=id,
                sourced_id=sourced_id,
                email=email,
                external_id=external_id,
                role=role,
                status=status,
                group_id=group_id,
                label_id=label_id,
                limit=limit,
                offset=offset,
            ),
        )

    def erase_user(self, user_id: Id) -> int:
        """Blank whatever says who a user is: 1 when it was done now, 0 when it was done before."""
        return self._call("admin.EraseUser", **given(user_id=user_id))

    # Groups and labels

    def save_group(
        self,
        id: Id | None = None,
        handle: str | None = None,
        name: str | None = None,
        sourced_id: str | None = None,
        clear: Sequence[str] | None = None,
    ) -> Object:
        """Make a group, or change one."""
        return self._call(
            "admin.SaveGroup",
            **given(id=id, handle=handle, name=name, sourced_id=sourced_id, clear=clear),
        )

    def list_groups(
        self,
        id: Id | None = None,
        sourced_id: str | None = None,
        handle: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List groups by handle."""
        return self._call(
            "admin.ListGroups",
            **given(id=id, sourced_id=sourced_id, handle=handle, limit=limit, offset=offset),
        )

    def save_label(
        self,
        id: Id | None = None,
        handle: str | None = None,
        name: str | None = None,
        sourced_id: str | None = None,
        clear: Sequence[str] | None = None,
    ) -> Object:
        """Make a label, or change one."""
        return self._call(
            "admin.SaveLabel",
            **given(id=id, handle=handle, name=name, sourced_id=sourced_id, clear=clear),
        )

    def list_labels(
        self,
        id: Id | None = None,
        sourced_id: str | None = None,
        handle: str | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List labels by handle."""
        return self._call(
            "admin.ListLabels",
            **given(id=id, sourced_id=sourced_id, handle=handle, limit=limit, offset=offset),
        )

    # Channels

    def save_channel(
        self,
        id: Id | None = None,
        handle: str | None = None,
        name: str | None = None,
        sourced_id: str | None = None,
        clear: Sequence[str] | None = None,
    ) -> Object:
        """Make a channel, or change one."""
        return self._call(
            "admin.SaveChannel",
            **given(id=id, handle=handle, name=name, sourced_id=sourced_id, clear=clear),
        )

    def list_channels(
        self,
        id: Id | None = None,
        sourced_id: str | None = None,
        handle: str | None = None,
        user_id: Id | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List channels by handle."""
        return self._call(
            "admin.ListChannels",
            **given(id=id, sourced_id=sourced_id, handle=handle, user_id=user_id, limit=limit, offset=offset),
        )

    def add_to_channel(self, user_id: Id, channel_id: Id) -> bool:
        """Put a user into a channel."""
        return self._call("admin.AddToChannel", **given(user_id=user_id, channel_id=channel_id))

    def remove_from_channel(self, user_id: Id, channel_id: Id) -> bool:
        """Take a user out of a channel."""
        return self._call("admin.RemoveFromChannel", **given(user_id=user_id, channel_id=channel_id))

    def list_channel_users(
        self, channel_id: Id, limit: int | None = None, offset: int | None = None
    ) -> list[Object]:
        """List who is in a channel, in the order of their making."""
        return self._call(
            "admin.ListChannelUsers", **given(channel_id=channel_id, limit=limit, offset=offset)
        )

    # Relations

    def save_relation(self, user_id: Id, other_user_id: Id, kind: Word) -> Object:
        """Have one user follow, report to (direct) or be related to another."""
        return self._call(
            "admin.SaveRelation", **given(user_id=user_id, other_user_id=other_user_id, kind=kind)
        )

    def remove_relation(self, user_id: Id, other_user_id: Id, kind: Word) -> bool:
        """End a relation between two users."""
        return self._call(
            "admin.RemoveRelation", **given(user_id=user_id, other_user_id=other_user_id, kind=kind)
        )

    def list_relations(
        self,
        user_id: Id | None = None,
        other_user_id: Id | None = None,
        kind: Word | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List relations by user, kind and other user."""
        return self._call(
            "admin.ListRelations",
            **given(user_id=user_id, other_user_id=other_user_id, kind=kind, limit=limit, offset=offset),
        )

    # Tokens

    def create_token(
        self, name: str, scope: Word, user_id: Id | None = None, expires_at: Instant | None = None
    ) -> Object:
        """Make a token; its secret, `token`, is in the answer this once."""
        return self._call(
            "admin.CreateToken", **given(name=name, scope=scope, user_id=user_id, expires_at=expires_at)
        )

    def revoke_token(self, token_id: Id) -> int:
        """Let nobody in with a token any more: 1 when it was revoked now, 0 when it was already."""
        return self._call("admin.RevokeToken", **given(token_id=token_id))

    def list_tokens(
        self,
        id: Id | None = None,
        user_id: Id | None = None,
        scope: Word | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List tokens, oldest first; never a secret."""
        return self._call(
            "admin.ListTokens",
            **given(id=id, user_id=user_id, scope=scope, limit=limit, offset=offset),
        )

    # The audit

    def list_audit(
        self,
        token_id: Id | None = None,
        acting_user_id: Id | None = None,
        method: str | None = None,
        request_id: str | None = None,
        touched: Id | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
        limit: int | None = None,
        offset: int | None = None,
    ) -> list[Object]:
        """List who wrote what, newest first; on the wire, since and until are `from` and `to`."""
        return self._call(
            "admin.ListAudit",
            **given(
                token_id=token_id,
                acting_user_id=acting_user_id,
                method=method,
                request_id=request_id,
                touched=touched,
                since=since,
                until=until,
                limit=limit,
                offset=offset,
            ),
        )
