"""The audit: one row for every call or command that wrote, in the same transaction as its changes."""

from __future__ import annotations

import functools
import time
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import peewee

from models import actor, clock
from models.actor import Actor
from models.database import run
from models.ids import new_id
from models.people import User
from models.rows import BaseModel, IdField, InstantField
from models.statements import Statement, given
from models.tokens import Token

PURGED_AT_ONCE = 1000


class Audit(BaseModel):
    """Who wrote what, when: the ids of the rows, never their contents."""

    at = InstantField(default=clock.now)
    token_id = IdField(null=True)
    acting_user_id = IdField(null=True)
    request_id = peewee.TextField()
    method = peewee.TextField()
    touched = peewee.TextField()  # ids in the order of their first write, a blank between

    class Meta:
        without_rowid = True  # ids ascend: rows are appended to one tree
        # By time alone, which is appended to as well. An index by token or by what was touched would
        # cost each write pages of its own, to make quicker what looks through a million rows in 0.6 s.
        indexes = ((("at", "id"), False),)

    @classmethod
    def matching(
        cls,
        limit: int | None = None,
        offset: int = 0,
        *,
        touched: UUID | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        **values: Any,
    ) -> list[Self]:
        """The rows of which all this is true, newest first; `since` is within, `until` is not.

        NotFound: the token, the acting user.
        """
        if "token_id" in values:
            Token.of(values["token_id"])
        if "acting_user_id" in values:
            User.check(values["acting_user_id"])
        found = cls.select().filter(**values)
        if touched is not None:
            found = found.where(cls.touched.contains(str(touched)))
        if since is not None:
            found = found.where(cls.at >= since)
        if until is not None:
            found = found.where(cls.at < until)
        return list(found.order_by(cls.at.desc(), cls.id.desc()).limit(limit).offset(offset))

    @classmethod
    def purge(cls, before: datetime, seconds: float) -> int:
        """Remove the oldest rows from before an instant, for so long; 0 when none is left.

        One by one, because a row of an import may name a thousand ids and take as long as fifty others.
        """
        until = time.monotonic() + seconds
        removed = 0
        for row_id in _oldest().stored(before=before):
            run(_deletion(), row_id)
            removed += 1
            if time.monotonic() > until:
                break
        return removed

    @property
    def request(self) -> str | None:
        """The id of the request, or of the command's run; None in rows from before commands had one."""
        return self.request_id or None

    @property
    def touched_ids(self) -> list[str]:
        """The ids of the rows that were written, in the order of their first write."""
        return self.touched.split()

    @classmethod
    def note(cls, author: Actor) -> None:
        """Note what the author has touched."""
        row = {
            "id": new_id(),
            "at": clock.now(),
            "token_id": author.token_id,
            "acting_user_id": author.user_id,
            "request_id": author.request_id,
            "method": author.method,
            "touched": " ".join(author.touched),
        }
        cls.append([row])


@functools.cache
def _oldest() -> Statement:
    """The select of the ids of some oldest rows from before an instant."""
    found = Audit.select(Audit.id).where(Audit.at < given("before"))
    return Statement(found.order_by(Audit.at, Audit.id).limit(PURGED_AT_ONCE))


@functools.cache
def _deletion() -> str:
    """The delete of the row with an id."""
    sql, _ = Audit.delete().where(Audit.id == peewee.SQL("?")).sql()
    return sql


class audited(actor.acting):
    """Do the writes that follow in the author's name, and note them when there were any."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._actor.touched:
                Audit.note(self._actor)
        finally:
            super().__exit__(kind)
