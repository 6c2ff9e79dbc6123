"""Who is acting, and what they have touched so far: context for history and audit rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

from models.ids import new_id


class How(StrEnum):
    """The way by which a change came about."""

    API = "api"
    SYNC = "sync"
    IMPORT = "import"
    TICKET = "ticket"


@dataclass(slots=True)
class Actor:
    """The author of the writes of one call or command."""

    method: str
    request_id: str = field(default_factory=lambda: str(new_id()))
    token_id: UUID | None = None
    user_id: UUID | None = None
    how: How = How.API
    touched: dict[str, None] = field(default_factory=dict)  # ids, ordered, each once


_current: ContextVar[Actor] = ContextVar("actor")


def current() -> Actor:
    """The actor of the running call; writing without one is a mistake in the program."""
    return _current.get()


class acting:
    """Do what follows in the actor's name."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def __enter__(self) -> Actor:
        self._before = _current.set(self._actor)
        return self._actor

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _current.reset(self._before)


@contextmanager
def by(how: How) -> Iterator[None]:
    """Note another way of change for what follows."""
    actor = current()
    before, actor.how = actor.how, how
    try:
        yield
    finally:
        actor.how = before


def touch(ids: Iterable[UUID | str]) -> None:
    """Note rows as written, for the audit row of the call."""
    touched = current().touched
    for row_id in ids:
        touched[str(row_id)] = None
