"""HTTP: from a request to bytes for the envelope, and back. It and `connections` alone know aiohttp."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import math
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, NoReturn

import uuid_utils
from aiohttp import HttpVersion11, StreamReader, hdrs, web
from aiohttp.web_protocol import RequestPayloadError
from jsonrpcserver import JsonRpcError
from multidict import istr

import rpc.admin
import rpc.core  # noqa: F401  registers its methods
from models import clock, migrations
from models.database import configure, connected, sizes
from models.errors import Busy
from rpc import discover, exposure
from rpc.access import Access
from rpc.config import Config
from rpc.connections import JSON, OTHER_FILES, Malformed, Server, has_followers, limit_unsent, stop_arrivals
from rpc.envelope import LONG_BODY, Envelope, Limits, Reply, render_error
from rpc.errors import BUSY, RETRY_AFTER_MS, rpc_error, to_rpc_error
from rpc.gate import Gate
from rpc.lanes import Lanes
from rpc.monitoring import logs, spans
from rpc.monitoring.logs import CallLines, LogCalls
from rpc.monitoring.metrics import State
from rpc.monitoring.ready import Readiness
from rpc.monitoring.watch import Watch
from rpc.registry import METHODS, Caller, Context
from rpc.trace import Trace, read_trace

log = logging.getLogger(__name__)

JSON_TYPES = {JSON, "application/json-rpc", "application/jsonrequest"}

IDEMPOTENCY_KEY, TRACEPARENT, TRACESTATE = map(istr, ("Idempotency-Key", "traceparent", "tracestate"))

# Long requests are mostly batches: work for the loop or for the writer, which do one thing at a time,
# so many at once only end later, all of them.
LONG_AT_ONCE, LONG_WAITING = 3, 32
LONG_SECONDS = 1.0  # after which a long request is one that waits for readers, and keeps nobody out

# Who was told to come back later and comes at once waits: the more such callers, the longer.
HELD_SECONDS_EACH, HELD_SECONDS_LEAST, HELD_SECONDS_MOST = 0.0008, 0.1, 5.0
HELD_SECONDS_STEP = 0.02

LAST_SECONDS = 0.5  # in which what is on its way when a server stops listening arrives

SWITCH_SECONDS = 0.0005  # how long a reader's or the writer's thread may keep the loop from running on
# New objects after which cycles are looked for: a request may hold as many, and few requests leave cycles.
# Then, how often among the new ones before the newer ones (with 10,000 connections a pause of 40 ms
# where Python's ten makes it 110 ms), and how often among those before all.
COLLECT_AFTER = (20_000, 2, 50)

_READS = ("GET", "HEAD")
VERSION = version("core-rpc")


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
        self.lanes = Lanes(config.readers, config.audit_days)
        self.access = Access(self.lanes.fresh, config.rate_limit, config.rate_burst, config.free_guesses)
        self.requests = 0  # that are carried out, or wait for the writer, a reader or their turn
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
        self.watch = Watch(METHODS, _call_lines(config), config.log_refusals)
        self.readiness = Readiness(self.lanes.writer)
        self.connections: Callable[[], int] = lambda: 0
        self.schema = ""  # the database's version, once it is known
        self.routes = {
            "/rpc": Route(("POST",), False, self._rpc),
            "/health": Route(_READS, True, self._health),
            "/ready": Route(_READS, True, self._ready),
            "/openrpc.json": Route(_READS, False, self._document),
            "/metrics": Route(_READS, False, self._metrics),
        }

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer any request; nothing that goes wrong leaves as an HTTP 500."""
        request_id = str(uuid_utils.uuid4())
        caller: Caller | None = None
        if has_followers(request):
            # Who sends hundreds at once takes turns with all who do, as who sends a batch does.
            await self.lanes.turns().wait()
        try:
            route = self._route(request)
            caller = None if route.public else self.access.caller(_authorization(request))
            if caller is None and not route.public:
                await self._refuse_caller(request)
            response = await route.answer(request, request_id, caller)
        except Refused as refused:
            response = self._refusal(request, request_id, caller, refused.status, refused.error)
        except Exception as error:
            told = to_rpc_error(error, request_id, functools.partial(_about, request, request_id, caller))
            status = 503 if told.code == BUSY else 200
            response = self._refusal(request, request_id, caller, status, told)
        if isinstance(response, _Answer):
            return response
        response.headers["X-Request-Id"] = request_id
        response.headers["Server"] = "core-rpc"
        if self.draining:
            response.force_close()
        return response

    def _route(self, request: web.BaseRequest) -> Route:
        if isinstance(request, Malformed):
            raise Refused(400, "BAD_HTTP")
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
        self,
        request: web.BaseRequest,
        request_id: str,
        caller: Caller | None,
        status: int,
        error: JsonRpcError,
    ) -> web.StreamResponse:
        facts = functools.partial(_about, request, request_id, caller, **_wrong(error))
        self.watch.refused(status, error.data["code"], facts)
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
        come back at once, however many, cost little: all together they get 1,250 refusals a second."""
        self._held += 1
        try:
            wanted = min(max(HELD_SECONDS_LEAST, self._held * HELD_SECONDS_EACH), HELD_SECONDS_MOST)
            now = time.monotonic()
            # Several at the same moment: each alone takes a round of the loop, and the GIL from the writer.
            await asyncio.sleep(math.ceil((now + wanted) / HELD_SECONDS_STEP) * HELD_SECONDS_STEP - now)
        finally:
            self._held -= 1

    async def _rpc(
        self, request: web.BaseRequest, request_id: str, caller: Caller | None
    ) -> web.StreamResponse:
        assert caller is not None
        body = await self._body(request)
        # Who waits does so in the lanes, which know for what. A line in front of them, before a request
        # that takes a turn of the loop, took a third of all calls at ten times the load.
        if self.requests >= self.config.max_in_flight + self.config.max_waiting:
            busy = rpc_error("BUSY", retryAfterMs=RETRY_AFTER_MS)
            return self._refusal(request, request_id, caller, 503, busy)
        began = time.monotonic()
        until = began + self.config.call_seconds
        endpoint, spend = functools.partial(_endpoint, request), self.access.spender(caller)
        headers = request.headers
        trace = _trace(request) if TRACEPARENT in headers else None
        key = _idempotency_key(request) if IDEMPOTENCY_KEY in headers else None
        context = Context(caller, request_id, until, endpoint, spend, key, began, trace)
        if len(body) < LONG_BODY:
            reply = await self._carry_out(body, context)
        else:
            async with self.gate_of_long.place(LONG_SECONDS):
                reply = await self._carry_out(body, context)
        self.watch.answered(reply, context)
        if reply.refused is not None and reply.refused.data["code"] == "RATE_LIMITED":
            return self._refusal(request, request_id, caller, 429, reply.refused)
        if self._keeps_alive(request):
            return _Answer(reply.body, request_id)
        return web.Response(body=reply.body, content_type=JSON)

    async def _carry_out(self, body: bytes, context: Context) -> Reply:
        self.requests += 1
        try:
            return await self.envelope.answer(body, context)
        finally:
            self.requests -= 1

    async def _body(self, request: web.BaseRequest) -> bytes:
        headers = request.headers
        if hdrs.CONTENT_ENCODING in headers:
            raise Refused(415, "NOT_JSON")
        if hdrs.TRANSFER_ENCODING in headers and not _is_plain(request):
            raise Refused(415, "NOT_JSON")
        if hdrs.CONTENT_TYPE in headers and request.content_type not in JSON_TYPES:
            raise Refused(415, "NOT_JSON")
        limit = self.config.max_body
        length = request.content_length or 0
        if length > limit:
            raise Refused(413, "BODY_TOO_LARGE", limit=limit)
        if length >= LONG_BODY and self.gate_of_long.is_full:
            raise Busy
        try:
            if hdrs.EXPECT in headers and headers[hdrs.EXPECT].lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                request.writer.output_size = 0  # the reply proper has yet to begin
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
        if wrong := await self.readiness.wrong(self.draining):
            raise Refused(503, "BUSY", retryAfterMs=RETRY_AFTER_MS, wrong=wrong)
        return web.Response(body=b'{"status":"ready"}', content_type=JSON)

    async def _metrics(
        self, request: web.BaseRequest, request_id: str, caller: Caller | None
    ) -> web.Response:
        accept = request.headers.get(hdrs.ACCEPT, "")
        state = self._state(ready=not await self.readiness.wrong(self.draining))
        # In a thread, because it takes some 10 ms.
        told = await asyncio.to_thread(self.watch.metrics.exposition, accept, state)
        return web.Response(body=told.body, headers={hdrs.CONTENT_TYPE: told.content_type})

    def _state(self, ready: bool) -> State:
        writer, reading, config = self.lanes.writer, self.lanes.reading, self.config
        since = writer.seen.busy_since
        database_bytes, wal_bytes = sizes()
        return State(
            version=VERSION,
            schema=self.schema,
            ready=ready,
            in_flight=min(self.requests, self.config.max_in_flight),
            waiting=max(0, self.requests - self.config.max_in_flight) + self.gate_of_long.waiting,
            connections=self.connections(),
            readers_busy=min(reading, config.readers),
            readers_waiting=max(0, reading - config.readers),
            writer_waiting=writer.waiting,
            writer_busy_seconds=0.0 if since is None else time.monotonic() - since,
            writer=writer.seen,
            database_bytes=database_bytes,
            wal_bytes=wal_bytes,
            limits={
                "in_flight": config.max_in_flight,
                "waiting": config.max_waiting,
                "connections": config.max_connections,
                "readers": config.readers,
            },
        )


def _call_lines(config: Config) -> CallLines | None:
    if config.log_calls == "off":
        return None
    return CallLines(LogCalls(config.log_calls), config.log_slow_ms, config.log_share)


def _trace(request: web.BaseRequest) -> Trace | None:
    headers = request.headers
    return read_trace(headers.getall(TRACEPARENT, ()), headers.getall(TRACESTATE, ()))


def _about(request: web.BaseRequest, request_id: str, caller: Caller | None, **more: Any) -> dict[str, Any]:
    """What the log says of a request that was refused; most of it is whatever somebody sent."""
    found = _trace(request)
    return {
        "requestId": request_id,
        "tokenId": None if caller is None else str(caller.token_id),
        "address": request.remote,
        "method": logs.cut(request.method),
        "path": logs.cut(request.path),
        **more,
        **({} if found is None else found.about()),
    }


def _wrong(error: JsonRpcError) -> dict[str, Any]:
    return {"wrong": error.data["wrong"]} if "wrong" in error.data else {}


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


def _idempotency_key(request: web.BaseRequest) -> str:
    """The one Idempotency-Key header, which may be in quotes; of several, what no key can be."""
    found = request.headers.getall(IDEMPOTENCY_KEY)
    key = found[0].strip()
    if len(key) > 1 and key[0] == key[-1] == '"':
        key = key[1:-1]
    return key if len(found) == 1 else ""


def _is_plain(request: web.BaseRequest) -> bool:
    """Whether nothing is to be undone to the body: aiohttp would hand on `gzip, chunked` still zipped."""
    return request.headers[hdrs.TRANSFER_ENCODING].strip().lower() == "chunked"


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


class Running:
    """A started server; `stop` drains it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._app = App(config)
        self._server: Server
        self._listening: asyncio.Server
        self.port = config.port

    async def start(self) -> None:
        """Connect, listen, and answer.

        WrongVersion when the database is not this program's, Exposed when it lies open.
        """
        clock.set_to(self._config.clock)
        migrations.check_file(self._config.database)
        configure(self._config.database)
        with connected():
            self._app.schema = migrations.check_version()
            exposure.check(self._config.host, self._config.database)
        self._app.lanes.open()
        self._app.watch.spans = spans.from_environment(os.environ, VERSION)
        self._server = Server(self._app.handle, self._config, self._app.watch)
        self._app.connections = lambda: len(self._server.open)
        self._listening = await asyncio.get_running_loop().create_server(
            self._server, self._config.host, self._config.port, backlog=1024
        )
        for listening in self._listening.sockets:
            limit_unsent(listening.fileno(), self._config.reply_seconds)
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
        if self._app.watch.spans is not None:
            self._app.watch.spans.close()


async def serve(config: Config, started: Callable[[int], None]) -> None:
    """Serve until SIGTERM or SIGINT; `started` is told the port once it answers."""
    _settle_process(config)
    logs.configure(config.log_level, config.log_format)
    running = Running(config)
    await running.start()
    log.info("serving", extra={"facts": {"version": VERSION, "host": config.host, "port": running.port}})
    end = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.set)
    started(running.port)
    await end.wait()
    log.info("stopping")
    await running.stop()
    log.info("stopped")


def _settle_process(config: Config) -> None:
    """Fit the interpreter and its limits to a server whose loop must never wait long."""
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.collect()
    gc.freeze()  # modules live as long as the process: collections need not look at them
    gc.set_threshold(*COLLECT_AFTER)
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = config.max_connections + OTHER_FILES
    if 0 <= files < wanted:  # negative: no limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most < 0 else min(wanted, most), most))
