"""Tokens: who may call, and how much they may do."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from marshmallow import ValidationError, fields

from models import clock, sample
from models.errors import Conflict
from models.people import User
from models.tokens import Issued, Scope, Token
from rpc.registry import Lane, method
from rpc.results import NewTokenResult, TokenResult
from rpc.schemas import (
    ADMIN_LIST,
    Choice,
    Filled,
    Id,
    Instant,
    Params,
    Whole,
    change,
    limit,
    offset,
    optional,
    required,
)


def _is_to_come(instant: datetime) -> None:
    if instant <= clock.now():
        raise ValidationError("Must be in the future.")


def _shown_once(token_id: UUID) -> NoReturn:
    raise Conflict("SECRET_SHOWN_ONCE", f"The secret of token {token_id} was shown when it was made")


class CreateToken(Params):
    name = required(Filled, "what the token is for")
    scope = required(Choice, "what it may do: write may also read, admin may do all", words=Scope)
    user_id = optional(Id, "user for whom it acts; none unless given")
    expires_at = optional(Instant, "when it ends; never unless given", validate=_is_to_come)


@method(
    "admin.CreateToken",
    params=CreateToken,
    returns=fields.Nested(NewTokenResult),
    example={"name": "shop", "scope": "write"},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
    again=_shown_once,
)
def create_token(name: str, scope: Scope, user_id: UUID | None, expires_at: datetime | None) -> Issued:
    """Make a token; its secret is in the answer this once and nowhere else."""
    user = None if user_id is None else User.of(user_id)
    return Token.issue(name, scope, user, expires_at)


class RevokeToken(Params):
    token_id = required(Id, "token to revoke")


@method(
    "admin.RevokeToken",
    params=RevokeToken,
    returns=Whole(0, 1),
    example={"tokenId": sample.OLD_TOKEN},
    scope=Scope.ADMIN,
    lane=Lane.WRITE,
)
def revoke_token(token_id: UUID) -> int:
    """Let nobody in with a token any more: 1 when it was revoked now, 0 when it was already."""
    return int(Token.of(token_id).revoke())


class ListTokens(Params):
    id = change(Id, "only this token")
    user_id = change(Id, "only tokens that act for this user")
    scope = change(Choice, "only tokens of exactly this scope", words=Scope)
    limit = limit(default=ADMIN_LIST)
    offset = offset()


@method(
    "admin.ListTokens",
    params=ListTokens,
    returns=fields.List(fields.Nested(TokenResult)),
    example={"scope": "read"},
    scope=Scope.ADMIN,
    lane=Lane.SLOW,
)
def list_tokens(limit: int, offset: int, **values: Any) -> list[Token]:
    """List tokens, ended and revoked ones too, oldest first, then by id; never a secret."""
    return Token.all(limit, offset, **values)
