"""What must hold of a database: of itself, and of what was answered to those who wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import apsw
import peewee

from models.audit import Audit
from models.cohorts import Cohort
from models.database import configure, connected, database
from models.memberships import Membership, MembershipChange, Standing
from models.people import User
from models.programs import Program, ProgramKind
from models.tickets import Ticket, TicketState
from models.tokens import Token
from tests.faults.ledger import Change, Ledger, Thing

MODELS = (User, ProgramKind, Program, Cohort, Membership, MembershipChange, Ticket, Token)


@dataclass(frozen=True)
class Contents:
    """All rows of a database that the checks are about."""

    ids: set[str]  # of all rows but the audit's
    things: dict[tuple[str, ...], list[str]]  # the ids of the rows under each key
    members: dict[str, Membership]
    histories: dict[str, list[MembershipChange]]  # by membership, oldest first
    changes: dict[str, MembershipChange]
    tickets: list[Ticket]
    audit: list[Audit]

    @property
    def told(self) -> dict[tuple[str, str], list[Change]]:
        """What the histories tell, by user and program."""
        return {
            (str(row.user_id), str(row.program_id)): _told(self.histories[row_id])
            for row_id, row in self.members.items()
        }


def check(path: Path, ledger: Ledger) -> list[str]:
    """All that is wrong with a database, which a server may be using; the ledger is then settled by it."""
    try:
        contents = read(path)
    except Damaged as error:
        return [f"damaged: {error}"]
    found = findings(contents, ledger)
    ledger.settle(set(contents.things), contents.told)
    return found


class Damaged(Exception):
    """SQLite finds the file damaged, or a foreign key that names no row."""


def read(path: Path) -> Contents:
    """Read a database, in one snapshot."""
    configure(f"sqlite:///{path}")
    try:
        with connected(read_only=True), database.atomic():
            found = [text for (text,) in database.execute_sql("PRAGMA integrity_check") if text != "ok"]
            found += [str(orphan) for orphan in database.execute_sql("PRAGMA foreign_key_check")]
            if found:
                raise Damaged(found)
            return _read()
    except (peewee.DatabaseError, apsw.Error) as error:  # rows come without peewee's wrapping
        raise Damaged(error) from error


def _read() -> Contents:
    changes = {str(row.id): row for row in MembershipChange.select()}
    members = {str(row.id): row for row in Membership.select()}
    tickets = list(Ticket.select())
    things: dict[tuple[str, ...], list[str]] = {}
    for ticket in tickets:
        about = "ticket", str(ticket.kind_id), str(ticket.external_id)
        things.setdefault(about, []).append(str(ticket.id))
    for cohort in Cohort.select():
        about = "cohort", str(cohort.program_id), cohort.name_key
        things.setdefault(about, []).append(str(cohort.id))
    for user in User.select():
        things.setdefault(("user", user.email_key), []).append(str(user.id))
    ids = {str(row_id) for model in MODELS for (row_id,) in model.select(model.id).tuples()}
    audit = list(Audit.select())
    histories = {row_id: list(_chain(row, changes)) for row_id, row in members.items()}
    return Contents(ids, things, members, histories, changes, tickets, audit)


def _chain(member: Membership, changes: dict[str, MembershipChange]) -> list[MembershipChange]:
    """The history of a membership, oldest first."""
    found: list[MembershipChange] = []
    change_id = member.last_change_id
    while change_id is not None and str(change_id) in changes and len(found) <= len(changes):
        found.append(changes[str(change_id)])
        change_id = found[-1].previous_id
    return found[::-1]


def findings(contents: Contents, ledger: Ledger) -> list[str]:
    """All that is wrong with what is in a database, of itself and by what was answered."""
    found = [*ledger.refused]
    for rule in (_agree, _things, _members, _audit):
        found += rule(contents, ledger)
    return found


def _agree(contents: Contents, ledger: Ledger) -> Iterator[str]:
    """Rows, histories and audit agree among themselves."""
    chained = 0
    for row_id, member in contents.members.items():
        history = contents.histories[row_id]
        chained += len(history)
        before: Standing | None = None
        for change in history:
            if str(change.membership_id) != row_id:
                yield f"change {change.id} in the history of membership {row_id} is of another one"
            if change.before != before:
                yield f"change {change.id} begins with {change.before}, the one before ended with {before}"
            before = change.after
        if before != member.standing:
            yield f"membership {row_id} is {member.standing}, its history ends with {before}"
    if chained != len(contents.changes):
        yield f"{len(contents.changes)} changes are stored, {chained} of them in a history"
    for ticket in contents.tickets:
        used = None if ticket.membership_id is None else contents.members.get(str(ticket.membership_id))
        if (ticket.state is TicketState.CONSUMED or used) and (
            used is None or (ticket.user_id, ticket.program_id) != (used.user_id, used.program_id)
        ):
            yield f"ticket {ticket.id} is not used by a membership of its user"
    touched = Counter(row_id for row in contents.audit for row_id in row.touched.split())
    for row_id in contents.ids - set(touched):
        yield f"row {row_id} is in no row of the audit"
    for row_id in set(touched) - contents.ids:
        yield f"the audit tells of {row_id}, which is nowhere"
    for row_id in contents.changes:
        if touched[row_id] != 1:
            yield f"change {row_id} is in {touched[row_id]} rows of the audit"


def _things(contents: Contents, ledger: Ledger) -> Iterator[str]:
    """Every ticket, cohort and user that was acknowledged is there, once, and others only of lost calls."""
    for about in contents.things.keys() - ledger.things.keys():
        yield f"{about} is there, though every call for it was refused or had come to nothing"
    for about, thing in ledger.things.items():
        rows = contents.things.get(about, [])
        if len(rows) > 1:
            yield f"{about} is there {len(rows)} times"
        if not rows and thing.told:
            yield f"lost: {about}, acknowledged {thing.told} times"
        yield from _made_once(about, thing)
        if thing.ids - set(rows):
            yield f"lost: {about} is {rows}, and was said to be {sorted(thing.ids)}"


def _made_once(about: tuple[str, ...], thing: Thing) -> Iterator[str]:
    if about[0] == "cohort":  # whose answers are the id, which says it
        return
    if thing.made + thing.made_unseen > 1:
        yield f"twice: {about} was made {thing.made} times, by their answers"
    if thing.told and not (thing.made or thing.made_unseen or thing.lost):
        yield f"{about} was said to be there, and nobody was told that it was made"


def _members(contents: Contents, ledger: Ledger) -> Iterator[str]:
    """Every history is what was acknowledged, in order, and then a first part of what was lost."""
    told = contents.told
    if len(told) < len(contents.members):
        yield "somebody is in a program twice"
    for key in told.keys() - ledger.members.keys():
        yield f"membership {key} is there, though nobody asked for it"
    for key, member in ledger.members.items():
        stored, certain = told.get(key, []), len(member.certain)
        if stored[:certain] != member.certain:
            yield f"lost: the history of {key} is {stored}, acknowledged were {member.certain}"
        elif stored[certain:] != member.possible[: len(stored) - certain]:
            yield f"the history of {key} ends in {stored[certain:]}, asked for were {member.possible}"


def _told(history: list[MembershipChange]) -> list[Change]:
    return [
        Change(row.to_role, row.to_state, row.to_cohort_id and str(row.to_cohort_id), row.comments)
        for row in history
    ]


def _audit(contents: Contents, ledger: Ledger) -> Iterator[str]:
    """The audit has a row for every acknowledged change, and none for calls that changed nothing."""
    noted: dict[str, Counter[str]] = {}
    for row in contents.audit:
        noted.setdefault(row.request_id, Counter())[row.method] += 1
    for request_id, expected in ledger.requests.items():
        rows = noted.get(request_id, Counter())
        if missing := expected.sure - rows:
            yield f"lost: the audit of request {request_id} lacks {dict(missing)}"
        if further := rows - expected.sure - expected.maybe:
            yield f"the audit of request {request_id} has {dict(further)} too many"
