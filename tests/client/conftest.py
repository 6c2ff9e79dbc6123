"""A server that answers from a script, for what a real one does only on a bad day."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.ports import free_port

Answer = Callable[[Any], tuple[int, dict[str, str], Any]]


class Scripted:
    """What was sent, and the URL to send it to. Each request takes the next answer; the last one stays."""

    def __init__(self, answers: list[Answer | None]) -> None:
        self.sent: list[Any] = []
        self.headers: list[dict[str, str]] = []
        self.connections = 0
        scripted = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                scripted.connections += 1
                super().setup()

            def do_POST(self) -> None:
                content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                scripted.sent.append(content)
                scripted.headers.append(dict(self.headers))
                answer = answers[min(len(scripted.sent), len(answers)) - 1]
                if answer is None:  # the line goes dead
                    self.close_connection = True
                    self.connection.close()
                    return
                status, headers, reply = answer(content)
                body = json.dumps(reply).encode()
                self.send_response(status)
                for name, value in {**headers, "Content-Length": str(len(body))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def finish(self) -> None:
                if not self.wfile.closed:
                    try:
                        super().finish()
                    except OSError:
                        return

        port = free_port()
        self.server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{port}/rpc"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def scripted() -> Iterator[Callable[..., Scripted]]:
    """Start a server that gives these answers, one a request; None cuts the line instead."""
    started: list[Scripted] = []

    def start(*answers: Answer | None) -> Scripted:
        started.append(Scripted(list(answers)))
        started[-1].server.daemon_threads = True
        return started[-1]

    yield start
    for server in started:
        server.stop()


def answered(result: Any) -> Answer:
    """The result for each call of the request."""

    def answer(content: Any) -> tuple[int, dict[str, str], Any]:
        calls = content if isinstance(content, list) else [content]
        replies = [{"jsonrpc": "2.0", "result": result, "id": call["id"]} for call in calls]
        return 200, {}, replies if isinstance(content, list) else replies[0]

    return answer


def refused(
    code: int, word: str, status: int = 200, headers: dict[str, str] | None = None, **facts: Any
) -> Answer:
    """An error for the request as a whole."""

    def answer(content: Any) -> tuple[int, dict[str, str], Any]:
        error = {"code": code, "message": word, "data": {"code": word, **facts}}
        call_id = None if isinstance(content, list) or status != 200 else content["id"]
        return status, headers or {}, {"jsonrpc": "2.0", "error": error, "id": call_id}

    return answer
