"""core.ListClosingParticipants"""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

import pytest

from models import sample
from models.cohorts import Cohort
from models.database import database, writing
from models.memberships import Membership, MembershipRole, MembershipState, Participation, ParticipationSelect
from models.people import Gender, UserStatus
from models.programs import Mode

TODAY = date(2026, 3, 10)
ENDED = (
    MembershipState.COMPLETED,
    MembershipState.GRADUATED,
    MembershipState.INCOMPLETE,
    MembershipState.WITHDRAWN,
    MembershipState.DROPPED,
    MembershipState.REFUNDED,
)


@pytest.fixture
def ending(make_kind, make_program):
    """Make a program of one day that ends so many days after today."""

    def make(days, **values):
        kind_id = values.pop("kind_id", None) or make_kind(duration=1).id
        return make_program(kind_id=kind_id, start_date=TODAY + timedelta(days=days), **values)

    return make


@pytest.fixture
def ended(make_user, make_program, make_membership):
    """Make a membership that has ended some way, of a user in a program of a kind."""

    def make(user, state, kind=None):
        program = make_program(kind_id=kind and kind.id)
        member = make_membership(user=user, program=program)
        with writing():
            member.say(state)

    return make


def test_a_participation_comes_back_member_by_member(
    client, make_user, make_kind, make_program, make_membership
):
    top = make_kind()
    kind = make_kind(
        name="Cooking",
        handle="cooking",
        group="School",
        parent_id=top.id,
        mode=Mode.OPEN,
        duration=10,
        priority=3,
    )
    parent = make_program()
    program = make_program(kind_id=kind.id, name="Spring", start_date=date(2026, 3, 5), parent_id=parent.id)
    with writing():
        cohort = Cohort.confirm(program.id, "Monday group")
    user = make_user(
        email="Ada@example.org",
        first="Ada",
        last="Lovelace",
        gender=Gender.FEMALE,
        dob=date(1815, 12, 10),
        external_status="paid",
    )
    make_membership(
        user=user, program=program, cohort_id=cohort.id, role=MembershipRole.TRAINER, date=date(2026, 3, 8)
    )

    [found] = client.list_closing_participants()

    assert list(found.items()) == [
        ("programName", "Spring"),
        ("programKind", str(kind.id)),
        ("programId", str(program.id)),
        ("programGroup", "School"),
        ("baseName", "Cooking"),
        ("baseHandle", "cooking"),
        ("cohortId", str(cohort.id)),
        ("cohortName", "Monday group"),
        ("state", "active"),
        ("startDate", "2026-03-05"),
        ("endDate", "2026-03-14"),
        ("duration", 10),
        ("programDay", 6),
        ("participantDay", 3),
        ("mode", "open"),
        ("role", "trainer"),
        ("userId", str(user.id)),
        ("email", "Ada@example.org"),
        ("userName", "Ada Lovelace"),
        ("firstName", "Ada"),
        ("lastName", "Lovelace"),
        ("gender", "female"),
        ("dob", "1815-12-10"),
        ("isActive", True),
        ("orgStatus", "paid"),
        ("sameProgramCompletions", 0),
        ("allProgramCompletions", 0),
        ("sameProgramIncomplete", 0),
        ("allProgramIncomplete", 0),
        ("parentId", str(parent.id)),
        ("programKindParent", str(top.id)),
    ]


def test_what_there_is_not_is_null(client, ending, make_user, make_membership):
    make_membership(user=make_user(email=None), program=ending(0))

    [found] = client.list_closing_participants()

    assert [name for name, value in found.items() if value is None] == [
        "programGroup",
        "baseHandle",
        "cohortId",
        "cohortName",
        "email",
        "userName",
        "firstName",
        "lastName",
        "gender",
        "dob",
        "orgStatus",
        "parentId",
        "programKindParent",
    ]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ({"name": "A. Lovelace", "first": "Ada", "last": "Lovelace"}, "A. Lovelace"),
        ({"first": "Ada", "last": "Lovelace"}, "Ada Lovelace"),
        ({"first": "Ada"}, "Ada"),
        ({"last": "Lovelace"}, "Lovelace"),
        ({"name": "", "first": "", "last": ""}, None),
    ],
)
def test_who_has_no_name_is_called_by_first_and_last(
    client, ending, make_user, make_membership, names, expected
):
    make_membership(user=make_user(**names), program=ending(0))

    [found] = client.list_closing_participants()

    assert expected == found["userName"]


@pytest.mark.parametrize(
    ("within", "expected"),
    [(None, [-400, -1, 0, 7]), (0, [-400, -1, 0]), (8, [-400, -1, 0, 7, 8]), (7.0, [-400, -1, 0, 7])],
)
def test_programs_that_have_ended_or_end_within_so_many_days_are_listed(
    client, ending, make_membership, within, expected
):
    for days in (8, 7, 0, -1, -400):
        make_membership(program=ending(days, name=str(days)))

    found = client.list_closing_participants(within_days=within)

    assert [int(row["programName"]) for row in found] == expected


@pytest.mark.parametrize(
    ("zone", "last"), [("Pacific/Auckland", "2026-03-12"), ("America/Los_Angeles", "2026-03-11")]
)
def test_days_are_counted_from_today_in_the_programs_own_zone(
    client, ending, make_membership, set_clock, zone, last
):
    for days in range(4):
        make_membership(program=ending(days, timezone=zone))
    set_clock("2026-03-10T23:30:00Z")

    found = client.list_closing_participants(within_days=1)

    assert last == max(row["endDate"] for row in found)


@pytest.mark.parametrize("state", ENDED)
def test_only_active_memberships_are_listed(client, ending, make_membership, state):
    member = make_membership(program=ending(0))
    with writing():
        member.say(state)

    assert client.list_closing_participants() == []


def test_every_role_is_listed(client, ending, make_membership):
    program = ending(0)
    for role in MembershipRole:
        make_membership(program=program, role=role)

    found = client.list_closing_participants()

    assert sorted(row["role"] for row in found) == ["member", "observer", "trainer"]


def test_archived_programs_and_retired_users_are_listed(client, ending, make_user, make_membership):
    program = ending(0)
    member = make_membership(user=make_user(), program=program)
    with writing():
        member.user.edit(status=UserStatus.RETIRED)
        program.change(archived=True)

    assert len(client.list_closing_participants()) == 1


def test_they_come_by_end_date_program_name_user_name_and_id(client, ending, make_user, make_membership):
    late, b, a = ending(1, name="a"), ending(0, name="b"), ending(0, name="a")
    zoe, adam = make_user(name="Zoe"), make_user(first="Adam")
    twins = [make_user(id=UUID(int=number), name="Twin") for number in (2, 1)]
    for user, program in ((adam, late), (adam, b), (zoe, a), (twins[0], a), (twins[1], a), (adam, a)):
        make_membership(user=user, program=program)

    found = client.list_closing_participants()

    shown = [(row["endDate"][-2:], row["programName"], row["userName"], row["userId"][-1]) for row in found]
    assert [row[:3] for row in shown] == [
        ("10", "a", "Adam"),
        ("10", "a", "Twin"),
        ("10", "a", "Twin"),
        ("10", "a", "Zoe"),
        ("10", "b", "Adam"),
        ("11", "a", "Adam"),
    ]
    assert [row[3] for row in shown[1:3]] == ["1", "2"]


def test_one_user_in_programs_of_one_name_comes_by_program_id(client, ending, make_user, make_membership):
    user = make_user()
    for number in (2, 3, 1):
        make_membership(user=user, program=ending(0, id=UUID(int=number), name="Same"))

    found = client.list_closing_participants()

    assert [UUID(row["programId"]).int for row in found] == [1, 2, 3]


def test_a_kind_narrows_the_list_to_exactly_its_programs(client, ending, make_kind, make_membership):
    kind = make_kind(duration=1)
    child = make_kind(duration=1, parent_id=kind.id)
    mine = make_membership(program=ending(0, kind_id=kind.id))
    make_membership(program=ending(0, kind_id=child.id))
    make_membership(program=ending(0))

    found = client.list_closing_participants(program_kind_id=kind.id)

    assert [row["programId"] for row in found] == [str(mine.program_id)]


def test_a_program_narrows_the_list_to_itself(client, ending, make_membership):
    mine = make_membership(program=ending(0))
    make_membership(program=ending(0))

    found = client.list_closing_participants(program_id=mine.program_id)

    assert [row["programId"] for row in found] == [str(mine.program_id)]


def test_a_program_of_another_kind_than_the_one_given_leaves_nothing(
    client, ending, make_kind, make_membership
):
    member = make_membership(program=ending(0))

    found = client.list_closing_participants(program_id=member.program_id, program_kind_id=make_kind().id)

    assert found == []


def test_limit_and_offset_cut_out_a_page(client, ending, make_user, make_membership):
    program = ending(0)
    for name in "edcba":
        make_membership(user=make_user(name=name), program=program)

    pages = [client.list_closing_participants(limit=2, offset=offset) for offset in (0, 2, 4, 6)]

    names = [[row["userName"] for row in page] for page in pages]
    assert names == [["a", "b"], ["c", "d"], ["e"], []]


@pytest.mark.parametrize(("mode", "expected"), [(Mode.FIXED, (-1, -1)), (Mode.OPEN, (-1, 9))])
def test_before_a_program_starts_its_day_is_zero_or_negative(
    client, make_kind, make_program, make_membership, mode, expected
):
    kind = make_kind(mode=mode, duration=1)
    program = make_program(kind_id=kind.id, start_date=date(2026, 3, 12))
    make_membership(program=program, date=date(2026, 3, 2))

    [found] = client.list_closing_participants()

    assert expected == (found["programDay"], found["participantDay"])


@pytest.mark.parametrize(("zone", "day"), [("Pacific/Auckland", 2), ("UTC", 1), ("America/Los_Angeles", 1)])
def test_the_days_of_a_program_turn_at_its_own_midnight(
    client, make_kind, make_program, make_membership, set_clock, zone, day
):
    kind = make_kind(mode=Mode.OPEN, duration=2)
    program = make_program(kind_id=kind.id, start_date=TODAY, timezone=zone)
    make_membership(program=program, date=TODAY)
    set_clock("2026-03-10T23:30:00Z")

    [found] = client.list_closing_participants()

    assert (found["programDay"], found["participantDay"]) == (day, day)


@pytest.mark.parametrize(("days", "active"), [(-1, False), (0, True), (1, False)])
def test_a_participation_is_active_while_its_program_runs(client, ending, make_membership, days, active):
    make_membership(program=ending(days))

    [found] = client.list_closing_participants()

    assert found["isActive"] is active


@pytest.mark.parametrize(
    ("state", "counters"),
    [
        (MembershipState.COMPLETED, (1, 2, 0, 0)),
        (MembershipState.GRADUATED, (1, 2, 0, 0)),
        (MembershipState.INCOMPLETE, (0, 0, 1, 2)),
        (MembershipState.WITHDRAWN, (0, 0, 0, 0)),
        (MembershipState.DROPPED, (0, 0, 0, 0)),
        (MembershipState.REFUNDED, (0, 0, 0, 0)),
        (MembershipState.ACTIVE, (0, 0, 0, 0)),
    ],
)
def test_the_counters_tell_how_the_users_other_memberships_ended(
    client, ending, ended, make_user, make_kind, make_membership, state, counters
):
    user, kind = make_user(), make_kind(duration=30)
    program = ending(0, kind_id=kind.id)
    make_membership(user=user, program=program)
    ended(user, state, kind)
    ended(user, state)
    ended(make_user(), state, kind)

    [found] = client.list_closing_participants(within_days=36_600, program_id=program.id)

    names = (
        "sameProgramCompletions",
        "allProgramCompletions",
        "sameProgramIncomplete",
        "allProgramIncomplete",
    )
    assert counters == tuple(found[name] for name in names)


@pytest.mark.parametrize("state", [MembershipState.COMPLETED, MembershipState.INCOMPLETE])
def test_the_counters_leave_out_the_membership_itself(make_membership, state):
    make_membership(state=state)

    [found] = ParticipationSelect(Participation.query()).rows()

    assert set(vars(found.tally).values()) == {0}


def test_completions_and_graduations_count_together(ended, make_user, make_kind):
    user, kind = make_user(), make_kind()
    for state in (MembershipState.COMPLETED, MembershipState.GRADUATED, MembershipState.INCOMPLETE):
        ended(user, state, kind)

    found = ParticipationSelect(Participation.query()).rows()

    tallies = {row.membership.state.value: tuple(vars(row.tally).values()) for row in found}
    assert tallies == {
        "completed": (1, 1, 1, 1),
        "graduated": (1, 1, 1, 1),
        "incomplete": (2, 2, 0, 0),
    }


@pytest.fixture
def count_queries(server):
    """Count the rows that a call gives and the SELECTs that it takes, in all threads of the server."""

    def count(call, **params):
        seen = []
        database.query_hooks.append(seen.append)
        try:
            rows = call(**params)
        finally:
            database.query_hooks.clear()
        return len(rows), sum(event.sql.startswith("SELECT") for event in seen)

    return count


def test_two_hundred_rows_take_as_many_queries_as_one(
    client, ending, make_user, make_membership, count_queries
):
    closing, earlier = ending(0), ending(-9)
    for _ in range(200):
        user = make_user()
        make_membership(user=user, program=closing)
        make_membership(user=user, program=earlier, state=MembershipState.COMPLETED)
    client.list_closing_participants(limit=1)  # the server has looked up the token by now

    one = count_queries(client.list_closing_participants, limit=1)
    all_of_them = count_queries(client.list_closing_participants)

    assert (one, all_of_them) == ((1, 3), (200, 3))


def test_it_changes_nothing(client, ending, make_membership):
    member = make_membership(program=ending(0))

    client.list_closing_participants()

    assert member.__data__ == Membership.get_by_id(member.id).__data__


def test_an_unknown_kind_is_not_an_empty_list(client, refusal):
    error = refusal(client.list_closing_participants, program_kind_id=sample.NOBODY)

    assert (error.code, error.word) == (-32001, "PROGRAM_KIND_NOT_FOUND")


def test_an_unknown_program_is_not_an_empty_list(client, refusal):
    error = refusal(client.list_closing_participants, program_id=sample.NOBODY)

    assert (error.code, error.word) == (-32001, "PROGRAM_NOT_FOUND")


@pytest.mark.parametrize("days", [-1, 36_601, 7.5, "7", True, 2**64, 1e300])
def test_days_that_are_no_whole_number_in_bounds_are_refused(client, refusal, days):
    error = refusal(client.list_closing_participants, within_days=days)

    assert (error.code, list(error.fields)) == (-32602, ["withinDays"])
