"""A set is read as a whole: rows about one user and class are one membership, whatever their order."""

from __future__ import annotations

import itertools
from datetime import date

import pytest

from models.database import writing
from models.memberships import Membership, MembershipRole, MembershipState
from models.people import User, UserStatus
from models.programs import Program, ProgramKind
from models.roster import Options
from models.tickets import Ticket, TicketState

HEADER = "sourcedId,status,classSourcedId,userSourcedId,role,beginDate,endDate"
DELTA = "propertyName,value\nfile.enrollments,delta\n"


def enrollments(*rows, fill=0):
    """A file of enrollments; `fill` rows of other people stand between the first row and the others."""
    others = [f"f{number},,cook-1,u{number},student,," for number in range(fill)]
    return "\n".join([HEADER, *rows[:1], *others, *rows[1:]])


def others(small, fill):
    return small["users"] + "".join(f"u{number},U,U,\n" for number in range(fill))


def state_changes(membership):
    return [(one.from_state, one.to_state) for one in membership.history()]


# Drop and come back


@pytest.mark.parametrize("fill", [0, 5, 399, 400])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("was_here", [False, True])
def test_who_is_dropped_and_added_again_in_one_file_is_active(
    bring_small, small, membership, fill, turned, was_here
):
    rows = [
        "e1,tobedeleted,cook-1,ada,student,2026-02-01,2026-02-20",
        "e2,,cook-1,ada,student,2026-02-10,",
    ]
    users = others(small, fill)
    if was_here:
        bring_small(enrollments=enrollments("e1,,cook-1,ada,student,2026-02-01,"))

    report = bring_small(
        users=users, enrollments=enrollments(*(reversed(rows) if turned else rows), fill=fill)
    )

    found = membership()
    assert (found.state, found.date, found.sourced_id) == (MembershipState.ACTIVE, date(2026, 2, 10), "e2")
    assert report.counts["enrollments.csv"].merged == 1
    history = list(found.history())
    assert history[0].before is None
    assert [one.before for one in history[1:]] == [one.after for one in history[:-1]]


def test_who_returns_is_active_again_under_the_same_or_another_sourced_id(bring_small, membership):
    bring_small(enrollments=enrollments("e1,,cook-1,ada,student,,"))
    bring_small(enrollments=enrollments("e1,tobedeleted,cook-1,ada,student,,"))

    for row in ("e1,,cook-1,ada,student,,", "e2,,cook-1,ada,student,,"):
        report = bring_small(enrollments=enrollments(row))
        assert membership().state is MembershipState.ACTIVE
        assert report.changes.comes_back == 1
        bring_small(enrollments=enrollments(row.replace(",,", ",inactive,", 1)))
        assert membership().state is MembershipState.WITHDRAWN


@pytest.mark.parametrize("manifest", [{}, {"manifest": DELTA}])
def test_the_end_of_one_of_two_rows_ends_nothing_while_the_other_was_not_said_to_end(
    bring_small, membership, manifest
):
    rows = ["e1,,cook-1,ada,student,,", "e2,,cook-1,ada,student,,"]
    bring_small(enrollments=enrollments(*rows))

    bring_small(**manifest, enrollments=enrollments("e1,tobedeleted,cook-1,ada,student,,"))
    kept = membership().state
    bring_small(**manifest, enrollments=enrollments("e2,tobedeleted,cook-1,ada,student,,"))

    assert (kept, membership().state) == (MembershipState.ACTIVE, MembershipState.WITHDRAWN)


def test_in_a_delta_a_row_that_is_missing_goes_on_saying_what_it_said(bring_small, membership):
    bring_small(
        enrollments=enrollments("e1,,cook-1,ada,teacher,2026-02-03,", "e2,,cook-1,ada,student,2026-02-05,")
    )

    bring_small(manifest=DELTA, enrollments=enrollments("e2,,cook-1,ada,student,2026-02-06,"))

    assert (membership().role, membership().date) == (MembershipRole.TRAINER, date(2026, 2, 3))


# Several rows about one membership


def test_one_enrollment_a_term_is_one_membership_from_the_earliest_begin(bring_small, membership):
    rows = ["e2,,cook-1,ada,student,2026-03-01,", "e1,,cook-1,ada,student,2026-02-02,2026-03-01"]

    report = bring_small(enrollments=enrollments(*rows))

    assert (report.refusals, report.warnings) == ([], [])
    counts = report.counts["enrollments.csv"]
    assert (counts.created, counts.merged, counts.history) == (1, 1, 1)
    assert (membership().date, membership().state) == (date(2026, 2, 2), MembershipState.ACTIVE)


@pytest.mark.parametrize(
    "rows",
    [
        *itertools.permutations(
            ["e1,,cook-1,ada,student,,", "e2,,cook-1,ada,teacher,,", "e3,,cook-1,ada,guardian,,"]
        )
    ],
)
def test_of_several_roles_the_highest_counts(bring_small, membership, rows):
    bring_small(enrollments=enrollments(*rows))

    assert membership().role is MembershipRole.TRAINER


def test_the_role_of_a_row_that_is_ended_does_not_count_beside_one_that_is_not(bring_small, membership):
    bring_small(
        enrollments=enrollments(
            "e1,tobedeleted,cook-1,ada,teacher,2026-02-01,", "e2,,cook-1,ada,student,2026-02-09,"
        )
    )

    assert (membership().role, membership().date) == (MembershipRole.MEMBER, date(2026, 2, 9))


def test_when_all_rows_are_ended_the_end_is_that_of_the_latest(bring_small, membership):
    rows = ["e1,{},cook-1,ada,student,,2026-03-01", "e2,{},cook-1,ada,student,,2026-03-04"]
    bring_small(enrollments=enrollments(*(row.format("") for row in rows)))

    bring_small(enrollments=enrollments(*(row.format("tobedeleted") for row in rows)))

    last = list(membership().history())[-1]
    assert (last.to_state, last.effective_date) == (MembershipState.WITHDRAWN, date(2026, 3, 4))


def test_an_import_of_several_rows_a_membership_changes_nothing_the_second_time(bring_small, everything):
    files = {
        "enrollments": enrollments(
            "e1,,cook-1,ada,teacher,2026-02-03,",
            "e2,tobedeleted,cook-1,ada,student,2026-02-01,",
            "e3,,cook-1,ada,student,2026-02-02,",
        )
    }
    bring_small(**files)
    before = everything()

    again = bring_small(**files)

    assert everything() == before
    assert (again.total.updated, again.total.history, again.total.merged) == (0, 0, 2)


def test_when_the_teacher_s_row_is_gone_from_the_file_the_role_is_that_of_the_rest(bring_small, membership):
    rows = ["e1,,cook-1,ada,teacher,,", "e2,,cook-1,ada,student,,"]
    bring_small(enrollments=enrollments(*rows))

    bring_small(enrollments=enrollments(rows[1]))

    assert (membership().role, membership().sourced_id) == (MembershipRole.MEMBER, "e2")


# Order and tickets


@pytest.mark.parametrize("turned", [False, True])
def test_a_ticket_is_used_in_the_program_that_begins_first_in_any_order_of_rows(
    bring, bring_small, small, user, program, make_ticket, turned
):
    bring_small(enrollments="sourcedId,classSourcedId,userSourcedId\n")
    with writing():
        Ticket.buy(user("ada").id, None, program().kind_id)
    rows = ["e1,cook-1,ada", "e0,cook-2,ada"]

    bring_small(
        academicSessions=small["academicSessions"] + "summer,2026-04-01,2026-08-01\n",
        classes=small["classes"] + "cook-2,Cooking in summer,cook,summer\n",
        enrollments="\n".join(
            ["sourcedId,classSourcedId,userSourcedId", *(reversed(rows) if turned else rows)]
        ),
    )

    [ticket] = Ticket.select()
    assert (ticket.state, ticket.program_id) == (TicketState.CONSUMED, program("cook-1").id)


@pytest.mark.parametrize("rows_at_once", [1, 2, 400])
def test_a_cohort_is_spelled_as_in_the_row_of_the_first_sourced_id(
    bring_small, small, rows_at_once, membership
):
    header = "sourcedId,classSourcedId,userSourcedId,metadata.cohort"

    bring_small(
        options=Options(rows_at_once=rows_at_once),
        users=small["users"] + "bob,Bob,,\n",
        enrollments=f"{header}\ne2,cook-1,bob,MONDAY\ne1,cook-1,ada,Monday\n",
    )

    assert membership("bob").cohort.name == "Monday"


# Words


@pytest.mark.parametrize("word", ["inactive", "Inactive", "tobedeleted", "toBeDeleted "])
def test_inactive_is_the_word_of_oneroster_1_0_for_tobedeleted(bring_small, small, membership, user, word):
    users = "sourcedId,status,givenName\nada,{},Ada\n"
    bring_small(users=users.format(""), enrollments=enrollments("e1,,cook-1,ada,student,,"))

    bring_small(users=users.format(word), enrollments=enrollments(f"e1,{word},cook-1,ada,student,,"))

    assert (membership().state, user("ada").status) == (MembershipState.WITHDRAWN, UserStatus.RETIRED)


def test_an_unknown_word_for_a_status_counts_as_none(bring_small, membership):
    report = bring_small(enrollments=enrollments("e1,enrolled,cook-1,ada,student,,"))

    assert membership().state is MembershipState.ACTIVE
    assert [(one.field, one.cell, one.code) for one in report.warnings] == [
        ("status", "enrolled", "BAD_WORD")
    ]


def test_a_user_who_was_to_be_deleted_and_has_an_empty_status_now_is_active_again(bring, user):
    bring(users="sourcedId,status\na,\n")
    bring(users="sourcedId,status\na,tobedeleted\n")

    bring(users="sourcedId,status\na,\n")

    assert user("a").status is UserStatus.ACTIVE


@pytest.mark.parametrize(
    "word",
    [
        *("aide", "administrator", "guardian", "parent", "proctor", "relative"),
        *("Counselor", "principal", "siteAdministrator", "ext:mentor"),
    ],
)
def test_roles_of_the_standard_but_student_and_teacher_are_observers(bring_small, membership, word):
    bring_small(enrollments=enrollments(f"e1,,cook-1,ada,{word},,"))

    assert membership().role is MembershipRole.OBSERVER


# Classes without courses


@pytest.mark.parametrize("courses", [{}, {"courses": "sourcedId,title\n"}])
@pytest.mark.parametrize("named", ["", "alg"])
def test_where_there_are_no_courses_a_class_gets_a_kind_of_its_title(bring, small, program, courses, named):
    report = bring(
        academicSessions=small["academicSessions"],
        classes=f"sourcedId,title,courseSourcedId,termSourcedIds\na1,Algebra,{named},spring\n",
        **courses,
    )

    assert report.refusals == []
    assert program("a1").kind.name == "Algebra"
    assert report.counts["kinds"].created == 1


def test_a_class_that_names_no_course_gets_a_kind_of_its_title_beside_others(bring, small, program):
    rows = "a1,Algebra,,spring\na2, ALGEBRA,,spring\nc,Cooking,cook,spring\n"
    classes = f"sourcedId,title,courseSourcedId,termSourcedIds\n{rows}"

    bring(academicSessions=small["academicSessions"], courses=small["courses"], classes=classes)

    assert program("a1").kind_id == program("a2").kind_id != program("c").kind_id
    assert {kind.name for kind in ProgramKind.select()} == {"ALGEBRA", "Cooking"}


def test_classes_of_one_course_share_its_kind_until_courses_csv_gives_the_title(bring, small, program):
    files = {
        "academicSessions": small["academicSessions"],
        "classes": "sourcedId,title,courseSourcedId,termSourcedIds\n"
        "a2,Algebra 2,alg,spring\na1,Algebra 1,alg,spring\n",
    }
    bring(**files)
    first = program("a1").kind.name

    report = bring(**files, courses="sourcedId,title\nalg,Algebra\n")

    assert first == "Algebra 1"
    assert (program("a1").kind.name, program("a2").kind.name) == ("Algebra", "Algebra")
    assert (report.warnings, report.refusals) == ([], [])


def test_a_course_that_is_named_and_unknown_beside_others_is_refused(bring, small):
    report = bring(
        academicSessions=small["academicSessions"],
        courses=small["courses"],
        classes="sourcedId,title,courseSourcedId,termSourcedIds\na1,Algebra,alg,spring\n",
    )

    assert [(one.code, one.cell) for one in report.refusals] == [("UNKNOWN_COURSE", "alg")]
    assert not Program.select().exists()


def test_a_column_termsourcedid_is_taken_for_termsourcedids(bring, small, program):
    bring(
        academicSessions=small["academicSessions"],
        courses=small["courses"],
        classes="sourcedId,title,courseSourcedId,termSourcedId\ncook-1,Cooking,cook,spring\n",
    )

    assert program().start_date == date(2026, 2, 1)


def test_a_known_class_keeps_its_dates_where_a_term_is_unknown_with_a_warning(bring_small, program):
    bring_small()

    report = bring_small(
        classes="sourcedId,title,courseSourcedId,termSourcedIds\ncook-1,Cooking now,cook,autumn\n"
    )

    assert [(one.field, one.code) for one in report.warnings] == [("termSourcedIds", "UNKNOWN_TERM")]
    assert (program().name, program().start_date) == ("Cooking now", date(2026, 2, 1))


def test_bad_optional_cells_keep_nobody_out_of_class(bring, small):
    """As in a set in which other systems' columns have the names of ours."""
    report = bring(
        academicSessions=small["academicSessions"],
        courses="sourcedId,title,metadata.duration\ncook,Cooking,one semester\n",
        classes=small["classes"],
        users="sourcedId,givenName,email,metadata.gender,metadata.id\nada,Ada,n/a,F,100234\nbob,Bob,NULL,,\n",
        enrollments="sourcedId,classSourcedId,userSourcedId,role,beginDate,metadata.state\n"
        "e1,cook-1,ada,student,9/1/2025,CA\ne2,cook-1,bob,student,,\n",
    )

    assert report.refusals == []
    assert [(one.field, one.cell) for one in report.warnings] == [
        ("metadata.duration", "one semester"),
        ("email", "n/a"),
        ("metadata.gender", "F"),
        ("email", "NULL"),
        ("beginDate", "9/1/2025"),
        ("metadata.state", "CA"),
    ]
    assert Membership.select().where(Membership.state == "active").count() == 2


# The report


def test_causes_come_before_what_follows_from_them(bring_small, small):
    report = bring_small(
        academicSessions="sourcedId,startDate,endDate\nspring,soon,2026-05-01\n",
        users=small["users"] + ",Bob,B,\n",
        enrollments=small["enrollments"] + "e2,cook-1,bob,student\n",
    )

    assert [(one.file, one.code, one.cause) for one in report.warnings] == [
        ("academicSessions.csv", "BAD_DATE", None)
    ]
    assert [(one.file, one.code, one.cause) for one in report.refusals] == [
        ("users.csv", "BAD_SOURCED_ID", None),
        ("classes.csv", "UNKNOWN_TERM", "academicSessions.csv, line 2"),
        ("enrollments.csv", "UNKNOWN_CLASS", "classes.csv, line 2"),
        ("enrollments.csv", "UNKNOWN_CLASS", "classes.csv, line 2"),
    ]


def test_a_dry_run_tells_what_would_change_by_kind(bring_small, small, everything):
    users = small["users"] + "bob,Bob,,\ncid,Cid,,\ndan,Dan,,\neve,Eve,,\n"
    header = f"{HEADER},metadata.cohort"
    first = [
        "e1,,cook-1,ada,student,,,",
        "e2,,cook-1,bob,student,,,Monday",
        "e3,tobedeleted,cook-1,cid,student,,,",
        "e4,,cook-1,dan,student,,,",
    ]
    bring_small(users=users, enrollments="\n".join([header, *first]).replace("e3,tobedeleted", "e3,"))
    bring_small(users=users, enrollments="\n".join([header, *first]))
    before = everything()

    report = bring_small(
        dry_run=True,
        users=users,
        enrollments="\n".join(
            [
                header,
                "e1,tobedeleted,cook-1,ada,student,,,",
                "e2,,cook-1,bob,student,,,Tuesday",
                "e3,,cook-1,cid,student,,,",
                "e4,,cook-1,dan,teacher,,,",
                "e5,,cook-1,eve,student,,,",
            ]
        ),
    )

    assert report.changes.as_members == {
        "joins": 1, "leaves": 1, "comesBack": 1, "moves": 1, "role": 1, "total": 4
    }  # fmt: skip
    assert "1 join, 1 leave, 1 come back, 1 move to another cohort, 1 get another role" in str(report)
    assert everything() == before


def test_users_made_by_many_rows_are_as_many_as_their_ids(bring):
    """The pieces in which rows are stored are no border between rows with the same id."""
    rows = "".join(f"u{number % 450},Name\n" for number in range(1350))

    report = bring(users="sourcedId,givenName\n" + rows)

    assert (User.select().count(), report.counts["users.csv"].merged) == (450, 900)
