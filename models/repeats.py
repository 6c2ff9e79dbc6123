"""Answers that are kept, so that who repeats a write gets the same answer and nothing is done twice."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import peewee

from models import clock
from models.database import database, run, run_for_each
from models.errors import Conflict
from models.rows import BaseModel, InstantField
from models.text import instant_text

KEPT = timedelta(hours=24)
PURGED_AT_ONCE = 50
FORGET_AT_ONCE = 2  # old answers for each new one: more than come, so that they never pile up


class KeptAnswer(BaseModel):
    """What a write with an idempotency key was answered, stored in the transaction of the write.

    The id is made of the token and the key, so one tree holds all of it.
    """

    asked = peewee.TextField()  # what tells one method and parameters from others
    answer = peewee.TextField()
    at = InstantField(default=clock.now, index=True)

    class Meta:
        without_rowid = True

    @staticmethod
    def id_of(token_id: UUID | None, key: str) -> UUID:
        """The id of the answer to a token's key: keys of other tokens are other keys."""
        return uuid5(token_id or NAMESPACE_URL, key)

    @classmethod
    def recall(cls, answer_id: UUID, asked: str) -> str | None:
        """The answer that is kept, if one is. Conflict: the key was used to ask something else."""
        found = cls.find(id=answer_id)
        if found is None or found.at < clock.now() - KEPT:
            return None
        if found.asked != asked:
            raise Conflict(
                "IDEMPOTENCY_KEY_REUSED", "The idempotency key was used for another call or other parameters"
            )
        return found.answer

    @classmethod
    def purge(cls, before: datetime, seconds: float) -> int:
        """Remove some answers from before an instant, in less than so long; 0 when none is left."""
        run(_forget(), (instant_text(before), PURGED_AT_ONCE))
        return database.connection().changes()

    @classmethod
    def keep(cls, answer_id: UUID, asked: str, answer: str) -> None:
        """Keep an answer, and forget some that are too old. No row of it is for the audit."""
        run(_forget(), (instant_text(clock.now() - KEPT), FORGET_AT_ONCE))
        run(_make_room(), (str(answer_id),))
        prepared = cls.inserts([cls.new(id=answer_id, asked=asked, answer=answer).__data__])
        run_for_each(prepared.sql, prepared.rows)


@functools.cache
def _forget() -> str:
    old = KeptAnswer.select(KeptAnswer.id).where(KeptAnswer.at < peewee.SQL("?"))
    old = old.order_by(KeptAnswer.at).limit(peewee.SQL("?"))
    sql, _ = KeptAnswer.delete().where(KeptAnswer.id.in_(old)).sql()
    return sql


@functools.cache
def _make_room() -> str:
    sql, _ = KeptAnswer.delete().where(KeptAnswer.id == peewee.SQL("?")).sql()
    return sql
