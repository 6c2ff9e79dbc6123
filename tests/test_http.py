"""HTTP around the endpoint, over real sockets: statuses, headers, limits of size and time."""

from __future__ import annotations

import contextlib
import json
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.database import database
from models.tokens import Scope
from rpc.registry import Lane
from tests.waiting import FAR
from tests.wire import HOLD, LOOKUP, Wire, head

LINE_END = b"\r\n"


# What has an RPC answer is 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[", -32700),
        (b"1", -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "core.Nothing"}, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "core.LookupProgram"}, -32602),
    ],
)
def test_an_error_of_a_call_is_an_http_success(body, code, server, post):
    answer = post(server, body)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.error["code"] == code


def test_a_result_is_an_http_success(server, post):
    answer = post(server)

    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/json")
    assert json.loads(answer.body) == {"jsonrpc": "2.0", "result": [], "id": 1}


@pytest.mark.parametrize("count", [1, 3])
def test_notifications_alone_are_answered_by_an_empty_body(count, server, post):
    notification = {"jsonrpc": "2.0", "method": "core.ListActivePrograms"}

    answer = post(server, notification if count == 1 else [notification] * count)

    assert (answer.status, answer.body, answer.headers["Content-Length"]) == (200, b"", "0")


def test_a_connection_is_kept_for_further_requests(server, connect, world):
    wire, body = connect(server), json.dumps(LOOKUP).encode()

    answers = [wire.send(head(world, len(body)), body).receive() for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 200]


def test_requests_sent_before_the_answers_are_answered_in_order(server, connect, world):
    wire = connect(server)
    bodies = [json.dumps(LOOKUP | {"id": number}).encode() for number in range(5)]

    wire.send(*(head(world, len(body)) + body for body in bodies))

    received = b""
    while received.count(b'"id":') < 5:
        received += wire.socket.recv(65536)
    assert re.findall(rb'"id":(\d)', received) == [b"0", b"1", b"2", b"3", b"4"]


def test_a_body_in_chunks_is_read(server, connect, world):
    body = json.dumps(LOOKUP).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"

    answer = connect(server).send(head(world, None, Transfer_Encoding="chunked"), chunks).receive()

    assert json.loads(answer.body)["result"] == []


def test_who_asks_before_sending_a_body_is_told_to_go_on(server, connect, world):
    body = json.dumps(LOOKUP).encode()
    wire = connect(server).send(head(world, len(body), Expect="100-continue"))

    go_on = wire.socket.recv(1000)
    answer = wire.send(body).receive()

    assert go_on == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.status == 200


# Paths and methods


@pytest.mark.parametrize(
    "path", ["/", "/rpc/", "/RPC", "/nothing", "/%00", "/rpc%2f", "//rpc", "/..", "*", "/\x7f"]
)
def test_a_path_where_nothing_is_is_404(path, server, post):
    answer = post(server, path=path)

    assert (answer.status, answer.word) in [(404, "NOT_THERE"), (400, "BAD_HTTP")]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/rpc", "POST"),
        ("HEAD", "/rpc", "POST"),
        ("PUT", "/rpc", "POST"),
        ("OPTIONS", "/rpc", "POST"),
        ("POST", "/health", "GET, HEAD"),
        ("DELETE", "/ready", "GET, HEAD"),
    ],
)
def test_another_method_than_the_path_s_is_405(method, path, allowed, server, connect):
    wire = connect(server).send(f"{method} {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode())

    answer = wire.receive(method)

    assert (answer.status, answer.headers["Allow"]) == (405, allowed)
    if method != "HEAD":
        assert (answer.error["code"], answer.word) == (-32600, "METHOD_NOT_ALLOWED")


@pytest.mark.parametrize(("path", "status"), [("/health", "ok"), ("/ready", "ready")])
def test_whoever_asks_is_told_that_the_server_lives(path, status, server, connect):
    answer = connect(server).send(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode()).receive()

    assert (answer.status, json.loads(answer.body)) == (200, {"status": status})


def test_a_balancer_may_ask_for_the_head_alone(server, connect):
    answer = connect(server).send(b"HEAD /health HTTP/1.1\r\nHost: a\r\n\r\n").receive("HEAD")

    assert (answer.status, answer.body) == (200, b"")


def test_a_server_that_is_stopping_is_not_ready_yet_answers(server, post, connect):
    server.running._app.draining = True

    ready = connect(server).send(b"GET /ready HTTP/1.1\r\nHost: a\r\n\r\n").receive()
    answer = post(server)

    assert (ready.status, ready.word, ready.headers["Retry-After"]) == (503, "BUSY", "1")
    assert (answer.status, answer.headers["Connection"]) == (200, "close")


# What a request must be


@pytest.mark.parametrize(
    "given",
    [
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json-rpc",
        "application/jsonrequest",
        None,
    ],
)
def test_json_by_any_of_its_names_or_none_is_read(given, server, post):
    assert post(server, Content_Type=given).status == 200


@pytest.mark.parametrize(
    "given",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonx",
        "json",
        "",
        "\udcff",
    ],
)
def test_another_content_type_is_415(given, server, post):
    answer = post(server, Content_Type=given)

    assert (answer.status, answer.error["code"], answer.word) == (415, -32600, "NOT_JSON")


@pytest.mark.parametrize("given", ["gzip", "deflate", "br", "identity"])
def test_an_encoded_content_is_415(given, server, post):
    answer = post(server, Content_Encoding=given)

    assert (answer.status, answer.word) == (415, "NOT_JSON")


def test_a_body_as_long_as_allowed_is_read(serve, post):
    server = serve(max_body=300)
    body = json.dumps(LOOKUP).encode()

    assert post(server, body + b" " * (300 - len(body))).status == 200


def test_a_body_said_to_be_longer_is_413_before_it_is_sent(serve, connect, world):
    wire = connect(serve(max_body=300)).send(head(world, 301))

    answer = wire.receive()

    assert (answer.status, answer.error["code"], answer.error["data"]) == (
        413,
        -32600,
        {"code": "BODY_TOO_LARGE", "limit": 300},
    )
    assert wire.is_closed()


def test_a_body_in_chunks_that_gets_longer_is_413(serve, connect, world):
    wire = connect(serve(max_body=300)).send(head(world, None, Transfer_Encoding="chunked"))

    answer = wire.send(*[b"64\r\n" + b"1" * 100 + LINE_END] * 4).receive()

    assert (answer.status, answer.word) == (413, "BODY_TOO_LARGE")
    assert wire.is_closed()


def test_a_body_that_comes_too_slowly_is_408(serve, connect, world):
    wire = connect(serve(body_seconds=0.2)).send(head(world, 100), b"[")

    answer = wire.receive()

    assert (answer.status, answer.error["code"], answer.error["data"]) == (
        408,
        -32600,
        {"code": "BODY_TOO_SLOW", "limit": 0.2},
    )
    assert wire.is_closed()


def test_dripping_a_body_does_not_gain_time(serve, connect, world):
    wire = connect(serve(body_seconds=0.3)).send(head(world, 1000))
    wire.socket.settimeout(0.02)

    dripped = 0
    with contextlib.suppress(ConnectionError):
        while not has_answer(wire):
            wire.send(b" ")
            dripped += 1

    assert dripped < 1000  # of the whole body


def has_answer(wire: Wire) -> bool:
    try:
        return bool(wire.socket.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return False


def test_a_header_that_comes_too_slowly_ends_the_connection(serve, connect):
    wire = connect(serve(header_seconds=0.2)).send(b"POST /rpc HTTP/1.1\r\nHost:")

    assert wire.is_closed()


def test_a_connection_without_a_request_is_ended(serve, connect):
    wire = connect(serve(header_seconds=0.2))

    assert wire.is_closed()


def test_a_reply_that_nobody_takes_ends_the_connection(serve, connect, world, make_method):
    make_method("test.Long", lambda: "a" * 9_000_000)
    server = serve(reply_seconds=0.3)
    wire = connect(server)
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    body = json.dumps(LOOKUP | {"method": "test.Long"}).encode()
    wire.send(*[head(world, len(body)) + body] * 3)

    until = time.monotonic() + FAR
    while server.running._server.open and time.monotonic() < until:
        threading.Event().wait(0.01)

    assert not server.running._server.open


@pytest.mark.parametrize(
    "said",
    [
        b"hello\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"POST /rpc HTTP/9.9\r\nHost: a\r\n\r\n",
        b"POST /rpc HTTP/1.1\r\nno colon\r\n\r\n",
        b"POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /rpc HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
        b"POST /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"CONNECT \r\n\r\n",
        b"POST /rpc HTTP/1.1\r\nHost: a\r\n" + b"X: a\r\n" * 1000 + b"\r\n",
    ],
)
def test_what_is_not_http_is_400_in_our_words(said, server, connect):
    answer = connect(server).send(said).receive()

    assert (answer.status, answer.word) == (400, "BAD_HTTP")
    assert re.fullmatch("[0-9a-f-]{36}", answer.headers["X-Request-Id"])
    assert answer.headers["Server"] == "core-rpc"


def test_a_chunk_that_is_none_is_400(server, connect, world):
    wire = connect(server).send(head(world, None, Transfer_Encoding="chunked"), b"no chunk\r\n")

    assert (answer := wire.receive()).status == 400
    assert answer.word == "BAD_HTTP"
    assert wire.is_closed()


def test_who_leaves_within_a_body_does_no_harm(server, connect, post, world, caplog):
    wire = connect(server).send(head(world, 100), b"[")

    wire.socket.close()

    assert post(server).status == 200
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []


# What every reply has


@pytest.mark.parametrize(
    "said",
    [
        b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /rpc HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST /rpc HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_every_reply_has_an_id_of_its_own_and_no_version(said, server, connect):
    first, second = (connect(server).send(said).receive() for _ in range(2))

    assert re.fullmatch("[0-9a-f-]{36}", first.headers["X-Request-Id"])
    assert first.headers["X-Request-Id"] != second.headers["X-Request-Id"]
    assert first.headers["Server"] == "core-rpc"


def test_of_a_fault_the_reply_tells_only_the_request_s_id(server, post, make_method):
    def fail() -> None:
        raise RuntimeError("the secret is 42")

    make_method("test.Fail", fail)

    answer = post(server, LOOKUP | {"method": "test.Fail"})

    data = {"code": "INTERNAL_ERROR", "requestId": answer.headers["X-Request-Id"]}
    assert (answer.status, answer.error) == (200, {"code": -32603, "message": "Internal error", "data": data})


# How much at once


def test_a_call_beyond_the_rate_is_429(serve, post):
    server = serve(rate_limit=0.1, rate_burst=2)

    answers = [post(server) for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    refused = answers[-1]
    assert json.loads(refused.body)["id"] is None
    assert (refused.error["code"], refused.word) == (-32005, "RATE_LIMITED")
    assert 9_000 < refused.error["data"]["retryAfterMs"] <= 10_001
    assert refused.headers["Retry-After"] in ("10", "11")


def test_in_a_batch_the_entries_beyond_the_rate_are_refused(serve, post):
    server = serve(rate_limit=0.1, rate_burst=3)

    answer = post(server, [LOOKUP | {"id": number} for number in range(5)])

    replies = json.loads(answer.body)
    assert answer.status == 200
    assert [reply.get("error", {}).get("code") for reply in replies] == [None, None, None, -32005, -32005]
    assert replies[4]["error"]["data"]["retryAfterMs"] > 0
    assert [reply["id"] for reply in replies] == [0, 1, 2, 3, 4]


def test_each_token_has_a_rate_of_its_own(serve, post, world):
    server = serve(rate_limit=0.1, rate_burst=1)

    first = post(server)
    other = post(server, Authorization=f"Bearer {world.secrets[Scope.READ]}")

    assert (first.status, other.status) == (200, 200)


def test_a_place_is_free_again_after_a_refusal(serve, post, hold):
    server = serve(max_in_flight=1, max_waiting=0, readers=1)
    with ThreadPoolExecutor(1) as callers:
        in_flight = callers.submit(post, server, HOLD)
        assert hold.begun.acquire(timeout=FAR)
        refused = post(server)
        hold.set()
        in_flight.result()

    assert (refused.status, post(server).status) == (503, 200)


def test_health_is_told_while_all_places_are_taken(serve, post, hold, connect):
    server = serve(max_in_flight=1, max_waiting=0, readers=1)
    with ThreadPoolExecutor(1) as callers:
        in_flight = callers.submit(post, server, HOLD)
        assert hold.begun.acquire(timeout=FAR)
        answer = connect(server).send(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").receive()
        hold.set()
        in_flight.result()

    assert answer.status == 200


def test_a_connection_beyond_the_limit_is_told_so(serve, connect, world):
    server = serve(max_connections=1)
    body = json.dumps(LOOKUP).encode()
    first = connect(server).send(head(world, len(body)), body)
    assert first.receive().status == 200

    refused = connect(server).send(head(world, len(body)), body).receive()

    assert (refused.status, refused.word, refused.headers["Retry-After"]) == (503, "BUSY", "1")
    assert re.fullmatch("[0-9a-f-]{36}", refused.headers["X-Request-Id"])


def test_a_call_that_has_not_begun_by_its_deadline_is_not_carried_out(serve, post, hold, make_method):
    carried_out = []
    make_method("test.Late", lambda: carried_out.append(1), lane=Lane.SLOW)
    server = serve(readers=1, call_seconds=0.3)
    with ThreadPoolExecutor(1) as callers:
        held = callers.submit(post, server, HOLD)
        assert hold.begun.acquire(timeout=FAR)

        late = post(server, LOOKUP | {"method": "test.Late"})
        hold.set()

        assert json.loads(held.result().body)["result"] is True
    assert (late.status, late.error["code"], late.word) == (200, -32007, "DEADLINE_EXCEEDED")
    assert carried_out == []


def test_calls_of_a_batch_after_the_deadline_are_not_carried_out(serve, post, make_method):
    def long() -> bool:
        return bool(threading.Event().wait(0.3)) or True

    make_method("test.Long", long, lane=Lane.SLOW)
    make_method("test.Write", lambda: bool(database.execute_sql("DELETE FROM audit")), lane=Lane.WRITE)
    server = serve(call_seconds=0.2)

    answer = post(
        server,
        [
            LOOKUP | {"method": name}
            for name in ("test.Long", "test.Long", "test.Write", "core.ListActivePrograms")
        ],
    )

    found = [reply.get("result") or reply["error"]["code"] for reply in json.loads(answer.body)]
    assert found == [True, -32007, -32007, -32007]


def test_stopping_answers_what_is_in_flight(serve, post, hold):
    server = serve(readers=1)
    with ThreadPoolExecutor(2) as callers:
        in_flight = callers.submit(post, server, HOLD)
        assert hold.begun.acquire(timeout=FAR)
        stopping = callers.submit(server.__exit__)
        hold.set()
        stopping.result(FAR)

        answer = in_flight.result()

    assert json.loads(answer.body)["result"] is True


NAMES = [
    "Host",
    "Content-Type",
    "Content-Length",
    "Content-Encoding",
    "Transfer-Encoding",
    "Connection",
    "Expect",
    "Upgrade",
]
PIECES = [
    "",
    "a",
    "application/json",
    "chunked",
    "100-continue",
    "keep-alive",
    "close",
    "0",
    "7",
    "99",
    "-1",
    "é",
    "\udcff",
    "\x01",
]
PIECES += [
    ",",
    ";",
    "=",
    '"',
    "[",
    "%",
    "h2c",
    "websocket",
    "gzip",
    "[::1]:x",
    "a:b:c",
    "a b",
    "charset=\x80",
    "9" * 30,
]


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from(
        [
            "POST /rpc",
            "GET /health",
            "POST /rpc?a=%ff",
            "POST http://[/rpc",
            "OPTIONS *",
            "CONNECT a:1",
            "GET /%zz",
        ]
    ),
    headers=st.lists(
        st.tuples(st.sampled_from(NAMES), st.lists(st.sampled_from(PIECES), max_size=3).map("".join)),
        max_size=2,
    ),
    body=st.sampled_from([b"", b"0\r\n\r\n", b"1\r\n1\r\n0\r\n\r\n", b"[]", b"\xff" * 20, b"2\r\nxx"]),
)
def test_no_request_is_the_server_s_fault(start, headers, body, impatient, world):
    lines = [f"{start} HTTP/1.1", "Host: a", *(f"{name}: {value}" for name, value in headers)]
    lines += [f"Authorization: Bearer {world.secrets[Scope.ADMIN]}", "", ""]
    wire = Wire(impatient.running.port)

    wire.send("\r\n".join(lines).encode("utf-8", "surrogateescape"), body)
    received = wire.socket.recv(65536)
    wire.socket.close()

    assert received.startswith(b"HTTP/1.") or received == b""  # nothing, where a header never ended
    assert b"INTERNAL_ERROR" not in received
    assert b" 500 " not in received


@pytest.fixture
def impatient(serve):
    """A server that waits for nothing long."""
    return serve(body_seconds=0.05, header_seconds=0.1)
