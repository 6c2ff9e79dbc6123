"""JSON-RPC 2.0 as a caller sees it: texts out, results in. Does no I/O."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import NAMESPACE_URL, UUID, uuid5

from client.errors import RpcError, TransportError

Params = Mapping[str, Any] | Sequence[Any]

# What a parameter may be written as.
Id = UUID | str
Day = date | str
Instant = datetime | str
Word = Enum | str

Object = dict[str, Any]


def request(call_id: int | None, method: str, params: Params) -> dict[str, Any]:
    """One request; without an id it is a notification, which nobody answers."""
    made: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": params}
    if call_id is not None:
        made["id"] = call_id
    return made


def dumps(content: Any) -> bytes:
    """The body for a request or a list of them; UUIDs, dates and enums are written as the wire has them."""
    return json.dumps(content, separators=(",", ":"), default=_text).encode()


def loads(body: bytes) -> Any:
    """The content of a reply's body; None where nothing was answered. TransportError if it is not JSON."""
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError:
        raise TransportError("the reply is not JSON") from None


def result(reply: Any) -> Any:
    """The result of one reply; raises its error."""
    outcome = outcome_of(reply)
    if isinstance(outcome, RpcError):
        raise outcome
    return outcome


def outcome_of(reply: Any) -> Any:
    """The result of one reply, or its error as a value."""
    if not isinstance(reply, dict):
        raise TransportError("the reply is not JSON-RPC")
    if "error" in reply:
        return RpcError(reply["error"])
    if "result" not in reply:
        raise TransportError("the reply is not JSON-RPC")
    return reply["result"]


def given(**params: Any) -> dict[str, Any]:
    """Parameters by their wire names, without the ones that were not given."""
    return {_camel(name): value for name, value in params.items() if value is not None}


def external_id(shop: str, item: str) -> UUID:
    """The externalId of something a shop sold: `external_id("shop", "order-1001/line-2/1")`.

    The item is the order, the line and the unit of that line, with slashes between. The same item
    always has the same id, so a ticket for it can be asked for again and again and is made once.
    """
    return uuid5(NAMESPACE_URL, f"core-rpc/external/{shop}/{item}")


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _text(value: Any) -> Any:
    match value:
        case UUID():
            return str(value)
        case datetime():
            return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        case date():
            return value.isoformat()
        case Enum():
            return value.value
    raise TypeError(f"a {type(value).__name__} cannot be sent")
