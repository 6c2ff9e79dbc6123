"""A server that asks the database once more about what looks like a token: tests.timing must find it."""

from __future__ import annotations

from models.tokens import PREFIX, Token
from rpc.cli import main

_honest = Token.that_lets_in


def _leaky(secret: str) -> Token | None:
    found = _honest(secret)
    return _honest(secret) if found is None and secret.startswith(PREFIX) else found


if __name__ == "__main__":
    Token.that_lets_in = _leaky
    main()
