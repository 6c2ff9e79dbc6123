"""Memberships: one user in one program, one row for ever, and the history of each."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
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
from models.programs import Program, ProgramKind
from models.rows import BaseModel, ChoiceField, DatedModel, DayField, IdField, InstantField
from models.statements import Rows, Select, Statement, any_given, given
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
        program.
        """
        if changes.get("cohort_id") is not None:
            Cohort.of(changes["cohort_id"], program.id)
        found = cls.find(program_id=program.id, user_id=user_id)
        if found is None:
            User.check(user_id)
            if program.archived:
                raise Conflict("PROGRAM_ARCHIVED", "The program is archived and takes no new members")
            move = cls.begin(user_id, program, **changes)
        else:
            found.program = program
            before = found.standing
            move = Move(found, before, before._replace(**changes))
        return settle([move]) == 1

    @classmethod
    def begin(cls, user_id: UUID, program: Program, **values: Any) -> Move:
        """A new membership, not yet stored: an active member from today, unless told otherwise."""
        usual: dict[str, Any] = {
            "role": MembershipRole.MEMBER,
            "state": MembershipState.ACTIVE,
            "cohort_id": None,
            "date": values.get("date") or program.today(),
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

        A cohort is set when there is none; Conflict when the membership is in another one.
        """
        if cohort_id is not None:
            Cohort.of(cohort_id, self.program_id)
            if self.cohort_id not in (None, cohort_id):
                raise Conflict("MEMBERSHIP_IN_ANOTHER_COHORT", "The user is in another cohort of the program")
        to = self.standing._replace(state=state, cohort_id=cohort_id or self.cohort_id)
        return settle([Move(self, self.standing, to, comments, state_detail)]) == 1

    def move_date(self, day: Day) -> bool:
        """Set the day from which the user takes part; False: it was so."""
        to = self.standing._replace(date=day)
        return settle([Move(self, self.standing, to)]) == 1

    @property
    def standing(self) -> Standing:
        return Standing(self.role, self.state, self.cohort_id, self.date)

    def history(self, limit: int | None = None, offset: int = 0) -> Rows[MembershipChange]:
        """What happened to this membership, oldest first."""
        return _history().rows(limit, offset, membership_id=self.id)


class MembershipChange(BaseModel):
    """One real change of a membership, or something said about it; never changed itself.

    The membership names its newest change, and each change the one before. An index by membership
    would do as well, but each write would touch a page of it that no other write of its group
    touches, whose copies in the log took more than half of the time of a commit.
    """

    membership = peewee.ForeignKeyField(Membership, backref="changes", index=False)
    previous_id = IdField(null=True)  # the change of this membership that was stored before
    at = InstantField(default=clock.now)
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
        """The ids of the whole history of the memberships of which the newest changes are selected."""
        step = cls.alias()
        newest = cls.select(cls.id, cls.previous_id).where(cls.id.in_(memberships))
        chain = newest.cte("chain", recursive=True, columns=("id", "previous_id"))
        before = step.select(step.id, step.previous_id).join(chain, on=(step.id == chain.c.previous_id))
        return chain.union_all(before)

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
    return Select(found.with_cte(chain).order_by(MembershipChange.at, MembershipChange.id))


_STANDING_COLUMNS = ("role", "state", "cohort", "date")


@dataclass
class Move:
    """A membership on its way from one standing (None: it is new) to another."""

    membership: Membership
    before: Standing | None
    after: Standing
    comments: str | None = None
    state_detail: str | None = None
    at: datetime | None = None  # when it happened, if that is not now
    previous_id: UUID | None = None  # of the change before, once it is carried out

    @property
    def is_real(self) -> bool:
        """Whether it changes anything, or says something that was not the last thing said."""
        row = self.membership
        said = self.comments is not None and self.comments != (row.comments or "")
        detailed = self.state_detail is not None and self.state_detail != (row.state_detail or "")
        return self.before != self.after or said or detailed

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
            "at": self.at or now,
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
        self._moves = [move for move in moves if move.is_real]
        self._joined: list[Membership] = []
        self._refunded: list[Membership] = []
        new: list[Membership] = []
        changed: dict[tuple[str, ...], list[Membership]] = {}
        for move in self._moves:
            move.carry_out(now)
            (new if move.before is None else changed.setdefault(move.columns, [])).append(move.membership)
            if move.joins:
                self._joined.append(move.membership)
            if move.refunds:
                self._refunded.append(move.membership)
        self._new = Membership.inserts([row.__data__ for row in new]) if new else None
        self._changed = [
            Membership.updates([row.__data__ for row in rows], *names) for names, rows in changed.items()
        ]
        self._history = MembershipChange.inserts([move.as_history(now) for move in self._moves])

    def postpone(self) -> None:
        """Have it happen now, when it is stored, and not when it was made."""
        now = instant_text(clock.now())
        if self._new is not None:
            self._new.set("created_at", now)
            self._new.set("updated_at", now)
        for changed in self._changed:
            changed.set("updated_at", now)
        self._history.set("at", now)

    def store(self) -> int:
        """Store the rows, and do to tickets what follows; how many memberships changed."""
        if self._new is not None:
            Membership.run_prepared(self._new)
        for changed in self._changed:
            Membership.run_prepared(changed)
        actor.touch(self._history.ids)
        MembershipChange.append_prepared(self._history)
        if self._joined or self._refunded:
            from models.tickets import Ticket

            if self._joined:
                Ticket.consume_for(self._joined)
            if self._refunded:
                Ticket.cancel_for(self._refunded)
        return len(self._moves)


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
    def fetch(cls, found: Iterable[Membership]) -> list[Self]:
        """The rows of a `query`, tallied without a query for each."""
        rows = list(found)
        tallies = tally(rows)
        return [cls(row, tallies[row.id]) for row in rows]

    @classmethod
    def closing(
        cls,
        within_days: int,
        kind_id: UUID | None = None,
        program_id: UUID | None = None,
        limit: int | None = None,
        offset: int = 0,
    ) -> list[Self]:
        """Who is still active in a program that has ended or ends within so many days."""
        if kind_id is not None:
            ProgramKind.of(kind_id)
        if program_id is not None:
            Program.of(program_id)
        select = _closing(of_kind=kind_id is not None, of_program=program_id is not None)
        days = Program.todays(plus_days=within_days)
        return cls.fetch(select.rows(limit, offset, kind_id=kind_id, program_id=program_id, **days))


@functools.cache
def _closing(*, of_kind: bool, of_program: bool) -> Select[Membership]:
    found = Participation.query().where(
        Membership.state == MembershipState.ACTIVE,
        Program.end_date <= given("day_ahead"),
        Program.end_date <= Program.today_column(),
    )
    if of_kind:
        found = found.where(Program.kind == given("kind_id"))
    if of_program:
        found = found.where(Program.id == given("program_id"))
    names = Program.name, User.shown_name_column()
    return Select(found.order_by(Program.end_date, *names, Membership.user, Membership.program))


def tally(rows: Sequence[Membership]) -> dict[UUID, Tally]:
    """For each membership, how the user's other ones ended; one query for thousands of users."""
    ends: dict[UUID, dict[tuple[UUID, bool], int]] = {}
    users = dict.fromkeys(row.user_id for row in rows)
    for user_id, kind_id, state, count in _ends().stored(user_ids=users):
        mine = ends.setdefault(UUID(user_id), {})
        key = UUID(kind_id), state in COMPLETIONS
        mine[key] = mine.get(key, 0) + count

    def of(row: Membership) -> Tally:
        mine = ends.get(row.user_id, {})
        same = row.program.kind_id

        def others(complete: bool, kind_id: UUID | None, own: bool) -> int:
            counts = (
                count
                for (kind, completed), count in mine.items()
                if completed is complete and kind_id in (None, kind)
            )
            return sum(counts) - own

        completed = row.state in COMPLETIONS
        incomplete = row.state is MembershipState.INCOMPLETE
        return Tally(
            others(True, same, completed),
            others(True, None, completed),
            others(False, same, incomplete),
            others(False, None, incomplete),
        )

    return {row.id: of(row) for row in rows}


@functools.cache
def _ends() -> Statement:
    """The select of how often each of some users has ended programs of a kind in a state."""
    return Statement(
        Membership.select(Membership.user, Program.kind, Membership.state, peewee.fn.COUNT("*"))
        .join(Program)
        .where(
            Membership.user.in_(any_given("user_ids")),
            Membership.state.in_([*COMPLETIONS, MembershipState.INCOMPLETE]),
        )
        .group_by(Membership.user, Program.kind, Membership.state)
    )
