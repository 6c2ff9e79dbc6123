"""What can go wrong in a call."""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """Anything that kept a call from its result."""


class TransportError(ClientError):
    """The server could not be reached, or what came back was no JSON-RPC reply."""


class RpcError(ClientError):
    """The server's error: `code` and `message` as sent, `word` the stable name in `data.code`."""

    def __init__(self, error: dict[str, Any]) -> None:
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: dict[str, Any] = error.get("data") or {}
        super().__init__(f"{self.message} ({self.word})")

    @property
    def word(self) -> str:
        """The stable word of the error, such as PROGRAM_NOT_FOUND."""
        return str(self.data.get("code", self.code))

    @property
    def fields(self) -> dict[str, list[str]]:
        """What is wrong with which member, where parameters are wrong."""
        return self.data.get("fields", {})
