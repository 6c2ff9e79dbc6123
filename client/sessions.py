"""HTTP connections of asyncio programs, by aiohttp: each event loop of each process has its own."""

from __future__ import annotations

import asyncio
import encodings.idna  # noqa: F401  or the first look-up of a host imports it
import os
from typing import Any
from weakref import WeakSet

import aiohttp

from client import protocol
from client.errors import NotReached, TimedOut
from client.protocol import Reply

_every: WeakSet[Sessions] = WeakSet()


def _forget() -> None:
    for sessions in list(_every):
        sessions.forget()


protocol.in_each_child(_forget)


class _Connector(aiohttp.TCPConnector):
    """Connections of one process. In a child nothing closes them: the child shares its parent's epoll, so
    that a transport which is closed in the child falls silent in the parent."""

    def __init__(self, most: int) -> None:
        super().__init__(limit=most)
        self._process = os.getpid()

    def __del__(self, *args: Any) -> None:
        if os.getpid() == self._process:
            super().__del__(*args)


class Sessions:
    """Posts to an endpoint, over at most so many connections a loop, which are kept."""

    def __init__(self, url: str, token: str, timeout: float, most: int) -> None:
        self._url = protocol.endpoint(url)
        self._headers = protocol.headers(token)
        self._timeout, self._most = timeout, most
        self._of: dict[asyncio.AbstractEventLoop, aiohttp.ClientSession] = {}
        _every.add(self)

    def forget(self) -> None:
        """Leave the parent's sessions alone, in a forked process."""
        for session in self._of.values():
            session.detach()
        self._of = {}

    async def _session(self) -> aiohttp.ClientSession:
        """The session of the loop that runs."""
        loop = asyncio.get_running_loop()
        if loop not in self._of:
            await self._close_of_ended_loops()
        if loop not in self._of:  # nobody else has opened one in the meantime
            self._of[loop] = aiohttp.ClientSession(
                connector=_Connector(self._most),
                timeout=aiohttp.ClientTimeout(total=self._timeout),
                headers=self._headers,
            )
        return self._of[loop]

    async def _close_of_ended_loops(self) -> None:
        for loop in [loop for loop in list(self._of) if loop.is_closed()]:
            await self._of.pop(loop).close()

    async def close(self) -> None:
        """Close the connections of this loop, and of loops that have ended."""
        session = self._of.pop(asyncio.get_running_loop(), None)
        if session is not None:
            await session.close()
        await self._close_of_ended_loops()

    async def send(self, body: bytes) -> Reply:
        """The reply to a body; NotReached or TimedOut when there is none."""
        session = await self._session()
        try:
            async with session.post(self._url, data=body, allow_redirects=False) as got:
                return Reply(
                    got.status,
                    await got.read(),
                    got.headers.get("Retry-After"),
                    got.headers.get("X-Request-Id"),
                )
        except TimeoutError as error:
            raise TimedOut(f"no reply: {type(error).__name__}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NotReached(f"no reply: {type(error).__name__}") from error
