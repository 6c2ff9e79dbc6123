"""Nightly imports: they bring what is new in the files, and undo nothing that people did here."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import UUID

import pytest

from models import clock
from models.cohorts import Cohort
from models.database import writing
from models.memberships import Membership, MembershipRole, MembershipState
from models.people import Label, User, UserStatus
from models.programs import Program, ProgramKind
from models.roster.columns import row_id

RICH = {
    "academicSessions": "sourcedId,startDate,endDate\nspring,2026-02-01,2026-05-01\n",
    "courses": "sourcedId,status,title,courseCode\ncook,active,Cooking,cooking\n",
    "classes": "sourcedId,status,title,courseSourcedId,termSourcedIds\n"
    "cook-1,active,Cooking in spring,cook,spring\n",
    "users": "sourcedId,status,givenName,familyName,email,phone,enabledUser,metadata.labels\n"
    'ada,active,Ada,Lovelace,ada@example.org,123,true,"vip,alumni"\n',
    "enrollments": "sourcedId,status,classSourcedId,userSourcedId,role,beginDate,metadata.state,"
    "metadata.cohort\n"
    "e1,active,cook-1,ada,student,2026-02-03,active,Monday\n",
}


@pytest.fixture
def rich(bring):
    """A set in which every column that is looked at says something, imported once."""
    bring(**RICH)


@pytest.fixture
def tonight(bring):
    """Import the same set with some cells replaced: `tonight("active,Monday", "completed,Monday")`."""

    def again(*replaced, **files):
        changed = dict(RICH)
        if replaced:
            [name] = [name for name, content in RICH.items() if content.count(replaced[0]) == 1]
            changed[name] = RICH[name].replace(*replaced)
        return bring(**(changed | files))

    return again


@pytest.fixture
def change(membership):
    """Change Ada's membership here, as a call would."""

    def put(**values):
        found = membership()
        with writing():
            assert Membership.put(found.user_id, Program.of(found.program_id), **values)

    return put


def test_a_second_import_of_the_same_files_changes_nothing(rich, tonight, everything):
    before = everything()

    report = tonight()

    assert everything() == before
    total = report.total
    assert (total.created, total.updated, total.refused, total.history) == (0, 0, 0, 0)


@pytest.mark.parametrize("name", ["academicSessions", "courses", "classes", "users", "enrollments"])
def test_files_that_are_missing_change_nothing(rich, bring, everything, name):
    before = everything()

    bring(**{other: content for other, content in RICH.items() if other != name})

    assert everything() == before


def test_rows_that_are_missing_change_nothing(rich, tonight, everything):
    before = everything()

    tonight(**{name: content.splitlines()[0] for name, content in RICH.items()})

    assert everything() == before


@pytest.mark.parametrize("name", ["courses", "classes", "users", "enrollments"])
def test_columns_and_cells_that_are_missing_change_nothing(rich, tonight, everything, name):
    before = everything()
    needed = {"sourcedId", "classSourcedId", "userSourcedId"}
    header, row = RICH[name].replace('"vip,alumni"', "").splitlines()
    cells = dict(zip(header.split(","), row.split(","), strict=True))
    kept = {column: cell for column, cell in cells.items() if column in needed}

    without_columns = tonight(**{name: f"{','.join(kept)}\n{','.join(kept.values())}\n"})
    empty = (cell if column in needed else "" for column, cell in cells.items())
    without_cells = tonight(**{name: f"{header}\n{','.join(empty)}\n"})

    assert everything() == before
    assert without_columns.refusals == without_cells.refusals == []


# Memberships


def test_a_state_that_people_set_stays_while_the_file_says_the_same(rich, tonight, change, membership):
    change(state=MembershipState.GRADUATED)

    report = tonight()

    assert membership().state is MembershipState.GRADUATED
    assert report.counts["enrollments.csv"].unchanged == 1


def test_a_file_changes_a_state_when_it_says_another_than_before(rich, tonight, change, membership):
    change(state=MembershipState.INCOMPLETE)

    report = tonight("active,Monday", "completed,Monday")

    assert membership().state is MembershipState.COMPLETED
    assert (report.counts["enrollments.csv"].updated, report.counts["enrollments.csv"].history) == (1, 1)


def test_after_a_change_by_people_the_file_s_old_state_is_no_news(rich, tonight, change, membership):
    tonight("active,Monday", "completed,Monday")
    change(state=MembershipState.ACTIVE)

    tonight("active,Monday", "completed,Monday")

    assert membership().state is MembershipState.ACTIVE


def test_a_state_is_remembered_over_a_file_that_says_none(rich, tonight, change, membership):
    change(state=MembershipState.COMPLETED)
    tonight("active,Monday", ",Monday")

    tonight()

    assert membership().state is MembershipState.COMPLETED


def test_the_spelling_of_a_state_is_no_news(rich, tonight, change, membership):
    change(state=MembershipState.COMPLETED)

    tonight("active,Monday", "ACTIVE ,Monday")

    assert membership().state is MembershipState.COMPLETED


def ends(member):
    """When each end was stored, and the day on which it happened."""
    rows = [row for row in member.history() if row.to_state is MembershipState.WITHDRAWN]
    return [(row.at, row.effective_date) for row in rows]


def test_the_end_that_a_file_brings_later_is_dated_by_it(rich, tonight, membership):
    tonight(
        enrollments="sourcedId,classSourcedId,userSourcedId,endDate,metadata.state\n"
        "e1,cook-1,ada,2026-03-01,withdrawn\n"
    )

    assert ends(membership()) == [(clock.now(), date(2026, 3, 1))]


@pytest.mark.parametrize(
    ("values", "cells", "name", "expected"),
    [
        ({"role": MembershipRole.OBSERVER}, ("student", "teacher"), "role", MembershipRole.TRAINER),
        ({"date": date(2026, 2, 20)}, ("2026-02-03", "2026-02-10"), "date", date(2026, 2, 10)),
    ],
)
def test_role_and_date_that_people_set_stay_until_the_file_says_something_new(
    rich, tonight, change, membership, values, cells, name, expected
):
    change(**values)

    tonight()
    kept = getattr(membership(), name)
    tonight(*cells)

    assert (kept, getattr(membership(), name)) == (values[name], expected)


def test_a_cohort_that_people_chose_stays_until_the_file_names_another(rich, tonight, change, membership):
    with writing():
        tuesday = Cohort.confirm(membership().program_id, "Tuesday")
    change(cohort_id=tuesday.id)

    tonight()
    kept = membership().cohort_id
    tonight("active,Monday", "active,Friday")

    assert (kept, membership().cohort.name) == (tuesday.id, "Friday")


def test_other_roles_of_oneroster_that_mean_the_same_are_no_news(rich, tonight, change, membership):
    tonight(",student,", ",aide,")
    change(role=MembershipRole.MEMBER)

    tonight(",student,", ",proctor,")

    assert membership().role is MembershipRole.MEMBER


def test_an_active_membership_that_is_to_be_deleted_is_withdrawn(rich, tonight, membership):
    tonight("e1,active,", "e1,tobedeleted,")

    assert membership().state is MembershipState.WITHDRAWN


@pytest.mark.parametrize("state", [one for one in MembershipState if one is not MembershipState.ACTIVE])
def test_an_ended_membership_that_is_to_be_deleted_stays_as_it_is(rich, tonight, change, membership, state):
    change(state=state)

    report = tonight("e1,active,", "e1,tobedeleted,")

    assert membership().state is state
    assert report.total.history == 0


def test_who_was_brought_back_by_people_is_not_withdrawn_again(rich, tonight, change, membership):
    tonight("e1,active,", "e1,tobedeleted,")
    change(state=MembershipState.ACTIVE)

    tonight("e1,active,", "e1,tobedeleted,")

    assert membership().state is MembershipState.ACTIVE


def test_an_enrollment_that_is_active_again_brings_back_whom_an_import_ended(rich, tonight, membership):
    tonight("e1,active,", "e1,tobedeleted,")

    report = tonight()

    assert membership().state is MembershipState.ACTIVE
    assert (report.changes.comes_back, report.warnings) == (1, [])


@pytest.mark.parametrize("state", [one for one in MembershipState if one is not MembershipState.ACTIVE])
def test_an_enrollment_that_is_active_again_leaves_whom_a_person_ended_with_a_warning(
    rich, tonight, change, membership, state
):
    change(state=state)
    tonight("e1,active,", "e1,tobedeleted,")

    report = tonight()

    assert membership().state is state
    assert [(one.code, one.sourced_id) for one in report.warnings] == [("KEPT_AS_IT_IS", "e1")]


def test_whom_a_person_ended_again_after_an_import_stays_so(rich, tonight, change, membership):
    tonight("e1,active,", "e1,tobedeleted,")
    change(state=MembershipState.ACTIVE)
    change(state=MembershipState.WITHDRAWN)

    report = tonight()

    assert membership().state is MembershipState.WITHDRAWN
    assert [one.code for one in report.warnings] == ["KEPT_AS_IT_IS"]


def test_what_a_person_changed_since_the_end_does_not_keep_an_import_from_bringing_back(
    rich, tonight, change, membership
):
    tonight("e1,active,", "e1,tobedeleted,")
    change(date=date(2026, 2, 20))

    tonight()

    assert (membership().state, membership().date) == (MembershipState.ACTIVE, date(2026, 2, 20))


def test_who_is_back_under_another_sourced_id_is_active_again(rich, tonight, membership):
    tonight("e1,active,", "e1,tobedeleted,")

    tonight("e1,active,", "e2,active,")

    assert (membership().state, membership().sourced_id) == (MembershipState.ACTIVE, "e2")


def test_the_withdrawal_is_dated_by_the_enrollment_s_end(rich, tonight, membership):
    tonight(
        enrollments="sourcedId,status,classSourcedId,userSourcedId,endDate\n"
        "e1,tobedeleted,cook-1,ada,2026-03-02\n"
    )

    assert ends(membership()) == [(clock.now(), date(2026, 3, 2))]


def test_an_end_that_a_file_dates_before_the_making_stands_after_it(bring_small, membership):
    clock.set_to(datetime(2025, 9, 10, tzinfo=UTC))
    bring_small()
    clock.set_to(datetime(2025, 10, 15, tzinfo=UTC))
    bring_small(
        enrollments="sourcedId,status,classSourcedId,userSourcedId,endDate\n"
        "e1,tobedeleted,cook-1,ada,2025-09-05\n"
    )

    made, ended = membership().history()

    assert (made.before, made.effective_date) == (None, None)
    assert (ended.before, ended.to_state) == (made.after, MembershipState.WITHDRAWN)
    assert (ended.at, ended.effective_date) == (clock.now(), date(2025, 9, 5))


def test_what_is_to_be_deleted_and_was_never_here_is_not_made(bring):
    report = bring(
        academicSessions=RICH["academicSessions"],
        **{
            name: RICH[name].replace("active", "tobedeleted", 1)
            for name in ("courses", "classes", "users", "enrollments")
        },
    )

    assert report.total.created == 0
    assert not User.select().exists()
    assert not ProgramKind.select().exists()


def test_a_membership_that_was_made_here_follows_the_file_from_its_first_mention(
    bring, rich, make_user, program, membership
):
    bring(users="sourcedId\nbob\n")
    with writing():
        Membership.put(row_id("default", "user", "bob"), program())

    report = bring(
        enrollments="sourcedId,classSourcedId,userSourcedId,role,metadata.state\ne2,cook-1,bob,teacher,completed\n"
    )

    found = membership("bob")
    assert (found.role, found.state, found.sourced_id) == ("trainer", "completed", "e2")
    assert report.counts["enrollments.csv"].updated == 1


def test_who_is_enrolled_again_under_another_id_goes_on_with_the_same_membership(rich, tonight, membership):
    before = membership().id
    header = RICH["enrollments"].splitlines()[0]
    both = (
        f"{header}\ne1,tobedeleted,cook-1,ada,student,,,\n"
        "e2,active,cook-1,ada,student,2026-02-03,active,Monday\n"
    )

    tonight(enrollments=both)
    again = tonight(enrollments=both)

    assert (membership().id, membership().sourced_id) == (before, "e2")
    assert (again.total.updated, again.total.history, again.refusals) == (0, 0, [])


def test_an_enrollment_does_not_move_to_another_user(rich, tonight):
    report = tonight(
        users=RICH["users"] + "bob,active,Bob,,,,,\n",
        enrollments="sourcedId,classSourcedId,userSourcedId\ne1,cook-1,bob\n",
    )

    assert [one.code for one in report.refusals] == ["ENROLLMENT_IS_FIXED"]


def test_an_archived_program_takes_no_new_members_but_lets_old_ones_change(
    rich, tonight, program, membership
):
    with writing():
        program().change(archived=True)

    report = tonight(
        users=RICH["users"] + "bob,active,Bob,,,,,\n",
        enrollments="sourcedId,classSourcedId,userSourcedId,metadata.state\n"
        "e1,cook-1,ada,completed\ne2,cook-1,bob,active\n",
    )

    assert [(one.line, one.code) for one in report.refusals] == [(3, "PROGRAM_ARCHIVED")]
    assert membership().state is MembershipState.COMPLETED


# Users


@pytest.mark.parametrize(
    ("column", "mine", "cells", "theirs"),
    [
        ("first", "Augusta", ("Ada,", "Ida,"), "Ida"),
        ("last", "King", ("Lovelace", "Byron"), "Byron"),
        ("mobile", "999", ("123", "456"), "456"),
        ("status", UserStatus.RETIRED, None, None),
    ],
)
def test_what_people_changed_of_a_user_stays_until_the_file_says_something_new(
    rich, tonight, user, column, mine, cells, theirs
):
    with writing():
        user("ada").edit(**{column: mine})

    tonight()
    kept = getattr(user("ada"), column)

    assert kept == mine
    if cells:
        tonight(*cells)
        assert getattr(user("ada"), column) == theirs


def test_a_new_email_in_the_file_is_taken_over(rich, tonight, user):
    report = tonight("ada@example.org", "Countess@example.org")

    assert (user("ada").email, user("ada").email_key) == ("Countess@example.org", "countess@example.org")
    assert report.counts["users.csv"].updated == 1


def test_another_spelling_of_the_email_is_no_change(rich, tonight, user):
    report = tonight("ada@example.org", "ADA@example.org")

    assert user("ada").email == "ada@example.org"
    assert report.counts["users.csv"].unchanged == 1


def test_a_new_email_that_is_another_user_s_is_warned_of_and_the_rest_of_the_row_is_done(
    rich, tonight, user, make_user
):
    make_user(email="countess@example.org")

    report = tonight("Ada,Lovelace,ada@example.org", "Ida,Lovelace,countess@example.org")

    assert [one.code for one in report.warnings] == ["EMAIL_TAKEN"]
    assert (user("ada").first, user("ada").email) == ("Ida", "ada@example.org")


@pytest.mark.parametrize("cells", [("ada,active", "ada,tobedeleted"), (",true,", ",false,")])
def test_a_user_who_is_to_be_deleted_or_not_enabled_is_retired_once(rich, tonight, user, cells):
    tonight(*cells)
    retired = user("ada").status
    with writing():
        user("ada").edit(status=UserStatus.ACTIVE)

    tonight(*cells)

    assert (retired, user("ada").status) == (UserStatus.RETIRED, UserStatus.ACTIVE)


def test_a_user_who_is_active_again_in_the_file_is_active_again(rich, tonight, user):
    tonight("ada,active", "ada,tobedeleted")

    tonight()

    assert user("ada").status is UserStatus.ACTIVE


def test_who_was_erased_stays_erased(rich, tonight, user, membership, everything):
    with writing():
        user("ada").erase()
    before = everything()

    report = tonight("Lovelace", "Byron")
    tonight("active,Monday", "completed,Monday")

    assert everything() == before
    assert report.refusals == []


def test_erasing_a_user_forgets_what_the_files_said_of_them(rich, user):
    with writing():
        user("ada").erase()

    assert user("ada").imported is None


def labels_of(user):
    User.fetch_handles([user])
    return user.labels


def test_labels_that_people_put_on_or_took_off_stay_so(rich, tonight, user):
    with writing():
        user("ada").take_label(Label.handled("vip"))
        user("ada").put_label(Label.put(None, handle="cook"))

    tonight()

    assert labels_of(user("ada")) == ["alumni", "cook"]


def test_labels_that_the_file_begins_or_ceases_to_give_are_put_on_and_taken_off(rich, tonight, user):
    with writing():
        user("ada").put_label(Label.put(None, handle="cook"))

    report = tonight('"vip,alumni"', '"alumni,new"')

    assert labels_of(user("ada")) == ["alumni", "cook", "new"]
    assert report.counts["users.csv"].updated == 1


def test_a_label_that_the_file_spells_anew_stays_on(rich, tonight, user):
    tonight('"vip,alumni"', '"Vip,alumni"')

    assert labels_of(user("ada")) == ["alumni", "vip"]


# Kinds and programs


def test_names_that_people_gave_stay_until_the_file_says_something_new(rich, tonight, program):
    with writing():
        program().change(name="Evenings")
        program().kind.change(handle="evenings")

    tonight()
    kept = program().name, program().kind.handle
    tonight("cook-1,active,Cooking in spring", "cook-1,active,Cooking")

    assert (kept, program().name) == (("Evenings", "evenings"), "Cooking")


@pytest.mark.parametrize(
    ("cells", "model"),
    [(("cook-1,active", "cook-1,tobedeleted"), Program), (("cook,active", "cook,TOBEDELETED"), ProgramKind)],
)
def test_a_class_or_course_that_is_to_be_deleted_is_archived_once(rich, tonight, cells, model):
    report = tonight(*cells)
    archived = model.get().archived
    with writing():
        model.get().change(archived=False)

    again = tonight(*cells)

    assert (archived, model.get().archived) == (True, False)
    assert (report.total.updated, again.total.updated) == (1, 0)


def test_what_is_active_again_in_the_file_is_no_longer_archived(rich, tonight, program):
    tonight("cook-1,active", "cook-1,tobedeleted")

    tonight()

    assert program().archived is False


def test_members_that_come_with_a_class_that_is_to_be_deleted_are_let_in(rich, tonight, membership, program):
    tonight(
        users=RICH["users"] + "bob,active,Bob,,,,,\n",
        classes=RICH["classes"].replace("cook-1,active", "cook-1,tobedeleted"),
        enrollments="sourcedId,classSourcedId,userSourcedId\ne2,cook-1,bob\n",
    )

    assert (membership("bob").state, program().archived) == (MembershipState.ACTIVE, True)


def test_a_program_follows_the_dates_of_its_term(rich, tonight, program):
    report = tonight("2026-02-01,2026-05-01", "2026-02-08,2026-05-01")

    assert (program().start_date, program().end_date) == (date(2026, 2, 8), date(2026, 4, 30))
    assert report.counts["classes.csv"].updated == 1


def test_dates_that_people_set_stay_until_the_term_has_others(rich, tonight, program):
    with writing():
        Program.put(program().id, duration=10)

    tonight()
    kept = program().end_date
    tonight("2026-02-01,2026-05-01", "2026-02-08,2026-05-08")

    assert kept == date(2026, 2, 10)
    assert (program().start_date, program().duration) == (date(2026, 2, 8), 10)


def test_a_class_does_not_move_to_another_course(rich, tonight):
    report = tonight(
        courses=RICH["courses"] + "bake,active,Baking,\n",
        classes=RICH["classes"].replace("Cooking in spring,cook,spring", "Bread,bake,spring"),
    )

    assert [(one.field, one.code) for one in report.warnings] == [("courseSourcedId", "KIND_IS_FIXED")]
    assert Program.get().name == "Bread"


def test_a_parent_is_changed_by_the_file(rich, tonight):
    tonight(courses="sourcedId,title,metadata.parent\ncook,Cooking,all\nall,All courses,\n")

    parent = ProgramKind.get(ProgramKind.sourced_id == "cook").parent
    assert parent.id == UUID(str(row_id("default", "course", "all")))
