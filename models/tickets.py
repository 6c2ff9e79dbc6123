"""Tickets: rights to take part in one program of a kind."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from enum import StrEnum
from typing import Self
from uuid import UUID

import peewee

from models import actor, clock
from models.actor import How
from models.errors import Conflict, NotFound
from models.memberships import Membership, MembershipState
from models.people import User, email_key
from models.programs import ProgramKind
from models.rows import ChoiceField, DatedModel, IdField, InstantField
from models.statements import Rows, Select, SetOf, any_given, given


class TicketState(StrEnum):
    READY = "ready"
    CONSUMED = "consumed"
    CANCELED = "canceled"


class Ticket(DatedModel):
    """A right to take part in one program of a kind, used by joining one."""

    user_id: UUID | None
    kind_id: UUID
    membership_id: UUID | None

    user = peewee.ForeignKeyField(User, null=True, index=False)  # null: nobody has the email yet
    email = peewee.TextField(null=True)  # as the shop sent it
    email_key = peewee.TextField(null=True, index=True)
    kind = peewee.ForeignKeyField(ProgramKind, index=False)
    external_id = IdField(null=True)
    sku = peewee.TextField(null=True)
    base_sku = peewee.TextField(null=True)
    state = ChoiceField(TicketState, default=TicketState.READY)
    membership = peewee.ForeignKeyField(Membership, null=True)  # by which it was consumed
    program_id = IdField(null=True)  # in which it was consumed
    consumed_at = InstantField(null=True)
    canceled_at = InstantField(null=True)

    class Meta:
        indexes = ((("kind", "external_id"), True), (("user", "created_at", "id"), False))

    @classmethod
    def of_user(
        cls,
        user_id: UUID | None,
        email: str | None,
        state: TicketState | None,
        limit: int | None = None,
        offset: int = 0,
    ) -> Rows[Ticket]:
        """A buyer's tickets, oldest first; an email also finds what nobody has claimed yet."""
        user_id = User.who_or_none(user_id, email)
        select = _of_user(unclaimed_too=email is not None, in_state=state is not None)
        key = None if email is None else email_key(email)
        return select.rows(limit, offset, user_id=user_id, email_key=key, state=state)

    @classmethod
    def buy(
        cls,
        user_id: UUID | None,
        email: str | None,
        kind_id: UUID,
        external_id: UUID | None = None,
        sku: str | None = None,
        base_sku: str | None = None,
    ) -> bool:
        """Make a ticket; False when this buyer has one for the same external id already.

        Conflict: the external id is another buyer's, or of another sku; or the kind is archived.
        """
        user_id = User.who_or_none(user_id, email)
        kind = ProgramKind.of(kind_id)
        if external_id is not None:
            earlier = cls.find(kind_id=kind.id, external_id=external_id)
            if earlier is not None:
                earlier._check_is_the_same(user_id, email, sku)
                return False
        if kind.archived:
            raise Conflict("KIND_ARCHIVED", "The program kind is archived")
        cls.add(
            user=user_id,
            email=email,
            email_key=None if email is None else email_key(email),
            kind=kind.id,
            external_id=external_id,
            sku=sku,
            base_sku=base_sku,
        )
        return True

    def _check_is_the_same(self, user_id: UUID | None, email: str | None, sku: str | None) -> None:
        same_user = user_id is not None and user_id == self.user_id
        same_email = email is not None and email_key(email) == self.email_key
        if not (same_user or same_email):
            raise Conflict("TICKET_OF_ANOTHER_BUYER", "The externalId belongs to another buyer's ticket")
        if sku is not None and sku != self.sku:
            raise Conflict("TICKET_OF_ANOTHER_SKU", "The externalId belongs to a ticket of another sku")

    @classmethod
    def named(cls, ticket_id: UUID | None, kind_id: UUID | None, external_id: UUID | None) -> Self:
        """The ticket with this id, or with this external id for this kind."""
        if ticket_id is not None:
            found = cls.find(id=ticket_id)
        else:
            found = cls.find(kind_id=kind_id, external_id=external_id)
        if found is None:
            if kind_id is not None:
                ProgramKind.of(kind_id)
            raise NotFound("ticket", ticket_id or external_id)
        return found

    def cancel(self, comments: str | None = None) -> bool:
        """Take the right back; whoever used it is refunded. False: it was canceled already."""
        if self.state is TicketState.CANCELED:
            return False
        if self.state is TicketState.CONSUMED:
            assert self.membership is not None
            with actor.by(How.TICKET):
                self.membership.say(MembershipState.REFUNDED, comments=comments)
        return self._close() or True

    def _close(self) -> bool:
        return self.change(state=TicketState.CANCELED, canceled_at=clock.now())

    @classmethod
    def claim(cls, user: User) -> None:
        """Give the user the tickets that were made for their email before anybody had it."""
        for ticket in cls.select().where(cls.user.is_null(), cls.email_key == user.email_key):
            ticket.change(user_id=user.id)

    @classmethod
    def forget_email_of(cls, user: User) -> None:
        """Blank the email on the user's tickets."""
        for ticket in cls.select().where((cls.user == user.id) & cls.email.is_null(False)):
            ticket.change(email=None, email_key=None)

    @classmethod
    def consume_for(cls, joined: Iterable[Membership]) -> None:
        """Use the oldest ready ticket of exactly the program's kind for each who has one.

        Who comes back while the ticket of this membership is still consumed needs no second one.
        """
        joined = list(joined)
        if len(joined) == 1 and not cls._any_ready(joined[0]):
            return
        buyers = [(str(row.user_id), str(row.program.kind_id)) for row in joined]
        ready: dict[tuple[str, str], list[str]] = {}
        user_ids, kind_ids = [user_id for user_id, _ in buyers], {kind_id for _, kind_id in buyers}
        for _, ticket_id, *buyer in _ready().stored(user_ids=user_ids, kind_ids=kind_ids):
            ready.setdefault((buyer[0], buyer[1]), []).append(ticket_id)
        offered = [(row, ready[buyer]) for row, buyer in zip(joined, buyers, strict=True) if buyer in ready]
        covered = {found for (found,) in _consumed().stored(ids=[str(row.id) for row, _ in offered])}
        now = clock.now()
        used = [
            {
                "id": mine.pop(0),
                "state": TicketState.CONSUMED,
                "membership": row.id,
                "program_id": row.program_id,
                "consumed_at": now,
                "updated_at": now,
            }
            for row, mine in offered
            if mine and str(row.id) not in covered
        ]
        cls.run_prepared(cls.updates(used, *_CONSUMED_COLUMNS))

    @classmethod
    def _any_ready(cls, row: Membership) -> bool:
        """Whether the user has a ready ticket of the program's kind; most who join have none."""
        found = cls.find(user_id=row.user_id, kind_id=row.program.kind_id, state=TicketState.READY)
        return found is not None

    @classmethod
    def cancel_for(cls, refunded: Iterable[Membership]) -> None:
        """Cancel the tickets that these memberships consumed, and no others."""
        for chunk in peewee.chunked([row.id for row in refunded], 5000):
            used = cls.select().where(cls.membership.in_(chunk), cls.state == TicketState.CONSUMED)
            for ticket in used:
                ticket._close()


_CONSUMED_COLUMNS = ("state", "membership", "program_id", "consumed_at", "updated_at")


@functools.cache
def _ready() -> SetOf:
    """The select of date, id, user and kind of ready tickets of users for kinds, oldest first."""
    mine = Ticket.user.in_(any_given("user_ids")), Ticket.state == TicketState.READY
    # The plus keeps SQLite from the index of kinds, by which it would read the tickets of everybody.
    kind = peewee.NodeList((peewee.SQL("+"), Ticket.kind), glue="")
    found = Ticket.select(Ticket.created_at, Ticket.id, Ticket.user, Ticket.kind)
    return SetOf(found.where(*mine, kind.in_(any_given("kind_ids"))))


@functools.cache
def _consumed() -> SetOf:
    """The select of those of some memberships that have a consumed ticket."""
    theirs = Ticket.membership.in_(any_given("ids")), Ticket.state == TicketState.CONSUMED
    return SetOf(Ticket.select(Ticket.membership).where(*theirs))


@functools.cache
def _of_user(*, unclaimed_too: bool, in_state: bool) -> Select[Ticket]:
    mine = Ticket.user == given("user_id")
    if unclaimed_too:
        mine = mine | (Ticket.user.is_null() & (Ticket.email_key == given("email_key")))
    found = Ticket.select().where(mine)
    if in_state:
        found = found.where(Ticket.state == given("state"))
    return Select(found.order_by(Ticket.created_at, Ticket.id))
