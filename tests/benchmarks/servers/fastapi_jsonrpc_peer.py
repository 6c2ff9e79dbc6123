"""fastapi-jsonrpc on uvicorn; results lie ready in memory."""

from typing import Any

import fastapi_jsonrpc as jsonrpc
import uvicorn
from fastapi import Body

from tests.benchmarks import world
from tests.benchmarks.servers import port

app = jsonrpc.API()
entrypoint = jsonrpc.Entrypoint("/rpc")


@entrypoint.method(name="core.LookupProgram")
async def lookup_program(programKindId: str = Body(...)) -> dict[str, Any] | None:
    return world.KINDS.get(programKindId)


@entrypoint.method(name="core.ListCohorts")
async def list_cohorts(programId: str = Body(...)) -> list[dict[str, Any]]:
    return world.COHORTS


app.bind_entrypoint(entrypoint)

if __name__ == "__main__":
    # Takes uvloop and httptools where they are installed.
    uvicorn.run(app, host="127.0.0.1", port=port(), access_log=False, log_level="warning")
