"""Tokens: what a caller shows to be let in. Only a hash of each is stored."""

from __future__ import annotations

import functools
import hashlib
import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

import peewee

from models import clock
from models.errors import NotFound
from models.people import User
from models.rows import ChoiceField, DatedModel, InstantField
from models.statements import Select, given

PREFIX = "crpc_"


class Scope(StrEnum):
    """What a token may do; each contains the ones before it."""

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"

    def covers(self, needed: Scope) -> bool:
        """Whether this scope is enough for something that needs another."""
        return needed in _CONTAINED[self]


_CONTAINED = {scope: tuple(Scope)[: place + 1] for place, scope in enumerate(Scope)}


def digest(secret: str) -> str:
    """The form in which a token is stored; 256 random bits need no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Issued(NamedTuple):
    """A new token with its secret, which nobody can show again."""

    token: Token
    secret: str


class Token(DatedModel):
    """A caller's key, with its scope, its end, and the user it acts for."""

    user_id: UUID | None

    name = peewee.TextField()
    hash = peewee.TextField(unique=True)
    scope = ChoiceField(Scope)
    user = peewee.ForeignKeyField(User, null=True)
    expires_at = InstantField(null=True)
    revoked_at = InstantField(null=True)

    @classmethod
    def issue(
        cls,
        name: str,
        scope: Scope,
        user: User | None = None,
        expires_at: datetime | None = None,
    ) -> Issued:
        """Make a token. Conflict: the user was erased."""
        if user is not None:
            user.check_not_erased()
        secret = PREFIX + secrets.token_urlsafe(32)
        row = cls.add(
            name=name, hash=digest(secret), scope=scope, user=user and user.id, expires_at=expires_at
        )
        return Issued(row, secret)

    @classmethod
    def of(cls, token_id: UUID) -> Self:
        """The token with this id; NotFound when there is none."""
        found = cls.find(id=token_id)
        if found is None:
            raise NotFound("token", token_id)
        return found

    @classmethod
    def with_secret(cls, secret: str) -> Self | None:
        """The token whose secret this is, usable or not."""
        return cls.find(hash=digest(secret))

    @classmethod
    def that_lets_in(cls, secret: str) -> Token | None:
        """The usable token whose secret this is.

        The database looks whether it is usable: a row that has ended takes as long as none, so nobody
        learns from the time of a refusal that a token was good once.
        """
        found = _usable().rows(hash=digest(secret), now=clock.now())
        return found[0] if found else None

    @classmethod
    def all(cls, limit: int | None = None, offset: int = 0, **values: Any) -> list[Self]:
        """Every token of which all this is true, oldest first."""
        if "id" in values:
            cls.of(values["id"])
        if "user_id" in values:
            User.of(values["user_id"])
        found = cls.select().filter(**values).order_by(cls.created_at, cls.id)
        return list(found.limit(limit).offset(offset))

    @classmethod
    def any_usable(cls) -> bool:
        """Whether there is a token that lets somebody in."""
        return any(token.is_usable for token in cls.select().where(cls.revoked_at.is_null()))

    @classmethod
    def revoke_all_of(cls, user: User) -> None:
        """Let nobody act for the user any more."""
        for token in cls.select().where(cls.user == user.id):
            token.revoke()

    @property
    def is_usable(self) -> bool:
        return self.revoked_at is None and (self.expires_at is None or clock.now() < self.expires_at)

    def revoke(self) -> bool:
        """Let nobody in with it any more; False when it was so."""
        return self.revoked_at is None and self.change(revoked_at=clock.now())

    def rotate(self, overlap: timedelta) -> Issued:
        """Make a successor with the same rights; this one ends after the overlap."""
        successor = Token.issue(self.name, self.scope, self.user, self.expires_at)
        end = clock.now() + overlap
        if self.expires_at is None or self.expires_at > end:
            self.change(expires_at=end)
        return successor


@functools.cache
def _usable() -> Select[Token]:
    has_not_ended = Token.expires_at.is_null() | (Token.expires_at > given("now"))
    return Select(
        Token.select().where(Token.hash == given("hash"), Token.revoked_at.is_null(), has_not_ended)
    )
