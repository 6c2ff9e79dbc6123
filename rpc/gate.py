"""How much is carried out at the same time: a line in front of it, and an end of the line."""

from __future__ import annotations

import asyncio
import collections
import functools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from models.errors import Busy

Turn = asyncio.Future[bool]  # whether there was a place before patience ended


class Gate:
    """Lets so many in at once; some more may stand in line for a while, the rest are told to come back.

    Busy: the line is full, or the while is over; nothing was done.
    """

    def __init__(self, places: int, line: int, seconds: float) -> None:
        self._places = self._free = places
        self._may_wait, self._seconds = line, seconds
        self._line: collections.deque[tuple[float, Turn]] = collections.deque()  # until when, who
        self._patience: asyncio.TimerHandle | None = None  # of the first in line

    @functools.cached_property
    def _loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    @property
    def in_flight(self) -> int:
        """How many are in."""
        return self._places - self._free

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._line)

    @property
    def is_full(self) -> bool:
        """Whether the next one would be told to come back."""
        return not self._free and len(self._line) >= self._may_wait

    def enter(self) -> bool:
        """Take a place, if one is free; `leave` gives it back."""
        if self._free:
            self._free -= 1
            return True
        return False

    async def stand_in_line(self) -> None:
        """Wait for a place; `leave` gives it back."""
        if self.is_full:
            raise Busy
        turn: Turn = self._loop.create_future()
        self._line.append((self._loop.time() + self._seconds, turn))
        if self._patience is None:
            self._patience = self._loop.call_later(self._seconds, self._send_away)
        try:
            is_in = await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.result():
                self.leave()
            raise
        if not is_in:
            raise Busy

    def leave(self) -> None:
        """Give the place to the first in line; one that nobody wants is free."""
        while self._line:
            _, turn = self._line.popleft()
            if not turn.done():
                turn.set_result(True)
                return
        self._free += 1

    @asynccontextmanager
    async def place(self, at_most: float) -> AsyncIterator[None]:
        """Hold a place, but only for so many seconds: then the next one has it, though this goes on."""
        if not self.enter():
            await self.stand_in_line()
        is_held = True

        def leave() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self.leave()

        end = self._loop.call_later(at_most, leave)
        try:
            yield
        finally:
            end.cancel()
            leave()

    def _send_away(self) -> None:
        """Let those go who have stood in line for too long; all stand there equally long at most."""
        self._patience = None
        while self._line and self._line[0][0] <= self._loop.time():
            _, turn = self._line.popleft()
            if not turn.done():
                turn.set_result(False)
        if self._line:
            self._patience = self._loop.call_at(self._line[0][0], self._send_away)
