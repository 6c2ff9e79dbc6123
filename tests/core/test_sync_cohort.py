"""core.SyncCohort"""

from __future__ import annotations

from uuid import UUID

import pytest

from client import Client, RpcError
from models import sample
from models.actor import Actor, acting
from models.audit import Audit
from models.cohorts import Cohort
from models.database import database, writing
from models.errors import Conflict, NotFound
from models.memberships import Membership, MembershipChange, MembershipRole, MembershipState
from models.people import Label, User, UserStatus
from models.programs import Program
from models.sync import Sync, SyncMode, _movable, _strangers
from models.tickets import Ticket, TicketState
from models.tokens import Scope, Token

ENDED = [state for state in MembershipState if state is not MembershipState.ACTIVE]
MODES = ["closed", "open"]
every_mode = pytest.mark.parametrize("mode", MODES)


@pytest.fixture
def program(make_program):
    return make_program()


@pytest.fixture
def make_cohort(program):
    def make(name, of=program):
        with writing():
            return Cohort.confirm(of.id, name)

    return make


@pytest.fixture
def monday(make_cohort):
    return make_cohort("Monday")


@pytest.fixture
def tuesday(make_cohort):
    return make_cohort("Tuesday")


@pytest.fixture
def make_member(program, make_membership):
    """Somebody who is in the program, as the test says."""
    return lambda **values: make_membership(program=program, **values)


@pytest.fixture
def sync(client, program, monday):
    """Sync Monday with some users, or with a query."""

    def call(*users, **more):
        query = f"given users [{', '.join(str(user.id) for user in users)}]"
        given = {"program_id": program.id, "cohort_id": monday.id, "query": query} | more
        return client.sync_cohort(**given)

    return call


def cohort_of(member):
    return Membership.get_by_id(member.id).cohort_id


def standings():
    """What every membership is, by program and user."""
    return {(row.program_id, row.user_id): row.standing for row in Membership.select()}


def history():
    return MembershipChange.select().count()


# The table


@every_mode
def test_an_active_member_who_is_in_the_cohort_stays(sync, make_member, monday, mode):
    member = make_member(cohort_id=monday.id)
    before = history()

    assert sync(member.user, mode=mode) == 0
    assert (cohort_of(member), history()) == (monday.id, before)


@every_mode
def test_an_active_member_in_another_cohort_is_moved(sync, make_member, monday, tuesday, mode):
    member = make_member(cohort_id=tuesday.id)

    assert sync(member.user, mode=mode) == 1
    assert cohort_of(member) == monday.id


@every_mode
def test_an_active_member_without_a_cohort_is_moved(sync, make_member, monday, mode):
    member = make_member()

    assert sync(member.user, mode=mode) == 1
    assert cohort_of(member) == monday.id


@every_mode
@pytest.mark.parametrize("state", ENDED)
def test_a_member_whose_state_has_ended_is_never_brought_back_or_moved(
    sync, make_member, tuesday, state, mode
):
    one, other = make_member(state=state), make_member(state=state, cohort_id=tuesday.id)
    before = standings()

    assert sync(one.user, other.user, mode=mode) == 0
    assert standings() == before


def test_who_is_not_in_the_program_stays_out_of_a_closed_sync(sync, make_user):
    user = make_user()

    assert sync(user) == sync(user, mode="closed") == 0
    assert Membership.select().count() == 0


def test_who_is_not_in_the_program_is_added_by_an_open_one(sync, program, monday, make_user):
    user = make_user()

    assert sync(user, mode="open") == 1
    [member] = Membership.select()
    assert (member.user_id, member.program_id, member.cohort_id) == (user.id, program.id, monday.id)
    assert (member.role, member.state) == (MembershipRole.MEMBER, MembershipState.ACTIVE)
    assert member.date == program.today()


@pytest.mark.parametrize("role", MembershipRole)
def test_who_is_added_gets_the_role(sync, make_user, role):
    sync(make_user(), mode="open", role=role)

    assert [member.role for member in Membership.select()] == [role]


@pytest.mark.parametrize("before", MembershipRole)
@pytest.mark.parametrize("asked", MembershipRole)
@every_mode
def test_the_role_of_who_is_there_already_never_changes(sync, make_member, before, asked, mode):
    member = make_member(role=before)

    sync(member.user, mode=mode, role=asked)

    assert Membership.get_by_id(member.id).role is before


@every_mode
def test_who_is_not_found_is_not_removed_or_moved(
    sync, make_member, make_user, monday, tuesday, make_membership, mode
):
    make_member(cohort_id=monday.id)
    make_member(cohort_id=tuesday.id)
    make_membership(user=make_user())  # of another program
    found, before = make_user(), standings()

    sync(found, mode=mode)

    assert {key: row for key, row in standings().items() if key[1] != found.id} == before


def test_all_of_it_at_once_and_the_second_run_changes_nothing(
    sync, make_member, make_user, monday, tuesday, program
):
    there = make_member(cohort_id=monday.id)
    moved = [make_member(cohort_id=tuesday.id), make_member(role="trainer"), make_member(role="observer")]
    ended = make_member(state="completed")
    added = [make_user() for _ in range(4)]
    users = [added[0], there.user, *(row.user for row in moved), ended.user, *added[1:]]
    by_user = {there.user_id: monday.id, ended.user_id: None}
    by_user |= {row.user_id: monday.id for row in moved} | {user.id: monday.id for user in added}

    assert sync(*users, mode="open") == 7
    assert {row.user_id: row.cohort_id for row in Membership.select()} == by_user
    before = standings(), history()
    assert sync(*users, mode="open") == sync(*users) == 0
    assert (standings(), history()) == before


@every_mode
def test_other_programs_are_none_of_its_business(sync, make_user, make_membership, mode):
    user = make_user()
    elsewhere = make_membership(user=user)
    before = elsewhere.standing

    assert sync(user, mode=mode) == (1 if mode == "open" else 0)
    assert Membership.get_by_id(elsewhere.id).standing == before


def test_users_are_added_in_the_order_of_the_query(client, sync, make_user):
    users = [make_user() for _ in range(20)]

    sync(mode="open", query="all users")

    assert [row.user_id for row in Membership.select().order_by(Membership.id)] == [row.id for row in users]


# Finding


def test_users_are_found_by_label(sync, make_user, make_member):
    labelled, other = make_user(), make_user()
    member = make_member()
    with writing():
        label = Label.put(None, handle="london-region", name="London Region")
        for user in (labelled, member.user):
            user.put_label(label)

    assert sync(query="given labels [london-region]", mode="open") == 2
    assert {row.user_id for row in Membership.select()} == {labelled.id, member.user_id}
    assert other.id not in {row.user_id for row in Membership.select()}


@every_mode
def test_a_query_that_finds_nobody_changes_nothing(sync, make_member, mode):
    make_member()
    before = standings(), history()

    assert sync(query="where first is 'Nobody'", mode=mode) == 0
    assert (standings(), history()) == before


def test_retired_users_are_not_found(sync, make_user, make_member):
    retired = make_user(status=UserStatus.RETIRED)
    member = make_member()
    with writing():
        member.user.edit(status=UserStatus.RETIRED)

    assert sync(retired, member.user, mode="open") == 0


def test_the_current_user_is_the_one_the_token_acts_for(client, server, sync, make_user, program, monday):
    make_user()
    user = make_user()
    with writing():
        _, secret = Token.issue("theirs", Scope.WRITE, user)

    changed = Client(server.url, secret).sync_cohort(program.id, monday.id, "current user", mode="open")

    assert changed == 1
    assert [row.user_id for row in Membership.select()] == [user.id]


def test_a_token_that_acts_for_nobody_is_told_so(sync, refusal):
    error = refusal(sync, query="current user", mode="open")

    assert (error.code, list(error.fields)) == (-32602, ["query"])


# Names that name nothing


def test_a_query_with_names_that_name_nothing_is_refused_with_them(sync, refusal, make_user, make_member):
    make_user(), make_member()
    before = standings()

    error = refusal(sync, query="all users ^\n except groups [stuff, 'Staff, all']", mode="open")

    assert (error.code, error.word) == (-32002, "UNKNOWN_NAMES")
    assert error.data["unknown"] == [
        {"list": "groups", "item": "stuff", "line": 2, "column": 17},
        {"list": "groups", "item": "Staff, all", "line": 2, "column": 24},
    ]
    assert standings() == before


def test_a_dry_run_with_names_that_name_nothing_is_refused(sync, refusal):
    error = refusal(sync, query="given labels [alumn]", dry_run=True)

    assert error.word == "UNKNOWN_NAMES"


def test_names_that_name_nothing_are_ignored_where_that_is_asked_for(sync, make_user):
    make_user()

    assert sync(query="all users ^ except groups [stuff]", mode="open", unknown="ignore") == 1


def test_no_more_than_a_hundred_names_are_told(sync, refusal):
    names = ", ".join(f"l{number}" for number in range(300))

    error = refusal(sync, query=f"given labels [{names}]")

    assert len(error.data["unknown"]) == 100
    assert "nor 299 more" in str(error)


def test_names_are_known_however_they_are_spelled(sync, make_user):
    user = make_user(email="ada@example.org")
    with writing():
        user.put_label(Label.put(None, handle="London"))

    assert sync(query="given labels [' LONDON'] ^ given users [ADA@example.org]", mode="open") == 1


# Those who have withdrawn


def test_those_who_have_withdrawn_come_back_into_the_cohort_in_their_role(
    sync, make_member, monday, tuesday, client, program
):
    member = make_member(role="trainer", state="withdrawn", cohort_id=tuesday.id)

    assert sync(member.user, mode="open", bring_back=True) == 1

    back = Membership.get_by_id(member.id)
    assert (back.state, back.role, back.cohort_id) == (MembershipState.ACTIVE, member.role, monday.id)
    assert back.date == member.date
    change = client.membership_history(member.user_id, program.id)[-1]
    assert (change["how"], change["from"]["state"], change["to"]["state"]) == ("sync", "withdrawn", "active")
    assert sync(member.user, mode="open", bring_back=True) == 0


@pytest.mark.parametrize("state", [state for state in ENDED if state is not MembershipState.WITHDRAWN])
def test_nobody_else_whose_state_has_ended_comes_back(sync, make_member, state):
    member = make_member(state=state)
    before = standings()

    assert sync(member.user, mode="open", bring_back=True) == 0
    assert standings() == before


def test_a_retired_user_does_not_come_back_also_where_the_query_finds_them(sync, make_member):
    member = make_member(state="withdrawn")
    with writing():
        member.user.edit(status=UserStatus.RETIRED)
    before = standings()

    query = f"given users [{member.user_id}] ^ status = any"

    assert sync(query=query, mode="open", bring_back=True) == 0
    assert standings() == before


def test_who_comes_back_uses_a_ticket_as_whoever_joins(sync, program, make_member, make_ticket):
    member = make_member(state="withdrawn")
    ticket = make_ticket(program.kind_id, member.user)

    sync(member.user, mode="open", bring_back=True)

    used = Ticket.get_by_id(ticket.id)
    assert (used.state, used.membership_id) == (TicketState.CONSUMED, member.id)


@pytest.mark.parametrize("more", [{}, {"mode": "closed"}])
def test_only_an_open_sync_brings_back(sync, refusal, make_member, more):
    member = make_member(state="withdrawn")
    before = standings()

    error = refusal(sync, member.user, bring_back=True, **more)

    assert (error.code, error.fields) == (-32602, {"bringBack": ["Needs mode open."]})
    assert standings() == before


def test_those_who_come_back_count_as_changes(sync, refusal, make_member, make_user):
    back, moved, added = make_member(state="withdrawn"), make_member(), make_user()
    users = back.user, moved.user, added

    assert sync(*users, mode="open", bring_back=True, dry_run=True) == 3
    error = refusal(sync, *users, mode="open", bring_back=True, max_changes=2)

    counts = {name: error.data[name] for name in ("changes", "moved", "added", "broughtBack")}
    assert counts == {"changes": 3, "moved": 1, "added": 1, "broughtBack": 1}
    assert sync(*users, mode="open", bring_back=True, max_changes=3) == 3


# Tickets and history


def test_who_is_added_uses_their_oldest_ticket(sync, program, make_user, make_ticket):
    user = make_user()
    used, left = (make_ticket(program.kind_id, user) for _ in range(2))

    sync(user, mode="open")

    [member], used = Membership.select(), Ticket.get_by_id(used.id)
    assert (used.state, used.membership_id, used.program_id) == (
        TicketState.CONSUMED,
        member.id,
        program.id,
    )
    assert used.consumed_at == member.created_at
    assert Ticket.get_by_id(left.id).state is TicketState.READY


@pytest.mark.parametrize("role", ["trainer", "observer"])
def test_who_is_added_in_another_role_uses_none(sync, program, make_user, make_ticket, role):
    user = make_user()
    ticket = make_ticket(program.kind_id, user)

    sync(user, mode="open", role=role)

    assert Ticket.get_by_id(ticket.id).state is TicketState.READY


def test_who_is_moved_uses_none(sync, program, make_member, make_ticket):
    member = make_member()
    _, left = (make_ticket(program.kind_id, member.user) for _ in range(2))

    assert sync(member.user, mode="open") == 1
    assert Ticket.get_by_id(left.id).state is TicketState.READY


def test_the_history_tells_who_and_how_and_from_what_to_what(
    sync, server, world, client, program, monday, tuesday, make_member, make_user, make_ticket
):
    member, user = make_member(cohort_id=tuesday.id, role="trainer"), make_user()
    make_ticket(program.kind_id, user)

    sync(member.user, user, mode="open", role="observer")

    moved = client.membership_history(member.user_id, program.id)[-1]
    [added] = client.membership_history(user.id, program.id)
    [token] = [row for row in client.admin.list_tokens() if row["name"] == "admin"]
    assert {(row["how"], row["token"]) for row in (moved, added)} == {("sync", token["id"])}
    assert (moved["from"]["cohortId"], moved["to"]["cohortId"]) == (str(tuesday.id), str(monday.id))
    assert moved["from"] | {"cohortId": None} == moved["to"] | {"cohortId": None}
    assert added["from"] is None
    assert (added["to"]["role"], added["to"]["cohortId"]) == ("observer", str(monday.id))
    assert moved["comments"] is added["comments"] is None


def test_one_audit_row_names_what_was_written(sync, make_member, make_user):
    member, user = make_member(), make_user()

    sync(member.user, user, mode="open")

    [row] = Audit.select().where(Audit.method == "core.SyncCohort")
    added = Membership.get(Membership.user == user.id)
    assert {str(member.id), str(added.id)} < set(row.touched.split())


@pytest.mark.parametrize("more", [{}, {"dry_run": True}, {"max_changes": 0}])
def test_where_nothing_is_written_no_audit_row_is(sync, make_member, monday, more):
    sync(make_member(cohort_id=monday.id).user, **more)

    assert Audit.select().where(Audit.method == "core.SyncCohort").count() == 0


# dryRun and maxChanges


@pytest.fixture
def crowd(make_member, make_user, tuesday, monday):
    """Two who are moved, three who can be added, and two of whom nothing becomes."""
    members = [
        make_member(),
        make_member(cohort_id=tuesday.id),
        make_member(cohort_id=monday.id),
        make_member(state="dropped"),
    ]
    return [member.user for member in members] + [make_user() for _ in range(3)]


@pytest.mark.parametrize(("mode", "changes"), [("closed", 2), ("open", 5)])
def test_a_dry_run_answers_as_the_real_one_and_writes_nothing(sync, crowd, mode, changes):
    before = standings(), history(), Audit.select().count()

    assert sync(*crowd, mode=mode, dry_run=True) == changes
    assert (standings(), history(), Audit.select().count()) == before
    assert sync(*crowd, mode=mode, dry_run=False) == changes
    assert sync(*crowd, mode=mode, dry_run=True) == 0


@pytest.mark.parametrize(("mode", "moved", "added"), [("closed", 2, 0), ("open", 2, 3)])
def test_more_changes_than_allowed_are_refused_with_the_counts(sync, refusal, crowd, mode, moved, added):
    before = standings(), history()

    error = refusal(sync, *crowd, mode=mode, max_changes=moved + added - 1)

    assert (error.code, error.word) == (-32006, "TOO_MANY_CHANGES")
    assert error.data == {
        "code": "TOO_MANY_CHANGES",
        "changes": moved + added,
        "moved": moved,
        "added": added,
        "broughtBack": 0,
        "allowed": moved + added - 1,
    }
    assert (standings(), history()) == before


@pytest.mark.parametrize(("mode", "changes"), [("closed", 2), ("open", 5)])
def test_as_many_changes_as_allowed_are_made(sync, crowd, mode, changes):
    assert sync(*crowd, mode=mode, max_changes=changes) == changes


def test_no_change_may_be_allowed(sync, refusal, make_member, monday):
    there, elsewhere = make_member(cohort_id=monday.id), make_member()

    assert sync(there.user, max_changes=0) == 0
    assert refusal(sync, there.user, elsewhere.user, max_changes=0).data["changes"] == 1


def test_a_dry_run_is_refused_as_the_real_one_is(sync, refusal, crowd):
    error = refusal(sync, *crowd, mode="open", max_changes=4, dry_run=True)

    assert (error.word, error.data["changes"]) == ("TOO_MANY_CHANGES", 5)


# Refusals


@every_mode
def test_an_unknown_program_is_an_error(sync, refusal, mode):
    error = refusal(sync, program_id=sample.NOBODY, query="all users", mode=mode)

    assert (error.code, error.word) == (-32001, "PROGRAM_NOT_FOUND")


@every_mode
def test_an_unknown_cohort_is_an_error(sync, refusal, mode):
    error = refusal(sync, cohort_id=sample.NOBODY, query="all users", mode=mode)

    assert (error.code, error.word) == (-32001, "COHORT_NOT_FOUND")


@every_mode
def test_a_cohort_of_another_program_is_a_conflict(sync, refusal, make_cohort, make_program, make_user, mode):
    other = make_cohort("Monday", make_program())

    error = refusal(sync, make_user(), cohort_id=other.id, mode=mode)

    assert (error.code, error.word) == (-32002, "COHORT_OF_ANOTHER_PROGRAM")
    assert Membership.select().count() == 0


def test_an_open_sync_into_an_archived_program_is_a_conflict(
    sync, refusal, client, program, make_member, make_user
):
    member, user = make_member(), make_user()
    client.admin.save_program(program.id, archived=True)
    before = standings()

    for users in ([user], [member.user], [user, member.user]):
        for more in ({}, {"dry_run": True}):
            error = refusal(sync, *users, mode="open", **more)
            assert (error.code, error.word) == (-32002, "PROGRAM_ARCHIVED")
    assert standings() == before


def test_a_closed_sync_into_an_archived_program_moves(sync, client, program, make_member):
    member = make_member()
    client.admin.save_program(program.id, archived=True)

    assert sync(member.user) == 1


@every_mode
@pytest.mark.parametrize("query", ["given", "given labels [", "", "  "])
def test_a_query_that_does_not_parse_changes_nothing(sync, refusal, make_member, query, mode):
    make_member()
    before = standings(), history()

    error = refusal(sync, query=query, mode=mode)

    assert (error.code, error.word, list(error.fields)) == (-32602, "INVALID_PARAMS", ["query"])
    assert (standings(), history()) == before


def test_all_that_is_wrong_is_told_at_once(client):
    with pytest.raises(RpcError) as caught:
        client.call(
            "core.SyncCohort",
            programId="x",
            query="a" * 10_001,
            role="boss",
            mode="ajar",
            dryRun="yes",
            maxChanges=-1,
            other=1,
        )

    wrong = ["cohortId", "dryRun", "maxChanges", "mode", "other", "programId", "query", "role"]
    assert sorted(caught.value.fields) == wrong


def test_values_may_stand_in_the_documented_order(client, program, monday, make_user):
    make_user()
    given = [program.id, monday.id, "all users", "trainer", "open"]

    assert client.call("core.SyncCohort", *given, True) == 1
    assert client.call("core.SyncCohort", *given, False, 1) == 1
    assert [row.role for row in Membership.select()] == [MembershipRole.TRAINER]


def test_a_token_that_may_only_read_is_refused(server, world, program, monday, refusal):
    reader = Client(server.url, world.secrets[Scope.READ])

    error = refusal(reader.sync_cohort, program.id, monday.id, "all users", dry_run=True)

    assert error.word == "FORBIDDEN"


# In a batch


def test_in_a_batch_it_sees_what_was_written_before_it(client, program, monday, make_user):
    user = make_user()
    sync = {"programId": program.id, "cohortId": monday.id, "query": "all users"}
    join = {"programId": program.id, "userId": user.id}

    outcomes = client.batch(
        [
            ("core.SyncCohort", sync),
            ("core.ModifyProgramMembership", join),
            ("core.SyncCohort", sync | {"dryRun": True}),
            ("core.SyncCohort", sync),
            ("core.ModifyProgramMembership", join | {"clear": ["cohortId"]}),
            ("core.CreateUser", {"email": "new@example.org"}),
            ("core.SyncCohort", sync | {"mode": "open"}),
            ("core.SyncCohort", sync | {"mode": "open"}),
        ]
    )

    assert [outcomes[place] for place in (0, 2, 3, 6, 7)] == [0, 1, 1, 2, 0]


def test_in_a_batch_one_that_is_refused_leaves_the_others(client, program, monday, make_user, refusal):
    make_user()
    sync = {"programId": program.id, "cohortId": monday.id, "query": "all users", "mode": "open"}

    refused, changed = client.batch(
        [("core.SyncCohort", sync | {"maxChanges": 0}), ("core.SyncCohort", sync | {"maxChanges": 1})]
    )

    assert (refused.word, changed) == ("TOO_MANY_CHANGES", 1)


# Between the reader and the writer


@pytest.fixture
def plan(program, monday):
    """A sync of Monday with users, as a reader plans it."""

    def planned(*users, role=MembershipRole.MEMBER, mode=SyncMode.OPEN, bring_back=False):
        made = Sync([str(user.id) for user in users], program.id, monday.id, role, mode, bring_back)
        made.prepare()
        return made

    return planned


def carry_out(planned):
    with writing(), acting(Actor("core.SyncCohort")):
        return planned.carry_out()


def test_what_was_planned_is_carried_out(plan, make_member, make_user, tuesday):
    planned = plan(make_member().user, make_member(cohort_id=tuesday.id).user, make_user())

    assert planned.changes == carry_out(planned) == 3


def test_it_happens_when_it_is_written(plan, make_member, make_user, set_clock):
    member, user = make_member(), make_user()
    planned = plan(member.user, user)
    set_clock("2026-03-11T08:00:00Z")
    with writing():
        member.say(MembershipState.ACTIVE, comments="meanwhile")

    carry_out(planned)

    said, moved = Membership.get_by_id(member.id).history()[1:]
    added = Membership.get(Membership.user == user.id)
    [joined] = added.history()
    instants = {moved.at, joined.at, added.created_at, added.updated_at}
    assert instants == {said.at, Membership.get_by_id(member.id).updated_at}
    assert (said.comments, moved.to_cohort_id) == ("meanwhile", added.cohort_id)  # in this order


def test_what_was_said_meanwhile_stays(plan, make_member):
    member = make_member()
    planned = plan(member.user)
    with writing():
        member.say(MembershipState.ACTIVE, comments="meanwhile")

    assert carry_out(planned) == 1
    assert Membership.get_by_id(member.id).comments == "meanwhile"


def test_who_has_joined_meanwhile_is_moved_and_keeps_their_role(plan, make_member, make_user, monday):
    user, other = make_user(), make_user()
    planned = plan(user, other)
    member = make_member(user=user, role="trainer")

    assert carry_out(planned) == 2
    stored = Membership.get_by_id(member.id)
    assert (stored.role, stored.cohort_id) == (MembershipRole.TRAINER, monday.id)
    assert Membership.select().count() == 2


def test_who_has_joined_that_cohort_meanwhile_is_left_as_they_are(plan, make_member, make_user, monday):
    user = make_user()
    planned = plan(user)
    member = make_member(user=user, cohort_id=monday.id)

    assert carry_out(planned) == 0
    assert len(member.history()) == 1


def test_who_has_joined_and_ended_meanwhile_is_not_brought_back(plan, make_member, make_user):
    user = make_user()
    planned = plan(user)
    member = make_member(user=user, state="withdrawn")

    assert carry_out(planned) == 0
    assert Membership.get_by_id(member.id).state is MembershipState.WITHDRAWN


def test_who_has_come_back_meanwhile_is_moved(plan, make_member, tuesday, monday):
    member, other = make_member(state="withdrawn"), make_member(state="withdrawn", cohort_id=monday.id)
    planned = plan(member.user, other.user, bring_back=True)
    with writing():
        member.say(MembershipState.ACTIVE, tuesday.id)
        other.say(MembershipState.ACTIVE)

    assert (planned.changes, carry_out(planned)) == (2, 1)
    assert Membership.get_by_id(member.id).cohort_id == monday.id


def test_who_has_withdrawn_meanwhile_is_brought_back(plan, make_member):
    member = make_member()
    planned = plan(member.user, bring_back=True)
    with writing():
        member.say(MembershipState.WITHDRAWN)

    assert (planned.changes, carry_out(planned)) == (1, 1)
    assert Membership.get_by_id(member.id).state is MembershipState.ACTIVE


def test_whose_state_has_ended_meanwhile_is_not_moved(plan, make_member, tuesday):
    ended, active = make_member(cohort_id=tuesday.id), make_member(cohort_id=tuesday.id)
    planned = plan(ended.user, active.user)
    with writing():
        ended.say(MembershipState.COMPLETED)

    assert carry_out(planned) == 1
    assert cohort_of(ended) == tuesday.id


def test_who_was_moved_elsewhere_meanwhile_is_moved_from_there(
    plan, make_member, make_cohort, monday, program
):
    member, wednesday = make_member(), make_cohort("Wednesday")
    planned = plan(member.user)
    with writing():
        Membership.put(member.user_id, program, cohort_id=wednesday.id)

    assert carry_out(planned) == 1
    changes = [(row.from_cohort_id, row.to_cohort_id) for row in member.history()[1:]]
    assert changes == [(None, wednesday.id), (wednesday.id, monday.id)]


def test_who_has_changed_their_role_meanwhile_keeps_the_new_one(plan, make_member, program):
    member = make_member()
    planned = plan(member.user)
    with writing():
        Membership.put(member.user_id, program, role=MembershipRole.OBSERVER)

    assert carry_out(planned) == 1
    stored = Membership.get_by_id(member.id)
    assert stored.role is stored.history()[-1].to_role is MembershipRole.OBSERVER


def test_who_is_gone_meanwhile_is_left_out(plan, make_user):
    gone, other = make_user(), make_user()
    planned = plan(gone, other)
    with writing():
        database.execute_sql("DELETE FROM user WHERE id = ?", [str(gone.id)])

    assert carry_out(planned) == 1
    assert [row.user_id for row in Membership.select()] == [other.id]


def test_a_program_archived_meanwhile_takes_nobody(plan, make_user, program):
    planned = plan(make_user())
    with writing():
        Program.put(program.id, archived=True)

    with pytest.raises(Conflict) as caught:
        carry_out(planned)

    assert caught.value.word == "PROGRAM_ARCHIVED"
    assert Membership.select().count() == 0


def test_a_cohort_that_is_gone_meanwhile_is_an_error(plan, make_user, monday):
    planned = plan(make_user())
    with writing():
        database.execute_sql("DELETE FROM cohort WHERE id = ?", [str(monday.id)])

    with pytest.raises(NotFound) as caught:
        carry_out(planned)

    assert caught.value.word == "COHORT_NOT_FOUND"


def test_a_ticket_that_came_meanwhile_is_used(plan, make_user, make_ticket, program):
    user = make_user()
    planned = plan(user)
    ticket = make_ticket(program.kind_id, user)

    carry_out(planned)

    assert Ticket.get_by_id(ticket.id).state is TicketState.CONSUMED


def test_a_ticket_that_was_canceled_meanwhile_is_not(plan, make_user, make_ticket, program):
    user = make_user()
    ticket, left = make_ticket(program.kind_id, user), make_ticket(program.kind_id, user)
    planned = plan(user)
    with writing():
        ticket.cancel()

    carry_out(planned)

    states = [Ticket.get_by_id(one.id).state for one in (ticket, left)]
    assert states == [TicketState.CANCELED, TicketState.CONSUMED]


# Many


def test_a_thousand_are_added_and_moved(client, program, monday, tuesday, world):
    with writing():
        User.insert_rows([User.new() for _ in range(1000)])

    def sync(cohort, **more):
        return client.sync_cohort(program.id, cohort.id, "all users", **more)

    assert sync(monday, mode="open") == 1000
    assert sync(tuesday, max_changes=1000) == 1000
    assert sync(tuesday, mode="open") == 0
    assert {row.cohort_id for row in Membership.select()} == {tuesday.id}
    assert (Membership.select().count(), history()) == (1000, 2000)


@pytest.mark.parametrize("rows", [lambda: _movable()._set, _strangers], ids=["moved", "added"])
def test_users_are_looked_at_by_index_each_and_no_table_is_read(world, rows):
    made = rows()._statement
    explained = database.execute_sql(f"EXPLAIN QUERY PLAN {made.sql}", ["[]"] * len(made.params))

    steps = [step for *_, step in explained if "json_each" not in step]

    assert [step for step in steps if step.startswith("SCAN")] == []
    searches = [step for step in steps if step.startswith("SEARCH") and "membership" in step]
    assert len(searches) == 1
    assert "program_id=?" in searches[0]
    assert "user_id=?" in searches[0]


def test_ids_may_be_of_any_letter_case(client, program, monday, make_member):
    make_member()

    assert client.sync_cohort(str(program.id).upper(), UUID(str(monday.id)), "all users") == 1
