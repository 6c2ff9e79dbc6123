"""Past imports of rosters."""

from __future__ import annotations

from uuid import UUID

from marshmallow import fields

from models.imports import RosterImport
from models.tokens import Scope
from rpc.registry import Lane, method
from rpc.results import ImportResult
from rpc.schemas import Id, Params, limit, optional

LISTED, LISTED_AT_MOST = 10, 100  # imports; a report takes up to some 600 kB


class ListImports(Params):
    limit = limit(LISTED_AT_MOST, default=LISTED)
    after = optional(Id, "the last id of the page before")


@method(
    "admin.ListImports",
    params=ListImports,
    returns=fields.List(fields.Nested(ImportResult)),
    example={"limit": 5},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_imports(limit: int, after: UUID | None) -> list[RosterImport]:
    """List the imports that wrote, or were to, newest first, with their reports."""
    return RosterImport.newest(limit, after)
