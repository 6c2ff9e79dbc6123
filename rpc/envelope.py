"""JSON-RPC 2.0: bytes in, bytes out. Knows no HTTP and no domain."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import orjson
from jsonrpcserver import JsonRpcError, dispatch_to_serializable

from rpc.errors import rpc_error, to_rpc_error
from rpc.lanes import Lanes, Turns
from rpc.registry import Context, Planned

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_EMPTY = re.compile(rb"\[\s*\]|\{\s*\}")
_BRACKETS = bytes.maketrans(b"[]{}", b"\x01\x02\x01\x02")  # 1 opens, 2 closes
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True)
class Limits:
    """What a request, and the reply to it, may amount to."""

    depth: int = 64
    values: int = 20_000
    number: int = 32
    batch: int = 1000
    reply: int = 10 * 1024 * 1024
    # Milliseconds to wait when a caller has used up its calls, else None; asked once for each call.
    budget: Callable[[], int | None] = field(default=lambda: None)


@dataclass(frozen=True)
class Reply:
    """The bytes to send; empty for notifications. `refused` is the error of a request that was one
    call (or none) and got no result, so that HTTP can say it in its own way."""

    body: bytes
    refused: JsonRpcError | None = None


async def answer(
    body: bytes,
    context: Context,
    lanes: Lanes,
    methods: Mapping[str, Callable[..., Any]],
    limits: Limits,
) -> Reply:
    """Answer one request or batch."""
    try:
        content = read(body, limits)
        if isinstance(content, list) and len(content) > limits.batch:
            raise rpc_error("BATCH_TOO_LARGE", limit=limits.batch)
        if content == []:
            raise rpc_error("INVALID_REQUEST")
    except JsonRpcError as error:
        return Reply(_render_error(error, b"null"), error)
    is_batch = isinstance(content, list)
    entries = [_Entry(item) for item in (content if is_batch else [content])]
    _keep_ids_exact(entries, body)
    turns = Turns()
    for entry in entries:
        await turns.give()
        _plan(entry, context, methods, limits)
    planned = [entry.planned for entry in entries if entry.planned is not None]
    outcomes = iter(await lanes.run(planned) if planned else ())
    replies: list[bytes] = []
    size = 0
    for entry in entries:
        await turns.give()
        if entry.planned is not None:
            entry.value, failure = next(outcomes)
            entry.error = failure and to_rpc_error(failure, context.request_id)
        if entry.is_notification:
            continue
        text = _render(entry, limits.reply - size)
        size += len(text) + 1
        replies.append(text)
    if not is_batch:
        return Reply(replies[0] if replies else b"", entries[0].error)
    return Reply(b"[" + b",".join(replies) + b"]" if replies else b"")


class _Entry:
    """One request of a body on its way to its reply."""

    __slots__ = ("error", "id", "id_is_exact", "is_notification", "planned", "request", "value")

    def __init__(self, item: Any) -> None:
        self.request = item
        self.planned: Planned | None = None
        self.value: Any = None
        self.error: JsonRpcError | None = None
        is_object = isinstance(item, dict)
        found = item.get("id") if is_object else None
        is_id = found is None or (isinstance(found, str | int | float) and not isinstance(found, bool))
        if not is_object or not is_id or not _is_request(item):
            self.error = rpc_error("INVALID_REQUEST")
        self.id = _dump(found) if is_id else b"null"
        self.id_is_exact = not is_id or (found != 0 and not isinstance(found, float))
        self.is_notification = self.error is None and "id" not in item


def _is_request(item: dict[str, Any]) -> bool:
    # jsonrpcserver's own check takes 124 µs a call and refuses members beyond the specification's.
    return (
        item.get("jsonrpc") == "2.0"
        and isinstance(item.get("method"), str)
        and isinstance(item.get("params", []), list | dict)
    )


def _plan(entry: _Entry, context: Context, methods: Mapping[str, Callable[..., Any]], limits: Limits) -> None:
    """Have jsonrpcserver find the method and call it, which validates and plans.

    Each entry goes alone: jsonrpcserver refuses a whole batch for one bad entry, and would answer
    before the lanes have run. It gets an id even for a notification, whose result it would drop.
    """
    if entry.error is None and (wait := limits.budget()) is not None:
        entry.error = rpc_error("RATE_LIMITED", retryAfterMs=wait)
    if entry.error is not None:
        return
    reply: Any = dispatch_to_serializable(
        {"id": None, **entry.request},
        methods,
        context=context,
        deserializer=_as_it_is,
        validator=_as_it_is,
    )
    if "error" in reply:
        error = reply["error"]
        entry.error = JsonRpcError(error["code"], error["message"], error.get("data"))
    elif isinstance(reply["result"], Planned):
        entry.planned = reply["result"]
    else:
        entry.value = reply["result"]


def _as_it_is(request: Any) -> Any:
    return request


def _render(entry: _Entry, at_most: int) -> bytes:
    if entry.error is not None:
        return _render_error(entry.error, entry.id)
    text = _dump({"jsonrpc": "2.0", "result": entry.value, "id": orjson.Fragment(entry.id)})
    if len(text) > at_most:
        entry.error = rpc_error("RESPONSE_TOO_LARGE", limit=at_most)
        return _render_error(entry.error, entry.id)
    return text


def render_error(error: JsonRpcError) -> bytes:
    """A reply with an error and no id, for requests that were not read."""
    return _render_error(error, b"null")


def _render_error(error: JsonRpcError, id_text: bytes) -> bytes:
    told = {"code": error.code, "message": error.message, "data": error.data}
    return b'{"jsonrpc":"2.0","error":' + _dump(told) + b',"id":' + id_text + b"}"


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # lone surrogates, integers beyond 64 bits: things a caller sent as id or name
        return json.dumps(value, separators=(",", ":")).encode()


def read(body: bytes, limits: Limits) -> Any:
    """The JSON value of a body, read strictly as RFC 8259 has it; JsonRpcError for anything else."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = _read_again(body, limits)
    _check_limits(body, limits)
    return value


def _read_again(body: bytes, limits: Limits) -> Any:
    """Read what orjson refuses though it is JSON: lone surrogates, numbers beyond a double, depth."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse)
    except RecursionError:
        bare = _STRING.sub(b"0", body)
        if bare.count(b"[") == bare.count(b"]") and bare.count(b"{") == bare.count(b"}"):
            raise rpc_error("TOO_DEEP", limit=limits.depth) from None
        raise rpc_error("PARSE_ERROR") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise rpc_error("PARSE_ERROR") from None
    except ValueError:  # Python makes no int of more than 4,300 digits
        raise rpc_error("NUMBER_TOO_LONG", limit=limits.number) from None


def _refuse(constant: str) -> Any:
    raise json.JSONDecodeError("not a JSON value", constant, 0)


def _check_limits(body: bytes, limits: Limits) -> None:
    """Refuse too much; the counts that cost little are made first and mostly are enough."""
    number = re.compile(rb"[-+.0-9eE]{%d,}" % (limits.number + 1))
    openings = body.count(b"[") + body.count(b"{")
    if openings + body.count(b",") < limits.values and openings <= limits.depth and not number.search(body):
        return
    bare = _STRING.sub(b"", body)
    openings = bare.count(b"[") + bare.count(b"{")
    values = 1 + bare.count(b",") + openings - len(_EMPTY.findall(bare))
    if values > limits.values:
        raise rpc_error("TOO_MANY_VALUES", limit=limits.values)
    steps = bare.translate(_BRACKETS, _NOT_BRACKETS)
    if max(accumulate(3 - 2 * step for step in steps), default=0) > limits.depth:
        raise rpc_error("TOO_DEEP", limit=limits.depth)
    if number.search(bare):
        raise rpc_error("NUMBER_TOO_LONG", limit=limits.number)


class _AsWritten(float):
    """A number that remembers its text."""

    text: str

    def __new__(cls, text: str) -> _AsWritten:
        made = super().__new__(cls, text)
        made.text = text
        return made


def _keep_ids_exact(entries: list[_Entry], body: bytes) -> None:
    """Give numbers back as they were written: 1.0, 1e2, -0, and integers of any size.

    orjson makes a double of each of these, so a body with such an id is read once more.
    """
    if all(entry.id_is_exact for entry in entries):
        return
    again = json.loads(body.decode(), parse_float=_AsWritten, parse_int=_AsWritten)
    for entry, item in zip(entries, again if isinstance(again, list) else [again], strict=True):
        if isinstance(item, dict) and isinstance(found := item.get("id"), _AsWritten):
            entry.id = found.text.encode()
