"""jsonrpcserver on aiohttp as its documentation shows it; results lie ready in memory."""

from __future__ import annotations

from aiohttp import web
from jsonrpcserver import Result, Success, async_dispatch, method

from tests.benchmarks import world
from tests.benchmarks.servers import run


@method(name="core.LookupProgram")
async def lookup_program(programKindId: str) -> Result:
    return Success(world.KINDS.get(programKindId))


@method(name="core.ListCohorts")
async def list_cohorts(programId: str) -> Result:
    return Success(world.COHORTS)


async def handle(request: web.Request) -> web.Response:
    return web.Response(text=await async_dispatch(await request.text()), content_type="application/json")


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/rpc", handle)
    run(app)
