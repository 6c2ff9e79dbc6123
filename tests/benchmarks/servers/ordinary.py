"""The same four packages used the ordinary way, doing the same work on the same tables.

jsonrpcserver dispatches as it does by default, marshmallow loads and dumps each call, Peewee's
queries stand in the handlers, and each write is a transaction of its own with synchronous=FULL.
Where it is a matter of taste, the quicker way was taken: schemas are made once, the token is looked
up once a request, instants stay text, and only the documented calling form is understood.
"""

from __future__ import annotations

import hashlib
import os
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import peewee
from aiohttp import web
from jsonrpcserver import Error, Result, Success, async_dispatch, method
from marshmallow import Schema, ValidationError, fields, validate

from tests.benchmarks.servers import run

database = peewee.SqliteDatabase(
    os.environ["CORE_RPC_DATABASE"].removeprefix("sqlite:///"),
    pragmas={"journal_mode": "wal", "synchronous": "full", "foreign_keys": 1, "cache_size": -32_000},
)


def now() -> str:
    return datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


class Row(peewee.Model):
    id = peewee.TextField(primary_key=True, default=lambda: str(uuid4()))

    class Meta:
        database = database
        legacy_table_names = False


class DatedRow(Row):
    created_at = peewee.TextField(default=now)
    updated_at = peewee.TextField(default=now)


class Token(Row):
    hash = peewee.TextField(unique=True)
    scope = peewee.TextField()
    expires_at = peewee.TextField(null=True)
    revoked_at = peewee.TextField(null=True)


class User(DatedRow):
    email_key = peewee.TextField(null=True, unique=True)


class ProgramKind(DatedRow):
    name = peewee.TextField()
    handle = peewee.TextField(null=True)
    group = peewee.TextField(null=True)
    parent = peewee.ForeignKeyField("self", null=True)
    mode = peewee.TextField()
    duration = peewee.IntegerField()
    priority = peewee.IntegerField()
    archived = peewee.BooleanField()


class Program(DatedRow):
    kind = peewee.ForeignKeyField(ProgramKind)
    name = peewee.TextField()
    start_date = peewee.TextField()
    end_date = peewee.TextField()
    duration = peewee.IntegerField()
    mode = peewee.TextField()
    timezone = peewee.TextField()
    parent = peewee.ForeignKeyField("self", null=True)
    archived = peewee.BooleanField()


class Cohort(DatedRow):
    program = peewee.ForeignKeyField(Program)
    name = peewee.TextField()
    name_key = peewee.TextField()


class Membership(DatedRow):
    user = peewee.ForeignKeyField(User)
    program = peewee.ForeignKeyField(Program)
    cohort = peewee.ForeignKeyField(Cohort, null=True)
    role = peewee.TextField()
    state = peewee.TextField()
    date = peewee.TextField()


class MembershipChange(Row):
    membership = peewee.ForeignKeyField(Membership)
    at = peewee.TextField(default=now)
    token_id = peewee.TextField(null=True)
    how = peewee.TextField(default="api")
    from_role = peewee.TextField(null=True)
    from_state = peewee.TextField(null=True)
    from_cohort_id = peewee.TextField(null=True)
    from_date = peewee.TextField(null=True)
    to_role = peewee.TextField()
    to_state = peewee.TextField()
    to_cohort_id = peewee.TextField(null=True)
    to_date = peewee.TextField()


class Ticket(DatedRow):
    user = peewee.ForeignKeyField(User, null=True)
    kind = peewee.ForeignKeyField(ProgramKind)
    external_id = peewee.TextField(null=True)
    sku = peewee.TextField(null=True)
    base_sku = peewee.TextField(null=True)
    state = peewee.TextField(default="ready")
    membership = peewee.ForeignKeyField(Membership, null=True)
    program_id = peewee.TextField(null=True)
    consumed_at = peewee.TextField(null=True)


class Audit(Row):
    at = peewee.TextField(default=now)
    token_id = peewee.TextField(null=True)
    request_id = peewee.TextField()
    method = peewee.TextField()
    touched = peewee.TextField()


class LookupProgram(Schema):
    program_kind_id = fields.UUID(data_key="programKindId", required=True)


class ListCohorts(Schema):
    program_id = fields.UUID(data_key="programId", required=True)


class ModifyProgramMembership(Schema):
    user_id = fields.UUID(data_key="userId", required=True)
    program_id = fields.UUID(data_key="programId", required=True)
    role = fields.String(validate=validate.OneOf(["member", "trainer", "observer"]))


class CreateProgramTicket(Schema):
    user_id = fields.UUID(data_key="userId", required=True)
    program_kind_id = fields.UUID(data_key="programKindId", required=True)
    external_id = fields.UUID(data_key="externalId", load_default=None)
    sku = fields.String(validate=validate.Length(max=255), load_default=None)
    base_sku = fields.String(data_key="baseSku", validate=validate.Length(max=255), load_default=None)


class DatedResult(Schema):
    id = fields.String()
    name = fields.String()
    created_at = fields.String(data_key="createdAt")
    updated_at = fields.String(data_key="updatedAt")


class ProgramKindResult(DatedResult):
    handle = fields.String()
    group = fields.String()
    parent_id = fields.String(data_key="parentId")
    mode = fields.String()
    duration = fields.Integer()
    priority = fields.Integer()
    archived = fields.Boolean()


class ProgramInfoResult(DatedResult):
    start_date = fields.String(data_key="startDate")
    end_date = fields.String(data_key="endDate")
    duration = fields.Integer()
    mode = fields.String()
    timezone = fields.String()
    kind_id = fields.String(data_key="programKind")
    base_name = fields.String(data_key="baseName", attribute="kind.name")
    base_handle = fields.String(data_key="baseHandle", attribute="kind.handle")
    program_kind_parent = fields.String(data_key="programKindParent", attribute="kind.parent_id")
    priority = fields.Integer(attribute="kind.priority")
    parent_id = fields.String(data_key="parentId")
    archived = fields.Boolean()


class CohortResult(DatedResult):
    program_id = fields.String(data_key="programId")


LOOKUP_PROGRAM = LookupProgram()
LIST_COHORTS = ListCohorts()
MODIFY_PROGRAM_MEMBERSHIP = ModifyProgramMembership()
CREATE_PROGRAM_TICKET = CreateProgramTicket()
PROGRAM_KIND_RESULT = ProgramKindResult()
PROGRAM_INFO_RESULT = ProgramInfoResult()
COHORT_RESULT = CohortResult()

NOT_FOUND = Error(-32001, "Not found")


def invalid(error: ValidationError) -> Result:
    return Error(-32602, "Invalid params", error.messages)


@method(name="core.LookupProgram")
async def lookup_program(token: Token, **params: Any) -> Result:
    try:
        given = LOOKUP_PROGRAM.load(params)
    except ValidationError as error:
        return invalid(error)
    kind = ProgramKind.get_or_none(ProgramKind.id == str(given["program_kind_id"]))
    return Success(kind and PROGRAM_KIND_RESULT.dump(kind))


@method(name="core.ListCohorts")
async def list_cohorts(token: Token, **params: Any) -> Result:
    try:
        given = LIST_COHORTS.load(params)
    except ValidationError as error:
        return invalid(error)
    program = Program.get_or_none(Program.id == str(given["program_id"]))
    if program is None:
        return NOT_FOUND
    found = Cohort.select().where(Cohort.program == program).order_by(Cohort.name_key, Cohort.id)
    return Success(COHORT_RESULT.dump(found, many=True))


@method(name="core.ModifyProgramMembership")
async def modify_program_membership(token: Token, **params: Any) -> Result:
    try:
        given = MODIFY_PROGRAM_MEMBERSHIP.load(params)
    except ValidationError as error:
        return invalid(error)
    with database.atomic():
        user = User.get_or_none(User.id == str(given["user_id"]))
        found = Program.select(Program, ProgramKind).join(ProgramKind)
        program = found.where(Program.id == str(given["program_id"])).first()
        if user is None or program is None:
            return NOT_FOUND
        membership = Membership.get_or_none(Membership.user == user, Membership.program == program)
        if membership is None:
            return NOT_FOUND  # the benchmark makes none
        if "role" in given and given["role"] != membership.role:
            change_role(membership, program, given["role"], token)
    return Success(PROGRAM_INFO_RESULT.dump([program], many=True))


def change_role(membership: Membership, program: Program, role: str, token: Token) -> None:
    before, membership.role, membership.updated_at = membership.role, role, now()
    membership.save()
    change = MembershipChange.create(
        membership=membership,
        token_id=token.id,
        from_role=before,
        from_state=membership.state,
        from_cohort_id=membership.cohort_id,
        from_date=membership.date,
        to_role=role,
        to_state=membership.state,
        to_cohort_id=membership.cohort_id,
        to_date=membership.date,
    )
    touched = [membership.id, change.id]
    if role == "member" and membership.state == "active":
        touched += use_ticket(membership, program)
    note("core.ModifyProgramMembership", token, touched)


def use_ticket(membership: Membership, program: Program) -> list[str]:
    used = Ticket.select().where(Ticket.membership == membership, Ticket.state == "consumed")
    if used.exists():
        return []
    waiting = Ticket.select().where(
        Ticket.user == membership.user_id, Ticket.state == "ready", Ticket.kind == program.kind_id
    )
    ticket = waiting.order_by(Ticket.created_at, Ticket.id).first()
    if ticket is None:
        return []
    ticket.state, ticket.membership, ticket.program_id = "consumed", membership, program.id
    ticket.consumed_at = ticket.updated_at = now()
    ticket.save()
    return [ticket.id]


@method(name="core.CreateProgramTicket")
async def create_program_ticket(token: Token, **params: Any) -> Result:
    try:
        given = CREATE_PROGRAM_TICKET.load(params)
    except ValidationError as error:
        return invalid(error)
    external_id = given["external_id"] and str(given["external_id"])
    with database.atomic():
        user = User.get_or_none(User.id == str(given["user_id"]))
        kind = ProgramKind.get_or_none(ProgramKind.id == str(given["program_kind_id"]))
        if user is None or kind is None or kind.archived:
            return NOT_FOUND
        if external_id is not None:
            earlier = Ticket.get_or_none(Ticket.kind == kind, Ticket.external_id == external_id)
            if earlier is not None:
                return Success(0)
        ticket = Ticket.create(
            user=user, kind=kind, external_id=external_id, sku=given["sku"], base_sku=given["base_sku"]
        )
        note("core.CreateProgramTicket", token, [ticket.id])
    return Success(1)


def note(name: str, token: Token, touched: list[str]) -> None:
    Audit.create(token_id=token.id, request_id=str(uuid4()), method=name, touched=" ".join(touched))


def token_of(request: web.Request) -> Token | None:
    secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
    token = Token.get_or_none(Token.hash == hashlib.sha256(secret.encode()).hexdigest())
    if token is None or token.revoked_at is not None:
        return None
    return token if token.expires_at is None or token.expires_at > now() else None


async def handle(request: web.Request) -> web.Response:
    token = token_of(request)
    if token is None:
        raise web.HTTPUnauthorized
    reply = await async_dispatch(await request.text(), context=token)
    return web.Response(text=reply, content_type="application/json")


if __name__ == "__main__":
    database.connect()
    app = web.Application()
    app.router.add_post("/rpc", handle)
    run(app)
