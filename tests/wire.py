"""A connection on which a test says every byte itself."""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
from dataclasses import dataclass
from typing import Any

from models.tokens import Scope

LOOKUP = {"jsonrpc": "2.0", "id": 1, "method": "core.ListActivePrograms"}
HOLD = {"jsonrpc": "2.0", "id": 1, "method": "test.Hold"}  # of the fixture `hold`
FAR = 20.0  # seconds after which a test gives up


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def error(self) -> dict[str, Any]:
        return json.loads(self.body)["error"]

    @property
    def word(self) -> str:
        return self.error["data"]["code"]


class Wire:
    """One connection, on which a test says every byte itself."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=FAR)

    def send(self, *pieces: bytes) -> Wire:
        self.socket.sendall(b"".join(pieces))
        return self

    def receive(self, method: str = "POST") -> Answer:
        response = http.client.HTTPResponse(self.socket, method=method)
        response.begin()
        return Answer(response.status, response.headers, response.read())

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
