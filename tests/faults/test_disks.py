"""A disk that is full, read-only, or does not sync, and is well again, while the server runs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import apsw
import pytest

from client import Client, RpcError
from rpc.errors import BUSY, INTERNAL_ERROR
from tests.faults.checks import check
from tests.faults.disk import State
from tests.faults.ledger import Ledger
from tests.faults.running import Server, serving
from tests.faults.writers import Writers
from tests.waiting import until

ROOM = 1024 * 1024  # bytes of a log that holds more than a checkpoint's pages

refusing = pytest.mark.parametrize(
    "state", [State.FULL, State.NO_ROOM, State.READ_ONLY], ids=lambda state: state.name
)

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture
def server(world, disk) -> Iterator[Server]:
    """A server on the disk."""
    disk.begin()
    with serving(world.path, disk.environment) as server:
        yield server


@pytest.fixture
def client(server, world) -> Client:
    return Client(server.url, world.secret, retry=None)


def code_of(call: Callable[..., Any], *args: Any) -> int | None:
    """The code of the error that a call is answered with, if it is."""
    try:
        call(*args)
    except RpcError as error:
        return error.code
    return None


def names(client: Client, program_id: str) -> list[str]:
    return [cohort["name"] for cohort in client.list_cohorts(program_id)]


def is_checkpointed(connection: apsw.Connection) -> bool:
    """Bring the log into the database; whether all of it is there."""
    try:
        pages, done = connection.wal_checkpoint()
    except apsw.BusyError:  # the server is doing it
        return False
    return pages == done


@refusing
def test_writes_are_busy_and_reads_go_on_until_there_is_room(state, world, disk, server, client, seed):
    ledger = Ledger(world.known)
    writers = Writers(world, ledger, seed)
    writers.start(server.url)
    until(lambda: ledger.answered > 300)

    disk.turn(state)
    until(lambda: ledger.busy > 100)
    read = [
        client.lookup_program(world.kinds[0])["id"],
        client.lookup_program_instance(world.programs[0])["id"],
        len(client.list_cohorts(world.programs[0])) > 0,
        len(client.user_tickets(world.users[0])) > 0,
    ]
    disk.turn(State.WELL)
    answered = ledger.answered
    until(lambda: ledger.answered > answered + 300)
    writers.stop()
    found = check(world.path, ledger)
    server.kill()
    with serving(world.path):
        found += check(world.path, ledger)

    assert [world.kinds[0], world.programs[0], True, True] == read
    assert [] == found


@refusing
def test_a_server_whose_first_write_is_refused_writes_once_there_is_room(state, world, disk, client):
    disk.turn(state)
    refused = code_of(client.confirm_cohort, world.programs[0], "refused")
    before = names(client, world.programs[0])
    disk.turn(State.WELL)
    client.confirm_cohort(world.programs[0], "later")

    assert (BUSY, []) == (refused, before)
    assert ["later"] == names(client, world.programs[0])


def test_a_server_whose_log_has_no_room_serves(world):
    with serving(world.path, log=Path("/dev/full")) as server:
        made = Client(server.url, world.secret).confirm_cohort(world.programs[0], "made")

    assert made


def test_while_a_checkpoint_finds_no_room_writes_go_on_as_long_as_the_log_has_some(
    world, disk, server, client
):
    numbers = iter(range(100_000))
    log = world.path.with_name(world.path.name + "-wal")

    def write() -> int | None:
        return code_of(client.confirm_cohort, world.programs[0], f"{next(numbers)} " + "x" * 200)

    def size() -> int:
        return world.path.stat().st_size

    with contextlib.closing(apsw.Connection(str(world.path))) as beside:
        with beside:  # while somebody reads, the log does not begin anew, but grows
            beside.execute("SELECT * FROM sqlite_schema").fetchall()
            until(lambda: write() is None and log.stat().st_size > ROOM)
        until(lambda: is_checkpointed(beside))  # the next write begins the log anew
    full = size()
    disk.turn(State.FULL)
    answers: list[int | None] = []
    until(lambda: answers.append(write()) or answers[-1] is not None)
    until(lambda: "a checkpoint failed" in server.log)
    size_while_full = size()
    disk.turn(State.WELL)
    until(lambda: write() is None and size() > full)

    assert len(answers) > 1
    assert answers[-1] == BUSY
    assert full == size_while_full
    assert next(numbers) - 1 == len(client.list_cohorts(world.programs[0]))


def test_what_could_not_be_synced_is_not_said_to_be_undone_and_may_come_back(world, disk, server, client):
    client.confirm_cohort(world.programs[0], "before")
    disk.turn(State.UNSYNCED)
    code = code_of(client.confirm_cohort, world.programs[0], "unsynced")
    while_it_runs = names(client, world.programs[0])
    server.kill()
    with serving(world.path) as again:
        afterwards = names(Client(again.url, world.secret), world.programs[0])

    assert (INTERNAL_ERROR, ["before"]) == (code, while_it_runs)
    assert ["before", "unsynced"] == afterwards


def test_what_could_not_be_synced_does_not_come_back_after_a_write_that_could(world, disk, server, client):
    client.confirm_cohort(world.programs[0], "before")
    disk.turn(State.UNSYNCED)
    code = code_of(client.confirm_cohort, world.programs[0], "unsynced")
    disk.turn(State.WELL)
    client.confirm_cohort(world.programs[0], "synced")
    server.kill()
    with serving(world.path) as again:
        afterwards = names(Client(again.url, world.secret), world.programs[0])

    assert (INTERNAL_ERROR, ["before", "synced"]) == (code, afterwards)
