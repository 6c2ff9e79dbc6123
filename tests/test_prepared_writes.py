"""Writes that a reader prepares: found out beside the writer, carried out in it."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import marshmallow.fields
import pytest

from client import Client, RpcError
from models import sample
from models.actor import current
from models.audit import Audit
from models.cohorts import Cohort
from models.database import database
from models.programs import Program
from models.tokens import Scope
from rpc.registry import METHODS, Answer, Lane, caller, method
from rpc.schemas import Params, required
from tests.waiting import FAR


class Name(Params):
    name = required(marshmallow.fields.String, "a name")


@pytest.fixture
def make_prepared(make_method):
    """Register a write that is prepared: what is prepared, and what is done with that."""

    def make(prepare, handler=lambda prepared: prepared, params=Params):
        make_method("test.Prepared", handler, lane=Lane.WRITE, params=params, prepare=prepare)

    return make


@pytest.fixture
def numbered(make_prepared, make_program):
    """A write that makes a cohort named after how many there were when it was prepared; its program."""
    program = make_program()
    make_prepared(
        lambda: Cohort.select().count(), lambda count: Cohort.confirm(program.id, f"after {count}").name
    )
    return program


@pytest.fixture
def blocked():
    """Something to wait in, that tells when somebody does and ends when it is told to."""
    block = Block()
    yield block
    block.end.set()


class Block:
    def __init__(self):
        self.begun, self.end = threading.Event(), threading.Event()

    def wait(self):
        self.begun.set()
        assert self.end.wait(FAR)


@pytest.fixture
def beside(server, world):
    """Make a call in a thread of its own."""
    with ThreadPoolExecutor(4) as pool:
        yield lambda name, **params: pool.submit(
            Client(server.url, world.secrets[Scope.ADMIN]).call, name, **params
        )


def test_it_is_prepared_by_a_reader_and_carried_out_by_the_writer(client, make_prepared):
    make_prepared(
        lambda: [threading.current_thread().name, database.pragma("query_only")],
        lambda found: [*found, threading.current_thread().name, database.pragma("query_only")],
    )

    reader, reads_only, writer, writes = client.call("test.Prepared")

    assert (reader.startswith("reader"), reads_only) == (True, 1)
    assert (writer, writes) == ("writer", 0)


def test_the_parameters_are_for_the_preparation_and_what_it_gives_for_the_rest(client, make_prepared):
    make_prepared(lambda name: [name], lambda found: [*found, "written"], params=Name)

    assert client.call("test.Prepared", name="a") == ["a", "written"]


def test_wrong_parameters_are_refused_before_it(client, make_prepared):
    make_prepared(lambda name: name, params=Name)

    with pytest.raises(RpcError) as caught:
        client.call("test.Prepared")

    assert list(caught.value.fields) == ["name"]


def test_the_preparation_knows_who_calls_and_acts_for_them(client, make_prepared):
    make_prepared(lambda: [caller().scope, current().method])

    assert client.call("test.Prepared") == ["admin", "test.Prepared"]


def test_the_preparation_cannot_write(client, make_prepared, make_program):
    make_prepared(lambda: Cohort.confirm(program.id, "early"))
    program = make_program()

    [refused] = client.batch([("test.Prepared", {})])

    assert refused.word == "INTERNAL_ERROR"
    assert Cohort.select().count() == 0


def test_in_a_batch_it_starts_from_what_was_written_before_and_is_seen_by_what_comes_after(client, numbered):
    program = {"programId": numbered.id}

    outcomes = client.batch(
        [
            ("test.Prepared", {}),
            ("core.ConfirmCohort", program | {"cohortName": "one"}),
            ("core.ConfirmCohort", program | {"cohortName": "two"}),
            ("test.Prepared", {}),
            ("test.Prepared", {}),
            ("core.ListCohorts", program),
        ]
    )

    assert outcomes[0] == "after 0"
    assert outcomes[3:5] == ["after 3", "after 4"]
    assert [row["name"] for row in outcomes[5]] == ["after 0", "after 3", "after 4", "one", "two"]


def test_a_notification_is_prepared_and_carried_out(client, numbered):
    client.notify("test.Prepared")

    assert [row["name"] for row in client.list_cohorts(numbered.id)] == ["after 0"]


def test_it_leaves_one_audit_row_with_what_it_wrote(client, numbered):
    client.call("test.Prepared")

    [cohort], [row] = Cohort.select(), Audit.select().where(Audit.method == "test.Prepared")
    assert row.touched == str(cohort.id)


def test_what_was_prepared_is_what_one_state_was(client, beside, blocked, make_prepared, make_program):
    def count_twice():
        first = Cohort.select().count()
        blocked.wait()
        return [first, Cohort.select().count()]

    program = make_program()
    make_prepared(count_twice, lambda counts: [*counts, Cohort.select().count()])
    prepared = beside("test.Prepared")
    assert blocked.begun.wait(FAR)

    client.confirm_cohort(program.id, "meanwhile")
    blocked.end.set()

    assert prepared.result(FAR) == [0, 0, 1]


def test_while_it_is_prepared_others_read_and_write(client, beside, blocked, make_prepared, make_program):
    program = make_program()
    make_prepared(blocked.wait, lambda _: "done")
    prepared = beside("test.Prepared")
    assert blocked.begun.wait(FAR)

    cohort = client.confirm_cohort(program.id, "Monday")
    listed = client.list_cohorts(program.id)
    found = client.lookup_program_instance(program.id)

    assert ([row["id"] for row in listed], found["id"]) == ([cohort], str(program.id))
    assert not prepared.done()
    blocked.end.set()
    assert prepared.result(FAR) == "done"


def test_preparations_do_not_wait_for_each_other(beside, make_prepared):
    together = threading.Barrier(3)
    make_prepared(lambda: together.wait(FAR) >= 0)

    calls = [beside("test.Prepared") for _ in range(3)]

    assert [call.result(FAR) for call in calls] == [True] * 3


# Answers that need no writer


def test_an_answer_does_not_wait_for_the_writer(server, world, beside, blocked, make_prepared, make_method):
    make_method("test.Hold", blocked.wait, lane=Lane.WRITE)
    make_prepared(lambda: Answer("at once"))
    held = beside("test.Hold")
    assert blocked.begun.wait(FAR)

    # A call with a key waits, since its answer is kept; without retry there is none.
    client = Client(server.url, world.secrets[Scope.ADMIN], retry=None)
    assert client.call("test.Prepared") == "at once"
    assert not held.done()


def test_an_answer_looks_as_the_result_does_and_leaves_no_audit_row(client, make_method):
    make_method(
        "test.Prepared",
        lambda found: found,
        lane=Lane.WRITE,
        returns=marshmallow.fields.UUID(),
        prepare=lambda: Answer(Program.new().id),
    )

    found = client.call("test.Prepared")

    assert len(found) == 36
    assert Audit.select().where(Audit.method == "test.Prepared").count() == 0


# Errors


def test_an_error_of_the_preparation_is_told_and_nothing_is_carried_out(client, make_prepared, make_program):
    done = []
    make_prepared(lambda: Program.of(sample.NOBODY), done.append)
    confirm = "core.ConfirmCohort", {"programId": make_program().id, "cohortName": "Monday"}

    outcomes = client.batch([confirm, ("test.Prepared", {}), confirm])

    assert outcomes[1].word == "PROGRAM_NOT_FOUND"
    assert outcomes[0] == outcomes[2]
    assert done == []


def test_a_fault_in_the_preparation_shows_nothing_of_itself(client, make_prepared):
    make_prepared(lambda: 1 / 0)

    with pytest.raises(RpcError) as caught:
        client.call("test.Prepared")

    assert (caught.value.word, list(caught.value.data)) == ("INTERNAL_ERROR", ["code", "requestId"])


def test_an_error_of_what_is_carried_out_leaves_nothing(client, make_prepared, make_program):
    def carry_out(program_id):
        Cohort.confirm(program_id, "Monday")
        Program.of(sample.NOBODY)

    program = make_program()
    make_prepared(lambda: program.id, carry_out)

    [refused] = client.batch([("test.Prepared", {})])

    assert refused.word == "PROGRAM_NOT_FOUND"
    assert Cohort.select().count() == 0


def test_one_that_no_reader_has_begun_by_its_deadline_is_given_up(
    serve, world, blocked, make_method, make_prepared
):
    done = []
    make_method("test.Hold", blocked.wait, lane=Lane.SLOW)
    make_prepared(lambda: "prepared", done.append)
    server = serve(readers=1, call_seconds=0.2)
    clients = [Client(server.url, world.secrets[Scope.ADMIN]) for _ in range(2)]

    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(clients[0].call, "test.Hold")
        assert blocked.begun.wait(FAR)
        [late] = clients[1].batch([("test.Prepared", {})])
        blocked.end.set()
        held.result(FAR)

    assert late.word == "DEADLINE_EXCEEDED"
    assert done == []


def test_one_whose_preparation_outlasts_its_deadline_is_not_carried_out(serve, world, make_prepared):
    done = []
    make_prepared(lambda: time.sleep(0.3), done.append)  # what is tested is that time has passed
    client = Client(serve(call_seconds=0.2).url, world.secrets[Scope.ADMIN])

    [late] = client.batch([("test.Prepared", {})])

    assert late.word == "DEADLINE_EXCEEDED"
    assert done == []


@pytest.mark.parametrize("lane", [Lane.QUICK, Lane.SLOW])
def test_only_a_write_is_prepared(lane):
    register = {"params": Params, "returns": marshmallow.fields.Raw(), "example": {}, "scope": Scope.READ}

    with pytest.raises(ValueError, match=r"test\.Read"):
        method("test.Read", **register, lane=lane, prepare=lambda: None)

    assert "test.Read" not in METHODS
