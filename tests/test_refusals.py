"""Whoever has no right is refused, on every method and path, in the same words, and nothing is done.

Whether they take the same time is measured by `python -m tests.timing`.
"""

from __future__ import annotations

import json
import re
import select
import socket
from datetime import timedelta
from typing import Any

import pytest

import rpc.app  # noqa: F401  registers the methods
from models import clock
from models.audit import Audit
from models.database import writing
from models.tokens import PREFIX, Scope, Token
from rpc.access import Access
from rpc.fresh import Fresh
from rpc.registry import METHODS
from tests.test_http import Wire
from tests.waiting import FAR

REFUSED = (
    b"HTTP/1.1 401 Unauthorized\r\n"
    b"Content-Type: application/json\r\n"
    b"WWW-Authenticate: Bearer\r\n"
    b"X-Request-Id: ID\r\n"
    b"Server: core-rpc\r\n"
    b"Content-Length: 107\r\n"
    b"Date: DATE\r\n"
    b"\r\n"
    b'{"jsonrpc":"2.0","error":{"code":-32004,"message":"Unauthorized","data":{"code":"UNAUTHORIZED"}},"id":null}'
)

# What is shown instead of one good token in its place: header lines, or what is put into the target
# or the body. GOOD stands for a token that would let in if it came as it must.
SHOWN = {
    "nothing": (),
    "an empty header": ("Authorization:",),
    "no token": ("Authorization: Bearer",),
    "no scheme": ("Authorization: GOOD",),
    "another scheme": ("Authorization: Token GOOD",),
    "Basic, as the user": ("Authorization: Basic R09PRDo=",),
    "malformed": ("Authorization: Bearer !",),
    "beyond ASCII": ("Authorization: Bearer crpc_é",),
    "a NUL written out": ("Authorization: Bearer GOOD%00",),
    "unknown": ("Authorization: Bearer UNKNOWN",),
    "expired": ("Authorization: Bearer EXPIRED",),
    "revoked": ("Authorization: Bearer REVOKED",),
    "the hash": ("Authorization: Bearer HASH",),
    "a wildcard": ("Authorization: Bearer %",),
    "SQL": ("Authorization: Bearer ' OR 1=1 --",),
    "a good one and another": ("Authorization: Bearer GOOD, Bearer UNKNOWN",),
    "the header twice": ("Authorization: Bearer GOOD", "Authorization: Bearer GOOD"),
    "twice in two cases": ("Authorization: Bearer GOOD", "authorization: Bearer UNKNOWN"),
    "X-Api-Key": ("X-Api-Key: GOOD",),
    "a cookie": ("Cookie: Authorization=Bearer GOOD; token=GOOD; access_token=GOOD",),
    "the proxy's header": ("Proxy-Authorization: Bearer GOOD",),
    "what proxies pass on": (
        "X-Forwarded-Authorization: Bearer GOOD",
        "X-Original-Authorization: Bearer GOOD",
    ),
    "the query": ("?access_token=GOOD&token=GOOD&Authorization=Bearer%20GOOD",),
    "the body": ("BODY",),
}


@pytest.fixture
def patient(serve) -> Any:
    """A server that lets guess."""
    return serve(free_guesses=10**6, guess_seconds=0)


@pytest.fixture
def texts(world) -> dict[str, str]:
    with writing():
        _, expired = Token.issue("expired", Scope.ADMIN, expires_at=clock.now() - timedelta(days=1))
        token, revoked = Token.issue("revoked", Scope.ADMIN)
        token.revoke()
    good = world.secrets[Scope.ADMIN]
    return {
        "GOOD": good,
        "UNKNOWN": PREFIX + "x" * 43,
        "EXPIRED": expired,
        "REVOKED": revoked,
        "HASH": Token.with_secret(good).hash,
    }


@pytest.fixture
def answered(patient, texts) -> Any:
    """Send requests over one connection: the bytes that come back, their id and date aside."""
    wire = Wire(patient.running.port)

    def answered(method: str, path: str, shown: tuple[str, ...], body: bytes) -> bytes:
        lines = [line for line in shown if ":" in line]
        target = path + "".join(line for line in shown if line.startswith("?"))
        head = "\r\n".join([f"{method} {target} HTTP/1.1", "Host: a", *lines, f"Content-Length: {len(body)}"])
        for name, text in texts.items():
            head = head.replace(name, text)
        wire.send(head.encode("latin-1", "replace"), b"\r\n\r\n", body)
        return without_what_differs(wire.socket.recv(65536))

    yield answered
    wire.socket.close()


def without_what_differs(reply: bytes) -> bytes:
    reply = re.sub(rb"\r\nX-Request-Id: [0-9a-f-]{36}\r\n", b"\r\nX-Request-Id: ID\r\n", reply)
    return re.sub(rb"\r\nDate: [^\r]+\r\n", b"\r\nDate: DATE\r\n", reply)


def call_of(name: str, shown: tuple[str, ...] = (), **more: Any) -> dict[str, Any]:
    params = dict(METHODS[name].example) if name in METHODS else {}
    if "BODY" in shown:
        params |= {"token": "GOOD", "access_token": "GOOD"}
        more |= {"token": "GOOD", "Authorization": "Bearer GOOD"}
    return {"jsonrpc": "2.0", "id": 1, "method": name, "params": params} | more


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_on_every_method_a_bad_token_is_refused_in_the_same_bytes_and_nothing_is_done(
    shown, answered, texts, world
):
    before = Audit.select().count()

    found = set()
    for name in (*METHODS, "core.Nothing", "rpc.internal"):
        body = json.dumps(call_of(name, shown)).replace("GOOD", texts["GOOD"]).encode()
        found.add(answered("POST", "/rpc", shown, body))

    assert found == {REFUSED}
    assert Audit.select().count() == before


BODIES = {
    "nothing": b"",
    "no JSON": b"[",
    "no request": b"1",
    "an empty batch": b"[]",
    "too deep": b"[" * 100 + b"]" * 100,
    "a notification": b'{"jsonrpc":"2.0","method":"core.ListActivePrograms"}',
    "a batch": b"[" + json.dumps(call_of("core.CreateUser")).encode() + b"]",
    "wrong parameters": b'{"jsonrpc":"2.0","id":1,"method":"core.LookupProgram","params":[1]}',
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_is_asked_makes_no_difference_to_who_may_not_ask(body, answered):
    assert REFUSED == answered("POST", "/rpc", SHOWN["unknown"], body)


@pytest.mark.parametrize("shown", SHOWN.values(), ids=SHOWN)
def test_every_path_that_is_not_public_wants_a_token(shown, answered, patient):
    routes = patient.running._app.routes
    asked = [(path, method) for path, one in routes.items() if not one.public for method in one.methods]

    replies = {answered(method, path, shown, b"") for path, method in asked}

    assert {"/rpc", "/openrpc.json"} <= {path for path, _ in asked}
    assert replies == {REFUSED, REFUSED.partition(b"{")[0]}  # HEAD has no body


def test_only_what_tells_nothing_is_public(patient):
    routes = patient.running._app.routes

    assert {path for path, one in routes.items() if one.public} <= {"/health", "/ready", "/"}


# A good token of too small a scope


def smaller_scopes(needed: Scope) -> list[Scope]:
    return [scope for scope in Scope if not scope.covers(needed)]


@pytest.mark.parametrize("form", ["example", "no parameters", "wrong parameters"])
def test_on_every_method_too_small_a_scope_is_told_what_is_needed_and_nothing_is_done(
    form, answered, texts, world
):
    before = Audit.select().count()
    more = {"example": {}, "no parameters": {"params": []}, "wrong parameters": {"params": {"x": 1}}}[form]

    found: dict[Scope, set[bytes]] = {}
    for name, entry in METHODS.items():
        for scope in smaller_scopes(entry.scope):
            shown = (f"Authorization: Bearer {world.secrets[scope]}",)
            body = json.dumps(call_of(name, **more)).encode()
            found.setdefault(entry.scope, set()).add(answered("POST", "/rpc", shown, body))

    assert {Scope.WRITE, Scope.ADMIN} == set(found)
    for needed, replies in found.items():
        [reply] = replies
        assert json.loads(reply.partition(b"\r\n\r\n")[2])["error"] == {
            "code": -32003,
            "message": "Forbidden",
            "data": {"code": "FORBIDDEN", "needs": needed},
        }
    assert Audit.select().count() == before


def test_the_document_tells_of_no_method_that_the_token_may_not_call(answered, world):
    told = {}
    for scope in Scope:
        shown = (f"Authorization: Bearer {world.secrets[scope]}",)
        body = json.dumps(call_of("rpc.discover")).encode()
        wire_reply = answered("POST", "/rpc", shown, body)
        told[scope] = {name for name in METHODS if f'"name":"{name}"'.encode() in wire_reply}

    assert not told[Scope.READ] & {name for name, entry in METHODS.items() if entry.scope is not Scope.READ}
    assert not told[Scope.WRITE] & {name for name, entry in METHODS.items() if entry.scope is Scope.ADMIN}


# Patience with those who guess


GOOD_CALL = json.dumps(call_of("core.ListActivePrograms")).encode()


def asking(token: str) -> bytes:
    return (
        f"POST /rpc HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {token}\r\n"
        f"Content-Length: {len(GOOD_CALL)}\r\n\r\n"
    ).encode() + GOOD_CALL


@pytest.fixture
def connect_from(world) -> Any:
    """Open connections from an address of this machine's choice."""
    made: list[socket.socket] = []

    def connect_from(server: Any, address: str) -> socket.socket:
        made.append(
            socket.create_connection(("127.0.0.1", server.running.port), FAR, source_address=(address, 0))
        )
        return made[-1]

    yield connect_from
    for wire in made:
        wire.close()


def status(wire: socket.socket) -> int:
    return int(wire.recv(65536).split()[1])


def test_a_guess_beyond_the_free_ones_waits_and_nobody_else_does(serve, connect_from, world):
    server = serve(free_guesses=3, guess_seconds=4)
    guesser = connect_from(server, "127.0.0.2")
    free = [guesser.sendall(asking("guess")) or status(guesser) for _ in range(3)]

    held = [connect_from(server, "127.0.0.2") for _ in range(5)]
    for wire in held:
        wire.sendall(asking("guess"))
    same_address = connect_from(server, "127.0.0.2")
    same_address.sendall(asking(world.secrets[Scope.READ]))
    good = status(same_address)
    other_address = connect_from(server, "127.0.0.3")
    other_address.sendall(asking("guess"))
    other = status(other_address)

    waiting = select.select(held, [], [], 0)[0] == []
    late = [status(wire) for wire in held]
    assert (free, good, other) == ([401, 401, 401], 200, 401)
    assert (waiting, late) == (True, [401] * 5)


def test_a_guess_that_waited_is_refused_in_the_same_bytes(serve, connect_from):
    server = serve(free_guesses=1, guess_seconds=0.01)
    wire = connect_from(server, "127.0.0.2")

    replies = [wire.sendall(asking("guess")) or wire.recv(65536) for _ in range(3)]

    assert {without_what_differs(reply) for reply in replies} == {REFUSED}


def guesses(*asked: tuple[str, float], free: int = 2) -> list[bool]:
    access = Access(Fresh(), 0.0, 100, free_guesses=free)
    return [access.is_guessing(address, now) for address, now in asked]


def test_who_goes_on_guessing_stays_slowed_and_who_stops_for_a_minute_is_not():
    steady = [("192.0.2.1", float(second)) for second in range(100)]

    assert guesses(*steady) == [False, False] + [True] * 98
    assert guesses(*steady, ("192.0.2.1", 160.0)) == [False, False] + [True] * 98 + [False]


def test_the_addresses_of_one_ipv6_network_are_one_guesser():
    ours = [(f"2001:db8:0:1::{number:x}", 0.0) for number in range(4)]

    assert guesses(*ours, ("2001:db8:0:2::1", 0.0)) == [False, False, True, True, False]


def test_an_ipv4_address_is_the_same_guesser_written_as_ipv6():
    assert guesses(("192.0.2.1", 0.0), ("::ffff:192.0.2.1", 0.0), free=1) == [False, True]
    assert guesses(("::ffff:192.0.2.1", 0.0), ("::ffff:192.0.2.2", 0.0), free=1) == [False, False]


def test_of_countless_addresses_only_so_many_are_remembered():
    access = Access(Fresh(), 0.0, 100, free_guesses=0)

    for number in range(30_000):
        access.is_guessing(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)

    assert len(access._guesses) == 10_000


def test_where_no_address_is_known_guesses_are_counted_all_the_same():
    assert guesses(("", 0.0), ("", 0.0), free=1) == [False, True]
