"""A place is active only as long as what paid for it is, in whatever order things happen.

Hypothesis makes up joining, paying, canceling, refunding, leaving, coming back and changing roles; a
model of plain dictionaries, written from the contract alone, says what comes of each. The rule itself is
held against what is stored, without the model. `--hypothesis-profile=long -o
faulthandler_timeout=0` looks longer.
"""

from __future__ import annotations

import itertools
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from models import clock
from models.cohorts import Cohort
from models.database import writing
from models.errors import Conflict
from models.memberships import Membership, MembershipRole, MembershipState
from models.people import User
from models.programs import Program, ProgramKind
from models.sync import Sync, SyncMode
from models.tickets import Ticket, TicketState

KINDS = (0, 0, 0, 0, 1)  # of each program; the third of kind 0 has ended, the fourth is yet to start
HAS_ENDED = 2
MEMBER, ACTIVE = MembershipRole.MEMBER, MembershipState.ACTIVE
REFUNDED = MembershipState.REFUNDED
ENDED = [state for state in MembershipState if state not in (ACTIVE, REFUNDED)]

users = st.integers(0, 1)
programs = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4])
kinds = st.sampled_from([0, 0, 0, 1])
orders = st.sampled_from([None, None, 0, 1, 2])


class Model:
    """Places by user and program as [role, state], and tickets in the order of their making."""

    def __init__(self):
        self.owners = {0: 0}  # of emails: the second is nobody's, until the second user takes it on
        self.places = {}
        self.tickets = []

    def put(self, user, program, role=None, state=None):
        before = self.places.get((user, program), (None, None))
        usual = before if before[0] else (MEMBER, ACTIVE)
        after = (role or usual[0], state or usual[1])
        self.places[user, program] = after
        if after == (MEMBER, ACTIVE) != before and not self.pays_for(user, program):
            self.use_oldest(user, program)
        if after[1] is REFUNDED is not before[1] and (ticket := self.pays_for(user, program)):
            ticket["state"] = "canceled"

    def pays_for(self, user, program):
        """The ticket that is used for a place."""
        used = (ticket for ticket in self.tickets if ticket["state"] == "consumed")
        return next((ticket for ticket in used if ticket["place"] == (user, program)), None)

    def use_oldest(self, user, program):
        for ticket in self.tickets:
            if (ticket["user"], ticket["kind"], ticket["state"]) == (user, KINDS[program], "ready"):
                ticket |= {"state": "consumed", "place": (user, program)}
                return True
        return False

    def buy(self, user, email, kind, order):
        """Whether a ticket was made; None: another buyer's ticket is of this order."""
        user = self.owners.get(email) if user is None else user
        for ticket in self.tickets:
            if order is not None and (ticket["kind"], ticket["order"]) == (kind, order):
                is_same_user = user is not None and user == ticket["user"]
                is_same_email = email is not None and email == ticket["email"]
                return False if is_same_user or is_same_email else None
        ticket = {"user": user, "email": email, "kind": kind, "order": order}
        self.tickets.append(ticket | {"state": "ready", "place": None})
        self.use_for_unpaid(self.tickets[-1])
        return True

    def use_for_unpaid(self, ticket):
        unpaid = [
            (user, program)
            for (user, program), standing in self.places.items()
            if (user, KINDS[program], standing) == (ticket["user"], ticket["kind"], (MEMBER, ACTIVE))
            and program != HAS_ENDED
            and not self.pays_for(user, program)
        ]
        if len(unpaid) == 1:
            ticket |= {"state": "consumed", "place": unpaid[0]}

    def cancel(self, ticket):
        if ticket["state"] == "canceled":
            return False
        was_used, ticket["state"] = ticket["state"] == "consumed", "canceled"
        if was_used:
            user, program = ticket["place"]
            is_active = self.places[user, program][1] is ACTIVE
            if not (is_active and self.use_oldest(user, program)):
                self.put(user, program, state=REFUNDED)
        return True

    def take_on_email(self, user, email):
        self.owners[email] = user
        for ticket in self.tickets:
            if (ticket["user"], ticket["email"]) == (None, email):
                ticket["user"] = user
                self.use_for_unpaid(ticket)


class PaidPlaces(RuleBasedStateMachine):
    """The models on one side, the model on the other; each run with users and programs of its own."""

    numbers = itertools.count(1)

    def __init__(self):
        super().__init__()
        self.number = next(self.numbers)
        self.model = Model()
        self.paid = set()  # the places that were active and paid for after the step before

    @initialize()
    def settle_down(self):
        today = clock.today()
        with writing():
            self.users = [User.appear(self.email(0)), User.appear(None)]
            self.kinds = [ProgramKind.put(None, name=str(number), duration=10) for number in range(2)]
            self.programs = [
                Program.put(None, kind_id=self.kinds[kind].id, start_date=today - timedelta(days=1))
                for kind in KINDS
            ]
            self.programs[HAS_ENDED] = self._starting(HAS_ENDED, today - timedelta(days=10))
            self.programs[3] = self._starting(3, today + timedelta(days=10))
        self.place_names = {
            (user.id, program.id): (one, other)
            for one, user in enumerate(self.users)
            for other, program in enumerate(self.programs)
        }

    def _starting(self, number: int, day: date) -> Program:
        return Program.put(self.programs[number].id, start_date=day)

    def email(self, number):
        return f"buyer{number}-{self.number}@example.org"

    def order(self, number):
        return None if number is None else UUID(int=(self.number << 8) + number, version=4)

    # Steps

    @rule(user=users, program=programs, role=st.sampled_from([None, None, *MembershipRole]))
    def joins_or_comes_back(self, user, program, role):
        with writing():
            Membership.put(self.users[user].id, self.programs[program], state=ACTIVE, **_given(role=role))
        self.model.put(user, program, role, ACTIVE)

    @rule(user=users, program=programs, role=st.sampled_from(MembershipRole))
    def gets_a_role(self, user, program, role):
        with writing():
            Membership.put(self.users[user].id, self.programs[program], role=role)
        self.model.put(user, program, role)

    @rule(user=users, program=programs, state=st.sampled_from([*ENDED, REFUNDED, REFUNDED, ACTIVE]))
    def gets_a_state(self, user, program, state):
        if (user, program) not in self.model.places:
            return
        with writing():
            Membership.of(self.users[user].id, self.programs[program].id).say(state)
        self.model.put(user, program, state=state)

    @rule(user=users)
    def joins_two_programs_of_a_kind(self, user):
        for program in (0, 1):
            self.joins_or_comes_back(user, program, MEMBER)

    @rule(number=st.integers(0, 8), state=st.sampled_from([*ENDED, ACTIVE]))
    def leaves_comes_back_and_wants_the_money(self, number, state):
        """Somebody whose place is paid for, if there is one."""
        if not (paid := [ticket for ticket in self.model.tickets if ticket["state"] == "consumed"]):
            return
        ticket = paid[number % len(paid)]
        user, program = ticket["place"]
        for to in (MembershipState.WITHDRAWN, ACTIVE, state):
            self.gets_a_state(user, program, to)
        self.a_ticket_is_canceled(self.model.tickets.index(ticket))

    @rule(program=programs, role=st.sampled_from(MembershipRole))
    def all_are_synced(self, program, role):
        user_ids = [str(user.id) for user in self.users]
        with writing():
            cohort = Cohort.confirm(self.programs[program].id, "Monday")
            sync = Sync(user_ids, self.programs[program].id, cohort.id, role, SyncMode.OPEN)
            sync.prepare()
            sync.carry_out()
        for user in range(len(self.users)):
            if (user, program) not in self.model.places:
                self.model.put(user, program, role)

    @rule(user=users, kind=kinds, order=orders)
    def pays_by_id(self, user, kind, order):
        self._pay(user, None, kind, order)

    @rule(email=st.integers(0, 1), kind=kinds, order=orders)
    def pays_by_email(self, email, kind, order):
        self._pay(None, email, kind, order)

    def _pay(self, user, email, kind, order):
        buyer_id = None if user is None else self.users[user].id
        address = None if email is None else self.email(email)
        given = buyer_id, address, self.kinds[kind].id, self.order(order)
        expected = self.model.buy(user, email, kind, order)
        if expected is None:
            with pytest.raises(Conflict, match="another buyer"), writing():
                Ticket.buy(*given)
            return
        with writing():
            made = Ticket.buy(*given)
        assert made is expected

    @rule(number=st.integers(0, 8))
    def a_ticket_is_canceled(self, number):
        if number >= len(self.model.tickets):
            return
        with writing():
            canceled = self._tickets()[number].cancel()
        assert canceled is self.model.cancel(self.model.tickets[number])

    @rule(kind=kinds, order=st.integers(0, 2))
    def an_order_is_refunded(self, kind, order):
        wanted = [one for one in self.model.tickets if (one["kind"], one["order"]) == (kind, order)]
        if not wanted:
            return
        with writing():
            canceled = Ticket.named(None, self.kinds[kind].id, self.order(order)).cancel("money back")
        assert canceled is self.model.cancel(wanted[0])

    @rule()
    def the_second_user_takes_on_the_second_email(self):
        with writing():
            User.of(self.users[1].id).edit(email=self.email(1))
        self.model.take_on_email(1, 1)

    # What is stored

    def _tickets(self):
        mine = Ticket.kind.in_([kind.id for kind in self.kinds])
        return list(Ticket.select().where(mine).order_by(Ticket.id))  # in the order of their making

    def _memberships(self):
        mine = Membership.program.in_([program.id for program in self.programs])
        return list(Membership.select().where(mine))

    @invariant()
    def all_is_as_the_model_says(self):
        places = {
            self.place_names[row.user_id, row.program_id]: (row.role, row.state)
            for row in self._memberships()
        }
        assert places == self.model.places
        names = {row.id: self.place_names[row.user_id, row.program_id] for row in self._memberships()}
        tickets = [(ticket.state.value, names.get(ticket.membership_id)) for ticket in self._tickets()]
        assert tickets == [(ticket["state"], ticket["place"]) for ticket in self.model.tickets]

    @invariant()
    def a_place_is_active_only_as_long_as_what_paid_for_it_is(self):
        used = [ticket.membership_id for ticket in self._tickets() if ticket.state is TicketState.CONSUMED]
        active = {row.id for row in self._memberships() if row.state is ACTIVE}
        refunded = {row.id for row in self._memberships() if row.state is REFUNDED}
        assert len(used) == len(set(used))
        assert self.paid & active <= set(used)
        assert not refunded & set(used)
        self.paid = active & set(used)


def _given(**values):
    return {name: value for name, value in values.items() if value is not None}


def test_a_place_is_active_only_as_long_as_what_paid_for_it_is(world):
    run_state_machine_as_test(
        PaidPlaces,
        settings=settings(
            max_examples=settings().max_examples * 2 // 5,  # 40, or as many more as the profile has
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
