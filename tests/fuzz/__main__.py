"""Sends a server calls of every kind, and holds every answer against what was sent.

    python -m tests.fuzz                            20,000 calls
    python -m tests.fuzz --calls 1000000            the long form, in rounds with a new server each
    python -m tests.fuzz --seed S --round R         the same requests again, that round alone
    python -m tests.fuzz --seed S --request N       one request on a new server, shown with its answer
    python -m tests.fuzz --seed S --upto N          all requests as far as that one, one after another

Exit status 1, and what is wrong: an internal error, an HTTP 5xx but 503, a reply that is not JSON-RPC or
has another id, text of exceptions, SQL, paths or tokens in a reply or the log, a caller beside it who is
kept waiting by more than 100 ms of the server's work, or a database in which something is not as it must
be afterwards.
"""

from __future__ import annotations

import argparse
import itertools
import re
import secrets
import socket
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import orjson

from models.database import configure, connected
from models.tokens import PREFIX
from tests import invariants
from tests.fuzz.beside import Delay, beside
from tests.fuzz.judge import Judge
from tests.fuzz.requests import Maker, Request
from tests.processes import Served, received, served
from tests.waiting import FAR
from tests.wire import Answer, Broken, Reader

ROUND = 50_000  # calls, after which a new server begins with a new database
DELAY = 0.1  # seconds of the server's work for which nobody should wait for another
AGAIN = 3  # times that a suspected delay is looked at: what is the server's doing shows in each
SHOWN = 20  # faults
SETTINGS = {"free_guesses": 10**9, "guess_seconds": 0, "body_seconds": 0.4, "header_seconds": 2}
LOG_LEAKS = re.compile(rf"Traceback|{PREFIX}[\w-]{{20,}}|Bearer")

Sent = tuple[float, float, int]  # when a request began and ended, and its number


@dataclass
class Found:
    """What a round found."""

    faults: list[str] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    worst: float = 0.0  # seconds of work for which the caller beside it waited


class Sender:
    """Sends requests, each to its end, over a connection that is kept as long as it may be."""

    def __init__(self, server: Served) -> None:
        self._server = server
        self._wire: socket.socket | None = None
        self._reader: Reader

    def answers(self, request: Request) -> list[Answer]:
        """What comes back. Broken: it is no HTTP."""
        if request.ends:
            return self._alone(request)
        for attempt in range(3):
            if self._wire is None:
                self._wire = self._server.connect()
                self._reader = Reader(self._wire)
            try:
                self._wire.sendall(request.data)
            except ConnectionError:
                if attempt == 2:
                    raise
            answer = self._reader.next()
            if answer is not None:
                if answer.headers.get("connection") == "close":
                    self.close()
                return [answer]
            self.close()  # it was closed between requests
        return []

    def _alone(self, request: Request) -> list[Answer]:
        is_head = request.data.startswith(b"HEAD")
        with self._server.connect() as wire:
            try:
                wire.sendall(request.data)
                if request.number % 4:  # the others are waited for by the server
                    wire.shutdown(socket.SHUT_WR)
            except OSError:  # refused before it was all sent
                pass
            return Reader(wire).rest(is_head=is_head)

    def close(self) -> None:
        if self._wire is not None:
            self._wire.close()
            self._wire = None


def run_round(seed: str, calls: int, workers: int) -> Found:
    """Send so many calls to a new server."""
    found = Found()
    with served(**SETTINGS) as server:
        maker, judge = made(server, seed)
        numbers, lock = itertools.count(), threading.Lock()
        sent_at: list[Sent] = []

        def work() -> None:
            sender = Sender(server)
            while True:
                with lock:
                    if found.calls >= calls or len(found.faults) >= SHOWN:
                        break
                    number = next(numbers)
                request = maker.request(number)
                began = time.monotonic()
                faults = faults_of(sender, judge, request)
                with lock:
                    sent_at.append((began, time.monotonic(), number))
                    found.calls += request.calls
                    found.kinds[request.kind] += 1
                    found.faults += faults
            sender.close()

        with beside(server) as delays:
            threads = [threading.Thread(target=work) for _ in range(workers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        found.worst = max((took for _, _, took in delays), default=0.0)
        found.faults += confirmed(server, maker, delays, sent_at)
        if not delays:
            found.faults.append("the caller beside it was not answered once")
        if found.calls < calls and not found.faults:
            found.faults.append(f"only {found.calls} calls were sent: this program failed")
        found.kinds.update(judge.counts)
        log = server.log.read_text()
        if leak := LOG_LEAKS.search(log):
            found.faults.append(
                f"the log holds {leak[0]!r}: ...{log[max(leak.start() - 500, 0) : leak.end() + 3000]}"
            )
        if server.process.poll() is not None:
            found.faults.append(f"the server ended: {log[-2000:]}")
        server.process.terminate()
        server.process.wait(FAR)
        configure(f"sqlite:///{server.database}")
        with connected():
            found.faults += invariants.broken()
    return found


def made(server: Served, seed: str) -> tuple[Maker, Judge]:
    """What makes the requests, and what judges the answers, from the server's own document."""
    with server.connect() as wire:
        body = b'{"jsonrpc":"2.0","id":1,"method":"rpc.discover"}'
        wire.sendall(server.head(len(body)) + body)
        document = orjson.loads(received(wire)[2])["result"]
    return Maker(document, server.secrets, seed), Judge(document, server.secrets)


def faults_of(sender: Sender, judge: Judge, request: Request) -> list[str]:
    try:
        found = judge.faults(request, sender.answers(request))
    except (Broken, OSError) as error:
        sender.close()
        found = [f"{type(error).__name__}: {error}"]
    return [f"request {request.number} ({request.kind}): {fault}" for fault in found]


# Delays of the caller beside it


def confirmed(server: Served, maker: Maker, delays: list[Delay], sent: list[Sent]) -> list[str]:
    """The delays that show again when what was sent at that time is sent again."""
    found = []
    for began, ended, took in [one for one in delays if one[2] > DELAY][:SHOWN]:
        numbers = [number for start, end, number in sent if start < ended and began < end]
        print(f"  a delay of {took * 1000:.0f} ms beside requests {numbers}: again", flush=True)
        suspects = [maker.request(number) for number in numbers]
        if suspects and all(_worst_beside(server, suspects) > DELAY for _ in range(AGAIN)):
            found.append(f"a caller waits {took * 1000:.0f} ms beside requests {numbers}")
    return found


def _worst_beside(server: Served, requests: list[Request]) -> float:
    with beside(server) as delays:
        senders = [Sender(server) for _ in requests]
        threads = [
            threading.Thread(target=sender.answers, args=(request,))
            for sender, request in zip(senders, requests, strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for sender in senders:
            sender.close()
        time.sleep(0.05)
    return max((took for _, _, took in delays), default=0.0)


# The command


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m tests.fuzz",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--calls", type=int, default=20_000)
    parser.add_argument("--seed", default=secrets.token_hex(4))
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--round", type=int)
    parser.add_argument("--request", type=int)
    parser.add_argument("--upto", type=int)
    options = parser.parse_args()
    if options.request is not None or options.upto is not None:
        sys.exit(show(f"{options.seed}/{options.round or 0}", options.request, options.upto))
    rounds = -(-options.calls // ROUND)
    wrong = 0
    for number in range(rounds) if options.round is None else [options.round]:
        wrong += report(options.seed, number, min(ROUND, options.calls - number * ROUND), options.workers)
    sys.exit(1 if wrong else 0)


def report(seed: str, number: int, calls: int, workers: int) -> int:
    """Run a round and print what came of it; the number of faults."""
    print(f"seed {seed}, round {number}", flush=True)
    began = time.monotonic()
    found = run_round(f"{seed}/{number}", calls, workers)
    seconds = time.monotonic() - began
    print(f"  {found.calls} calls in {seconds:.0f} s; the worst wait beside them {found.worst * 1000:.1f} ms")
    print("  " + ", ".join(f"{name} {count}" for name, count in sorted(found.kinds.items())))
    for fault in found.faults[:SHOWN]:
        print(f"  {fault}")
    if found.faults:
        print(f"  again: python -m tests.fuzz --seed {seed} --round {number} --request N", flush=True)
    return len(found.faults)


def show(seed: str, only: int | None, upto: int | None) -> int:
    """Send one request, or all as far as one, and show the last; 1 when something is wrong."""
    with served(**SETTINGS) as server:
        maker, judge = made(server, seed)
        sender = Sender(server)
        last = only if upto is None else upto
        assert last is not None
        for number in range(0 if only is None else last, last + 1):
            request = maker.request(number)
            answers = sender.answers(request)
            faults = judge.faults(request, answers)
        print(f"--> {request.data!r}")
        for answer in answers:
            print(f"<-- {answer.head!r} {answer.body!r}")
        print("\n".join(faults) or "nothing wrong")
        sender.close()
        print(server.log.read_text(), end="")
    return 1 if faults else 0


if __name__ == "__main__":
    main()
