"""The measure of all others: aiohttp alone, which reads the body and sends a canned one back."""

from __future__ import annotations

from aiohttp import web

from tests.benchmarks.servers import run

canned = b"{}"


async def echo(request: web.Request) -> web.Response:
    await request.read()
    return web.Response(body=canned, content_type="application/json")


async def can(request: web.Request) -> web.Response:
    """Take the body that is sent back from now on: our server's reply, so that sizes are the same."""
    global canned
    canned = await request.read()
    return web.Response()


if __name__ == "__main__":
    app = web.Application()
    app.router.add_post("/rpc", echo)
    app.router.add_post("/canned", can)
    run(app)
