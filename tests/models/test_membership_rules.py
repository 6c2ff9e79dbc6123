"""What a membership is, and what its history tells."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import peewee
import pytest

from models import clock
from models.actor import Actor, How, acting, by
from models.audit import Audit, audited
from models.cohorts import Cohort
from models.database import writing
from models.errors import Conflict, NotFound
from models.memberships import (
    Membership,
    MembershipChange,
    MembershipRole,
    MembershipState,
    Standing,
    settle,
)


@pytest.fixture
def make_cohort(world):
    def make(program, name="Monday"):
        with writing():
            return Cohort.confirm(program.id, name)

    return make


def last_change(member):
    return Membership.get_by_id(member.id).history()[-1]


def test_there_is_one_membership_of_a_user_in_a_program(make_membership):
    member = make_membership()

    with pytest.raises(peewee.IntegrityError), writing():
        Membership.add(
            user=member.user_id,
            program=member.program_id,
            role=MembershipRole.MEMBER,
            state=MembershipState.ACTIVE,
            date=member.date,
        )


def test_it_is_brought_back_in_place(make_membership):
    member = make_membership(state=MembershipState.DROPPED, date=date(2026, 1, 1))

    with writing():
        Membership.put(member.user.id, member.program, state=MembershipState.ACTIVE)

    [found] = Membership.select()
    assert (member.id, member.date, member.created_at) == (found.id, found.date, found.created_at)


@pytest.mark.parametrize("before", MembershipState)
@pytest.mark.parametrize("after", MembershipState)
def test_any_change_between_states_is_allowed_and_in_the_history(make_membership, before, after):
    member = make_membership(state=before)

    with writing():
        changed = member.say(after)

    states = [(row.before and row.before.state, row.after.state) for row in member.history()]
    assert changed is (before is not after)
    assert states == [(None, before)] + [(before, after)] * changed


def test_a_change_tells_who_and_how_and_when(make_membership):
    member = make_membership()
    author = Actor("core.Something", "request", uuid4(), uuid4())
    clock.set_to(datetime(2026, 3, 11, tzinfo=UTC))

    with writing(), acting(author):
        member.say(MembershipState.COMPLETED, comments="well done", state_detail="with honours")

    row = last_change(member)
    assert (row.at, row.how) == (datetime(2026, 3, 11, tzinfo=UTC), How.API)
    assert (author.token_id, author.user_id) == (row.token_id, row.acting_user_id)
    assert (row.comments, row.state_detail) == ("well done", "with honours")


def test_a_change_tells_from_and_to_of_state_role_cohort_and_date(make_program, make_membership, make_cohort):
    program = make_program()
    monday, tuesday = make_cohort(program), make_cohort(program, "Tuesday")
    member = make_membership(program=program, cohort_id=monday.id)

    with writing():
        Membership.put(
            member.user_id,
            program,
            role=MembershipRole.TRAINER,
            state=MembershipState.COMPLETED,
            cohort_id=tuesday.id,
            date=date(2026, 3, 1),
        )

    row = last_change(member)
    day, states = date(2026, 3, 10), MembershipState
    assert row.before == Standing(MembershipRole.MEMBER, states.ACTIVE, monday.id, day)
    assert row.after == Standing(MembershipRole.TRAINER, states.COMPLETED, tuesday.id, date(2026, 3, 1))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"role": MembershipRole.OBSERVER}, "to_role"),
        ({"state": MembershipState.DROPPED}, "to_state"),
        ({"date": date(2026, 1, 1)}, "to_date"),
    ],
)
def test_a_change_of_any_one_of_them_is_one_row(make_membership, change, told):
    member = make_membership()

    with writing():
        changed = Membership.put(member.user.id, member.program, **change)

    assert changed is True
    assert len(member.history()) == 2
    assert getattr(last_change(member), told) == next(iter(change.values()))


def test_leaving_a_cohort_is_one_row(make_program, make_membership, make_cohort):
    program = make_program()
    cohort = make_cohort(program)
    member = make_membership(program=program, cohort_id=cohort.id)

    with writing():
        Membership.put(member.user.id, program, cohort_id=None)

    row = last_change(member)
    assert (row.from_cohort_id, row.to_cohort_id) == (cohort.id, None)


@pytest.mark.parametrize("how", How)
def test_the_way_of_a_change_is_noted(make_membership, how):
    member = make_membership()

    with writing(), by(how):
        member.say(MembershipState.COMPLETED)

    assert how is last_change(member).how


def test_what_changes_nothing_writes_nothing_and_counts_zero(make_membership):
    member = make_membership()
    before = Membership.get_by_id(member.id).__data__
    clock.set_to(datetime(2026, 3, 11, tzinfo=UTC))

    with writing():
        changed = [
            Membership.put(member.user.id, member.program),
            Membership.put(member.user.id, member.program, state=MembershipState.ACTIVE),
            member.say(MembershipState.ACTIVE),
            member.move_date(member.date),
        ]

    assert changed == [False] * 4
    assert settle([]) == 0
    assert before == Membership.get_by_id(member.id).__data__
    assert len(member.history()) == 1


def test_a_call_that_changes_nothing_leaves_no_audit_row(make_membership):
    member = make_membership()

    with writing(), audited(Actor("core.Something")):
        member.say(MembershipState.ACTIVE)

    assert Audit.select().count() == 0


def test_a_call_that_changes_something_leaves_one_audit_row_that_names_it(make_membership):
    member = make_membership()

    with writing(), audited(Actor("core.Something", "request")):
        member.say(MembershipState.COMPLETED)

    [row] = Audit.select()
    assert (row.method, row.request_id) == ("core.Something", "request")
    assert str(member.id) in row.touched.split()


def test_an_annotation_changes_nothing_but_what_was_said(make_membership):
    member = make_membership()

    with writing():
        member.say(MembershipState.ACTIVE, comments="was ill")

    row = last_change(member)
    assert row.before == row.after == member.standing
    assert (row.comments, Membership.get_by_id(member.id).comments) == ("was ill", "was ill")


def test_comments_are_taken_back_by_empty_ones(make_membership):
    member = make_membership()

    with writing():
        said = [member.say(MembershipState.ACTIVE, comments=text) for text in ("ill", "", "")]

    assert said == [True, True, False]
    assert Membership.get_by_id(member.id).comments == ""


def test_history_is_never_changed_by_later_changes(make_membership):
    member = make_membership()
    first = MembershipChange.get().__data__

    with writing():
        member.say(MembershipState.COMPLETED)
        member.say(MembershipState.ACTIVE)

    assert first == member.history()[0].__data__


def test_a_cohort_must_belong_to_the_program(make_user, make_program, make_cohort):
    cohort = make_cohort(make_program())

    with pytest.raises(Conflict) as caught:
        Membership.put(make_user().id, make_program(), cohort_id=cohort.id)

    assert caught.value.word == "COHORT_OF_ANOTHER_PROGRAM"
    assert Membership.select().count() == 0


def test_what_is_missing_is_named(make_user, make_program):
    user, program = make_user(), make_program()
    nobody = UUID(int=1)
    words = []

    for pair in ((user.id, program.id), (nobody, program.id), (user.id, nobody)):
        with pytest.raises(NotFound) as caught:
            Membership.of(*pair)
        words.append(caught.value.word)

    assert words == ["MEMBERSHIP_NOT_FOUND", "USER_NOT_FOUND", "PROGRAM_NOT_FOUND"]
