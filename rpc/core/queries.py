"""The query languages, and the obsolete functions that are each one program query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from marshmallow import fields

from models import sample
from models.memberships import Participation
from models.people import User
from models.programs import Program
from models.query.finding import find_participants, find_programs, find_users
from models.query.names import unknown_names
from models.query.syntax import parse
from models.query.tree import Language
from models.query.words import in_words
from models.text import QUERY
from models.tokens import Scope
from rpc.registry import Lane, caller, method
from rpc.results import ExplanationResult, ProgramInfoResult, ProgramParticipationResult, UserResult
from rpc.schemas import Choice, Id, Params, Text, limit, offset, required

ROWS = 1000  # unless another limit is given


class QueryUsers(Params):
    query = required(Text, "user query", at_most=QUERY)
    limit = limit(default=ROWS)
    offset = offset()


@method(
    "core.QueryUsers",
    params=QueryUsers,
    returns=fields.List(fields.Nested(UserResult)),
    example={"query": "given labels [vegetarian] where first starts 'A' sort by last"},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def query_users(query: str, limit: int, offset: int) -> Sequence[User]:
    """Find users by a user query; in the order of their making unless it sorts.

    The languages have a page of their own, models/query/README.md.
    """
    return find_users(query, caller().user_id, limit, offset)


class QueryPrograms(Params):
    query = required(Text, "program query", at_most=QUERY)
    limit = limit(default=ROWS)
    offset = offset()


@method(
    "core.QueryPrograms",
    params=QueryPrograms,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={"query": "given kind [cooking] ^ program starting from -1 year to today"},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def query_programs(query: str, limit: int, offset: int) -> Sequence[Program]:
    """Find programs by a program query; by start date, name and id unless it sorts."""
    return find_programs(query, caller().user_id, limit, offset)


class QueryParticipants(Params):
    query = required(Text, "participant query", at_most=QUERY)
    limit = limit(default=ROWS)
    offset = offset()


@method(
    "core.QueryParticipants",
    params=QueryParticipants,
    returns=fields.List(fields.Nested(ProgramParticipationResult)),
    example={"query": "program active today with [active], participant = member sort by last"},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def query_participants(query: str, limit: int, offset: int) -> Sequence[Participation]:
    """Find memberships by a participant query; in the order of their making unless it sorts."""
    return find_participants(query, caller().user_id, limit, offset)


class ExplainQuery(Params):
    find = required(Choice, "what the query finds, which says its language", words=Language)
    query = required(Text, "query of this language", at_most=QUERY)


@method(
    "core.ExplainQuery",
    params=ExplainQuery,
    returns=fields.Nested(ExplanationResult),
    example={"find": "users", "query": "given labels [vegetarian] ^ except groups [stuff]"},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def explain_query(find: Language, query: str) -> dict[str, Any]:
    """Say in words how a query is understood, and which of the names in its lists name nothing.

    A name that names nothing finds nothing; behind `except` it leaves everybody. The query is not run.
    """
    return {"words": in_words(parse(query, find), find), "unknown": unknown_names(query, find)}


class ListPrograms(Params):
    pass


@method(
    "core.ListPrograms",
    params=ListPrograms,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={},
    scope=Scope.READ,
    lane=Lane.SLOW,
    deprecated_for="core.QueryPrograms",
)
def list_programs() -> Sequence[Program]:
    """List all programs; obsolete.

    The program query `program active from -100 years to +100 years` says the same.
    """
    return _found("program active from -100 years to +100 years")


class ListUserPrograms(Params):
    user_id = required(Id, "user whose programs are wanted")


@method(
    "core.ListUserPrograms",
    params=ListUserPrograms,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={"userId": sample.ADA},
    scope=Scope.READ,
    lane=Lane.SLOW,
    deprecated_for="core.QueryPrograms",
)
def list_user_programs(user_id: UUID) -> Sequence[Program]:
    """List the programs that a user is or was in; obsolete.

    The program query `given users [id]` says the same.
    """
    return _found_of(user_id, "given users [id]")


class UserFuturePrograms(Params):
    user_id = required(Id, "user whose programs are wanted")


@method(
    "core.UserFuturePrograms",
    params=UserFuturePrograms,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={"userId": sample.ADA},
    scope=Scope.READ,
    lane=Lane.SLOW,
    deprecated_for="core.QueryPrograms",
)
def user_future_programs(user_id: UUID) -> Sequence[Program]:
    """List the programs yet to start that a user is active in; obsolete.

    The program query `given users [id] ^ program starting from +1 day to +100 years with [active]` says
    the same.
    """
    return _found_of(user_id, "given users [id] ^ program starting from +1 day to +100 years with [active]")


class UserActivePrograms(Params):
    user_id = required(Id, "user whose programs are wanted")


@method(
    "core.UserActivePrograms",
    params=UserActivePrograms,
    returns=fields.List(fields.Nested(ProgramInfoResult)),
    example={"userId": sample.ADA},
    scope=Scope.READ,
    lane=Lane.SLOW,
    deprecated_for="core.QueryPrograms",
)
def user_active_programs(user_id: UUID) -> Sequence[Program]:
    """List the programs that run today and that a user is active in; obsolete.

    The program query `given users [id] ^ program active today with [active]` says the same.
    """
    return _found_of(user_id, "given users [id] ^ program active today with [active]")


def _found(text: str) -> Sequence[Program]:
    return find_programs(text, caller().user_id)


def _found_of(user_id: UUID, text: str) -> Sequence[Program]:
    User.check(user_id)
    return _found(text.replace("[id]", f"[{user_id}]"))
