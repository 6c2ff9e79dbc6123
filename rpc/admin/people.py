"""Users, groups, labels, channels, and relations between users."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from marshmallow import fields

from models import sample
from models.people import (
    Channel,
    Gender,
    Group,
    Label,
    Relation,
    RelationKind,
    User,
    UserRole,
    UserStatus,
)
from models.tokens import Scope
from rpc.registry import Lane, method
from rpc.results import AdminUserResult, ChannelResult, GroupResult, LabelResult, RelationResult
from rpc.schemas import (
    ADMIN_LIST,
    Choice,
    Day,
    Email,
    Filled,
    Flag,
    Id,
    Instant,
    Params,
    Text,
    Timezone,
    Whole,
    change,
    limit,
    offset,
    optional,
    required,
)


def _as_now(user_id: UUID) -> User:
    user = User.of(user_id)
    User.fetch_handles([user])
    return user


class SaveUser(Params):
    id = optional(Id, "user to change; an unknown one is the id of a new user")
    email = change(Email, "email, which nobody else must have")
    first = change(Text, "first name")
    last = change(Text, "last name")
    name = change(Text, "whole name, if it is not first and last")
    title = change(Text, "title")
    gender = change(Choice, "gender", words=Gender)
    dob = change(Day, "day of birth")
    mobile = change(Text, "mobile number")
    timezone = change(Timezone, "IANA time zone")
    external_id = change(Text, "id in another system")
    external_status = change(Text, "status in another system")
    role = change(Choice, "user unless given", words=UserRole)
    status = change(Choice, "active unless given", words=UserStatus)
    last_sign_in_at = change(Instant, "when they last signed in somewhere")
    sourced_id = change(Text, "id in the system they come from")

    emptied = (
        "email",
        "first",
        "last",
        "name",
        "title",
        "gender",
        "dob",
        "mobile",
        "timezone",
        "external_id",
        "external_status",
        "last_sign_in_at",
        "sourced_id",
    )


@method(
    "admin.SaveUser",
    params=SaveUser,
    returns=fields.Nested(AdminUserResult),
    example={"id": sample.ADA, "title": "Countess", "clear": ["dob"]},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
    again=_as_now,
)
def save_user(id: UUID | None, **changes: Any) -> User:
    """Make a user, or change the one with this id.

    What is not given stays. A new email claims the tickets that wait for it. A user who was erased
    stays so.
    """
    user = User.put(id, **changes)
    User.fetch_handles([user])
    return user


class ListUsers(Params):
    id = change(Id, "only this user")
    sourced_id = change(Text, "only users with this id in the system they come from")
    email = change(Email, "only the user with this email")
    external_id = change(Text, "only users with this id in another system")
    role = change(Choice, "only users in this role", words=UserRole)
    status = change(Choice, "only users with this status", words=UserStatus)
    group_id = change(Id, "only users in this group")
    label_id = change(Id, "only users with this label")
    limit = limit(default=ADMIN_LIST)
    offset = offset()


@method(
    "admin.ListUsers",
    params=ListUsers,
    returns=fields.List(fields.Nested(AdminUserResult)),
    example={"groupId": sample.STAFF},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_users(limit: int, offset: int, **values: Any) -> list[User]:
    """List users, retired and erased ones too, in the order of their making, then by id."""
    return User.matching(limit, offset, **values)


class EraseUser(Params):
    user_id = required(Id, "user to erase")


@method(
    "admin.EraseUser",
    params=EraseUser,
    returns=Whole(0, 1),
    example={"userId": sample.CARL},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def erase_user(user_id: UUID) -> int:
    """Blank whatever says who a user is: 1 when it was done now, 0 when it was done before.

    Names, email (on tickets too), birth date, numbers and ids of other systems go, for ever; the user
    is retired, and tokens that act for them are revoked. What reports of past imports say of them is
    removed. Memberships, tickets and history stay.
    """
    return int(User.of(user_id).erase())


class _SaveNamed(Params):
    id = optional(Id, "the one to change; an unknown one is the id of a new one")
    handle = change(Filled, "short name, which no other has; required for a new one")
    name = change(Filled, "name: the handle unless given")
    sourced_id = change(Text, "id in the system it comes from")

    emptied = ("sourced_id",)


class _ListNamed(Params):
    id = change(Id, "only the one with this id")
    sourced_id = change(Text, "only those with this id in the system they come from")
    handle = change(Text, "only the one with this handle")
    limit = limit(default=ADMIN_LIST)
    offset = offset()


class SaveGroup(_SaveNamed):
    pass


@method(
    "admin.SaveGroup",
    params=SaveGroup,
    returns=fields.Nested(GroupResult),
    example={"handle": "kitchen", "name": "Kitchen staff"},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def save_group(id: UUID | None, **changes: Any) -> Group:
    """Make a group, or change the one with this id; what is not given stays."""
    return Group.put(id, **changes)


class ListGroups(_ListNamed):
    pass


@method(
    "admin.ListGroups",
    params=ListGroups,
    returns=fields.List(fields.Nested(GroupResult)),
    example={"handle": "staff"},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_groups(limit: int, offset: int, **values: Any) -> list[Group]:
    """List groups by handle and id; admin.ListUsers with groupId lists who is in one."""
    return Group.matching(limit, offset, **values)


class SaveLabel(_SaveNamed):
    pass


@method(
    "admin.SaveLabel",
    params=SaveLabel,
    returns=fields.Nested(LabelResult),
    example={"handle": "left-handed", "name": "Left-handed"},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def save_label(id: UUID | None, **changes: Any) -> Label:
    """Make a label, or change the one with this id; what is not given stays."""
    return Label.put(id, **changes)


class ListLabels(_ListNamed):
    pass


@method(
    "admin.ListLabels",
    params=ListLabels,
    returns=fields.List(fields.Nested(LabelResult)),
    example={"handle": "alumni"},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_labels(limit: int, offset: int, **values: Any) -> list[Label]:
    """List labels by handle and id; admin.ListUsers with labelId lists who has one."""
    return Label.matching(limit, offset, **values)


class SaveChannel(_SaveNamed):
    pass


@method(
    "admin.SaveChannel",
    params=SaveChannel,
    returns=fields.Nested(ChannelResult),
    example={"handle": "recipes", "name": "Recipes"},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def save_channel(id: UUID | None, **changes: Any) -> Channel:
    """Make a channel, or change the one with this id; what is not given stays."""
    return Channel.put(id, **changes)


class ListChannels(Params):
    id = change(Id, "only the one with this id")
    sourced_id = change(Text, "only those with this id in the system they come from")
    handle = change(Text, "only the one with this handle")
    user_id = change(Id, "only channels that this user is in")
    limit = limit(default=ADMIN_LIST)
    offset = offset()


@method(
    "admin.ListChannels",
    params=ListChannels,
    returns=fields.List(fields.Nested(ChannelResult)),
    example={"userId": sample.ADA},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_channels(limit: int, offset: int, **values: Any) -> list[Channel]:
    """List channels by handle and id."""
    return Channel.matching(limit, offset, **values)


class AddToChannel(Params):
    user_id = required(Id, "user")
    channel_id = required(Id, "channel to put them in")


@method(
    "admin.AddToChannel",
    params=AddToChannel,
    returns=Flag(),
    example={"userId": sample.ALAN, "channelId": sample.NEWS},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def add_to_channel(user_id: UUID, channel_id: UUID) -> bool:
    """Put a user into a channel; true also when they were in it."""
    User.of(user_id).join_channel(Channel.of(channel_id))
    return True


class RemoveFromChannel(Params):
    user_id = required(Id, "user")
    channel_id = required(Id, "channel to take them out of")


@method(
    "admin.RemoveFromChannel",
    params=RemoveFromChannel,
    returns=Flag(),
    example={"userId": sample.ADA, "channelId": sample.NEWS},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def remove_from_channel(user_id: UUID, channel_id: UUID) -> bool:
    """Take a user out of a channel; true also when they were not in it."""
    User.of(user_id).leave_channel(Channel.of(channel_id))
    return True


class ListChannelUsers(Params):
    channel_id = required(Id, "channel whose users are wanted")
    limit = limit(default=ADMIN_LIST)
    offset = offset()


@method(
    "admin.ListChannelUsers",
    params=ListChannelUsers,
    returns=fields.List(fields.Nested(AdminUserResult)),
    example={"channelId": sample.NEWS},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_channel_users(channel_id: UUID, limit: int, offset: int) -> list[User]:
    """List who is in a channel, in the order of their making, then by id."""
    return User.matching(limit, offset, channel_id=channel_id)


class _OneRelation(Params):
    user_id = required(Id, "user who follows, reports or is related")
    other_user_id = required(Id, "user whom they follow, report to or are related to")
    kind = required(Choice, "what it is", words=RelationKind)


class SaveRelation(_OneRelation):
    pass


@method(
    "admin.SaveRelation",
    params=SaveRelation,
    returns=fields.Nested(RelationResult),
    example={"userId": sample.EMMY, "otherUserId": sample.GRACE, "kind": "follows"},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def save_relation(user_id: UUID, other_user_id: UUID, kind: RelationKind) -> Relation:
    """Have one user follow, report to (direct) or be related to another; the same again changes nothing."""
    return Relation.put(user_id, other_user_id, kind)


class RemoveRelation(_OneRelation):
    pass


@method(
    "admin.RemoveRelation",
    params=RemoveRelation,
    returns=Flag(),
    example={"userId": sample.ADA, "otherUserId": sample.GRACE, "kind": "follows"},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def remove_relation(user_id: UUID, other_user_id: UUID, kind: RelationKind) -> bool:
    """End a relation between two users; true also when there was none."""
    Relation.cut(user_id, other_user_id, kind)
    return True


class ListRelations(Params):
    user_id = change(Id, "only relations of this user to others")
    other_user_id = change(Id, "only relations of others to this user", attribute="other_id")
    kind = change(Choice, "only relations of this kind", words=RelationKind)
    limit = limit(default=ADMIN_LIST)
    offset = offset()


@method(
    "admin.ListRelations",
    params=ListRelations,
    returns=fields.List(fields.Nested(RelationResult)),
    example={"otherUserId": sample.GRACE},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_relations(limit: int, offset: int, **values: Any) -> list[Relation]:
    """List relations between users, by user, kind, other user and id."""
    return Relation.matching(limit, offset, **values)
