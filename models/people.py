"""Users, and the groups, labels, channels and relations that say what they have to do with each other."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import orjson
import peewee

from models import actor, clock
from models.errors import Conflict, Invalid, NotFound
from models.rows import BaseModel, ChoiceField, DatedModel, DayField, InstantField, KeyField
from models.statements import Select, Statement, Stored, given
from models.text import name_key, trimmed, without_zero_width

EMAIL_AT_MOST = 254
_TOO_LONG = f"Must have at most {EMAIL_AT_MOST} characters."
# What HTML calls a valid email address has these of the ASCII characters, in lower case, before and after
# the @; to them come all letters beyond ASCII, which international addresses have.
_IN_NAME = re.compile(r"[a-z0-9.!#$%&'*+/=?^_`{|}~\x80-\U0010ffff-]")
_IN_DOMAIN = re.compile(r"[a-z0-9.\x80-\U0010ffff-]")


class UserRole(StrEnum):
    USER = "user"
    ADMIN = "admin"


class UserStatus(StrEnum):
    ACTIVE = "active"
    RETIRED = "retired"


class Gender(StrEnum):
    MALE = "male"
    FEMALE = "female"
    OTHER = "other"


class RelationKind(StrEnum):
    FOLLOWS = "follows"
    DIRECT = "direct"
    RELATED = "related"


def email_key(email: str) -> str:
    """The form in which emails compare; ValueError says what is wrong with one."""
    if len(email) > 2 * EMAIL_AT_MOST:  # normalizing takes the square of the marks in a row: minutes
        raise ValueError(_TOO_LONG)
    lower = unicodedata.normalize("NFC", without_zero_width(email).strip()).lower()
    key = unicodedata.normalize("NFC", lower)  # J with caron is one character in lower case only
    name, at, domain = key.partition("@")
    if not (name and at and domain) or "@" in domain:
        raise ValueError("Must have exactly one @, with something on both sides.")
    if key.split() != [key]:
        raise ValueError("Must have no blank inside.")
    for part, allowed in ((name, _IN_NAME), (domain, _IN_DOMAIN)):
        if strange := allowed.sub("", part):
            raise ValueError(f"Must be an address alone, such as ada@example.org, without {strange[0]!r}")
    if not all(domain.split(".")):
        raise ValueError("Must have a domain such as example.org behind the @.")
    if len(key) > EMAIL_AT_MOST:
        raise ValueError(_TOO_LONG)
    return key


class User(DatedModel):
    """A person. One user per email; a user may have none."""

    email = peewee.TextField(null=True)  # the first spelling, or that of the last SaveUser
    email_key = peewee.TextField(null=True, unique=True)
    first = peewee.TextField(null=True)
    last = peewee.TextField(null=True)
    name = peewee.TextField(null=True)
    title = peewee.TextField(null=True)
    gender = ChoiceField(Gender, null=True)
    dob = DayField(null=True)
    mobile = peewee.TextField(null=True)
    timezone = peewee.TextField(null=True)
    external_id = peewee.TextField(null=True, index=True)
    external_status = peewee.TextField(null=True)
    role = ChoiceField(UserRole, default=UserRole.USER, index=True)
    status = ChoiceField(UserStatus, default=UserStatus.ACTIVE)
    last_sign_in_at = InstantField(null=True)
    sourced_id = peewee.TextField(null=True, index=True)
    imported = peewee.TextField(null=True)  # what the last file said, whatever people did since
    erased_at = InstantField(null=True)

    groups: list[str]  # handles, once fetched
    labels: list[str]

    PERSONAL = (
        "email",
        "email_key",
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
        "imported",
    )

    class Meta:
        indexes = ((("created_at", "id"), False),)

    @classmethod
    def of(cls, user_id: UUID) -> Self:
        """The user with this id; NotFound when there is none."""
        found = cls.find(id=user_id)
        if found is None:
            raise NotFound("user", user_id)
        return found

    @classmethod
    def check(cls, user_id: UUID) -> None:
        """NotFound when there is no user with this id."""
        if not cls.exists(user_id):
            raise NotFound("user", user_id)

    @classmethod
    def with_email(cls, email: str) -> Self | None:
        """The user with this email, however it is spelled."""
        return cls.find(email_key=email_key(email))

    @classmethod
    def who(cls, user_id: UUID | None, email: str | None) -> UUID:
        """The id of the user whom a caller means by an id, an email, or both when they agree."""
        found = cls.who_or_none(user_id, email)
        if found is None:
            raise NotFound("user", email)
        return found

    @classmethod
    def who_or_none(cls, user_id: UUID | None, email: str | None) -> UUID | None:
        """As `who`, but None for an email that nobody has."""
        if user_id is None and email is None:
            raise Invalid({"user_id": ["userId or email is required."]})
        if user_id is not None:
            cls.check(user_id)
        if email is None:
            return user_id
        holder = cls.with_email(email)
        if user_id is not None and (holder is None or holder.id != user_id):
            raise Conflict("EMAIL_AND_USER_DISAGREE", "userId and email do not name the same user")
        return None if holder is None else holder.id

    @classmethod
    def matching(
        cls,
        limit: int | None = None,
        offset: int = 0,
        *,
        email: str | None = None,
        group_id: UUID | None = None,
        label_id: UUID | None = None,
        channel_id: UUID | None = None,
        **values: Any,
    ) -> list[Self]:
        """The users of whom all this is true, with their handles, in the order of their making."""
        if "id" in values:
            cls.of(values["id"])
        found = cls.select().filter(**values)
        if email is not None:
            found = found.where(cls.email_key == email_key(email))
        if group_id is not None:
            found = found.where(cls.id.in_(UserGroup.users_of(Group.of(group_id))))
        if label_id is not None:
            found = found.where(cls.id.in_(UserLabel.users_of(Label.of(label_id))))
        if channel_id is not None:
            found = found.where(cls.id.in_(UserChannel.users_of(Channel.of(channel_id))))
        users = list(found.order_by(cls.created_at, cls.id).limit(limit).offset(offset))
        cls.fetch_handles(users)
        return users

    @classmethod
    def put(cls, user_id: UUID | None, **values: Any) -> Self:
        """Make a user, or change the one with this id. Conflict: the email is taken; they were erased."""
        found = None if user_id is None else cls.find(id=user_id)
        if found is not None:
            found.edit(**values)
            return found
        if user_id is not None:
            values["id"] = user_id
        return cls.appear(values.pop("email", None), **values)

    @classmethod
    def appear(cls, email: str | None, **values: Any) -> Self:
        """Make a user; tickets that wait for the email become theirs. Conflict: the email is taken."""
        if email is not None and cls.with_email(email) is not None:
            raise Conflict("EMAIL_TAKEN", "Another user has this email")
        user = cls.add(email=email and trimmed(email), email_key=email and email_key(email), **values)
        user.claim_tickets()
        return user

    def edit(self, **values: Any) -> bool:
        """Change what is given; a new email claims the tickets that wait for it.

        Conflict: the email is taken; the user was erased.
        """
        self.check_not_erased()
        if "email" in values and values["email"] is not None:
            key = email_key(values["email"])
            values["email"] = trimmed(values["email"])
            if key != self.email_key:
                holder = User.find(email_key=key)
                if holder is not None and holder != self:
                    raise Conflict("EMAIL_TAKEN", "Another user has this email")
                values["email_key"] = key
        elif "email" in values:
            values["email_key"] = None
        changed = self.change(**values)
        if changed and values.get("email_key"):
            self.claim_tickets()
        return changed

    def claim_tickets(self) -> None:
        """Take over the tickets that were made for this email before anybody had it."""
        from models.tickets import Ticket

        Ticket.claim(self)

    def check_not_erased(self) -> None:
        """Refuse what would make somebody of an erased user again."""
        if self.erased_at is not None:
            raise Conflict("USER_ERASED", f"User {self.id} was erased")

    def check_not_retired(self) -> None:
        """Refuse what is given to active users only: places, groups, tickets."""
        self.check_not_erased()
        if self.status is UserStatus.RETIRED:
            raise Conflict("USER_RETIRED", f"User {self.id} is retired; admin.SaveUser makes them active")

    def erase(self) -> bool:
        """Blank every personal field and retire the user; the rows, and what they did, stay.

        Tokens that act for the user let nobody in any more. False: the user was erased already.
        """
        from models import imports
        from models.identities import RosterId
        from models.tickets import Ticket
        from models.tokens import Token

        if self.erased_at is not None:
            return False
        Ticket.forget_email_of(self)
        Token.revoke_all_of(self)
        names = self.email, self.sourced_id, self.external_id, self.mobile, self.name
        imports.forget((*names, f"{self.first or ''} {self.last or ''}", *RosterId.forget(self)))
        blank = dict.fromkeys(self.PERSONAL)
        return self.change(**blank, status=UserStatus.RETIRED, erased_at=clock.now())

    @property
    def shown_name(self) -> str | None:
        """The name, or first and last joined where there is none."""
        return self.name or " ".join(part for part in (self.first, self.last) if part) or None

    @classmethod
    def shown_name_column(cls) -> peewee.Function:
        """`shown_name`, for queries."""
        name, first, last = (peewee.fn.NULLIF(part, "") for part in (cls.name, cls.first, cls.last))
        return peewee.fn.COALESCE(name, first.concat(" ").concat(last), first, last)

    def join_group(self, group: Group) -> bool:
        """Be in a group. Conflict: the user is retired."""
        self.check_not_retired()
        return UserGroup.link(user=self.id, group=group.id)

    def leave_group(self, group: Group) -> bool:
        return UserGroup.unlink(user=self.id, group=group.id)

    def join_channel(self, channel: Channel) -> bool:
        return UserChannel.link(user=self.id, channel=channel.id)

    def leave_channel(self, channel: Channel) -> bool:
        return UserChannel.unlink(user=self.id, channel=channel.id)

    def put_label(self, label: Label) -> bool:
        return UserLabel.link(user=self.id, label=label.id)

    def take_label(self, label: Label) -> bool:
        return UserLabel.unlink(user=self.id, label=label.id)

    @staticmethod
    def fetch_handles(users: Iterable[User]) -> None:
        """Give each user its sorted `groups` and `labels`, in two queries for all."""
        users = list(users)
        groups = UserGroup.handles_by_user(users)
        labels = UserLabel.handles_by_user(users)
        for user in users:
            user.groups = groups.get(user.id, [])
            user.labels = labels.get(user.id, [])


class UserSelect(Select[User]):
    """A select of users, each with all that is shown of them in the same row, compiled."""

    def __init__(self, query: peewee.ModelSelect[User]) -> None:
        handles = {"groups": UserGroup.handles(), "labels": UserLabel.handles()}
        super().__init__(query, shown_name=User.shown_name_column(), **handles)

    def made_of(self, stored: Stored) -> User:
        user = super().made_of(stored)
        *_, groups, labels = stored
        user.groups, user.labels = orjson.loads(groups), orjson.loads(labels)
        return user


class _Named(DatedModel):
    """Something with a handle by which people are sorted."""

    handle = peewee.TextField(unique=True)
    # None: it was made before handles were folded, when another one's differed in letter case alone. Such
    # a row is found by its id, until it gets another handle.
    handle_key = KeyField("handle", null=True, unique=True)
    name = peewee.TextField()
    sourced_id = peewee.TextField(null=True, index=True)

    @classmethod
    def of(cls, row_id: UUID) -> Self:
        found = cls.find(id=row_id)
        if found is None:
            raise NotFound(cls.__name__.lower(), row_id)
        return found

    @classmethod
    def matching(cls, limit: int | None = None, offset: int = 0, **values: Any) -> list[Self]:
        """Those of which all this is true, by handle."""
        if "id" in values:
            cls.of(values["id"])
        if "handle" in values:
            values["handle_key"] = name_key(values.pop("handle"))
        found = cls._having(**values).order_by(cls.handle, cls.id)
        return list(found.limit(limit).offset(offset))

    @classmethod
    def _having(cls, **values: Any) -> peewee.ModelSelect[Self]:
        return cls.select().filter(**values)

    @classmethod
    def handled(cls, handle: str) -> Self | None:
        """The one with this handle, however it is spelled."""
        return cls.find(handle_key=name_key(handle))

    @classmethod
    def put(cls, row_id: UUID | None, **values: Any) -> Self:
        """Make one, or change the one with this id. Conflict: the handle is another one's."""
        handle = values.get("handle")
        found = None if row_id is None else cls.find(id=row_id)
        if handle is not None and (found is None or found.handle != handle):
            cls._check_handle(handle, row_id)
        if found is not None:
            found.change(**values)
            return found
        if handle is None:
            raise Invalid({"handle": ["Missing data for required field."]})
        if row_id is not None:
            values["id"] = row_id
        return cls.add(**{"name": handle, **values})

    @classmethod
    def _check_handle(cls, handle: str, row_id: UUID | None) -> None:
        """Invalid: it says nothing. Conflict: it is another one's."""
        if not name_key(handle):
            raise Invalid({"handle": ["Must not be empty."]})
        holder = cls.handled(handle) or cls.find(handle=handle)
        if holder is not None and holder.id != row_id:
            raise Conflict("HANDLE_TAKEN", f"Another {cls.__name__.lower()} has this handle")


class Group(_Named):
    """A set of users that someone keeps by hand."""


class Label(_Named):
    """A word that is put on users."""


class Channel(_Named):
    """A place where users talk; people are added and removed."""

    @classmethod
    def _having(cls, user_id: UUID | None = None, **values: Any) -> peewee.ModelSelect[Self]:
        found = super()._having(**values)
        if user_id is None:
            return found
        joined = UserChannel.select(UserChannel.channel).where(UserChannel.user == User.of(user_id).id)
        return found.where(cls.id.in_(joined))


class _Link(BaseModel):
    """A user in a group, under a label, in a channel: there or not there."""

    @classmethod
    def link(cls, **values: Any) -> bool:
        """Make it so; False when it was so already."""
        if cls.find(**values) is not None:
            return False
        row = cls.add(**values)
        row._touch_ends()
        return True

    @classmethod
    def unlink(cls, **values: Any) -> bool:
        """Make it not so; False when it was not."""
        found = cls.find(**values)
        if found is None:
            return False
        actor.touch([found.id])
        found._touch_ends()
        found.delete_instance()
        return True

    def _touch_ends(self) -> None:
        """Note who and what was linked too: of a removed link, its own id would tell nothing."""
        actor.touch(self.__data__[field.name] for field in self._meta.refs)


class _Tagged(_Link):
    """A link from a user to something with a handle."""

    user: peewee.ForeignKeyField
    tag: str  # name of the column that points there

    @classmethod
    def users_of(cls, tag: _Named) -> peewee.ModelSelect[Self]:
        """The ids of the users with this group, label or channel, for queries."""
        return cls.select(cls.user).where(cls._meta.fields[cls.tag] == tag.id)

    @classmethod
    def has(cls, user: User, handle: str) -> bool:
        return bool(_having(cls).stored(user_id=user.id, handle_key=name_key(handle)))

    @classmethod
    def handles(cls) -> peewee.ModelSelect[Any]:
        """The sorted handles of the user of a row, as a JSON array, for queries."""
        handle = cls._meta.fields[cls.tag].rel_model.handle
        array = peewee.fn.JSON_GROUP_ARRAY(handle).order_by(handle)
        return cls.select(array).join(handle.model).where(cls.user == User.id)

    @classmethod
    def handles_by_user(cls, users: Sequence[User]) -> dict[UUID, list[str]]:
        """The sorted handles of each user, one query."""
        kind = cls._meta.fields[cls.tag].rel_model
        found: dict[UUID, list[str]] = {}
        for chunk in peewee.chunked([user.id for user in users], 5000):
            rows = cls.select(cls.user, kind.handle).join(kind).where(cls.user.in_(chunk))
            for user_id, handle in rows.tuples().iterator():
                found.setdefault(user_id, []).append(handle)
        for handles in found.values():
            handles.sort()
        return found


@functools.cache
def _having(links: type[_Tagged]) -> Statement:
    """The select of a user's link to what has a handle."""
    tag = links._meta.fields[links.tag].rel_model
    found = links.select(links.id).join(tag)
    return Statement(found.where(links.user == given("user_id"), tag.handle_key == given("handle_key")))


class UserGroup(_Tagged):
    tag = "group"
    user = peewee.ForeignKeyField(User, index=False)
    group = peewee.ForeignKeyField(Group, index=False)

    class Meta:
        indexes = ((("user", "group"), True), (("group", "user"), False))


class UserLabel(_Tagged):
    tag = "label"
    user = peewee.ForeignKeyField(User, index=False)
    label = peewee.ForeignKeyField(Label, index=False)

    class Meta:
        indexes = ((("user", "label"), True), (("label", "user"), False))


class UserChannel(_Tagged):
    tag = "channel"
    user = peewee.ForeignKeyField(User, index=False)
    channel = peewee.ForeignKeyField(Channel, index=False)

    class Meta:
        indexes = ((("user", "channel"), True), (("channel", "user"), False))


class Relation(_Link):
    """What one user has to do with another: follows them, reports to them, is related to them."""

    user_id: UUID
    other_id: UUID

    user = peewee.ForeignKeyField(User, index=False)
    other = peewee.ForeignKeyField(User, index=False)
    kind = ChoiceField(RelationKind)

    class Meta:
        indexes = ((("user", "kind", "other"), True), (("other", "kind"), False))

    @classmethod
    def put(cls, user_id: UUID, other_id: UUID, kind: RelationKind) -> Self:
        """The relation between two users, made if there is none."""
        user, other = User.of(user_id), User.of(other_id)
        if user == other:
            raise Invalid({"other_user_id": ["Must be another user than userId."]})
        cls.link(user=user.id, other=other.id, kind=kind)
        return cls.get(cls.user == user.id, cls.other == other.id, cls.kind == kind)

    @classmethod
    def cut(cls, user_id: UUID, other_id: UUID, kind: RelationKind) -> bool:
        """Make two users unrelated in this way; False when they were."""
        return cls.unlink(user=User.of(user_id).id, other=User.of(other_id).id, kind=kind)

    @classmethod
    def matching(cls, limit: int | None = None, offset: int = 0, **values: Any) -> list[Self]:
        """The relations of which all this is true, by user, kind and other user."""
        for name in values.keys() & {"user_id", "other_id"}:
            User.of(values[name])
        found = cls.select().filter(**values).order_by(cls.user, cls.kind, cls.other, cls.id)
        return list(found.limit(limit).offset(offset))
