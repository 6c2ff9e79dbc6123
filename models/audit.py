"""The audit: one row for every call or command that wrote, in the same transaction as its changes."""

from __future__ import annotations

import peewee

from models import actor, clock
from models.actor import Actor
from models.ids import new_id
from models.rows import BaseModel, IdField, InstantField


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
        indexes = ((("at", "id"), False),)

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


class audited(actor.acting):
    """Do the writes that follow in the author's name, and note them when there were any."""

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            if kind is None and self._actor.touched:
                Audit.note(self._actor)
        finally:
            super().__exit__(kind)
