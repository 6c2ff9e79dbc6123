"""Requests: what number N of a seed is, whatever came before it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from models.tokens import PREFIX, Scope
from tests.fuzz.values import (
    HOSTILE_NUMBERS,
    HOSTILE_TEXTS,
    Json,
    Raw,
    deep,
    encoded,
    nearly_valid,
    valid,
    wrong,
)

RPC = frozenset({200})
HTTP = frozenset({200, 400, 401, 404, 405, 408, 413, 415, 429, 431, 501})  # what odd HTTP may be told


Members = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Request:
    """What goes over the wire, and what may come back."""

    number: int
    kind: str
    data: bytes  # head and body
    body: bytes | None  # to which the reply is one, where the request has ordinary framing
    calls: int = 1
    statuses: frozenset[int] = RPC
    ends: bool = False  # the bytes may be no whole request, or more than one: nothing comes behind them
    answers: int = 1  # to expect, where it is sure


@dataclass(frozen=True)
class Maker:
    """Makes the requests of a seed, from the document that the server gives of itself."""

    document: Json
    secrets: dict[str, str]
    seed: str
    methods: list[Json] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "methods", self.document["methods"])

    def request(self, number: int) -> Request:
        """Request number N."""
        chance = Random(f"{self.seed}/{number}")
        make = chance.choices(_KINDS, _WEIGHTS)[0]
        return make(self, number, chance)

    # Calls

    def call(self, chance: Random, *, good: bool = False) -> Members:
        """One call, mostly of a method that there is."""
        method = chance.choice(self.methods)
        members: list[tuple[str, Any]] = [("jsonrpc", "2.0"), ("method", method["name"])]
        params = self._good_params(method, chance) if good else self._params(method, chance)
        if params is not _ABSENT:
            members.append(("params", params))
        members.append(("id", chance.randrange(10**9) if good else _call_id(chance)))
        if not good and chance.random() < 0.15:
            members = _spoil(members, chance)
        if chance.random() < 0.2:
            chance.shuffle(members)
        return tuple(members)

    def notification(self, chance: Random, *, good: bool = False) -> Members:
        """One call that is not answered."""
        return tuple((name, value) for name, value in self.call(chance, good=good) if name != "id")

    def _good_params(self, method: Json, chance: Random) -> Any:
        named = {
            param["name"]: valid(param["schema"], param["name"], chance)
            for param in method["params"]
            if param["required"] or chance.random() < 0.3
        }
        return _formed(named, method, chance)

    def _params(self, method: Json, chance: Random) -> Any:
        if chance.random() < 0.05:
            return chance.choice([_ABSENT, [], {}, [{}], None, 1, "x", [None], [[]], True])
        taste = chance.choice(_TASTES)
        named: dict[str, Any] = {}
        for param in method["params"]:
            if param["required"] or chance.random() < 0.35:
                make = taste if chance.random() < 0.5 else valid
                named[param["name"]] = make(param["schema"], param["name"], chance)
        if chance.random() < 0.07 and named:
            named.pop(chance.choice(list(named)))
        if chance.random() < 0.07:
            named[chance.choice(_ODD_MEMBERS)] = wrong(chance)
        ids = [name for name in named if name.endswith("Id")]
        if ids and chance.random() < 0.15:  # the alias, instead of it or beside it
            value = named[ids[0]] if chance.random() < 0.5 else named.pop(ids[0])
            named["id"] = value if chance.random() < 0.7 else wrong(chance)
        formed = _formed(named, method, chance)
        return [*formed, wrong(chance)] if isinstance(formed, list) and chance.random() < 0.1 else formed

    # Requests whose body is one of JSON-RPC

    def single(self, number: int, chance: Random) -> Request:
        return self._posted(number, "odd call", _dumped(self.call(chance), chance), chance)

    def good(self, number: int, chance: Random) -> Request:
        """A call as somebody would make it."""
        return self._posted(number, "call", _dumped(self.call(chance, good=True), chance), chance)

    def notified(self, number: int, chance: Random) -> Request:
        return self._posted(number, "notification", _dumped(self.notification(chance), chance), chance)

    def batch(self, number: int, chance: Random) -> Request:
        size = chance.choice([1, 2, 3, 5, 8, 8, 13, 20, 64, 65]) if chance.random() < 0.98 else 1001
        good = chance.random() < 0.6
        entries: list[Any] = []
        for _ in range(size if size < 100 else 20):
            entry = chance.random()
            if entry < 0.8:
                entries.append(self.call(chance, good=good))
            elif entry < 0.92:
                entries.append(self.notification(chance, good=good))
            else:
                entries.append(chance.choice([1, None, [], {}, "x", {"id": 5}]) if good else wrong(chance))
        if size > 100:
            entries = (entries * 100)[: chance.choice([999, 1000, 1001, 1500])]
        return self._posted(
            number, "batch", _dumped(entries, chance), chance, len(entries) if size < 100 else 20
        )

    def mutated(self, number: int, chance: Random) -> Request:
        """A body of which some bytes were changed."""
        content = self.call(chance) if chance.random() < 0.7 else [self.call(chance) for _ in range(3)]
        body = bytearray(_dumped(content, chance))
        for _ in range(chance.randrange(1, 5)):
            place = chance.randrange(len(body) + 1)
            piece = chance.choice(_PIECES)
            match chance.randrange(5):
                case 0:
                    del body[place : place + chance.randrange(1, 9)]
                case 1:
                    body[place:place] = piece
                case 2:
                    body[place : place + len(piece)] = piece
                case 3 if place < len(body):
                    body[place] ^= 1 << chance.randrange(8)
                case 4:
                    del body[place:]
        return self._posted(number, "mutated", bytes(body), chance)

    def nonsense(self, number: int, chance: Random) -> Request:
        """A body that never was JSON-RPC."""
        body = chance.choice(_BODIES)
        return self._posted(number, "nonsense", body(chance) if callable(body) else body, chance)

    def _posted(self, number: int, kind: str, body: bytes, chance: Random, calls: int = 1) -> Request:
        scope = chance.choices(list(Scope), [1, 2, 20])[0]
        head = [
            "POST /rpc HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {self.secrets[scope]}",
            f"Content-Length: {len(body)}",
        ]
        if chance.random() < 0.9:
            head.append(f"Content-Type: {chance.choice(_JSON_TYPES)}")
        if chance.random() < 0.1:
            head.append(chance.choice(_HARMLESS))
        return Request(number, kind, _joined(head, body), body, calls, frozenset({*RPC, 413}))

    # Requests that are odd as HTTP

    def without_right(self, number: int, chance: Random) -> Request:
        """A good call with a token that lets nobody in, or in the wrong place."""
        good, body = self.secrets[Scope.ADMIN], _dumped(self.call(chance), chance)
        shown = chance.choice(
            [
                "X-Nothing: 1",
                "Authorization: Bearer",
                f"Authorization: {good}",
                f"Authorization: Bearer {good[:-1]}",
                f"Authorization: Bearer {good}{good[-1]}",
                f"Authorization: Bearer {PREFIX}{'a' * 43}",
                f"Authorization: Bearer {self.secrets['expired']}",
                f"Authorization: Bearer {self.secrets['revoked']}",
                f"Authorization: Bearer {good}\r\nAuthorization: Bearer {good}",
                f"X-Api-Key: {good}",
                f"Cookie: token={good}",
                f"Authorization: Basic {good}",
                "Authorization: Bearer é",
                f"Authorization: Bearer {'x' * 7000}",
            ]
        )
        head = ["POST /rpc HTTP/1.1", "Host: a", shown, f"Content-Length: {len(body)}"]
        return Request(number, "no right", _joined(head, body), b"", 1, frozenset({401, 413}))

    def elsewhere(self, number: int, chance: Random) -> Request:
        """Another path or method."""
        token = f"Authorization: Bearer {self.secrets[chance.choice([*Scope, 'expired'])]}"
        line = f"{chance.choice(_HTTP_METHODS)} {chance.choice(_PATHS)} {chance.choice(_VERSIONS)}"
        head = [line, "Host: a", token, *chance.choices(_ODD_HEADERS, k=chance.randrange(3))]
        return Request(number, "elsewhere", _joined(head, b""), None, 1, HTTP | {304}, ends=True, answers=0)

    def odd_head(self, number: int, chance: Random) -> Request:
        """A good call in a head that is not."""
        body = _dumped(self.call(chance), chance)
        head = [
            "POST /rpc HTTP/1.1",
            "Host: a",
            f"Authorization: Bearer {self.secrets[Scope.ADMIN]}",
            *chance.choices(_ODD_HEADERS, k=chance.randrange(1, 4)),
        ]
        if chance.random() < 0.8:
            head.append(f"Content-Length: {len(body) + chance.choice([0, 0, 0, 0, -1, 1, 100])}")
        line, *headers = head
        chance.shuffle(headers)
        data = _joined([line, *headers], body)
        if chance.random() < 0.3:
            place = chance.randrange(len(data) - len(body))
            data = data[:place] + chance.choice(_PIECES) + data[place + chance.randrange(3) :]
        return Request(number, "odd head", data, None, 1, HTTP, ends=True, answers=0)

    def in_chunks(self, number: int, chance: Random) -> Request:
        """A good call in chunks that may be none."""
        body = _dumped(self.call(chance), chance)
        cuts = sorted(chance.randrange(len(body) + 1) for _ in range(chance.randrange(4)))
        pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
        good = chance.random() < 0.6
        sizes = (
            [b"%x", b"%X", b"0%x"] if good else [b"%x", b"%x;a=b", b" %x", b"-%x", b"0x%x", b"%xg", b"+%x"]
        )
        framed = b"".join(chance.choice(sizes) % len(one) + b"\r\n" + one + b"\r\n" for one in pieces if one)
        framed += b"0\r\n\r\n" if good else chance.choice(_LAST_CHUNKS)
        head = [
            "POST /rpc HTTP/1.1",
            "Host: a",
            f"Authorization: Bearer {self.secrets[Scope.ADMIN]}",
            "Transfer-Encoding: chunked",
        ]
        data = _joined(head, framed)
        if good:
            return Request(number, "chunks", data, body)
        return Request(number, "odd chunks", data, None, 1, HTTP, ends=True, answers=0)

    def noise(self, number: int, chance: Random) -> Request:
        """Bytes."""
        data = chance.choice(
            [
                chance.randbytes(chance.randrange(1, 300)),
                b"\x16\x03\x01" + chance.randbytes(200),
                b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + chance.randbytes(50),
                b"GET / HTTP/0.9\r\n\r\n",
                b"\r\n" * chance.randrange(50),
                b"POST /rpc HTTP/1.1\r\n" + b"X: y\r\n" * chance.randrange(500),
                b"POST /rpc HTTP/1.1\nHost: a\nContent-Length: 2\n\n[]",
                b"A" * chance.randrange(10_000),
            ]
        )
        return Request(number, "noise", data, None, 1, HTTP, ends=True, answers=0)


_ABSENT = Raw("")


def _formed(named: dict[str, Any], method: Json, chance: Random) -> Any:
    """Parameters in one of the forms that they may have."""
    form = chance.random()
    if form < 0.65:
        return named
    if form < 0.75 or not {param["name"] for param in method["params"]} >= set(named):
        return [named]
    values = [named.get(param["name"]) for param in method["params"]]
    while values and values[-1] is None:
        values.pop()
    return values


def _hostile(schema: Json, name: str, chance: Random) -> Any:
    return wrong(chance)


_TASTES = [valid, valid, valid, nearly_valid, nearly_valid, _hostile]

# fmt: off
_ODD_MEMBERS = [
    "x", "ID", "userID", "programid", "clear", "params", "__proto__", "", "é", "\ud800", "a" * 300, "0",
]
# fmt: on


def _call_id(chance: Random) -> Any:
    """An id of any kind that may be one."""
    match chance.randrange(12):
        case 0:
            return chance.choice(HOSTILE_TEXTS)
        case 1:
            return chance.choice(HOSTILE_NUMBERS)
        case 2:
            return chance.choice(
                [0, "", None, Raw("1.0"), Raw("1e2"), Raw("-0"), Raw("-0.0"), 2**63, "\ud800", "é"]
            )
        case 3:
            return f"call-{chance.randrange(10**9)}"
    return chance.randrange(10**9)


def _spoil(members: list[tuple[str, Any]], chance: Random) -> list[tuple[str, Any]]:
    """A call that is not quite one."""
    match chance.randrange(8):
        case 0:
            return [(name, value) for name, value in members if name != chance.choice(["jsonrpc", "method"])]
        case 1:
            odd = chance.choice(["1.0", "2", 2.0, Raw("2.0"), "2.0 ", None, True, ["2.0"], ""])
            return [(name, odd if name == "jsonrpc" else value) for name, value in members]
        case 2:
            odd = chance.choice([None, 1, [], {}, True, *_ODD_NAMES])
            return [(name, odd if name == "method" else value) for name, value in members]
        case 3:
            odd = chance.choice([True, [], {}, [1], {"a": 1}, False, deep(chance)])
            return [(name, odd if name == "id" else value) for name, value in members]
        case 4:
            return [
                *members,
                (chance.choice(["x", "auth", "result", "error", "idempotencyKey"]), wrong(chance)),
            ]
        case 5:
            return [*members, chance.choice(members)]  # a member twice
        case 6:
            return [*members, ("id", _call_id(chance))]
    return [(name.upper() if chance.random() < 0.3 else name, value) for name, value in members]


# fmt: off
_ODD_NAMES = [
    "", "core.", "core.Nothing", "core.lookupProgram", "CORE.LookupProgram", "rpc.", "rpc.discover ",
    "__class__", "core.LookupProgram\x00", "\ud800", "é" * 200, "x" * 100_000,
    "core.LookupProgram.__call__", "../rpc", "admin", "test.Fail", "core.CreateUser\n", "%s", "{0}",
]

_PIECES = [
    b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\x00", b"\xff", b"\xc0\x80", b"\xed\xa0\x80",
    b"\xef\xbb\xbf", b"\xf4\x90\x80\x80", b"\n", b"\r\n", b"\t", b" ", b"\\u", b"\\ud800", b"\\x41", b"NaN",
    b"-Infinity", b"1e999", b"//", b"/*", b"'", b"0", b"-", b"+", b".", b"e", b"true", b"null", b"[[[[[[",
    b'"id":1,', b"\x0b", b"\xa0", b";",
]

_BODIES: list[bytes | Callable[[Random], bytes]] = [
    b"", b" ", b"\n", b"null", b"true", b"0", b'""', b"{}", b"[]", b"[[]]", b"[{}]", b"[null]", b"[1,2,3]",
    b"-", b".", b"{", b"[", b'"', b"nul", b"[1,]", b'{"a":1,}', b"[1 2]", b"'a'", b"\xef\xbb\xbf[]",
    b"\xff\xfe[\x00]\x00", b'{"jsonrpc":"2.0"}', b'{"method":"core.ListActivePrograms","id":1}',
    b"id=1&method=x", b"<?xml version='1.0'?>", b"[" * 100_000, b"[" * 65 + b"]" * 65, b'{"a":' * 3000,
    b"1" * 33, b"1" * 10_000, b'"' + b"x" * 300_000 + b'"', b"[" + b"1," * 19_998 + b"1]",
    b"[" + b"1," * 20_001 + b"1]", b"[" + b"{}," * 1200 + b"{}]", b"\x00" * 50, b"a" * (1024 * 1024),
    b"a" * (1024 * 1024 + 1), b"[" + b" " * 200_000 + b"]", b'"\\ud83d\\ude00"', b'"\\ud83d"',
    lambda chance: chance.randbytes(chance.randrange(200)),
    lambda chance: encoded([wrong(chance) for _ in range(5)]).encode("utf-8", "surrogatepass"),
    lambda chance: encoded(deep(chance)).encode(),
]
# fmt: on

_JSON_TYPES = ["application/json"] * 5 + ["application/json; charset=utf-8", "application/json-rpc"]
# fmt: off
_HARMLESS = [
    "Accept: */*", "User-Agent: fuzz", "Connection: keep-alive", "X-Request-Id: mine",
    "X-Forwarded-For: 192.0.2.1", "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "traceparent: 00-zz", "tracestate: a=b", "Idempotency-Key: fuzz", "Idempotency-Key: é",
    "Idempotency-Key: " + "k" * 3000, "Accept-Encoding: gzip, br",
    "X-Forwarded-Proto: https", "Forwarded: for=192.0.2.1;host=x", "If-None-Match: *", "Range: bytes=0-1",
]

_HTTP_METHODS = [
    "GET", "GET", "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "get",
    "X-Y", "\x01",
]
_PATHS = [
    "/", "/health", "/ready", "/openrpc.json", "/metrics", "/rpc", "/rpc/", "/rpc?x=1", "/RPC", "//rpc",
    "/rpc%2f", "/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/static/..%5c..",
    "/console/../../core.db", "/core-rpc.db", "/%00", "/%ff", "/%zz", "/\x7f", "/é", "*", "http://a/rpc",
    "http://[/rpc", "//", "/" + "a" * 9000, "/?" + "b" * 9000, "/openrpc.json?x", "/openrpc.json/",
    "/rpc#x", "/.env", "/.git/config", "/rpc;x", "/rpc\\", "?", "#", "rpc", "",
]
# fmt: on
_VERSIONS = ["HTTP/1.1"] * 8 + ["HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "HTTP/9.9", "http/1.1", ""]

# fmt: off
_ODD_HEADERS = [
    "Content-Type: text/plain", "Content-Type: application/x-www-form-urlencoded",
    "Content-Type: multipart/form-data", "Content-Type: \x80",
    "Content-Type: application/json; charset=utf-7", "Content-Encoding: gzip", "Content-Encoding: x",
    "Transfer-Encoding: chunked", "Transfer-Encoding: identity", "Transfer-Encoding: gzip, chunked",
    "Transfer-Encoding: x", "Transfer-Encoding:chunked ", "Transfer-Encoding: \x0bchunked",
    "Transfer-Encoding : chunked", " Transfer-Encoding: chunked", "Content-Length: 0", "Content-Length: -1",
    "Content-Length: +5", "Content-Length: 5,5", "Content-Length: 0x5",
    "Content-Length: 99999999999999999999", "Content-Length: 1_0", "Content-Length: \u0665",
    "Content-Length:", "Content-Length: 1 1", "Connection: close", "Connection: upgrade, keep-alive",
    "Upgrade: websocket", "Upgrade: h2c", "Connection: Content-Length", "Expect: 100-continue",
    "Expect: nothing", "Host: b", "Host:", "Host: a\x00b", "Host: é", "Host: [::1", "Host: a/../b",
    "Host: a b", 'If-None-Match: "', 'If-None-Match: W/"x", *', "If-Modified-Since: never",
    "Range: bytes=x", "Origin: null", "Referer: x", "X: " + "a" * 9000, "X: \x00", "X: a\x7f", "X:", ": x",
    "no colon", " folded", "\tfolded", "X: a\r\n b", "X: a\rb", "é: x", "Cookie: " + "a=b; " * 500,
    'Accept: "', "Authorization: Bearer x", "Proxy-Authorization: x", "TE: trailers", "Trailer: X",
    "X-HTTP-Method-Override: DELETE", "X-Original-URL: /admin", "X-Rewrite-URL: /rpc",
    'X-Forwarded-Host: evil"', "Via: 1.1 x",
]
_LAST_CHUNKS = [
    b"0\r\n\r\n", b"0\r\n", b"", b"0\n\n", b"0\r\nX: y\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n",
    b"00000000000\r\n\r\n", b"ffffffffffffffffff\r\n", b"-1\r\n\r\n", b"0;" + b"x" * 9000 + b"\r\n\r\n",
    b"0\r\n\r\nGET /ready HTTP/1.1\r\nHost: a\r\n\r\n",
]
# fmt: on

_KINDS: list[Callable[[Maker, int, Random], Request]] = [
    Maker.good,
    Maker.single,
    Maker.batch,
    Maker.notified,
    Maker.mutated,
    Maker.nonsense,
    Maker.without_right,
    Maker.elsewhere,
    Maker.odd_head,
    Maker.in_chunks,
    Maker.noise,
]
_WEIGHTS = [30, 24, 10, 4, 12, 4, 4, 4, 4, 3, 1]


def _dumped(content: Any, chance: Random) -> bytes:
    """The bytes of a body, written in one of the ways that JSON may be."""
    written = encoded(content, ascii_only=chance.random() < 0.6)
    if chance.random() < 0.05:
        written = f"\r\n\t {written} \n"
    return written.encode("utf-8", "surrogatepass")


def _joined(head: Sequence[str], body: bytes) -> bytes:
    return "\r\n".join([*head, "", ""]).encode("utf-8", "surrogateescape") + body
