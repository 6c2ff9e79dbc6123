"""Callers that write at the same time, single calls and batches, and note what they were answered."""

from __future__ import annotations

import itertools
import random
import threading
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import urllib3

from client import RpcError, external_id, protocol
from models.memberships import MembershipRole, MembershipState
from rpc.core.memberships import MODIFIABLE
from tests.faults.ledger import Ask, Ledger, Lost
from tests.faults.world import World
from tests.waiting import FAR

CALLERS = 6
NEW = 0.6  # share of the calls that are about something nobody asked for before
BATCHES, LARGEST = 0.3, 30  # share of the requests that are batches, and their most calls


class Writers:
    """Callers of one server, from `start` until `stop`, or until the server is gone."""

    def __init__(self, world: World, ledger: Ledger, seed: int) -> None:
        self._world, self._ledger, self._seed = world, ledger, seed
        self._numbers = itertools.count()
        self._newest = 0
        self._stopping = threading.Event()

    def start(self, url: str) -> None:
        """Let them begin."""
        self._stopping.clear()
        self._seed += 1
        self._pool = ThreadPoolExecutor(CALLERS)
        self._running: list[Future[None]] = [
            self._pool.submit(self._call, url, number) for number in range(CALLERS)
        ]

    def stop(self) -> None:
        """Let them finish what they are at."""
        self._stopping.set()
        self._pool.shutdown()
        for running in self._running:
            running.result()

    def _call(self, url: str, number: int) -> None:
        chance = random.Random(f"{self._seed}/{number}")
        post = poster(url, self._world.secret)
        while not self._stopping.is_set():
            asks = [self._ask(chance, number) for _ in range(_size(chance))]
            answers, request_id = post(asks)
            self._ledger.note(asks, answers, request_id)
            if request_id is None:
                return

    def _ask(self, chance: random.Random, caller: int) -> Ask:
        make = chance.choice((self._ticket, self._cohort, self._user, self._put, self._put, self._say))
        return make(chance, caller)

    def _number(self, chance: random.Random) -> int:
        """A new number, or one that somebody had before."""
        if self._newest == 0 or chance.random() < NEW:
            self._newest = next(self._numbers)
            return self._newest
        return max(0, self._newest - int(chance.expovariate(0.05)))

    def _ticket(self, chance: random.Random, caller: int) -> Ask:
        number = self._number(chance)
        ticket = external_id("shop", f"order-{number}/line-1/1")
        kind, user = _nth(self._world.kinds, number), _nth(self._world.users, number)
        params = {"userId": user, "programKindId": kind, "externalId": str(ticket)}
        return Ask("core.CreateProgramTicket", params, "ticket", (kind, str(ticket)))

    def _cohort(self, chance: random.Random, caller: int) -> Ask:
        number = self._number(chance)
        program = _nth(self._world.programs, number)
        spelling = chance.choice((f"Group {number}", f"GROUP  {number}", f" group {number} "))
        params = {"programId": program, "cohortName": spelling}
        return Ask("core.ConfirmCohort", params, "cohort", (program, f"group {number}"))

    def _user(self, chance: random.Random, caller: int) -> Ask:
        number = self._number(chance)
        email = chance.choice((f"new{number}@example.org", f"NEW{number}@Example.org"))
        return Ask("core.CreateUser", {"email": email}, "user", (email.lower(),))

    def _put(self, chance: random.Random, caller: int) -> Ask:
        user, program = self._mine(chance, caller)
        params = {"userId": user, "programId": program}
        if chance.random() < 0.5:
            params["role"] = chance.choice(list(MembershipRole))
        if chance.random() < 0.5:
            params["state"] = chance.choice(MODIFIABLE)
        cohorts = self._ledger.cohorts.get(program)
        if cohorts and chance.random() < 0.3:
            params["cohortId"] = chance.choice(cohorts)
        return Ask("core.ModifyProgramMembership", params, "membership", (user, program))

    def _say(self, chance: random.Random, caller: int) -> Ask:
        user, program = self._mine(chance, caller)
        member = self._ledger.members.get((user, program))
        if member is None or not member.certain:
            return self._put(chance, caller)
        params = {
            "userId": user,
            "programId": program,
            "state": chance.choice(list(MembershipState)),
            "comments": str(uuid.uuid4()),
        }
        return Ask("core.UpdateUserCohortState", params, "membership", (user, program))

    def _mine(self, chance: random.Random, caller: int) -> tuple[str, str]:
        """A user and a program whose membership this caller alone changes, and of which it knows all."""
        while True:
            pair = chance.choice(self._world.users[caller::CALLERS]), chance.choice(self._world.programs)
            member = self._ledger.members.get(pair)
            if member is None or not member.possible:
                return pair


def _nth(ids: Sequence[str], number: int) -> str:
    return ids[number % len(ids)]


def _size(chance: random.Random) -> int:
    """Of a request: a single call or a batch of some."""
    return chance.randint(2, LARGEST) if chance.random() < BATCHES else 1


Post = Callable[[Sequence[Ask]], tuple[list[Any], str | None]]


def poster(url: str, secret: str) -> Post:
    """What sends calls in one request: their answers, and the request's id if there was a reply."""
    pool = urllib3.PoolManager(maxsize=1, retries=False, timeout=FAR)
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {secret}"}

    def post(asks: Sequence[Ask]) -> tuple[list[Any], str | None]:
        requests = [
            {"jsonrpc": "2.0", "method": ask.method, "params": ask.params, "id": number}
            for number, ask in enumerate(asks)
        ]
        body = protocol.dumps(requests if len(requests) > 1 else requests[0])
        try:
            response = pool.request("POST", url, body=body, headers=headers)
        except urllib3.exceptions.HTTPError:
            return [Lost] * len(asks), None
        content = protocol.loads(response.data)
        replies = content if isinstance(content, list) else [content] * len(asks)
        found = [RpcError(reply["error"]) if "error" in reply else reply["result"] for reply in replies]
        return found, response.headers["X-Request-Id"]

    return post
