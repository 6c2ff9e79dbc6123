"""What a query finds."""

from __future__ import annotations

import re
from uuid import UUID

from models.errors import Invalid
from models.people import Label, User, UserLabel, UserStatus

_LABELS = re.compile(r"given labels \[([a-z-]+)\]")


def user_ids(text: str, current: UUID | None) -> list[str]:
    """The ids of the users that a user query finds."""
    listed = _LABELS.fullmatch(text)
    if text != "all users" and listed is None:
        raise Invalid({"query": ["Line 1, column 1: expected a qualifier."]})
    found = User.select(User.id).where(User.status == UserStatus.ACTIVE)
    if listed is not None:
        labelled = UserLabel.select(UserLabel.user).join(Label).where(Label.handle == listed[1])
        found = found.where(User.id.in_(labelled))
    rows: list[tuple[str]] = list(found.order_by(User.created_at, User.id).tuples())  # type: ignore[arg-type]
    return [str(row_id) for (row_id,) in rows]
