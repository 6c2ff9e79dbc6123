"""/ready: a word for each thing that is wrong, and nothing of the data."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import apsw
import pytest

from models.tokens import Scope
from rpc.monitoring.ready import Wrong
from rpc.registry import Lane
from tests.monitoring.conftest import LOOKUP
from tests.waiting import FAR


@pytest.fixture
def ask(request_to):
    """What /ready says to whoever asks: the status, and what is wrong."""

    def ask(server):
        answer = request_to(server, "GET", "/ready", Authorization="")
        if answer.status == 200:
            assert answer.json == {"status": "ready"}
            return 200, []
        error = answer.json["error"]
        assert (error["code"], error["data"]["code"]) == (-32009, "BUSY")
        assert answer.headers["Retry-After"] == "1"
        return answer.status, error["data"]["wrong"]

    return ask


def test_a_server_that_can_work_is_ready(server, ask):
    assert ask(server) == (200, [])


def test_a_server_that_stops_says_so(server, ask):
    server.running._app.draining = True

    assert ask(server) == (503, [Wrong.DRAINING])


def test_a_database_file_that_is_gone_is_named(server, ask, world):
    world.path.unlink()

    assert ask(server) == (503, [Wrong.DATABASE_GONE])


def test_a_database_file_put_in_the_place_of_the_one_that_is_served_is_named(server, ask, world):
    other = world.path.with_name("other.db")
    other.write_bytes(world.path.read_bytes())
    other.rename(world.path)

    assert ask(server) == (503, [Wrong.DATABASE_GONE])


def test_a_file_that_is_no_database_any_more_is_named(server, ask, world):
    with world.path.open("r+b") as file:
        file.write(b"\xff" * 8192)

    status, wrong = ask(server)

    assert (status, wrong) == (503, [Wrong.DATABASE_UNREACHABLE])


def test_a_database_of_a_later_version_is_named(server, ask, world):
    with apsw.Connection(str(world.path)) as other:
        other.execute("INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2027-01-01')")

    assert ask(server) == (503, [Wrong.WRONG_SCHEMA])


def test_a_database_of_an_earlier_version_is_named(server, ask, world):
    with apsw.Connection(str(world.path)) as other:
        other.execute("DELETE FROM schema_migration WHERE name LIKE '0002%'")

    assert ask(server) == (503, [Wrong.WRONG_SCHEMA])


def test_a_writer_that_is_long_at_one_group_is_stuck(server, ask, make_method, request_to, world):
    server.running._app.readiness.stuck_seconds = 0.1
    let_go, begun = threading.Event(), threading.Semaphore(0)
    make_method("test.Hold", lambda: begun.release() or let_go.wait(FAR), lane=Lane.WRITE)
    bearer = {"Authorization": f"Bearer {world.secrets[Scope.WRITE]}"}
    with ThreadPoolExecutor(1) as callers:
        held = callers.submit(request_to, server, "POST", "/rpc", LOOKUP | {"method": "test.Hold"}, **bearer)
        assert begun.acquire(timeout=FAR)
        until = time.monotonic() + FAR
        while (found := ask(server)) == (200, []) and time.monotonic() < until:
            threading.Event().wait(0.02)
        let_go.set()
        held.result()

    assert found == (503, [Wrong.WRITER_STUCK])
    assert ask(server) == (200, [])


def test_a_writer_that_has_ended_is_named(server, ask):
    server.running._app.lanes.writer.stop()

    assert ask(server) == (503, [Wrong.WRITER_GONE])


def test_all_that_is_wrong_is_told_at_once(server, ask, world):
    world.path.unlink()
    server.running._app.draining = True
    server.running._app.lanes.writer.stop()

    assert ask(server) == (503, [Wrong.DRAINING, Wrong.DATABASE_GONE, Wrong.WRITER_GONE])


def test_a_server_is_ready_again_when_it_is_put_right(server, ask, world):
    server.running._app.readiness.remembered_seconds = 0.0
    away = world.path.with_name("away.db")
    world.path.rename(away)
    gone = ask(server)

    away.rename(world.path)

    assert (gone, ask(server)) == ((503, [Wrong.DATABASE_GONE]), (200, []))


def test_the_database_is_looked_at_once_a_second_however_many_ask(server, ask, world):
    assert ask(server) == (200, [])

    world.path.unlink()  # and is not noticed yet
    found = [ask(server) for _ in range(3)]

    assert found[0] == (200, [])


def test_a_server_is_ready_while_another_process_writes(server, ask, world):
    with contextlib.closing(apsw.Connection(str(world.path))) as other:
        other.execute("BEGIN IMMEDIATE")
        found = ask(server)

    assert found == (200, [])
