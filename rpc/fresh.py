"""What the loop's connection has read stays good until somebody else commits."""

from __future__ import annotations

import asyncio
from typing import Any

from models.database import connect_reader, run

AT_MOST = 10_000  # things of a kind that are remembered


class Fresh:
    """Memories that are emptied when any other connection, of this process or another, has committed.

    The database tells by a number, which costs as much as a lookup; so it is asked at most once in a
    turn of the loop. What comes to be known later than the asking, a request or the end of a write,
    comes in a later turn, and the asking is repeated before it.
    """

    def __init__(self) -> None:
        self._memories: list[dict[Any, Any]] = []
        self._version: Any = None
        self._is_asked = False

    def memory(self) -> dict[Any, Any]:
        """A new dictionary of what was read; call `check` before it is used."""
        self._memories.append({})
        return self._memories[-1]

    def check(self) -> None:
        """Empty the memories if anybody has committed since, and those that have grown too large."""
        if self._is_asked:
            return
        if connect_reader():
            self._version = None  # which no connection says: each counts by itself
        version = run("PRAGMA data_version").fetchone()
        self._is_asked = True  # not before: what the database did not tell is asked again
        asyncio.get_running_loop().call_soon(self._ask_again)
        for memory in self._memories:
            if version != self._version or len(memory) > AT_MOST:
                memory.clear()
        self._version = version

    def _ask_again(self) -> None:
        self._is_asked = False
