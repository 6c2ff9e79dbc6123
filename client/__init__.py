"""A typed client for core-rpc. `Client(url, token)` has each documented function by both its names."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from client.aio import AsyncBatch, AsyncClient
    from client.batch import Outcome, Pending
    from client.client import Batch, Client
    from client.errors import ClientError, RpcError, TransportError
    from client.protocol import Retry, external_id

# Where each name is; a module is imported when the first name of it is used.
_PLACES = {
    "AsyncBatch": "aio",
    "AsyncClient": "aio",
    "Batch": "client",
    "Client": "client",
    "ClientError": "errors",
    "Outcome": "batch",
    "Pending": "batch",
    "Retry": "protocol",
    "RpcError": "errors",
    "TransportError": "errors",
    "external_id": "protocol",
}

__all__ = [
    "AsyncBatch",
    "AsyncClient",
    "Batch",
    "Client",
    "ClientError",
    "Outcome",
    "Pending",
    "Retry",
    "RpcError",
    "TransportError",
    "external_id",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'client' has no attribute {name!r}")
    return getattr(importlib.import_module(f"client.{_PLACES[name]}"), name)


def __dir__() -> list[str]:
    return __all__
