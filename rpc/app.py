"""HTTP: from a request to bytes for the envelope, and back. The only module that knows aiohttp."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import os
import re
import resource
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import formatdate
from importlib.metadata import version
from typing import Any, NoReturn

import uuid_utils
from aiohttp import HttpVersion10, HttpVersion11, hdrs, web
from aiohttp.web_protocol import RequestHandler, RequestPayloadError
from jsonrpcserver import JsonRpcError
from multidict import istr

import rpc.admin
import rpc.core  # noqa: F401  registers its methods
from models import clock, migrations
from models.database import configure, connected, sizes
from rpc import discover, exposure
from rpc.access import Access
from rpc.config import Config
from rpc.envelope import Envelope, Limits, render_error
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

JSON = "application/json"
JSON_TYPES = {JSON, "application/json-rpc", "application/jsonrequest"}

IDEMPOTENCY_KEY, TRACEPARENT, TRACESTATE = map(istr, ("Idempotency-Key", "traceparent", "tracestate"))

LINGER_SECONDS = 1.0  # how long a refused caller may go on sending before the connection is cut

SWITCH_SECONDS = 0.0005  # how long a reader's or the writer's thread may keep the loop from running on
COLLECT_AFTER = 20_000  # new objects; a request may hold as many values, and few requests leave cycles
OTHER_FILES = 256  # open files beside the connections

_READS = ("GET", "HEAD")
_VERSIONS = (HttpVersion11, HttpVersion10)
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
        self.gate = Gate(config.max_in_flight, config.max_waiting, config.call_seconds)
        limits = Limits(
            depth=config.max_depth,
            values=config.max_values,
            number=config.max_number,
            batch=config.max_batch,
            reply=config.max_reply,
        )
        self.envelope = Envelope(self.lanes, METHODS, limits)
        self.watch = Watch(METHODS, _call_lines(config), config.log_refusals)
        self.readiness = Readiness(config.database, self.lanes.writer)
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
        if isinstance(request, _OfAnotherVersion):
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

    def _refusal(
        self,
        request: web.BaseRequest,
        request_id: str,
        caller: Caller | None,
        status: int,
        error: JsonRpcError,
    ) -> web.Response:
        facts = functools.partial(_about, request, request_id, caller, **_wrong(error))
        self.watch.refused(status, error.data["code"], facts)
        response = web.Response(status=status, body=render_error(error), content_type=JSON)
        if status == 405:
            response.headers[hdrs.ALLOW] = error.data["allow"]
        if status == 401:
            response.headers[hdrs.WWW_AUTHENTICATE] = "Bearer"
        if "retryAfterMs" in error.data:
            response.headers[hdrs.RETRY_AFTER] = str(-(-error.data["retryAfterMs"] // 1000))
        if status in (400, 408, 413):
            response.force_close()  # the rest of the body is not worth reading
        return response

    async def _rpc(
        self, request: web.BaseRequest, request_id: str, caller: Caller | None
    ) -> web.StreamResponse:
        assert caller is not None
        body = await self._body(request)
        began = time.monotonic()
        until = began + self.config.call_seconds
        endpoint, spend = functools.partial(_endpoint, request), self.access.spender(caller)
        headers, gate = request.headers, self.gate
        trace = _trace(request) if TRACEPARENT in headers else None
        key = _idempotency_key(request) if IDEMPOTENCY_KEY in headers else None
        context = Context(caller, request_id, until, endpoint, spend, key, began, trace)
        if not gate.enter():
            await gate.stand_in_line()
        try:
            reply = await self.envelope.answer(body, context)
        finally:
            gate.leave()
        self.watch.answered(reply, context)
        if reply.refused is not None and reply.refused.data["code"] == "RATE_LIMITED":
            return self._refusal(request, request_id, caller, 429, reply.refused)
        if request.keep_alive and request.version == HttpVersion11 and not self.draining:
            return _Answer(reply.body, request_id)
        return web.Response(body=reply.body, content_type=JSON)

    async def _body(self, request: web.BaseRequest) -> bytes:
        headers = request.headers
        if hdrs.CONTENT_ENCODING in headers:
            raise Refused(415, "NOT_JSON")
        if hdrs.TRANSFER_ENCODING in headers and not _is_plain(request):
            raise Refused(415, "NOT_JSON")
        if hdrs.CONTENT_TYPE in headers and request.content_type not in JSON_TYPES:
            raise Refused(415, "NOT_JSON")
        limit = self.config.max_body
        if (request.content_length or 0) > limit:
            raise Refused(413, "BODY_TOO_LARGE", limit=limit)
        try:
            if hdrs.EXPECT in headers and headers[hdrs.EXPECT].lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                request.writer.output_size = 0  # the reply proper has yet to begin
            if request.content.is_eof():  # all of it is here, as it mostly is
                body = request.content.read_nowait()
            else:
                async with asyncio.timeout(self.config.body_seconds):
                    body = await request.read()
        except TimeoutError:
            raise Refused(408, "BODY_TOO_SLOW", limit=self.config.body_seconds) from None
        except (RequestPayloadError, ConnectionError):
            raise Refused(400, "BAD_HTTP") from None
        except web.HTTPRequestEntityTooLarge:
            raise Refused(413, "BODY_TOO_LARGE", limit=limit) from None
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
            in_flight=self.gate.in_flight,
            waiting=self.gate.waiting,
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

    def __init__(self, body: bytes, request_id: str) -> None:
        super().__init__()
        head = (
            f"HTTP/1.1 200 OK\r\nContent-Type: {JSON}\r\nContent-Length: {len(body)}\r\n"
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
        await self._request.writer.write(self._content)


@functools.lru_cache(maxsize=2)
def _http_date(second: int) -> str:
    return formatdate(second, usegmt=True)


class _OfAnotherVersion(web.BaseRequest):
    """A request of another version than HTTP/1.0 and 1.1, which aiohttp would take and answer in."""


class _Connection(RequestHandler):
    """aiohttp's connection, with our words for what is not HTTP, and cut when nobody takes the reply."""

    def __init__(self, *args: Any, reply_seconds: float, watch: Watch, **options: Any) -> None:
        super().__init__(*args, **options)
        self._reply_seconds, self._watch = reply_seconds, watch
        self._cut: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(0)  # a reply counts as taken when nothing of it is left here

    def pause_writing(self) -> None:
        super().pause_writing()
        if self.transport is not None:
            cut = self.transport.abort
            self._cut = asyncio.get_running_loop().call_later(self._reply_seconds, cut)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._cut is not None:
            self._cut.cancel()

    def connection_lost(self, exc: BaseException | None) -> None:
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)

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
        asyncio.get_running_loop().call_later(LINGER_SECONDS, transport.abort)


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
            watch=app.watch,
        )
        self._watch = app.watch
        app.connections = lambda: len(self._connections)
        self._most, self._max_body = config.max_connections, config.max_body

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        kind = web.BaseRequest
        if message.version not in _VERSIONS:
            kind, message = _OfAnotherVersion, message._replace(version=HttpVersion11)
        return kind(message, payload, protocol, writer, task, self._loop, client_max_size=self._max_body)

    def __call__(self) -> Any:
        if len(self._connections) >= self._most:
            return _Full(self._watch)
        return _Connection(self, loop=self._loop, **self._kwargs)


class Running:
    """A started server; `stop` drains it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._app = App(config)
        self._runner: web.ServerRunner | None = None
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
        self._app.readiness.begin()
        self._app.watch.spans = spans.from_environment(os.environ, VERSION)
        # aiohttp waits twice so long for what still runs: before and after it takes away the rest of a body.
        self._runner = web.ServerRunner(Server(self._app), shutdown_timeout=self._config.stop_seconds / 2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._config.host, self._config.port, backlog=1024)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Stop taking work, finish what runs, and close the database."""
        self._app.draining = True
        await asyncio.sleep(self._config.drain_seconds)
        assert self._runner is not None
        await self._runner.cleanup()
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
    gc.set_threshold(COLLECT_AFTER)
    files, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = config.max_connections + OTHER_FILES
    if 0 <= files < wanted:  # negative: no limit
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted if most < 0 else min(wanted, most), most))
