"""Whether the time of a refusal tells why: `python -m tests.timing`.

Every kind of bad token is shown to a server process, in rounds of all kinds in a new order each; what
counts is the work that the server does till the answer (its clock of CPU time), so that other work on
the machine tells little, and nothing in favour of a kind. Requests are of one length and one number of
headers. Of each kind the median distance to the median of its round remains.

How much is too much is measured too: another server (tests.leaky) asks the database once more about
what looks like a token. Kinds may lie apart by less than half of what that costs.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
from collections.abc import Callable

from models.tokens import PREFIX, Scope
from tests.processes import Served, received, served

BODY = b'{"jsonrpc":"2.0","id":1,"method":"core.ListActivePrograms"}'
TRIES = 3  # what is the server's doing shows in each
LOOKS_LIKE_ONE = {"unknown", "expired", "revoked"}  # about which the leaky server asks once more

Kinds = dict[str, bytes]


def kinds(one: Served, number: random.Random) -> Kinds:
    """A request of each kind, by name."""
    good = one.secrets[Scope.ADMIN]
    unknown = PREFIX + "".join(number.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=43))
    shown = {
        "absent": ("X-Authorizatio: Bearer " + unknown,),
        "malformed": ("Authorization: Bearer " + "!" * len(unknown),),
        "unknown": ("Authorization: Bearer " + unknown,),
        "expired": ("Authorization: Bearer " + one.secrets["expired"],),
        "revoked": ("Authorization: Bearer " + one.secrets["revoked"],),
        "another scheme": ("Authorization: Custom " + good,),
        "another place": ("X-Api-KeyHeade: Bearer " + good,),
        "doubled": ("Authorization: Bearer " + good,) * 2,
    }
    return {name: _request(headers) for name, headers in shown.items()}


def _request(headers: tuple[str, ...]) -> bytes:
    filler = "X-Filler-Heade: Bearer " + "x" * 48
    lines = [*headers, *(filler,) * (2 - len(headers)), f"Content-Length: {len(BODY)}", "", ""]
    return ("POST /rpc HTTP/1.1\r\nHost: a\r\n" + "\r\n".join(lines)).encode() + BODY


def distances(one: Served, rounds: int, seed: int) -> dict[str, float]:
    """For each kind the seconds by which its refusals lie from the others'."""
    chance = random.Random(seed)
    apart: dict[str, list[float]] = {}
    with one.connect() as wire:
        for _ in range(rounds):
            requests = list(kinds(one, chance).items())
            chance.shuffle(requests)
            took = {
                name: _work(one, lambda request=request: _refused(wire, request))
                for name, request in requests
            }
            if 0 not in took.values():  # the clock was not brought up to date in between
                middle = statistics.median(took.values())
                for name, seconds in took.items():
                    apart.setdefault(name, []).append(seconds - middle)
    return {name: statistics.median(found) for name, found in apart.items()}


def _work(one: Served, do: Callable[[], None]) -> float:
    started = one.seconds()
    do()
    return one.seconds() - started


def _refused(wire: object, request: bytes) -> None:
    wire.sendall(request)  # type: ignore[attr-defined]
    status, _, _ = received(wire)  # type: ignore[arg-type]
    assert status == 401


def found(rounds: int, seed: int) -> tuple[dict[str, float], float]:
    """How the kinds lie apart, and what one more query costs, both in seconds."""
    free = {"free_guesses": 10**9, "guess_seconds": 0}
    with served(**free) as ours:
        apart = distances(ours, rounds, seed)
    with served(module="tests.leaky", **free) as leaky:
        of_leaky = distances(leaky, rounds, seed)
    asked, not_asked = (
        statistics.median(seconds for name, seconds in of_leaky.items() if (name in LOOKS_LIKE_ONE) is asked)
        for asked in (True, False)
    )
    return apart, asked - not_asked


def main() -> None:
    """Print what was found; exit status 1 when the kinds lie too far apart, every time."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--rounds", type=int, default=3000, help="requests of each kind (3000)")
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    for number in range(TRIES):
        apart, query = found(options.rounds, options.seed + number)
        print(f"seed {options.seed + number}; one more query costs {query * 1e6:.1f} µs; refusals of")
        for name, seconds in apart.items():
            print(f"  {name:15} {seconds * 1e6:+6.2f} µs")
        widest = max(apart.values()) - min(apart.values())
        print(f"  lie within {widest * 1e6:.2f} µs, which is {widest / query:.2f} of a query")
        if 0 < query and widest < query / 2:
            return
    sys.exit("the time of a refusal tells why")


if __name__ == "__main__":
    main()
