"""The page for integrations: its examples run in order, from an empty directory, and print what it says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

import rpc
from client import Client, RpcError
from models import sample
from models.memberships import Membership, MembershipState
from models.tokens import Scope
from tests.foreign.test_clients import PROGRAMS
from tests.ports import free_port
from tests.waiting import FAR

PAGE = Path(rpc.__file__).with_name("README.md").read_text()
README = Path(rpc.__file__).parent.with_name("README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```\n", PAGE, re.DOTALL)
MARK = "== the next example =="
INSTALLS = "pip install"  # by .ci/first_command; here what the tests run with is used


def program(port: int) -> str:
    """The examples as one shell script, with a mark in front of each that prints something."""
    lines = ["set -eu", "trap 'jobs -p > jobs; kill $(cat jobs)' EXIT"]
    for place, (language, text) in enumerate(BLOCKS):
        if BLOCKS[place + 1 : place + 2] and BLOCKS[place + 1][0] == "text":
            lines.append(f"echo; echo '{MARK}'")
        if language == "python":
            lines.append(f"{shlex.quote(sys.executable)} - <<'END'\n{text}END")
        elif language == "sh":
            lines += [line for line in text.splitlines() if INSTALLS not in line]
    return "\n".join(lines).replace("8080", str(port))


@pytest.mark.needs("curl")
def test_the_examples_print_what_the_page_says(tmp_path):
    port = free_port()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CORE_RPC_")}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = {"CORE_RPC_PORT": str(port), "CORE_RPC_DRAIN_SECONDS": "0", "PATH": path, "COLUMNS": "200"}

    done = subprocess.run(
        ["sh", "-c", program(port)],
        cwd=tmp_path,
        env=clean | settings,
        capture_output=True,
        text=True,
        timeout=FAR,
        check=False,
    )

    assert ("", 0) == (done.stderr, done.returncode)
    printed = done.stdout.split(f"\n{MARK}\n")[1:]
    wanted = [text for language, text in BLOCKS if language == "text"]
    assert len(wanted) == len(printed)
    for said, found in zip(wanted, printed, strict=True):
        pattern = re.escape(said.strip()).replace(re.escape("..."), ".*")
        assert re.fullmatch(pattern, found.strip()), f"the page says\n{said}\nand what comes is\n{found}"


def test_the_page_installs_as_the_main_page_does():
    [installs] = [text.splitlines()[0] for _, text in BLOCKS if "python3 -m venv" in text]

    assert installs.replace("/path/to/the/checkout", ".") in README


def test_every_client_that_is_tried_is_on_the_page():
    assert set(PROGRAMS) == set(re.findall(r"\]\(\.\./tests/foreign/(.+?)\)", PAGE))


@pytest.mark.sample
def test_a_write_whose_answer_is_too_large_was_carried_out(serve, world):
    client = Client(serve(max_reply=300).url, world.secrets[Scope.WRITE])

    with pytest.raises(RpcError) as caught:
        client.call("core.ModifyProgramMembership", userId=sample.LISE, programId=sample.SPRING)

    assert "RESPONSE_TOO_LARGE" == caught.value.data["code"]
    assert MembershipState.ACTIVE == Membership.of(UUID(sample.LISE), UUID(sample.SPRING)).state
