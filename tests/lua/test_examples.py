"""The examples do what they say, by Debian's Lua and in the sandbox, and twice does nothing twice."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from client import Client, external_id
from models import sample
from models.tokens import Scope
from tests.conftest import ServerThread, World
from tests.test_cli import core_rpc, environment
from tests.waiting import FAR

LUA = Path(__file__).parent.parent.parent / "client" / "lua"

pytestmark = pytest.mark.sample


@pytest.fixture(params=[pytest.param("lua5.4", marks=pytest.mark.needs("lua5.4")), "core-rpc script"])
def run(
    request: pytest.FixtureRequest, server: ServerThread, world: World, tmp_path: Path
) -> Callable[..., str]:
    """Run an example with NAME=VALUE parameters; gives what it printed."""
    settings = {"url": server.url, "token": world.secrets[Scope.WRITE]}

    def run(name: str, *params: str) -> str:
        path = LUA / "examples" / name
        if request.param == "lua5.4":
            done = subprocess.run(
                ["lua5.4", "-l", "core", "-l", "helpers", str(path), *params],
                env=environment(settings) | {"LUA_PATH": f"{LUA}/?.lua;;"},
                cwd=tmp_path,
                capture_output=True,
                text=True,
                timeout=FAR,
                check=False,
            )
        else:
            words = [word for param in params for word in ("--param", param)]
            done = core_rpc("script", path, *words, cwd=tmp_path, **settings)
        assert (0, "") == (done.returncode, done.stderr)
        return done.stdout.splitlines()[0]

    return run


def test_a_purchase_makes_the_user_and_the_tickets_once(run, client: Client):
    first, second = (
        run("purchase.lua", "email=buyer@example.org"),
        run("purchase.lua", "email=buyer@example.org"),
    )

    assert first == "buyer@example.org\tis new\ttickets made: 2"
    assert second == "buyer@example.org\twas known\ttickets made: 0"
    tickets = client.user_tickets(email="buyer@example.org")
    assert {str(client_id) for client_id in _bought()} == {ticket["externalId"] for ticket in tickets}
    assert len(tickets) == 2


def _bought() -> list[UUID]:
    return [external_id("shop", f"order-1001/line-1/{unit}") for unit in (1, 2)]


def test_the_next_program_is_joined_once(run, client: Client):
    first, second = run("join_next.lua"), run("join_next.lua")

    assert first == "joined Cooking, summer"
    assert second == "is in Cooking, summer already"
    assert len(client.membership_history(sample.ADA, sample.NEXT_SUMMER)) == 1


def test_a_cohort_is_confirmed_and_synced_once(run, client: Client):
    first, second = run("sync_cohort.lua"), run("sync_cohort.lua")

    assert (first, second) == ("Vegetarians: 1 changed", "Vegetarians: 0 changed")
    names = [cohort["name"] for cohort in client.list_cohorts(sample.SPRING)]
    assert names.count("Vegetarians") == 1


def test_a_program_is_closed_once(run, client: Client):
    first, second = run("close_program.lua"), run("close_program.lua")

    assert (first, second) == ("closed for 1", "closed for 0")
    assert client.list_closing_participants(program_id=sample.SAFETY_ENDED) == []
    last = client.membership_history(sample.KATHERINE, sample.SAFETY_ENDED)[-1]
    assert (last["to"]["state"], last["comments"]) == ("completed", "the program has ended")
