"""Spans: one for each call, below the caller's, only where the environment asks for them."""

from __future__ import annotations

import http.server
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from client import Client, RpcError
from models import sample
from models.tokens import Scope, Token
from rpc.monitoring.spans import Spans, from_environment, wanted
from tests.conftest import ServerThread
from tests.monitoring.conftest import LOOKUP, TRACEPARENT
from tests.waiting import FAR

pytestmark = pytest.mark.sample

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def exporter(server: ServerThread) -> Iterator[InMemorySpanExporter]:
    """What the server's spans go to."""
    memory = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    server.running._app.watch.spans = Spans(provider)
    yield memory
    provider.shutdown()


# What a span says


def test_a_call_is_a_span_with_its_name_its_method_and_its_outcome(server, call, exporter, world):
    answer = call(server)

    [span] = exporter.get_finished_spans()
    assert (span.name, span.kind, span.status.status_code) == (
        "core.ListActivePrograms",
        SpanKind.SERVER,
        StatusCode.UNSET,
    )
    assert dict(span.attributes) == {
        "rpc.system.name": "jsonrpc",
        "rpc.method": "core.ListActivePrograms",
        "core_rpc.request_id": answer.headers["X-Request-Id"],
        "core_rpc.token_id": str(Token.with_secret(world.secrets[Scope.READ]).id),
    }
    assert 0 < span.end_time - span.start_time < FAR * 1e9


def test_the_span_of_a_call_that_got_an_error_says_which(server, call, exporter):
    call(server, LOOKUP | {"method": "core.ListCohorts", "params": [sample.NOBODY]})

    [span] = exporter.get_finished_spans()
    assert span.status.status_code == StatusCode.ERROR
    assert span.status.description is None
    assert span.attributes["rpc.response.status_code"] == "-32001"
    assert span.attributes["error.type"] == "PROGRAM_NOT_FOUND"


def test_neither_parameters_nor_results_nor_unknown_names_are_in_a_span(server, call, exporter):
    call(server, LOOKUP | {"method": "core.ListCohorts", "params": [sample.NOBODY]})
    call(server, LOOKUP | {"method": "core.Hidden", "params": {"hidden": "hidden"}})
    call(server, LOOKUP | {"method": "core.LookupProgramInstance", "params": [sample.SPRING]})

    written = "".join(span.to_json() for span in exporter.get_finished_spans())
    assert sample.NOBODY not in written
    assert "idden" not in written
    assert "Cooking" not in written
    assert '"_OTHER"' in written


def test_each_call_of_a_batch_is_a_span(server, call, exporter):
    call(server, [LOOKUP, LOOKUP | {"method": "core.Nothing"}, 1])

    spans = exporter.get_finished_spans()
    assert [span.name for span in spans] == ["core.ListActivePrograms", "jsonrpc", "jsonrpc"]
    assert [span.attributes.get("error.type") for span in spans] == [
        None,
        "METHOD_NOT_FOUND",
        "INVALID_REQUEST",
    ]
    assert len({span.attributes["core_rpc.request_id"] for span in spans}) == 1


# Whose child it is


def test_a_span_is_below_the_caller_s(server, call, exporter):
    call(server, traceparent=TRACEPARENT, tracestate="vendor=value,other=1")

    [span] = exporter.get_finished_spans()
    assert f"{span.context.trace_id:032x}" == "0af7651916cd43dd8448eb211c80319c"
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"
    assert span.parent.is_remote
    assert span.context.trace_state.to_header() == "vendor=value,other=1"


def test_a_trace_that_the_caller_does_not_record_is_not_recorded(server, call, exporter):
    call(server, traceparent=TRACEPARENT[:-1] + "0")

    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize("parent", [None, "nonsense", TRACEPARENT.upper()])
def test_without_a_valid_parent_a_span_begins_a_trace(parent, server, call, exporter):
    call(server, **({} if parent is None else {"traceparent": parent}))

    [span] = exporter.get_finished_spans()
    assert span.parent is None


def test_a_state_that_is_none_does_no_harm(server, call, exporter):
    answer = call(server, traceparent=TRACEPARENT, tracestate="no state; at all,,=")

    [span] = exporter.get_finished_spans()
    assert answer.status == 200
    assert f"{span.parent.span_id:016x}" == "b7ad6b7169203331"


# When there are any

HTTP = "otlp_proto_http"


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, []),
        ({"OTEL_SERVICE_NAME": "a"}, []),
        ({"OTEL_TRACES_EXPORTER": "none"}, []),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, [HTTP]),
        ({"OTEL_TRACES_EXPORTER": " otlp, console "}, [HTTP, "console"]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}, [HTTP]),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:4318/v1/traces"}, [HTTP]),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_TRACES_EXPORTER": "none"}, []),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a", "OTEL_SDK_DISABLED": "TRUE"}, []),
        ({"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ["otlp_proto_grpc"]),
        (
            {
                "OTEL_TRACES_EXPORTER": "otlp",
                "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
                "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
            },
            [HTTP],
        ),
    ],
)
def test_the_standard_variables_say_whether_there_are_spans(environment, names):
    assert wanted(environment) == names


def test_nothing_is_made_where_nothing_is_wanted():
    assert from_environment({}, "1") is None


def test_an_exporter_that_is_not_there_is_named_in_the_log(caplog):
    made = from_environment({"OTEL_TRACES_EXPORTER": "pigeon"}, "1")
    made.close()

    assert "'pigeon'" in caplog.text


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    command = [sys.executable, "-c", script]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=clean | environment,
        capture_output=True,
        text=True,
        timeout=FAR,
        check=True,
    )


def test_nothing_of_the_packages_is_imported_unless_it_is_wanted():
    script = (
        "import os, sys, rpc.app; from rpc.monitoring import spans\n"
        "print(spans.from_environment(os.environ, '1'))\n"
        "print([name for name in sys.modules if name.split('.')[0] == 'opentelemetry'])"
    )

    assert run(script).stdout == "None\n[]\n"


def test_without_the_packages_the_log_says_what_to_install_and_the_server_goes_on():
    script = (
        "import logging, os, sys; logging.basicConfig()\n"
        "sys.modules['opentelemetry'] = None\n"
        "from rpc.monitoring import spans\n"
        "print(spans.from_environment(os.environ, '1'))"
    )

    done = run(script, OTEL_TRACES_EXPORTER="otlp")

    assert done.stdout == "None\n"
    assert "install core-rpc with the extra `otel`" in done.stderr


# To a collector


class Collector(http.server.BaseHTTPRequestHandler):
    """Takes what OTLP posts."""

    received: list[tuple[str, ExportTraceServiceRequest]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.received.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def collector() -> Iterator[http.server.ThreadingHTTPServer]:
    Collector.received = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def serving(world: Any, tmp_path: Path, **environment: str) -> subprocess.Popen[str]:
    settings = {"CORE_RPC_DATABASE": world.url, "CORE_RPC_PORT": "0", "CORE_RPC_DRAIN_SECONDS": "0"}
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "CORE_RPC_"))}
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "rpc", "serve"],
        cwd=ROOT,
        env=clean | settings | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_core_rpc_serve_sends_its_spans_to_a_collector(collector, world, tmp_path):
    process = serving(
        world,
        tmp_path,
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{collector.server_port}",
        OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test",
    )
    url = process.stdout.readline().split()[-1]
    client = Client(url, world.secrets[Scope.READ])
    client.list_active_programs()
    with pytest.raises(RpcError):
        client.call("core.Nothing")
    process.terminate()
    _, errors = process.communicate(timeout=FAR)

    paths = {path for path, _ in Collector.received}
    resources = [one for _, request in Collector.received for one in request.resource_spans]
    spans = [span for one in resources for scope in one.scope_spans for span in scope.spans]
    said = {one.key: one.value.string_value for one in resources[0].resource.attributes}
    assert process.returncode == 0, errors
    assert paths == {"/v1/traces"}
    assert [span.name for span in spans] == ["core.ListActivePrograms", "jsonrpc"]
    assert (said["service.name"], said["deployment.environment.name"]) == ("core-rpc", "test")
    assert said["service.version"]


def test_a_collector_that_does_not_answer_keeps_nobody_waiting(world, tmp_path):
    process = serving(world, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9")
    url = process.stdout.readline().split()[-1]
    client = Client(url, world.secrets[Scope.READ])
    for _ in range(50):
        client.list_active_programs()
    process.terminate()

    process.communicate(timeout=FAR)

    assert process.returncode == 0
