"""The one table from what went wrong to what it is called on the wire."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jsonrpcserver import JsonRpcError
from marshmallow import ValidationError

from models.database import may_pass, was_cut_short
from models.errors import Busy, Conflict, Displaced, Invalid, ModelError, NotFound, QueryError
from rpc.schemas import camel

log = logging.getLogger(__name__)

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
NOT_FOUND = -32001
CONFLICT = -32002
FORBIDDEN = -32003
UNAUTHORIZED = -32004
RATE_LIMITED = -32005
TOO_MANY_CHANGES = -32006
DEADLINE_EXCEEDED = -32007
BUSY = -32009
BATCH_TOO_LARGE = -32010
RESPONSE_TOO_LARGE = -32011

RETRY_AFTER_MS = 1000


@dataclass(frozen=True)
class Row:
    """A word of the catalogue: its code, the message where nothing says more, and its meaning."""

    code: int
    message: str
    meaning: str


# The catalogue: every `data.code` that a caller can meet. The docs print it; a test meets each.
CATALOGUE = {
    "PARSE_ERROR": Row(PARSE_ERROR, "Parse error", "The body is not JSON (RFC 8259, UTF-8)."),
    "INVALID_REQUEST": Row(INVALID_REQUEST, "Invalid Request", "The JSON is not a JSON-RPC 2.0 request."),
    "TOO_DEEP": Row(INVALID_REQUEST, "Invalid Request", "The request nests deeper than `limit`."),
    "TOO_MANY_VALUES": Row(INVALID_REQUEST, "Invalid Request", "The request holds more than `limit` values."),
    "NUMBER_TOO_LONG": Row(INVALID_REQUEST, "Invalid Request", "A number has more than `limit` characters."),
    "NOT_THERE": Row(INVALID_REQUEST, "Invalid Request", "HTTP 404: nothing is at this path."),
    "METHOD_NOT_ALLOWED": Row(
        INVALID_REQUEST, "Invalid Request", "HTTP 405: this path wants another HTTP method."
    ),
    "BODY_TOO_SLOW": Row(
        INVALID_REQUEST, "Invalid Request", "HTTP 408: the body took longer than `limit` seconds."
    ),
    "BODY_TOO_LARGE": Row(
        INVALID_REQUEST, "Invalid Request", "HTTP 413: the body has more than `limit` bytes."
    ),
    "NOT_JSON": Row(
        INVALID_REQUEST,
        "Invalid Request",
        "HTTP 415: the content type is not JSON, or the content is encoded.",
    ),
    "BAD_HTTP": Row(
        INVALID_REQUEST, "Invalid Request", "HTTP 400: the request is not HTTP/1.1 as it should be."
    ),
    "BAD_IDEMPOTENCY_KEY": Row(
        INVALID_REQUEST, "Invalid Request", "An idempotency key is a text of 1 to 255 characters."
    ),
    "METHOD_NOT_FOUND": Row(
        METHOD_NOT_FOUND,
        "Method not found",
        "No method has this name; `nearest` is one that is called nearly so, `replacedBy` one that took its place.",
    ),
    "INVALID_PARAMS": Row(
        INVALID_PARAMS,
        "Invalid params",
        "Parameters are wrong: `fields` says for each member what; `query` says where in a query, and what was expected there.",
    ),
    "INTERNAL_ERROR": Row(
        INTERNAL_ERROR, "Internal error", "A fault of the server's; `requestId` finds it in the log."
    ),
    "USER_NOT_FOUND": Row(NOT_FOUND, "Not found", "No user has this id or email."),
    "GROUP_NOT_FOUND": Row(NOT_FOUND, "Not found", "No group has this id."),
    "LABEL_NOT_FOUND": Row(NOT_FOUND, "Not found", "No label has this id."),
    "CHANNEL_NOT_FOUND": Row(NOT_FOUND, "Not found", "No channel has this id."),
    "PROGRAM_KIND_NOT_FOUND": Row(NOT_FOUND, "Not found", "No program kind has this id."),
    "PROGRAM_NOT_FOUND": Row(NOT_FOUND, "Not found", "No program has this id."),
    "COHORT_NOT_FOUND": Row(NOT_FOUND, "Not found", "No cohort has this id."),
    "MEMBERSHIP_NOT_FOUND": Row(NOT_FOUND, "Not found", "The user is not in the program."),
    "TICKET_NOT_FOUND": Row(NOT_FOUND, "Not found", "No ticket has this id or external id."),
    "TOKEN_NOT_FOUND": Row(NOT_FOUND, "Not found", "No token has this id."),
    "EMAIL_AND_USER_DISAGREE": Row(CONFLICT, "Conflict", "userId and email name different users."),
    "EMAIL_TAKEN": Row(CONFLICT, "Conflict", "Another user has this email."),
    "HANDLE_TAKEN": Row(CONFLICT, "Conflict", "Another group, label or channel has this handle."),
    "COHORT_OF_ANOTHER_PROGRAM": Row(CONFLICT, "Conflict", "The cohort belongs to another program."),
    "MEMBERSHIP_IN_ANOTHER_COHORT": Row(
        CONFLICT, "Conflict", "The user is in another cohort of the program."
    ),
    "PROGRAM_ARCHIVED": Row(CONFLICT, "Conflict", "The program is archived and takes no new members."),
    "KIND_ARCHIVED": Row(CONFLICT, "Conflict", "The program kind is archived: no new tickets."),
    "KIND_IS_FIXED": Row(CONFLICT, "Conflict", "A program stays of the kind it was made of."),
    "PROGRAM_KIND_OWN_ANCESTOR": Row(CONFLICT, "Conflict", "The kind would be its own ancestor."),
    "PROGRAM_OWN_ANCESTOR": Row(CONFLICT, "Conflict", "The program would be its own ancestor."),
    "TICKET_OF_ANOTHER_BUYER": Row(CONFLICT, "Conflict", "The externalId is of another buyer's ticket."),
    "TICKET_OF_ANOTHER_SKU": Row(CONFLICT, "Conflict", "The externalId is of a ticket with another sku."),
    "IDEMPOTENCY_KEY_REUSED": Row(
        CONFLICT, "Conflict", "The idempotency key came with another method or other parameters before."
    ),
    "IDEMPOTENCY_KEY_IN_USE": Row(
        CONFLICT, "Conflict", "A call with this idempotency key still runs; `retryAfterMs`."
    ),
    "SECRET_SHOWN_ONCE": Row(
        CONFLICT,
        "Conflict",
        "The call with this idempotency key was carried out, and its secret is not shown again.",
    ),
    "USER_RETIRED": Row(
        CONFLICT,
        "Conflict",
        "The user is retired and gets no place, group or ticket; `admin.SaveUser` makes them active.",
    ),
    "USER_ERASED": Row(CONFLICT, "Conflict", "The user was erased and stays so."),
    "UNKNOWN_NAMES": Row(
        CONFLICT,
        "Conflict",
        "Names in the query name nothing: `unknown` has the `list`, `item`, `line` and `column` of each, of a"
        " hundred at most.",
    ),
    "FORBIDDEN": Row(
        FORBIDDEN, "Forbidden", "The token's scope is too small: `needs` names the one that is enough."
    ),
    "UNAUTHORIZED": Row(UNAUTHORIZED, "Unauthorized", "HTTP 401: no valid token."),
    "RATE_LIMITED": Row(
        RATE_LIMITED, "Rate limited", "HTTP 429, or within a batch: too many calls; `retryAfterMs`."
    ),
    "TOO_MANY_CHANGES": Row(
        TOO_MANY_CHANGES,
        "Too many changes",
        "More than `maxChanges` would change: `changes`, of these `moved`, `added` and `broughtBack`, and `allowed`.",
    ),
    "DEADLINE_EXCEEDED": Row(
        DEADLINE_EXCEEDED,
        "Deadline exceeded",
        "The call waited too long and was not carried out, or was a read that took too long.",
    ),
    "BUSY": Row(
        BUSY,
        "Busy",
        "Not carried out, may be repeated after `retryAfterMs`; HTTP 503 for a request. `wrong` says what"
        " the server lacks, if it knows.",
    ),
    "BATCH_TOO_LARGE": Row(BATCH_TOO_LARGE, "Batch too large", "The batch has more than `limit` entries."),
    "RESPONSE_TOO_LARGE": Row(
        RESPONSE_TOO_LARGE,
        "Response too large",
        "The reply would have more than `limit` bytes; ask for less.",
    ),
}


class DeadlineExceeded(Exception):
    """The call waited longer than it may; nothing of it was done."""


def rpc_error(word: str, message: str | None = None, **facts: Any) -> JsonRpcError:
    """The error with this word of the catalogue; facts go beside the word into its `data`."""
    row = CATALOGUE[word]
    return JsonRpcError(row.code, message or row.message, {"code": word, **facts})


def to_rpc_error(
    error: Exception, request_id: str, about: Callable[[], Mapping[str, Any]] | None = None
) -> JsonRpcError:
    """What a caller is told of an exception: all of it if it is theirs to mend, else only that.

    The rest is for the log, with what there is to say about the request. It never fails, since a caller
    would get no reply: an error that cannot be told, as of a word that is missing in the catalogue, is
    a fault like any other.
    """
    try:
        if (told := _told(error)) is not None:
            return told
    except Exception as fault:
        error = fault
    extra = {"facts": {"requestId": request_id} if about is None else about()}
    if may_pass(error):
        log.error("the database refused: %r", error, extra=extra)
        return rpc_error("BUSY", retryAfterMs=RETRY_AFTER_MS)
    log.error("a call failed", exc_info=error, extra=extra)
    return rpc_error("INTERNAL_ERROR", requestId=request_id)


def _told(error: Exception) -> JsonRpcError | None:
    """The error that a caller is told for an exception that does not concern the log."""
    if isinstance(error, JsonRpcError):
        return error
    if isinstance(error, ValidationError):
        return rpc_error("INVALID_PARAMS", fields=_texts(error.normalized_messages()))
    if isinstance(error, Invalid):
        fields = {camel(name): texts for name, texts in error.facts["fields"].items()}
        return rpc_error("INVALID_PARAMS", fields=fields)
    if isinstance(error, QueryError):
        spot = {"line": error.line, "column": error.column, "expected": error.expected}
        return rpc_error("INVALID_PARAMS", fields={"query": [error.message]}, query=spot)
    if isinstance(error, NotFound | Conflict):
        return rpc_error(error.word, error.message, **error.facts)
    if isinstance(error, ModelError):
        return rpc_error(error.word, **error.facts)
    if isinstance(error, DeadlineExceeded) or was_cut_short(error):
        return rpc_error("DEADLINE_EXCEEDED")
    if isinstance(error, Displaced):  # of which the writer tells in the log, once
        return rpc_error("BUSY", retryAfterMs=RETRY_AFTER_MS, wrong=[error.word])
    if isinstance(error, Busy):
        return rpc_error("BUSY", retryAfterMs=RETRY_AFTER_MS)
    return None


def _texts(messages: dict[str, Any]) -> dict[str, list[str]]:
    """marshmallow's messages with those of list items flattened into their member's."""
    return {name: list(_flat(found)) for name, found in messages.items()}


def _flat(found: Any) -> list[str]:
    if isinstance(found, dict):
        return [text for inner in found.values() for text in _flat(inner)]
    if isinstance(found, list):
        return [text for inner in found for text in _flat(inner)]
    return [str(found)]
