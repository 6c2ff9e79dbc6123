"""Tickets."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from marshmallow import ValidationError, fields, validates_schema

from models import sample
from models.tickets import Ticket, TicketState
from models.tokens import Scope
from rpc.registry import Lane, method
from rpc.results import ProgramTicketResult
from rpc.schemas import COMMENTS, Choice, Email, Id, Params, Text, Whole, limit, offset, optional, required


class UserTickets(Params):
    user_id = optional(Id, "whose tickets, if not email")
    state = optional(Choice, "only tickets in this state", words=TicketState)
    email = optional(Email, "whose tickets, if not userId")
    limit = limit()
    offset = offset()

    any_of = ("user_id", "email")


@method(
    "core.UserTickets",
    params=UserTickets,
    returns=fields.List(fields.Nested(ProgramTicketResult)),
    example={"userId": sample.ADA},
    scope=Scope.READ,
    lane=Lane.SLOW,
)
def user_tickets(
    user_id: UUID | None, state: TicketState | None, email: str | None, limit: int | None, offset: int
) -> Sequence[Ticket]:
    """List a user's tickets, oldest first, which is the order in which they are used.

    An email also finds tickets that nobody has claimed yet; an email nobody has finds none.
    """
    return Ticket.of_user(user_id, email, state, limit, offset)


class CreateProgramTicket(Params):
    user_id = optional(Id, "who may take part, if not email")
    email = optional(Email, "who may take part, if not userId; need not be known yet")
    program_kind_id = required(Id, "program kind of which they may join one program")
    external_id = optional(Id, "id of the purchased item; makes the call safe to repeat")
    sku = optional(Text, "SKU")
    base_sku = optional(Text, "base SKU")

    any_of = ("user_id", "email")


@method(
    "core.CreateProgramTicket",
    params=CreateProgramTicket,
    returns=Whole(0, 1),
    example={"userId": sample.ADA, "programKindId": sample.COOKING, "sku": "COOK-1"},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def create_program_ticket(
    user_id: UUID | None,
    email: str | None,
    program_kind_id: UUID,
    external_id: UUID | None,
    sku: str | None,
    base_sku: str | None,
) -> int:
    """Make a ticket: 1 when one was made, 0 when this buyer has one for the same externalId.

    A buyer who has joined one program of the kind already, without a ticket, uses it at once. Without
    externalId each call makes a ticket. A ticket for an email that nobody has yet becomes
    the user's when one with that email appears.
    """
    return int(Ticket.buy(user_id, email, program_kind_id, external_id, sku, base_sku))


class CancelProgramTicket(Params):
    ticket_id = optional(Id, "the ticket, if not externalId and programKindId")
    external_id = optional(Id, "id of the purchased item")
    program_kind_id = optional(Id, "program kind of the ticket")
    comments = optional(Text, "why; kept in the history of a membership that is refunded", at_most=COMMENTS)

    @validates_schema(skip_on_field_errors=False, pass_original=True)
    def one_way_to_name_it(self, data: object, given: dict[str, object], **kwargs: object) -> None:
        named = given.keys() & {"ticketId", "externalId", "programKindId"}
        if named not in ({"ticketId"}, {"externalId", "programKindId"}):
            raise ValidationError("Give ticketId alone, or externalId and programKindId.", "ticket_id")


@method(
    "core.CancelProgramTicket",
    params=CancelProgramTicket,
    returns=Whole(0, 1),
    example={"ticketId": sample.ADAS_TICKET},
    scope=Scope.WRITE,
    lane=Lane.WRITE,
)
def cancel_program_ticket(
    ticket_id: UUID | None,
    external_id: UUID | None,
    program_kind_id: UUID | None,
    comments: str | None,
) -> int:
    """Cancel a ticket: 1 when it was canceled now, 0 when it was already.

    Another ready ticket of the buyer takes its place if the membership that used it is active; else the
    membership becomes refunded.
    """
    return int(Ticket.named(ticket_id, program_kind_id, external_id).cancel(comments))
