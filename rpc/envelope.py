"""JSON-RPC 2.0: bytes in, bytes out. Knows no HTTP and no domain."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
from jsonrpcserver import JsonRpcError, dispatch_to_response

from models.repeats import Repeats
from models.text import FORBIDDEN
from rpc.errors import RETRY_AFTER_MS, rpc_error
from rpc.lanes import Done, Lanes, Together, end
from rpc.nearest import Names
from rpc.registry import Call, Context, Lane, Method

AT_ONCE = 64  # entries of a batch that are planned, and then rendered, in one piece
LONG_BODY = 16 * 1024  # bytes from which reading is work that stands in line with other long work

KEY_AT_MOST = 255  # characters of an idempotency key

_BRACKETS = bytes.maketrans(b"{}", b"[]")
# The characters of numbers are 0, those that end a run of them are blank; a string keeps its mark.
_RUNS = bytes(
    byte if byte == ord('"') else ord("0" if byte in b"-+.0123456789eE" else " ") for byte in range(256)
)
_NOT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


@dataclass(frozen=True)
class Limits:
    """What a request, and the reply to it, may amount to."""

    depth: int = 64
    values: int = 20_000
    number: int = 32
    batch: int = 1000
    reply: int = 10 * 1024 * 1024


class Reply(NamedTuple):
    """The bytes to send; empty for notifications. `refused` is the error of a request that was one
    call (or none) and got no result, so that HTTP can say it in its own way. `calls`, each with what
    came of it, are for those who watch."""

    body: bytes
    refused: JsonRpcError | None = None
    calls: Sequence[Call] = ()
    is_batch: bool = False


class _Entry(Call):
    """One request of a body on its way to its reply."""

    __slots__ = ("id", "is_notification", "key", "room")

    def __init__(self, item: Any, context: Context, place: int | None = None) -> None:
        is_object = isinstance(item, dict)
        super().__init__(context, item.get("params", []) if is_object else [])
        self.id = item.get("id") if is_object else None
        self.name = item.get("method") if is_object else None
        self.is_notification = False
        self.key: Any = None
        self.room: _Room | None = None
        # jsonrpcserver's own check takes 124 µs a call and refuses members beyond the specification's.
        if not (
            is_object
            and item.get("jsonrpc") == "2.0"
            and isinstance(self.name, str)
            and isinstance(self.params, _CONTAINERS)
            and (self.id is None or type(self.id) in _ID_TYPES)
        ):
            self.id = self.id if type(self.id) in _ID_TYPES else None
            self.error = rpc_error("INVALID_REQUEST")
            return
        self.is_notification = self.id is None and "id" not in item
        self.key = item.get("idempotencyKey")
        if self.key is None and context.key is not None:
            self.key = context.key if place is None else f"{context.key}#{place}"
        if self.key is not None and not _is_key(self.key):
            self.error = rpc_error("BAD_IDEMPOTENCY_KEY")
            return
        if context.spend is not None and (wait := context.spend()) is not None:
            self.error = rpc_error("RATE_LIMITED", retryAfterMs=wait)

    def end(self, value: Any, failure: Exception | None) -> None:
        """Keep what came of it, as far as there is room."""
        super().end(value, failure)
        if self.room is not None and self.error is None:
            self.room.keep(self)


class _Room:
    """How much the lists of a batch may still amount to: each is written out when it comes.

    A batch may ask for a thousand lists. As objects they take ten times the memory of their text, and
    all of them would wait for the end of the batch, though most have no place in the reply.
    """

    def __init__(self, limits: Limits) -> None:
        self._limit = self._left = limits.reply

    def keep(self, entry: _Entry) -> None:
        """Put the text of a result in its place, or an error where there is no room for it."""
        try:
            text = orjson.dumps(entry.value)
        except TypeError:  # left to those who render
            return
        entry.value = orjson.Fragment(text)
        if len(text) > self._left:
            entry.value, entry.error = None, rpc_error("RESPONSE_TOO_LARGE", limit=self._limit)
        else:
            self._left -= len(text)


def _is_key(key: Any) -> bool:
    """Whether it can be an idempotency key."""
    return isinstance(key, str) and 0 < len(key) <= KEY_AT_MOST and not FORBIDDEN.search(key)


_CONTAINERS = (dict, list)
_ID_TYPES = (str, int, float)


class Envelope:
    """Answers bodies, with the methods that there are, through the lanes."""

    def __init__(self, lanes: Lanes, methods: Mapping[str, Method], limits: Limits) -> None:
        self._lanes, self._methods, self._limits = lanes, methods, limits
        self._names = Names(methods)
        self._together = Together(self._begin, self._submit)
        self._writes: dict[_Entry, Done] = {}
        self._running: dict[Repeats, Context] = {}  # the requests whose answers will be kept

    async def answer(self, body: bytes, context: Context) -> Reply:
        """Answer one request or batch."""
        try:
            content = await self._read_long(body) if len(body) >= LONG_BODY else self._read(body)
        except JsonRpcError as error:
            return Reply(render_error(error), error)
        if isinstance(content, list):
            return await self._answer_batch(content, context, body)
        return await self._answer_one(_Entry(content, context), body)

    def _read(self, body: bytes) -> Any:
        return self._checked(read(body, self._limits), body)

    async def _read_long(self, body: bytes) -> Any:
        turns = self._lanes.turns()
        await turns.wait()
        content = read(body, self._limits)
        await turns.give()
        return self._checked(content, body)

    def _checked(self, content: Any, body: bytes) -> Any:
        check_limits(body, self._limits)
        if content == []:
            raise rpc_error("INVALID_REQUEST")
        if isinstance(content, list) and len(content) > self._limits.batch:
            raise rpc_error("BATCH_TOO_LARGE", limit=self._limits.batch)
        return content

    async def _answer_one(self, entry: _Entry, body: bytes) -> Reply:
        _keep_ids_exact([entry], body)
        try:
            await self._together.add(entry)
            if entry.error is None and (entry.method.lane is Lane.SLOW or entry.method.prepare is not None):
                await self._lanes.run([entry])
        finally:
            self._release([entry])
        return Reply(_render([entry], self._limits, self._limits.reply), entry.error, (entry,))

    def _begin(self, waiting: list[tuple[_Entry, Done]]) -> None:
        """Plan calls that have come in one turn, and carry out those that are quick."""
        entries = [entry for entry, _ in waiting]
        self._plan(entries)
        planned = [entry for entry in entries if entry.error is None]
        self._lanes.read_now([entry for entry in planned if entry.method.lane is Lane.QUICK])
        for entry, done in waiting:
            if entry.error is None and entry.method.lane is Lane.WRITE and entry.method.prepare is None:
                self._writes[entry] = done
            else:
                end(done)

    def _submit(self) -> None:
        """Give the writer what has come in the turn, in one piece: the loop and the writer's thread
        would keep each other from running on, at each statement."""
        if self._writes:
            self._lanes.write(list(self._writes), list(self._writes.values()))
            self._writes.clear()

    async def _answer_batch(self, content: list[Any], context: Context, body: bytes) -> Reply:
        turns = self._lanes.turns()
        entries: list[_Entry] = []
        for start in range(0, len(content), AT_ONCE):
            await turns.give()
            some = content[start : start + AT_ONCE]
            piece = [_Entry(item, context, place) for place, item in enumerate(some, start)]
            self._plan(piece)
            entries += piece
        _keep_ids_exact(entries, body)
        for_lists = _Room(self._limits)
        for entry in entries:
            if entry.error is None and entry.method.lane is Lane.SLOW:
                entry.room = for_lists
        try:
            await self._lanes.run([entry for entry in entries if entry.error is None])
        finally:
            self._release(entries)
        turns = self._lanes.turns()  # the time in the lanes was not this loop's
        replies: list[bytes] = []
        room = self._limits.reply
        for piece in _pieces(entries):
            await turns.give()
            replies.append(_render(piece, self._limits, room))
            room -= len(replies[-1]) + 1
        return Reply(b"[" + b",".join(replies) + b"]" if replies else b"", None, entries, is_batch=True)

    def _plan(self, entries: Sequence[_Entry]) -> None:
        """Have jsonrpcserver find the methods and call them, which validates and plans.

        It gets good entries only, since it refuses a whole batch for one bad entry, and each as a
        notification: what comes of a call is kept in the call itself, and a reply made here would be
        thrown away.
        """
        good = [entry for entry in entries if entry.error is None]
        dispatch_to_response(
            [{"method": entry.name, "params": [entry]} for entry in good],  # type: ignore[arg-type]
            self._methods,  # type: ignore[arg-type]
            deserializer=_as_it_is,
            validator=_as_it_is,
        )
        for entry in good:
            if entry.method is None and entry.error is None:
                entry.error = self._not_called(entry)
            if entry.key is not None and entry.error is None and entry.method.lane is Lane.WRITE:
                self._claim(entry)

    def _claim(self, entry: _Entry) -> None:
        """Have the answer to a write kept under its key, unless another request is at it just now."""
        repeats = Repeats(entry.context.caller.token_id, entry.key)
        if self._running.setdefault(repeats, entry.context) is entry.context:
            entry.repeats = repeats
        else:
            entry.error = rpc_error("IDEMPOTENCY_KEY_IN_USE", retryAfterMs=RETRY_AFTER_MS)

    def _release(self, entries: Sequence[_Entry]) -> None:
        for entry in entries:
            if entry.repeats is not None:
                self._running.pop(entry.repeats, None)

    def _not_called(self, entry: _Entry) -> JsonRpcError:
        if entry.name not in self._methods:
            return self._not_found(entry)
        return rpc_error("INTERNAL_ERROR", requestId=entry.context.request_id)

    def _not_found(self, entry: _Entry) -> JsonRpcError:
        """METHOD_NOT_FOUND with the nearest name, which is looked for a limited number of times a request."""
        nearest = self._names.alike(entry.name)
        if nearest is None and entry.context.comparisons > 0:
            entry.context.comparisons -= 1
            nearest = self._names.nearest(entry.name)
        if nearest is None:
            return rpc_error("METHOD_NOT_FOUND")
        return rpc_error("METHOD_NOT_FOUND", f"Method not found; did you mean {nearest}?", nearest=nearest)


def _as_it_is(request: Any) -> Any:
    return request


def _pieces(entries: Sequence[_Entry]) -> Iterator[list[_Entry]]:
    """The entries that have a reply, in pieces to render; a list, which may be long, by itself."""
    piece: list[_Entry] = []
    for entry in entries:
        if entry.is_notification:
            continue
        is_long = entry.method is not None and entry.method.lane is Lane.SLOW
        if piece and (is_long or len(piece) == AT_ONCE):
            yield piece
            piece = []
        piece.append(entry)
        if is_long:
            yield piece
            piece = []
    if piece:
        yield piece


def _render(entries: Sequence[_Entry], limits: Limits, room: int) -> bytes:
    """The replies to some entries, with commas between; nothing to a notification."""
    told = [_reply(entry) for entry in entries if not entry.is_notification]
    try:
        text = orjson.dumps(told)[1:-1]
        if len(text) <= room:
            return text
    except TypeError:
        pass
    return _render_each(entries, limits, room)


def _render_each(entries: Sequence[_Entry], limits: Limits, room: int) -> bytes:
    """As `_render`, one by one: an entry that fails, or has no room, leaves the others their answers."""
    texts = []
    for entry in entries:
        try:
            text = _text(entry)
            if len(text) > room and entry.error is None:
                entry.error = rpc_error("RESPONSE_TOO_LARGE", limit=limits.reply)
                text = _text(entry)
        except Exception as error:
            entry.end(None, error)
            text = _text(entry)
        texts.append(text)
        room -= len(text) + 1
    return b",".join(texts)


def _reply(entry: _Entry) -> dict[str, Any]:
    if entry.error is not None:
        return {"jsonrpc": "2.0", "error": _told(entry.error), "id": entry.id}
    return {"jsonrpc": "2.0", "result": entry.value, "id": entry.id}


def _text(entry: _Entry) -> bytes:
    """The text of `_reply`, of which each part may be what orjson refuses."""
    if entry.error is not None:
        return render_error(entry.error, entry.id)
    return b'{"jsonrpc":"2.0","result":' + _dump(entry.value) + b',"id":' + _dump(entry.id) + b"}"


def render_error(error: JsonRpcError, call_id: Any = None) -> bytes:
    """A reply with an error; without an id, for requests that were not read."""
    return b'{"jsonrpc":"2.0","error":' + _dump(_told(error)) + b',"id":' + _dump(call_id) + b"}"


def _told(error: JsonRpcError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "data": error.data}


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
    openings = body.count(b"[") + body.count(b"{")
    has_few = len(body) < limits.values or openings + body.count(b",") < limits.values
    if openings <= limits.depth and has_few and not _has_long_number(body, limits.number):
        return
    bare = _without_strings(body).translate(None, b" \t\r\n")
    openings = bare.count(b"[") + bare.count(b"{")
    values = 1 + bare.count(b",") + openings - bare.count(b"[]") - bare.count(b"{}")
    if values > limits.values:
        raise rpc_error("TOO_MANY_VALUES", limit=limits.values)
    if _is_deeper(bare.translate(_BRACKETS, _NOT_BRACKETS), limits.depth):
        raise rpc_error("TOO_DEEP", limit=limits.depth)
    if _has_long_number(bare, limits.number):
        raise rpc_error("NUMBER_TOO_LONG", limit=limits.number)


def _is_deeper(brackets: bytes, most: int) -> bool:
    """Whether brackets nest more than so many levels: each pass takes away the innermost ones."""
    for _ in range(most):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)


def _has_long_number(text: bytes, most: int) -> bool:
    """Whether there is a number of more characters; in a string, what looks like one counts too,
    but for one that the string begins with."""
    return b" " + b"0" * (most + 1) in b" " + text.translate(_RUNS)


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


_MINUS_ZERO = re.compile(rb"[:\s]-0")


def _keep_ids_exact(entries: Sequence[_Entry], body: bytes) -> None:
    """Give numbers back as they were written: 1.0, 1e2, -0, and integers of any size.

    orjson makes a double of each of these, or a 0, so a body with such an id is read once more.
    """
    for entry in entries:
        if type(entry.id) is float or (entry.id == 0 and _MINUS_ZERO.search(body)):
            break
    else:
        return
    again = json.loads(body.decode(), parse_float=_AsWritten, parse_int=_AsWritten)
    for entry, item in zip(entries, again if isinstance(again, list) else [again], strict=True):
        if isinstance(item, dict) and isinstance(found := item.get("id"), _AsWritten):
            entry.id = orjson.Fragment(found.text)
