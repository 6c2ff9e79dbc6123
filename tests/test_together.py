"""Lookups by id: the quick way says what the handler says, and what comes together is asked together."""

from __future__ import annotations

import asyncio
import json
import time
from uuid import UUID, uuid4

import apsw
import pytest

import rpc.app  # noqa: F401  registers the methods
from models import sample
from models.database import database
from models.programs import Program, ProgramKind
from models.tokens import Scope
from rpc.envelope import Envelope, Limits
from rpc.lanes import Lanes, Together
from rpc.registry import METHODS, Call, Caller, Context

BY_IDS = {name: entry for name, entry in METHODS.items() if entry.by_ids is not None}
TABLES = {"core.LookupProgram": ProgramKind, "core.LookupProgramInstance": Program}


@pytest.mark.sample
@pytest.mark.parametrize("name", BY_IDS)
def test_what_is_found_by_ids_is_what_the_handler_finds(world, name):
    entry = BY_IDS[name]
    ids = [row.id for row in TABLES[name].select()]

    found = entry.by_ids([*map(str, ids), str(uuid4())])

    assert len(ids) > 5
    for row_id in ids:
        result = entry.returns.serialize("result", {"result": entry.handler(row_id)})
        assert list(found[str(row_id)].items()) == list(result.items())
    assert len(found) == len(ids)


@pytest.fixture
async def lanes(world):
    made = Lanes(readers=1)
    made.open()
    yield made
    made.close()


@pytest.fixture
def asked(lanes):
    """The selects that the loop's connection is told to run."""
    told: list[str] = []

    def note(_: object, sql: str, values: object) -> bool:
        if sql.startswith("SELECT"):
            told.append(sql)
        return True

    database.connection().exec_trace = note
    return told


def planned(name: str, row_id: UUID, seconds: float = 60.0) -> Call:
    call = Call(context(seconds), [str(row_id)])
    METHODS[name](call)
    assert call.method is METHODS[name]
    return call


def lookup(number: int, name: str, row_id: UUID) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": name, "params": [str(row_id)], "id": number}).encode()


def context(seconds: float = 60.0) -> Context:
    return Context(Caller(None, Scope.READ), "a-request", time.monotonic() + seconds)


@pytest.mark.sample
async def test_lookups_of_one_turn_share_a_query_a_kind(lanes, asked):
    kinds = [row.id for row in ProgramKind.select()]
    programs = [row.id for row in Program.select()]
    wanted = [("core.LookupProgram", row_id) for row_id in kinds * 3]
    wanted += [("core.LookupProgramInstance", row_id) for row_id in programs * 3]
    envelope = Envelope(lanes, METHODS, Limits())
    asked.clear()

    replies = await asyncio.gather(
        *(envelope.answer(lookup(number, *one), context()) for number, one in enumerate(wanted))
    )

    found = [json.loads(reply.body) for reply in replies]
    assert list(range(len(wanted))) == [reply["id"] for reply in found]
    assert [str(row_id) for _, row_id in wanted] == [reply["result"]["id"] for reply in found]
    assert len(asked) == 3  # the first at once, the others together, one for each kind of lookup


@pytest.mark.sample
async def test_lookups_of_a_batch_share_a_query(lanes, asked):
    kinds = [row.id for row in ProgramKind.select()]
    calls = [planned("core.LookupProgram", row_id) for row_id in (*kinds, uuid4())]
    asked.clear()

    await lanes.run(calls)

    assert [str(row_id) for row_id in kinds] == [call.value["id"] for call in calls[:-1]]
    assert (None, None) == (calls[-1].value, calls[-1].error)
    assert len(asked) == 1


@pytest.mark.sample
async def test_what_was_looked_up_is_remembered_until_somebody_commits(lanes, asked, world):
    kinds = [row.id for row in ProgramKind.select()]
    outside = apsw.Connection(str(world.path))
    asked.clear()

    async def look_up() -> tuple[set[str], int]:
        calls = [planned("core.LookupProgram", row_id) for row_id in (*kinds, uuid4())]
        before = len(asked)
        await lanes.run(calls)
        await asyncio.sleep(0)  # the next turn
        return {call.value["name"] for call in calls[:-1]}, len(asked) - before

    first = await look_up()
    outside.execute("UPDATE user SET name = 'somebody'")
    second = await look_up()
    outside.execute("UPDATE program_kind SET name = 'Renamed'")
    third = await look_up()

    assert ({"Renamed"}, 1) == third
    assert first == second == (first[0], 1)
    assert len(first[0]) > 5
    outside.close()


@pytest.mark.sample
async def test_what_is_remembered_is_not_asked_again(lanes, asked):
    kinds = [row.id for row in ProgramKind.select()]
    nobody = uuid4()
    asked.clear()

    for _ in range(3):
        calls = [planned("core.LookupProgram", row_id) for row_id in (*kinds, nobody)]
        await lanes.run(calls)
        await asyncio.sleep(0)
        assert [*map(str, kinds), None] == [call.value and call.value["id"] for call in calls]

    assert len(asked) == 1


@pytest.mark.sample
def test_a_lookup_sees_what_was_written_before_it_in_its_batch(client):
    program = {"programId": sample.SPRING}
    calls = []
    for number in range(20):
        calls += [
            ("admin.SaveProgram", {"id": sample.SPRING, "name": f"Name {number}"}),
            ("core.LookupProgramInstance", program),
        ]

    found = client.batch([("core.LookupProgramInstance", program), *calls])

    assert [f"Name {number}" for number in range(20)] == [one["name"] for one in found[2::2]]


@pytest.mark.sample
async def test_a_lookup_past_its_deadline_is_given_up_and_the_others_are_not(lanes):
    [kind, *_] = [row.id for row in ProgramKind.select()]
    late, good = planned("core.LookupProgram", kind, seconds=-1), planned("core.LookupProgram", kind)

    await lanes.run([late, good])

    assert late.error.data == {"code": "DEADLINE_EXCEEDED"}
    assert good.value["id"] == str(kind)


@pytest.mark.sample
async def test_a_request_that_is_gone_takes_nobody_with_it(lanes):
    [kind, *_] = [row.id for row in ProgramKind.select()]
    envelope = Envelope(lanes, METHODS, Limits())
    body = lookup(1, "core.LookupProgram", kind)
    tasks = [asyncio.ensure_future(envelope.answer(body, context())) for _ in range(3)]
    await asyncio.sleep(0)

    tasks[1].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(done[1], asyncio.CancelledError)
    assert [str(kind)] * 2 == [json.loads(done[number].body)["result"]["id"] for number in (0, 2)]


async def test_what_fails_as_a_whole_is_told_to_everybody_and_the_next_turn_is_another():
    def refuse(items: list[object]) -> None:
        raise RuntimeError(f"{len(items)} items")

    turns = []
    together = Together(refuse, lambda: turns.append("over"))

    numbers = [together.add(number) for number in range(3)]
    first = await asyncio.gather(*numbers, return_exceptions=True)
    second = await asyncio.gather(together.add(3), return_exceptions=True)
    await asyncio.sleep(0)

    assert ["1 items", "2 items", "2 items", "1 items"] == [str(error) for error in first + second]
    assert ["over"] * 2 == turns
