"""JSON-RPC 2.0 as a caller sees it: calls in, bytes and outcomes out. Does no I/O."""

from __future__ import annotations

import itertools
import json
import os
import random
import re
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, UUID, uuid4, uuid5

import orjson

from client.errors import (
    BadReply,
    ClientError,
    NotReached,
    NotSent,
    RpcError,
    TimedOut,
    TransportError,
    WrongReply,
)
from client.functions import FUNCTIONS, Function
from client.results import shape_of

Params = Mapping[str, Any] | Sequence[Any]

URL = "http://127.0.0.1:8080/rpc"  # the server's own default

# What the server takes in one request unless it was set otherwise.
MOST_ENTRIES = 1000
MOST_BYTES = 1024 * 1024
MOST_VALUES = 20_000

_LONG_NUMBER = re.compile(rb"[0-9]{19}")


@dataclass(frozen=True)
class Retry:
    """How often, and for how long, a call is repeated whose repetition is safe.

    The wait before repetition n is random between 0 and the least of `longest` and
    `first` * 2 ** (n - 1) seconds, on top of what the server asks for.
    """

    attempts: int = 6
    seconds: float = 60.0
    first: float = 0.1
    longest: float = 5.0

    def pause(self, attempt: int, asked: float) -> float:
        """How long to wait after an attempt; the first is 1."""
        # The bound of the exponent keeps it a number for any count of attempts.
        return asked + random.uniform(0, min(self.longest, self.first * 2 ** min(attempt - 1, 30)))


NEVER = Retry(attempts=1)


class Reply(NamedTuple):
    """What came back: status, the two headers that matter, and the body."""

    status: int
    body: bytes
    retry_after: str | None = None
    request_id: str | None = None


@dataclass(slots=True)
class Call:
    """One call, written once, so that each repetition is the same to the byte."""

    id: int | None  # None: a notification, which nobody answers
    function: Function | None
    body: bytes
    values: int
    safe: bool  # whether being carried out twice does no harm

    @property
    def writes(self) -> bool:
        """Whether it may change something; of a method that is not in the table nobody knows."""
        return self.function is None or self.function.writes

    def shaped(self, result: Any) -> Any:
        return result if self.function is None else shape_of(self.function.returns)(result)


@dataclass(slots=True)
class Writer:
    """Writes calls, each with an id of its own. Without `keys` a call has no key that it was not given."""

    keys: bool = True

    def call(self, method: str, params: Params, key: str | None = None) -> Call:
        """A call; one that may write has an idempotency key, so that it can be repeated safely."""
        function = FUNCTIONS.get(method)
        call_id = next(_ids)
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": call_id}
        if key is not None:
            request["idempotencyKey"] = key
        elif self.keys and (function is None or function.keyed):
            request["idempotencyKey"] = str(uuid4())
        safe = "idempotencyKey" in request or (function is not None and not function.writes)
        return Call(call_id, function, dumps(request), 6 + _count(params), safe)

    def notification(self, method: str, params: Params) -> Call:
        request = {"jsonrpc": "2.0", "method": method, "params": params}
        return Call(None, FUNCTIONS.get(method), dumps(request), 4 + _count(params), False)


# Processes

_ids: Iterator[int]


def in_each_child(do: Callable[[], None]) -> None:
    """Have something done in each process that is forked from this one, where there is fork."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=do)


def _count_anew() -> None:
    """Count the calls of this process from a number that no other process has."""
    global _ids
    _ids = itertools.count(int.from_bytes(os.urandom(6)))  # 48 bits: far from 2 ** 53, where floats end


_count_anew()
in_each_child(_count_anew)


def must_be_of(process: int) -> None:
    """Refuse what was begun in one process and goes on in another, which a fork has made."""
    if os.getpid() != process:
        raise ClientError(f"begun in process {process}, which this one was forked from: begin it here")


# Exchanging

Steps = Generator[bytes | float | None, Reply | TransportError | None, list[Any]]


def exchange(calls: Sequence[Call], retry: Retry, *, alone: bool = False) -> Steps:
    """What to do until each call has its outcome: a result, or an error as a value.

    Yields bytes to be posted, and is sent the Reply or the TransportError; or seconds to be slept; or
    None, for connections to be closed over which the reply to another request came.
    Calls that were not answered are sent again if that is safe, and of a batch only these. `alone`:
    the one call goes without a list around it.
    """
    outcomes: dict[int, Any] = {}
    waiting = list(calls)
    started = time.monotonic()
    for attempt in itertools.count(1):
        bodies = [call.body for call in waiting]
        answer = yield bodies[0] if alone else b"[" + b",".join(bodies) + b"]"
        found = _outcomes(waiting, answer)
        if any(isinstance(outcome, WrongReply) for outcome in found):
            yield None
        again = []
        for place, outcome in enumerate(found):
            outcomes[id(waiting[place])] = outcome
            if may_repeat(waiting[place], outcome):
                again.append(place)
        if not again or attempt >= retry.attempts:
            break
        asked = max(wait_asked(found[place], answer) for place in again)
        pause = retry.pause(attempt, asked)
        if time.monotonic() - started + pause > retry.seconds:
            break
        yield pause
        waiting = [waiting[place] for place in again]
    return [outcomes[id(call)] for call in calls]


def may_repeat(call: Call, outcome: Any) -> bool:
    """Whether the same call may do better a moment later, and does no harm if it is carried out twice."""
    if call.id is None:
        return False
    match outcome:
        case NotReached() | TimedOut():
            return call.safe  # nobody knows whether it was carried out
        case RpcError():
            return outcome.word in ("BUSY", "RATE_LIMITED") or "retryAfterMs" in outcome.data
    return False


def wait_asked(outcome: Any, answer: Reply | TransportError | None) -> float:
    """The seconds that the server wants the caller to wait at least."""
    asked = 0.0
    if isinstance(answer, Reply) and answer.retry_after and answer.retry_after.isdecimal():
        asked = float(answer.retry_after)
    if isinstance(outcome, RpcError):
        told = outcome.data.get("retryAfterMs")
        if isinstance(told, int | float):
            asked = told / 1000  # the finer of the two
    return asked


def _outcomes(calls: Sequence[Call], answer: Reply | TransportError | None) -> list[Any]:
    """What came of each call, in their order."""
    if not isinstance(answer, Reply):
        return [answer] * len(calls)
    try:
        content = loads(answer.body)
    except BadReply as error:
        content = None
        if answer.status < 300:
            return [error] * len(calls)
    if isinstance(content, dict) and content.get("id") is None and "error" in content:
        return [_outcome(content, None, answer)] * len(calls)  # for the request as a whole
    replies = [one for one in (content if isinstance(content, list) else [content]) if isinstance(one, dict)]
    if answer.status >= 300 and not replies:
        return [_refusal(answer)] * len(calls)
    by_id: dict[int | None, Any] = {}
    wrong = False
    asked = {call.id for call in calls if call.id is not None}
    for reply in replies:
        reply_id = reply.get("id")
        if isinstance(reply_id, int) and reply_id in asked and reply_id not in by_id:
            by_id[reply_id] = reply
        else:
            wrong = wrong or reply_id is not None
    return [_outcome_of(call, by_id, wrong, answer) for call in calls]


def _outcome_of(call: Call, by_id: Mapping[int | None, Any], wrong: bool, answer: Reply) -> Any:
    """The outcome of a call; `wrong`: a reply came that none of the calls asked for."""
    if call.id in by_id:
        return _outcome(by_id[call.id], call, answer)
    if wrong:
        return WrongReply(f"the reply is to another request (HTTP {answer.status})")
    return None if call.id is None else _outcome(None, call, answer)


def _outcome(reply: Any, call: Call | None, answer: Reply) -> Any:
    if isinstance(reply, dict):
        error = reply.get("error")
        if isinstance(error, dict) and isinstance(error.get("code"), int) and "message" in error:
            return RpcError(error, answer.request_id)
        if "result" in reply and call is not None:
            return call.shaped(reply["result"])
    return BadReply(f"the reply is not JSON-RPC (HTTP {answer.status})")


def _refusal(answer: Reply) -> TransportError:
    """The error for a status with nothing in JSON-RPC to explain it."""
    if answer.status in (429, 503):
        return NotReached(f"refused for the moment (HTTP {answer.status})")
    return BadReply(f"the reply is not JSON-RPC (HTTP {answer.status})")


def value(outcome: Any) -> Any:
    """The result, or its error raised."""
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


# Batches


def pieces(calls: Iterable[Call], most: int = MOST_ENTRIES) -> Iterator[list[Call]]:
    """The calls in order, cut into what the server takes as one request."""
    piece: list[Call] = []
    size = values = 1
    for call in calls:
        longer, more = size + len(call.body) + 1, values + call.values
        if piece and (len(piece) >= most or longer > MOST_BYTES or more > MOST_VALUES):
            yield piece
            piece, longer, more = [], len(call.body) + 2, call.values + 1
        piece.append(call)
        size, values = longer, more
    if piece:
        yield piece


def only_reads(piece: Sequence[Call]) -> bool:
    return not any(call.writes for call in piece)


def lost(outcomes: Sequence[Any]) -> bool:
    """Whether the server could not be reached, so that nothing more should be sent to it."""
    return all(isinstance(outcome, NotReached | TimedOut | NotSent) for outcome in outcomes)


def not_sent(piece: Sequence[Call]) -> list[Any]:
    return [NotSent("not sent, as the server could not be reached before") for _ in piece]


def row_params(function: Function | None, row: Any) -> Params:
    """The parameters that a row of `map` stands for: an object, a list by position, or a sole value."""
    if isinstance(row, Mapping):
        return row if function is None else function.named((), row)
    return row if isinstance(row, list | tuple) else [row]


# JSON


def dumps(content: Any) -> bytes:
    """The body for a request; UUIDs, dates and enums are written as the wire has them."""
    try:
        return orjson.dumps(content, default=_text, option=orjson.OPT_PASSTHROUGH_DATETIME)
    except orjson.JSONEncodeError:
        # Integers of more than 64 bits, and text that is not Unicode, which the server refuses by name.
        return json.dumps(content, separators=(",", ":"), default=_text).encode()


def loads(body: bytes) -> Any:
    """The content of a reply's body; None where nothing was answered. BadReply if it is not JSON."""
    if not body:
        return None
    try:
        # orjson makes floats of integers beyond 64 bits.
        return json.loads(body) if _LONG_NUMBER.search(body) else orjson.loads(body)
    except ValueError:
        raise BadReply("the reply is not JSON") from None


def _text(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        case date():
            return value.isoformat()
        case Enum():
            return value.value
    raise TypeError(f"a {type(value).__name__} cannot be sent")


def _count(params: Any) -> int:
    """The JSON values in parameters."""
    match params:
        case dict():
            return len(params) + sum(_count(one) for one in params.values() if isinstance(one, dict | list))
        case list() | tuple():
            return len(params) + sum(_count(one) for one in params if isinstance(one, dict | list))
    return 1


def endpoint(url: str) -> str:
    """The URL of the endpoint, where only the server's was given."""
    return url.rstrip("/") + "/rpc" if urlsplit(url).path in ("", "/") else url


def headers(token: str) -> dict[str, str]:
    """The headers of every request. NotSent: the token cannot be one; it is not shown."""
    token = token.strip()  # with a line's end, as files and variables have them
    if not re.fullmatch("[!-~]*", token):
        raise NotSent(
            "the token, which is not shown here, has a character that no token has: a blank, a control"
            " character, or one that is not ASCII"
        )
    made = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    return made | ({"Authorization": f"Bearer {token}"} if token else {})


def external_id(shop: str, item: str) -> UUID:
    """The externalId of something a shop sold: `external_id("shop", "order-1001/line-2/1")`.

    The item is the order, the line and the unit of that line, with slashes between. The same item
    always has the same id, so a ticket for it can be asked for again and again and is made once.
    """
    return uuid5(NAMESPACE_URL, f"core-rpc/external/{shop}/{item}")
