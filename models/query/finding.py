"""What a query finds."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID

from models.errors import Invalid
from models.memberships import Membership
from models.people import Label, User, UserLabel, UserStatus

_LISTED = re.compile(r"given (labels|users|programs) \[([^]]*)\]")


def user_ids(text: str, current: UUID | None) -> list[str]:
    """The ids of the users that a user query finds."""
    found: Any = User.select(User.id).where(User.status == UserStatus.ACTIVE)
    for term in text.split(" ^ "):
        if term == "current user" and current is not None:
            found = found.where(User.id == current)
        elif listed := _LISTED.fullmatch(term):
            items = listed[2].split(", ")
            labelled = UserLabel.select(UserLabel.user).join(Label).where(Label.handle.in_(items))
            members = Membership.select(Membership.user).where(Membership.program.in_(items))
            ids = {"labels": labelled, "users": items, "programs": members}[listed[1]]
            found = found.where(User.id.in_(ids))
        elif term != "all users":
            raise Invalid({"query": ["Line 1, column 1: expected a qualifier."]})
    return [str(row_id) for (row_id,) in found.order_by(User.created_at, User.id).tuples()]
