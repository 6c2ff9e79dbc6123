"""A token is taken without blanks around it, and nothing ever shows it."""

from __future__ import annotations

import asyncio
import traceback

import pytest

from client import AsyncClient, Client, ClientError
from models import sample
from models.tokens import Scope
from rpc.cli import cli
from rpc.config import Config
from tests.test_cli import core_rpc

pytestmark = pytest.mark.sample

SECRET = "crpc_hush"
AROUND = ["{}\n", "{}\r\n", "{}\r", " {}\t", "\n{}\n\n"]
BAD = [
    f"{SECRET}\n{SECRET}",
    f"{SECRET}\0x",
    f"{SECRET}\r\nX-Other: 1",
    f"{SECRET} x",
    f"{SECRET}\x7f",
    f"{SECRET}é",
]


@pytest.fixture
def script(tmp_path):
    """A script that asks a server for something."""
    pytest.importorskip("lupa")
    path = tmp_path / "script.lua"
    path.write_text("return #core.ListActivePrograms()")
    return path


@pytest.mark.parametrize("around", AROUND)
def test_blanks_around_a_token_are_no_part_of_it(around, server, world, monkeypatch):
    token = around.format(world.secrets[Scope.READ])

    async def ask() -> list:
        async with AsyncClient(server.url, token) as client:
            return await client.list_active_programs()

    expected = Client(server.url, world.secrets[Scope.READ]).list_active_programs()
    monkeypatch.setenv("CORE_RPC_TOKEN", token)

    assert expected == Client(server.url, token).list_active_programs()
    assert expected == Client.from_env(url=server.url).list_active_programs()
    assert expected == asyncio.run(ask())


@pytest.mark.parametrize("token", BAD)
def test_what_can_be_no_token_is_refused_and_not_shown(token):
    for make in (Client, AsyncClient):
        with pytest.raises(ClientError, match="which is not shown here") as caught:
            make("http://127.0.0.1:9", token)

        assert "hush" not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("end", ["\n", "\r"])
def test_commands_take_a_token_with_the_end_of_its_line(end, server, world, script, tmp_path):
    token = world.secrets[Scope.READ] + end
    call = ["call", "core.LookupProgram", sample.COOKING, "--url", server.url]
    asked = [
        core_rpc(*call, "--token", token, cwd=tmp_path),
        core_rpc(*call, cwd=tmp_path, token=token),
        core_rpc("script", script, "--url", server.url, cwd=tmp_path, token=token),
    ]

    assert [(0, "")] * 3 == [(done.returncode, done.stderr) for done in asked]


@pytest.mark.parametrize("token", [token for token in BAD if "\0" not in token])
def test_commands_say_in_a_line_what_can_be_no_token(token, script, tmp_path):
    call = ["call", "core.LookupProgram", sample.COOKING]
    asked = [
        core_rpc(*call, "--token", token, cwd=tmp_path),
        core_rpc(*call, cwd=tmp_path, token=token),
        core_rpc("script", script, cwd=tmp_path, token=token),
    ]

    for done in asked:
        assert (1, "", 1) == (done.returncode, done.stdout, done.stderr.count("\n"))
        assert "not shown here" in done.stderr
        assert "hush" not in done.stderr


def test_no_object_shows_it():
    for shown in (Client("http://127.0.0.1:9", SECRET), Config(token=SECRET)):
        assert SECRET not in f"{shown} {shown!r}"


def test_tracebacks_of_commands_are_python_s_own_which_show_no_values():
    assert not cli.pretty_exceptions_enable
