"""Batches and map: futures, cutting, order, memory, and running again."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from client import AsyncClient, Client
from client.errors import InvalidParams, NotFound, NotSent, TransportError, Unauthorized
from client.protocol import MOST_BYTES, MOST_VALUES, Call, Retry, Writer, dumps, loads, pieces
from models import sample
from models.memberships import Cohort
from models.tickets import Ticket
from models.tokens import Scope


def reply_to(body: bytes) -> bytes:
    """A reply to each call: its own parameters."""
    return dumps([{"jsonrpc": "2.0", "result": call["params"], "id": call["id"]} for call in loads(body)])


@pytest.mark.sample
def test_each_call_of_a_batch_has_its_result_or_its_own_error(client):
    with client.batch() as batch:
        cohort = batch.core.ConfirmCohort(sample.SPRING, "Night owls")
        wrong = batch.confirm_cohort("no id", "Night owls")
        missing = batch.admin.EraseUser(uuid4())
        cohorts = batch.core.ListCohorts(sample.SPRING)

    assert cohort.result() in {str(one.id) for one in cohorts.result()}
    assert isinstance(wrong.error(), InvalidParams)
    with pytest.raises(NotFound):
        missing.result()


@pytest.mark.sample
async def test_an_async_batch_is_the_same(server, world):
    async with AsyncClient(server.url, world.secrets[Scope.READ]) as client:
        async with client.batch() as batch:
            programs = batch.list_active_programs()
        found = [outcome async for outcome in client.map("core.LookupProgram", [uuid4()] * 3)]
        alone = await client.core.ListActivePrograms()

    assert alone == programs.result()
    assert [(0, None), (1, None), (2, None)] == [(one.number, one.value) for one in found]


def test_a_batch_whose_block_ends_by_an_exception_is_not_sent():
    sent, gathered = [], []
    client = Client(lambda body: sent.append(body) or b"")

    def gather():
        with client.batch() as batch:
            gathered.append(batch.list_active_programs())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        gather()

    assert [] == sent
    with pytest.raises(NotSent):
        gathered[0].result()


def test_a_batch_larger_than_the_limits_is_cut(client, make_program):
    program = make_program()

    with client.batch() as batch:
        made = [batch.confirm_cohort(program.id, f"Cohort {n % 3}") for n in range(2500)]

    assert 3 == len({pending.result() for pending in made}) == Cohort.select().count()


def test_pieces_keep_to_each_limit_of_the_server():
    write = Writer()
    long = [write.call("core.QueryUsers", {"query": "x" * 10_000}) for _ in range(500)]
    many = [write.call("core.QueryUsers", {str(n): n for n in range(50)}) for _ in range(1000)]

    for calls in (long, many):
        cut = list(pieces(calls))
        assert calls == [call for piece in cut for call in piece]
        assert all(sum(len(call.body) + 1 for call in piece) + 1 <= MOST_BYTES for piece in cut)
        assert all(sum(call.values for call in piece) + 1 <= MOST_VALUES for piece in cut)


def test_writes_are_sent_one_request_after_the_other():
    order = []

    def transport(body):
        calls = loads(body)
        first = int(calls[0]["params"]["cohortName"])
        order.append(("begin", first))
        order.append(("end", first))
        return reply_to(body)

    with Client(transport).batch() as batch:
        made = [batch.confirm_cohort("p", str(n)) for n in range(3000)]

    assert [("begin", 0), ("end", 0), ("begin", 1000), ("end", 1000), ("begin", 2000), ("end", 2000)] == order
    assert [str(n) for n in range(3000)] == [one.result()["cohortName"] for one in made]


def test_map_keeps_the_order_of_the_rows_and_errors_are_values(client, make_program):
    program = make_program()
    rows = [{"program_id": program.id, "cohort_name": name} for name in ("A", "", "C")]

    found = list(client.map("core.ConfirmCohort", rows, size=2))

    assert rows == [outcome.row for outcome in found]
    assert [None, InvalidParams, None] == [outcome.error and type(outcome.error) for outcome in found]


def test_map_holds_only_the_rows_on_their_way():
    client = Client(reply_to)
    most = 0

    for outcome in client.map("core.LookupProgram", (str(n) for n in range(100_000)), size=500):
        assert [outcome.row] == outcome.value
        if outcome.number % 10_000 == 0:
            most = max(most, sum(isinstance(one, Call) for one in gc.get_objects()))

    assert outcome.number == 99_999
    assert most <= 5 * 500


def test_map_run_again_with_its_key_does_nothing_twice(client, make_kind, world):
    kind, buyers = make_kind(), [f"buyer{n}@example.org" for n in range(40)]
    rows = [{"email": email, "program_kind_id": kind.id} for email in buyers]

    for outcome in client.map("core.CreateProgramTicket", iter(rows), key="import-7", size=10):
        assert 1 == outcome.result()
        if outcome.number == 14:
            break  # the program dies here
    again = list(client.map("core.CreateProgramTicket", rows, key="import-7", size=10))

    assert [1] * 40 == [outcome.result() for outcome in again]
    assert [1] * 40 == [len(client.user_tickets(email=email)) for email in buyers]


IMPORT = """
import sys
from client import Client

rows = ({"email": f"buyer{n}@example.org", "program_kind_id": sys.argv[1]} for n in range(2000))
for outcome in Client.from_env().map("core.CreateProgramTicket", rows, key="import-8", size=100):
    outcome.result()
    print(outcome.number, flush=True)
"""


def test_an_import_that_was_killed_and_is_run_again_makes_each_ticket_once(server, world, make_kind):
    command = [sys.executable, "-c", IMPORT, str(make_kind().id)]
    settings = {"CORE_RPC_URL": server.url, "CORE_RPC_TOKEN": world.secrets[Scope.WRITE]}
    root = Path(__file__).parent.parent.parent

    with subprocess.Popen(
        command, env=os.environ | settings, cwd=root, stdout=subprocess.PIPE, text=True
    ) as first:
        for line in first.stdout:
            if int(line) == 500:
                first.kill()
                break
    assert -signal.SIGKILL == first.returncode
    assert Ticket.select().count() < 2000
    subprocess.run(command, env=os.environ | settings, cwd=root, stdout=subprocess.DEVNULL, check=True)

    assert 2000 == Ticket.select().count() == Ticket.select(Ticket.email).distinct().count()


def test_nothing_more_is_sent_to_a_server_that_cannot_be_reached(scripted):
    server = scripted(None)

    with Client(server.url, retry=Retry(attempts=2, first=0.001)) as client:
        found = list(client.map("core.LookupProgram", ["k"] * 100, size=10))

    assert 100 == len(found)
    assert all(isinstance(outcome.error, TransportError | NotSent) for outcome in found)
    assert len(server.sent) <= 6


def test_progress_is_shown_when_asked_for(capsys):
    found = list(Client(reply_to).map("core.LookupProgram", ["k"] * 3, progress=True))

    assert 3 == len(found)
    assert "core.LookupProgram" in capsys.readouterr().out


def test_integers_of_any_size_go_and_come_as_they_are():
    big = 2**80

    assert {"n": big} == json.loads(dumps({"n": big})) == loads(dumps({"n": big}))


def test_threads_may_share_a_client(client, make_program):
    program = make_program()

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: client.confirm_cohort(program.id, f"Cohort {n % 4}"), range(80)))

    assert 4 == len(set(made)) == Cohort.select().count()
    assert made == made[:4] * 20


def test_the_settings_are_read_from_the_environment(server, world, monkeypatch):
    monkeypatch.setenv("CORE_RPC_URL", server.url)
    monkeypatch.setenv("CORE_RPC_TOKEN", world.secrets[Scope.READ])

    with Client.from_env() as client:
        assert [] == client.list_active_programs()
    with Client.from_env(token="wrong") as stranger, pytest.raises(Unauthorized):
        stranger.list_active_programs()
