"""The log: which events have a line, what is in it, and what never is."""

from __future__ import annotations

import json
import logging
import re
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import sample
from models.tokens import Scope, Token
from rpc.monitoring.logs import CUT_TRACE, CallLines, JsonLines, LogCalls, TextLines
from rpc.registry import Lane
from tests.monitoring.conftest import LOOKUP, TRACEPARENT, Lines
from tests.waiting import FAR

pytestmark = pytest.mark.sample


def until(found: Callable[[], Any]) -> Any:
    """What comes to be true, or is not in time."""
    for _ in range(int(FAR / 0.02)):
        if value := found():
            return value
        threading.Event().wait(0.02)
    raise AssertionError("it did not come")


# Lines for calls


def test_answered_calls_leave_no_line_unless_it_is_set(server, call, lines):
    call(server)
    call(server, [LOOKUP, LOOKUP])

    assert [line for line in lines.all if line["logger"].startswith("rpc")] == []


def test_a_call_has_a_line_that_says_who_what_and_how_long(serve, call, lines, world):
    answer = call(serve(log_calls="all"))

    [line] = lines.of("call")
    reader = Token.with_secret(world.secrets[Scope.READ])
    assert line["requestId"] == answer.headers["X-Request-Id"]
    assert line["tokenId"] == str(reader.id)
    assert (line["method"], line["outcome"]) == ("core.ListActivePrograms", "ok")
    assert 0 < line["durationMs"] < FAR * 1000
    assert (line["level"], line["logger"]) == ("info", "rpc.monitoring.logs")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])


@pytest.mark.parametrize(
    ("body", "method", "outcome"),
    [
        (LOOKUP | {"method": "core.ListCohorts"}, "core.ListCohorts", "INVALID_PARAMS"),
        (
            LOOKUP | {"method": "core.ListCohorts", "params": [sample.NOBODY]},
            "core.ListCohorts",
            "PROGRAM_NOT_FOUND",
        ),
        (LOOKUP | {"method": "core.CreateUser"}, "core.CreateUser", "FORBIDDEN"),
        (LOOKUP | {"method": "core.Nothing"}, "unknown", "METHOD_NOT_FOUND"),
        (LOOKUP | {"method": 1}, "unknown", "INVALID_REQUEST"),
        (b"[", "unknown", "PARSE_ERROR"),
        (b"[]", "unknown", "INVALID_REQUEST"),
    ],
)
def test_the_outcome_is_the_word_of_the_catalogue(body, method, outcome, serve, call, lines):
    call(serve(log_calls="all"), body)

    [line] = lines.of("call")
    assert (line["method"], line["outcome"]) == (method, outcome)


def test_a_batch_has_one_line_that_counts_its_calls(serve, call, lines):
    batch = [LOOKUP] * 700 + [LOOKUP | {"method": f"core.Nothing{number}"} for number in range(300)]

    call(serve(log_calls="all"), batch)

    [line] = lines.of("batch")
    assert line["size"] == 1000
    assert line["calls"] == {
        "core.ListActivePrograms": {"ok": 700},
        "unknown": {"METHOD_NOT_FOUND": 300},
    }
    assert line["durationMs"] > 0
    assert "Nothing7" not in lines.getvalue()


def test_slow_requests_alone_have_a_line_when_it_is_set_so(serve, call, lines, make_method):
    make_method("test.Slow", lambda: threading.Event().wait(0.25))
    server = serve(log_calls="slow", log_slow_ms=200.0)

    call(server)
    call(server, LOOKUP | {"method": "test.Slow"})

    [line] = lines.of("call")
    assert line["method"] == "test.Slow"
    assert line["durationMs"] >= 200


@pytest.mark.parametrize("which", ["slow", "sampled", "all"])
def test_a_request_with_an_error_always_has_a_line_where_there_are_lines(which, serve, call, lines):
    server = serve(log_calls=which, log_share=0.0, log_slow_ms=60_000.0)

    call(server, LOOKUP | {"method": "core.Nothing"})
    call(server, [LOOKUP, LOOKUP | {"method": "core.Nothing"}])

    assert [line["outcome"] for line in lines.of("call")] == ["METHOD_NOT_FOUND"]
    assert len(lines.of("batch")) == 1


def test_a_share_of_the_requests_is_sampled():
    every = CallLines(LogCalls.SAMPLED, 0.0, 1.0)
    none = CallLines(LogCalls.SAMPLED, 0.0, 0.0)
    some = CallLines(LogCalls.SAMPLED, 0.0, 0.1)

    assert all(every.wants(False, 1.0) for _ in range(100))
    assert not any(none.wants(False, 1.0) for _ in range(100))
    assert 100 < sum(some.wants(False, 1.0) for _ in range(5000)) < 1000


# Faults


@pytest.mark.parametrize("which", ["off", "all"])
def test_a_fault_always_has_a_line_that_the_caller_s_id_finds(which, serve, call, lines, make_method):
    make_method("test.Fail", lambda: 1 / 0)

    answer = call(serve(log_calls=which), LOOKUP | {"method": "test.Fail"}, traceparent=TRACEPARENT)

    [line] = lines.of("a call failed")
    assert line["level"] == "error"
    assert line["requestId"] == answer.json["error"]["data"]["requestId"]
    assert line["method"] == "test.Fail"
    assert line["traceId"] == TRACEPARENT.split("-")[1]
    assert "ZeroDivisionError" in line["exception"]
    assert "ZeroDivision" not in answer.body.decode()


@pytest.mark.parametrize("lane", Lane)
def test_a_fault_is_told_with_its_request_whatever_thread_it_was_in(
    lane, server, request_to, world, lines, make_method
):
    make_method("test.Fail", lambda: 1 / 0, lane=lane)

    answer = request_to(
        server,
        "POST",
        "/rpc",
        LOOKUP | {"method": "test.Fail"},
        Authorization=f"Bearer {world.secrets[Scope.WRITE]}",
    )

    [line] = lines.of("a call failed")
    assert line["requestId"] == answer.headers["X-Request-Id"]
    assert line["tokenId"] is not None


# Trace context


def test_a_valid_traceparent_stands_in_the_lines_of_its_request(serve, call, lines):
    server = serve(log_calls="all")

    call(server, traceparent=TRACEPARENT, tracestate="vendor=value")
    call(server, [LOOKUP], traceparent=TRACEPARENT)
    call(server, b"[", traceparent=TRACEPARENT)
    call(server, Authorization="Bearer nothing", traceparent=TRACEPARENT)

    said = [line for line in lines.all if "requestId" in line]
    assert [line["message"] for line in said] == ["call", "batch", "call", "refused"]
    assert {line["traceId"] for line in said} == {"0af7651916cd43dd8448eb211c80319c"}
    assert {line["spanId"] for line in said} == {"b7ad6b7169203331"}


def test_an_invalid_traceparent_is_ignored(serve, call, lines):
    answer = call(serve(log_calls="all"), traceparent=TRACEPARENT.upper())

    [line] = lines.of("call")
    assert answer.status == 200
    assert "traceId" not in line


# Refusals


def test_a_refused_request_has_a_line_that_says_why(server, request_to, lines):
    answer = request_to(server, "GET", "/nothing")

    [line] = lines.of("refused")
    assert line["requestId"] == answer.headers["X-Request-Id"]
    assert (line["status"], line["reason"]) == (404, "NOT_THERE")
    assert (line["method"], line["path"], line["address"]) == ("GET", "/nothing", "127.0.0.1")


def test_a_refusal_of_a_known_caller_names_the_token(serve, call, lines, world):
    call(serve(rate_limit=0.001, rate_burst=0))

    [line] = lines.of("refused")
    reader = Token.with_secret(world.secrets[Scope.READ])
    assert (line["reason"], line["tokenId"]) == ("RATE_LIMITED", str(reader.id))


def test_a_server_that_is_not_ready_says_in_the_log_what_is_wrong(server, request_to, lines):
    server.running._app.draining = True

    request_to(server, "GET", "/ready")

    assert lines.of("refused")[0]["wrong"] == ["DRAINING"]


def test_what_somebody_sent_as_a_path_is_cut_and_escaped(server, request_to, lines):
    request_to(server, "GET", "/%1b[2J" + "a" * 5000)

    [line] = lines.of("refused")
    assert len(line["path"]) == 103
    assert line["path"].endswith("...")
    assert lines.getvalue().isascii()
    assert "\x1b" not in lines.getvalue()


def send(server: Any, *said: bytes) -> None:
    """Say something on a connection of its own each, and wait for the answer."""
    for one in said:
        with socket.create_connection(("127.0.0.1", server.running.port), timeout=FAR) as connection:
            connection.sendall(one)
            assert connection.recv(1000)


def test_of_what_is_not_http_nothing_is_repeated(server, lines, world):
    secret = world.secrets[Scope.ADMIN].encode()
    send(
        server,
        b"POST /rpc HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + secret + b"\r\nbad header\r\n\r\n",
        b"nonsense \x1b[31m and more\r\n\r\n",
    )

    said = lines.of("refused")
    assert [(line["status"], line["reason"]) for line in said] == [(400, "BAD_HTTP")] * 2
    assert all(set(line) >= {"requestId", "address", "error"} for line in said)
    assert "crpc_" not in lines.getvalue()
    assert "nonsense" not in lines.getvalue()


def test_lines_about_malformed_requests_are_so_many_a_second_and_the_rest_is_counted(serve, lines):
    server = serve(log_refusals=3)

    send(server, *[b"nonsense\r\n\r\n"] * 40)

    until(lambda: len(lines.of("refused")) + left_out(lines) == 40)
    assert len(lines.of("refused")) < 40
    for line in lines.of("more of the same: refused"):
        assert line["leftOut"] > 0


def left_out(lines: Lines) -> int:
    return sum(line["leftOut"] for line in lines.of("more of the same: refused"))


def test_without_lines_for_refusals_there_are_only_counts(serve, lines):
    server = serve(log_refusals=0)

    send(server, *[b"nonsense\r\n\r\n"] * 5)

    until(lambda: left_out(lines) == 5)
    assert lines.of("refused") == []


# What is never there


def test_neither_parameters_nor_secrets_nor_results_are_in_the_log(serve, request_to, lines, world):
    server = serve(log_calls="all")
    secret = world.secrets[Scope.ADMIN]
    bearer = {"Authorization": f"Bearer {secret}"}
    create = LOOKUP | {"method": "core.CreateUser", "params": {"email": "hidden@example.org"}}
    token = {"method": "admin.CreateToken", "params": {"name": "the hidden name", "scope": "read"}}

    request_to(server, "POST", "/rpc", create, **bearer)
    request_to(server, "POST", "/rpc", [create, create], **bearer)
    request_to(server, "POST", "/rpc", create | {"method": "hidden.Method"}, **bearer)
    request_to(server, "POST", "/rpc?hidden=1", create, Authorization="Bearer hidden")
    made = request_to(server, "POST", "/rpc", LOOKUP | token, **bearer)

    written = lines.getvalue()
    assert len(lines.of("call")) == 3
    assert "hidden" not in written
    assert secret not in written
    assert made.json["result"]["token"] not in written


def record(message: str, **facts: Any) -> logging.LogRecord:
    made = logging.makeLogRecord({"msg": message, "name": "rpc.test", "levelname": "INFO", "created": 0.5})
    made.facts = facts
    return made


@pytest.mark.parametrize("form", [JsonLines(), TextLines()])
def test_what_looks_like_a_token_is_blotted_out_wherever_it_is(form, world):
    secret = world.secrets[Scope.READ]
    made = record(f"it says {secret}", path=f"/{secret}/x")
    try:
        raise ValueError(secret)
    except ValueError:
        made.exc_info = sys.exc_info()

    line = form.format(made)

    assert secret not in line
    assert line.count("crpc_***") >= 3


@given(text=st.text())
def test_a_json_line_is_one_line_of_ascii_that_reads_back(text):
    line = JsonLines().format(record(text, said=text))

    assert line.isascii()
    assert line.isprintable()
    if "crpc_" not in text:
        assert (json.loads(line)["message"], json.loads(line)["said"]) == (text, text)


@given(text=st.text())
def test_a_line_for_people_cannot_be_made_to_look_like_two(text):
    line = TextLines().format(record(text, said=text))

    assert "\n" not in line
    assert line.isascii()
    assert line.isprintable()


def test_a_line_for_people_has_its_facts_behind_the_message():
    line = TextLines().format(record("refused", status=404, path="/a b", address="127.0.0.1", error=None))

    assert line == '1970-01-01T00:00:00.500Z INFO refused status=404 path="/a b" address=127.0.0.1'


def test_a_traceback_for_people_is_set_in_so_that_it_forges_no_line():
    made = record("failed")
    try:
        raise ValueError("first\n1970-01-01T00:00:00.500Z INFO forged")
    except ValueError:
        made.exc_info = sys.exc_info()

    first, *rest = TextLines().format(made).split("\n")

    assert first.endswith("INFO failed")
    assert rest
    assert all(line.startswith("    ") for line in rest)


def test_of_a_long_traceback_the_end_is_kept():
    made = record("failed")
    try:
        raise ValueError("x" * 100_000 + "the end")
    except ValueError:
        made.exc_info = sys.exc_info()

    line = json.loads(JsonLines().format(made))

    assert len(line["exception"]) == CUT_TRACE
    assert line["exception"].endswith("the end")


def test_statements_with_their_values_are_not_logged_at_any_level(client, lines):
    client.create_user("hidden@example.org")

    assert "hidden" not in lines.getvalue()
    assert "INSERT" not in lines.getvalue()
    assert logging.getLogger().level == logging.DEBUG
