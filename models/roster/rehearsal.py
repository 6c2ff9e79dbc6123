"""A throw-away copy of the database, to try on it what an import would do."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw

from models.database import database


@contextmanager
def on_a_copy() -> Iterator[None]:
    """Let this thread read and write a copy, made in one read, and then throw it away.

    A transaction that is rolled back would hold the one write lock for as long as the import takes.
    """
    real = database.connection()
    # The connection of a thread can be set, but peewee has no public way to set it.
    state = database._state
    with tempfile.TemporaryDirectory(prefix="core-rpc-") as folder:
        copy = apsw.Connection(str(Path(folder) / "copy.db"))
        try:
            with copy.backup("main", real, "main") as backup:
                backup.step()
            for pragma in ("journal_mode = memory", "synchronous = off", "foreign_keys = on"):
                copy.execute(f"PRAGMA {pragma}")
            state.conn = copy
            try:
                yield
            finally:
                state.conn = real
        finally:
            copy.close()
