"""What the server counts, and how Prometheus is told of it.

Counting is done in dictionaries and lists of our own, in the loop's thread (and the writer's, for what
is its): prometheus-client's own counters take 1 to 3 microseconds each, a lookup in a batch takes 8 in
all. Only when Prometheus asks is anything made of them.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

from jsonrpcserver import JsonRpcError
from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from models.database import sqlite_version
from models.tally import Histogram
from models.writer import GROUP_SIZES, Seen
from rpc.envelope import Reply
from rpc.registry import Call, Method

OK = "ok"
FAULT = "INTERNAL_ERROR"
UNKNOWN = "unknown"  # the one name for all methods that there are not

SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

REFUSALS = ((400, "BAD_HTTP"), (401, "UNAUTHORIZED"), (429, "RATE_LIMITED"), (503, "BUSY"))


@dataclass(frozen=True)
class State:
    """What is so at the moment of asking, read in the loop's thread."""

    version: str
    schema: str
    ready: bool
    in_flight: int
    waiting: int
    connections: int
    readers_busy: int
    readers_waiting: int
    writer_waiting: int
    writer_busy_seconds: float
    writer: Seen
    database_bytes: int
    wal_bytes: int
    limits: Mapping[str, int]


class Exposition(NamedTuple):
    """The text that Prometheus reads, and its content type."""

    body: bytes
    content_type: str


class Metrics:
    """The counts of one server."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        self._methods = methods
        # Calls that ended well: in batches, and the times of those that came alone.
        self._batched: Counter[Method] = Counter()
        self._seconds: dict[Method, Histogram] = {}
        # By method's name and word, and by HTTP status and word. What an alert waits for is there from
        # the start: Prometheus sees no increase in a series that begins with 1.
        self._failed: Counter[tuple[str, str]] = Counter()
        self._refusals: Counter[tuple[int, str]] = Counter(dict.fromkeys(REFUSALS, 0))
        self._batch_calls = Histogram(GROUP_SIZES)
        self._batch_seconds = Histogram(SECONDS)
        self._standard = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self._standard)

    def name(self, call: Call) -> str:
        """The name of the call's method, or the one name for those that there are not."""
        if call.method is not None:
            return call.method.name
        return call.name if isinstance(call.name, str) and call.name in self._methods else UNKNOWN

    def answered(self, reply: Reply, seconds: float) -> None:
        """Count the calls of an answered request, and how long it took."""
        if reply.is_batch:
            self._answered_batch(reply.calls, seconds)
        elif not reply.calls:
            if reply.refused is not None:  # a body of which no calls could be made
                self._failed[UNKNOWN, word(reply.refused)] += 1
        elif reply.refused is not None:
            self._failed[self.name(reply.calls[0]), word(reply.refused)] += 1
        else:
            method = reply.calls[0].method
            if (histogram := self._seconds.get(method)) is None:
                histogram = self._seconds[method] = Histogram(SECONDS)
            histogram.add(seconds)

    def _answered_batch(self, calls: Sequence[Call], seconds: float) -> None:
        done = [call.method for call in calls if call.error is None]
        self._batched.update(done)
        if len(done) < len(calls):
            self._failed.update(
                (self.name(call), word(call.error)) for call in calls if call.error is not None
            )
        self._batch_calls.add(len(calls))
        self._batch_seconds.add(seconds)

    def refused(self, status: int, reason: str) -> None:
        """Count a request that HTTP refused, by the word of the catalogue."""
        self._refusals[status, reason] += 1

    def exposition(self, accept: str, state: State) -> Exposition:
        """Everything, for a scrape that accepts such content; may be made in any thread."""
        encode, content_type = choose_encoder(accept)
        return Exposition(encode(_Scrape(self, state)), content_type)

    def families(self, state: State) -> Iterator[Metric]:
        """All metrics; the standard ones of the process and of Python come last."""
        yield from self._of_calls()
        yield from _of_requests(state)
        yield from _of_writes(state)
        yield from _of_readers(state)
        yield from _of_build(state)
        yield from self._standard.collect()

    def _of_calls(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "core_rpc_calls",
            "Calls by method and outcome: ok, or the word of the error catalogue.",
            labels=("method", "outcome"),
        )
        done: Counter[str] = Counter(dict.fromkeys(list(self._methods), 0))
        times = {method.name: histogram for method, histogram in dict(self._seconds).items()}
        for method, count in dict(self._batched).items():
            done[method.name] += count
        for name, histogram in times.items():
            done[name] += sum(histogram.counts)
        for name, count in done.items():
            calls.add_metric((name, OK), count)
        faults = {(name, FAULT): 0 for name in done}
        for labels, count in (faults | dict(self._failed)).items():
            calls.add_metric(labels, count)
        yield calls
        by_method = HistogramMetricFamily(
            "core_rpc_call_seconds",
            "How long calls that came alone and ended well took, from the body's end to the rendered reply.",
            labels=("method",),
        )
        for name, histogram in times.items():
            by_method.add_metric((name,), *_buckets(histogram))
        yield by_method
        yield _histogram("core_rpc_batch_seconds", "How long batches took, likewise.", self._batch_seconds)
        yield _histogram("core_rpc_batch_calls", "How many calls a batch holds.", self._batch_calls)
        refusals = CounterMetricFamily(
            "core_rpc_refusals",
            "Requests refused by HTTP status and word of the error catalogue.",
            labels=("status", "reason"),
        )
        for (status, reason), count in dict(self._refusals).items():
            refusals.add_metric((str(status), reason), count)
        yield refusals


class _Scrape(Collector):
    """All of one moment, in the form in which prometheus-client takes it."""

    def __init__(self, metrics: Metrics, state: State) -> None:
        self._metrics, self._state = metrics, state

    def collect(self) -> Iterator[Metric]:
        return self._metrics.families(self._state)


def word(error: JsonRpcError) -> str:
    """The word of the catalogue that an error is."""
    return str(error.data["code"])


def _of_requests(state: State) -> Iterator[Metric]:
    yield GaugeMetricFamily("core_rpc_requests_in_flight", "Requests that are carried out.", state.in_flight)
    yield GaugeMetricFamily("core_rpc_requests_waiting", "Requests that wait for that.", state.waiting)
    yield GaugeMetricFamily("core_rpc_connections", "Open connections.", state.connections)
    limits = GaugeMetricFamily("core_rpc_limit", "How many there may be at once.", labels=("of",))
    for of, most in state.limits.items():
        limits.add_metric((of,), most)
    yield limits
    yield GaugeMetricFamily("core_rpc_ready", "1 when /ready says so, else 0.", int(state.ready))


def _of_writes(state: State) -> Iterator[Metric]:
    seen = state.writer
    yield GaugeMetricFamily(
        "core_rpc_writer_waiting_calls",
        "Calls that wait for their turn with the writer.",
        state.writer_waiting,
    )
    yield GaugeMetricFamily(
        "core_rpc_writer_busy_seconds",
        "How long the writer has been at its present group of calls; 0 when it has none.",
        state.writer_busy_seconds,
    )
    yield _histogram("core_rpc_writer_group_calls", "Calls of a committed group.", seen.group_calls)
    yield _histogram("core_rpc_writer_commit_seconds", "How long COMMIT took.", seen.commit_seconds)
    yield CounterMetricFamily(
        "core_rpc_writer_rollbacks", "Groups of writes that were rolled back whole.", seen.rolled_back
    )
    yield CounterMetricFamily(
        "core_rpc_checkpoints", "Checkpoints after which the WAL began anew.", seen.checkpoints
    )
    yield GaugeMetricFamily("core_rpc_database_bytes", "Size of the database file.", state.database_bytes)
    yield GaugeMetricFamily("core_rpc_wal_bytes", "Size of the write-ahead log beside it.", state.wal_bytes)


def _of_readers(state: State) -> Iterator[Metric]:
    yield GaugeMetricFamily("core_rpc_readers_busy", "Threads that read.", state.readers_busy)
    yield GaugeMetricFamily(
        "core_rpc_readers_waiting", "Slow reads that wait for a thread.", state.readers_waiting
    )


def _of_build(state: State) -> Iterator[Metric]:
    build = GaugeMetricFamily(
        "core_rpc_build_info", "Always 1; the labels say what runs.", labels=("version", "python", "sqlite")
    )
    sqlite = ".".join(str(part) for part in sqlite_version())
    build.add_metric((state.version, platform.python_version(), sqlite), 1)
    yield build
    schema = GaugeMetricFamily(
        "core_rpc_schema_info", "Always 1; the label is the version of the database.", labels=("version",)
    )
    schema.add_metric((state.schema,), 1)
    yield schema


def _histogram(name: str, help: str, histogram: Histogram) -> Metric:
    family = HistogramMetricFamily(name, help, labels=())
    family.add_metric((), *_buckets(histogram))
    return family


def _buckets(histogram: Histogram) -> tuple[list[tuple[str, float]], float]:
    """Buckets as Prometheus has them, each with all that is below it, and the sum of the values."""
    bounds = [str(float(bound)) for bound in histogram.bounds] + ["+Inf"]
    return list(zip(bounds, accumulate(list(histogram.counts)), strict=True)), histogram.total
