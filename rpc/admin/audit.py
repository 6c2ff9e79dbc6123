"""The audit: who wrote what, when."""

from __future__ import annotations

from typing import Any

from marshmallow import fields

from models import sample
from models.audit import Audit
from models.tokens import Scope
from rpc.registry import Lane, method
from rpc.results import AuditResult
from rpc.schemas import ADMIN_LIST, Filled, Id, Instant, Params, change, limit, offset


class ListAudit(Params):
    token_id = change(Id, "only what this token wrote")
    acting_user_id = change(Id, "only what was written for this user, for whom the token acts")
    method = change(Filled, "only what this function, or a command such as `core-rpc token create`, wrote")
    request_id = change(Filled, "only what came of the request with this X-Request-Id")
    touched = change(Id, "only what wrote the row with this id, be it of a user, a membership, a token")
    since = change(Instant, "only what was written at this instant or later")
    until = change(Instant, "only what was written before this instant")
    limit = limit(default=ADMIN_LIST)
    offset = offset()


@method(
    "admin.ListAudit",
    params=ListAudit,
    returns=fields.List(fields.Nested(AuditResult)),
    example={"touched": sample.ADA},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_audit(limit: int, offset: int, **values: Any) -> list[Audit]:
    """List who wrote what, newest first, then by id: a row for each call or command that wrote."""
    return Audit.matching(limit, offset, **values)
