"""Requests as a monitor sends them, and the lines of a log."""

from __future__ import annotations

import http.client
import io
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from models.tokens import Scope
from rpc.monitoring import logs
from tests.conftest import ServerThread, World
from tests.waiting import FAR

LOOKUP = {"jsonrpc": "2.0", "id": 1, "method": "core.ListActivePrograms"}
TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@pytest.fixture
def request_to(world: World) -> Callable[..., Answer]:
    """Send a request to a server, with a token that may read, unless the test says otherwise."""

    def request(server: ServerThread, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", server.running.port, timeout=FAR)
        sent = body if body is None or isinstance(body, bytes) else json.dumps(body)
        usual = {"Authorization": f"Bearer {world.secrets[Scope.READ]}"}
        usual |= {} if body is None else {"Content-Type": "application/json"}
        connection.request(method, path, sent, usual | headers)
        response = connection.getresponse()
        answer = Answer(response.status, response.headers, response.read())
        connection.close()
        return answer

    return request


@pytest.fixture
def call(request_to: Callable[..., Answer]) -> Callable[..., Answer]:
    """Post calls to a server's endpoint."""

    def call(server: ServerThread, body: Any = LOOKUP, **headers: str) -> Answer:
        return request_to(server, "POST", "/rpc", body, **headers)

    return call


class Lines(io.StringIO):
    """The error output of a server whose log was configured."""

    @property
    def all(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]

    def of(self, message: str) -> list[dict[str, Any]]:
        """The lines with a message."""
        return [line for line in self.all if line["message"] == message]


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[Lines]:
    """What is logged, in JSON lines, from debug on, as `core-rpc serve` would set it up."""
    kept = logging.getLogger()
    handlers, level = kept.handlers[:], kept.level
    written = Lines()
    monkeypatch.setattr("sys.stderr", written)
    logs.configure("debug", "json")
    yield written
    kept.handlers[:] = handlers
    kept.setLevel(level)
