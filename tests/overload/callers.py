"""Callers on raw connections, as many as are asked for, in one loop."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.benchmarks import world
from tests.benchmarks.loads import compact

FRESH = world.FRESH[:8].encode()  # the eight digits of a write's own id that `in_turn` makes others
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n")


@dataclass
class Tally:
    """What callers have seen."""

    served: list[tuple[float, float]] = field(default_factory=list)  # when the reply came, how long it took
    refused: int = 0  # 503 and 429
    wrong: list[str] = field(default_factory=list)  # anything else

    def since(self, began: float) -> list[float]:
        """How long each took of those that were answered from a time on."""
        return [took for at, took in self.served if at >= began]


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of all lies; nan if there is none."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


class Caller(asyncio.Protocol):
    """A connection on which the next request goes out as soon as the reply to the last is here.

    It takes a refusal as an answer like others and comes back at once.
    """

    def __init__(self, bodies: Callable[[], bytes], tally: Tally) -> None:
        self._next, self._tally = bodies, tally
        self._transport: asyncio.Transport
        self._sent_at = 0.0
        self._head, self._missing = b"", 0
        self._has_errors = self._is_leaving = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._send()

    def leave(self) -> None:
        """Hang up, whatever is under way."""
        self._is_leaving = True
        self._transport.abort()

    def _send(self) -> None:
        self._head = b""
        self._sent_at = time.perf_counter()
        self._transport.write(self._next())

    def data_received(self, data: bytes) -> None:
        if not self._head:
            head, _, data = data.partition(b"\r\n\r\n")
            self._head = head + b"\r\n"
            length = _LENGTH.search(self._head)
            assert length is not None, head  # the head of a reply comes in one piece
            self._missing = int(length[1])
            self._has_errors = False
        self._missing -= len(data)
        self._has_errors = self._has_errors or b'"error"' in data
        if not self._missing:
            self._note()
            self._send()

    def _note(self) -> None:
        status, now = self._head[9:12], time.perf_counter()
        if status == b"200" and not self._has_errors:
            self._tally.served.append((now, now - self._sent_at))
        elif status in (b"503", b"429"):
            self._tally.refused += 1
        else:
            self._tally.wrong.append(f"{status!r}, errors: {self._has_errors}")

    def connection_lost(self, exc: BaseException | None) -> None:
        if not self._is_leaving:
            self._tally.wrong.append(f"the connection was closed: {exc!r}")


def request(body: bytes, secret: str) -> bytes:
    """A request as clients write it, with this body."""
    head = (
        "POST /rpc HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Authorization: Bearer {secret}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def batch_of_writes(count: int) -> bytes:
    """A batch of purchases, each with an id of its own behind `FRESH`."""
    calls = []
    for number in range(count):
        own = f"{world.FRESH[:-12]}{number:012x}"
        calls.append(compact(world.buy(number)).replace(world.FRESH.encode(), own.encode()))
    return b"[" + b",".join(calls) + b"]"


_NUMBERS = itertools.count(1)


def in_turn(requests: list[bytes], placeholder: bytes = b"") -> Callable[[], bytes]:
    """Requests in turn, over and over; each time with other eight digits for the placeholder's."""
    turn = itertools.cycle(requests)

    def following() -> bytes:
        return next(turn).replace(placeholder, b"%08x" % next(_NUMBERS)) if placeholder else next(turn)

    return following


async def call_on(port: int, bodies: Callable[[], bytes], connections: int, tally: Tally) -> list[Caller]:
    """Open connections, each with a caller at work on it; they go on until they `leave`."""
    loop = asyncio.get_running_loop()
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(lambda: Caller(bodies, tally), "127.0.0.1", port)
        callers.append(caller)
    return callers
