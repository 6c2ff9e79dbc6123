"""Hostile scripts: each ends with a clear word, within its limits, and has touched nothing."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from models import sample
from models.tokens import Scope
from tests.conftest import ServerThread, World
from tests.test_cli import core_rpc

NOWHERE = "http://127.0.0.1:9/rpc"

# Each is an expression that must be nil in the sandbox, or false.
OUT_OF_REACH = {
    "the system": "os",
    "files": "io",
    "packages": "package",
    "debug": "debug",
    "Python": "python",
    "files of Lua": "loadfile or dofile",
    "bytecode out": "string.dump or ('').dump or getmetatable('').__index.dump",
    "bytecode in": "load('\\27Lua') or load(function() return nil end, 'x', 'b', {}) == 1",
    "other modules": "pcall(require, 'os') or pcall(require, 'socket') or pcall(require, '_G')",
    "the host's objects": "type(print) ~= 'function' or getmetatable(print) or getmetatable(core.call)",
    "the environment through text": "load('return os or io or debug or python')()",
    "the environment of a coroutine": "coroutine.wrap(function() return os or io or debug end)()",
    "the collector": "collectgarbage",
}

ENDLESS = {
    "a loop": "while true do end",
    "a loop that swallows errors": "while true do pcall(function() while true do end end) end",
    "a coroutine": "local c = coroutine.wrap(function() while true do end end) c()",
    "coroutines that make coroutines": (
        "local function f() return coroutine.wrap(function() pcall(f) while true do end end)() end f()"
    ),
    "a pattern": "local s = ('a'):rep(40000) s:find(('.-'):rep(30) .. 'b')",
    "a __tostring": "error(setmetatable({}, {__tostring = function() while true do end end}))",
    "a __gc": "setmetatable({}, {__gc = function() while true do end end}) while true do local t = {} end",
    "a sort": "local t = {} for i = 1, 99 do t[i] = i end table.sort(t, function() while true do end end)",
}

TOO_LARGE = {
    "one text": "return #('x'):rep(1e9)",
    "a text made twice as long": "local s = 'x' while true do s = s .. s end",
    "a table": "local t = {} while true do t[#t + 1] = {} end",
    "texts of tables": "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1e6) .. i end",
}


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a script's text; options follow as words."""

    def run(text: str, *options: object, url: str = NOWHERE, token: str = "") -> subprocess.CompletedProcess:
        (tmp_path / "hostile.lua").write_text(text)
        return core_rpc("script", "hostile.lua", *options, cwd=tmp_path, url=url, token=token)

    return run


@pytest.mark.parametrize("expression", OUT_OF_REACH.values(), ids=OUT_OF_REACH)
def test_nothing_but_the_language_is_within_reach(run, expression):
    done = run(f"return {{reached = ({expression}) and true or false}}")

    assert json.loads(done.stdout) == {"reached": False}


@pytest.mark.parametrize("text", ENDLESS.values(), ids=ENDLESS)
def test_a_script_without_end_is_ended(run, text):
    done = run(text, "--time", 1)

    assert (1, "core-rpc: hostile.lua: ended after its 1 seconds\n") == (done.returncode, done.stderr)


@pytest.mark.parametrize("text", TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_script_that_wants_too_much_memory_is_ended(run, text):
    done = run(text, "--memory", 16)

    assert (1, "core-rpc: hostile.lua: ended because it needs more than its 16 MB of memory\n") == (
        done.returncode,
        done.stderr,
    )


def test_a_script_that_prints_without_end_is_ended(run):
    done = run("while true do print(('x'):rep(100000)) end")

    assert (1, "core-rpc: hostile.lua: ended because it printed more than 16777216 bytes\n") == (
        done.returncode,
        done.stderr,
    )


def test_an_error_is_a_line_with_file_and_line(run):
    done = run("print('before')\n\nerror('oops\\nagain')")

    assert (1, "before\n", "core-rpc: hostile.lua:3: oops again\n") == (
        done.returncode,
        done.stdout,
        done.stderr,
    )


def test_a_mistake_of_writing_names_file_and_line(run):
    done = run("\nlocal = 1")

    assert done.returncode == 1
    assert done.stderr.startswith("core-rpc: hostile.lua:2:")


def test_parameters_reach_the_script(run, tmp_path):
    (tmp_path / "event.json").write_text('{"user": {"id": 1, "name": "Ada"}}')

    done = run(
        "return {param('user.id'), param('user.name'), param('list.2') == nil, param('text')}",
        "--params",
        "event.json",
        "--param",
        "user.id=2",
        "--param",
        "text=so it is",
    )

    assert [2, "Ada", True, "so it is"] == json.loads(done.stdout)


@pytest.mark.sample
def test_the_token_and_the_address_are_not_to_be_had(run, server: ServerThread, world: World):
    done = run(
        f"""
        local seen = {{}}
        local function look(value, depth)
          if type(value) == 'table' and depth < 6 then
            for k, v in pairs(value) do look(k, depth + 1) look(v, depth + 1) end
          else seen[#seen + 1] = tostring(value) end
        end
        local found = core.LookupProgramInstance('{sample.SPRING}')
        core.configure({{http = function(request) look(request, 0) return nil, 'caught' end, attempts = 1}})
        pcall(core.ListActivePrograms)
        look(_G, 0)
        return {{found = found.name, seen = table.concat(seen, ' '):gsub('[\\128-\\255]', '?')}}
        """,
        url=server.url,
        token=world.secrets[Scope.READ],
    )

    told = json.loads(done.stdout)
    assert told["found"] == "Cooking, spring"
    assert "Bearer" in told["seen"]
    assert world.secrets[Scope.READ] not in told["seen"]
    assert server.url not in told["seen"]


@pytest.mark.sample
def test_an_error_of_a_call_can_be_caught_and_names_its_fields(run, server: ServerThread, world: World):
    done = run(
        "local fine, wrong = pcall(core.ListCohorts, 'no id')\n"
        "return {fine = fine, code = wrong.code, fields = wrong.fields, text = tostring(wrong)}",
        url=server.url,
        token=world.secrets[Scope.READ],
    )

    told = json.loads(done.stdout)
    assert (False, -32602, ["programId"]) == (told["fine"], told["code"], list(told["fields"]))
    assert told["text"].startswith("hostile.lua:1: core.ListCohorts: ")
