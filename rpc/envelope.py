"""JSON-RPC 2.0: bytes in, bytes out. Knows no HTTP and no domain."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import orjson
from jsonrpcserver import JsonRpcError, dispatch_to_serializable

from rpc.errors import METHOD_NOT_FOUND, rpc_error, to_rpc_error
from rpc.lanes import Lanes
from rpc.registry import Context, Planned

PLANNED_AT_ONCE = 16  # entries that jsonrpcserver gets in one piece, which halves its time for each
LONG_BODY = 16 * 1024  # bytes from which reading is work that stands in line with other long work

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
    turns = lanes.turns()
    if len(body) >= LONG_BODY:
        await turns.wait()
    try:
        content = read(body, limits)
        await turns.give()
        check_limits(body, limits)
        if content == []:
            raise rpc_error("INVALID_REQUEST")
        if isinstance(content, list) and len(content) > limits.batch:
            raise rpc_error("BATCH_TOO_LARGE", limit=limits.batch)
    except JsonRpcError as error:
        return Reply(render_error(error), error)
    is_batch = isinstance(content, list)
    entries = [_Entry(item) for item in (content if is_batch else [content])]
    _keep_ids_exact(entries, body)
    for start in range(0, len(entries), PLANNED_AT_ONCE):
        await turns.give()
        _plan(entries[start : start + PLANNED_AT_ONCE], context, methods)
    planned = {entry: entry.planned for entry in entries if entry.planned is not None}
    outcomes = await lanes.run(list(planned.values()))
    for entry, (value, failure) in zip(planned, outcomes, strict=True):
        entry.value = value
        entry.error = None if failure is None else to_rpc_error(failure, context.request_id)
    turns = lanes.turns()  # the time in the lanes was not this loop's
    replies: list[bytes] = []
    room = limits.reply
    for entry in entries:
        await turns.give()
        if not entry.is_notification:
            replies.append(_render(entry, context, limits, room))
            room -= len(replies[-1]) + 1
    if is_batch:
        return Reply(b"[" + b",".join(replies) + b"]" if replies else b"")
    return Reply(b"".join(replies), entries[0].error)


class _Entry:
    """One request of a body on its way to its reply."""

    __slots__ = ("error", "id", "id_is_exact", "is_notification", "planned", "request", "value")

    def __init__(self, item: Any) -> None:
        self.request = item
        self.planned: Planned | None = None
        self.value: Any = None
        self.error = None if _is_request(item) else rpc_error("INVALID_REQUEST")
        self.is_notification = self.error is None and "id" not in item
        found = item.get("id") if isinstance(item, dict) else None
        self.id = _dump(found) if _is_id(found) else b"null"
        # A 0 may have been written -0.
        self.id_is_exact = not isinstance(found, int | float) or (isinstance(found, int) and found != 0)


def _is_request(item: Any) -> bool:
    # jsonrpcserver's own check takes 124 µs a call and refuses members beyond the specification's.
    return (
        isinstance(item, dict)
        and item.get("jsonrpc") == "2.0"
        and isinstance(item.get("method"), str)
        and isinstance(item.get("params", []), list | dict)
        and _is_id(item.get("id"))
    )


def _is_id(found: Any) -> bool:
    return found is None or (isinstance(found, str | int | float) and not isinstance(found, bool))


def _plan(entries: list[_Entry], context: Context, methods: Mapping[str, Callable[..., Any]]) -> None:
    """Have jsonrpcserver find the methods and call them, which validates and plans.

    It gets good entries only, since it refuses a whole batch for one bad entry, and nothing has been
    carried out when it answers. Each entry goes with an id, even a notification, whose result it
    would drop.
    """
    good = []
    for entry in entries:
        if entry.error is None and (wait := context.spend()) is not None:
            entry.error = rpc_error("RATE_LIMITED", retryAfterMs=wait)
        if entry.error is None:
            good.append(entry)
    if not good:
        return
    replies: Any = dispatch_to_serializable(
        [
            {"method": entry.request["method"], "params": entry.request.get("params", []), "id": None}
            for entry in good
        ],
        methods,
        context=context,
        deserializer=_as_it_is,
        validator=_as_it_is,
    )
    for entry, reply in zip(good, replies, strict=True):
        if "error" in reply:
            entry.error = _in_our_words(reply["error"], context)
        else:
            entry.planned = reply["result"]


def _as_it_is(request: Any) -> Any:
    return request


def _in_our_words(error: dict[str, Any], context: Context) -> JsonRpcError:
    """jsonrpcserver's error object as one of the catalogue; its own ones repeat texts to the caller."""
    if isinstance(error.get("data"), dict):
        return JsonRpcError(error["code"], error["message"], error["data"])
    if error["code"] == METHOD_NOT_FOUND:
        return rpc_error("METHOD_NOT_FOUND")
    return rpc_error("INTERNAL_ERROR", requestId=context.request_id)


def _render(entry: _Entry, context: Context, limits: Limits, room: int) -> bytes:
    """The reply to one entry; one that fails, or has no room, leaves the others their answers."""
    if entry.error is None:
        try:
            text = b'{"jsonrpc":"2.0","result":' + _dump(entry.value) + b',"id":' + entry.id + b"}"
            if len(text) <= room:
                return text
            entry.error = rpc_error("RESPONSE_TOO_LARGE", limit=limits.reply)
        except (TypeError, ValueError) as error:
            entry.error = to_rpc_error(error, context.request_id)
    return render_error(entry.error, entry.id)


def render_error(error: JsonRpcError, id_text: bytes = b"null") -> bytes:
    """A reply with an error; without an id, for requests that were not read."""
    told = {"code": error.code, "message": error.message, "data": error.data}
    return b'{"jsonrpc":"2.0","error":' + _dump(told) + b',"id":' + id_text + b"}"


def _dump(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # lone surrogates, integers beyond 64 bits: things a caller sent as id or name
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()


def read(body: bytes, limits: Limits) -> Any:
    """The JSON value of a body, read strictly as RFC 8259 has it; JsonRpcError for anything else."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _read_again(body, limits)


def _read_again(body: bytes, limits: Limits) -> Any:
    """Read what orjson refuses though it is JSON: lone surrogates, numbers beyond a double, depth."""
    try:
        return json.loads(body.decode(), parse_constant=_refuse)
    except RecursionError:
        # What lies that deep is not read; that as much is closed as opened tells it from the start
        # of a text that goes on and on.
        bare = _without_strings(body)
        if bare.count(b"[") == bare.count(b"]") and bare.count(b"{") == bare.count(b"}"):
            raise rpc_error("TOO_DEEP", limit=limits.depth) from None
        raise rpc_error("PARSE_ERROR") from None
    except (json.JSONDecodeError, UnicodeDecodeError):
        raise rpc_error("PARSE_ERROR") from None
    except ValueError:  # Python makes no int of more than 4,300 digits
        raise rpc_error("NUMBER_TOO_LONG", limit=limits.number) from None


def _refuse(constant: str) -> Any:
    raise json.JSONDecodeError("not a JSON value", constant, 0)


def check_limits(body: bytes, limits: Limits) -> None:
    """Refuse too much; the counts that cost little are made first and mostly are enough."""
    number = _long_number(limits.number)
    openings = body.count(b"[") + body.count(b"{")
    if openings + body.count(b",") < limits.values and openings <= limits.depth and not number.search(body):
        return
    bare = _without_strings(body).translate(None, b" \t\r\n")
    openings = bare.count(b"[") + bare.count(b"{")
    values = 1 + bare.count(b",") + openings - bare.count(b"[]") - bare.count(b"{}")
    if values > limits.values:
        raise rpc_error("TOO_MANY_VALUES", limit=limits.values)
    steps = bare.translate(_BRACKETS, _NOT_BRACKETS)
    if max(accumulate(3 - 2 * step for step in steps), default=0) > limits.depth:
        raise rpc_error("TOO_DEEP", limit=limits.depth)
    if number.search(bare):
        raise rpc_error("NUMBER_TOO_LONG", limit=limits.number)


@functools.cache
def _long_number(most: int) -> re.Pattern[bytes]:
    """What a number of more characters looks like; a string has a quotation mark before it."""
    return re.compile(rb"(?:^|[\[:,\s])[-+.0-9eE]{%d}" % (most + 1))


def _without_strings(body: bytes) -> bytes:
    """JSON text with a 0 for each string. By split, because a regular expression over strings takes
    time that grows with the square of the length where a text is made for that."""
    unescaped = body.replace(rb"\\", b"").replace(rb"\"", b"")
    return b"0".join(unescaped.split(b'"')[::2])


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
