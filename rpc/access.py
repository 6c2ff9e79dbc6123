"""Who may come in: tokens to callers, budgets of calls, and patience with those who guess."""

from __future__ import annotations

import collections
import functools
import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass

from models.tokens import Token
from rpc.fresh import Fresh
from rpc.registry import Caller

FORGET_SECONDS = 60.0  # after which a wrong guess no longer counts against an address
ADDRESSES = 10_000  # of which guesses are remembered
REMEMBERED_AT_MOST = 100  # characters of a header; there are ways to write a good one with 8,000


@dataclass
class _Budget:
    """A bucket that fills with calls at an even rate up to a burst."""

    calls: float
    at: float


class Access:
    """The way from an Authorization header to a caller."""

    def __init__(self, fresh: Fresh, rate_limit: float, rate_burst: int, free_guesses: int) -> None:
        self._rate, self._burst = rate_limit, rate_burst
        self._free_guesses = free_guesses
        self._fresh = fresh
        self._known: dict[str, tuple[Token, Caller]] = fresh.memory()  # by the header
        self._budgets: dict[object, _Budget] = {}
        self._guesses: collections.OrderedDict[str, collections.deque[float]] = collections.OrderedDict()

    def caller(self, authorization: list[str]) -> Caller | None:
        """The caller that the header's one Bearer token stands for; None for anything else.

        Headers that let in are remembered until any other connection commits, so a revoked token ends
        at once; all others are looked up each time, so that the time of a refusal tells nothing.
        """
        self._fresh.check()
        header = authorization[0] if len(authorization) == 1 else ""
        token, caller = self._known.get(header, (None, None))
        if token is not None and token.is_usable:
            return caller
        self._known.pop(header, None)
        token = Token.that_lets_in(_secret(header))
        if token is None:
            return None
        caller = Caller(token.id, token.scope, token.user_id)
        if len(header) <= REMEMBERED_AT_MOST:
            self._known[header] = token, caller
        return caller

    def spender(self, caller: Caller) -> Callable[[], int | None] | None:
        """What takes one call from the token's budget, if there is a limit: milliseconds to wait when
        it is used up, else None."""
        return functools.partial(self._spend, caller) if self._rate else None

    def _spend(self, caller: Caller) -> int | None:
        now = time.monotonic()
        budget = self._budgets.setdefault(caller.token_id, _Budget(self._burst, now))
        budget.calls = min(self._burst, budget.calls + (now - budget.at) * self._rate)
        budget.at = now
        if budget.calls < 1:
            return int((1 - budget.calls) / self._rate * 1000) + 1
        budget.calls -= 1
        return None

    def is_guessing(self, address: str, now: float) -> bool:
        """Note a refusal; whether the address has had too many in the last minute."""
        network = _network(address)
        guesses = self._guesses.setdefault(network, collections.deque(maxlen=self._free_guesses + 1))
        self._guesses.move_to_end(network)
        if len(self._guesses) > ADDRESSES:
            self._guesses.popitem(last=False)
        guesses.append(now)
        return len(guesses) > self._free_guesses and now - guesses[0] < FORGET_SECONDS


def _secret(header: str) -> str:
    """What an Authorization header holds after `Bearer`; nothing if it is not so."""
    scheme, _, secret = header.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" and secret.isascii() else ""


def _network(address: str) -> str:
    """Whose guesses are counted together: an IPv6 host commonly has 2^64 addresses to guess from."""
    if ":" not in address:
        return address
    number = ipaddress.IPv6Address(address.partition("%")[0])
    return str(number.ipv4_mapped or int(number) >> 64)
