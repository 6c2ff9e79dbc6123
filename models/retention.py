"""Removal of old rows of the audit, of past imports and of kept answers.

Old rows go in pieces so short that nobody waits.

Only these; the history of a membership is for ever.
"""

from __future__ import annotations

import functools
import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from queue import SimpleQueue

from models import clock
from models.audit import Audit
from models.database import connected, writing
from models.imports import RosterImport
from models.repeats import KEPT, KeptAnswer
from models.writer import Outcome, Writer

log = logging.getLogger(__name__)

KEPT_FOR_DAYS = (Audit, RosterImport)
Aging = type[Audit] | type[KeptAnswer] | type[RosterImport]

PIECE_SECONDS = 0.003  # how long rows are removed for in one transaction
PAUSE_SECONDS = 0.03  # until the next piece: others have nine tenths of the time
EVERY_SECONDS = 3600.0  # how often a server looks what has become old


def purge(days: int) -> int:
    """Remove what is older than so many days, beside a server if need be; returns the number of rows."""

    def remove(model: Aging, before: datetime) -> int:
        with writing():
            return model.purge(before, PIECE_SECONDS)

    age, never = timedelta(days=days), threading.Event()
    return sum(_in_pieces(functools.partial(remove, model), age, never) for model in KEPT_FOR_DAYS)


class Retention:
    """Removes what has become too old while a server runs, through its writer: at start, then at intervals.

    The audit and past imports after so many days, with 0 never; kept answers as soon as they are not
    given any more.
    """

    def __init__(self, writer: Writer, days: int, every: float = EVERY_SECONDS) -> None:
        self._writer, self._every = writer, every
        self._aged: list[tuple[Aging, timedelta]] = [(KeptAnswer, KEPT)]
        if days:
            self._aged += [(model, timedelta(days=days)) for model in KEPT_FOR_DAYS]
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="retention", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """End after the piece that is being removed; before the writer is stopped."""
        self._stopping.set()
        self._thread.join()

    def _work(self) -> None:
        while not self._stopping.is_set():
            for model, age in self._aged:
                self._clear(model, age)
            self._stopping.wait(self._every)

    def _clear(self, model: Aging, age: timedelta) -> None:
        try:
            with connected(read_only=True):
                if not model.select().where(model.at < clock.now() - age).exists():
                    return  # and the writer need not look
            removed = _in_pieces(functools.partial(self._remove, model), age, self._stopping)
            log.info("%d rows of %s were older than %s", removed, model.__name__, age)
        except Exception:
            log.exception("old rows could not be removed; the next time may do better")

    def _remove(self, model: Aging, before: datetime) -> int:
        told: SimpleQueue[list[Outcome]] = SimpleQueue()
        self._writer.submit([functools.partial(model.purge, before, PIECE_SECONDS)], told.put)
        [(removed, error)] = told.get()
        if error is not None:
            raise error
        return removed


def _in_pieces(remove: Callable[[datetime], int], age: timedelta, stopping: threading.Event) -> int:
    """Remove piece by piece until nothing is left that is older, or until told to stop."""
    before = clock.now() - age
    total = 0
    while removed := remove(before):
        total += removed
        if stopping.wait(PAUSE_SECONDS):
            break
    return total
