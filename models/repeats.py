"""Answers that are kept, so that who repeats a write gets the same answer and nothing is done twice."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import NAMESPACE_URL, UUID, uuid5

import peewee

from models import clock
from models.database import database, run, run_for_each
from models.errors import Conflict
from models.rows import BaseModel, InstantField
from models.text import instant_text

KEPT = timedelta(hours=24)
DIGEST = 32  # bytes by which calls are told apart
PURGED_AT_ONCE = 50
FORGET_AT_ONCE = 2  # old answers for each new one: more than come, so that they never pile up


@dataclass(frozen=True, slots=True)
class Repeats:
    """A call that may come again: its token, and the idempotency key that it came with."""

    token_id: UUID | None
    key: str

    @property
    def id(self) -> UUID:
        """The id of the kept answer: keys of other tokens are other keys."""
        return uuid5(self.token_id or NAMESPACE_URL, self.key)

    def secret(self, asked: bytes, length: int) -> bytes:
        """Bytes that only who repeats the call can find out again."""
        return hashlib.shake_256(self.key.encode() + b"\0" + asked).digest(length)


class KeptAnswer(BaseModel):
    """What a write with an idempotency key was answered, stored in the transaction of the write.

    Neither key nor parameters are kept, and the answer, which may tell of a person, is sealed with both:
    nobody can read it but who repeats the call, so nothing of it is left of a person who is erased.

    The id is made of the token and the key, so one tree holds all of it.
    """

    asked = peewee.TextField()  # what tells one method and parameters from others
    answer = peewee.TextField()  # sealed; rows of before that was so are JSON, and gone after a day
    at = InstantField(default=clock.now, index=True)

    class Meta:
        without_rowid = True

    @classmethod
    def recall(cls, repeats: Repeats, asked: bytes) -> bytes | None:
        """The answer that is kept to a call, if one is. Conflict: the key was used to ask something else."""
        found = cls.find(id=repeats.id)
        if found is None or found.at < clock.now() - KEPT:
            return None
        is_sealed = not found.answer.startswith("{")
        digest = repeats.secret(asked, DIGEST) if is_sealed else hashlib.sha256(asked).digest()
        if found.asked != digest.hex():
            raise Conflict(
                "IDEMPOTENCY_KEY_REUSED", "The idempotency key was used for another call or other parameters"
            )
        return _sealed(bytes.fromhex(found.answer), repeats, asked) if is_sealed else found.answer.encode()

    @classmethod
    def keep(cls, repeats: Repeats, asked: bytes, answer: bytes) -> None:
        """Keep an answer, and forget some that are too old. No row of it is for the audit."""
        run(_forget(), (instant_text(clock.now() - KEPT), FORGET_AT_ONCE))
        run(_make_room(), (str(repeats.id),))
        digest, sealed = repeats.secret(asked, DIGEST), _sealed(answer, repeats, asked)
        prepared = cls.inserts([cls.new(id=repeats.id, asked=digest.hex(), answer=sealed.hex()).__data__])
        run_for_each(prepared.sql, prepared.rows)

    @classmethod
    def purge(cls, before: datetime, seconds: float) -> int:
        """Remove some answers from before an instant, in less than so long; 0 when none is left."""
        run(_forget(), (instant_text(before), PURGED_AT_ONCE))
        return database.connection().changes()


def _sealed(answer: bytes, repeats: Repeats, asked: bytes) -> bytes:
    """An answer that cannot be read without the call; done twice, the answer again."""
    secret = repeats.secret(asked, DIGEST + len(answer))[DIGEST:]
    return (int.from_bytes(answer) ^ int.from_bytes(secret)).to_bytes(len(answer))


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
