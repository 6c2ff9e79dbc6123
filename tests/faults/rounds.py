"""Rounds: callers write, the server is killed, and what it left is checked once it has started again."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass
from typing import Self

from tests.faults.checks import check
from tests.faults.disk import Cut, Disk
from tests.faults.ledger import Ledger
from tests.faults.running import DoesNotStart, Ready, Server
from tests.faults.world import World
from tests.faults.writers import Writers
from tests.waiting import FAR

READY_SECONDS = 4.0  # of its own, in which a server is ready; who waits for a lock takes 5
FIRST = (0, 1, 100)  # calls that are answered before the end may come
LONGEST = 0.5  # seconds until it comes
MOST_CHANGES, CHANGES_OF_START = 5000, 200  # writes and syncs of the disk before a power cut
AGAIN = 0.25  # share of the rounds in which the restart is killed as well


@dataclass(frozen=True)
class Round:
    """What one round came to."""

    answered: int  # calls
    lost: int  # calls without an answer
    cuts: list[Cut]  # of power, if it is that
    ready: Ready  # how long the server took that was started again
    findings: list[str]  # what is wrong


class Trial:
    """Rounds on one database, by kill -9 alone or, given a disk, by power cuts as well."""

    def __init__(
        self, world: World, seed: int, disk: Disk | None = None, *, synchronous: str = "full"
    ) -> None:
        self._world, self._disk, self._synchronous = world, disk, synchronous
        self._chance = random.Random(seed)
        self._ledger = Ledger(world.known)
        self._writers = Writers(world, self._ledger, seed)
        self._server: Server

    def __enter__(self) -> Self:
        self._start()
        self._ready = self._server.wait_until_ready()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.kill()

    def round(self) -> Round:
        """Write, kill, cut the power if there is a disk, start again, check."""
        ledger = self._ledger
        answered, lost, unserved = ledger.answered, ledger.lost, ledger.busy + ledger.failed
        self._writers.start(self._server.url)
        self._wait_for(answered + self._chance.choice(FIRST))
        cuts = self._end(LONGEST, MOST_CHANGES)
        self._writers.stop()
        if self._chance.random() < AGAIN:
            self._start()
            cuts += self._end(self._ready.seconds, CHANGES_OF_START)
        self._start()
        try:
            self._ready = self._server.wait_until_ready()
        except DoesNotStart as error:
            found = [str(error)]
        else:
            found = check(self._world.path, ledger)
        if more := ledger.busy + ledger.failed - unserved:
            found.append(f"{more} calls were answered BUSY or INTERNAL_ERROR")
        return Round(ledger.answered - answered, ledger.lost - lost, cuts, self._ready, found)

    def _wait_for(self, answered: int) -> None:
        """Wait until so many calls have been answered."""
        until = time.monotonic() + FAR
        while self._ledger.answered < answered and time.monotonic() < until:
            time.sleep(0.001)

    def _end(self, seconds: float, changes: int) -> list[Cut]:
        """Have the server end at a random moment: of so many seconds, or so many changes of its disk."""
        if self._disk is None:
            time.sleep(self._chance.uniform(0, seconds))
            self._server.kill()
            return []
        self._disk.cut_after(int(changes ** self._chance.random() ** 0.5))
        self._server.wait_until_gone(seconds)
        self._server.kill()
        return [self._disk.cut(self._chance)]

    def _start(self) -> None:
        environment = {}
        if self._disk is not None:
            self._disk.begin()
            environment = self._disk.environment
        self._server = Server(self._world.path, environment, synchronous=self._synchronous)
