"""Calls that are gathered and sent together, and what came of each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from client import protocol
from client.errors import ClientError, NotSent
from client.functions import Function
from client.protocol import Call, Params, Writer
from client.surface import BatchFunctions

T = TypeVar("T")
_NOT_YET = NotSent("the batch was not sent")


class Pending(Generic[T]):
    """The result that a call in a batch will have, once the batch has been sent."""

    __slots__ = ("_outcome",)

    def __init__(self) -> None:
        self._outcome: Any = _NOT_YET

    def done(self) -> bool:
        """Whether the batch has been sent."""
        return self._outcome is not _NOT_YET

    def error(self) -> ClientError | None:
        """What went wrong with this call, if something did."""
        return self._outcome if isinstance(self._outcome, ClientError) else None

    def result(self) -> T:
        """The call's result; raises its own error."""
        return protocol.value(self._outcome)

    def __repr__(self) -> str:
        return f"Pending({self._outcome!r})"


class Gathered(BatchFunctions):
    """What both kinds of batch are: the functions, each giving a Pending."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._process = os.getpid()
        self._calls: list[Call] = []
        self._pending: list[Pending[Any]] = []

    def __len__(self) -> int:
        return len(self._calls)

    def call(self, method: str, /, *args: Any, key: str | None = None, **params: Any) -> Pending[Any]:
        """Add a call of any method, with parameters by position or by their wire names."""
        return self._add(method, args or params, key)

    def _take(self, function: Function, params: dict[str, Any]) -> Pending[Any]:
        return self._add(function.name, params)

    def _add(self, method: str, params: Params, key: str | None = None) -> Pending[Any]:
        pending: Pending[Any] = Pending()
        self._calls.append(self._writer.call(method, params, key))
        self._pending.append(pending)
        return pending

    def _pieces(self) -> Iterator[list[Call]]:
        protocol.must_be_of(self._process)
        return protocol.pieces(self._calls)

    def _settle(self, outcomes: Iterator[Any]) -> None:
        for pending, outcome in zip(self._pending, outcomes, strict=True):
            pending._outcome = outcome
        self._calls, self._pending = [], []


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one row of `map`: its number, the row, and a value or an error."""

    number: int
    row: Any
    value: Any
    error: ClientError | None

    def result(self) -> Any:
        """The value; raises the error."""
        if self.error is not None:
            raise self.error
        return self.value

    @classmethod
    def of(cls, number: int, row: Any, outcome: Any) -> Outcome:
        if isinstance(outcome, ClientError):
            return cls(number, row, None, outcome)
        return cls(number, row, outcome, None)


class Rows:
    """The rows of `map` as calls, cut into pieces; keeps each row until its outcome is there."""

    def __init__(self, writer: Writer, method: str, rows: Iterator[Any], key: str | None) -> None:
        self._writer = writer
        self._method = method
        self._rows = rows
        self._key = key
        self._kept: dict[int, tuple[int, Any]] = {}

    def calls(self) -> Iterator[Call]:
        function = protocol.FUNCTIONS.get(self._method)
        for number, row in enumerate(self._rows):
            params = protocol.row_params(function, row)
            key = None if self._key is None else f"{self._key}#{number}"
            call = self._writer.call(self._method, params, key)
            self._kept[id(call)] = number, row
            yield call

    def outcome(self, call: Call, outcome: Any) -> Outcome:
        return Outcome.of(*self._kept.pop(id(call)), outcome)


__all__ = ["Gathered", "Outcome", "Pending", "Rows"]
