"""The client for programs that run on asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from typing import Any

from client import protocol
from client.batch import Gathered, Outcome, Rows
from client.client import AHEAD, MAP_ENTRIES, given_or_set
from client.errors import TransportError
from client.functions import Function
from client.protocol import NEVER, Call, Params, Reply, Retry, Steps, Writer
from client.surface import AsyncFunctions


class AsyncClient(AsyncFunctions):
    """As Client, but each call is awaited. Each event loop has connections of its own."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 40.0,
        retry: Retry | None = Retry(),  # noqa: B008  it is frozen
        connections: int = 16,
    ) -> None:
        from client.sessions import Sessions  # only those who use this client need it

        self._sessions = Sessions(url or protocol.URL, token or "", timeout, connections)
        self._retry = retry or NEVER
        self._writer = Writer(keys=retry is not None)

    @classmethod
    def from_env(cls, *, url: str | None = None, token: str | None = None, **options: Any) -> AsyncClient:
        """A client with the settings CORE_RPC_URL and CORE_RPC_TOKEN, where no others are given."""
        return cls(*given_or_set(url, token), **options)

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections of this event loop; a later call opens new ones."""
        await self._sessions.close()

    async def call(self, method: str, /, *args: Any, **params: Any) -> Any:
        """Call any method, with parameters by position or by their wire names."""
        return await self._ask(method, args or params)

    async def notify(self, method: str, /, *args: Any, **params: Any) -> None:
        """Call a method without waiting to hear what came of it; it is never repeated."""
        call = self._writer.notification(method, args or params)
        [outcome] = await self._drive(protocol.exchange([call], NEVER, alone=True))
        protocol.value(outcome)

    def batch(self) -> AsyncBatch:
        """Gather calls and send them together: `async with client.batch() as b: a = b.lookup_program(id)`.

        After the block `a.result()` is the result, or raises the call's own error.
        """
        return AsyncBatch(self)

    async def map(
        self, method: str, rows: Iterable[Any], *, key: str | None = None, size: int = MAP_ENTRIES
    ) -> AsyncIterator[Outcome]:
        """As Client.map, for `async for`."""
        sent = Rows(self._writer, method, iter(rows), key)
        async for piece, outcomes in self._exchange_all(protocol.pieces(sent.calls(), size)):
            for call, outcome in zip(piece, outcomes, strict=True):
                yield sent.outcome(call, outcome)

    # Moving bytes

    async def _take(self, function: Function, params: dict[str, Any]) -> Any:
        return await self._ask(function.name, params)

    async def _ask(self, method: str, params: Params) -> Any:
        call = self._writer.call(method, params)
        [outcome] = await self._drive(protocol.exchange([call], self._retry, alone=True))
        return protocol.value(outcome)

    async def _drive(self, steps: Steps) -> list[Any]:
        """Do what an exchange asks for until it knows the outcomes."""
        answer: Reply | TransportError | None = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as done:
                return done.value
            if isinstance(step, bytes):
                try:
                    answer = await self._send(step)
                except TransportError as error:
                    answer = error
                continue
            answer = None
            if step is None:
                await self.close()
            else:
                await asyncio.sleep(step)

    async def _exchange_all(
        self, pieces: Iterator[list[Call]]
    ) -> AsyncIterator[tuple[list[Call], list[Any]]]:
        """As Client._exchange_all, with tasks."""
        flying: deque[tuple[list[Call], asyncio.Task[list[Any]]]] = deque()
        lost = False
        try:
            for piece in pieces:
                room = AHEAD if flying and protocol.only_reads([*piece, *flying[-1][0]]) else 1
                while len(flying) >= room:
                    earlier, task = flying[0]
                    outcomes = await task
                    flying.popleft()
                    lost = lost or protocol.lost(outcomes)
                    yield earlier, outcomes
                if lost:
                    while flying:
                        earlier, task = flying.popleft()
                        yield earlier, await task
                    yield piece, protocol.not_sent(piece)
                else:
                    steps = protocol.exchange(piece, self._retry)
                    flying.append((piece, asyncio.create_task(self._drive(steps))))
            while flying:
                earlier, task = flying[0]
                outcomes = await task
                flying.popleft()
                yield earlier, outcomes
        finally:
            for _, task in flying:
                task.cancel()

    async def _send(self, body: bytes) -> Reply:
        return await self._sessions.send(body)


class AsyncBatch(Gathered):
    """Calls to be sent together when the block ends; nothing is sent if it ends by an exception."""

    def __init__(self, client: AsyncClient) -> None:
        super().__init__(client._writer)
        self._client = client

    async def __aenter__(self) -> AsyncBatch:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await self.send()

    async def send(self) -> None:
        """Send what has been gathered, if there is something."""
        found: list[Any] = []
        async for _, outcomes in self._client._exchange_all(self._pieces()):
            found += outcomes
        self._settle(iter(found))


__all__ = ["AsyncBatch", "AsyncClient"]
