"""The files of a database are deleted, moved away or replaced, and put back, while the server runs."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from client import Client, RpcError
from tests.faults.checks import check
from tests.faults.ledger import Ledger
from tests.faults.running import Server, serving
from tests.faults.world import World
from tests.faults.writers import Writers
from tests.waiting import FAR, until

pytestmark = pytest.mark.xdist_group("faults")


class Case:
    """A server whose callers write, what they were answered, and the files of its database."""

    def __init__(self, world: World, server: Server, seed: int) -> None:
        self.world, self.server = world, server
        self.path, self.aside = world.path, world.path.with_name("aside")
        self.ledger = Ledger(world.known)
        self._writers = Writers(world, self.ledger, seed)
        self._writers.start(server.url)
        self.until_answered()

    def file(self, ending: str) -> Path:
        return self.path.with_name(self.path.name + ending)

    def until_answered(self) -> None:
        """Wait until some hundred more calls were carried out."""
        answered = self.ledger.answered
        until(lambda: self.ledger.answered > answered + 300)

    def until_refused(self) -> None:
        """Wait until all callers are refused."""
        until(lambda: self.ledger.busy > 100)
        answered = self.ledger.answered
        busy = self.ledger.busy
        until(lambda: self.ledger.busy > busy + 100)
        assert answered == self.ledger.answered

    def stop(self) -> list[str]:
        """Let the callers end; what is wrong with the database as it is, and as a later server finds it."""
        self._writers.stop()
        found = check(self.path, self.ledger)
        self.server.kill()
        with serving(self.path):
            return found + check(self.path, self.ledger)

    def until_ready_says(self, *words: str) -> None:
        """Wait until /ready says that this is wrong; it remembers what it saw for a second."""
        until(lambda: self._wrong() == list(words))

    def _wrong(self) -> list[str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=FAR)
        with closing(connection):
            connection.request("GET", "/ready")
            response = connection.getresponse()
            body = json.loads(response.read())
        return [] if response.status == 200 else body["error"]["data"]["wrong"]

    def told(self) -> dict[str, Any]:
        """The data of the error that a write is answered with."""
        client = Client(self.server.url, self.world.secret, retry=None)
        with pytest.raises(RpcError) as caught:
            client.confirm_cohort(self.world.programs[0], "refused")
        return caught.value.data


@pytest.fixture
def case(world, seed) -> Iterator[Case]:
    with serving(world.path) as server:
        yield Case(world, server, seed)


@pytest.fixture
def other(template: World, tmp_path: Path) -> Path:
    """Another database, which nobody has open."""
    (tmp_path / "other").mkdir()
    return template.copy(tmp_path / "other").path


def put_back(case: Case) -> None:
    """Give the file that was put aside its name again."""
    os.replace(case.aside, case.path)


def test_a_database_that_was_moved_away_is_written_again_once_it_is_back(case):
    case.path.rename(case.aside)
    case.until_refused()
    case.until_ready_says("DATABASE_GONE")
    told, made = case.told(), case.path.exists()
    put_back(case)
    case.until_answered()

    assert {"code": "BUSY", "retryAfterMs": 1000, "wrong": ["DATABASE_GONE"]} == told
    assert not made
    assert [] == case.stop()
    assert case.server.log.count("writes are refused: DATABASE_GONE") == 1


@pytest.mark.parametrize("how", ["replaced", "moved away, and a new one made", "deleted, and a new one made"])
def test_a_database_in_the_place_of_the_right_one_is_left_as_it_is(how, case, other):
    before = other.read_bytes()
    match how:
        case "replaced":
            os.link(case.path, case.aside)
            os.replace(other, case.path)
        case "moved away, and a new one made":
            case.path.rename(case.aside)
            shutil.copy(other, case.path)
        case _:
            os.link(case.path, case.aside)
            case.path.unlink()
            shutil.copy(other, case.path)
    case.until_refused()
    case.until_ready_says("DATABASE_GONE")
    told, while_it_was_there = case.told(), case.path.read_bytes()
    put_back(case)
    case.until_answered()

    assert (["DATABASE_GONE"], before) == (told["wrong"], while_it_was_there)
    assert [] == case.stop()


def test_a_server_that_stops_leaves_another_database_as_it_is(case, other):
    before = other.read_bytes()
    os.link(case.path, case.aside)
    os.replace(other, case.path)
    case.until_refused()
    case.server.terminate()
    afterwards = case.path.read_bytes()
    put_back(case)

    assert before == afterwards
    assert [] == case.stop()


def test_a_log_that_was_deleted_is_saved_and_a_new_one_begun(case):
    case.file("-wal").unlink()
    until(case.file("-wal").exists)
    case.until_answered()
    case.until_ready_says()

    assert [] == case.stop()


def test_a_log_that_was_deleted_while_nobody_writes_is_saved_when_somebody_asks_whether_it_is_well(world):
    with serving(world.path) as server:
        client = Client(server.url, world.secret, retry=None)
        client.confirm_cohort(world.programs[0], "before")
        world.path.with_name("core.db-wal").unlink()
        until(server.is_ready)
        client.confirm_cohort(world.programs[0], "after")
        read = {cohort["name"] for cohort in client.list_cohorts(world.programs[0])}
        server.kill()
    with closing(sqlite3.connect(world.path)) as file:
        kept = {name for (name,) in file.execute("SELECT name FROM cohort")}

    assert {"before", "after"} == read == kept


def test_a_log_that_was_moved_away_is_saved_and_may_be_put_back(case):
    case.file("-wal").rename(case.aside)
    until(case.file("-wal").exists)
    case.until_answered()
    os.replace(case.aside, case.file("-wal"))
    case.until_answered()

    assert [] == case.stop()


def test_a_file_in_the_place_of_the_log_is_left_as_it_is(case):
    os.link(case.file("-wal"), case.aside)
    strange = case.path.with_name("strange")
    strange.write_bytes(b"strange" * 10_000)
    os.replace(strange, case.file("-wal"))
    case.until_refused()
    case.until_ready_says("LOG_GONE")
    told, while_it_was_there = case.told(), case.file("-wal").read_bytes()
    os.replace(case.aside, case.file("-wal"))
    case.until_answered()

    assert (["LOG_GONE"], b"strange" * 10_000) == (told["wrong"], while_it_was_there)
    assert [] == case.stop()


def test_without_the_index_of_the_log_nothing_is_written_until_it_is_back(case):
    case.file("-shm").rename(case.aside)
    case.until_refused()
    case.until_ready_says("LOG_GONE")
    case.aside.rename(case.file("-shm"))
    case.until_answered()

    assert [] == case.stop()


def test_an_index_of_the_log_that_was_deleted_comes_back_with_a_restart(case):
    case.file("-shm").unlink()
    case.until_refused()
    case.server.terminate()

    assert [] == case.stop()


WRITE = """
import sys
from models.database import configure, connected, database, writing
configure("sqlite:///" + sys.argv[1])
with connected(), writing():
    database.execute_sql("UPDATE program SET name = 'changed'")
    print("writing", flush=True)
    input()
"""


@contextmanager
def writing(path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is about to commit, as soon as a line is sent to it."""
    pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    with subprocess.Popen([sys.executable, "-c", WRITE, path], text=True, **pipes) as process:
        assert process.stdout.readline() == "writing\n"
        yield process
        process.kill()


def test_a_command_whose_database_is_replaced_while_it_writes_commits_nothing(world, other):
    before = other.read_bytes()
    aside = world.path.with_name("aside")
    with writing(world.path) as process:
        os.link(world.path, aside)
        os.replace(other, world.path)
        _, said = process.communicate("\n")

    assert (1, before) == (process.returncode, world.path.read_bytes())
    assert "Displaced: DATABASE_GONE" in said
    os.replace(aside, world.path)
    with closing(sqlite3.connect(world.path)) as file:
        assert [] == file.execute("SELECT name FROM program WHERE name = 'changed'").fetchall()
        assert [("ok",)] == file.execute("PRAGMA integrity_check").fetchall()
