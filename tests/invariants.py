"""What must be true of every database, whatever was done to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import peewee

from models.audit import Audit
from models.database import database
from models.memberships import Membership, MembershipChange, MembershipState
from models.migrations import MODELS
from models.people import User, email_key
from models.programs import Program, ProgramKind
from models.rows import BaseModel, IdField
from models.text import FORBIDDEN, UUID_TEXT
from models.tickets import Ticket, TicketState
from models.tokens import Token


def broken() -> list[str]:
    """What is wrong with the connected database; nothing, it is hoped."""
    return [fault for check in _CHECKS for fault in check()]


def _integrity() -> Iterator[str]:
    found = [str(row[0]) for row in database.execute_sql("PRAGMA integrity_check")]
    if found != ["ok"]:
        yield f"integrity_check: {found[:5]}"
    orphans = list(database.execute_sql("PRAGMA foreign_key_check"))
    if orphans:
        yield f"rows whose parent is missing: {orphans[:5]}"


def _texts() -> Iterator[str]:
    """No column holds what no text may be; ids are ids."""
    for model in MODELS:
        for row in model.select().dicts():
            for name, value in row.items():
                if isinstance(value, str) and FORBIDDEN.search(value):
                    yield f"{model.__name__}.{name} holds {value!r}"


def _ids() -> Iterator[str]:
    for model in MODELS:
        for name, column in model._meta.fields.items():
            target = column.rel_field if isinstance(column, peewee.ForeignKeyField) else column
            if isinstance(target, IdField):
                for (value,) in database.execute_sql(*model.select(peewee.fn.LOWER(column)).sql()):
                    if value is not None and not UUID_TEXT.fullmatch(value):
                        yield f"{model.__name__}.{name} is {value!r}"


def _history() -> Iterator[str]:
    """The changes of a membership are a chain from nothing to what it is now."""
    changes: dict[Any, dict[Any, MembershipChange]] = {}
    for change in MembershipChange.select():
        changes.setdefault(change.membership_id, {})[change.id] = change
    for one in Membership.select():
        mine = changes.pop(one.id, {})
        at, steps = one.last_change_id, []
        while at is not None and at in mine:
            steps.append(mine.pop(at))
            at = steps[-1].previous_id
        if at is not None or mine or not steps:
            yield f"the history of membership {one.id} is no chain"
            continue
        now = (one.role, one.state, one.cohort_id, one.date)
        for step in steps:
            if _standing(step, "to") != now:
                yield f"change {step.id} of membership {one.id} leads to {_standing(step, 'to')}, not {now}"
            now = _standing(step, "from")
        if now != (None, None, None, None):
            yield f"membership {one.id} began as {now}"
    if changes:
        yield f"changes of no membership: {list(changes)[:5]}"


def _standing(change: MembershipChange, way: str) -> tuple[Any, ...]:
    return tuple(getattr(change, f"{way}_{name}") for name in ("role", "state", "cohort_id", "date"))


def _cohorts() -> Iterator[str]:
    for one in Membership.select().where(Membership.cohort.is_null(False)):
        if one.cohort.program_id != one.program_id:
            yield f"membership {one.id} is in a cohort of another program"


def _tickets() -> Iterator[str]:
    used: set[Any] = set()
    for ticket in Ticket.select():
        is_used = ticket.membership_id is not None
        if is_used != (ticket.program_id is not None) or is_used != (ticket.consumed_at is not None):
            yield f"ticket {ticket.id} is used by halves"
        if ticket.state is TicketState.READY and is_used:
            yield f"ticket {ticket.id} is ready and used"
        if (ticket.state is TicketState.CANCELED) != (ticket.canceled_at is not None):
            yield f"ticket {ticket.id} is {ticket.state}, canceled at {ticket.canceled_at}"
        if ticket.state is TicketState.CONSUMED:
            if ticket.membership_id in used:
                yield f"two tickets are used by membership {ticket.membership_id}"
            used.add(ticket.membership_id)
            yield from _use(ticket)
        if ticket.user_id is None and ticket.email is None:
            yield f"ticket {ticket.id} is nobody's"


def _use(ticket: Ticket) -> Iterator[str]:
    by = ticket.membership
    if by is None:
        yield f"ticket {ticket.id} is consumed by nothing"
    elif (by.user_id, by.program_id, by.program.kind_id) != (
        ticket.user_id,
        ticket.program_id,
        ticket.kind_id,
    ):
        yield f"ticket {ticket.id} is used by another's membership, or for another kind"
    elif by.state is MembershipState.REFUNDED:
        yield f"ticket {ticket.id} is consumed by a membership that is refunded"


def _trees() -> Iterator[str]:
    for model in (ProgramKind, Program):
        parents = dict(model.select(model.id, model.parent).tuples())
        for row_id in parents:
            seen, at = set(), row_id
            while at is not None:
                if at in seen:
                    yield f"{model.__name__} {row_id} is below itself"
                    break
                seen.add(at)
                at = parents.get(at)


def _people() -> Iterator[str]:
    for user in User.select():
        if (user.email is None) != (user.email_key is None):
            yield f"user {user.id} has half an email"
        elif user.email is not None and email_key(user.email) != user.email_key:
            yield f"the email of user {user.id} is compared as another"


def _programs() -> Iterator[str]:
    for program in Program.select():
        if program.duration < 1 or (program.end_date - program.start_date).days != program.duration - 1:
            yield f"program {program.id} has days that do not fit"


def _tokens() -> Iterator[str]:
    for token in Token.select():
        if not re.fullmatch("[0-9a-f]{64}", token.hash):
            yield f"token {token.id} is kept as something else than a hash"


def _audit() -> Iterator[str]:
    """What was changed is audited: each change of a membership has a row of its time that names it."""
    touched = {row_id for one in Audit.select(Audit.touched) for row_id in one.touched.split()}
    for change in MembershipChange.select(MembershipChange.membership).distinct():
        if str(change.membership_id) not in touched:
            yield f"changes of membership {change.membership_id} are not audited"
    rows: list[type[BaseModel]] = [User, ProgramKind, Program, Membership, Ticket]
    for model in rows:
        for (row_id,) in model.select(model.id).tuples():
            if str(row_id) not in touched:
                yield f"{model.__name__} {row_id} was never written, by the audit"


_CHECKS = (
    _integrity,
    _texts,
    _ids,
    _history,
    _cohorts,
    _tickets,
    _trees,
    _people,
    _programs,
    _tokens,
    _audit,
)
