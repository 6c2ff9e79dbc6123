"""Whether the server can do its work, and if not, what is wrong: a word each, nothing of the data."""

from __future__ import annotations

import asyncio
import logging
import time
from enum import StrEnum

from models import migrations
from models.database import connected
from models.errors import Displaced
from models.files import Gone
from models.writer import Writer

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0  # how long the database may take to be looked at
REMEMBERED_SECONDS = 1.0  # how long what was seen there counts, however many ask
STUCK_SECONDS = 10.0  # after which a group of writes is held to be stuck; one takes 20 ms, a sync 0.6 s


class Wrong(StrEnum):
    """What can be wrong."""

    DRAINING = "DRAINING"  # the server was told to stop
    DATABASE_GONE = Gone.DATABASE  # the file is not the one that the server opened
    LOG_GONE = Gone.LOG  # the database's -wal or -shm is not the one that the server opened
    DATABASE_UNREACHABLE = "DATABASE_UNREACHABLE"  # it cannot be read, or not in time
    WRONG_SCHEMA = "WRONG_SCHEMA"  # it is not of this program's version
    WRITER_GONE = "WRITER_GONE"  # there is no thread that writes
    WRITER_STUCK = "WRITER_STUCK"  # one group of writes has run for long


class Readiness:
    """Looks whether all is well, at the database in a thread and at most once a second."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._look: asyncio.Task[Wrong | None] | None = None
        self._looked_at = 0.0
        self.remembered_seconds, self.stuck_seconds = REMEMBERED_SECONDS, STUCK_SECONDS

    async def wrong(self, draining: bool) -> list[Wrong]:
        """What is wrong; nothing when the server is ready."""
        found = [Wrong.DRAINING] if draining else []
        found += [wrong] if (wrong := await self._of_database()) else []
        return found + self._of_writer()

    def _of_writer(self) -> list[Wrong]:
        if not self._writer.is_alive:
            return [Wrong.WRITER_GONE]
        since = self._writer.seen.busy_since
        return [Wrong.WRITER_STUCK] if since and time.monotonic() - since > self.stuck_seconds else []

    async def _of_database(self) -> Wrong | None:
        is_old = time.monotonic() - self._looked_at > self.remembered_seconds
        if self._look is None or (self._look.done() and is_old):
            self._look = asyncio.create_task(asyncio.to_thread(self._look_at_database))
            self._looked_at = time.monotonic()
        await asyncio.wait({self._look}, timeout=LOOK_SECONDS)
        return self._look.result() if self._look.done() else Wrong.DATABASE_UNREACHABLE

    def _look_at_database(self) -> Wrong | None:
        """Look through a connection of its own: the loop's would show what it still remembers."""
        try:
            with connected(read_only=True):
                migrations.check_version()
        except Displaced as error:
            self._writer.look()  # it may be able to mend that, and nobody may send it anything until then
            return Wrong(error.word)
        except migrations.WrongVersion:
            return Wrong.WRONG_SCHEMA
        except Exception as error:
            log.warning("the database cannot be looked at: %r", error)
            return Wrong.DATABASE_UNREACHABLE
        return None
