"""Lookups by id: the quick way says what the handler says, and what comes together is asked together."""

from __future__ import annotations

import asyncio
import time
from uuid import UUID, uuid4

import pytest

import rpc.app  # noqa: F401  registers the methods
from models.database import database
from models.programs import Program, ProgramKind
from models.tokens import Scope
from rpc.lanes import Lanes
from rpc.registry import METHODS, Caller, Context, Planned

BY_IDS = {name: entry for name, entry in METHODS.items() if entry.by_ids is not None}
TABLES = {"core.LookupProgram": ProgramKind, "core.LookupProgramInstance": Program}


@pytest.mark.sample
@pytest.mark.parametrize("name", BY_IDS)
def test_what_is_found_by_ids_is_what_the_handler_finds(world, name):
    entry = BY_IDS[name]
    ids = [row.id for row in TABLES[name].select()]

    found = entry.by_ids([*ids, uuid4()])

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
    """The statements that the loop's connection is told to run."""
    told: list[str] = []
    database.connection().exec_trace = lambda _, sql, values: told.append(sql) or True
    return told


def planned(name: str, row_id: UUID, seconds: float = 60.0) -> Planned:
    [member] = METHODS[name].params.fields
    context = Context(Caller(None, Scope.READ), "a-request", time.monotonic() + seconds)
    return Planned(METHODS[name], {member: row_id}, context)


@pytest.mark.sample
async def test_lookups_of_one_turn_share_a_query_a_kind(lanes, asked):
    kinds = [row.id for row in ProgramKind.select()]
    programs = [row.id for row in Program.select()]
    calls = [planned("core.LookupProgram", row_id) for row_id in kinds * 3]
    calls += [planned("core.LookupProgramInstance", row_id) for row_id in programs * 3]
    asked.clear()

    found = await asyncio.gather(*(lanes.run([call]) for call in calls))

    assert [str(row_id) for row_id in (kinds * 3 + programs * 3)] == [one["id"] for [(one, _)] in found]
    assert len(asked) == 3  # the first at once, then one for each kind


@pytest.mark.sample
async def test_lookups_of_a_batch_share_a_query(lanes, asked):
    kinds = [row.id for row in ProgramKind.select()]
    asked.clear()

    found = await lanes.run([planned("core.LookupProgram", row_id) for row_id in (*kinds, uuid4())])

    assert [str(row_id) for row_id in kinds] == [one["id"] for one, _ in found[:-1]]
    assert found[-1] == (None, None)
    assert len(asked) == 1


@pytest.mark.sample
async def test_a_lookup_past_its_deadline_is_given_up_and_the_others_are_not(lanes):
    [kind, *_] = [row.id for row in ProgramKind.select()]
    late, good = planned("core.LookupProgram", kind, seconds=-1), planned("core.LookupProgram", kind)

    [(_, failure), (found, _)] = await lanes.run([late, good])

    assert type(failure).__name__ == "DeadlineExceeded"
    assert found["id"] == str(kind)


@pytest.mark.sample
async def test_a_request_that_is_gone_takes_nobody_with_it(lanes):
    [kind, *_] = [row.id for row in ProgramKind.select()]
    tasks = [asyncio.ensure_future(lanes.run([planned("core.LookupProgram", kind)])) for _ in range(3)]
    await asyncio.sleep(0)

    tasks[1].cancel()
    done = await asyncio.gather(*tasks, return_exceptions=True)

    assert isinstance(done[1], asyncio.CancelledError)
    assert [str(kind)] * 2 == [outcomes[0][0]["id"] for outcomes in (done[0], done[2])]
