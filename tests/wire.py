"""HTTP as bytes: whatever is sent, the answers that come back."""

from __future__ import annotations

import socket
from dataclasses import dataclass
from functools import cached_property


class Broken(Exception):
    """What came back is not HTTP."""


@dataclass(frozen=True)
class Answer:
    """One answer, as it came."""

    head: bytes
    body: bytes

    @cached_property
    def status(self) -> int:
        return int(self.head.split(b" ", 2)[1])

    @cached_property
    def headers(self) -> dict[str, str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return {name.lower(): value.strip() for name, _, value in pairs}

    @property
    def is_json(self) -> bool:
        return bool(self.body) and self.headers.get("content-type", "") == "application/json"


class Reader:
    """The answers on a connection, one after the other; several may have come in one piece."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._rest = b""

    def next(self, *, is_head: bool = False) -> Answer | None:
        """The next answer; None when the other side has ended."""
        while b"\r\n\r\n" not in self._rest:
            if not self._more():
                if self._rest:
                    raise Broken(f"the answer ends within its head: {self._rest[:200]!r}")
                return None
        head, _, self._rest = self._rest.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1."):
            raise Broken(f"no answer: {head[:200]!r}")
        answer = Answer(head, b"")
        if answer.status == 100:
            return self.next(is_head=is_head)
        if is_head and answer.status == 400:
            # What was not read as a request had no method either, and may be told so with a body.
            while self._more():
                pass
            body, self._rest = self._rest, b""
            return Answer(head, body)
        has_body = not is_head and answer.status != 304
        length = int(answer.headers.get("content-length", "0")) if has_body else 0
        while len(self._rest) < length:
            if not self._more():
                raise Broken("the answer ends within its body")
        body, self._rest = self._rest[:length], self._rest[length:]
        return Answer(head, body)

    def rest(self, *, is_head: bool = False) -> list[Answer]:
        """All answers until the other side ends."""
        found = []
        while (answer := self.next(is_head=is_head)) is not None:
            found.append(answer)
        return found

    def _more(self) -> bool:
        try:
            piece = self._wire.recv(1 << 18)
        except ConnectionError:
            return False
        self._rest += piece
        return bool(piece)
