"""`core-rpc serve` as an operator sees it: what it writes to its error output, by the settings."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from client import Client
from models.tokens import Scope
from tests.waiting import FAR

pytestmark = pytest.mark.sample

ROOT = Path(__file__).parent.parent.parent


def output_of_serve(world: Any, **settings: str) -> str:
    """The error output of a server that answered a call, refused a request, and was told to stop."""
    usual = {"database": world.url, "port": "0", "drain_seconds": "0"} | settings
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("OTEL_", "CORE_RPC_"))}
    process = subprocess.Popen(
        [sys.executable, "-u", "-m", "rpc", "serve"],
        cwd=ROOT,
        env=clean | {f"CORE_RPC_{name.upper()}": value for name, value in usual.items()},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    url = process.stdout.readline().split()[-1]
    Client(url, world.secrets[Scope.READ]).list_active_programs()
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(url.replace("/rpc", "/nothing"))
    process.terminate()
    _, errors = process.communicate(timeout=FAR)
    assert process.returncode == 0
    return errors


def test_the_log_is_a_json_object_a_line(world):
    lines = [json.loads(line) for line in output_of_serve(world, log_calls="all").splitlines()]

    assert [line["message"] for line in lines] == ["serving", "call", "refused", "stopping", "stopped"]
    assert all(set(line) >= {"time", "level", "logger", "message"} for line in lines)
    assert lines[0]["version"]


def test_calls_are_left_out_unless_it_is_set(world):
    lines = [json.loads(line) for line in output_of_serve(world).splitlines()]

    assert [line["message"] for line in lines] == ["serving", "refused", "stopping", "stopped"]


def test_the_log_can_be_for_people(world):
    serving, call, *_ = output_of_serve(world, log_format="text", log_calls="all").splitlines()

    assert re.fullmatch(r"\S+Z INFO serving version=\S+ host=127.0.0.1 port=\d+", serving)
    assert re.fullmatch(
        r"\S+Z INFO call requestId=\S+ tokenId=\S+ method=core.ListActivePrograms outcome=ok durationMs=\S+",
        call,
    )


def test_a_server_may_be_silent_while_all_is_well(world):
    assert output_of_serve(world, log_level="warning", log_calls="all") == ""


@pytest.mark.parametrize(
    ("name", "value"), [("LOG_LEVEL", "loud"), ("LOG_FORMAT", "xml"), ("LOG_CALLS", "some")]
)
def test_a_setting_that_is_none_of_its_words_is_refused_by_name(name, value, tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "rpc", "serve"],
        cwd=tmp_path,
        env=os.environ | {f"CORE_RPC_{name}": value},
        capture_output=True,
        text=True,
        timeout=FAR,
        check=False,
    )

    assert done.returncode == 1
    assert f"CORE_RPC_{name}" in done.stderr
    assert len(done.stderr.splitlines()) == 1
