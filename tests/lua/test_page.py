"""The Lua of the page runs, in the sandbox and by Debian's Lua."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from models import sample
from models.tokens import Scope
from tests.conftest import ServerThread, World
from tests.test_cli import core_rpc, environment
from tests.waiting import FAR

LUA = Path(__file__).parent.parent.parent / "client" / "lua"

# What the page leaves to its reader, and what shows that it ran to its end.
BEFORE = f'local userId, kindId, programId = "{sample.ADA}", "{sample.COOKING}", "{sample.SPRING}"\n'
AFTER = '\nprint(#cohorts, #tickets, core.external_id("shop", "order-1001/line-2/1"))\n'

pytestmark = pytest.mark.sample


@pytest.fixture
def page() -> Path:
    return LUA / "README.md"


@pytest.fixture
def script(page: Path, tmp_path: Path) -> Path:
    blocks = re.findall(r"^```lua\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    made = tmp_path / "page.lua"
    made.write_text(BEFORE + "".join(blocks) + AFTER)
    return made


@pytest.mark.parametrize("by", [pytest.param("lua5.4", marks=pytest.mark.needs("lua5.4")), "core-rpc script"])
def test_the_examples_run(by: str, script: Path, page: Path, server: ServerThread, world: World) -> None:
    settings = {"url": server.url, "token": world.secrets[Scope.ADMIN]}
    if by == "lua5.4":
        path = environment(settings) | {"LUA_PATH": f"{LUA}/?.lua;;"}
        done = subprocess.run(["lua5.4", script], env=path, capture_output=True, text=True, timeout=FAR)
    else:
        done = core_rpc("script", script, cwd=script.parent, **settings)

    assert (0, "") == (done.returncode, done.stderr)
    cohorts, tickets, external_id = done.stdout.split()
    assert (True, True) == (int(cohorts) > 0, int(tickets) >= 0)
    assert external_id in page.read_text()


def test_the_helpers_on_the_page_are_those_that_there_are(page: Path) -> None:
    text = page.read_text()
    helpers = set(re.findall(r"^function helpers\.(\w+)\(", (LUA / "helpers.lua").read_text(), re.MULTILINE))

    assert helpers == {
        "param",
        "mock",
        "FromJson",
        "ToJson",
        "ToJsonArray",
        "len",
        "get",
        "first",
        "last",
        "at",
    }
    assert [] == [name for name in helpers if f"`{name}(" not in text]
