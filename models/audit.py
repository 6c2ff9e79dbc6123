"""The audit: one row for every call or command that wrote, in the same transaction as its changes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import peewee

from models import actor, clock
from models.actor import Actor
from models.database import BaseModel, IdField, InstantField


class Audit(BaseModel):
    """Who wrote what, when: the ids of the rows, never their contents."""

    at = InstantField(default=clock.now)
    token_id = IdField(null=True)
    acting_user_id = IdField(null=True)
    request_id = peewee.TextField()
    method = peewee.TextField()
    touched = peewee.TextField()  # ids in the order of their first write, a blank between

    class Meta:
        indexes = ((("at", "id"), False),)


@contextmanager
def audited(author: Actor) -> Iterator[None]:
    """Do the writes that follow in the author's name, and note them when there were any."""
    with actor.acting(author):
        yield
        if author.touched:
            Audit.add(
                token_id=author.token_id,
                acting_user_id=author.user_id,
                request_id=author.request_id,
                method=author.method,
                touched=" ".join(author.touched),
            )
