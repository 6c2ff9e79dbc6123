"""HTTP as bytes: whatever is sent, the answers that come back."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from multidict import CIMultiDict

from models.tokens import Scope
from tests.waiting import FAR

LOOKUP = {"jsonrpc": "2.0", "id": 1, "method": "core.ListActivePrograms"}
HOLD = {"jsonrpc": "2.0", "id": 1, "method": "test.Hold"}  # of the fixture `hold`


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
    def headers(self) -> CIMultiDict[str]:
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        pairs = (line.partition(":") for line in lines if line)
        return CIMultiDict((name, value.strip()) for name, _, value in pairs)

    @property
    def is_json(self) -> bool:
        return bool(self.body) and self.headers.get("content-type", "") == "application/json"

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.body)["error"]

    @property
    def word(self) -> str:
        return self.error["data"]["code"]


class Reader:
    """The answers on a connection, one after the other; several may have come in one piece."""

    def __init__(self, wire: socket.socket) -> None:
        self._wire = wire
        self._rest = b""

    @property
    def unread(self) -> bytes:
        """What came behind the answers that were read."""
        return self._rest

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


class Wire:
    """One connection, on which a test says every byte itself."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=FAR)
        self._reader = Reader(self.socket)

    def send(self, *pieces: bytes) -> Wire:
        self.socket.sendall(b"".join(pieces))
        return self

    def receive(self, method: str = "POST") -> Answer:
        answer = self._reader.next(is_head=method == "HEAD")
        if answer is None:
            raise Broken("the other side has closed")
        return answer

    def unread(self) -> bytes:
        """What has come until now and was not received as an answer."""
        come = self._reader.unread
        with contextlib.suppress(BlockingIOError):
            come += self.socket.recv(1 << 18, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        return come

    def is_closed(self) -> bool:
        """Wait for the other side to close; what it still sends is passed over."""
        with contextlib.suppress(ConnectionError):
            while self.socket.recv(65536):
                pass
        return True


def head(world: Any, length: int | None, path: str = "/rpc", **headers: str | None) -> bytes:
    """The head of a request; headers are given with _ for -, and left out by None."""
    usual: dict[str, str | None] = {
        "Host": "127.0.0.1",
        "Authorization": f"Bearer {world.secrets[Scope.ADMIN]}",
        "Content-Type": "application/json",
        "Content-Length": None if length is None else str(length),
    }
    usual.update({name.replace("_", "-"): value for name, value in headers.items()})
    lines = [
        f"POST {path} HTTP/1.1",
        *(f"{name}: {value}" for name, value in usual.items() if value is not None),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")
