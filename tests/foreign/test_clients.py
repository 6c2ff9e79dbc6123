"""JSON-RPC clients of other people, each used in its own way, over real HTTP.

Each `with_…` is a program that somebody could have written with that client. All have the same conversation
with a sample world and print what they got, as JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import urllib3

from models import sample
from models.people import User
from tests.conftest import World
from tests.waiting import FAR

HERE = Path(__file__).parent

pytestmark = [pytest.mark.sample, pytest.mark.xdist_group("foreign")]  # npm installs once

PROGRAM = {
    "id": sample.SPRING,
    "name": "Cooking, spring",
    "createdAt": "2026-03-10T12:00:00.000Z",
    "updatedAt": "2026-03-10T12:00:00.000Z",
    "startDate": "2026-02-08",
    "endDate": "2026-05-08",
    "duration": 90,
    "mode": "fixed",
    "timezone": "Europe/Berlin",
    "programKind": sample.COOKING,
    "baseName": "Cooking",
    "baseHandle": "cooking",
    "programKindParent": sample.COURSES,
    "priority": 10,
    "parentId": None,
    "archived": False,
}
NOT_FOUND = {
    "code": -32001,
    "message": f"There is no program {sample.NOBODY}",
    "data": {"code": "PROGRAM_NOT_FOUND"},
}
UNAUTHORIZED = {"code": -32004, "message": "Unauthorized", "data": {"code": "UNAUTHORIZED"}}
NOTHING = (None, [])  # how clients say that nothing came back

# Who is there because of the notifications.
NOTIFIED = {
    f"{name}@example.org" for name in ("position", "name", "batch-position", "batch-name", "only-1", "only-2")
}

# Each program with what it can tell of a request that is refused with HTTP 401 and a JSON-RPC error, and the
# ids that its client lets one choose.
REFUSAL = {"jsonrpc": "2.0", "error": UNAUTHORIZED, "id": None}
TEXT, NUMBER = "order 1001/2", 7
PROGRAMS = {
    "with_jsonrpcclient.py": (UNAUTHORIZED, [TEXT, NUMBER, None]),
    "with_pjrpc.py": ({"status": 401}, [TEXT, NUMBER]),
    "with_aiohttp_rpc.py": (UNAUTHORIZED, [TEXT, NUMBER]),
    "with_jayson.js": ({"status": 401, "body": REFUSAL}, [TEXT, NUMBER, None]),
    "with_json_rpc_2.js": ({"code": 0, "message": "401: Unauthorized"}, [TEXT, NUMBER]),
    "with_lua.lua": ({"status": 401, "body": REFUSAL}, [TEXT, NUMBER, None]),
}

PARAMS = json.dumps([sample.GRACE, "staff"])
NOTIFICATION = f'{{"jsonrpc": "2.0", "method": "core.UserHasGroup", "params": {PARAMS}}}'


@pytest.fixture
def talk(server, world):
    """What a client's program prints after its conversation with the server."""

    def talk(program: str) -> dict[str, Any]:
        runs = {".py": sys.executable, ".js": "node", ".lua": "lua5.4"}
        done = subprocess.run(
            [runs[Path(program).suffix], program],
            cwd=HERE,
            env=os.environ | {"CORE_RPC_URL": server.url, "CORE_RPC_TOKEN": world.secrets["write"]},
            capture_output=True,
            text=True,
            timeout=FAR,
            check=False,
        )
        assert "" == done.stderr
        return json.loads(done.stdout)

    return talk


def emails() -> set[str]:
    return {user.email for user in User.select(User.email)}


NEEDED = {".py": [], ".js": [pytest.mark.needs("node")], ".lua": [pytest.mark.needs("lua5.4")]}


@pytest.mark.parametrize(
    "program", [pytest.param(name, marks=NEEDED[Path(name).suffix]) for name in PROGRAMS]
)
def test_a_client_gets_what_there_is(talk, program):
    refusal, ids = PROGRAMS[program]
    before = emails()

    got = talk(program)

    for way in ("position", "name"):
        assert PROGRAM == got[f"result by {way}"]
        assert NOT_FOUND == got[f"error by {way}"]
        assert got[f"notification by {way}"] in NOTHING
        # In the order of the batch, the notification left out; the last call sees what the first one wrote.
        [made, error, cohorts] = got[f"batch by {way}"]
        assert NOT_FOUND == error
        assert [f"By {way}"] == [cohort["name"] for cohort in cohorts if cohort["id"] == made]
    assert got["batch of notifications"] in NOTHING
    assert ids == got["ids"]
    assert refusal == got["without a good token"]
    assert NOTIFIED == emails() - before


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", 'application/json;charset="UTF-8"'],
)
@pytest.mark.parametrize("written", ["1001", '"order 1001/2"', "null"])
def test_an_id_comes_back_whatever_the_client_calls_json(server, world, content_type, written):
    body = f'{{"jsonrpc": "2.0", "method": "core.UserHasGroup", "params": {PARAMS}, "id": {written}}}'

    reply = urllib3.request("POST", server.url, body=body, headers=headers(world, content_type))

    assert (200, "application/json") == (reply.status, reply.headers["Content-Type"])
    assert {"jsonrpc": "2.0", "result": True, "id": json.loads(written)} == reply.json()


@pytest.mark.parametrize("body", [NOTIFICATION, f"[{NOTIFICATION}]", f"[{NOTIFICATION}, {NOTIFICATION}]"])
def test_a_notification_is_answered_with_200_and_no_body(server, world, body):
    reply = urllib3.request("POST", server.url, body=body, headers=headers(world, "application/json"))

    assert (200, "0", b"") == (reply.status, reply.headers["Content-Length"], reply.data)


def headers(world: World, content_type: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {world.secrets['read']}", "Content-Type": content_type}
