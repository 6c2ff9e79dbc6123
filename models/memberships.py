"""Memberships: one user in one program, one row for ever, and the history of each."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

import peewee

from models import actor, clock
from models.actor import How
from models.cohorts import Cohort
from models.errors import Conflict, NotFound
from models.ids import new_id
from models.people import User
from models.programs import Mode, Program, ProgramKind
from models.rows import BaseModel, ChoiceField, DatedModel, DayField, IdField, InstantField
from models.sets import Prepared
from models.statements import Rows, Select, Statement, Stored, any_given, given
from models.text import instant_text

Day = date  # models here have a column of that name


class MembershipState(StrEnum):
    ACTIVE = "active"
    COMPLETED = "completed"
    GRADUATED = "graduated"
    INCOMPLETE = "incomplete"
    WITHDRAWN = "withdrawn"
    DROPPED = "dropped"
    REFUNDED = "refunded"


class MembershipRole(StrEnum):
    MEMBER = "member"
    TRAINER = "trainer"
    OBSERVER = "observer"


COMPLETIONS = (MembershipState.COMPLETED, MembershipState.GRADUATED)


class Standing(NamedTuple):
    """What the history compares: a membership's role, state, cohort, and first day."""

    role: MembershipRole
    state: MembershipState
    cohort_id: UUID | None
    date: date

    @property
    def takes_part(self) -> bool:
        """Whether this standing is one that a ticket is used for."""
        return self.role is MembershipRole.MEMBER and self.state is MembershipState.ACTIVE


class Membership(DatedModel):
    """One user in one program; the cohort is the part of it they sit in, if any."""

    user_id: UUID
    program_id: UUID
    cohort_id: UUID | None

    user = peewee.ForeignKeyField(User, backref="memberships", index=False)
    program = peewee.ForeignKeyField(Program, backref="memberships", index=False)
    cohort = peewee.ForeignKeyField(Cohort, null=True, backref="memberships", index=False)
    role = ChoiceField(MembershipRole)
    state = ChoiceField(MembershipState)
    date = DayField()  # from which the user takes part
    comments = peewee.TextField(null=True)  # last said
    state_detail = peewee.TextField(null=True)  # last said
    last_change_id = IdField(null=True)  # the newest row of its history
    sourced_id = peewee.TextField(null=True, index=True)
    imported = peewee.TextField(null=True)  # what the last file said, whatever people did since

    class Meta:
        indexes = (
            (("program", "user"), True),
            (("user", "program"), False),
            (("program", "id"), False),
            (("cohort", "user"), False),
        )

    @classmethod
    def of(cls, user_id: UUID, program_id: UUID) -> Self:
        """The user's membership of the program; NotFound names what is missing."""
        program = Program.of(program_id)
        found = cls.find(program_id=program_id, user_id=user_id)
        if found is None:
            User.of(user_id)
            raise NotFound("membership", f"of user {user_id} in program {program_id}")
        found.program = program
        return found

    @classmethod
    def put(cls, user_id: UUID, program: Program, **changes: Any) -> bool:
        """Make the user a member of the program, or change what is given; False: nothing changed.

        NotFound: the user. Conflict: the cohort is another program's; a new membership of an archived
        program; a retired user who would join or come back.
        """
        if changes.get("cohort_id") is not None:
            Cohort.of(changes["cohort_id"], program.id)
        found = cls.find(program_id=program.id, user_id=user_id)
        if found is None:
            User.of(user_id).check_not_retired()
            if program.archived:
                raise Conflict("PROGRAM_ARCHIVED", "The program is archived and takes no new members")
            return settle([cls.begin(user_id, program, **changes)]) == 1
        found.program = program
        return found._change_to(found.standing._replace(**changes))

    @classmethod
    def begin(cls, user_id: UUID, program: Program, **values: Any) -> Move:
        """A new membership, not yet stored: an active member from the program's `first_day`, unless
        `values` say otherwise."""
        usual: dict[str, Any] = {
            "role": MembershipRole.MEMBER,
            "state": MembershipState.ACTIVE,
            "cohort_id": None,
            "date": values.get("date") or program.first_day(),
        }
        row = cls.new(user_id=user_id, program_id=program.id)
        row.program = program
        return Move(row, None, Standing(**(usual | values)))

    def say(
        self,
        state: MembershipState,
        cohort_id: UUID | None = None,
        comments: str | None = None,
        state_detail: str | None = None,
    ) -> bool:
        """Set how far the user has come; False: nothing changed and nothing new was said.

        A cohort is set when there is none; Conflict when the membership is in another one, and when a
        retired user would come back.
        """
        if cohort_id is not None:
            Cohort.of(cohort_id, self.program_id)
            if self.cohort_id not in (None, cohort_id):
                raise Conflict("MEMBERSHIP_IN_ANOTHER_COHORT", "The user is in another cohort of the program")
        to = self.standing._replace(state=state, cohort_id=cohort_id or self.cohort_id)
        return self._change_to(to, comments, state_detail)

    def move_date(self, day: Day) -> bool:
        """Set the day from which the user takes part; False: it was so."""
        return self._change_to(self.standing._replace(date=day))

    def _change_to(self, to: Standing, comments: str | None = None, state_detail: str | None = None) -> bool:
        """Change to another standing, or say something about it."""
        if to.state is MembershipState.ACTIVE is not self.state:
            User.of(self.user_id).check_not_retired()
        return settle([Move(self, self.standing, to, comments, state_detail)]) == 1

    @property
    def standing(self) -> Standing:
        return Standing(self.role, self.state, self.cohort_id, self.date)

    def history(self, limit: int | None = None, offset: int = 0) -> Rows[MembershipChange]:
        """The changes of this membership, in the order in which they were stored."""
        return _history().rows(limit, offset, membership_id=self.id)


class MembershipChange(BaseModel):
    """One real change of a membership, or something said about it; never changed itself.

    The membership names its newest change, and each change the one before. An index by membership
    would do as well, but each write would touch a page of it that no other write of its group
    touches, whose copies in the log took more than half of the time of a commit.
    """

    membership = peewee.ForeignKeyField(Membership, backref="changes", index=False)
    previous_id = IdField(null=True)  # the change of this membership that was stored before
    at = InstantField(default=clock.now)  # when it was stored
    effective_date = DayField(null=True)  # on which it happened, as a roster says
    token_id = IdField(null=True)
    acting_user_id = IdField(null=True)
    how = ChoiceField(How)
    from_role = ChoiceField(MembershipRole, null=True)  # all null: the membership is new
    from_state = ChoiceField(MembershipState, null=True)
    from_cohort_id = IdField(null=True)
    from_date = DayField(null=True)
    to_role = ChoiceField(MembershipRole)
    to_state = ChoiceField(MembershipState)
    to_cohort_id = IdField(null=True)
    to_date = DayField()
    comments = peewee.TextField(null=True)
    state_detail = peewee.TextField(null=True)

    class Meta:
        without_rowid = True  # ids ascend: rows are appended to one tree

    @classmethod
    def of_all(cls, memberships: peewee.Node) -> peewee.CTE:
        """The ids of the whole history of the memberships of which the newest changes are selected.

        `age` counts the changes that were stored after: neither `at` nor the id tells the order of
        two changes between which the clock of the machine was set back.
        """
        step = cls.alias()
        newest = cls.select(cls.id, cls.previous_id, peewee.Value(0)).where(cls.id.in_(memberships))
        chain = newest.cte("chain", recursive=True, columns=("id", "previous_id", "age"))
        before = step.select(step.id, step.previous_id, chain.c.age + 1)
        return chain.union_all(before.join(chain, on=(step.id == chain.c.previous_id)))

    @property
    def before(self) -> Standing | None:
        if self.from_role is None:
            return None
        return Standing(self.from_role, self.from_state, self.from_cohort_id, self.from_date)

    @property
    def after(self) -> Standing:
        return Standing(self.to_role, self.to_state, self.to_cohort_id, self.to_date)


@functools.cache
def _history() -> Select[MembershipChange]:
    newest = Membership.select(Membership.last_change_id).where(Membership.id == given("membership_id"))
    chain = MembershipChange.of_all(newest)
    found = MembershipChange.select().join(chain, on=(MembershipChange.id == chain.c.id))
    return Select(found.with_cte(chain).order_by(chain.c.age.desc()))


_STANDING_COLUMNS = ("role", "state", "cohort", "date")


@dataclass
class Move:
    """A membership on its way from one standing (None: it is new) to another."""

    membership: Membership
    before: Standing | None
    after: Standing
    comments: str | None = None
    state_detail: str | None = None
    effective_date: Day | None = None  # on which it happened, if a roster says so
    stored_at: datetime | None = None  # if that was not now, but in the database that an export is of
    previous_id: UUID | None = None  # of the change before, once it is carried out

    @property
    def is_real(self) -> bool:
        """Whether it changes anything, or says something that its newest change does not say."""
        if self.before != self.after:
            return True
        if self.comments is None and self.state_detail is None:
            return False
        newest = MembershipChange.appended(self.membership.last_change_id)
        said = self.comments is not None and self.comments != (newest.comments or "")
        detailed = self.state_detail is not None and self.state_detail != (newest.state_detail or "")
        return said or detailed

    @property
    def joins(self) -> bool:
        """Whether the user becomes an active member by it."""
        return self.after.takes_part and not (self.before and self.before.takes_part)

    @property
    def refunds(self) -> bool:
        """Whether the membership becomes refunded by it."""
        was = self.before and self.before.state
        return self.after.state is MembershipState.REFUNDED is not was

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns that it changes: SQLite renews the indexes of all that are set."""
        assert self.before is not None
        pairs = zip(_STANDING_COLUMNS, self.before, self.after, strict=True)
        names = [name for name, was, becomes in pairs if was != becomes]
        if self.comments is not None:
            names.append("comments")
        if self.state_detail is not None:
            names.append("state_detail")
        return *names, "last_change_id", "updated_at"

    def carry_out(self, now: datetime) -> None:
        """Bring the row, not yet the database, to where it goes."""
        row = self.membership
        row.role, row.state = self.after.role, self.after.state
        row.cohort_id, row.date = self.after.cohort_id, self.after.date
        if self.comments is not None:
            row.comments = self.comments
        if self.state_detail is not None:
            row.state_detail = self.state_detail
        row.updated_at = now
        if self.before is None:
            row.created_at = now
        self.previous_id, row.last_change_id = row.last_change_id, new_id()

    def as_history(self, now: datetime) -> dict[str, Any]:
        """The row of its history, once it is carried out: values of MembershipChange by the names of
        columns."""
        author = actor.current()
        from_role, from_state, from_cohort_id, from_date = self.before or (None, None, None, None)
        to_role, to_state, to_cohort_id, to_date = self.after
        return {
            "id": self.membership.last_change_id,
            "membership": self.membership.id,
            "previous_id": self.previous_id,
            "at": self.stored_at or now,
            "effective_date": self.effective_date,
            "token_id": author.token_id,
            "acting_user_id": author.user_id,
            "how": author.how,
            "from_role": from_role,
            "from_state": from_state,
            "from_cohort_id": from_cohort_id,
            "from_date": from_date,
            "to_role": to_role,
            "to_state": to_state,
            "to_cohort_id": to_cohort_id,
            "to_date": to_date,
            "comments": self.comments,
            "state_detail": self.state_detail,
        }


class Settlement:
    """Moves that are real, and the rows to store for them.

    Every change of a membership is one of a settlement, one or thousands at a time, by whatever
    route. To make thousands of rows takes as long as to store them, so the writer may get a
    settlement that was made elsewhere, as long as the memberships are still what they were then.
    """

    def __init__(self, moves: Iterable[Move]) -> None:
        now = clock.now()
        self._new: list[Membership] = []
        self._changed: dict[tuple[str, ...], list[Membership]] = {}
        self._joined: list[Membership] = []
        self._refunded: list[Membership] = []
        self._history: list[dict[str, Any]] = []
        self._rows: _Rows | None = None
        for move in moves:
            if not move.is_real:
                continue
            move.carry_out(now)
            row = move.membership
            (self._new if move.before is None else self._changed.setdefault(move.columns, [])).append(row)
            self._history.append(move.as_history(now))
            if move.joins:
                self._joined.append(row)
            if move.refunds:
                self._refunded.append(row)

    def prepare(self) -> None:
        """Make all rows as they are stored, so that storing them takes no time for that."""
        changed = self._changed.items()
        self._rows = _Rows(
            Membership.inserts([row.__data__ for row in self._new]) if self._new else None,
            [Membership.updates([row.__data__ for row in rows], *names) for names, rows in changed],
            MembershipChange.inserts(self._history),
        )

    def postpone(self) -> None:
        """Have what was prepared happen now, when it is stored, and not when it was made."""
        assert self._rows is not None
        now = instant_text(clock.now())
        if self._rows.new is not None:
            self._rows.new.set("created_at", now)
            self._rows.new.set("updated_at", now)
        for changed in self._rows.changed:
            changed.set("updated_at", now)
        self._rows.history.set("at", now)

    def store(self) -> int:
        """Store the rows, and do to tickets what follows; how many memberships changed."""
        if self._rows is None:
            Membership.insert_rows(self._new)
            for names, rows in self._changed.items():
                Membership.update_rows(rows, *names)
            MembershipChange.append(self._history)
        else:
            self._rows.store()
        actor.touch([row["id"] for row in self._history])
        if self._joined or self._refunded:
            from models.tickets import Ticket

            if self._joined:
                Ticket.consume_for(self._joined)
            if self._refunded:
                Ticket.cancel_for(self._refunded)
        return len(self._history)


@dataclass(frozen=True)
class _Rows:
    """The rows of a settlement as they are stored."""

    new: Prepared | None
    changed: list[Prepared]
    history: Prepared

    def store(self) -> None:
        if self.new is not None:
            Membership.run_prepared(self.new)
        for changed in self.changed:
            Membership.run_prepared(changed)
        MembershipChange.append_prepared(self.history)


def settle(moves: Iterable[Move]) -> int:
    """Store the moves that are real, with their history, and do to tickets what follows from them.

    Returns how many memberships changed.
    """
    return Settlement(moves).store()


@dataclass(frozen=True)
class Tally:
    """How often a user has ended programs: of one kind, and of any."""

    same_completions: int
    all_completions: int
    same_incomplete: int
    all_incomplete: int


@dataclass(frozen=True)
class Participation:
    """A membership with all that is shown of it: program, kind, user, cohort, and the tally."""

    membership: Membership
    tally: Tally

    @property
    def cohort_name(self) -> str | None:
        cohort = self.membership.cohort
        return None if cohort is None else cohort.name

    @property
    def program_day(self) -> int:
        """Today as a day of the program: 1 on its first, 0 or negative before."""
        program = self.membership.program
        return (program.today() - program.start_date).days + 1

    @property
    def participant_day(self) -> int:
        """Today as a day of the participant: their own in open programs, the program's in fixed."""
        program = self.membership.program
        if program.mode == "open":
            return (program.today() - self.membership.date).days + 1
        return self.program_day

    @property
    def is_active(self) -> bool:
        row = self.membership
        return row.state is MembershipState.ACTIVE and row.program.is_running

    @classmethod
    def query(cls) -> peewee.ModelSelect[Membership]:
        """All memberships, each with what is shown of it in the same row."""
        return (
            Membership.select(Membership, Program, ProgramKind, User, Cohort)
            .join(Program)
            .join(ProgramKind)
            .join_from(Membership, User)
            .join_from(Membership, Cohort, peewee.JOIN.LEFT_OUTER)
        )

    @classmethod
    def closing(
        cls,
        within_days: int,
        kind_id: UUID | None = None,
        program_id: UUID | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> Sequence[Self]:
        """Who is still active in a program that has ended or ends within so many days."""
        if kind_id is not None:
            ProgramKind.of(kind_id)
        if program_id is not None:
            Program.of(program_id)
        select = _closing(of_kind=kind_id is not None, of_program=program_id is not None)
        todays, later = Program.todays(), timedelta(days=within_days)
        last = {f"last_{name}": todays[name] + later for name in ("day_ahead", "day_behind", "today")}
        return select.rows(limit, offset, kind_id=kind_id, program_id=program_id, **todays, **last)


@functools.cache
def _closing(*, of_kind: bool, of_program: bool) -> ParticipationSelect:
    found = Participation.query().where(
        Membership.state == MembershipState.ACTIVE,
        Program.end_date <= given("last_day_ahead"),
        Program.end_date <= Program.by_zone("last_day_ahead", "last_day_behind", "last_today"),
    )
    if of_kind:
        found = found.where(Program.kind == given("kind_id"))
    if of_program:
        found = found.where(Program.id == given("program_id"))
    names = Program.name, User.shown_name_column()
    return ParticipationSelect(found.order_by(Program.end_date, *names, Membership.user, Membership.program))


class ParticipationSelect(Select[Any]):
    """A select of participations, with all that is shown of them in the same row, compiled.

    What its columns tell of today, and the tally, is what a Participation works out by itself.
    """

    def __init__(self, query: peewee.ModelSelect[Membership]) -> None:
        today = Program.today_column()
        program_day = _days_since(Program.start_date, today)
        own_day = _days_since(Membership.date, today)
        is_active = Membership.state == MembershipState.ACTIVE
        super().__init__(
            query,
            cohort_name=Cohort.name,
            user_name=User.shown_name_column(),
            program_day=program_day,
            participant_day=peewee.Case(None, [(Program.mode == Mode.OPEN, own_day)], program_day),
            is_active=is_active & (Program.start_date <= today) & (Program.end_date >= today),
        )
        self._tallied = [self.columns.index(name) for name in ("user_id", "program.kind_id", "state")]
        tally = (f"tally.{field.name}" for field in fields(Tally))
        self.columns = (*(_NAMES.get(name, f"membership.{name}") for name in self.columns), *tally)

    def rows(self, limit: int | None = None, offset: int = 0, **values: Any) -> Rows[Any]:
        if "today" not in values:
            values |= Program.todays()
        found = super().rows(limit, offset, **values)
        return Rows(self, tallied(found.stored, *self._tallied))

    def made_of(self, stored: Stored) -> Participation:
        return Participation(super().made_of(stored), Tally(*stored[-len(fields(Tally)) :]))


# Columns that are not the membership's: by what Participation calls them, or by the way to them.
_NAMES = {name: name for name in ("cohort_name", "program_day", "participant_day", "is_active")}
_NAMES["user_name"] = "membership.user.shown_name"


def _days_since(day: peewee.Node, today: peewee.Node) -> peewee.Node:
    """Today as a day of what began on a day, which was the first."""
    return (peewee.fn.JULIANDAY(today) - peewee.fn.JULIANDAY(day)).cast("INTEGER") + 1


def tallied(rows: Sequence[Stored], user: int, kind: int, state: int) -> list[Stored]:
    """Rows of memberships, each with its Tally behind it; one query for thousands of users.

    The numbers say in which column a row has the ids of user and kind, and the state.
    """
    nothing = (0, 0)
    of_kind: dict[tuple[str, str], tuple[int, int]] = {}
    of_all: dict[str, tuple[int, int]] = {}
    for user_id, kind_id, completed, incomplete in _ends().stored(
        user_ids=dict.fromkeys(row[user] for row in rows)
    ):
        of_kind[user_id, kind_id] = completed, incomplete
        before = of_all.get(user_id, nothing)
        of_all[user_id] = before[0] + completed, before[1] + incomplete
    found: list[Stored] = []
    for row in rows:
        same, every = of_kind.get((row[user], row[kind]), nothing), of_all.get(row[user], nothing)
        completed, incomplete = row[state] in COMPLETIONS, row[state] == MembershipState.INCOMPLETE
        tally = same[0] - completed, every[0] - completed, same[1] - incomplete, every[1] - incomplete
        found.append((*row, *tally))
    return found


@functools.cache
def _ends() -> Statement:
    """The select of how often each of some users has completed programs of a kind, and how often not."""
    is_completed = Membership.state.in_(COMPLETIONS)
    is_incomplete = Membership.state == MembershipState.INCOMPLETE
    counts = (peewee.fn.SUM(is_completed), peewee.fn.SUM(is_incomplete))
    return Statement(
        Membership.select(Membership.user, Program.kind, *counts)
        .join(Program)
        .where(Membership.user.in_(any_given("user_ids")), is_completed | is_incomplete)
        .group_by(Membership.user, Program.kind)
    )
