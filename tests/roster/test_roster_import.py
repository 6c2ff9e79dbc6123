"""What becomes of a OneRoster set."""

from __future__ import annotations

import json
from datetime import date
from uuid import UUID

import pytest

from models import clock
from models.audit import Audit
from models.cohorts import Cohort
from models.database import writing
from models.memberships import Membership, MembershipRole, MembershipState
from models.people import Label, User, UserRole
from models.programs import Mode, Program, ProgramKind
from models.roster import Counts, import_oneroster
from models.roster.columns import row_id
from models.tickets import Ticket, TicketState


def test_a_course_becomes_a_kind_with_its_title_and_its_code(bring):
    bring(courses="sourcedId,title,courseCode\nc1,Cooking,cook\n")

    kind = ProgramKind.get()
    assert (kind.name, kind.handle, kind.sourced_id) == ("Cooking", "cook", "c1")


def test_a_class_becomes_a_program_of_its_course(bring_small, program):
    bring_small()

    assert (program().name, program().kind.name) == ("Cooking in spring", "Cooking")


def test_the_end_of_a_term_is_the_day_after_the_program_s_last(bring_small, program):
    bring_small(academicSessions="sourcedId,startDate,endDate\nspring,2026-02-01,2026-02-03\n")

    assert (program().duration, program().end_date) == (2, date(2026, 2, 2))


def test_a_class_of_several_terms_runs_from_the_earliest_start_to_the_latest_end(bring_small, program):
    bring_small(
        academicSessions="sourcedId,startDate,endDate\n"
        "b,2026-03-01,2026-04-01\na,2026-01-01,2026-02-01\nc,2026-02-01,2026-03-01\n",
        classes='sourcedId,title,courseSourcedId,termSourcedIds\ncook-1,Cooking,cook,"b, a,c"\n',
    )

    assert (program().start_date, program().end_date) == (date(2026, 1, 1), date(2026, 3, 31))


def test_a_class_without_a_title_is_called_like_its_course(bring_small, program):
    bring_small(classes="sourcedId,title,courseSourcedId,termSourcedIds\ncook-1,,cook,spring\n")

    assert program().name == "Cooking"


def test_a_program_takes_its_mode_from_the_kind(bring_small, program):
    bring_small(courses="sourcedId,title,metadata.mode\ncook,Cooking,open\n")

    assert program().mode is Mode.OPEN


def test_courses_may_come_before_their_parents(bring):
    bring(courses="sourcedId,title,metadata.parent\nbread,Bread,bake\nbake,Baking,cook\ncook,Cooking,\n")

    parents = {kind.name: kind.parent and kind.parent.name for kind in ProgramKind.select()}
    assert parents == {"Bread": "Baking", "Baking": "Cooking", "Cooking": None}


def test_a_user_gets_names_and_email(bring, user):
    bring(users="sourcedId,givenName,familyName,email\nu,Ada,Lovelace,Ada@Example.org\n")

    ada = user("u")
    assert (ada.first, ada.last, ada.email) == ("Ada", "Lovelace", "Ada@Example.org")
    assert ada.email_key == "ada@example.org"


@pytest.mark.parametrize(("sms", "phone", "mobile"), [("1", "2", "1"), ("", "2", "2"), ("1", "", "1")])
def test_the_mobile_number_is_sms_or_else_phone(bring, user, sms, phone, mobile):
    bring(users=f"sourcedId,sms,phone\nu,{sms},{phone}\n")

    assert user("u").mobile == mobile


def test_a_user_needs_no_email(bring, user):
    bring(users="sourcedId,email\nu,\nv,\n")

    assert (user("u").email, user("v").email) == (None, None)


@pytest.mark.parametrize(
    ("enabled", "status"), [("true", "active"), ("FALSE", "retired"), ("", "active"), ("0", "retired")]
)
def test_who_is_not_enabled_is_retired(bring, user, enabled, status):
    bring(users=f"sourcedId,enabledUser\nu,{enabled}\n")

    assert user("u").status == status


@pytest.mark.parametrize("role", ["administrator", "sysadmin", "teacher"])
def test_no_role_of_oneroster_makes_an_admin(bring, user, role):
    bring(
        users=f"sourcedId,role\nu,{role}\n",
        roles=f"sourcedId,userSourcedId,roleType,role\nr,u,primary,{role}\n",
    )

    assert user("u").role is UserRole.USER


@pytest.mark.parametrize(
    ("word", "role"),
    [
        ("student", "member"),
        ("Teacher", "trainer"),
        ("administrator", "observer"),
        ("proctor", "observer"),
        ("ext:mentor", "observer"),
        ("", "member"),
    ],
)
def test_the_role_of_an_enrollment_says_what_part_is_taken(bring_small, membership, word, role):
    bring_small(enrollments=f"sourcedId,classSourcedId,userSourcedId,role\ne,cook-1,ada,{word}\n")

    assert membership().role == role


def test_an_enrollment_without_a_role_takes_it_from_the_user_s_of_oneroster_1_1(bring_small, membership):
    bring_small(
        users="sourcedId,role\nada,teacher\n",
        enrollments="sourcedId,classSourcedId,userSourcedId\ne,cook-1,ada\n",
    )

    assert membership().role is MembershipRole.TRAINER


@pytest.mark.parametrize(
    "order", [("primary,teacher", "secondary,student"), ("secondary,student", "primary,teacher")]
)
def test_an_enrollment_without_a_role_takes_it_from_roles_csv_of_oneroster_1_2(
    bring_small, membership, order
):
    first, second = order
    bring_small(
        roles=f"sourcedId,userSourcedId,roleType,role\nr1,ada,{first}\nr2,ada,{second}\n",
        enrollments="sourcedId,classSourcedId,userSourcedId\ne,cook-1,ada\n",
    )

    assert membership().role is MembershipRole.TRAINER


def test_a_role_to_be_deleted_counts_for_nothing(bring_small, membership):
    bring_small(
        roles="sourcedId,status,userSourcedId,roleType,role\nr,tobedeleted,ada,primary,teacher\n",
        enrollments="sourcedId,classSourcedId,userSourcedId\ne,cook-1,ada\n",
    )

    assert membership().role is MembershipRole.MEMBER


def test_a_new_membership_is_active_from_the_start_of_the_program_unless_the_file_says_more(
    bring_small, membership
):
    bring_small()

    assert (membership().state, membership().date) == (MembershipState.ACTIVE, date(2026, 2, 1))


def test_state_cohort_and_begin_come_from_their_columns(bring_small, membership):
    bring_small(
        enrollments="sourcedId,classSourcedId,userSourcedId,beginDate,metadata.state,metadata.cohort\n"
        "e,cook-1,ada,2026-01-20,Completed,Monday\n"
    )

    found = membership()
    assert (found.state, found.date) == (MembershipState.COMPLETED, date(2026, 1, 20))
    assert (found.cohort.name, found.cohort.program_id) == ("Monday", found.program_id)


def test_a_cohort_is_one_however_its_name_is_spelled(bring_small):
    report = bring_small(
        users="sourcedId\nada\ngrace\n",
        enrollments="sourcedId,classSourcedId,userSourcedId,metadata.cohort\n"
        "e,cook-1,ada,Monday Group\nf,cook-1,grace,  monday   group\n",
    )

    assert [cohort.name for cohort in Cohort.select()] == ["Monday Group"]
    assert report.counts["cohorts"].created == 1


def test_labels_are_made_where_missing_and_put_on(bring, user):
    with writing():
        Label.put(None, handle="alumni", name="Alumni")

    report = bring(users='sourcedId,metadata.labels\nu,"vip, alumni"\nv,vip\n')

    users = [user("u"), user("v")]
    User.fetch_handles(users)
    assert [one.labels for one in users] == [["alumni", "vip"], ["vip"]]
    assert report.counts["labels"].created == 1


def test_labels_are_found_however_their_handles_are_spelled(bring, user):
    with writing():
        Label.put(None, handle="Alumni", name="Alumni")

    report = bring(users='sourcedId,metadata.labels\nu,"VIP, alumni"\nv,vip\n')

    users = [user("u"), user("v")]
    User.fetch_handles(users)
    assert [one.labels for one in users] == [["Alumni", "VIP"], ["VIP"]]
    assert report.counts["labels"].created == 1


@pytest.mark.parametrize("state", ["withdrawn", "completed", "incomplete"])
def test_the_end_of_an_enrollment_is_the_effective_date_of_its_history_row(bring_small, membership, state):
    bring_small(
        enrollments="sourcedId,classSourcedId,userSourcedId,endDate,metadata.state\n"
        f"e,cook-1,ada,2026-02-14,{state}\n"
    )

    [change] = membership().history()
    assert (change.at, change.effective_date) == (clock.now(), date(2026, 2, 14))
    assert (change.before, change.to_state, change.how) == (None, state, "import")


@pytest.mark.parametrize("cells", ["2026-05-01,active", "2026-05-01,", ",completed"])
def test_what_does_not_end_on_a_day_that_the_file_gives_has_no_effective_date(bring_small, membership, cells):
    bring_small(
        enrollments=f"sourcedId,classSourcedId,userSourcedId,endDate,metadata.state\ne,cook-1,ada,{cells}\n"
    )

    [change] = membership().history()
    assert (change.at, change.effective_date) == (clock.now(), None)


def test_joining_by_an_import_uses_a_ticket(bring_small, make_user, make_ticket, membership, small):
    bring_small(enrollments="sourcedId,classSourcedId,userSourcedId\n")
    ticket = make_ticket(kind_id=row_id("default", "course", "cook"), email="ada@example.org")

    bring_small()

    stored = Ticket.get_by_id(ticket.id)
    assert (stored.state, stored.membership_id) == (TicketState.CONSUMED, membership().id)


def test_tickets_that_wait_for_an_email_become_the_user_s(bring, make_kind, make_ticket, user):
    ticket = make_ticket(kind_id=make_kind().id, email="Ada@example.org")

    bring(users="sourcedId,email\nu,ada@EXAMPLE.org\n")

    assert Ticket.get_by_id(ticket.id).user_id == user("u").id


def test_what_an_import_wrote_is_in_the_audit(bring_small, membership):
    bring_small()

    rows = list(Audit.select())
    assert {row.method for row in rows} == {"core-rpc import oneroster"}
    assert any(str(membership().id) in row.touched for row in rows)


@pytest.mark.parametrize(
    ("source", "kind", "sourced_id", "id"),
    [
        ("default", "course", "cook", "fa641793-e09d-5b8c-9fcf-84553f99f312"),
        ("default", "class", "cook-1", "e5f75519-26e5-561b-88ef-3840f9c34ec1"),
        ("default", "user", "ada", "46fbe749-9187-5b50-82ec-e9b521fd6131"),
        ("default", "enrollment", "e1", "3891ed17-ddf7-597a-9c6e-d81347d802b8"),
        ("north", "user", "ada", "9ab23d86-fe1d-580c-9cd7-3f7f287e23f7"),
    ],
)
def test_ids_are_made_of_source_type_and_sourced_id(bring_small, source, kind, sourced_id, id):
    bring_small(source=source)

    model = {"course": ProgramKind, "class": Program, "user": User, "enrollment": Membership}[kind]
    assert model.get(model.sourced_id == sourced_id).id == UUID(id)


def test_two_sources_may_use_the_same_sourced_ids(bring):
    for source in ("north", "south"):
        bring(source=source, users="sourcedId\nu\n")

    assert User.select().where(User.sourced_id == "u").count() == 2


def test_files_come_in_any_order(world, small, write_zip, bring, membership):
    path = write_zip({f"{name}.csv": small[name] for name in reversed(list(small))})

    import_oneroster(path)

    assert membership().state is MembershipState.ACTIVE


def test_columns_that_are_not_known_are_left_out_and_the_others_stand_in_any_order(bring, user):
    bring(users="password,familyName,metadata.shoe,SOURCEDID,email\nsecret,Lovelace,37,u,\n")

    assert user("u").last == "Lovelace"


def test_the_report_counts_rows_by_file_and_what_they_mention(bring_small):
    report = bring_small(
        enrollments="sourcedId,classSourcedId,userSourcedId,metadata.cohort\n"
        "e1,cook-1,ada,Monday\ne2,cook-1,nobody,Monday\n"
    )

    assert report.counts["users.csv"] == Counts(created=1)
    assert report.counts["enrollments.csv"] == Counts(created=1, refused=1, history=1)
    assert report.counts["cohorts"] == Counts(created=1)
    assert report.total.created == 5


def test_the_report_is_told_as_json(bring_small):
    report = bring_small(users="sourcedId,givenName,email\nada,Ada,no address\n", enrollments="sourcedId\n")

    told = json.loads(report.as_json())
    assert (told["source"], told["dryRun"]) == ("default", False)
    assert told["counts"]["courses.csv"] == {
        "created": 1, "updated": 0, "unchanged": 0, "refused": 0, "history": 0, "matched": 0, "merged": 0,
        "warnings": 0,
    }  # fmt: skip
    assert told["warnings"] == [
        {
            "file": "users.csv",
            "line": 2,
            "sourcedId": "ada",
            "who": "Ada",
            "field": "email",
            "cell": "no address",
            "code": "BAD_EMAIL",
            "message": "Must have exactly one @, with something on both sides.",
            "cause": None,
        }
    ]
    assert told["sums"] == {"refusals": {"MISSING_COLUMN": 1}, "warnings": {"BAD_EMAIL": 1}}
    assert told["changes"] == {"joins": 0, "leaves": 0, "comesBack": 0, "moves": 0, "role": 0, "total": 0}


def test_the_report_for_people_shows_the_first_refusals(bring):
    report = bring(users="sourcedId,email\n" + "".join(f"u{number},x\n" for number in range(30)))

    lines = str(report).splitlines()
    assert lines[3] == "Warnings: 30 (BAD_EMAIL 30)"
    assert 'users.csv, line 2, u0, email "x": BAD_EMAIL: Must have exactly one @' in lines[4]
    assert lines[-1] == "  ... and 10 more; --report FILE writes all of them as JSON"


def test_a_dry_run_reports_the_same_and_writes_nothing(bring_small, everything):
    files = {
        "users": "sourcedId,email,metadata.labels\nada,ada@example.org,vip\nbob,ADA@example.org,\n",
        "enrollments": "sourcedId,classSourcedId,userSourcedId,metadata.cohort\n"
        "e1,cook-1,ada,Monday\ne2,cook-1,bob,Monday\n",
    }
    before = everything()

    tried = bring_small(dry_run=True, **files)

    assert everything() == before
    done = bring_small(**files)
    assert (tried.counts, tried.changes) == (done.counts, done.changes)
    assert (tried.refusals, tried.warnings) == (done.refusals, done.warnings)
    assert tried.dry_run


def test_progress_is_told_for_each_file(world, write_set, small):
    told = []

    import_oneroster(write_set(**small), progress=lambda *step: told.append(step))

    assert told[-1] == ("enrollments.csv", 1, 1)
    assert set(told) == {(f"{name}.csv", 1, 1) for name in small}
