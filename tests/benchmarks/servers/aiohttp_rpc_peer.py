"""aiohttp-rpc with its server of default middlewares; results lie ready in memory."""

from __future__ import annotations

from typing import Any

import aiohttp_rpc
from aiohttp import web

from tests.benchmarks import world
from tests.benchmarks.servers import run


async def lookup_program(programKindId: str) -> dict[str, Any] | None:
    return world.KINDS.get(programKindId)


async def list_cohorts(programId: str) -> list[dict[str, Any]]:
    return world.COHORTS


if __name__ == "__main__":
    aiohttp_rpc.rpc_server.add_methods(
        [
            aiohttp_rpc.JSONRPCMethod(lookup_program, name="core.LookupProgram"),
            aiohttp_rpc.JSONRPCMethod(list_cohorts, name="core.ListCohorts"),
        ]
    )
    app = web.Application()
    app.router.add_post("/rpc", aiohttp_rpc.rpc_server.handle_http_request)
    run(app)
