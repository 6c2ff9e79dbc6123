"""Tickets: rights to take part in one program of a kind."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import peewee

from models import actor, clock
from models.actor import How
from models.errors import Conflict, NotFound
from models.memberships import Membership, MembershipRole, MembershipState
from models.people import User, email_key
from models.programs import Program, ProgramKind
from models.rows import ChoiceField, DatedModel, IdField, InstantField
from models.statements import Rows, Select, SetOf, any_given, given
from models.text import trimmed


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

        A buyer who joined before paying uses it at once. Conflict: the external id is another buyer's,
        or of another sku; the kind is archived; or the buyer is retired.
        """
        user_id = User.who_or_none(user_id, email)
        kind = ProgramKind.of(kind_id)
        if external_id is not None:
            earlier = cls.find(kind_id=kind.id, external_id=external_id)
            if earlier is not None:
                earlier._check_is_the_same(user_id, email, sku)
                earlier._complete(sku=sku, base_sku=base_sku)
                return False
        if kind.archived:
            raise Conflict("KIND_ARCHIVED", "The program kind is archived")
        if user_id is not None:
            User.of(user_id).check_not_retired()
        cls.add(
            user=user_id,
            email=email and trimmed(email),
            email_key=email and email_key(email),
            kind=kind.id,
            external_id=external_id,
            sku=sku,
            base_sku=base_sku,
            **cls._use_for_unpaid(user_id, kind.id),
        )
        return True

    def _check_is_the_same(self, user_id: UUID | None, email: str | None, sku: str | None) -> None:
        same_user = user_id is not None and user_id == self.user_id
        same_email = email is not None and email_key(email) == self.email_key
        if not (same_user or same_email):
            raise Conflict("TICKET_OF_ANOTHER_BUYER", "The externalId belongs to another buyer's ticket")
        if None not in (sku, self.sku) and sku != self.sku:
            raise Conflict("TICKET_OF_ANOTHER_SKU", "The externalId belongs to a ticket of another sku")

    def _complete(self, **values: str | None) -> None:
        """Take the values that are given now and were not when the ticket was made."""
        lacking = {name: value for name, value in values.items() if getattr(self, name) is None}
        self.change(**lacking)

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
        """Take the right back; False: that was done already.

        For an active membership that used it, the buyer's oldest ready ticket of the kind takes its
        place; where there is none, and if it has ended, the membership becomes refunded.
        """
        if self.state is TicketState.CANCELED:
            return False
        member = self.membership if self.state is TicketState.CONSUMED else None
        self._close()
        if member is None or (member.state is MembershipState.ACTIVE and self._replace_for(member)):
            return True
        with actor.by(How.TICKET):
            return member.say(MembershipState.REFUNDED, comments=comments)

    def _close(self) -> None:
        self.change(state=TicketState.CANCELED, canceled_at=clock.now())

    def _replace_for(self, member: Membership) -> bool:
        """Have a membership use the oldest ready ticket that is like this one; False: there is none."""
        ready = _ready().stored(user_ids=[str(self.user_id)], kind_ids=[str(self.kind_id)])
        for _, ticket_id, *_ in ready[:1]:
            self.get_by_id(ticket_id).change(**_use_by(member))
        return bool(ready)

    @classmethod
    def claim(cls, user: User) -> None:
        """Give the user the tickets that were made for their email before anybody had it.

        A user who joined before paying uses them at once.
        """
        waiting = cls.select().where(cls.user.is_null(), cls.email_key == user.email_key)
        for ticket in list(waiting.order_by(cls.created_at, cls.id)):
            ticket.change(user_id=user.id, **cls._use_for_unpaid(user.id, ticket.kind_id))

    @staticmethod
    def _use_for_unpaid(user_id: UUID | None, kind_id: UUID) -> dict[str, Any]:
        """The values of a new ticket that is used at once: for the one place of the buyer without a ticket.

        Nothing where they have none, or several: nobody could tell which of them was meant.
        """
        role, state = MembershipRole.MEMBER, MembershipState.ACTIVE
        # Most pay before they join: to see that takes a third of the time of the select.
        if user_id is None or Membership.find(user_id=user_id, role=role, state=state) is None:
            return {}
        unpaid = _unpaid().rows(user_id=user_id, kind_id=kind_id)
        places = [row for row in unpaid if row.program.end_date >= row.program.today()]
        return _use_by(places[0]) if len(places) == 1 else {}

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
            _use_by(row) | {"id": mine.pop(0), "updated_at": now}
            for row, mine in offered
            if mine and str(row.id) not in covered
        ]
        cls.run_prepared(cls.updates(used, *_USED_COLUMNS, "updated_at"))

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


_USED_COLUMNS = ("state", "membership", "program_id", "consumed_at")


def _use_by(member: Membership) -> dict[str, Any]:
    """The values of a ticket that a membership uses, by the names of columns."""
    values = (TicketState.CONSUMED, member.id, member.program_id, clock.now())
    return dict(zip(_USED_COLUMNS, values, strict=True))


@functools.cache
def _unpaid() -> Select[Membership]:
    """The select of a user's active memberships as a member, in programs of a kind, without a ticket."""
    used = Ticket.select().where(Ticket.membership == Membership.id, Ticket.state == TicketState.CONSUMED)
    # The plus has SQLite begin with the few memberships of the user, not with all programs of the kind.
    kind = peewee.NodeList((peewee.SQL("+"), Program.kind), glue="")
    found = Membership.select(Membership, Program).join(Program)
    return Select(
        found.where(
            Membership.user == given("user_id"),
            Membership.role == MembershipRole.MEMBER,
            Membership.state == MembershipState.ACTIVE,
            kind == given("kind_id", str),
            ~peewee.fn.EXISTS(used),
        )
    )


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
