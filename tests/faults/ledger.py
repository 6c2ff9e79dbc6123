"""What was asked of a server and what it answered, and so what must be in its database."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from client import RpcError
from rpc.errors import BUSY, INTERNAL_ERROR

Noun = Literal["ticket", "cohort", "user", "membership"]


class Lost:
    """The place of an answer that did not come: the call was carried out, or it was not."""


@dataclass(frozen=True)
class Ask:
    """A call that writes, and what it is about."""

    method: str
    params: dict[str, Any]
    noun: Noun
    key: tuple[str, ...]  # of the one thing that it makes or changes

    @property
    def about(self) -> tuple[str, ...]:
        return self.noun, *self.key


class Change(NamedTuple):
    """What a membership became, and what was said."""

    role: str
    state: str
    cohort_id: str | None
    comments: str | None


@dataclass
class Thing:
    """A ticket, a cohort or a user that was asked for under one key, however often."""

    made: int = 0  # answers that it was made by this call
    told: int = 0  # answers that it is there
    lost: int = 0  # calls without an answer
    made_unseen: bool = False  # by a call without an answer
    ids: set[str] = field(default_factory=set)  # that were answered


@dataclass
class Member:
    """A membership, of which one caller alone knows and changes, so that the order is known."""

    certain: list[Change] = field(default_factory=list)
    possible: list[Change] = field(default_factory=list)  # of calls without an answer: none, or the first

    def next(self, params: dict[str, Any]) -> Change | None:
        """What a call makes of it; None when that changes nothing."""
        changes = [*self.certain, *self.possible]
        before = changes[-1] if changes else None
        role, state, cohort_id, _ = before or ("member", "active", None, None)
        comments = params.get("comments")
        after = Change(
            params.get("role", role), params.get("state", state), params.get("cohortId", cohort_id), comments
        )
        said = comments is not None  # the callers say nothing twice
        return after if before is None or said or before[:3] != after[:3] else None


@dataclass
class Noted:
    """What the audit must have noted of a request: calls by method that surely, and that may have written."""

    sure: Counter[str] = field(default_factory=Counter)
    maybe: Counter[str] = field(default_factory=Counter)


class Ledger:
    """All that was asked and answered; callers in several threads note it, the checks read it."""

    def __init__(self, known: Iterable[tuple[str, ...]] = ()) -> None:
        self.things = {about: Thing(told=1, made_unseen=True) for about in known}
        self.members: dict[tuple[str, str], Member] = {}
        self.requests: dict[str, Noted] = {}
        self.cohorts: dict[str, list[str]] = {}  # that were answered, by program
        self.refused: list[str] = []  # answers that there is no reason for
        self.answered = self.busy = self.lost = self.failed = 0
        self._lock = threading.Lock()

    def note(self, asks: Sequence[Ask], answers: Sequence[Any], request_id: str | None) -> None:
        """Note the answers to the calls of one request; None for the id when there was no reply."""
        with self._lock:
            noted = Noted()
            for ask, answer in zip(asks, answers, strict=True):
                self._note(ask, answer, noted)
            if request_id is not None:
                self.requests[request_id] = noted

    def _note(self, ask: Ask, answer: Any, noted: Noted) -> None:
        if isinstance(answer, RpcError):
            if answer.code == BUSY and answer.data.get("retryAfterMs"):
                self.busy += 1
                return
            if answer.code != INTERNAL_ERROR:
                self.refused.append(f"{ask.method}({ask.params}) was refused: {answer} {answer.data}")
                return
            self.failed += 1
            answer = Lost
        elif answer is Lost:
            self.lost += 1
        else:
            self.answered += 1
        if ask.noun == "membership":
            self._note_member(ask, answer, noted)
        else:
            self._note_thing(ask, answer, noted)

    def _note_thing(self, ask: Ask, answer: Any, noted: Noted) -> None:
        thing = self.things.setdefault(ask.about, Thing())
        if answer is Lost:
            thing.lost += 1
            noted.maybe[ask.method] += 1
            return
        thing.told += 1
        if ask.noun == "cohort":
            if answer not in thing.ids:
                thing.ids.add(answer)
                self.cohorts.setdefault(ask.key[0], []).append(answer)
            noted.maybe[ask.method] += 1  # the answer does not tell who made it
        elif answer:
            thing.made += 1
            noted.sure[ask.method] += 1

    def _note_member(self, ask: Ask, answer: Any, noted: Noted) -> None:
        user_id, program_id = ask.key
        member = self.members.setdefault((user_id, program_id), Member())
        change = member.next(ask.params)
        if change is None:
            return
        if answer is Lost:
            member.possible.append(change)
            noted.maybe[ask.method] += 1
        else:
            member.certain.append(change)
            noted.sure[ask.method] += 1

    def settle(self, things: set[tuple[str, ...]], members: dict[tuple[str, str], list[Change]]) -> None:
        """Take what was found in the database for what is so, where answers did not tell."""
        for about, thing in list(self.things.items()):
            if about not in things:
                del self.things[about]
            else:
                thing.made_unseen = thing.made_unseen or thing.made == 0
                thing.told, thing.lost = max(thing.told, 1), 0
        self.members = {key: Member(changes) for key, changes in members.items()}
