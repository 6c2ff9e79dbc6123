"""Users, and the groups and labels they are given."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from models import sample
from models.people import Gender, Group, Label, User, UserGroup, UserLabel
from models.tokens import Scope
from rpc.registry import Lane, method
from rpc.schemas import Choice, Day, Email, Flag, Id, Params, Text, optional, required


class CreateUser(Params):
    email = required(Email, "email, which nobody must have yet")
    group_id = optional(Id, "group to put the user in")
    external_id = optional(Text, "id in another system")
    title = optional(Text, "title")
    first = optional(Text, "first name")
    last = optional(Text, "last name")
    name = optional(Text, "whole name, if it is not first and last")
    mobile = optional(Text, "mobile number")
    gender = optional(Choice, "gender", words=Gender)
    dob = optional(Day, "day of birth")


@method(
    "core.CreateUser",
    params=CreateUser,
    returns=Flag(),
    example={"email": "new@example.org", "first": "New", "last": "User", "groupId": sample.STAFF},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def create_user(
    email: str,
    group_id: UUID | None,
    external_id: str | None,
    title: str | None,
    first: str | None,
    last: str | None,
    name: str | None,
    mobile: str | None,
    gender: Gender | None,
    dob: date | None,
) -> bool:
    """Make a user: true if one was made, false if somebody has the email.

    With false nothing is written, the group included. Tickets that wait for the email become the
    user's.
    """
    group = None if group_id is None else Group.of(group_id)
    if User.with_email(email) is not None:
        return False
    user = User.appear(
        email,
        external_id=external_id,
        title=title,
        first=first,
        last=last,
        name=name,
        mobile=mobile,
        gender=gender,
        dob=dob,
    )
    if group is not None:
        user.join_group(group)
    return True


class AddEmailToGroup(Params):
    email = required(Email, "the user's email")
    group_id = required(Id, "group to put the user in")


@method(
    "core.AddEmailToGroup",
    params=AddEmailToGroup,
    returns=Flag(),
    example={"email": "new@example.org", "groupId": sample.STAFF},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def add_email_to_group(email: str, group_id: UUID) -> bool:
    """Put the user with an email into a group, making the user if there is none."""
    group = Group.of(group_id)
    user = User.with_email(email) or User.appear(email)
    user.join_group(group)
    return True


class AddToGroup(Params):
    user_id = required(Id, "user")
    id = required(Id, "group")


@method(
    "core.AddToGroup",
    params=AddToGroup,
    returns=Flag(),
    example={"userId": sample.ADA, "id": sample.STAFF},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def add_to_group(user_id: UUID, id: UUID) -> bool:
    """Put a user into a group; true also when they were in it."""
    User.of(user_id).join_group(Group.of(id))
    return True


class RemoveUserGroup(Params):
    user_id = required(Id, "user")
    id = required(Id, "group")


@method(
    "core.RemoveUserGroup",
    params=RemoveUserGroup,
    returns=Flag(),
    example={"userId": sample.ADA, "id": sample.STAFF},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def remove_user_group(user_id: UUID, id: UUID) -> bool:
    """Take a user out of a group; true also when they were not in it."""
    User.of(user_id).leave_group(Group.of(id))
    return True


class AddUserLabel(Params):
    user_id = required(Id, "user")
    label_id = required(Id, "label")


@method(
    "core.AddUserLabel",
    params=AddUserLabel,
    returns=Flag(),
    example={"userId": sample.ADA, "labelId": sample.VEGETARIAN},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def add_user_label(user_id: UUID, label_id: UUID) -> bool:
    """Put a label on a user; true also when they had it."""
    User.of(user_id).put_label(Label.of(label_id))
    return True


class RemoveUserLabel(Params):
    user_id = required(Id, "user")
    label_id = required(Id, "label")


@method(
    "core.RemoveUserLabel",
    params=RemoveUserLabel,
    returns=Flag(),
    example={"userId": sample.ADA, "labelId": sample.VEGETARIAN},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def remove_user_label(user_id: UUID, label_id: UUID) -> bool:
    """Take a label off a user; true also when they did not have it."""
    User.of(user_id).take_label(Label.of(label_id))
    return True


class UserHasGroup(Params):
    id = required(Id, "user")
    handle = required(Text, "handle of the group")


@method(
    "core.UserHasGroup",
    params=UserHasGroup,
    returns=Flag(),
    example={"id": sample.ADA, "handle": "staff"},
    scope=Scope.READ,
    lane=Lane.QUICK,
)
def user_has_group(id: UUID, handle: str) -> bool:
    """Tell whether a user is in the group with a handle; false when no group has it."""
    return UserGroup.has(User.of(id), handle)


class UserHasLabel(Params):
    user_id = required(Id, "user")
    handle = required(Text, "handle of the label")


@method(
    "core.UserHasLabel",
    params=UserHasLabel,
    returns=Flag(),
    example={"userId": sample.ADA, "handle": "vegetarian"},
    scope=Scope.READ,
    lane=Lane.QUICK,
)
def user_has_label(user_id: UUID, handle: str) -> bool:
    """Tell whether a user has the label with a handle; false when no label has it."""
    return UserLabel.has(User.of(user_id), handle)
