"""What can go wrong in the models. `rpc/errors.py` alone knows what each is called on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class ModelError(Exception):
    """A rule was broken; nothing of the call is kept.

    `word` is the stable name for programs, the message is for people, `facts` go to the caller
    beside the word.
    """

    def __init__(self, word: str, message: str, **facts: Any) -> None:
        super().__init__(message)
        self.word = word
        self.message = message
        self.facts = facts


class NotFound(ModelError):
    """An id, handle or email that was given names nothing."""

    def __init__(self, noun: str, key: object) -> None:
        word = noun.upper().replace(" ", "_") + "_NOT_FOUND"
        super().__init__(word, f"There is no {noun} {key}")


class Conflict(ModelError):
    """What was asked for contradicts what is there."""


class Invalid(ModelError):
    """Parameters that are wrong for a reason only the models can see, by name."""

    def __init__(self, fields: dict[str, Iterable[str]]) -> None:
        named = {name: list(texts) for name, texts in fields.items()}
        super().__init__("INVALID_PARAMS", "Invalid params", fields=named)


class TooManyChanges(ModelError):
    """More would change than the caller allowed."""

    def __init__(self, **counts: int) -> None:
        super().__init__("TOO_MANY_CHANGES", "Too many changes", **counts)


def spot(text: str, place: int) -> tuple[int, int]:
    """The line and the column, both counted from 1, of a place that counts characters from 0."""
    return text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)


class QueryError(ModelError):
    """A query that cannot be read, or asks for what cannot be known: where, and what was expected there.

    Line and column count from 1, in characters; `place` counts those of the whole text from 0.
    """

    def __init__(self, text: str, place: int, problem: str, expected: Iterable[str] = ()) -> None:
        self.line, self.column = spot(text, place)
        self.place = place
        self.expected = sorted(expected)
        super().__init__("INVALID_PARAMS", f"Line {self.line}, column {self.column}: {problem}")


class Busy(Exception):
    """The database could not take the write now; nothing of it was kept and it may be repeated."""


class Displaced(Busy):
    """The path of the database does not name the files that are open; `word` says which one is missing."""

    def __init__(self, word: str, path: object) -> None:
        super().__init__(f"{word}: {path} is not what was opened; put it back, or start again")
        self.word = word
