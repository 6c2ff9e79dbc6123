"""Syncing a cohort: who of some users is moved into it, and who is added to its program."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from enum import StrEnum
from itertools import chain
from typing import Any
from uuid import UUID

import peewee

from models import actor
from models.actor import How
from models.cohorts import Cohort
from models.errors import Conflict, Invalid, TooManyChanges
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
    in the program is added, if the mode is open. Who has withdrawn is active again, in the cohort and in
    their role, if that is asked for. Nobody is removed, and nobody else whose state has ended is brought
    back. What is carried out is never more than what was planned: whoever meanwhile needs or
    may have nothing more is left out.
    """

    def __init__(
        self,
        user_ids: Sequence[str],
        program_id: UUID,
        cohort_id: UUID,
        role: MembershipRole,
        mode: SyncMode,
        bring_back: bool = False,
    ) -> None:
        """NotFound: program or cohort. Conflict: the cohort is another program's; users cannot be added
        because the program is archived. Invalid: users are brought back by an open sync only."""
        if bring_back and mode is not SyncMode.OPEN:
            raise Invalid({"bring_back": ["Needs mode open."]})
        self._program_id, self._cohort_id = program_id, cohort_id
        self._role, self._mode, self._bring_back = role, mode, bring_back
        self._moved: Rows[Membership]
        self._returned: Rows[Membership]
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
        brought_back = user_ids if self._bring_back else []
        self._returned = _withdrawn().at_once(program_id=self._program_id, user_ids=brought_back)
        self._added = []
        if self._mode is SyncMode.OPEN:
            found = _strangers().stored(program_id=self._program_id, user_ids=user_ids)
            strangers = {user_id for (user_id,) in found}
            self._added = [user_id for user_id in user_ids if user_id in strangers]

    @property
    def changes(self) -> int:
        """How many memberships change."""
        return len(self._moved) + len(self._returned) + len(self._added)

    @property
    def _plan(self) -> tuple[Any, ...]:
        return self._moved.stored, self._returned.stored, self._added

    def check_at_most(self, allowed: int) -> None:
        """TooManyChanges when there are more."""
        if self.changes > allowed:
            raise TooManyChanges(
                changes=self.changes,
                moved=len(self._moved),
                added=len(self._added),
                broughtBack=len(self._returned),
                allowed=allowed,
            )

    def prepare(self) -> None:
        """Make the rows that are to be stored."""
        moves = []
        for row in chain(self._moved, self._returned):
            row.program = self._program
            before = row.standing
            # Those who are moved are active as it is.
            after = before._replace(state=MembershipState.ACTIVE, cohort_id=self._cohort_id)
            moves.append(Move(row, before, after))
        new = {"role": self._role, "cohort_id": self._cohort_id, "date": self._program.first_day()}
        moves += [Membership.begin(TextUUID(user_id), self._program, **new) for user_id in self._added]
        # Neighbours in the index of users, so that fewer of its pages are gone to more than once.
        moves.sort(key=lambda move: str(move.membership.user_id))
        with actor.by(How.SYNC):
            self._settlement = Settlement(moves)
            self._settlement.prepare()

    def carry_out(self) -> int:
        """Store the rows, after another look at the users; how many memberships changed."""
        planned = self._plan
        self._look_at([*self._moved.column("user_id"), *self._returned.column("user_id"), *self._added])
        if self._plan != planned:
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
def _withdrawn() -> Select[Membership]:
    """The select of those of some users who have withdrawn from a program, and are not retired."""
    active = User.select().where(User.id == Membership.user, User.status == UserStatus.ACTIVE)
    found = Membership.select().where(
        Membership.program == given("program_id"),
        Membership.user.in_(any_given("user_ids")),
        Membership.state == MembershipState.WITHDRAWN,
        peewee.fn.EXISTS(active),
    )
    return Select(found)


@functools.cache
def _strangers() -> SetOf:
    """The select of those of some users who are not in a program, and not retired."""
    theirs = Membership.select().where(Membership.program == given("program_id"), Membership.user == User.id)
    users = User.select(User.id).where(User.id.in_(any_given("user_ids")), User.status == UserStatus.ACTIVE)
    return SetOf(users.where(~peewee.fn.EXISTS(theirs)))
