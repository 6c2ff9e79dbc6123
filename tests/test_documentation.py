"""The pages tell the truth: their tables are what the code says, and their examples run.

`python -m tests.test_documentation` writes the tables anew.
"""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

import rpc.app  # noqa: F401  registers the methods
from client import external_id
from models import sample
from rpc.config import PREFIX, Config
from rpc.errors import CATALOGUE
from rpc.monitoring.metrics import Metrics
from rpc.monitoring.ready import Wrong
from rpc.registry import METHODS, Method
from tests.conftest import ServerThread, World
from tests.monitoring.test_metrics import IDLE

ROOT = Path(__file__).parent.parent
README = ROOT / "README.md"
RULES = ROOT / "rpc" / "core" / "README.md"
SEEING = ROOT / "rpc" / "monitoring" / "README.md"


def functions(namespace: str) -> str:
    """The table of a namespace's functions."""
    rows = ["| function | what it does | scope |", "|---|---|---|"]
    for entry in sorted(METHODS.values(), key=lambda entry: entry.name):
        if entry.name.startswith(namespace):
            rows.append(f"| `{entry.name}({members(entry)})` | {entry.summary} | {entry.scope} |")
    return "\n".join(rows)


def members(entry: Method) -> str:
    """The parameters by their wire names, `!` behind what is required."""
    names = [f"{name}{'!' if field.required else ''}" for name, field in entry.params.wire.items()]
    return ", ".join(names + ["clear"] * bool(entry.params.emptied))


def errors() -> str:
    """The table of the catalogue."""
    rows = ["| `data.code` | code | meaning |", "|---|---|---|"]
    rows += [f"| `{word}` | {row.code} | {row.meaning} |" for word, row in CATALOGUE.items()]
    return "\n".join(rows)


def settings() -> str:
    """The table of the settings."""
    rows = ["| setting | default | what for |", "|---|---|---|"]
    for setting in dataclasses.fields(Config):
        default = "" if setting.default in (None, "") else f"`{setting.default}`"
        rows.append(f"| `{PREFIX}{setting.name.upper()}` | {default} | {setting.metadata['help']} |")
    return "\n".join(rows)


def metrics() -> str:
    """The table of our own metrics, by the names that Prometheus knows them by."""
    rows = ["| metric | kind | labels | what it is |", "|---|---|---|---|"]
    for family in Metrics(METHODS).families(IDLE):
        if family.name.startswith("core_rpc_"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(f"`{label}`" for label in family._labelnames)
            rows.append(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    return "\n".join(rows)


TABLES = (
    (README, "core functions", lambda: functions("core.")),
    (README, "admin functions", lambda: functions("admin.")),
    (README, "settings", settings),
    (RULES, "errors", errors),
    (SEEING, "metrics", metrics),
)


def block(name: str) -> re.Pattern[str]:
    """Where a page holds a table."""
    return re.compile(rf"(<!-- table: {name} -->\n)(.*?)(<!-- end -->)", re.DOTALL)


@pytest.mark.parametrize(("page", "name", "table"), TABLES, ids=[name for _, name, _ in TABLES])
def test_a_table_is_what_the_code_says(page, name, table):
    [(_, found, _)] = block(name).findall(page.read_text())

    assert table() + "\n" == found


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.sample
def test_the_example_of_a_function_runs_in_the_sample_world(client, name):
    client.call(name, **METHODS[name].example)


def test_the_page_has_each_word_that_can_be_wrong_with_a_server():
    words = re.findall(r"^\| `([A-Z_]+)` \|", SEEING.read_text(), re.MULTILINE)

    assert set(Wrong) == set(words)


def fenced(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.sample
def test_the_python_example_runs(world: World, server: ServerThread):
    [example] = fenced(README, "python")
    script = example.replace("http://127.0.0.1:8080/rpc", server.url).replace("TOKEN", world.secrets["admin"])

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert "" == done.stderr
    assert "Cooking, spring" in done.stdout


@pytest.mark.needs("curl")
@pytest.mark.sample
def test_the_curl_example_runs(world: World, server: ServerThread):
    [example] = [text for text in fenced(README, "sh") if text.startswith("curl")]
    command = example.replace("\\\n", " ").replace("http://127.0.0.1:8080/rpc", server.url)
    command = command.replace("TOKEN", world.secrets["admin"])

    done = subprocess.run(shlex.split(command), capture_output=True, text=True, check=True)

    assert "Cooking, spring" in done.stdout


@pytest.mark.needs("lua5.4")
@pytest.mark.sample
def test_the_lua_example_runs(world: World, server: ServerThread):
    [example] = fenced(README, "lua")
    script = example.replace("http://127.0.0.1:8080/rpc", server.url).replace("TOKEN", world.secrets["admin"])

    done = subprocess.run(
        ["lua5.4", "-"],
        input=script,
        env=os.environ | {"LUA_PATH": f"{ROOT}/client/lua/?.lua;;"},
        capture_output=True,
        text=True,
        check=True,
    )

    assert "Cooking, spring" in done.stdout


def test_the_ids_of_order_lines_in_the_page_are_what_the_client_makes():
    rows = re.findall(r"\| `([^`]+)` \| `([^`]+)` \| `([0-9a-f-]{36})` \|", README.read_text())

    assert 3 <= len(rows)
    assert [uuid for _, _, uuid in rows] == [str(external_id(shop, item)) for shop, item, _ in rows]


def test_the_fixed_ids_in_the_page_are_those_of_the_sample_world():
    assert sample.SPRING in README.read_text()


if __name__ == "__main__":
    for page, name, table in TABLES:
        before, start, _, end, after = block(name).split(page.read_text())
        page.write_text(f"{before}{start}{table()}\n{end}{after}")
