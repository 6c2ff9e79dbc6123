"""The servers, each a program of its own: `python -m tests.benchmarks.servers.NAME PORT`."""

from __future__ import annotations

import asyncio
import sys
from typing import Any


def port() -> int:
    """The port that the command line names."""
    return int(sys.argv[1])


def new_loop() -> asyncio.AbstractEventLoop:
    """An event loop of the same sort for every server: uvloop where it is installed."""
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


def run(app: Any) -> None:
    """Serve an aiohttp application as every aiohttp server here is served."""
    from aiohttp import web

    web.run_app(app, host="127.0.0.1", port=port(), access_log=None, print=None, loop=new_loop())
