"""The server by pjrpc, over requests."""

import json
import os

import pjrpc
import requests
from pjrpc.client.backend.requests import Client
from pjrpc.client.exceptions import JsonRpcError

SPRING = "00000003-0000-4000-8000-000000000002"
NOBODY = "00000001-0000-4000-8000-000000000063"

session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['CORE_RPC_TOKEN']}"
client = Client(os.environ["CORE_RPC_URL"], session=session)


def outcome(call, *params, **named):
    try:
        return call(*params, **named)
    except JsonRpcError as error:
        return {"code": error.code, "message": error.message, "data": error.data}


def results(batch):
    """Those of a batch, errors among them; get_results() would raise the first error."""
    return [outcome(answer.unwrap_result) for answer in batch.get_response()]


got = {
    "result by position": outcome(client, "core.LookupProgramInstance", SPRING),
    "result by name": outcome(client, "core.LookupProgramInstance", programId=SPRING),
    "error by position": outcome(client, "core.ListCohorts", NOBODY),
    "error by name": outcome(client, "core.ListCohorts", programId=NOBODY),
    "notification by position": client.notify("core.CreateUser", "position@example.org"),
    "notification by name": client.notify("core.CreateUser", email="name@example.org"),
}

with client.batch() as batch:
    batch("core.ConfirmCohort", SPRING, "By position")
    batch.notify("core.CreateUser", "batch-position@example.org")
    batch("core.ListCohorts", NOBODY)
    batch("core.ListCohorts", SPRING)
got["batch by position"] = results(batch)

with client.batch() as batch:
    batch("core.ConfirmCohort", programId=SPRING, cohortName="By name")
    batch.notify("core.CreateUser", email="batch-name@example.org")
    batch("core.ListCohorts", programId=NOBODY)
    batch("core.ListCohorts", programId=SPRING)
got["batch by name"] = results(batch)

with client.batch() as batch:
    batch.notify("core.CreateUser", "only-1@example.org")
    batch.notify("core.CreateUser", "only-2@example.org")
got["batch of notifications"] = batch.get_response()

ids = ["order 1001/2", 7]  # an id of None is a notification here
got["ids"] = [client.send(pjrpc.Request("core.ListActivePrograms", id=one)).id for one in ids]

session.headers["Authorization"] = "Bearer of-bad-news"
try:
    client("core.ListActivePrograms")
except requests.HTTPError as error:
    got["without a good token"] = {"status": error.response.status_code}

print(json.dumps(got))
