"""The rules of memberships, cohorts, tickets and history, held against a model of plain dictionaries.

The model is written from the contract alone. Hypothesis makes up calls, singly and in batches; the
server and the model carry them out; after each step all that is stored must be equal.
`--hypothesis-profile=long -o faulthandler_timeout=0` looks longer.
"""

from __future__ import annotations

import itertools
import unicodedata
from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from client import RpcError
from models import clock
from models.actor import Actor, acting
from models.cohorts import Cohort
from models.database import writing
from models.memberships import Membership, MembershipChange
from models.people import Group, User
from models.programs import Program, ProgramKind
from models.sample import NOBODY
from models.tickets import Ticket
from models.tokens import Scope, Token, digest

ROLES = ("member", "trainer", "observer")
STATES = ("active", "completed", "graduated", "incomplete", "withdrawn", "dropped", "refunded")
MODIFIABLE = STATES[:5]
NAMES = ("Monday", "Tuesday", "Straße")
SPELLINGS = (str, str.upper, "  {} ".format, "\u200b{}".format, str.casefold)
EMAIL_SPELLINGS = (str, str.upper, "\t{}".format, "\ufeff{}".format)
ZONES = ("UTC", "Pacific/Auckland", "America/Los_Angeles")
FIRST_USERS = 3


class Refused(set):
    """The words by any of which a call may be refused, where more than one thing is wrong."""


class Anything:
    """A result that the model does not foretell."""

    def __eq__(self, other):
        return True

    __hash__ = None


class Model:
    """What is true, in dictionaries and lists; each verb gives the call it stands for, and its answer."""

    def __init__(self, number):
        self.number = number
        self.now = datetime(2026, 3, 10, 12, tzinfo=UTC)
        self.users = []  # ids; None until learned
        self.owner = {}  # email → index of its user
        self.kinds = []  # id, archived
        self.programs = []  # id, kind, zone, start, end, archived
        self.cohorts = []  # id, program, key
        self.memberships = {}  # (user, program) → role, state, cohort, date
        self.history = {}
        self.tickets = []

    # What is given by its number

    def email(self, number):
        return f"user{number}-{self.number}@example.org"

    def user_id(self, number):
        return NOBODY if number >= len(self.users) or not self.users[number] else self.users[number]

    def program_id(self, number):
        return NOBODY if number >= len(self.programs) else self.programs[number]["id"]

    def kind_id(self, number):
        return NOBODY if number >= len(self.kinds) else self.kinds[number]["id"]

    def external_id(self, number):
        return None if number is None else str(UUID(int=(self.number << 8) + number, version=4))

    def cohort(self, number):
        """A cohort whose id is known, one that there is not, or none."""
        known = [cohort for cohort in self.cohorts if cohort["id"]]
        if number is None:
            return None
        return known[number] if number < len(known) else {"id": NOBODY, "program": None}

    def who(self, user, email, may_be_nobody=False):
        """The user that is meant, what is wrong with that, and the members that say it."""
        wrong = Refused()
        known = user is not None and self.user_id(user) != NOBODY
        by_email = None if email is None else self.owner.get(email[0])
        if user is None and email is None:
            wrong.add("INVALID_PARAMS")
        if user is not None and not known:
            wrong.add("USER_NOT_FOUND")
        if user is not None and email is not None and by_email != user:
            wrong.add("EMAIL_AND_USER_DISAGREE")
        if user is None and email is not None and by_email is None and not may_be_nobody:
            wrong.add("USER_NOT_FOUND")
        params = {
            "userId": None if user is None else self.user_id(user),
            "email": None if email is None else email[1](self.email(email[0])),
        }
        return (user if user is not None else by_email), wrong, params

    # Memberships

    def modify(self, user, email, program, cohort, role, state, clear):
        found, wrong, params = self.who(user, email)
        params |= {"programId": self.program_id(program), "role": role, "state": state}
        change = {"role": role, "state": state}
        cohort = self.cohort(cohort)
        if cohort:
            params["cohortId"] = change["cohort"] = cohort["id"]
        if clear:
            params["clear"] = ["cohortId"]
            change["cohort"] = None
            if cohort:
                wrong.add("INVALID_PARAMS")
        if program >= len(self.programs):
            wrong.add("PROGRAM_NOT_FOUND")
        else:
            if cohort and cohort["program"] is None:
                wrong.add("COHORT_NOT_FOUND")
            elif cohort and cohort["program"] != program:
                wrong.add("COHORT_OF_ANOTHER_PROGRAM")
            if (found, program) not in self.memberships and self.programs[program]["archived"]:
                wrong.add("PROGRAM_ARCHIVED")
        if wrong:
            return "core.ModifyProgramMembership", params, wrong
        before = self.memberships.get((found, program))
        usual = {"role": "member", "state": "active", "cohort": None, "date": self.first_day(program)}
        given = {name: value for name, value in change.items() if value is not None or name == "cohort"}
        self.move(found, program, (before or usual) | given)
        return "core.ModifyProgramMembership", params, [self.program_id(program)]

    def update(self, user, program, cohort, state, comments, detail):
        params = {
            "userId": self.user_id(user),
            "programId": self.program_id(program),
            "state": state,
            "comments": comments,
            "stateDetail": detail,
        }
        cohort = self.cohort(cohort)
        before, wrong = self.existing(user, program)
        after = before and before | {"state": state}
        if cohort:
            params["cohortId"] = cohort["id"]
        if before and cohort:
            if cohort["program"] is None:
                wrong.add("COHORT_NOT_FOUND")
            elif cohort["program"] != program:
                wrong.add("COHORT_OF_ANOTHER_PROGRAM")
            elif before["cohort"] not in (None, cohort["id"]):
                wrong.add("MEMBERSHIP_IN_ANOTHER_COHORT")
            after["cohort"] = cohort["id"]
        if wrong:
            return "core.UpdateUserCohortState", params, wrong
        self.move(user, program, after, comments=comments, detail=detail)
        return "core.UpdateUserCohortState", params, [self.program_id(program)]

    def date(self, user, program, day):
        params = {"userId": self.user_id(user), "programId": self.program_id(program), "date": str(day)}
        before, wrong = self.existing(user, program)
        if wrong:
            return "core.UpdateUserProgramDate", params, wrong
        self.move(user, program, before | {"date": str(day)})
        return "core.UpdateUserProgramDate", params, [self.program_id(program)]

    def existing(self, user, program):
        wrong = Refused()
        if self.user_id(user) == NOBODY:
            wrong.add("USER_NOT_FOUND")
        if program >= len(self.programs):
            wrong.add("PROGRAM_NOT_FOUND")
        found = self.memberships.get((user, program))
        if not found and not wrong:
            wrong.add("MEMBERSHIP_NOT_FOUND")
        return found, wrong

    def today(self, program):
        return str(self.now.astimezone(ZoneInfo(self.programs[program]["zone"])).date())

    def first_day(self, program):
        return max(self.today(program), str(self.programs[program]["start"]))

    def move(self, user, program, after, comments=None, detail=None, how="api"):
        """Change a membership, write history where that is real, and see to the tickets."""
        key = user, program
        before = self.memberships.get(key)
        newest = self.history[key][-1] if before else {"comments": None, "detail": None}
        said = comments not in (None, newest["comments"] or "")
        if before == after and not said and detail in (None, newest["detail"] or ""):
            return
        self.memberships[key] = after
        row = {"at": self.now, "on": None, "how": how, "from": before, "to": after}
        self.history.setdefault(key, []).append(row | {"comments": comments, "detail": detail})
        mine = [ticket for ticket in self.tickets if ticket["by"] == key and ticket["state"] == "consumed"]
        if self.takes_part(after) and not self.takes_part(before) and not mine:
            self.consume(user, program)
        if after["state"] == "refunded" and (before or {}).get("state") != "refunded":
            for ticket in mine:
                ticket |= {"state": "canceled", "canceled": self.now}

    @staticmethod
    def takes_part(standing):
        return bool(standing) and (standing["role"], standing["state"]) == ("member", "active")

    def consume(self, user, program):
        for ticket in self.tickets:  # oldest first
            wanted = (user, self.programs[program]["kind"], "ready")
            if (ticket["user"], ticket["kind"], ticket["state"]) == wanted:
                ticket |= {"state": "consumed", "by": (user, program), "consumed": self.now}
                return True
        return False

    # Cohorts

    def confirm(self, program, name, spell):
        name = spell(name)
        params = {"programId": self.program_id(program), "cohortName": name}
        if program >= len(self.programs):
            return "core.ConfirmCohort", params, Refused({"PROGRAM_NOT_FOUND"})
        key = unicodedata.normalize("NFKC", name).strip().casefold()
        found = [cohort for cohort in self.cohorts if (cohort["program"], cohort["key"]) == (program, key)]
        if found:
            return "core.ConfirmCohort", params, found[0]["id"] or Anything()
        self.cohorts.append({"id": None, "program": program, "key": key, "name": name})
        return "core.ConfirmCohort", params, Anything()

    # Tickets

    def buy(self, user, email, kind, external, sku):
        buyer, wrong, params = self.who(user, email, may_be_nobody=True)
        external_id = self.external_id(external)
        params |= {"programKindId": self.kind_id(kind), "externalId": external_id, "sku": sku}
        if kind >= len(self.kinds):
            wrong.add("PROGRAM_KIND_NOT_FOUND")
            return "core.CreateProgramTicket", params, wrong
        earlier = self.bought(kind, external)
        if earlier and not wrong:
            same_user = buyer is not None and buyer == earlier["user"]
            if not same_user and (email is None or email[0] != earlier["email"]):
                wrong.add("TICKET_OF_ANOTHER_BUYER")
            if sku and earlier["sku"] not in (None, sku):
                wrong.add("TICKET_OF_ANOTHER_SKU")
        if self.kinds[kind]["archived"] and (wrong or not earlier):
            wrong.add("KIND_ARCHIVED")
        if earlier and not wrong:
            earlier["sku"] = earlier["sku"] or sku
        if wrong or earlier:
            return "core.CreateProgramTicket", params, wrong or 0
        self.tickets.append(
            {
                "id": None,
                "user": buyer,
                "email": None if email is None else email[0],
                "kind": kind,
                "external": external,
                "sku": sku,
                "state": "ready",
                "by": None,
                "created": self.now,
                "consumed": None,
                "canceled": None,
            }
        )
        self.pay(self.tickets[-1])
        return "core.CreateProgramTicket", params, 1

    def pay(self, ticket):
        """Use a ticket for the one place of its buyer that there is none for."""
        paid = [other["by"] for other in self.tickets if other["state"] == "consumed"]
        unpaid = [
            key
            for key, standing in self.memberships.items()
            if key[0] == ticket["user"]
            and self.programs[key[1]]["kind"] == ticket["kind"]
            and self.takes_part(standing)
            and self.today(key[1]) <= str(self.programs[key[1]]["end"])
            and key not in paid
        ]
        if len(unpaid) == 1:
            ticket |= {"state": "consumed", "by": unpaid[0], "consumed": self.now}

    def bought(self, kind, external):
        for ticket in self.tickets:
            if external is not None and (ticket["kind"], ticket["external"]) == (kind, external):
                return ticket
        return None

    def cancel(self, number, comments):
        known = [ticket for ticket in self.tickets if ticket["id"]]
        ticket = known[number] if number < len(known) else None
        params = {"ticketId": ticket["id"] if ticket else NOBODY, "comments": comments}
        if ticket is None:
            return "core.CancelProgramTicket", params, Refused({"TICKET_NOT_FOUND"})
        return "core.CancelProgramTicket", params, self.take_back(ticket, comments)

    def cancel_order(self, kind, external, comments):
        params = {
            "programKindId": self.kind_id(kind),
            "externalId": self.external_id(external),
            "comments": comments,
        }
        if kind >= len(self.kinds):
            return "core.CancelProgramTicket", params, Refused({"PROGRAM_KIND_NOT_FOUND"})
        ticket = self.bought(kind, external)
        if ticket is None:
            return "core.CancelProgramTicket", params, Refused({"TICKET_NOT_FOUND"})
        return "core.CancelProgramTicket", params, self.take_back(ticket, comments)

    def take_back(self, ticket, comments):
        if ticket["state"] == "canceled":
            return 0
        key = ticket["by"]
        ticket |= {"state": "canceled", "canceled": self.now}
        if key and (self.memberships[key]["state"] != "active" or not self.consume(*key)):
            after = self.memberships[key] | {"state": "refunded"}
            self.move(*key, after, comments=comments, how="ticket")
        return 1

    # Users

    def create_user(self, email):
        params = {"email": email[1](self.email(email[0]))}
        if email[0] in self.owner:
            return "core.CreateUser", params, False
        self.appear(email[0])
        return "core.CreateUser", params, True

    def add_email(self, email):
        if email[0] not in self.owner:
            self.appear(email[0])
        params = {"email": email[1](self.email(email[0])), "groupId": self.group_id}
        return "core.AddEmailToGroup", params, True

    def change_email(self, user, email):
        params = {"id": self.user_id(user), "email": email[1](self.email(email[0]))}
        if params["id"] == NOBODY:  # it would make a user of that id
            return "core.UserHasGroup", {"id": NOBODY, "handle": ""}, Refused({"USER_NOT_FOUND"})
        if self.owner.get(email[0], user) != user:
            return "admin.SaveUser", params, Refused({"EMAIL_TAKEN"})
        self.owner = {held: holder for held, holder in self.owner.items() if holder != user}
        self.claim(email[0], user)
        return "admin.SaveUser", params, Anything()

    def appear(self, email):
        self.users.append(None)
        self.claim(email, len(self.users) - 1)

    def claim(self, email, user):
        self.owner[email] = user
        for ticket in self.tickets:
            if ticket["user"] is None and ticket["email"] == email:
                ticket["user"] = user
                self.pay(ticket)

    # The catalog

    def archive(self, noun, number, archived):
        rows = {"admin.SaveProgram": self.programs, "admin.SaveProgramKind": self.kinds}[noun]
        row = rows[number % len(rows)]
        row["archived"] = archived
        return noun, {"id": row["id"], "archived": archived}, Anything()


def maybe(strategy):
    return st.none() | strategy


small = st.integers(0, 3)
emails = st.tuples(st.integers(0, FIRST_USERS), st.sampled_from(EMAIL_SPELLINGS))  # two are nobody's
programs = st.integers(0, 2) | st.integers(0, 3)  # the last one is none
comments = maybe(st.sampled_from(["", "ill", "well"]))


def modification(user, program, **given):
    nothing = {"email": None, "cohort": None, "role": None, "state": None, "clear": False}
    return "modify", nothing | {"user": user, "program": program} | given


def purchase(user, kind, email=None):
    return "buy", {"user": user, "email": email, "kind": kind, "external": None, "sku": None}


def step_of(user, program, step):
    if step.get("state") not in ("dropped", "refunded"):
        return modification(user, program, **step)
    nothing = {"cohort": None, "comments": None, "detail": None}
    return "update", nothing | {"user": user, "program": program} | step


def operation(verb, **members):
    return st.fixed_dictionaries(members).map(lambda given: (verb, given))


WHO = (
    st.fixed_dictionaries({"user": small, "email": st.none()})
    | st.fixed_dictionaries({"user": st.none(), "email": emails})
    | st.fixed_dictionaries({"user": maybe(small), "email": maybe(emails)})
)


def by_somebody(verb, **members):
    """An operation of a user who is named by id, by email, by both or by neither."""
    return st.builds(lambda who, given: (verb, who | given), WHO, st.fixed_dictionaries(members))


MODIFY = by_somebody(
    "modify",
    program=programs,
    cohort=st.none() | maybe(st.integers(0, 4)),
    role=maybe(st.sampled_from(ROLES)),
    state=maybe(st.sampled_from(MODIFIABLE)),
    clear=st.sampled_from([False, False, False, True]),
)
UPDATE = operation(
    "update",
    user=small,
    program=programs,
    cohort=st.none() | maybe(st.integers(0, 4)),
    state=st.sampled_from(STATES),
    comments=comments,
    detail=comments,
)
DATE = operation(
    "date", user=small, program=programs, day=st.sampled_from([date(2026, 3, 1), date(2026, 3, 10)])
)
CONFIRM = operation(
    "confirm", program=programs, name=st.sampled_from(NAMES), spell=st.sampled_from(SPELLINGS[:3])
)
BUY = by_somebody(
    "buy",
    kind=st.integers(0, 1) | st.integers(0, 2),
    external=st.sampled_from([None, 0, 0, 1]),
    sku=maybe(st.sampled_from(["A", "B"])),
)
CANCEL = operation("cancel", number=st.integers(0, 6), comments=comments)
CANCEL_ORDER = operation(
    "cancel_order", kind=st.integers(0, 2), external=st.integers(0, 2), comments=comments
)
USERS = (
    operation("create_user", email=emails)
    | operation("add_email", email=emails)
    | operation("change_email", user=small, email=emails)
)
ARCHIVE = operation(
    "archive",
    noun=st.sampled_from(["admin.SaveProgram", "admin.SaveProgramKind"]),
    number=small,
    archived=st.booleans(),
)
# Who goes to and fro in one program, so that runs don't get lost among strangers.
AWAY = st.sampled_from(
    [{"state": state} for state in STATES[1:]]
    + [{"role": role} for role in ROLES[1:] * 2]
    + [{"state": "refunded", "comments": text} for text in ("ill", "well")]
    + [{"state": "dropped", "comments": text} for text in ("", "ill", "ill")]
)
BACK = st.sampled_from([{"state": "active"}, {"role": "member"}, {"state": "active", "role": "member"}])
JOURNEY = st.builds(
    lambda user, program, trips: [step_of(user, program, step) for trip in trips for step in trip],
    st.integers(0, FIRST_USERS - 1),
    st.integers(0, 2),
    st.lists(st.tuples(AWAY, BACK), min_size=1, max_size=3),
)
ANY = MODIFY | UPDATE | DATE | CONFIRM | BUY | CANCEL | CANCEL_ORDER | USERS | ARCHIVE


class Rules(RuleBasedStateMachine):
    """The server on one side, the model on the other; each run in users and programs of its own."""

    numbers = itertools.count(1)

    def __init__(self, client, token_id):
        super().__init__()
        self.client, self.token_id = client, token_id
        self.model = Model(next(self.numbers))
        clock.set_to(self.model.now)
        with writing(), acting(Actor("test")):
            self._settle_down()

    def _settle_down(self):
        model = self.model
        for number in range(FIRST_USERS):
            has_email = number < FIRST_USERS - 1  # the last one has none
            model.users.append(str(User.appear(model.email(number) if has_email else None).id))
            if has_email:
                model.owner[number] = number
        parent = ProgramKind.put(None, name="parent", duration=30)
        for kind in (parent, ProgramKind.put(None, name="child", parent_id=parent.id)):
            model.kinds.append({"id": str(kind.id), "archived": False})
        for number, zone in enumerate(ZONES):
            kind = int(number == 2)
            start = date(2026, 3, 12 if number == 1 else 1)
            kind_id = UUID(model.kinds[kind]["id"])
            made = Program.put(None, kind_id=kind_id, start_date=start, timezone=zone)
            days = {"start": start, "end": made.end_date}  # the last one has ended
            row = {"id": str(made.id), "kind": kind, "zone": zone, "archived": False}
            model.programs.append(row | days)
        model.group_id = str(Group.put(None, handle=f"group{model.number}").id)

    @initialize()
    def some_have_bought_and_joined(self):
        self._carry_out([purchase(user, 0) for user in (0, 0, 1, 1, 2)])
        self._carry_out([purchase(None, 0, email=(email, str)) for email in (2, 3)])
        self._carry_out([modification(0, 0)])

    # Steps

    @rule(operation=MODIFY)
    def modifies_a_membership(self, operation):
        self._carry_out([operation])

    @rule(operation=UPDATE | DATE)
    def updates_a_membership(self, operation):
        self._carry_out([operation])

    @rule(operation=BUY)
    def buys_a_ticket(self, operation):
        self._carry_out([operation])

    @rule(operation=CANCEL | CANCEL_ORDER)
    def cancels_a_ticket(self, operation):
        self._carry_out([operation])

    @rule(operation=CONFIRM)
    def confirms_a_cohort(self, operation):
        self._carry_out([operation])

    @rule(operation=USERS)
    def changes_users(self, operation):
        self._carry_out([operation])

    @rule(operation=ARCHIVE)
    def archives(self, operation):
        self._carry_out([operation])

    @rule(operations=JOURNEY)
    def goes_to_and_fro(self, operations):
        self._carry_out(operations)

    @rule(operations=st.lists(ANY, min_size=2, max_size=6))
    def sends_a_batch(self, operations):
        self._carry_out(operations)

    @rule(milliseconds=st.sampled_from([1, 3_600_000, 43_200_000]))
    def waits(self, milliseconds):
        self.model.now += timedelta(milliseconds=milliseconds)
        clock.set_to(self.model.now)

    def _carry_out(self, operations):
        calls = [getattr(self.model, verb)(**given) for verb, given in operations]

        outcomes = self.client.batch([(method, params) for method, params, _ in calls])

        for (_, _, expected), outcome in zip(calls, outcomes, strict=True):
            self._compare(expected, outcome)
        self._learn_ids()

    def _compare(self, expected, outcome):
        if isinstance(expected, Refused):
            assert isinstance(outcome, RpcError), outcome
            assert outcome.word in expected
        elif isinstance(expected, list):
            assert not isinstance(outcome, RpcError), outcome.data
            assert expected == [program["id"] for program in outcome]
        else:
            assert not isinstance(outcome, RpcError), outcome.data
            assert expected == outcome
            assert type(expected) in (type(outcome), Anything)

    def _learn_ids(self):
        """Take over the ids of what is new; that all else is equal is compared afterwards."""
        for email, owner in self.model.owner.items():
            if self.model.users[owner] is None:
                self.model.users[owner] = str(User.with_email(self.model.email(email)).id)
        for cohort, stored in zip(self.model.cohorts, self._cohorts(), strict=True):
            cohort["id"] = str(stored.id)
        for ticket, stored in zip(self.model.tickets, self._tickets(), strict=True):
            ticket["id"] = str(stored.id)

    # What is stored

    def _program_ids(self):
        return [UUID(program["id"]) for program in self.model.programs]

    def _cohorts(self):
        found = Cohort.select().where(Cohort.program.in_(self._program_ids()))
        return list(found.order_by(Cohort.id))  # in the order of their making

    def _tickets(self):
        kinds = [UUID(kind["id"]) for kind in self.model.kinds]
        return list(Ticket.select().where(Ticket.kind.in_(kinds)).order_by(Ticket.created_at, Ticket.id))

    def _standing(self, key):
        found = self.model.memberships[key]
        return found["role"], found["state"], found["cohort"], found["date"]

    @invariant()
    def memberships_are_equal(self):
        stored = Membership.select().where(Membership.program.in_(self._program_ids()))
        rows = {
            (str(row.user_id), str(row.program_id)): (
                row.role.value,
                row.state.value,
                row.cohort_id and str(row.cohort_id),
                str(row.date),
            )
            for row in stored
        }
        expected = {
            (self.model.users[user], self.model.program_id(program)): self._standing((user, program))
            for user, program in self.model.memberships
        }
        assert expected == rows

    @invariant()
    def histories_are_equal(self):
        found = (
            MembershipChange.select(MembershipChange, Membership)
            .join(Membership)
            .where(Membership.program.in_(self._program_ids()))
            .order_by(MembershipChange.id)
        )
        rows = {}
        for row in found:
            key = str(row.membership.user_id), str(row.membership.program_id)
            assert (row.token_id, row.acting_user_id) == (self.token_id, None)
            rows.setdefault(key, []).append(
                {
                    "at": row.at,
                    "on": row.effective_date,
                    "how": row.how.value,
                    "from": self._as_dict(row.before),
                    "to": self._as_dict(row.after),
                    "comments": row.comments,
                    "detail": row.state_detail,
                }
            )
        expected = {
            (self.model.users[user], self.model.program_id(program)): changes
            for (user, program), changes in self.model.history.items()
        }
        assert expected == rows

    @staticmethod
    def _as_dict(standing):
        return standing and {
            "role": standing.role.value,
            "state": standing.state.value,
            "cohort": standing.cohort_id and str(standing.cohort_id),
            "date": str(standing.date),
        }

    @invariant()
    def tickets_are_equal(self):
        rows = [
            (
                row.state.value,
                row.user_id and str(row.user_id),
                str(row.kind_id),
                row.external_id and str(row.external_id),
                row.sku,
                row.program_id and str(row.program_id),
                row.membership and str(row.membership.user_id),
                (row.created_at, row.consumed_at, row.canceled_at),
            )
            for row in self._tickets()
        ]
        expected = []
        for ticket in self.model.tickets:
            user, program = ticket["by"] or (None, None)
            expected.append(
                (
                    ticket["state"],
                    None if ticket["user"] is None else self.model.users[ticket["user"]],
                    self.model.kind_id(ticket["kind"]),
                    self.model.external_id(ticket["external"]),
                    ticket["sku"],
                    None if program is None else self.model.program_id(program),
                    None if user is None else self.model.users[user],
                    (ticket["created"], ticket["consumed"], ticket["canceled"]),
                )
            )
        assert expected == rows

    @invariant()
    def cohorts_are_equal(self):
        rows = [(str(row.program_id), row.name) for row in self._cohorts()]
        expected = [(self.model.program_id(row["program"]), row["name"]) for row in self.model.cohorts]
        assert expected == rows


def test_the_server_does_what_the_model_does(client, world):
    token = Token.get(Token.hash == digest(world.secrets[Scope.ADMIN]))

    run_state_machine_as_test(
        lambda: Rules(client, token.id),
        settings=settings(
            max_examples=settings().max_examples * 2 // 5,  # 40, or as many more as the profile has
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
