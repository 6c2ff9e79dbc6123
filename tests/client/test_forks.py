"""Each process, thread and event loop gets the answers to its own calls, though they share one client."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from client import AsyncClient, Client
from client.errors import WrongReply
from client.protocol import Writer, loads
from models.tickets import Ticket
from models.tokens import Scope
from tests.client.conftest import answered
from tests.client.forking import CALLS, CHILDREN, THREADS
from tests.waiting import FAR

ROOT = Path(__file__).parents[2]
LOOK_UP = 3 * CALLS + 21  # answers that one thread gets


@pytest.fixture
def run(server, world, make_kind) -> Callable[[str], int]:
    """Run a program of forking.py; how many answers its processes got."""
    kinds = [str(make_kind(name=f"Course {number}").id) for number in range(40)]
    settings = {"CORE_RPC_URL": server.url, "CORE_RPC_TOKEN": world.secrets[Scope.WRITE]}

    def run(name: str) -> int:
        done = subprocess.run(
            [sys.executable, "-m", "tests.client.forking", name, *kinds],
            cwd=ROOT,
            env=os.environ | settings,
            capture_output=True,
            text=True,
            timeout=FAR,
        )
        assert done.returncode == 0, done.stderr
        return int(done.stdout)

    return run


def test_forked_processes_get_their_own_answers_while_the_parents_threads_call(run):
    lookers = 2 * THREADS + 2 * CHILDREN * THREADS

    assert lookers * LOOK_UP == run("fork")
    assert lookers == Ticket.select().count()  # no write was taken for the repetition of another's


def test_processes_of_multiprocessing_get_their_own_answers(run):
    assert 2 * LOOK_UP + 10 * CHILDREN * (3 * 20 + 21) == run("pool")


def test_a_child_that_was_forked_at_any_moment_can_call(run):
    assert run("often") > 200


def test_a_child_that_was_forked_at_any_line_of_anothers_first_call_can_call(run):
    assert run("at_each_line") > 200


def test_an_async_client_serves_one_event_loop_after_the_other_and_forked_processes(run):
    assert (3 + CHILDREN) * 2 * CALLS == run("loops")


def test_an_event_loop_goes_on_after_children_were_forked_in_it(run):
    assert (1 + 3 * CHILDREN) * 2 * CALLS == run("running_loop")


def test_an_async_client_serves_the_event_loops_of_several_threads(run):
    assert THREADS * 2 * CALLS == run("loops_of_threads")


def test_what_was_begun_before_a_fork_is_refused_in_the_child_and_goes_on_in_the_parent(run):
    assert run("begun_before") == 399


def test_a_client_can_be_closed_and_used_again(server, world, make_kind):
    kind = make_kind()
    client = Client(server.url, world.secrets[Scope.READ])

    for _ in range(3):
        assert kind.id == client.lookup_program(kind.id).id
        client.close()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_the_ids_of_a_forked_process_are_others():
    before = loads(Writer().call("core.LookupProgram", ["k"]).body)["id"]
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, str(loads(Writer().call("core.LookupProgram", ["k"]).body)["id"]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    mine = loads(Writer().call("core.LookupProgram", ["k"]).body)["id"]
    childs = int(os.read(reading, 100))
    os.close(reading)
    os.close(writing)

    assert before + 1 == mine
    assert abs(childs - mine) > 1000
    assert 0 <= childs < 2**53


def replied_with(change: Callable[[dict], object]) -> Callable:
    """A good reply to one call, changed."""

    def answer(call):
        reply = {"jsonrpc": "2.0", "result": "of another", "id": call["id"]}
        changed = change(reply)
        return 200, {}, reply if changed is None else changed

    return answer


def error_of_another(reply: dict) -> dict:
    return {"jsonrpc": "2.0", "error": {"code": -32001, "message": "Not found"}, "id": reply["id"] + 1}


WRONG = {
    "the next id": lambda reply: reply.update(id=reply["id"] + 1),
    "the id as text": lambda reply: reply.update(id=str(reply["id"])),
    "an id that is a list": lambda reply: reply.update(id=[reply["id"]]),
    "an error of another call": error_of_another,
    "two of others": lambda reply: [reply | {"id": 1}, reply | {"id": 2}],
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_the_reply_to_another_request_is_an_error_and_its_connection_is_closed(scripted, change):
    server = scripted(replied_with(change), answered("mine"))

    with Client(server.url) as client:
        with pytest.raises(WrongReply):
            client.lookup_program("k")
        assert "mine" == client.call("test.Echo")

    assert 2 == server.connections


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
async def test_for_an_async_client_too(scripted, change):
    server = scripted(replied_with(change), answered("mine"))

    async with AsyncClient(server.url) as client:
        with pytest.raises(WrongReply):
            await client.lookup_program("k")
        assert "mine" == await client.call("test.Echo")

    assert 2 == server.connections


def test_of_a_batch_only_the_calls_whose_reply_is_missing_have_the_error(scripted):
    def one_is_anothers(calls):
        replies = [{"jsonrpc": "2.0", "result": call["params"], "id": call["id"]} for call in calls]
        replies[1]["id"] = 1
        return 200, {}, replies

    server = scripted(one_is_anothers)

    with Client(server.url) as client, client.batch() as batch:
        first, second, third = (batch.call("test.Echo", n) for n in range(3))

    assert ([0], [2]) == (first.result(), third.result())
    assert isinstance(second.error(), WrongReply)
