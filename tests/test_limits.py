"""What the limits promise: who is refused, when, and that it harms nobody else."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import apsw
import marshmallow.fields
import pytest

from models.cohorts import Cohort
from models.database import database
from models.tokens import Scope
from rpc.app import HELD_SECONDS_LEAST, LONG_AT_ONCE, LONG_SECONDS
from rpc.envelope import LONG_BODY
from rpc.registry import Lane
from rpc.schemas import Params, required
from tests.waiting import FAR, until
from tests.wire import HOLD, LOOKUP, Broken, Wire, head

ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


class Name(Params):
    name = required(marshmallow.fields.String, "a name")


def body_of(call: Any, length: int = 0) -> bytes:
    return json.dumps(call).encode().ljust(length)


# At the gate


def test_who_comes_beyond_those_who_wait_gets_503_at_once_and_nothing_is_carried_out(
    serve, post, hold, make_method
):
    carried_out = []
    make_method("test.Late", lambda: carried_out.append(1))
    server = serve(max_in_flight=1, max_waiting=1, readers=2)
    with ThreadPoolExecutor(2) as callers:
        inside = [callers.submit(post, server, HOLD) for _ in range(2)]
        for _ in inside:
            assert hold.begun.acquire(timeout=FAR)

        refused = post(server, LOOKUP | {"method": "test.Late"})
        hold.set()

        assert [200, 200] == [one.result().status for one in inside]
    assert (refused.status, refused.error["code"], refused.word) == (503, -32009, "BUSY")
    assert (refused.headers["Retry-After"], refused.error["data"]["retryAfterMs"]) == ("1", 1000)
    assert carried_out == []


def test_a_refused_caller_is_told_at_once_and_then_its_connection_rests(serve, connect, world, hold, post):
    server = serve(max_in_flight=1, max_waiting=0, readers=1)
    body = body_of(LOOKUP)
    wire = connect(server)
    with ThreadPoolExecutor(1) as callers:
        in_flight = callers.submit(post, server, HOLD)
        assert hold.begun.acquire(timeout=FAR)
        began = time.monotonic()
        answers = [wire.send(head(world, len(body)), body).receive() for _ in range(4)]
        took = time.monotonic() - began
        hold.set()
        in_flight.result()

    assert [503] * 4 == [answer.status for answer in answers]
    assert took >= 3 * HELD_SECONDS_LEAST
    assert wire.send(head(world, len(body)), body).receive().status == 200


def test_a_connection_that_rests_keeps_no_other_waiting(serve, connect, world):
    server = serve(rate_limit=0.01, rate_burst=1)
    body = body_of(LOOKUP)
    refused = connect(server).send(*[head(world, len(body)), body] * 50)
    assert (refused.receive().status, refused.receive().status) == (200, 429)

    reader = f"Bearer {world.secrets[Scope.READ]}"
    other = connect(server).send(head(world, len(body), Authorization=reader), body).receive()

    assert other.status == 200
    assert refused.unread().count(b" 429 ") < 48  # some of the 50 are still to come


def test_long_requests_are_few_at_the_same_time_and_short_ones_go_past_them(serve, post, hold):
    server = serve(readers=LONG_AT_ONCE + 1, wait_seconds=FAR)
    with ThreadPoolExecutor(LONG_AT_ONCE + 1) as callers:
        began = time.monotonic()
        long = [callers.submit(post, server, body_of(HOLD, LONG_BODY)) for _ in range(LONG_AT_ONCE + 1)]
        for _ in range(LONG_AT_ONCE):
            assert hold.begun.acquire(timeout=FAR)

        short = post(server)
        assert hold.begun.acquire(timeout=FAR)  # the last one is let in though none has ended
        let_in = time.monotonic() - began
        hold.set()

        assert [200] * len(long) == [one.result().status for one in long]
    assert short.status == 200
    assert let_in >= LONG_SECONDS


def test_a_long_body_is_refused_before_it_is_sent_when_its_line_is_full(serve, connect, post, world, hold):
    server = serve(readers=LONG_AT_ONCE, wait_seconds=0.0, max_waiting=0)
    server.running._app.gate_of_long._may_wait = 0
    with ThreadPoolExecutor(LONG_AT_ONCE) as callers:
        long = [callers.submit(post, server, body_of(HOLD, LONG_BODY)) for _ in range(LONG_AT_ONCE)]
        for _ in range(LONG_AT_ONCE):
            assert hold.begun.acquire(timeout=FAR)

        refused = connect(server).send(head(world, LONG_BODY)).receive()
        hold.set()

        assert [200] * len(long) == [one.result().status for one in long]
    assert (refused.status, refused.word) == (503, "BUSY")


# Deadlines


@pytest.fixture
def locked(world) -> Iterator[Callable[[], None]]:
    """The database is locked by another process's transaction, until the test lets go."""
    other = apsw.Connection(str(world.path))
    other.execute("BEGIN IMMEDIATE")

    def let_go() -> None:
        if other.in_transaction:
            other.execute("ROLLBACK")

    yield let_go
    let_go()
    other.close()


@pytest.fixture
def make_cohort(make_method, make_program) -> str:
    program = make_program()
    make_method(
        "test.Confirm", lambda name: str(Cohort.confirm(program.id, name)), params=Name, lane=Lane.WRITE
    )
    return "test.Confirm"


def confirm(method: str, name: str) -> dict[str, Any]:
    return LOOKUP | {"method": method, "params": {"name": name}}


def test_a_write_whose_turn_does_not_come_by_its_deadline_is_answered_then_and_never_made(
    serve, post, make_cohort, locked
):
    server = serve(call_seconds=3.0)

    late = post(server, confirm(make_cohort, "late"))
    locked()
    good = post(server, confirm(make_cohort, "good"))

    assert (late.status, late.word) == (200, "DEADLINE_EXCEEDED")  # not BUSY, as when the lock is given up
    assert "result" in json.loads(good.body)
    assert ["good"] == [cohort.name for cohort in Cohort.select()]


def test_a_batch_of_writes_is_answered_at_the_deadline_as_well(serve, post, make_cohort, locked):
    server = serve(call_seconds=3.0)

    late = post(server, [LOOKUP, *(confirm(make_cohort, f"late {number}") for number in range(100))])
    locked()
    post(server, confirm(make_cohort, "good"))

    words = [reply.get("error", {}).get("data", {}).get("code") for reply in json.loads(late.body)]
    assert [None, *["DEADLINE_EXCEEDED"] * 100] == words
    assert ["good"] == [cohort.name for cohort in Cohort.select()]


def test_of_writes_that_wait_together_those_are_given_up_whose_deadline_has_passed(
    serve, post, make_cohort, locked
):
    server = serve(call_seconds=4.0)
    with ThreadPoolExecutor(2) as callers:
        early = callers.submit(post, server, confirm(make_cohort, "early"))
        time.sleep(3.5)  # what is tested is time
        late = callers.submit(post, server, confirm(make_cohort, "late"))
        early.result()
        locked()

        assert (early.result().word, "result" in json.loads(late.result().body)) == (
            "DEADLINE_EXCEEDED",
            True,
        )
    assert ["late"] == [cohort.name for cohort in Cohort.select()]


def test_a_write_that_has_begun_is_finished_and_answered_whatever_the_deadline(serve, post, make_method):
    def slowly() -> bool:
        time.sleep(2.5)  # what is tested is time
        database.execute_sql("DELETE FROM audit")
        return True

    make_method("test.Slowly", slowly, lane=Lane.WRITE)

    answer = post(serve(call_seconds=2.0), LOOKUP | {"method": "test.Slowly"})

    assert json.loads(answer.body)["result"] is True


def test_a_slow_read_ends_at_its_deadline(serve, post, make_method):
    make_method("test.Endless", lambda: database.execute_sql(ENDLESS).fetchone(), lane=Lane.SLOW)
    server = serve(call_seconds=2.0, readers=1)

    answer = post(server, LOOKUP | {"method": "test.Endless"})

    assert (answer.status, answer.word) == (200, "DEADLINE_EXCEEDED")
    assert json.loads(post(server, LOOKUP | {"method": "core.ListActivePrograms"}).body)["result"] == []


def test_a_slow_read_that_iterates_for_ever_ends_as_well(serve, post, make_method):
    without_end = ENDLESS.replace("count(*)", "i") + " WHERE i % 1000000 = 0"
    make_method("test.Endless", lambda: sum(1 for _ in database.execute_sql(without_end)), lane=Lane.SLOW)

    answer = post(serve(call_seconds=0.3), LOOKUP | {"method": "test.Endless"})

    assert answer.word == "DEADLINE_EXCEEDED"


# Rates


def test_a_rate_counts_the_calls_of_batches_and_single_ones_together(serve, post):
    server = serve(rate_limit=0.01, rate_burst=5)

    batch = post(server, [LOOKUP, {"jsonrpc": "2.0", "method": "core.ListActivePrograms"}, LOOKUP, 1])
    statuses = [post(server).status for _ in range(3)]

    assert [True, True, False] == ["result" in reply for reply in json.loads(batch.body)]
    assert [200, 200, 429] == statuses  # two calls and a notification went before; what is no call is free


def test_after_the_time_that_a_refusal_names_a_call_is_good(serve, post):
    server = serve(rate_limit=2.0, rate_burst=1)
    post(server)

    refused = json.loads(post(server, [LOOKUP] * 2).body)
    wait = min(reply["error"]["data"]["retryAfterMs"] for reply in refused if "error" in reply)
    time.sleep(wait / 1000)  # what is tested is time

    assert 0 < wait <= 501
    assert post(server).status == 200


def test_who_is_beyond_the_rate_takes_nothing_from_another_token(serve, post, world):
    server = serve(rate_limit=0.01, rate_burst=50)
    batch = [LOOKUP] * 100

    greedy = [json.loads(post(server, batch).body) for _ in range(3)]
    reader = f"Bearer {world.secrets[Scope.READ]}"
    other = json.loads(post(server, batch[:50], Authorization=reader).body)

    assert [50, 0, 0] == [sum("result" in reply for reply in replies) for replies in greedy]
    assert 50 == sum("result" in reply for reply in other)


# Connections


def test_of_a_burst_of_connections_no_more_than_allowed_are_served(serve, connect, world):
    server = serve(max_connections=5)
    body = body_of(LOOKUP)

    wires = [connect(server) for _ in range(40)]
    statuses = []
    for wire in wires:
        with contextlib.suppress(OSError):
            wire.send(head(world, len(body)), body)
        statuses.append(wire.receive().status)

    assert [200] * 5 == statuses[:5]
    assert {503} == set(statuses[5:])


def test_who_has_said_all_and_closed_that_way_gets_the_reply(server, connect, world, make_method):
    make_method("test.Slowly", lambda: time.sleep(0.2), lane=Lane.SLOW)
    body = body_of(LOOKUP | {"method": "test.Slowly"})
    wire = connect(server).send(head(world, len(body)), body)

    wire.socket.shutdown(socket.SHUT_WR)

    assert json.loads(wire.receive().body) == {"jsonrpc": "2.0", "result": None, "id": 1}
    assert wire.is_closed()


def test_who_has_pipelined_and_closed_that_way_gets_all_replies(server, connect, world):
    body = body_of(LOOKUP)
    wire = connect(server).send(*[head(world, len(body)), body] * 200)

    wire.socket.shutdown(socket.SHUT_WR)
    received = b""
    while piece := wire.socket.recv(65536):
        received += piece

    assert 200 == received.count(b"HTTP/1.1 200 OK")


def test_however_many_callers_pipeline_others_wait_for_few_of_their_requests(
    serve, connect, world, make_method
):
    carried_out: list[str] = []
    begun, go_on = threading.Event(), threading.Event()
    make_method("test.Piped", lambda: carried_out.append("piped"), lane=Lane.QUICK)
    make_method("test.Alone", lambda: carried_out.append("alone"), lane=Lane.QUICK)
    make_method("test.Stop", lambda: begun.set() or go_on.wait(FAR), lane=Lane.QUICK)
    server = serve()

    def send(method: str, count: int = 1) -> Wire:
        body = body_of(LOOKUP | {"method": method})
        return connect(server).send(*[head(world, len(body)), body] * count)

    stopped = send("test.Stop")
    assert begun.wait(FAR)  # the server stands still until all have sent
    pipelining = [send("test.Piped", 30) for _ in range(20)]
    callers = [send("test.Alone") for _ in range(20)]
    go_on.set()

    for count, wire in [(1, stopped), *((30, wire) for wire in pipelining), *((1, wire) for wire in callers)]:
        assert [200] * count == [wire.receive().status for _ in range(count)]
    last = max(place for place, what in enumerate(carried_out) if what == "alone")
    assert carried_out[:last].count("piped") < 5 * 20  # and not one of each of the 20 for each caller


@pytest.mark.parametrize("said", [b"", b"POST /rpc HTTP/1.1\r\nHost:"])
def test_who_closes_without_a_whole_request_is_hung_up_on(said, server, connect):
    wire = connect(server).send(said)

    wire.socket.shutdown(socket.SHUT_WR)

    assert wire.is_closed()


def test_who_closes_within_a_body_is_hung_up_on(server, connect, world):
    wire = connect(server).send(head(world, 100), b"[")

    wire.socket.shutdown(socket.SHUT_WR)

    assert wire.is_closed()


def test_when_too_much_is_not_taken_who_was_slowest_is_cut(serve, connect, post, world, make_method):
    make_method("test.Long", lambda: "a" * 8_000_000)
    server = serve(max_unsent=3_000_000)
    body = body_of(LOOKUP | {"method": "test.Long"})

    first = connect(server)
    first.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    first.send(head(world, len(body)), body)
    until = time.monotonic() + FAR
    while not server.running._server._unsent and time.monotonic() < until:
        threading.Event().wait(0.01)
    second = connect(server).send(head(world, len(body)), body)

    assert len(second.receive().body) > 8_000_000
    with pytest.raises(Broken):
        first.receive()
    assert post(server).status == 200


def test_replies_that_are_not_taken_end_the_carrying_out_of_what_was_pipelined(
    serve, connect, world, make_method
):
    carried_out: list[int] = []
    make_method("test.Long", lambda: carried_out.append(1) or "a" * 60_000)
    server = serve()
    body = body_of(LOOKUP | {"method": "test.Long"})
    wire = connect(server)
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    wire.socket.setblocking(False)

    with contextlib.suppress(BlockingIOError):
        for _ in range(1000):
            wire.socket.send(head(world, len(body)) + body)
    before, until = 0, time.monotonic() + FAR
    while len(carried_out) in (0, before) and time.monotonic() < until:
        before = len(carried_out)
        threading.Event().wait(0.3)

    assert 0 < len(carried_out) < 500


# Stopping


def test_a_read_that_runs_when_the_time_to_stop_is_over_is_ended_and_told(serve, post, make_method):
    begun = threading.Event()

    def endless() -> Any:
        begun.set()
        return database.execute_sql(ENDLESS).fetchone()

    make_method("test.Endless", endless, lane=Lane.SLOW)
    server = serve(stop_seconds=0.3)
    with ThreadPoolExecutor(1) as callers:
        answer = callers.submit(post, server, LOOKUP | {"method": "test.Endless"})
        assert begun.wait(FAR)
        server.__exit__()

        assert answer.result().word == "DEADLINE_EXCEEDED"


def test_a_write_that_waits_when_the_time_to_stop_is_over_is_told_and_not_made(
    serve, post, make_cohort, locked
):
    server = serve(stop_seconds=0.3)
    with ThreadPoolExecutor(1) as callers:
        answer = callers.submit(post, server, confirm(make_cohort, "late"))
        until = time.monotonic() + FAR
        while not server.running._app.lanes._given and time.monotonic() < until:
            threading.Event().wait(0.01)
        server.__exit__()

        assert answer.result().word == "DEADLINE_EXCEEDED"
    locked()
    assert 0 == Cohort.select().count()


def test_a_stopping_server_sends_the_whole_of_a_long_reply(serve, connect, world, make_method):
    make_method("test.Long", lambda: "a" * 9_000_000)
    server = serve()
    body = body_of(LOOKUP | {"method": "test.Long"})
    wire = connect(server).send(head(world, len(body)), body)
    wire.socket.recv(1, socket.MSG_PEEK)  # the reply has begun

    with ThreadPoolExecutor(1) as stopping:
        stopped = stopping.submit(server.__exit__)
        answer = wire.receive()
        stopped.result(FAR)

    assert len(json.loads(answer.body)["result"]) == 9_000_000


def test_a_stopping_server_answers_on_kept_connections_and_closes_them(serve, connect, world):
    server = serve(drain_seconds=3.0)
    body = body_of(LOOKUP)
    kept, idle = connect(server), connect(server)
    assert "Connection" not in kept.send(head(world, len(body)), body).receive().headers

    with ThreadPoolExecutor(1) as stopping:
        stopped = stopping.submit(server.__exit__)
        until(lambda: server.running._app.draining)
        answer = kept.send(head(world, len(body)), body).receive()
        fresh = connect(server).send(head(world, len(body)), body).receive()

        assert ((200, "close"), (200, "close")) == (
            (answer.status, answer.headers["Connection"]),
            (fresh.status, fresh.headers["Connection"]),
        )
        assert (kept.is_closed(), idle.is_closed()) == (True, True)
        stopped.result(FAR)


def test_nobody_connects_any_more_once_a_server_has_stopped(serve, connect):
    server = serve()
    server.__exit__()

    with pytest.raises(ConnectionRefusedError):
        connect(server)
