"""Who is let in, and how the others are refused."""

from __future__ import annotations

import asyncio
import http.client
import json
import select
import socket
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import peewee
import pytest

from models import clock
from models.database import connected, database, writing
from models.tokens import Scope, Token
from rpc.access import Access
from rpc.fresh import Fresh
from tests.waiting import FAR

CALL = {"jsonrpc": "2.0", "id": 1, "method": "core.ListActivePrograms"}
CREATE = {"jsonrpc": "2.0", "id": 1, "method": "core.CreateUser", "params": {"email": "new@example.org"}}


@pytest.fixture
def post(server) -> Callable[..., tuple[int, dict[str, str], Any]]:
    """Post a call with Authorization headers of the test's choice: status, headers, content."""

    def post(*authorizations: str, call: Any = CALL, port: int = server.running.port) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=FAR)
        body = json.dumps(call).encode()
        connection.putrequest("POST", "/rpc")
        connection.putheader("Content-Length", str(len(body)))
        for authorization in authorizations:
            connection.putheader("Authorization", authorization.encode("utf-8", "surrogateescape"))
        connection.endheaders(body)
        response = connection.getresponse()
        content = json.loads(response.read())
        connection.close()
        return response.status, dict(response.getheaders()), content

    return post


@pytest.fixture
def issue(world) -> Callable[..., tuple[Token, str]]:
    def issue(**values: Any) -> tuple[Token, str]:
        with writing():
            return Token.issue("a test's", Scope.READ, **values)

    return issue


REFUSALS = {
    "no header": [],
    "nothing in it": [""],
    "no token": ["Bearer"],
    "an empty token": ["Bearer "],
    "an unknown token": ["Bearer crpc_" + "x" * 43],
    "not a token's form": ["Bearer \t!"],
    "bytes that are no text": ["Bearer \udcff\udcfe"],
    "text beyond ASCII": ["Bearer crpc_é"],
    "another scheme": ["Basic dXNlcjpwYXNz"],
    "a token without a scheme": ["{good}"],
    "a good token with another scheme": ["Token {good}"],
    "a good token and more": ["Bearer {good} x"],
    "a good token shortened": ["Bearer {short}"],
    "a good token in capitals": ["Bearer {capitals}"],
    "the header twice": ["Bearer {good}", "Bearer {good}"],
    "a good token after a bad one": ["Bearer x", "Bearer {good}"],
}


@pytest.mark.parametrize("given", REFUSALS.values(), ids=REFUSALS)
def test_without_one_good_token_the_answer_is_401_in_the_same_words(given, post, issue):
    _, good = issue()
    shown = [one.format(good=good, short=good[:-1], capitals=good.upper()) for one in given]

    status, headers, content = post(*shown)

    assert (status, headers["WWW-Authenticate"]) == (401, "Bearer")
    assert content == {
        "jsonrpc": "2.0",
        "error": {"code": -32004, "message": "Unauthorized", "data": {"code": "UNAUTHORIZED"}},
        "id": None,
    }


@pytest.mark.parametrize("given", ["Bearer {}", "bearer {}", "BEARER   {} "])
def test_a_good_token_lets_in(given, post, issue):
    _, good = issue()

    status, _, content = post(given.format(good))

    assert (status, content["result"]) == (200, [])


def test_an_expired_token_lets_nobody_in(post, issue):
    _, expired = issue(expires_at=clock.now())
    _, other = issue(expires_at=clock.now() + timedelta(seconds=1))

    assert post(f"Bearer {expired}")[0] == 401
    assert post(f"Bearer {other}")[0] == 200


def test_a_token_ends_within_its_use(post, issue):
    _, secret = issue(expires_at=clock.now() + timedelta(hours=1))
    before = post(f"Bearer {secret}")[0]

    clock.set_to(clock.now() + timedelta(hours=1))

    assert (before, post(f"Bearer {secret}")[0]) == (200, 401)


def test_a_revoked_token_ends_with_the_next_request(post, issue):
    token, secret = issue()
    before = post(f"Bearer {secret}")[0]

    with writing():
        Token.of(token.id).revoke()

    assert (before, post(f"Bearer {secret}")[0]) == (200, 401)


def test_a_token_made_beside_the_server_is_good_at_once(post, issue):
    assert post("Bearer crpc_none")[0] == 401

    _, secret = issue()

    assert post(f"Bearer {secret}")[0] == 200


async def test_refusals_take_the_same_steps_whether_a_token_was_ever_known(world, issue, statements):
    _, secret = issue(expires_at=clock.now() + timedelta(hours=1))
    access = Access(Fresh(), 0.0, 100, 10)
    access.caller([f"Bearer {secret}"])
    clock.set_to(clock.now() + timedelta(hours=2))

    steps = []
    for given in ([], ["Bearer x"], [f"Bearer {secret}"], [f"Bearer {secret}"]):
        await asyncio.sleep(0)  # each in a turn of the loop of its own
        before = len(statements)
        assert access.caller(given) is None
        steps.append([sql for sql, _ in statements[before:]])

    assert steps == [steps[0]] * 4
    assert len(steps[0]) == 2


@pytest.fixture
def statements(world) -> Any:
    """What the test's connection is asked, as (text, values)."""
    told: list[tuple[str, object]] = []
    database.connection().exec_trace = lambda _, sql, values: told.append((sql, values)) or True
    yield told
    database.connection().exec_trace = None


def test_of_a_token_only_its_hash_is_stored(world, issue):
    _, secret = issue()

    content = world.path.read_bytes() + world.path.with_name("core.db-wal").read_bytes()

    assert secret.encode() not in content
    assert secret.removeprefix("crpc_").encode() not in content


def test_a_scope_that_is_too_small_is_told_which_would_do(post, world):
    status, _, content = post(f"Bearer {world.secrets[Scope.READ]}", call=CREATE)

    assert status == 200
    assert content["error"] == {
        "code": -32003,
        "message": "Forbidden",
        "data": {"code": "FORBIDDEN", "needs": "write"},
    }


@pytest.mark.parametrize("scope", [Scope.WRITE, Scope.ADMIN])
def test_a_scope_contains_the_smaller_ones(scope, post, world):
    _, _, content = post(f"Bearer {world.secrets[scope]}", call=CREATE)

    assert content["result"] is True


def test_a_refused_scope_comes_before_the_parameters(post, world):
    _, _, content = post(f"Bearer {world.secrets[Scope.READ]}", call=CREATE | {"params": {"odd": 1}})

    assert content["error"]["code"] == -32003


def test_who_guesses_is_slowed_and_others_are_not(serve, post, world):
    port = serve(free_guesses=2, guess_seconds=10 * FAR, stop_seconds=0.1).running.port

    free = [post("Bearer guess", port=port)[0] for _ in range(2)]
    with socket.create_connection(("127.0.0.1", port), FAR) as slowed:
        head = "POST /rpc HTTP/1.1", "Host: a", "Authorization: Bearer guess", "Content-Length: 0", "", ""
        slowed.sendall("\r\n".join(head).encode())
        good = post(f"Bearer {world.secrets[Scope.READ]}", port=port)[0]
        answered, _, _ = select.select([slowed], [], [], 0)

    assert ([401, 401], 200, []) == (free, good, answered)


def test_who_guesses_gets_the_answer_once_the_time_is_over(serve, post):
    port = serve(free_guesses=0, guess_seconds=0.2).running.port
    began = time.monotonic()

    status = post("Bearer guess", port=port)[0]

    assert (401, True) == (status, time.monotonic() - began >= 0.2)


def test_guesses_are_forgiven_after_a_while():
    access = Access(Fresh(), 0.0, 100, free_guesses=2)

    slowed = [access.is_guessing("10.0.0.1", now) for now in (0.0, 1.0, 2.0, 61.5, 62.5)]

    assert slowed == [False, False, True, False, False]


def test_addresses_are_slowed_each_for_itself():
    access = Access(Fresh(), 0.0, 100, free_guesses=1)

    slowed = [access.is_guessing(address, 0.0) for address in ("10.0.0.1", "10.0.0.1", "10.0.0.2")]

    assert slowed == [False, True, False]


async def test_what_the_database_did_not_tell_is_asked_again_in_the_same_turn(world):
    database.close()
    fresh = Fresh()
    known = fresh.memory()
    known["a token"] = "lets in"
    away = world.path.rename(world.path.with_name("away.db"))
    world.path.mkdir()

    with pytest.raises(peewee.OperationalError):
        fresh.check()
    world.path.rmdir()
    away.rename(world.path)
    with connected(read_only=True):
        fresh.check()

    assert {} == known
