"""Users: who a row is, whose an email is, and the rows that are stored for them."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from models import clock
from models.identities import RosterId
from models.people import User, UserRole, UserStatus
from models.roster import addresses
from models.roster.addresses import Claim, Holder
from models.roster.columns import USERS, Column, Email, row_id, word
from models.roster.labels import Labelling, Labels
from models.roster.options import Match
from models.roster.roles import Roles
from models.roster.rows import (
    News,
    Refused,
    Row,
    Step,
    assign,
    by_id,
    columns_among,
    dumps,
)
from models.tickets import Ticket


class Users(Step):
    """Users, with the labels that are put on them."""

    file = USERS
    derived = (Column("status", word(UserStatus), "", "status"),)
    assumed = {"status": UserStatus.ACTIVE.value}

    def __init__(self, labels: Labels, roles: Roles, *common: Any) -> None:
        super().__init__(*common)
        self._labels = labels
        self._roles = roles
        self._known_by_user: dict[UUID, RosterId] = {}
        self._load_known()
        self._matched: set[UUID] = set()
        self._readdressed: dict[UUID, Email] = {}  # old users who get an email that another one has now
        self._losers: set[UUID] = set()
        self._held: dict[str, _Held] = {}  # by email, of those that were asked for
        self._asked_for: set[str] = set()

    def _load_known(self) -> None:
        """Learn which users this source found here in earlier imports, and what it said of them."""
        for sourced_id, known in RosterId.of_source(self.ids.source).items():
            self.ids.give("user", sourced_id, known.user_id)
            self._known_by_user[known.user_id] = known

    def derive(self, row: Row) -> None:
        given = row.given
        self.take_status(row)
        enabled = self.read(row, "enabledUser")
        given.pop("enabledUser", None)
        is_retired = row.gone or enabled is False
        given["status"] = (UserStatus.RETIRED if is_retired else UserStatus.ACTIVE).value
        phone = given.pop("phone", None)
        if phone is not None:
            given.setdefault("sms", phone)
        role = self.read(row, "role")
        given.pop("role", None)
        if role is not None and not row.gone:
            self._roles.of_user(row.sourced_id, role)

    def who(self, row: Row) -> str | None:
        names = (row.given.get("givenName"), row.given.get("familyName"))
        return row.given.get("metadata.name") or " ".join(filter(None, names)) or None

    def arrange(self, rows: list[Row]) -> list[Row]:
        rows = self.each_once(rows)
        known = _users_there(row.id for row in rows)
        there = [known.get(row.id) for row in rows]
        erased = set()
        for row, user in zip(rows, there, strict=True):
            if user is not None and user.is_erased:
                erased.add(row.sourced_id)
            elif name := self.who(row):
                self.ids.names["user", row.sourced_id] = name
        self.report.forget(self.file.name, erased)
        self._find_those_here(rows, there)
        self._decide_emails(rows, there)
        return self._with_news(rows, there)

    def _with_news(self, rows: list[Row], there: list[_There | None]) -> list[Row]:
        """The rows that do not say just what they said before; the others are counted."""
        found = [
            row
            for row, user in zip(rows, there, strict=True)
            if user is None or self._imported(user) != row.imported
        ]
        self.count(False, len(rows) - len(found))
        return found

    def _find_those_here(self, rows: list[Row], there: list[_There | None]) -> None:
        """Find the users whom rows of unknown sourcedIds mean; their places in `there` get them."""
        unknown = {
            row.sourced_id: place
            for place, (row, user) in enumerate(zip(rows, there, strict=True))
            if user is None and not row.gone and not row.ours
        }
        taken = {user.id for user in there if user is not None}
        found = self.find_named(unknown)
        if self.options.match is not Match.NONE:
            left = [rows[place] for name, place in unknown.items() if name not in found]
            found |= self._by_email(left, taken | set(found.values()))
        found = {name: user_id for name, user_id in found.items() if user_id not in taken}
        known = _users_there(found.values())
        for sourced_id, user_id in found.items():
            place = unknown[sourced_id]
            rows[place].id = user_id
            there[place] = known[user_id]
            self.ids.give("user", sourced_id, user_id)
            self._matched.add(user_id)
        self.report.of(self.file.name).matched = len(self._matched)

    def find_named(self, sourced_ids: Collection[str]) -> dict[str, UUID]:
        """The users to whom people here gave these sourcedIds, and no source has brought yet."""
        if not self._are_some_named:
            return {}
        found: dict[str, list[UUID]] = {}
        for user_id, name, imported in columns_among(
            User, "id", "sourced_id", "imported", sourced_id=sourced_ids
        ):
            if imported is None:
                found.setdefault(name, []).append(user_id)
        alone = {users[0]: name for name, users in found.items() if len(users) == 1}
        brought = {user_id for (user_id,) in columns_among(RosterId, "user_id", user_id=alone)}
        return {name: user_id for user_id, name in alone.items() if user_id not in brought}

    @functools.cached_property
    def _are_some_named(self) -> bool:
        """Whether there is any user with a sourcedId of whom no file said anything."""
        return User.select().where(User.imported.is_null(), User.sourced_id.is_null(False)).exists()

    def _holders_of(self, keys: set[str]) -> list[_Held]:
        """The users who have emails; asked for once in a run."""
        names = ("email_key", "id", "status", "sourced_id", "erased_at")
        for stored in columns_among(User, *names, email_key=keys - self._asked_for):
            self._held[stored[0]] = _Held._make(stored)
        self._asked_for |= keys
        return [self._held[key] for key in keys & self._held.keys()]

    def _by_email(self, rows: list[Row], taken: set[UUID]) -> dict[str, UUID]:
        """The users who have the emails of rows: those without sourcedId, or of other sources if so wished.

        An email that several of the rows have finds nobody.
        """
        by_key: dict[str, list[Row]] = {}
        for row in rows:
            if (email := self.read(row, "email")) is not None:
                by_key.setdefault(email.key, []).append(row)
        ours = self._known_by_user.keys() | taken
        found = {}
        for held in self._holders_of(set(by_key)):
            name = held.sourced_id
            is_of_source = held.user_id in ours or (
                name is not None and row_id(self.ids.source, "user", name) == held.user_id
            )
            is_meant = name is None or self.options.match is Match.EMAIL
            rows = by_key[held.key]
            if is_meant and not is_of_source and held.erased_at is None and len(rows) == 1:
                found[rows[0].sourced_id] = held.user_id
        return found

    def _decide_emails(self, rows: list[Row], there: list[_There | None]) -> None:
        """Leave each row the email that its user gets, over all rows; the others are warned of."""
        claims: list[tuple[Row, _There | None, Email]] = []
        for row, user in zip(rows, there, strict=True):
            cell = row.given.get("email")
            if cell is None or (user is None and row.gone):
                continue
            if user is not None and (user.is_erased or cell == self._said(user).get("email")):
                continue
            email = self.read(row, "email")
            if email is not None and (user is None or user.email_key != email.key):
                claims.append((row, user, email))
        keys = {email.key for _, _, email in claims}
        holders = self._holders_of(keys)
        if holders or len(keys) < len(claims):
            self._settle_claims(rows, there, claims, holders)

    def _settle_claims(
        self,
        rows: list[Row],
        there: list[_There | None],
        claims: list[tuple[Row, _There | None, Email]],
        holders: list[_Held],
    ) -> None:
        """Decide who gets emails that several have or claim."""
        active = {row.id: self._is_active(row, user) for row, user in zip(rows, there, strict=True)}
        by_user = {row.id: (row, user, email) for row, user, email in claims}
        decided = addresses.assign(
            [
                Claim(
                    row.id,
                    row.sourced_id,
                    email.key,
                    active[row.id],
                    user is not None and bool(user.email_key),
                )
                for row, user, email in claims
            ],
            {
                held.key: Holder(held.user_id, active.get(held.user_id, held.status is UserStatus.ACTIVE))
                for held in holders
            },
        )
        names = {row.id: self._name(row) for row in rows}
        names |= _names_of(set(decided.denied.values()) - names.keys())
        for user_id, holder_id in decided.denied.items():
            row, _, _ = by_user[user_id]
            if active[user_id]:
                message = f"It is the address of {names[holder_id]}; the user goes in without it."
                self.warn(row, Refused("email", "EMAIL_TAKEN", message))
            del row.given["email"]
        self._losers = decided.losers
        winners = {claim.user_id for claim in decided.won.values()}
        for row in rows:
            if row.id in decided.losers and row.id not in winners:
                row.given.pop("email", None)
        keys = {held.key for held in holders}
        for key, claim in decided.won.items():
            _, user, email = by_user[claim.user_id]
            if user is not None and (key in keys or user.id in decided.losers):
                self._readdressed[user.id] = email

    def _is_active(self, row: Row, user: _There | None) -> bool:
        """Whether a user is active when the import is done."""
        status = row.given["status"]
        if user is not None and self._said(user).get("status") == status:
            return user.is_active
        return status == UserStatus.ACTIVE

    def _imported(self, user: _There) -> str | None:
        known = self._known_by_user.get(user.id) if self._known_by_user else None
        return user.imported if known is None else known.imported

    def _said(self, user: _There) -> Mapping[str, str]:
        """The cells that the last import of this source gave for a user."""
        imported = self._imported(user)
        return self.assumed | orjson.loads(imported) if imported else {}

    def _name(self, row: Row) -> str:
        who = self.who(row)
        return f"{who} ({row.sourced_id})" if who else row.sourced_id

    def begin(self) -> None:
        """Hand on the emails that change their owner, all at once: none may have two owners in between."""
        involved = by_id(User, self._losers | self._readdressed.keys())
        now = clock.now()
        losers = [involved[one] for one in self._losers if one in involved]
        for user in losers:
            user.email = user.email_key = None
            user.updated_at = now
            if user.imported is not None:  # so that the email is news when the user claims it again
                user.imported = dumps({k: v for k, v in orjson.loads(user.imported).items() if k != "email"})
        User.update_rows(losers, "email", "email_key", "imported", "updated_at")
        RosterId.forget_email_of(self._losers)
        self._load_known()
        winners = [involved[one] for one in self._readdressed if one in involved]
        for user in winners:
            email = self._readdressed[user.id]
            user.email, user.email_key, user.updated_at = email.text, email.key, now
        User.update_rows(winners, "email", "email_key", "updated_at")
        _claim_tickets(winners)

    def store(self, rows: list[Row]) -> None:
        found = by_id(User, (row.id for row in rows))
        own = self._lend(found)
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
            values = news.attributes(self.columns)
            if "email" in values:
                self._set_email(values, news, user, holders)
            labelling = Labelling.by(news)
            if user is None:
                usual = {"role": UserRole.USER, "status": UserStatus.ACTIVE}
                user = User(__no_default__=1, **(usual | values | news.identity(now, self.columns)))
                made.append(user)
            else:
                real[user.id] = assign(user, values) or user.id in self._readdressed
                if real[user.id]:
                    user.updated_at = now
                if news.note(user) or real[user.id]:
                    changed.append(user)
            if "email_key" in values:
                emailed.append(user)
            if labelling.put or labelling.taken:
                labelled.append((user, labelling))
        User.insert_rows(made)
        said = self._take_back(found, own)
        followed = self.file.attributes | {"email_key", "status", "updated_at", "imported"}
        User.update_rows(changed, *followed)
        self._remember(rows, found, said, made)
        real.update(dict.fromkeys(self._labels.relabel(labelled, real.keys()) & real.keys(), True))
        _claim_tickets(emailed)
        self.report.of(self.file.name).created += len(made)
        for is_real in real.values():
            self.count(is_real)

    def _set_email(
        self, values: dict[str, Any], news: News, user: User | None, holders: dict[str, UUID]
    ) -> None:
        """Have an email mean that the user gets it, unless somebody else took it since that was decided."""
        email: Email = values.pop("email")
        if user is not None and user.email_key == email.key:
            return  # the first spelling is kept
        if holders.setdefault(email.key, news.row.id) != news.row.id:
            message = "Another user has this address since the import began; the user goes in without it."
            self.warn(news.row, Refused("email", "EMAIL_TAKEN", message))
            del news.row.given["email"], news.fresh["email"]
            return
        values |= {"email": email.text, "email_key": email.key}

    def _lend(self, found: Mapping[UUID, User]) -> dict[UUID, str | None]:
        """Have users whom this source found here hold what it said last; returns what they held."""
        own = {}
        for user_id in (self._known_by_user.keys() | self._matched) & found.keys():
            user, known = found[user_id], self._known_by_user.get(user_id)
            own[user_id] = user.imported
            user.imported = None if known is None else known.imported
        return own

    def _take_back(
        self, found: Mapping[UUID, User], own: Mapping[UUID, str | None]
    ) -> dict[UUID, str | None]:
        """Undo `_lend`; returns what the source has said now."""
        said = {user_id: found[user_id].imported for user_id in own}
        for user_id, imported in own.items():
            found[user_id].imported = imported
        return said

    def _remember(
        self,
        rows: Iterable[Row],
        found: Mapping[UUID, User],
        said: Mapping[UUID, str | None],
        made: Iterable[User],
    ) -> None:
        """Store what this source calls the users whom it did not make, and what it said of them."""
        if not said and not any(row.ours for row in rows):
            return
        made_by_id = {user.id: user for user in made}
        changed, called = [], []
        new: dict[UUID, tuple[str, str | None]] = {}
        for row in rows:
            if row.id in said and found[row.id].erased_at is None:
                user, imported = found[row.id], said[row.id]
                if (known := self._known_by_user.get(row.id)) is None:
                    new[user.id] = row.sourced_id, imported
                elif known.imported != imported:
                    known.imported = imported
                    changed.append(known)
                if user.sourced_id is None:
                    user.sourced_id = row.sourced_id
                    called.append(user)
            elif row.ours and row.id in made_by_id and self._is_called_otherwise(row):
                new[row.id] = row.sourced_id, made_by_id[row.id].imported
        RosterId.insert_rows(
            [
                RosterId(source=self.ids.source, sourced_id=name, user=user_id, imported=imported)
                for user_id, (name, imported) in new.items()
            ]
        )
        RosterId.update_rows(changed, "imported")
        User.update_rows(called, "sourced_id")

    def _is_called_otherwise(self, row: Row) -> bool:
        """Whether the sourcedId is neither the id itself nor what the id is made of."""
        return row.sourced_id != str(row.id) and row_id(self.ids.source, "user", row.sourced_id) != row.id


def _claim_tickets(users: Sequence[User]) -> None:
    """Give users the tickets that were made for their email before anybody had it."""
    by_key = {user.email_key: user for user in users}
    tickets = columns_among(Ticket, "email_key", "user_id", email_key=by_key)
    for key in {key for key, holder in tickets if holder is None}:
        by_key[key].claim_tickets()


class _There(NamedTuple):
    """A user here whom a file names, as far as reading the file needs them."""

    id: UUID
    email_key: str | None
    status: UserStatus
    erased_at: datetime | None
    imported: str | None

    @property
    def is_active(self) -> bool:
        return self.status is UserStatus.ACTIVE

    @property
    def is_erased(self) -> bool:
        return self.erased_at is not None


class _Held(NamedTuple):
    """The holder of an email when the import begins."""

    key: str
    user_id: UUID
    status: UserStatus
    sourced_id: str | None
    erased_at: datetime | None


def _users_there(ids: Iterable[UUID]) -> dict[UUID, _There]:
    """The users with these ids, as far as there are such."""
    names = ("id", "email_key", "status", "erased_at", "imported")
    return {stored[0]: _There._make(stored) for stored in columns_among(User, *names, id=set(ids))}


def _names_of(ids: Collection[UUID]) -> dict[UUID, str]:
    """Names of these users, each with the sourcedId or id to find them by."""
    found = {}
    for user_id, name, first, last, sourced_id in columns_among(
        User, "id", "name", "first", "last", "sourced_id", id=ids
    ):
        who = name or " ".join(part for part in (first, last) if part)
        key = sourced_id or str(user_id)
        found[user_id] = f"{who} ({key})" if who else key
    return found
