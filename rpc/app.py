"""HTTP: from a request to bytes for the envelope, and back. The only module that knows aiohttp."""

from __future__ import annotations

import asyncio
import fcntl
import functools
import gc
import logging
import re
import resource
import signal
import socket
import struct
import sys
import termios
import time
import weakref
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, NoReturn

import uuid_utils
from aiohttp import HttpVersion11, StreamReader, hdrs, web
from aiohttp.web_protocol import RequestHandler, RequestPayloadError
from jsonrpcserver import JsonRpcError

import rpc.admin
import rpc.core  # noqa: F401  registers its methods
from models import clock, migrations
from models.database import configure, connected, database
from models.errors import Busy
from rpc import discover
from rpc.access import Access
from rpc.config import Config
from rpc.envelope import LONG_BODY, Envelope, Limits, Reply, render_error
from rpc.errors import BUSY, RETRY_AFTER_MS, rpc_error, to_rpc_error
from rpc.gate import Gate
from rpc.lanes import SHORT_ROUNDS, Lanes
from rpc.listener import stop_arrivals
from rpc.registry import METHODS, Caller, Context

log = logging.getLogger(__name__)

JSON = "application/json"
JSON_TYPES = {JSON, "application/json-rpc", "application/jsonrequest"}

LINGER_SECONDS = 1.0  # how long a refused caller may go on sending before the connection is cut
MOST_LINGERING = 64  # connections beyond the limit; more are cut at once

# Long requests are mostly batches: work for the loop or for the writer, which do one thing at a time,
# so many at once only end later, all of them.
LONG_AT_ONCE, LONG_WAITING = 3, 32
LONG_SECONDS = 1.0  # after which a long request is one that waits for readers, and keeps nobody out

# Who was told to come back later and comes at once waits: the more such callers, the longer.
HELD_SECONDS_EACH, HELD_SECONDS_LEAST, HELD_SECONDS_MOST = 0.001, 0.1, 5.0

LAST_SECONDS = 0.5  # in which what is on its way when a server stops listening arrives
LOOK_SECONDS = 0.01  # how often a stopping server looks whether all is answered
GIVING_UP_SECONDS = 0.5  # in which those whose calls are given up at last are told so
HALF_CLOSED_LOOK_SECONDS = 0.02

SWITCH_SECONDS = 0.0005  # how long a reader's or the writer's thread may keep the loop from running on
COLLECT_AFTER = 20_000  # new objects; a request may hold as many values, and few requests leave cycles
OTHER_FILES = 256  # open files beside the connections

_READS = ("GET", "HEAD")


class Refused(Exception):
    """A request that gets no RPC answer: an HTTP status and a word of the catalogue."""

    def __init__(self, status: int, word: str, **facts: Any) -> None:
        super().__init__(word)
        self.status = status
        self.error = rpc_error(word, **facts)


@dataclass(frozen=True)
class Route:
    """What answers a path: its HTTP methods, whether it needs a token, and the function."""

    methods: tuple[str, ...]
    public: bool
    answer: Callable[[web.BaseRequest, str, Caller | None], Awaitable[web.StreamResponse]]


class App:
    """The endpoint and what stands around it: one object a process."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.draining = False
        self.lanes = Lanes(config.readers)
        self.access = Access(self.lanes.fresh, config.rate_limit, config.rate_burst, config.free_guesses)
        self.gate = Gate(config.max_in_flight, config.max_waiting, config.wait_seconds)
        self.gate_of_long = Gate(LONG_AT_ONCE, LONG_WAITING, config.wait_seconds)
        self._held = 0
        limits = Limits(
            depth=config.max_depth,
            values=config.max_values,
            number=config.max_number,
            batch=config.max_batch,
            reply=config.max_reply,
        )
        self.envelope = Envelope(self.lanes, METHODS, limits)
        self.routes = {
            "/rpc": Route(("POST",), False, self._rpc),
            "/health": Route(_READS, True, self._health),
            "/ready": Route(_READS, True, self._ready),
            "/openrpc.json": Route(_READS, False, self._document),
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request; nothing that goes wrong leaves as an HTTP 500."""
        request_id = str(uuid_utils.uuid4())
        try:
            route = self._route(request)
            caller = None if route.public else self.access.caller(_authorization(request))
            if caller is None and not route.public:
                await self._refuse_caller(request)
            response = await route.answer(request, request_id, caller)
        except Refused as refused:
            response = self._refusal(request, request_id, refused.status, refused.error)
        except Exception as error:
            told = to_rpc_error(error, request_id)
            response = self._refusal(request, request_id, 503 if told.code == BUSY else 200, told)
        if isinstance(response, _Answer):
            return response
        response.headers["X-Request-Id"] = request_id
        response.headers["Server"] = "core-rpc"
        if self.draining:
            response.force_close()
        return response

    def _route(self, request: web.BaseRequest) -> Route:
        route = self.routes.get(request.path)
        if route is None:
            raise Refused(404, "NOT_THERE")
        if request.method not in route.methods:
            raise Refused(405, "METHOD_NOT_ALLOWED", allow=", ".join(route.methods))
        return route

    async def _refuse_caller(self, request: web.BaseRequest) -> NoReturn:
        if self.access.is_guessing(request.remote or "", time.monotonic()):
            await asyncio.sleep(self.config.guess_seconds)
        raise Refused(401, "UNAUTHORIZED")

    def _keeps_alive(self, request: web.BaseRequest) -> bool:
        return request.keep_alive and request.version == HttpVersion11 and not self.draining

    def _refusal(
        self, request: web.BaseRequest, request_id: str, status: int, error: JsonRpcError
    ) -> web.StreamResponse:
        if status in (429, 503) and self._keeps_alive(request):
            return _ComeBackLater(error, status, request_id, self._hold)
        response = web.Response(status=status, body=render_error(error), content_type=JSON)
        if status == 405:
            response.headers[hdrs.ALLOW] = error.data["allow"]
        if status == 401:
            response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        if "retryAfterMs" in error.data:
            response.headers[hdrs.RETRY_AFTER] = _retry_after(error)
        if status in (400, 408, 413):
            response.force_close()  # the rest of the body is not worth reading
        return response

    async def _hold(self) -> None:
        """Let a while pass before the next request of a refused caller is looked at, so that those who
        come back at once, however many, cost little: all together they get 1,000 refusals a second."""
        self._held += 1
        try:
            wanted = max(HELD_SECONDS_LEAST, self._held * HELD_SECONDS_EACH)
            await asyncio.sleep(min(wanted, HELD_SECONDS_MOST))
        finally:
            self._held -= 1

    async def _rpc(
        self, request: web.BaseRequest, request_id: str, caller: Caller | None
    ) -> web.StreamResponse:
        assert caller is not None
        body = await self._body(request)
        until = time.monotonic() + self.config.call_seconds
        endpoint, spend = functools.partial(_endpoint, request), self.access.spender(caller)
        context = Context(caller, request_id, until, endpoint, spend, _idempotency_key(request))
        if len(body) < LONG_BODY:
            reply = await self._carry_out(body, context)
        else:
            async with self.gate_of_long.place(LONG_SECONDS):
                reply = await self._carry_out(body, context)
        if reply.refused is not None and reply.refused.data["code"] == "RATE_LIMITED":
            return self._refusal(request, request_id, 429, reply.refused)
        if self._keeps_alive(request):
            return _Answer(reply.body, request_id)
        return web.Response(body=reply.body, content_type=JSON)

    async def _carry_out(self, body: bytes, context: Context) -> Reply:
        gate = self.gate
        if not gate.enter():
            await gate.stand_in_line()
        try:
            return await self.envelope.answer(body, context)
        finally:
            gate.leave()

    async def _body(self, request: web.BaseRequest) -> bytes:
        if hdrs.CONTENT_ENCODING in request.headers:
            raise Refused(415, "NOT_JSON")
        if hdrs.CONTENT_TYPE in request.headers and request.content_type not in JSON_TYPES:
            raise Refused(415, "NOT_JSON")
        limit = self.config.max_body
        length = request.content_length or 0
        if length > limit:
            raise Refused(413, "BODY_TOO_LARGE", limit=limit)
        if length >= LONG_BODY and self.gate_of_long.is_full:
            raise Busy
        if request.headers.get(hdrs.EXPECT, "").lower() == "100-continue":
            await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            request.writer.output_size = 0  # the reply proper has yet to begin
        try:
            if request.content.is_eof():  # all of it is here, as it mostly is
                body = request.content.read_nowait()
            else:
                async with asyncio.timeout(self.config.body_seconds):
                    body = await _whole(request.content, limit)
        except TimeoutError:
            raise Refused(408, "BODY_TOO_SLOW", limit=self.config.body_seconds) from None
        except (RequestPayloadError, ConnectionError):
            raise Refused(400, "BAD_HTTP") from None
        if len(body) > limit:
            raise Refused(413, "BODY_TOO_LARGE", limit=limit)
        return body

    async def _document(
        self, request: web.BaseRequest, request_id: str, caller: Caller | None
    ) -> web.Response:
        assert caller is not None
        body, tag = discover.document_bytes(caller.scope, _endpoint(request))
        headers = {hdrs.ETAG: f'"{tag}"', hdrs.CACHE_CONTROL: "private, no-cache"}
        if any(known.value in (tag, "*") for known in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=JSON, headers=headers)

    async def _health(self, request: web.BaseRequest, request_id: str, caller: Caller | None) -> web.Response:
        return web.Response(body=b'{"status":"ok"}', content_type=JSON)

    async def _ready(self, request: web.BaseRequest, request_id: str, caller: Caller | None) -> web.Response:
        if self.draining:
            raise Refused(503, "BUSY", retryAfterMs=RETRY_AFTER_MS)
        database.pragma("schema_version")  # reads the file; raises when that fails
        return web.Response(body=b'{"status":"ready"}', content_type=JSON)


async def _whole(content: StreamReader, limit: int) -> bytes:
    """All of a body, or a little more than the limit of it.

    Not aiohttp's `read`: it keeps the body with the request, which a connection keeps until the next.
    """
    body = bytearray()
    while len(body) <= limit and (piece := await content.readany()):
        body += piece
    return bytes(body)


def _authorization(request: web.BaseRequest) -> list[str]:
    return request.headers.getall(hdrs.AUTHORIZATION, [])


def _idempotency_key(request: web.BaseRequest) -> str | None:
    """The one Idempotency-Key header, which may be in quotes; of several, what no key can be."""
    found = request.headers.getall("Idempotency-Key", None)
    if not found:
        return None
    key = found[0].strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    return key if len(found) == 1 else ""


_HOST = re.compile(r"[\w.:\[\]-]{1,255}", re.ASCII)


def _endpoint(request: web.BaseRequest) -> str:
    """The endpoint's URL as the caller reaches it; what no host is called is not repeated."""
    host = request.host if _HOST.fullmatch(request.host) else "localhost"
    return f"{request.scheme}://{host}/rpc"


class _Answer(web.StreamResponse):
    """A JSON-RPC reply on a connection that stays open, written in one piece.

    aiohttp's own way through header objects takes as long as all the rest of a lookup.
    """

    def __init__(self, body: bytes, request_id: str, status: str = "200 OK") -> None:
        super().__init__()
        head = (
            f"HTTP/1.1 {status}\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n"
            f"X-Request-Id: {request_id}\r\nServer: core-rpc\r\nDate: {_http_date(int(time.time()))}\r\n\r\n"
        )
        self._content = head.encode() + body
        self._request: web.BaseRequest | None = None

    @property
    def keep_alive(self) -> bool:
        return True

    async def prepare(self, request: web.BaseRequest) -> None:
        self._request = request

    async def write_eof(self, data: bytes = b"") -> None:
        assert self._request is not None
        request, content = self._request, self._content
        self._request, self._content = None, b""  # the connection keeps this until the next request
        await request.writer.write(content)
        if request.protocol.writing_paused:
            await request.writer.drain()


class _ComeBackLater(_Answer):
    """A refusal after which the connection rests for a while; the reply itself goes out at once."""

    def __init__(
        self, error: JsonRpcError, status: int, request_id: str, hold: Callable[[], Awaitable[None]]
    ) -> None:
        line = f"{status} {HTTPStatus(status).phrase}\r\nRetry-After: {_retry_after(error)}"
        super().__init__(render_error(error), request_id, line)
        self._hold = hold

    async def write_eof(self, data: bytes = b"") -> None:
        await super().write_eof(data)
        await self._hold()


def _retry_after(error: JsonRpcError) -> str:
    """The whole seconds, at least as many as the error says."""
    return str(-(-error.data["retryAfterMs"] // 1000))


@functools.lru_cache(maxsize=2)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


class _Connection(RequestHandler):
    """aiohttp's connection, with our words for what is not HTTP, and cut when nobody takes the reply."""

    __slots__ = ("__weakref__", "_cut", "_reply_seconds", "_server", "latest")

    def __init__(self, server: Server, *, reply_seconds: float, **options: Any) -> None:
        super().__init__(server, **options)
        self._server = server
        self._reply_seconds = reply_seconds
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
        log.info("refused a malformed request: %s", type(exc).__name__)
        body = render_error(rpc_error("BAD_HTTP"))
        headers = {"Server": "core-rpc", "X-Request-Id": str(uuid_utils.uuid4())}
        response = web.Response(status=400, body=body, content_type=JSON, headers=headers)
        response.force_close()
        return response


def _cut(transport: asyncio.Transport) -> None:
    """Close, and have the kernel throw away what was not taken: it would go on offering it."""
    at_once = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
    transport.abort()


def _unread(transport: asyncio.BaseTransport) -> bool:
    """Whether the kernel has something that the loop has not yet read."""
    count = fcntl.ioctl(transport.get_extra_info("socket").fileno(), termios.FIONREAD, bytes(4))
    return any(count)


class _Full(asyncio.Protocol):
    """A connection beyond the limit: told so and closed, what it sends unread."""

    lingering = 0

    def connection_made(self, transport: Any) -> None:
        body = render_error(rpc_error("BUSY", retryAfterMs=RETRY_AFTER_MS))
        head = (
            "HTTP/1.1 503 Service Unavailable\r\nServer: core-rpc\r\nRetry-After: 1\r\n"
            f"X-Request-Id: {uuid_utils.uuid4()}\r\n"
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


class Server(web.Server):
    """The listening side: aiohttp's low-level server, with limits on connections.

    The low-level server and not a web.Application, whose router and middlewares would cost more
    than all of the routes below are worth.
    """

    def __init__(self, app: App) -> None:
        config = app.config
        super().__init__(
            app.handle,
            request_factory=self._request,
            access_log=None,
            auto_decompress=False,
            keepalive_timeout=config.header_seconds,
            lingering_time=LINGER_SECONDS,
            reply_seconds=config.reply_seconds,
        )
        files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        # With no file left, uvloop would stop listening for ever.
        self._most = config.max_connections if files < 0 else min(config.max_connections, _room(files))
        self._max_body = config.max_body
        self._arriving: weakref.WeakSet[_Connection] = weakref.WeakSet()
        self.open: dict[_Connection, asyncio.Transport] = {}
        self._unsent: dict[_Connection, int] = {}  # bytes, of those who have yet to take them; oldest first
        self._unsent_bytes, self._max_unsent = 0, config.max_unsent

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        request = web.BaseRequest(
            message, payload, protocol, writer, task, self._loop, client_max_size=self._max_body
        )
        protocol.latest = request
        return request

    def __call__(self) -> Any:
        if len(self.open) + len(self._arriving) >= self._most:
            return _Full()
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


class Running:
    """A started server; `stop` drains it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._app = App(config)
        self._server: Server
        self._listening: asyncio.Server
        self.port = config.port

    async def start(self) -> None:
        """Connect, listen, and answer. WrongVersion when the database is not this program's."""
        clock.set_to(self._config.clock)
        migrations.check_file(self._config.database)
        configure(self._config.database)
        with connected():
            migrations.check_version()
        self._app.lanes.open()
        self._server = Server(self._app)
        self._listening = await asyncio.get_running_loop().create_server(
            self._server, self._config.host, self._config.port, backlog=1024
        )
        self.port = self._listening.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop taking work, finish what runs, and close the database."""
        self._app.draining = True
        await asyncio.sleep(self._config.drain_seconds)
        last = min(LAST_SECONDS, self._config.drain_seconds)
        for listening in self._listening.sockets:
            stop_arrivals(listening.fileno())
        await asyncio.sleep(last)
        self._listening.close()
        await self._server.finish(last, self._app.lanes.give_up, self._config.stop_seconds)
        self._app.lanes.close()


async def serve(config: Config, started: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT; `started` is told the port once it answers."""
    _settle_process(config)
    running = Running(config)
    await running.start()
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    started(running.port)
    await end.wait()
    await running.stop()


def _room(files: int) -> int:
    """How many connections so many files allow."""
    return max(files - OTHER_FILES, files // 2)


def _settle_process(config: Config) -> None:
    """Fit the interpreter and its limits to a server whose loop must never wait long."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # modules live as long as the process: collections need not look at them
    gc.set_threshold(COLLECT_AFTER)
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = config.max_connections + OTHER_FILES
    if 0 <= files < wanted:  # negative: no limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most < 0 else min(wanted, most), most))
