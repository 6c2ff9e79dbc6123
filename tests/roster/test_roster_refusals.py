"""A bad row is refused and reported, a bad file as a whole; the rest goes in, and nothing raises."""

from __future__ import annotations

import zipfile
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from models.errors import ModelError
from models.memberships import Membership
from models.people import User
from models.programs import Program, ProgramKind
from models.roster import Counts, NotARoster, import_oneroster
from models.roster.reader import FILE_AT_MOST, LINE_AT_MOST, Stored, opened

LONG = "x" * 256
CLASS = "sourcedId,courseSourcedId,termSourcedIds"
ENROLLMENT = "sourcedId,classSourcedId,userSourcedId"


def refusals(report):
    return [(one.file, one.line, one.field, one.code) for one in report.refusals]


@pytest.mark.parametrize(
    ("file", "columns", "cells", "field", "code"),
    [
        ("academicSessions", "sourcedId,startDate,endDate", "t,2026-01-01,", "endDate", "MISSING_VALUE"),
        ("academicSessions", "sourcedId,startDate,endDate", "t,,2026-01-01", "startDate", "MISSING_VALUE"),
        ("academicSessions", "sourcedId,startDate,endDate", "t,2026-01-01,2026-01-01", "endDate", "BAD_DATE"),
        ("academicSessions", "sourcedId,startDate,endDate", "t,1/1/2026,2026-01-02", "startDate", "BAD_DATE"),
        ("academicSessions", "sourcedId,startDate,endDate", "t,20260101,2026-01-02", "startDate", "BAD_DATE"),
        ("courses", "sourcedId,title", "new,", "title", "MISSING_VALUE"),
        ("courses", "sourcedId,title", ",Cooking", "sourcedId", "BAD_SOURCED_ID"),
        ("courses", "sourcedId,title", f"{LONG},Cooking", "sourcedId", "BAD_SOURCED_ID"),
        ("courses", "sourcedId,title", f"new,{LONG}", "title", "TOO_LONG"),
        ("courses", "sourcedId,title,status", "new,New,gone", "status", "BAD_WORD"),
        ("courses", "sourcedId,title,metadata.mode", "new,New,slow", "metadata.mode", "BAD_WORD"),
        ("courses", "sourcedId,title,metadata.duration", "new,New,0", "metadata.duration", "BAD_NUMBER"),
        ("courses", "sourcedId,title,metadata.duration", "new,New,1.5", "metadata.duration", "BAD_NUMBER"),
        ("courses", "sourcedId,title,metadata.duration", "new,New,٣", "metadata.duration", "BAD_NUMBER"),
        ("courses", "sourcedId,title,metadata.priority", "new,New,--3", "metadata.priority", "BAD_NUMBER"),
        ("courses", "sourcedId,title,metadata.archived", "new,New,yes", "metadata.archived", "BAD_FLAG"),
        ("courses", "sourcedId,title,metadata.parent", "new,New,none", "metadata.parent", "UNKNOWN_COURSE"),
        ("courses", "sourcedId,title,metadata.id", "new,New,7", "metadata.id", "BAD_ID"),
        ("classes", CLASS, "new,,spring", "courseSourcedId", "MISSING_VALUE"),
        ("classes", CLASS, "new,none,spring", "courseSourcedId", "UNKNOWN_COURSE"),
        ("classes", CLASS, "new,cook,", "termSourcedIds", "MISSING_VALUE"),
        ("classes", CLASS, "new,cook,none", "termSourcedIds", "UNKNOWN_TERM"),
        (
            "classes",
            CLASS,
            'new,cook,"spring,none"',
            "termSourcedIds",
            "UNKNOWN_TERM",
        ),
        (
            "classes",
            f"{CLASS},metadata.timezone",
            "new,cook,spring,Mars",
            "metadata.timezone",
            "BAD_TIMEZONE",
        ),
        (
            "classes",
            f"{CLASS},metadata.duration",
            "new,cook,spring,36601",
            "metadata.duration",
            "BAD_NUMBER",
        ),
        (
            "classes",
            f"{CLASS},metadata.parent",
            "new,cook,spring,none",
            "metadata.parent",
            "UNKNOWN_CLASS",
        ),
        ("users", "sourcedId,email", "new,no address", "email", "BAD_EMAIL"),
        ("users", "sourcedId,email", f"new,{LONG}@example.org", "email", "BAD_EMAIL"),
        ("users", "sourcedId,email", "new,ADA@example.org", "email", "EMAIL_TAKEN"),
        ("users", "sourcedId,enabledUser", "new,perhaps", "enabledUser", "BAD_FLAG"),
        ("users", "sourcedId,givenName", f"new,{LONG}", "givenName", "TOO_LONG"),
        ("users", "sourcedId,phone", f"new,{LONG}", "sms", "TOO_LONG"),
        ("users", "sourcedId,givenName", "new,A\x07da", "givenName", "BAD_TEXT"),
        ("users", "sourcedId,givenName", "new,A\x00da", "givenName", "BAD_TEXT"),
        ("users", "sourcedId,metadata.labels", f"new,{LONG}", "metadata.labels", "TOO_LONG"),
        ("users", "sourcedId,metadata.labels", 'new,"""a"" b"', "metadata.labels", "BAD_LIST"),
        ("users", "sourcedId,metadata.gender", "new,x", "metadata.gender", "BAD_WORD"),
        ("users", "sourcedId,metadata.lastSignInAt", "new,today", "metadata.lastSignInAt", "BAD_TIME"),
        ("users", "sourcedId,metadata.imported", "new,[]", "metadata.imported", "BAD_JSON"),
        ("roles", "sourcedId,userSourcedId,role", "r,,teacher", "userSourcedId", "MISSING_VALUE"),
        ("enrollments", ENROLLMENT, "new,,ada", "classSourcedId", "MISSING_VALUE"),
        ("enrollments", ENROLLMENT, "new,cook-1,", "userSourcedId", "MISSING_VALUE"),
        ("enrollments", ENROLLMENT, "new,none,ada", "classSourcedId", "UNKNOWN_CLASS"),
        ("enrollments", ENROLLMENT, "new,cook-1,none", "userSourcedId", "UNKNOWN_USER"),
        (
            "enrollments",
            f"{ENROLLMENT},beginDate",
            "new,cook-1,bob,2026-02-30",
            "beginDate",
            "BAD_DATE",
        ),
        (
            "enrollments",
            f"{ENROLLMENT},endDate,metadata.state",
            "new,cook-1,bob,soon,completed",
            "endDate",
            "BAD_DATE",
        ),
        (
            "enrollments",
            f"{ENROLLMENT},metadata.state",
            "new,cook-1,bob,asleep",
            "metadata.state",
            "BAD_WORD",
        ),
        (
            "enrollments",
            f"{ENROLLMENT},metadata.cohort",
            f"new,cook-1,bob,{LONG}",
            "metadata.cohort",
            "TOO_LONG",
        ),
    ],
)  # fmt: skip
def test_a_row_is_refused_by_file_line_and_column_and_the_next_goes_in(
    bring, bring_small, small, file, columns, cells, field, code
):
    bring_small(users=small["users"] + "bob,Bob,,\n")
    counts = columns.count(",")
    good = {
        "academicSessions": "ok,2026-01-01,2026-01-02",
        "courses": "ok,Fine",
        "classes": "ok,cook,spring",
        "users": "ok,",
        "roles": "r2,ada,student",
        "enrollments": "ok,cook-1,bob",
    }[file]
    good += "," * (counts - good.count(","))
    terms = {} if file == "academicSessions" else {"academicSessions": small["academicSessions"]}

    report = bring(**terms, **{file: f"{columns}\n{cells}\n{good}\n"})

    assert refusals(report) == [(f"{file}.csv", 2, field, code)]
    done = report.counts[f"{file}.csv"]
    assert (done.created + done.unchanged, done.refused) == (1, 1)


def test_a_second_user_with_the_same_email_is_refused_and_reported(bring):
    report = bring(users="sourcedId,email\na,ada@example.org\nb,grace@example.org\nc, ADA@Example.org\n")

    assert refusals(report) == [("users.csv", 4, "email", "EMAIL_TAKEN")]
    assert User.select().count() == 2


def test_a_user_with_the_email_of_one_made_here_is_refused(bring, make_user):
    make_user(email="ada@example.org")

    report = bring(users="sourcedId,email\na,ada@example.org\n")

    assert refusals(report) == [("users.csv", 2, "email", "EMAIL_TAKEN")]


def test_the_same_id_twice_is_refused_the_second_time(bring):
    report = bring(users="sourcedId,givenName\na,Ada\na,Grace\n")

    assert refusals(report) == [("users.csv", 3, "sourcedId", "DUPLICATE_ID")]
    assert User.get().first == "Ada"


def test_two_enrollments_of_one_user_in_one_class_are_one_too_many(bring_small, membership, small):
    report = bring_small(enrollments=small["enrollments"] + "e2,cook-1,ada,teacher\n")

    assert refusals(report) == [("enrollments.csv", 3, "userSourcedId", "DUPLICATE_ENROLLMENT")]
    assert membership().role == "member"


@pytest.mark.parametrize(
    ("file", "content", "missing"),
    [
        ("academicSessions", "sourcedId,startDate\nspring,2026-01-01\n", "endDate"),
        ("courses", "title\nCooking\n", "sourcedId"),
        ("users", "givenName\nAda\n", "sourcedId"),
        ("roles", "sourcedId\nr\n", "userSourcedId, role"),
        ("enrollments", "sourcedId,userSourcedId\ne1,ada\n", "classSourcedId"),
        ("enrollments", "", "sourcedId, classSourcedId, userSourcedId"),
    ],
)
def test_a_file_without_a_column_that_it_needs_is_refused_as_a_whole_and_the_rest_goes_in(
    bring_small, file, content, missing
):
    report = bring_small(**{file: content}, users__more="ignored")

    assert refusals(report)[0] == (f"{file}.csv", 1, missing, "MISSING_COLUMN")
    assert report.counts[f"{file}.csv"].refused == 1
    assert (ProgramKind if file == "users" else User).select().exists()


def test_members_of_a_new_kind_circle_are_refused(bring):
    report = bring(courses="sourcedId,title,metadata.parent\na,A,b\nb,B,a\nc,C,\n")

    assert {(one.line, one.code) for one in report.refusals} == {(2, "UNKNOWN_COURSE"), (3, "UNKNOWN_COURSE")}
    assert [kind.name for kind in ProgramKind.select()] == ["C"]


def test_a_kind_does_not_become_its_own_ancestor(bring):
    bring(courses="sourcedId,title,metadata.parent\na,A,\nb,B,a\n")

    report = bring(courses="sourcedId,title,metadata.parent\na,A,b\n")

    assert refusals(report) == [("courses.csv", 2, "metadata.parent", "PROGRAM_KIND_OWN_ANCESTOR")]


def test_a_program_does_not_end_after_the_year_9999(bring_small):
    report = bring_small(
        classes="sourcedId,courseSourcedId,termSourcedIds,metadata.duration\ncook-1,cook,spring,36600\n",
        academicSessions="sourcedId,startDate,endDate\nspring,9999-12-01,9999-12-02\n",
        enrollments="sourcedId,classSourcedId,userSourcedId\n",
    )

    assert refusals(report) == [("classes.csv", 2, "termSourcedIds", "BAD_DURATION")]


# Files


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("start", ["", "\ufeff"])
@pytest.mark.parametrize("last", [True, False])
def test_lines_end_in_any_way_and_a_byte_order_mark_is_passed_over(bring, user, start, end, last):
    lines = ["sourcedId,givenName", "a,Ada", "b,Grace"]

    report = bring(users=start + end.join(lines) + end * last)

    assert (user("a").first, user("b").first) == ("Ada", "Grace")
    assert report.refusals == []


def test_cells_in_quotes_may_hold_commas_quotes_and_line_ends(bring, user):
    bring(users='"sourcedId","givenName"\r\n"a","Ada, ""Countess""\r\nof\nLovelace"\r\nb,Grace\r\n')

    assert user("a").first == 'Ada, "Countess"\r\nof\nLovelace'
    assert user("b").first == "Grace"


def test_a_line_number_is_that_of_the_line_in_which_the_row_begins(bring):
    report = bring(users='sourcedId,givenName,email\na,"A\nd\na",\n\nb,B,x\n')

    assert [one.line for one in report.refusals] == [6]


def test_empty_lines_are_no_rows(bring):
    report = bring(users="sourcedId,givenName\n\n\na,Ada\n\n")

    assert (report.total.created, report.refusals) == (1, [])


@pytest.mark.parametrize("row", ["x,Xaver,more", "x,Xaver,,more", ",,more"])
def test_a_row_with_more_than_the_columns_hold_is_refused(bring, row):
    report = bring(users=f"sourcedId,givenName\na,Ada\n{row}\nb,Grace\n")

    assert refusals(report) == [("users.csv", 3, None, "BAD_ROW")]
    assert {user.first for user in User.select()} == {"Ada", "Grace"}


@pytest.mark.parametrize("row", ['"x,Xaver', 'x,"Xa"ver', 'x,"Xaver'])
def test_a_stray_quote_costs_its_own_row_and_no_other(bring, row):
    after = "".join(f"u{number},Name\n" for number in range(50))

    report = bring(users=f'sourcedId,givenName\na,Ada\n{row}\nb,"Grace"\n{after}')

    assert refusals(report) == [("users.csv", 3, None, "BAD_ROW")]
    assert User.select().count() == 52


def test_a_file_in_which_every_quote_is_stray_is_read_in_reasonable_time(bring):
    report = bring(users="sourcedId,givenName\n" + '"x,Xaver\n' * 30_000)

    assert report.counts["users.csv"].created == 0
    assert {one.code for one in report.refusals} == {"BAD_ROW"}


def test_a_row_that_is_not_utf_8_is_refused_and_the_others_go_in(bring):
    report = bring(
        users="sourcedId,givenName\na,Émile\n".encode() + "b,Émile\n".encode("latin-1") + b"c,Ada\n"
    )

    assert refusals(report) == [("users.csv", 3, "givenName", "BAD_TEXT")]
    assert {user.first for user in User.select()} == {"Émile", "Ada"}


def test_a_line_without_end_is_not_read_on(bring):
    report = bring(users="sourcedId,givenName\na,Ada\nb," + "x" * (2 * LINE_AT_MOST) + "\nc,Grace\n")

    assert refusals(report) == [("users.csv", 3, None, "UNREADABLE_FILE")]
    assert [user.first for user in User.select()] == ["Ada"]


def test_a_file_beyond_all_measure_is_not_opened():
    told = []
    huge = Stored(FILE_AT_MOST + 1, lambda: pytest.fail("was opened"))

    with opened("users.csv", huge, lambda *refusal: told.append(refusal)) as table:
        assert table is None

    assert [code for _, _, code, _ in told] == ["FILE_TOO_LARGE"]


# Zips and directories


@pytest.mark.parametrize("folder", ["", "export/", "a/b/"])
def test_files_are_found_in_folders_of_a_zip_and_in_any_letter_case(world, write_zip, small, user, folder):
    path = write_zip({f"{folder}{name.capitalize()}.CSV": content for name, content in small.items()})

    report = import_oneroster(path)

    assert (report.refusals, user("ada").first) == ([], "Ada")


def test_what_the_finder_adds_to_a_zip_is_passed_over(world, write_zip, user):
    path = write_zip({"__MACOSX/users.csv": "\x00", "deep/er/users.csv": "sourcedId\nu\n"})

    import_oneroster(path)

    assert user("u")


def test_a_zip_never_writes_outside(world, write_zip, tmp_path):
    import_oneroster(write_zip({"../users.csv": "sourcedId\nu\n", "users.csv": "sourcedId\nv\n"}))

    assert not (tmp_path.parent / "users.csv").exists()
    assert [user.sourced_id for user in User.select()] == ["v"]


def test_a_damaged_file_of_a_zip_is_reported_and_the_rest_goes_in(world, write_zip, small, tmp_path):
    path = write_zip({f"{name}.csv": content for name, content in small.items()})
    content = path.read_bytes().replace(b"ada,Ada,Lovelace", b"ada,Ada,Loveless")
    path.write_bytes(content)

    report = import_oneroster(path)

    assert ("users.csv", "UNREADABLE_FILE") in {(one.file, one.code) for one in report.refusals}
    assert Program.select().exists()


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 nor this", b"PK\x05\x06" + b"\xff" * 18])
def test_what_is_no_zip_is_told_in_a_sentence(world, tmp_path, content):
    path = tmp_path / "set.zip"
    path.write_bytes(content)

    with pytest.raises(NotARoster, match="neither a directory nor a zip"):
        import_oneroster(path)


def test_what_is_not_there_is_told_in_a_sentence(world, tmp_path):
    with pytest.raises(NotARoster, match="There is no file or directory"):
        import_oneroster(tmp_path / "nowhere")


def test_a_zip_with_other_things_in_it_is_no_roster(world, write_zip):
    with pytest.raises(NotARoster, match="no OneRoster file"):
        import_oneroster(write_zip({"photo.jpg": "", "manifest.csv": ""}))


@pytest.mark.parametrize("source", ["", "a/b", "x" * 256, "a\x00"])
def test_a_source_needs_a_name_that_fits_into_ids(bring, source):
    with pytest.raises(ModelError) as caught:
        bring(source=source, users="sourcedId\nu\n")

    assert caught.value.word == "BAD_SOURCE"


def test_files_that_the_manifest_calls_absent_need_not_be_there(bring):
    report = bring(
        manifest="propertyName,value\nmanifest.version,1.0\nfile.users,bulk\nfile.courses,absent\n",
        users="sourcedId\nu\n",
    )

    assert report.refusals == []


def test_files_that_the_manifest_promises_and_that_are_not_there_are_reported(bring):
    report = bring(
        manifest="propertyName,value\nfile.users,bulk\nfile.courses,delta\nfile.orgs,bulk\n",
        users="sourcedId\nu\n",
    )

    assert refusals(report) == [("manifest.csv", 3, "value", "MISSING_FILE")]


@pytest.mark.parametrize("manifest", ["", "x", "propertyName\nfile.users\n", '"', "\x00\xff"])
def test_a_manifest_that_says_nothing_does_no_harm(bring, manifest):
    report = bring(manifest=manifest, users="sourcedId\nu\n")

    assert report.total.created == 1


# Anything at all

CELLS = st.sampled_from(
    [
        *("", "a", "b", "spring", "cook", "2026-02-01", "9999-12-31", "0001-01-01", "-1", "1e9"),
        *("tobedeleted", "active", "student", "withdrawn", "true", "a@b", "[]", "{}", "metadata.id"),
        *('"', '""', '"a,b"', '"{""status"":""x"",""startDate"":""x""}"', str(UUID(int=7))),
        *("\r", "\n", "\x00", "é", "\ud800"),
    ]
)  # fmt: skip
HEADERS = {
    "academicSessions": "sourcedId,status,startDate,endDate",
    "courses": "sourcedId,status,title,courseCode,metadata.parent,metadata.id,metadata.duration",
    "classes": f"{CLASS},status,metadata.imported,metadata.id,metadata.duration",
    "metadata.labels": "handle,name,metadata.id,metadata.createdAt",
    "users": "sourcedId,status,email,metadata.labels,metadata.id,metadata.imported,metadata.empty",
    "roles": "userSourcedId,role,roleType",
    "metadata.cohorts": "classSourcedId,name,metadata.id",
    "enrollments": f"{ENROLLMENT},status,beginDate,endDate,metadata.state,metadata.cohort,metadata.imported",
}
ROWS = st.lists(st.lists(CELLS, min_size=1, max_size=10).map(",".join), max_size=6).map("\n".join)
FILES = {name: ROWS.map(lambda rows, header=header: f"{header}\n{rows}") for name, header in HEADERS.items()}
SETS = st.fixed_dictionaries({}, optional=FILES).filter(bool)


@given(sets=st.lists(SETS, min_size=1, max_size=3))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_content_of_a_file_raises_and_every_row_is_counted(world, write_set, sets):
    for files in sets:
        path = write_set()
        for name, content in files.items():
            (path / f"{name}.csv").write_bytes(content.encode("utf-8", "surrogatepass"))

        report = import_oneroster(path)

        assert report.total.refused == len(report.refusals)
        made = report.counts.get("enrollments.csv", Counts()).created
        assert Membership.select().count() >= made


@given(content=st.binary(max_size=200))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_raise(world, tmp_path, content):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("users.csv", content)
        archive.writestr("enrollments.csv", b"sourcedId,classSourcedId,userSourcedId\n" + content)
        archive.writestr("manifest.csv", b"propertyName,value\n" + content)

    report = import_oneroster(path)

    assert report.refusals
