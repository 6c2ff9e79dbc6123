"""Users and their labels, and the roles that enrollments may leave to them."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models import actor, clock
from models.people import Label, User, UserLabel, UserRole, UserStatus
from models.roster.columns import LABELS, ROLES, USERS, Column, Email, Status, word
from models.roster.rows import (
    News,
    Refused,
    Row,
    Step,
    among,
    assign,
    by_id,
    columns_among,
    missing,
    read_cell,
    without_taken_ids,
)
from models.tickets import Ticket

_LABELS = next(column for column in USERS.columns if column.name == "metadata.labels")


class Labels(Step):
    """Labels, those of a file that we wrote and those that users have."""

    file = LABELS

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self.ids_by_handle: dict[str, UUID] = {}

    def store(self, rows: list[Row]) -> None:
        wanted: dict[str, dict[str, Any]] = {}
        for row in rows:
            try:
                if "handle" not in row.given:
                    raise missing("handle")
                values = {name: read_cell(self.columns[name], cell) for name, cell in row.given.items()}
            except Refused as refused:
                self.refuse(row, refused)
                continue
            self.count(False)
            handle = values["handle"]
            wanted[handle] = {"name": handle} | {
                str(self.columns[name].attribute): value for name, value in values.items()
            }
        self.confirm(wanted)

    def confirm(self, wanted: Mapping[str, Mapping[str, Any]]) -> None:
        """Know the ids of the labels with these handles; those that are missing are made."""
        unknown = [handle for handle in wanted if handle not in self.ids_by_handle]
        if not unknown:
            return
        self.ids_by_handle.update(columns_among(Label, "handle", "id", handle=unknown))
        absent = [handle for handle in unknown if handle not in self.ids_by_handle]
        made = [Label(**{"handle": handle, **wanted[handle]}) for handle in absent]
        without_taken_ids(Label, made)
        Label.insert_rows(made)
        self.ids_by_handle.update((label.handle, label.id) for label in made)
        self.report.of("labels").created += len(made)


@dataclass(frozen=True)
class Labelling:
    """The labels that a file begins to give a user, and those that it gives no longer."""

    put: list[str]
    taken: list[str]

    @classmethod
    def by(cls, news: News) -> Labelling:
        """Labels that people put on or took off here are in neither list."""
        column = _LABELS.name
        if column not in news.fresh:
            return cls([], [])
        last = read_cell(_LABELS, news.last.get(column, ""))
        now = news.fresh[column]
        return cls([one for one in now if one not in last], [one for one in last if one not in now])


class Users(Step):
    """Users, with the labels that are put on them."""

    file = USERS
    derived = (Column("status", word(UserStatus), "", "status"),)

    def __init__(self, labels: Labels, roles: Roles, *common: Any) -> None:
        super().__init__(*common)
        self._labels = labels
        self._roles = roles

    def derive(self, row: Row) -> None:
        given = row.given
        status = row.take_status()
        enabled = row.read(self.columns["enabledUser"])
        given.pop("enabledUser", None)
        if row.gone or enabled is False:
            given["status"] = UserStatus.RETIRED.value
        elif status or enabled:
            given["status"] = UserStatus.ACTIVE.value
        phone = given.pop("phone", None)
        if phone is not None:
            given.setdefault("sms", phone)
        role = given.pop("role", None)
        if role is not None:
            self._roles.of_user(row.sourced_id, role)

    def store(self, rows: list[Row]) -> None:
        found = by_id(User, (row.id for row in rows))
        every = list(self.news(rows, found))
        keys = [news.fresh["email"].key for news in every if "email" in news.fresh]
        holders = dict(columns_among(User, "email_key", "id", email_key=keys))
        now = clock.now()
        made: list[User] = []
        changed: list[User] = []
        emailed: list[User] = []
        labelled: list[tuple[User, Labelling]] = []
        real: dict[UUID, bool] = {}  # of old ones: whether something of them changed
        for news in every:
            user = found.get(news.row.id)
            try:
                values = news.attributes(self.columns)
                if "email" in values:
                    _set_email(values, news.row.id, user, holders)
                labelling = Labelling.by(news)
            except Refused as refused:
                self.refuse(news.row, refused)
                continue
            if user is None:
                usual = {"role": UserRole.USER, "status": UserStatus.ACTIVE}
                user = User(__no_default__=1, **(usual | values | news.identity(now, self.columns)))
                made.append(user)
            else:
                real[user.id] = assign(user, values)
                if real[user.id]:
                    user.updated_at = now
                if news.note(user) or real[user.id]:
                    changed.append(user)
            if "email_key" in values:
                emailed.append(user)
            if labelling.put or labelling.taken:
                labelled.append((user, labelling))
        User.insert_rows(made)
        followed = self.file.attributes | {"email_key", "status", "updated_at", "imported"}
        User.update_rows(changed, *followed)
        real.update(dict.fromkeys(self._relabel(labelled, real.keys()) & real.keys(), True))
        _claim_tickets(emailed)
        self.report.of(self.file.name).created += len(made)
        for is_real in real.values():
            self.count(is_real)

    def _relabel(self, labelled: Sequence[tuple[User, Labelling]], old: Collection[UUID]) -> set[UUID]:
        """Put on and take off labels; returns the users of whom that was not so already.

        Users who are not `old` are new here and have no labels yet.
        """
        handles = dict.fromkeys(one for _, labelling in labelled for one in labelling.put + labelling.taken)
        self._labels.confirm({handle: {"name": handle} for handle in handles})
        ids = self._labels.ids_by_handle
        linked = [user.id for user, _ in labelled if user.id in old]
        links = columns_among(UserLabel, "user_id", "label_id", "id", user_id=linked)
        there = {(user, label): link for user, label, link in links}
        put = {(user.id, ids[one]) for user, labelling in labelled for one in labelling.put} - there.keys()
        taken = {
            (user.id, ids[one]) for user, labelling in labelled for one in labelling.taken
        } & there.keys()
        UserLabel.insert_rows([UserLabel(user=user, label=label) for user, label in put])
        if taken:
            gone = [there[pair] for pair in taken]
            actor.touch(itertools.chain(gone, *taken))
            UserLabel.delete().where(among(UserLabel.id, gone)).execute()
        return {user for user, _ in put | taken}


def _set_email(values: dict[str, Any], user_id: UUID, user: User | None, holders: dict[str, UUID]) -> None:
    """Have an email mean that the user gets it. Refused: it is another user's."""
    email: Email = values.pop("email")
    if user is not None and user.email_key == email.key:
        return  # the first spelling is kept
    if holders.setdefault(email.key, user_id) != user_id:
        raise Refused("email", "EMAIL_TAKEN", "Another user has this email.")
    values |= {"email": email.text, "email_key": email.key}


def _claim_tickets(users: Sequence[User]) -> None:
    """Give users the tickets that were made for their email before anybody had it."""
    by_key = {user.email_key: user for user in users}
    tickets = columns_among(Ticket, "email_key", "user_id", email_key=by_key)
    for key in {key for key, holder in tickets if holder is None}:
        by_key[key].claim_tickets()


class Roles(Step):
    """The roles of users, remembered for enrollments that give none; nothing of them is stored."""

    file = ROLES

    def __init__(self, *common: Any) -> None:
        super().__init__(*common)
        self._primary: dict[str, str] = {}
        self._further: dict[str, str] = {}
        self._of_users: dict[str, str] = {}

    def derive(self, row: Row) -> None:
        user = row.name_in("userSourcedId")
        role = row.name_in("role")
        if row.take_status() is Status.TO_BE_DELETED:
            return
        primary = row.given.get("roleType", "").strip().lower() == "primary"
        (self._primary if primary else self._further).setdefault(user, role)

    def of_user(self, sourced_id: str, role: str) -> None:
        """Remember the role in users.csv, which OneRoster 1.1 has and 1.2 has not."""
        if role.strip().lower() != "student":
            self._of_users[sourced_id] = role

    def usual(self, user: str) -> str:
        """The role of somebody's enrollment that gives none."""
        for roles in (self._primary, self._further, self._of_users):
            if user in roles:
                return roles[user]
        return "student"
