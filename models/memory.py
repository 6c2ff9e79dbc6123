"""What the writer remembers: rows that most writes read, and seldom one changes, and what is made of them.

It holds for as long as nobody else commits, nothing of the models that are kept (`BaseModel.KEPT`) is
written, and nothing is rolled back. In other threads than the writer's nothing is remembered.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from models.database import database


class _Memory(threading.local):
    things: dict[Any, Any] | None = None
    version: Any = None


_memory = _Memory()


def check() -> None:
    """Begin to remember, or go on if no other connection has committed; ask inside a transaction."""
    version = database.pragma("data_version")
    if _memory.things is None or version != _memory.version:
        _memory.things, _memory.version = {}, version


def forget() -> None:
    """Remember nothing of what was."""
    if _memory.things:
        _memory.things.clear()


def recall(model: type[Any], row_id: Any, find: Callable[[Any], Any]) -> Any:
    """The row of a model that is kept, with this id; found and remembered if it is not yet."""
    things = _memory.things
    if things is None:
        return find(row_id)
    key = model, str(row_id)
    row = things.get(key)
    if row is None:
        row = things[key] = find(row_id)
    return row


def made_of(row: Any, use: Any, make: Callable[[Any], Any]) -> Any:
    """What is made of a row for some use; remembered for as long as the row is."""
    things = _memory.things
    if things is None:
        return make(row)
    made = things.get((use, id(row)))  # of remembered rows only, so no other row has this identity
    if made is None:
        made = make(row)
        if things.get((type(row), str(row.id))) is row:
            things[use, id(row)] = made
    return made
