"""The server by aiohttp-rpc."""

import asyncio
import json
import os

from aiohttp_rpc.client import JSONRPCClient
from aiohttp_rpc.errors import JSONRPCError
from aiohttp_rpc.protocol import JSONRPCRequest

SPRING = "00000003-0000-4000-8000-000000000002"
NOBODY = "00000001-0000-4000-8000-000000000063"
URL = os.environ["CORE_RPC_URL"]


def connect(token):
    return JSONRPCClient(URL, headers={"Authorization": f"Bearer {token}"})


def shown(value):
    if isinstance(value, JSONRPCError):
        return {"code": value.code, "message": value.message, "data": value.data}
    return value


async def outcome(call):
    try:
        return await call
    except JSONRPCError as error:
        return shown(error)


async def talk(client):
    # A name with a dot is had by getattr. `request` and `notification` make the parts of a batch.
    program = getattr(client.methods, "core.LookupProgramInstance")
    cohorts = getattr(client.methods, "core.ListCohorts")
    confirm = getattr(client.methods, "core.ConfirmCohort")
    create = getattr(client.methods, "core.CreateUser")
    got = {
        "result by position": await program(SPRING),
        "result by name": await program(programId=SPRING),
        "error by position": await outcome(cohorts(NOBODY)),
        "error by name": await outcome(cohorts(programId=NOBODY)),
        "notification by position": await create.notify("position@example.org"),
        "notification by name": await create.notify(email="name@example.org"),
    }
    batch = await client.batch(
        confirm.request(SPRING, "By position"),
        create.notification("batch-position@example.org"),
        cohorts.request(NOBODY),
        cohorts.request(SPRING),
    )
    got["batch by position"] = [shown(value) for value in batch if value is not None]
    batch = await client.batch(
        confirm.request(programId=SPRING, cohortName="By name"),
        create.notification(email="batch-name@example.org"),
        cohorts.request(programId=NOBODY),
        cohorts.request(programId=SPRING),
    )
    got["batch by name"] = [shown(value) for value in batch if value is not None]
    only = [create.notification(f"only-{number}@example.org") for number in (1, 2)]
    got["batch of notifications"] = await client.batch_notify(*only)
    ids = ["order 1001/2", 7]  # an id of None is a notification here
    calls = [await client.direct_call(JSONRPCRequest("core.ListActivePrograms", id=one)) for one in ids]
    got["ids"] = [answer.id for answer in calls]
    return got


async def main():
    async with connect(os.environ["CORE_RPC_TOKEN"]) as client:
        got = await talk(client)
    async with connect("of-bad-news") as client:
        got["without a good token"] = await outcome(client.call("core.ListActivePrograms"))
    print(json.dumps(got))


asyncio.run(main())
