"""Syncing a cohort: who of some users is moved into it, and who is added to its program."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from enum import StrEnum
from uuid import UUID

import peewee

from models import actor
from models.actor import How
from models.cohorts import Cohort
from models.errors import Conflict, TooManyChanges
from models.ids import TextUUID
from models.memberships import Membership, MembershipRole, MembershipState, Move, Settlement
from models.people import User, UserStatus
from models.programs import Program
from models.statements import Rows, Select, SetOf, any_given, given


class SyncMode(StrEnum):
    """Whether only members of the program are moved, or others added as well."""

    CLOSED = "closed"
    OPEN = "open"


class Sync:
    """Users on their way into a cohort: planned where they are found, carried out in the writer.

    Who is active in the program, in another cohort or none, is moved, and keeps their role. Who is not
    in the program is added, if the mode is open. Nobody is removed, and nobody whose state has ended is
    brought back. What is carried out is never more than what was planned: whoever meanwhile needs or
    may have nothing more is left out.
    """

    def __init__(
        self,
        user_ids: Sequence[str],
        program_id: UUID,
        cohort_id: UUID,
        role: MembershipRole,
        mode: SyncMode,
    ) -> None:
        """NotFound: program or cohort. Conflict: the cohort is another program's; users cannot be added
        because the program is archived."""
        self._program_id, self._cohort_id = program_id, cohort_id
        self._role, self._mode = role, mode
        self._moved: Rows[Membership]
        self._added: list[str]
        self._settlement: Settlement
        self._look_at(user_ids)

    def _look_at(self, user_ids: Sequence[str]) -> None:
        """Find out what is to be done with each of the users, as things are."""
        self._program = Program.of(self._program_id)
        Cohort.of(self._cohort_id, self._program_id)
        if self._mode is SyncMode.OPEN and self._program.archived:
            raise Conflict("PROGRAM_ARCHIVED", "The program is archived and takes no new members")
        self._moved = _movable().at_once(
            program_id=self._program_id, cohort_id=self._cohort_id, user_ids=user_ids
        )
        self._added = []
        if self._mode is SyncMode.OPEN:
            found = _strangers().stored(program_id=self._program_id, user_ids=user_ids)
            strangers = {user_id for (user_id,) in found}
            self._added = [user_id for user_id in user_ids if user_id in strangers]

    @property
    def changes(self) -> int:
        """How many memberships change."""
        return len(self._moved) + len(self._added)

    def check_at_most(self, allowed: int) -> None:
        """TooManyChanges when there are more."""
        if self.changes > allowed:
            moved, added = len(self._moved), len(self._added)
            raise TooManyChanges(changes=self.changes, moved=moved, added=added, allowed=allowed)

    def prepare(self) -> None:
        """Make the rows that are to be stored."""
        moves = []
        for row in self._moved:
            row.program = self._program
            before = row.standing
            moves.append(Move(row, before, before._replace(cohort_id=self._cohort_id)))
        new = {"role": self._role, "cohort_id": self._cohort_id, "date": self._program.first_day()}
        moves += [Membership.begin(TextUUID(user_id), self._program, **new) for user_id in self._added]
        # Neighbours in the index of users, so that fewer of its pages are gone to more than once.
        moves.sort(key=lambda move: str(move.membership.user_id))
        with actor.by(How.SYNC):
            self._settlement = Settlement(moves)
            self._settlement.prepare()

    def carry_out(self) -> int:
        """Store the rows, after another look at the users; how many memberships changed."""
        planned = self._moved.stored, self._added
        self._look_at(self._moved.column("user_id") + self._added)
        if (self._moved.stored, self._added) != planned:
            self.prepare()
        self._settlement.postpone()
        return self._settlement.store()


@functools.cache
def _movable() -> Select[Membership]:
    """The select of those of some users who are active in a program, but not in a cohort."""
    found = Membership.select().where(
        Membership.program == given("program_id"),
        Membership.user.in_(any_given("user_ids")),
        Membership.state == MembershipState.ACTIVE,
        Membership.cohort.is_null() | (Membership.cohort != given("cohort_id")),
    )
    return Select(found)


@functools.cache
def _strangers() -> SetOf:
    """The select of those of some users who are not in a program, and not retired."""
    theirs = Membership.select().where(Membership.program == given("program_id"), Membership.user == User.id)
    users = User.select(User.id).where(User.id.in_(any_given("user_ids")), User.status == UserStatus.ACTIVE)
    return SetOf(users.where(~peewee.fn.EXISTS(theirs)))
