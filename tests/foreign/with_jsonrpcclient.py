"""The server by jsonrpcclient, which makes requests and reads answers; requests sends them."""

import json
import os

import requests
from jsonrpcclient import Error, notification, parse, request

SPRING = "00000003-0000-4000-8000-000000000002"
NOBODY = "00000001-0000-4000-8000-000000000063"

session = requests.Session()
session.headers["Authorization"] = f"Bearer {os.environ['CORE_RPC_TOKEN']}"


def send(content):
    """What comes back, as jsonrpcclient reads it; None where nothing does."""
    reply = session.post(os.environ["CORE_RPC_URL"], json=content)
    return parse(reply.json()) if reply.content else None


def outcome(answer):
    if isinstance(answer, Error):
        return {"code": answer.code, "message": answer.message, "data": answer.data}
    return answer.result


got = {
    "result by position": outcome(send(request("core.LookupProgramInstance", (SPRING,)))),
    "result by name": outcome(send(request("core.LookupProgramInstance", {"programId": SPRING}))),
    "error by position": outcome(send(request("core.ListCohorts", (NOBODY,)))),
    "error by name": outcome(send(request("core.ListCohorts", {"programId": NOBODY}))),
    "notification by position": send(notification("core.CreateUser", ("position@example.org",))),
    "notification by name": send(notification("core.CreateUser", {"email": "name@example.org"})),
}

batch = [
    request("core.ConfirmCohort", (SPRING, "By position")),
    notification("core.CreateUser", ("batch-position@example.org",)),
    request("core.ListCohorts", (NOBODY,)),
    request("core.ListCohorts", (SPRING,)),
]
got["batch by position"] = [outcome(answer) for answer in send(batch)]

batch = [
    request("core.ConfirmCohort", {"programId": SPRING, "cohortName": "By name"}),
    notification("core.CreateUser", {"email": "batch-name@example.org"}),
    request("core.ListCohorts", {"programId": NOBODY}),
    request("core.ListCohorts", {"programId": SPRING}),
]
got["batch by name"] = [outcome(answer) for answer in send(batch)]

batch = [notification("core.CreateUser", (f"only-{number}@example.org",)) for number in (1, 2)]
got["batch of notifications"] = send(batch)

ids = ["order 1001/2", 7, None]
got["ids"] = [send(request("core.ListActivePrograms", id=one)).id for one in ids]

session.headers["Authorization"] = "Bearer of-bad-news"
got["without a good token"] = outcome(send(request("core.ListActivePrograms")))

print(json.dumps(got))
