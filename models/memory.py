"""What the writer keeps in mind while it works on a group of calls; other threads keep nothing.

Rows that most writes read, and seldom one changes, and what is made of them: for as long as nobody else
commits, nothing of the models that are kept (`BaseModel.KEPT`) is written, and nothing is rolled back.
And rows that are only added to a table, until all of a group are inserted at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from models.database import database, run_for_each

Values = Sequence[Any]


class _Memory(threading.local):
    """Of the writer, once it has begun a group: what it knows, and the rows that each insert waits with."""

    things: dict[Any, Any] | None = None
    version: Any = None
    waiting: dict[str, list[Values]]


_memory = _Memory()


def begin() -> None:
    """Begin a group; what was known is forgotten if any other connection has committed since."""
    version = database.pragma("data_version")
    if _memory.things is None or version != _memory.version:
        _memory.things, _memory.version = {}, version
    _memory.waiting = {}


def forget() -> None:
    """Know nothing of what was."""
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


def append(insert: str, rows: Sequence[Values]) -> None:
    """Have rows inserted: at the end of the writer's group, anywhere else now."""
    if _memory.things is None:
        run_for_each(insert, rows)
    else:
        _memory.waiting.setdefault(insert, []).extend(rows)


def waiting(insert: str) -> Sequence[Values]:
    """The rows that wait to be inserted, oldest first."""
    return [] if _memory.things is None else _memory.waiting.get(insert, [])


def mark() -> dict[str, int]:
    """How many rows wait, for `take_back`."""
    return {insert: len(rows) for insert, rows in _memory.waiting.items()}


def take_back(marked: dict[str, int]) -> None:
    """Insert none of the rows that came since the mark, and forget what was read since."""
    for insert, rows in _memory.waiting.items():
        del rows[marked.get(insert, 0) :]
    forget()


def insert_waiting() -> None:
    """Insert the rows that wait, before the group is committed."""
    for insert, rows in _memory.waiting.items():
        if rows:
            run_for_each(insert, rows)
