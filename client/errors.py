"""What can go wrong in a call.

    ClientError
    ├── NotSent             the call was never sent
    ├── TransportError      no answer to go by
    │   ├── NotReached      the server could not be reached, or the connection broke
    │   ├── TimedOut        no answer in time
    │   └── BadReply        what came back is no JSON-RPC reply
    │       └── WrongReply  it is the reply to another request
    └── RpcError            the server's own error
        ├── InvalidRequest  -32700, -32600: not JSON-RPC
        ├── MethodNotFound  -32601
        ├── InvalidParams   -32602: `fields` says what is wrong with which member
        ├── InternalError   -32603: `request_id` finds it in the server's log
        ├── NotFound        -32001: an id names nothing; `word` tells what
        ├── Conflict        -32002: against what is there
        ├── Forbidden       -32003: the token's scope is too small
        ├── Unauthorized    -32004: no valid token
        ├── RateLimited     -32005: too many calls
        ├── TooManyChanges  -32006: more than `max_changes`
        ├── DeadlineExceeded -32007: waited too long, was not carried out
        ├── Busy            -32009: not carried out, may be repeated
        └── TooLarge        -32010, -32011: the batch or the reply

Whether an error comes from one call or from a call in a batch makes no difference to its kind.
"""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """Anything that kept a call from its result."""


class NotSent(ClientError):
    """The call was never sent, so nothing came of it."""


class TransportError(ClientError):
    """The server could not be reached, or what came back was no JSON-RPC reply."""


class NotReached(TransportError):
    """The server could not be reached, or the connection broke."""


class TimedOut(TransportError):
    """No answer came in time."""


class BadReply(TransportError):
    """What came back is no JSON-RPC reply."""


class WrongReply(BadReply):
    """The reply belongs to another request; the connections are closed."""


class RpcError(ClientError):
    """The server's error: `code`, `message` and `data` as sent."""

    def __new__(cls, error: dict[str, Any], request_id: str | None = None) -> RpcError:
        return super().__new__(_KINDS.get(error["code"], cls))

    def __init__(self, error: dict[str, Any], request_id: str | None = None) -> None:
        self.code: int = error["code"]
        self.message: str = error["message"]
        data = error.get("data")
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self._request_id = request_id
        super().__init__(f"{self.message} ({self.word})")

    @property
    def word(self) -> str:
        """The stable word of the error, such as PROGRAM_NOT_FOUND."""
        return str(self.data.get("code", self.code))

    @property
    def fields(self) -> dict[str, list[str]]:
        """What is wrong with which member, where parameters are wrong."""
        return self.data.get("fields", {})

    @property
    def request_id(self) -> str | None:
        """What finds the request in the server's log."""
        return self.data.get("requestId") or self._request_id

    def __reduce__(self) -> tuple[Any, ...]:
        error = {"code": self.code, "message": self.message, "data": self.data}
        return RpcError, (error, self._request_id)


class InvalidRequest(RpcError):
    """The request is not JSON-RPC as the server reads it."""


class MethodNotFound(RpcError):
    """No method has this name."""


class InvalidParams(RpcError):
    """Parameters are wrong; `fields` says which and how."""


class InternalError(RpcError):
    """A fault of the server's."""


class NotFound(RpcError):
    """An id, email or handle names nothing."""


class Conflict(RpcError):
    """The call is against what is there."""


class Forbidden(RpcError):
    """The token's scope is too small."""


class Unauthorized(RpcError):
    """No valid token."""


class RateLimited(RpcError):
    """Too many calls."""


class TooManyChanges(RpcError):
    """More would change than the call allows."""


class DeadlineExceeded(RpcError):
    """The call waited too long and was not carried out."""


class Busy(RpcError):
    """Not carried out; may be repeated."""


class TooLarge(RpcError):
    """The batch or the reply is larger than the server's limit."""


_KINDS: dict[int, type[RpcError]] = {
    -32700: InvalidRequest,
    -32600: InvalidRequest,
    -32601: MethodNotFound,
    -32602: InvalidParams,
    -32603: InternalError,
    -32001: NotFound,
    -32002: Conflict,
    -32003: Forbidden,
    -32004: Unauthorized,
    -32005: RateLimited,
    -32006: TooManyChanges,
    -32007: DeadlineExceeded,
    -32009: Busy,
    -32010: TooLarge,
    -32011: TooLarge,
}
