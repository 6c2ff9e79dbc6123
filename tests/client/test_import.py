"""Importing the client brings in little."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("rpc", "models", "peewee", "marshmallow", "aiohttp", "urllib3", "rich", "orjson")


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_the_client_brings_in_neither_the_server_nor_what_it_does_not_use_yet():
    loaded = run("import client, sys; print(*{name.partition('.')[0] for name in sys.modules})").split()

    assert set() == set(loaded) & set(HEAVY)


def test_a_client_in_use_has_nothing_of_the_server():
    code = "import sys; from client import Client; Client('http://127.0.0.1:1'); print(*sys.modules)"
    loaded = {name.partition(".")[0] for name in run(code).split()}

    assert set() == loaded & {"rpc", "models", "peewee", "marshmallow", "aiohttp", "rich"}


def test_the_import_brings_in_at_most_100_modules_most_of_them_pythons_own():
    code = (
        "import sys; before = {*sys.modules}; import client; client.Client; print(*{*sys.modules} - before)"
    )
    names = run(code).split()

    assert len(names) <= 100
    assert {"client", "orjson"} == {name.partition(".")[0] for name in names} - sys.stdlib_module_names


@pytest.mark.parametrize(
    "call",
    [
        "Client('http://127.0.0.1:1', retry=None); now = sys.modules.copy(); client.list_programs()",
        "AsyncClient('http://127.0.0.1:1', retry=None); now = sys.modules.copy(); asyncio.run(ask())",
    ],
    ids=["Client", "AsyncClient"],
)
def test_calls_import_nothing_so_that_a_fork_beside_them_leaves_no_lock_of_an_import(call):
    code = f"""
import asyncio, sys
from client import AsyncClient, Client, TransportError

async def ask():
    try:
        await client.list_programs()
    finally:
        await client.close()

try:
    client = {call}
except TransportError:
    print(*sys.modules.keys() - now.keys())
"""

    assert [] == run(code).split()
