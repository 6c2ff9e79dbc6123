"""SourcedIds of users whose id was not made of source and sourcedId."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self
from uuid import UUID

import orjson
import peewee

from models.people import User
from models.rows import BaseModel


class RosterId(BaseModel):
    """The sourcedId that a source has for a user who was here before the source brought them.

    The id of a user whom an import makes is made of source and sourcedId, and needs no such row.
    """

    user_id: UUID

    source = peewee.TextField()
    sourced_id = peewee.TextField()
    user = peewee.ForeignKeyField(User)
    imported = peewee.TextField(null=True)  # what the last file of the source said, as of rows that it made

    class Meta:
        indexes = ((("source", "sourced_id"), True),)

    @classmethod
    def of_source(cls, source: str) -> dict[str, Self]:
        """All of a source, by sourcedId."""
        return {one.sourced_id: one for one in cls.select().where(cls.source == source)}

    @classmethod
    def forget_email_of(cls, user_ids: Iterable[UUID]) -> None:
        """Forget that files gave an email to these users, so that it is news when one gives it again."""
        for one in cls.select().where(cls.user.in_(list(user_ids)), cls.imported.is_null(False)):
            said = orjson.loads(one.imported or "{}")
            if said.pop("email", None) is not None:
                one.change(imported=orjson.dumps(said, option=orjson.OPT_SORT_KEYS).decode())

    @classmethod
    def forget(cls, user: User) -> list[str]:
        """Forget what files said of a user; returns their sourcedIds, which go on naming the erased user."""
        found = list(cls.select().where(cls.user == user.id))
        for one in found:
            one.change(imported=None)
        return [one.sourced_id for one in found]
