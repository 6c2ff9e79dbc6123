"""The connections of a server: how many, how long, and how they end. Knows nothing of JSON-RPC calls."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import fcntl
import os
import resource
import socket
import struct
import termios
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import uuid_utils
from aiohttp import HttpVersion10, HttpVersion11, web
from aiohttp.web_protocol import RequestHandler
from yarl import URL

from rpc.config import Config
from rpc.envelope import render_error
from rpc.errors import RETRY_AFTER_MS, rpc_error
from rpc.lanes import SHORT_ROUNDS
from rpc.monitoring.watch import Watch

JSON = "application/json"

LINGER_SECONDS = 1.0  # how long a refused caller may go on sending before the connection is cut
MOST_LINGERING = 64  # connections beyond the limit; more are cut at once

LOOK_SECONDS = 0.01  # how often a stopping server looks whether all is answered
GIVING_UP_SECONDS = 0.5  # in which those whose calls are given up at last are told so
HALF_CLOSED_LOOK_SECONDS = 0.02

UNSENT_IN_KERNEL = 32 * 1024  # bytes beyond what the caller's window takes

OTHER_FILES = 256  # open files beside the connections

_VERSIONS = (HttpVersion11, HttpVersion10)
_NOWHERE = URL("/")

_SO_ATTACH_FILTER = 26  # of Linux; Python has no name for it
_FLAGS, _SYN = 13, 0x02  # the byte of a TCP header, and the bit in it that asks for a new connection
_ALL = 0xFFFF

# For the kernel's packet filter: (operation, jump if so, jump if not, operand).
_NO_NEW_ONES = (
    (0x30, 0, 0, _FLAGS),  # load the byte
    (0x45, 0, 1, _SYN),  # is the bit set?
    (0x06, 0, 0, 0),  # then take nothing of the segment
    (0x06, 0, 0, _ALL),
)


class Server(web.Server):
    """The listening side: aiohttp's low-level server, with limits on connections.

    The low-level server and not a web.Application, whose router and middlewares would cost more
    than all of the routes below are worth.
    """

    def __init__(
        self,
        answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        config: Config,
        watch: Watch,
    ) -> None:
        super().__init__(
            answer,
            request_factory=self._request,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=config.header_seconds,
            lingering_time=LINGER_SECONDS,
            reply_seconds=config.reply_seconds,
            watch=watch,
        )
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        # With no file left, uvloop would stop listening for ever.
        self._most = config.max_connections if files < 0 else min(config.max_connections, _room(files))
        self._max_body, self._watch = config.max_body, watch
        self._arriving: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self.open: dict[_Connection, asyncio.Transport] = {}
        self._unsent: dict[_Connection, int] = {}  # bytes, of those who have yet to take them; oldest first
        self._unsent_bytes, self._max_unsent = 0, config.max_unsent

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        kind = web.BaseRequest
        # The path of a CONNECT that names nothing is None, and so is its URL.
        if message.version not in _VERSIONS or message.path is None:
            kind, message = Malformed, message._replace(version=HttpVersion11, path="/", url=_NOWHERE)
        request = kind(message, payload, protocol, writer, task, self._loop, client_max_size=self._max_body)
        protocol.latest = request
        return request

    def __call__(self) -> Any:
        if len(self.open) + len(self._arriving) >= self._most:
            return _Full(self._watch)
        connection = _Connection(self, loop=self._loop, **self._kwargs)
        self._arriving.add(connection)
        return connection

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        self._arriving.discard(handler)
        self.open[handler] = transport

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        self.open.pop(handler, None)
        super().connection_lost(handler, exc)

    def note_unsent(self, connection: _Connection, size: int) -> None:
        """Know how much a connection has yet to take, and cut who has been slowest when it is too much."""
        self._unsent_bytes += size - self._unsent.pop(connection, 0)
        if size:
            self._unsent[connection] = size
        while self._unsent_bytes > self._max_unsent and len(self._unsent) > 1:
            slowest = next(iter(self._unsent))
            self._unsent_bytes -= self._unsent.pop(slowest)
            _cut(self.open[slowest])

    async def finish(self, last_seconds: float, give_up: Callable[[], None], seconds: float) -> None:
        """Answer what has come in, and what comes in the last seconds, and close all connections.

        After so many seconds in all, what can be given up is, and the rest is cut off.
        """
        began = self._loop.time()
        has_given_up = False
        while self.open and (passed := self._loop.time() - began) < seconds + GIVING_UP_SECONDS:
            if passed >= last_seconds:
                for connection in [one for one in self.open if one.is_idle]:
                    connection.force_close()
            if passed >= seconds and not has_given_up:
                has_given_up = True
                give_up()
            await asyncio.sleep(LOOK_SECONDS)
        for transport in self.open.values():
            _cut(transport)
        await self.shutdown(LOOK_SECONDS)


class Malformed(web.BaseRequest):
    """A request that aiohttp lets through and is none: without a target, or of another version than
    HTTP/1.0 and 1.1, in which it would answer."""


def has_followers(request: web.BaseRequest) -> bool:
    """Whether other requests have come in behind this one, on its connection."""
    return bool(request.protocol._messages)


class _Connection(RequestHandler):
    """aiohttp's connection, with our words for what is not HTTP, and cut when nobody takes the reply."""

    __slots__ = ("__weakref__", "_cut", "_reply_seconds", "_server", "_watch", "latest")

    def __init__(self, server: Server, *, reply_seconds: float, watch: Watch, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._reply_seconds, self._watch = reply_seconds, watch
        self._cut: asyncio.TimerHandle | None = None
        self.latest: web.BaseRequest | None = None  # that has come in whole, or at least its header

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # a reply counts as taken when nothing of it is left here

    def pause_writing(self) -> None:
        super().pause_writing()
        transport = self._server.open.get(self)
        if transport is not None:
            self._cut = asyncio.get_running_loop().call_later(self._reply_seconds, _cut, transport)
            self._server.note_unsent(self, transport.get_write_buffer_size())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting()

    def eof_received(self) -> bool:  # type: ignore[override]
        """The caller sends no more, and may still wait for replies."""
        self._end_when_idle()
        return True

    def connection_lost(self, exc: BaseException | None) -> None:
        self._stop_waiting()
        self.latest = None
        super().connection_lost(exc)

    def _stop_waiting(self) -> None:
        if self._cut is not None:
            self._cut.cancel()
            self._cut = None
            self._server.note_unsent(self, 0)

    @property
    def is_answering(self) -> bool:
        """Whether a request has come in, its header at least, and its reply is not written or not taken."""
        return self.latest is not None and (not self.latest.writer.output_size or self.writing_paused)

    @property
    def is_idle(self) -> bool:
        """Whether nothing that has come in, be it unread, waits for an answer."""
        transport = self._server.open.get(self)
        return not self.is_answering and transport is not None and not _unread(transport)

    def _end_when_idle(self, rounds: int = SHORT_ROUNDS) -> None:
        """Close when all that has come in is answered; what has only just come is seen a round later."""
        if self.transport is None:
            return
        loop, latest = asyncio.get_running_loop(), self.latest
        if latest is not None and not latest.content.is_eof():
            self.transport.close()  # the rest of the body will never come
        elif self.is_answering:
            loop.call_later(HALF_CLOSED_LOOK_SECONDS, self._end_when_idle)
        elif rounds:
            loop.call_soon(self._end_when_idle, rounds - 1)
        else:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        # Of what was sent the log says nothing: a token may be in it.
        request_id, kind = str(uuid_utils.uuid4()), type(exc).__name__
        facts = {"requestId": request_id, "address": request.remote, "error": kind}
        self._watch.refused(400, "BAD_HTTP", lambda: facts)
        body = render_error(rpc_error("BAD_HTTP"))
        headers = {"Server": "core-rpc", "X-Request-Id": request_id}
        response = web.Response(status=400, body=body, content_type=JSON, headers=headers)
        response.force_close()
        return response


class _Full(asyncio.Protocol):
    """A connection beyond the limit: told so and closed, what it sends unread."""

    lingering = 0

    def __init__(self, watch: Watch) -> None:
        self._watch = watch

    def connection_made(self, transport: Any) -> None:
        request_id = str(uuid_utils.uuid4())
        address = (transport.get_extra_info("peername") or [""])[0]
        self._watch.refused(503, "BUSY", lambda: {"requestId": request_id, "address": address})
        body = render_error(rpc_error("BUSY", retryAfterMs=RETRY_AFTER_MS))
        head = (
            "HTTP/1.1 503 Service Unavailable\r\nServer: core-rpc\r\nRetry-After: 1\r\n"
            f"X-Request-Id: {request_id}\r\n"
            f"Content-Type: {JSON}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        transport.write(head.encode() + body)
        transport.write_eof()
        # Closed at once with something unread, the kernel would take the reply back.
        seconds = LINGER_SECONDS if _Full.lingering < MOST_LINGERING else 0.0
        _Full.lingering += 1
        asyncio.get_running_loop().call_later(seconds, transport.abort)

    def connection_lost(self, exc: BaseException | None) -> None:
        _Full.lingering -= 1


def _cut(transport: asyncio.Transport) -> None:
    """Close, and have the kernel throw away what was not taken: it would go on offering it."""
    at_once = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.abort()


def _unread(transport: asyncio.BaseTransport) -> bool:
    """Whether the kernel has something that the loop has not yet read."""
    count = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.FIONREAD, bytes(4))
    return any(count)


def _room(files: int) -> int:
    """How many connections so many files allow."""
    return max(files - OTHER_FILES, files // 2)


def limit_unsent(listening: int, seconds: float) -> None:
    """Have the kernel take little for callers who take nothing, and cut them after so many seconds.

    A reply that fits into the kernel's buffer is written, for us: the next of hundreds of pipelined
    requests would be carried out, and once the connection is closed the kernel would go on offering
    it for a quarter of an hour. Where the kernel has no such limits this does nothing.
    """
    with socket.socket(fileno=os.dup(listening)) as same:  # those that it accepts inherit it
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            same.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_IN_KERNEL)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            same.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, max(1, int(seconds * 1000)))


def stop_arrivals(listening: int) -> None:
    """Have the kernel begin no new connection to a listening socket, given by its file descriptor.

    Those that it has begun can still be accepted. A socket that is closed while the kernel goes on
    making connections takes those with it that were made and not accepted: their callers, who had
    every reason to send a request, would see it fail. Who comes later gets no answer, asks again
    after a second, and is then told that nobody listens. Where the kernel has no such filter this does
    nothing, and a caller who comes at the last moment may meet what is described here.
    """
    code = b"".join(struct.pack("HBBI", *operation) for operation in _NO_NEW_ONES)
    kept = ctypes.create_string_buffer(code)
    program = struct.pack("HP", len(_NO_NEW_ONES), ctypes.addressof(kept))
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(listening)) as same:
        same.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)
