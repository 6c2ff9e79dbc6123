"""The roles of users, for enrollments that give none."""

from __future__ import annotations

from typing import Any

from models.memberships import MembershipRole
from models.roster.columns import ROLES, Status, rank
from models.roster.rows import Row, Step


class Roles(Step):
    """The roles of users, remembered for enrollments that give none; nothing of them is stored."""

    file = ROLES

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self._primary: dict[str, MembershipRole] = {}
        self._further: dict[str, MembershipRole] = {}
        self._of_users: dict[str, MembershipRole] = {}

    def derive(self, row: Row) -> None:
        user = row.name_in("userSourcedId")
        row.name_in("role")
        role = self.read(row, "role")
        if self.take_status(row) is Status.TO_BE_DELETED or role is None:
            return
        primary = row.given.get("roleType", "").strip().lower() == "primary"
        _keep_highest(self._primary if primary else self._further, user, role)

    def of_user(self, sourced_id: str, role: MembershipRole) -> None:
        """Remember the role in users.csv, which OneRoster 1.1 has and 1.2 has not."""
        _keep_highest(self._of_users, sourced_id, role)

    def usual(self, user: str) -> MembershipRole:
        """The role of somebody's enrollment that gives none: of several, the highest."""
        for roles in (self._primary, self._further, self._of_users):
            if user in roles:
                return roles[user]
        return MembershipRole.MEMBER


def _keep_highest(roles: dict[str, MembershipRole], user: str, role: MembershipRole) -> None:
    roles[user] = max(role, roles.get(user, role), key=rank)
