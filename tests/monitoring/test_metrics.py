"""What Prometheus is told: the counts are right, the series are bounded, and a token is needed."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from models import sample
from models.database import database
from models.tally import Histogram
from models.tokens import Scope
from models.writer import Seen
from rpc.app import LONG_AT_ONCE
from rpc.envelope import LONG_BODY
from rpc.errors import CATALOGUE
from rpc.monitoring.metrics import Metrics, State
from rpc.registry import METHODS, Lane
from tests.monitoring.conftest import LOOKUP
from tests.waiting import FAR

pytestmark = pytest.mark.sample

LIMITS = {"in_flight": 64, "waiting": 256, "connections": 10_000, "readers": 4}
IDLE = State("1", "0001", True, 0, 0, 0, 0, 0, 0, 0.0, Seen(), 0, 0, LIMITS)


class Found:
    """The samples of one scrape."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.families = list(plain(text))
        self.samples = [sample for family in self.families for sample in family.samples]

    def __call__(self, name: str, **labels: str) -> float:
        """The value of the one series with this name and these labels, among others; 0 for none."""
        values = [
            sample.value
            for sample in self.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        assert len(values) <= 1, f"{name} with {labels} is {len(values)} series"
        return values[0] if values else 0.0


@pytest.fixture
def scrape(request_to) -> Callable[..., Found]:
    def scrape(server: Any) -> Found:
        answer = request_to(server, "GET", "/metrics")
        assert answer.status == 200
        return Found(answer.body.decode())

    return scrape


# Who may ask, and in which form


def test_metrics_need_a_token(server, request_to):
    answer = request_to(server, "GET", "/metrics", Authorization="Bearer nothing")

    assert answer.status == 401
    assert b"core_rpc_" not in answer.body


@pytest.mark.parametrize("scope", Scope)
def test_any_scope_is_enough_for_metrics(scope, server, request_to, world):
    answer = request_to(server, "GET", "/metrics", Authorization=f"Bearer {world.secrets[scope]}")

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=")


def test_who_reads_openmetrics_gets_it(server, request_to):
    answer = request_to(server, "GET", "/metrics", Accept="application/openmetrics-text;version=1.0.0")

    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    assert "core_rpc_calls" in {family.name for family in openmetrics(answer.body.decode())}


def test_metrics_are_told_while_all_places_are_taken(serve, call, scrape, make_method):
    let_go, begun = threading.Event(), threading.Semaphore(0)
    make_method("test.Hold", lambda: begun.release() or let_go.wait(FAR), lane=Lane.SLOW)
    server = serve(max_in_flight=1, max_waiting=1, readers=1)
    with ThreadPoolExecutor(2) as callers:
        held = callers.submit(call, server, LOOKUP | {"method": "test.Hold"})
        assert begun.acquire(timeout=FAR)
        waiting = callers.submit(call, server)
        until = time.monotonic() + FAR
        while not scrape(server)("core_rpc_requests_waiting") and time.monotonic() < until:
            threading.Event().wait(0.01)

        refused = call(server)
        found = scrape(server)
        let_go.set()

        assert (held.result().status, waiting.result().status, refused.status) == (200, 200, 503)
    assert found("core_rpc_requests_in_flight") == 1
    assert found("core_rpc_requests_waiting") == 1
    assert found("core_rpc_readers_busy") == 1
    assert found("core_rpc_refusals_total", status="503", reason="BUSY") == 1
    assert found("core_rpc_limit", of="in_flight") == 1
    assert scrape(server)("core_rpc_requests_in_flight") == 0
    assert scrape(server)("core_rpc_readers_busy") == 0


def test_long_requests_that_stand_in_line_are_told_as_waiting(serve, call, scrape, hold):
    server = serve(readers=LONG_AT_ONCE, wait_seconds=FAR)
    long = json.dumps(LOOKUP | {"method": "test.Hold"}).encode().ljust(LONG_BODY)
    with ThreadPoolExecutor(LONG_AT_ONCE + 2) as callers:
        held = [callers.submit(call, server, long) for _ in range(LONG_AT_ONCE + 2)]
        most, until = 0.0, time.monotonic() + FAR
        while most < 2 and time.monotonic() < until:
            most = max(most, scrape(server)("core_rpc_requests_waiting"))
        hold.set()

        assert [200] * len(held) == [one.result().status for one in held]
    assert most == 2


def test_slow_reads_that_wait_for_a_thread_are_counted(serve, call, scrape, make_method):
    let_go, begun = threading.Event(), threading.Semaphore(0)
    make_method("test.Hold", lambda: begun.release() or let_go.wait(FAR), lane=Lane.SLOW)
    server = serve(readers=1)
    with ThreadPoolExecutor(3) as callers:
        held = [callers.submit(call, server, LOOKUP | {"method": "test.Hold"}) for _ in range(3)]
        assert begun.acquire(timeout=FAR)
        until = time.monotonic() + FAR
        while (found := scrape(server))("core_rpc_readers_waiting") < 2 and time.monotonic() < until:
            threading.Event().wait(0.01)
        let_go.set()

        assert [one.result().status for one in held] == [200, 200, 200]
    assert (found("core_rpc_readers_busy"), found("core_rpc_readers_waiting")) == (1, 2)


# Calls


def test_calls_are_counted_by_method_and_outcome(server, call, scrape):
    for _ in range(3):
        call(server)
    call(server, LOOKUP | {"method": "core.ListCohorts"})
    call(server, LOOKUP | {"method": "core.ListCohorts", "params": [sample.NOBODY]})

    found = scrape(server)

    assert found("core_rpc_calls_total", method="core.ListActivePrograms", outcome="ok") == 3
    assert found("core_rpc_calls_total", method="core.ListCohorts", outcome="INVALID_PARAMS") == 1
    assert found("core_rpc_calls_total", method="core.ListCohorts", outcome="PROGRAM_NOT_FOUND") == 1
    assert found("core_rpc_calls_total", method="core.ListCohorts", outcome="ok") == 0


def test_the_calls_of_a_batch_are_counted_one_by_one(server, call, scrape):
    batch = [LOOKUP] * 5 + [LOOKUP | {"method": "core.ListCohorts"}, LOOKUP | {"method": "no.Such"}, 1]

    call(server, batch)

    found = scrape(server)
    assert found("core_rpc_calls_total", method="core.ListActivePrograms", outcome="ok") == 5
    assert found("core_rpc_calls_total", method="core.ListCohorts", outcome="INVALID_PARAMS") == 1
    assert found("core_rpc_calls_total", method="unknown", outcome="METHOD_NOT_FOUND") == 1
    assert found("core_rpc_calls_total", method="unknown", outcome="INVALID_REQUEST") == 1
    assert (found("core_rpc_batch_calls_count"), found("core_rpc_batch_calls_sum")) == (1, 8)
    assert found("core_rpc_batch_calls_bucket", le="4.0") == 0
    assert found("core_rpc_batch_calls_bucket", le="8.0") == 1
    assert found("core_rpc_batch_seconds_count") == 1


def test_notifications_are_calls_too(server, call, scrape):
    call(server, {"jsonrpc": "2.0", "method": "core.ListActivePrograms"})

    assert scrape(server)("core_rpc_calls_total", method="core.ListActivePrograms", outcome="ok") == 1


def test_a_body_that_cannot_be_read_is_counted_by_its_word(server, call, scrape):
    call(server, b"[")

    assert scrape(server)("core_rpc_calls_total", method="unknown", outcome="PARSE_ERROR") == 1


def test_a_call_that_may_not_be_made_is_counted_under_its_method(server, call, scrape):
    call(server, LOOKUP | {"method": "admin.ListTokens"})

    assert scrape(server)("core_rpc_calls_total", method="admin.ListTokens", outcome="FORBIDDEN") == 1


def test_a_fault_is_counted_in_a_series_that_was_there_before(server, call, scrape, make_method):
    make_method("test.Fail", lambda: 1 / 0)
    before = scrape(server)

    call(server, LOOKUP | {"method": "test.Fail"})

    labels = {"method": "test.Fail", "outcome": "INTERNAL_ERROR"}
    assert 'core_rpc_calls_total{method="test.Fail",outcome="INTERNAL_ERROR"} 0.0' in before.text
    assert scrape(server)("core_rpc_calls_total", **labels) == 1


def test_names_that_no_method_has_make_one_series_however_many_they_are(server, call, scrape):
    before = len(scrape(server).samples)

    for number in range(50):
        call(server, LOOKUP | {"method": f"core.Guess{number}"})
    call(server, [LOOKUP | {"method": f"core.Guess{number}"} for number in range(500)])

    found = scrape(server)
    assert found("core_rpc_calls_total", method="unknown", outcome="METHOD_NOT_FOUND") == 550
    assert len(found.samples) == before + 1
    assert "Guess" not in found.text


def test_outcomes_and_reasons_are_words_of_the_catalogue(server, call, scrape, request_to):
    call(server, [1, LOOKUP, LOOKUP | {"method": "no.Such"}])
    request_to(server, "GET", "/nothing")

    found = scrape(server)
    outcomes = {one.labels["outcome"] for one in found.samples if one.name == "core_rpc_calls_total"}
    reasons = {one.labels["reason"] for one in found.samples if one.name == "core_rpc_refusals_total"}
    assert outcomes - {"ok"} <= set(CATALOGUE)
    assert reasons <= set(CATALOGUE)
    assert {"NOT_THERE", "UNAUTHORIZED"} <= reasons


def test_the_time_of_calls_is_told_by_method(server, call, scrape, make_method):
    make_method("test.Slow", lambda: threading.Event().wait(0.06), lane=Lane.SLOW)

    call(server, LOOKUP | {"method": "test.Slow"})

    found = scrape(server)
    assert found("core_rpc_call_seconds_count", method="test.Slow") == 1
    assert 0.06 <= found("core_rpc_call_seconds_sum", method="test.Slow") < FAR
    assert found("core_rpc_call_seconds_bucket", method="test.Slow", le="0.05") == 0
    assert found("core_rpc_call_seconds_bucket", method="test.Slow", le="+Inf") == 1


# Refusals


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "reason"),
    [
        ("GET", "/nothing", None, {}, 404, "NOT_THERE"),
        ("GET", "/rpc", None, {}, 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/rpc", LOOKUP, {"Authorization": "Bearer x"}, 401, "UNAUTHORIZED"),
        ("POST", "/rpc", LOOKUP, {"Content-Type": "text/plain"}, 415, "NOT_JSON"),
        ("POST", "/rpc", b"1" * 2000, {}, 413, "BODY_TOO_LARGE"),
        ("POST", "/rpc", LOOKUP, {"Content-Length": "-1"}, 400, "BAD_HTTP"),
    ],
)
def test_a_refusal_is_counted_by_status_and_reason(
    method, path, body, headers, status, reason, serve, request_to, scrape
):
    server = serve(max_body=1000)

    answer = request_to(server, method, path, body, **headers)

    assert answer.status == status
    assert scrape(server)("core_rpc_refusals_total", status=str(status), reason=reason) == 1


def test_a_call_beyond_the_rate_is_a_refusal_and_a_call(serve, call, scrape):
    server = serve(rate_limit=0.001, rate_burst=1)
    call(server)

    assert call(server).status == 429

    found = scrape(server)
    labels = {"method": "core.ListActivePrograms", "outcome": "RATE_LIMITED"}
    assert found("core_rpc_refusals_total", status="429", reason="RATE_LIMITED") == 1
    assert found("core_rpc_calls_total", **labels) == 1


def test_a_connection_beyond_the_limit_is_a_refusal(serve, call, scrape):
    server = serve(max_connections=0)
    assert call(server).status == 503

    server.running._server._most = 10

    assert scrape(server)("core_rpc_refusals_total", status="503", reason="BUSY") == 1


# The writer and the database


def test_writes_are_counted_by_group_with_the_time_of_their_commit(client, server, scrape):
    for number in range(3):
        client.create_user(f"new{number}@example.org")

    found = scrape(server)

    assert found("core_rpc_writer_group_calls_count") == 3
    assert found("core_rpc_writer_group_calls_sum") == 3
    assert found("core_rpc_writer_commit_seconds_count") == 3
    assert found("core_rpc_writer_commit_seconds_sum") > 0
    assert found("core_rpc_writer_waiting_calls") == 0
    assert found("core_rpc_writer_rollbacks_total") == 0


def test_a_batch_of_writes_is_a_group(server, scrape, request_to, world):
    batch = [
        LOOKUP | {"method": "core.CreateUser", "params": {"email": f"n{n}@example.org"}} for n in range(20)
    ]

    request_to(server, "POST", "/rpc", batch, Authorization=f"Bearer {world.secrets[Scope.WRITE]}")

    found = scrape(server)
    assert found("core_rpc_writer_group_calls_sum") == 20
    assert found("core_rpc_writer_group_calls_count") < 20


def test_what_the_writer_is_at_is_told(server, scrape, make_method, request_to, world):
    let_go, begun = threading.Event(), threading.Semaphore(0)
    make_method("test.Hold", lambda: begun.release() or let_go.wait(FAR), lane=Lane.WRITE)
    bearer = {"Authorization": f"Bearer {world.secrets[Scope.WRITE]}"}
    hold = LOOKUP | {"method": "test.Hold"}
    with ThreadPoolExecutor(2) as callers:
        first = callers.submit(request_to, server, "POST", "/rpc", hold, **bearer)
        assert begun.acquire(timeout=FAR)
        second = callers.submit(request_to, server, "POST", "/rpc", [hold] * 4, **bearer)
        until = time.monotonic() + FAR
        while (found := scrape(server))("core_rpc_writer_waiting_calls") < 4 and time.monotonic() < until:
            threading.Event().wait(0.01)
        let_go.set()

        assert (first.result().status, second.result().status) == (200, 200)
    assert found("core_rpc_writer_waiting_calls") == 4
    assert found("core_rpc_writer_busy_seconds") > 0
    assert scrape(server)("core_rpc_writer_busy_seconds") == 0


def test_a_group_that_was_rolled_back_is_counted(server, scrape, make_method, request_to, world):
    make_method("test.RollBack", lambda: database.execute_sql("ROLLBACK") and None, lane=Lane.WRITE)
    bearer = {"Authorization": f"Bearer {world.secrets[Scope.WRITE]}"}

    request_to(server, "POST", "/rpc", LOOKUP | {"method": "test.RollBack"}, **bearer)

    found = scrape(server)
    assert found("core_rpc_writer_rollbacks_total") == 1
    assert found("core_rpc_writer_group_calls_count") == 0
    assert found("core_rpc_writer_busy_seconds") == 0


def test_the_sizes_of_the_database_are_those_of_its_files(client, server, scrape, world):
    client.create_user("new@example.org")

    found = scrape(server)

    assert found("core_rpc_database_bytes") == world.path.stat().st_size
    assert found("core_rpc_wal_bytes") == world.path.with_name("core.db-wal").stat().st_size > 0


# What runs


def test_what_runs_is_told(server, scrape):
    found = scrape(server)

    [build] = [one.labels for one in found.samples if one.name == "core_rpc_build_info"]
    [schema] = [one.labels for one in found.samples if one.name == "core_rpc_schema_info"]
    assert set(build) == {"version", "python", "sqlite"}
    assert all(part and part[0].isdigit() for part in build.values())
    assert re.match("[0-9]{4}_", schema["version"])
    assert found("core_rpc_ready") == 1
    assert found("core_rpc_connections") >= 1
    assert found("process_resident_memory_bytes") > 0
    assert found("process_open_fds") > 0


def test_a_server_that_stops_is_not_ready(server, scrape):
    server.running._app.draining = True

    assert scrape(server)("core_rpc_ready") == 0


# The whole


def names(found: Found) -> Iterator[str]:
    for family in found.families:
        if family.name.startswith("core_rpc"):
            yield family.name


def test_a_fresh_server_shows_every_metric(server, scrape):
    shown = {family.name for family in Metrics(METHODS).families(IDLE)}

    assert {name for name in shown if name.startswith("core_rpc")} == set(names(scrape(server)))


def test_series_are_few_even_when_every_method_has_been_called(server, client, scrape):
    for name, entry in METHODS.items():
        client.call(name, **entry.example)

    found = scrape(server)

    assert len(found.samples) < 30 * len(METHODS)


def test_scraping_beside_calls_loses_none(server, call, scrape):
    with ThreadPoolExecutor(4) as callers:
        calls = [callers.submit(call, server, [LOOKUP] * 10) for _ in range(40)]
        scrapes = [callers.submit(scrape, server) for _ in range(10)]
        counts = [
            one.result()("core_rpc_calls_total", method="core.ListActivePrograms", outcome="ok")
            for one in scrapes
        ]
        assert all(one.result().status == 200 for one in calls)

    found = scrape(server)
    assert found("core_rpc_calls_total", method="core.ListActivePrograms", outcome="ok") == 400
    assert max(counts) <= 400


def test_a_value_at_a_bound_is_within_it():
    histogram = Histogram((1, 2, 4))

    for value in (0, 1, 2, 3, 4, 5):
        histogram.add(value)

    assert (histogram.counts, histogram.total) == ([2, 1, 2, 1], 15)
