"""OpenTelemetry: a span for each call, where the standard OTEL_* variables ask for them.

They are made when a request has been answered, with the times that it took, so nothing of it is on the
way of a call. The packages come with the extra `otel` and are imported only when spans are wanted.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import entry_points
from typing import Any

from rpc.registry import Call, Context
from rpc.trace import Trace

log = logging.getLogger(__name__)

SERVICE = "core-rpc"
OTHER = "_OTHER"  # what OpenTelemetry calls a method that there is not
CLOSE_SECONDS = 2.0  # how long a stopping server waits for spans to be sent

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def wanted(environment: Mapping[str, str]) -> list[str]:
    """The names of the exporters that the environment asks for.

    The standard has `otlp` for what is not said; here, nothing is sent unless an exporter or an
    endpoint is named.
    """
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return []
    has_endpoint = any(environment.get(name) for name in _ENDPOINTS)
    named = environment.get("OTEL_TRACES_EXPORTER", "").strip() or ("otlp" if has_endpoint else "none")
    protocols = [environment[name].strip() for name in _PROTOCOLS if environment.get(name)]
    otlp = "otlp_proto_grpc" if protocols[:1] == ["grpc"] else "otlp_proto_http"
    names = [name.strip() for name in named.split(",")]
    return [otlp if name == "otlp" else name for name in names if name and name != "none"]


def from_environment(environment: Mapping[str, str], version: str) -> Spans | None:
    """What makes spans, if any are wanted and the packages for it are there."""
    if not (names := wanted(environment)):
        return None
    try:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        log.warning("OTEL_* variables ask for spans: install core-rpc with the extra `otel`")
        return None
    attributes = {"service.version": version}
    if "service.name=" not in environment.get("OTEL_RESOURCE_ATTRIBUTES", ""):
        attributes["service.name"] = environment.get("OTEL_SERVICE_NAME") or SERVICE
    provider = TracerProvider(resource=Resource.create(attributes), shutdown_on_exit=False)
    for name in names:
        found = list(entry_points(group="opentelemetry_traces_exporter", name=name))
        if not found:
            log.warning("OTEL_* variables ask for the exporter %r, which is not installed", name)
            continue
        provider.add_span_processor(BatchSpanProcessor(found[0].load()()))
    return Spans(provider)


class Spans:
    """Makes a span for each call of an answered request."""

    def __init__(self, provider: Any) -> None:
        from opentelemetry import trace

        self._otel = trace
        self._provider = provider
        self._tracer = provider.get_tracer(SERVICE)

    def answered(self, outcomes: Sequence[tuple[Call, str | None]], context: Context, seconds: float) -> None:
        """Make the spans: each call with the name of its method, if there is one. The calls of a batch
        all have the time of the batch."""
        ended = time.time_ns()
        began = ended - int(seconds * 1e9)
        parent = self._parent(context.trace)
        for call, name in outcomes:
            span = self._tracer.start_span(
                name or "jsonrpc",
                context=parent,
                kind=self._otel.SpanKind.SERVER,
                attributes=_attributes(call, name, context),
                start_time=began,
            )
            if call.error is not None:
                span.set_status(self._otel.StatusCode.ERROR)
            span.end(ended)

    def _parent(self, caller: Trace | None) -> Any:
        """The caller's span, as what ours come under; an empty context where there is none."""
        from opentelemetry.context import Context as OtelContext

        if caller is None:
            return OtelContext()
        state = self._otel.TraceState.from_header([caller.state]) if caller.state else None
        span = self._otel.SpanContext(
            int(caller.trace_id, 16),
            int(caller.span_id, 16),
            is_remote=True,
            trace_flags=self._otel.TraceFlags(caller.flags),
            trace_state=state,
        )
        return self._otel.set_span_in_context(self._otel.NonRecordingSpan(span), OtelContext())

    def close(self) -> None:
        """Send what there is; a collector that does not answer is not waited for."""
        closing = threading.Thread(target=self._provider.shutdown, name="spans", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def _attributes(call: Call, name: str | None, context: Context) -> dict[str, Any]:
    """What a span says beside its name and times: as OpenTelemetry's conventions for RPC have it."""
    said = {
        "rpc.system.name": "jsonrpc",
        "rpc.method": name or OTHER,
        "core_rpc.request_id": context.request_id,
    }
    if context.caller.token_id is not None:
        said["core_rpc.token_id"] = str(context.caller.token_id)
    if call.error is not None:
        said["rpc.response.status_code"] = str(call.error.code)
        said["error.type"] = str(call.error.data["code"])
    return said
