"""pjrpc with its aiohttp integration; results lie ready in memory."""

from __future__ import annotations

from typing import Any

import pjrpc.server
from pjrpc.server.integration import aiohttp as integration

from tests.benchmarks import world
from tests.benchmarks.servers import run

methods = pjrpc.server.MethodRegistry()


@methods.add(name="core.LookupProgram")
async def lookup_program(programKindId: str) -> dict[str, Any] | None:
    return world.KINDS.get(programKindId)


@methods.add(name="core.ListCohorts")
async def list_cohorts(programId: str) -> list[dict[str, Any]]:
    return world.COHORTS


if __name__ == "__main__":
    app = integration.Application("/rpc")
    app.add_methods(methods)
    run(app.http_app)
