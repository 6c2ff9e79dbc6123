"""What identifies a row may refuse it, any other cell is warned of; the rest goes in, and nothing raises."""

from __future__ import annotations

import zipfile
from uuid import UUID

import pytest
from hypothesis import given, settings
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


def warnings(report):
    return [(one.file, one.line, one.field, one.code) for one in report.warnings]


# What keeps a row out: what identifies it, and what a new one cannot be without.
REFUSED = [
    ("courses", "sourcedId,title", "new,", "title", "MISSING_VALUE"),
    ("courses", "sourcedId,title", ",Cooking", "sourcedId", "BAD_SOURCED_ID"),
    ("courses", "sourcedId,title", f"{LONG},Cooking", "sourcedId", "BAD_SOURCED_ID"),
    ("classes", CLASS, "new,,spring", "title", "MISSING_VALUE"),
    ("classes", CLASS, "new,none,spring", "courseSourcedId", "UNKNOWN_COURSE"),
    ("classes", CLASS, "new,cook,", "termSourcedIds", "MISSING_VALUE"),
    ("classes", CLASS, "new,cook,none", "termSourcedIds", "UNKNOWN_TERM"),
    ("classes", CLASS, 'new,cook,"spring,none"', "termSourcedIds", "UNKNOWN_TERM"),
    ("roles", "sourcedId,userSourcedId,role", "r,,teacher", "userSourcedId", "MISSING_VALUE"),
    ("enrollments", ENROLLMENT, "new,,ada", "classSourcedId", "MISSING_VALUE"),
    ("enrollments", ENROLLMENT, "new,cook-1,", "userSourcedId", "MISSING_VALUE"),
    ("enrollments", ENROLLMENT, "new,none,ada", "classSourcedId", "UNKNOWN_CLASS"),
    ("enrollments", f"{ENROLLMENT},role", "new,cook-1,bob,boss", "role", "UNKNOWN_ROLE"),
    ("enrollments", ENROLLMENT, "new,cook-1,none", "userSourcedId", "UNKNOWN_USER"),
]
# What counts for nothing, while the rest of the row goes in.
WARNED = [
    ("academicSessions", "sourcedId,startDate,endDate", "t,2026-01-01,", "endDate", "MISSING_VALUE"),
    ("academicSessions", "sourcedId,startDate,endDate", "t,,2026-01-01", "startDate", "MISSING_VALUE"),
    ("academicSessions", "sourcedId,startDate,endDate", "t,2026-01-01,2026-01-01", "endDate", "BAD_DATE"),
    ("academicSessions", "sourcedId,startDate,endDate", "t,1/1/2026,2026-01-02", "startDate", "BAD_DATE"),
    ("academicSessions", "sourcedId,startDate,endDate", "t,20260101,2026-01-02", "startDate", "BAD_DATE"),
    ("courses", "sourcedId,title,status", "new,New,gone", "status", "BAD_WORD"),
    ("courses", "sourcedId,title,metadata.mode", "new,New,slow", "metadata.mode", "BAD_WORD"),
    ("courses", "sourcedId,title,metadata.duration", "new,New,0", "metadata.duration", "BAD_NUMBER"),
    ("courses", "sourcedId,title,metadata.duration", "new,New,1.5", "metadata.duration", "BAD_NUMBER"),
    ("courses", "sourcedId,title,metadata.duration", "new,New,٣", "metadata.duration", "BAD_NUMBER"),
    ("courses", "sourcedId,title,metadata.priority", "new,New,--3", "metadata.priority", "BAD_NUMBER"),
    ("courses", "sourcedId,title,metadata.archived", "new,New,yes", "metadata.archived", "BAD_FLAG"),
    ("courses", "sourcedId,title,metadata.parent", "new,New,none", "metadata.parent", "UNKNOWN_COURSE"),
    ("classes", f"{CLASS},metadata.timezone", "new,cook,spring,Mars", "metadata.timezone", "BAD_TIMEZONE"),
    ("classes", f"{CLASS},metadata.duration", "new,cook,spring,36601", "metadata.duration", "BAD_NUMBER"),
    ("classes", f"{CLASS},metadata.parent", "new,cook,spring,none", "metadata.parent", "UNKNOWN_CLASS"),
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
    ("users", "sourcedId,role", "new,boss", "role", "UNKNOWN_ROLE"),
    ("roles", "userSourcedId,role", "ada,boss", "role", "UNKNOWN_ROLE"),
    ("enrollments", f"{ENROLLMENT},beginDate", "new,cook-1,bob,2026-02-30", "beginDate", "BAD_DATE"),
    (
        "enrollments",
        f"{ENROLLMENT},endDate,metadata.state",
        "new,cook-1,bob,soon,completed",
        "endDate",
        "BAD_DATE",
    ),
    ("enrollments", f"{ENROLLMENT},metadata.state", "new,cook-1,bob,asleep", "metadata.state", "BAD_WORD"),
    ("enrollments", f"{ENROLLMENT},metadata.cohort", f"new,cook-1,bob,{LONG}", "metadata.cohort", "TOO_LONG"),
]


GOOD = {
    "academicSessions": "ok,2026-01-01,2026-01-02",
    "courses": "ok,Fine",
    "classes": "ok,cook,spring",
    "users": "ok,",
    "roles": "r2,ada,student",
    "enrollments": "ok,cook-1,bob",
}


@pytest.fixture
def bring_beside_a_good_row(bring, bring_small, small):
    """Import a row of a file, and one behind it that is right, into a database that has the small set."""
    bring_small(users=small["users"] + "bob,Bob,,\n")

    def import_row(file, columns, cells):
        good = "ada,student" if (file, columns) == ("roles", "userSourcedId,role") else GOOD[file]
        good += "," * (columns.count(",") - good.count(","))
        named = {"classes": ("academicSessions", "courses")}.get(file, ())
        files = {name: small[name] for name in named}
        return bring(**files, **{file: f"{columns}\n{cells}\n{good}\n"})

    return import_row


@pytest.mark.parametrize(("file", "columns", "cells", "field", "code"), REFUSED)
def test_a_row_is_refused_by_file_line_and_column_and_the_next_goes_in(
    bring_beside_a_good_row, file, columns, cells, field, code
):
    report = bring_beside_a_good_row(file, columns, cells)

    assert refusals(report) == [(f"{file}.csv", 2, field, code)]
    assert warnings(report) == []
    done = report.counts[f"{file}.csv"]
    assert (done.created + done.unchanged, done.refused) == (1, 1)


@pytest.mark.parametrize(("file", "columns", "cells", "field", "code"), WARNED)
def test_a_cell_that_means_nothing_is_warned_of_and_its_row_goes_in(
    bring_beside_a_good_row, file, columns, cells, field, code
):
    report = bring_beside_a_good_row(file, columns, cells)

    assert warnings(report) == [(f"{file}.csv", 2, field, code)]
    assert refusals(report) == []
    done = report.counts[f"{file}.csv"]
    assert done.created + done.unchanged + done.merged == 2


@pytest.mark.parametrize(("file", "columns", "cells", "field", "code"), WARNED)
def test_a_cell_that_means_nothing_is_warned_of_again_each_night(
    bring_beside_a_good_row, everything, file, columns, cells, field, code
):
    first = bring_beside_a_good_row(file, columns, cells)
    before = everything()

    again = bring_beside_a_good_row(file, columns, cells)

    assert warnings(again) == warnings(first)
    assert everything() == before


def test_a_new_course_whose_title_means_nothing_is_refused_after_the_warning(bring):
    report = bring(courses=f"sourcedId,title\nnew,{LONG}\n")

    assert warnings(report) == [("courses.csv", 2, "title", "TOO_LONG")]
    assert refusals(report) == [("courses.csv", 2, "title", "MISSING_VALUE")]


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("metadata.id", "100234"),
        ("metadata.id", "0b6f2f6e-7a53-4b0e-9d53-6f0a41a3c001"),
        ("metadata.imported", "yes"),
        ("metadata.erasedAt", "2026-01-01T00:00:00Z"),
        ("metadata.id,metadata.sourcedId", "7,8"),
    ],
)
def test_columns_of_our_exports_count_for_nothing_in_a_file_of_another_system(bring, user, columns, cells):
    report = bring(users=f"sourcedId,givenName,{columns}\na,Ada,{cells}\n")

    assert (refusals(report), warnings(report)) == ([], [])
    assert (user("a").first, user("a").sourced_id, user("a").erased_at) == ("Ada", "a", None)


def test_in_a_file_that_we_wrote_a_bad_id_refuses_the_row(bring):
    report = bring(users="sourcedId,metadata.id,metadata.imported\na,7,\nb,,\n")

    assert refusals(report) == [("users.csv", 2, "metadata.id", "BAD_ID")]
    assert report.counts["users.csv"].created == 1


DATED = "sourcedId,givenName,status,dateLastModified\n"


@pytest.mark.parametrize(
    ("counts", "other"),
    [
        ("a,Grace,,2026-02-01", "a,Ada,,2026-01-01"),
        ("a,Grace,,2026-01-01", "a,Ada,tobedeleted,2026-02-01"),
        ("a,Grace,,", "a,Ada,,"),
    ],
    ids=["the latest", "one that is not to be deleted", "the last in the alphabet"],
)
@pytest.mark.parametrize("turned", [False, True])
def test_of_two_rows_with_one_id_that_say_different_things_one_counts_in_any_order(
    bring, counts, other, turned
):
    rows = [other, counts] if turned else [counts, other]

    report = bring(users=DATED + "\n".join(rows))

    assert refusals(report) == [("users.csv", 2 + rows.index(other), "sourcedId", "DUPLICATE_ID")]
    assert User.get().first == "Grace"


def test_two_rows_that_say_the_same_are_merged(bring):
    report = bring(users=DATED + "a,Ada,,\na,Ada,,2026-01-01\n")

    assert (report.refusals, report.counts["users.csv"].created) == ([], 1)
    assert report.counts["users.csv"].merged == 1


@pytest.mark.parametrize("turned", [False, True])
def test_of_two_enrollments_with_one_id_about_different_users_one_counts_in_any_order(
    bring_small, small, turned
):
    rows = ["e1,cook-1,ada,student", "e1,cook-1,bob,student"]
    header = small["enrollments"].splitlines()[0]

    report = bring_small(
        users=small["users"] + "bob,Bob,,\n",
        enrollments="\n".join([header, *(reversed(rows) if turned else rows)]),
    )

    assert [(one.code, one.who) for one in report.refusals] == [
        ("DUPLICATE_ID", "Ada Lovelace (ada) in Cooking in spring (cook-1)")
    ]
    assert Membership.select().count() == 1


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


def parents():
    return {kind.name: kind.parent and kind.parent.name for kind in ProgramKind.select()}


def test_kinds_that_name_each_other_as_parents_go_in_without(bring):
    report = bring(courses="sourcedId,title,metadata.parent\na,A,b\nb,B,a\nc,C,a\n")

    assert {(one.line, one.code) for one in report.warnings} == {
        (2, "PROGRAM_KIND_OWN_ANCESTOR"),
        (3, "PROGRAM_KIND_OWN_ANCESTOR"),
    }
    assert parents() == {"A": None, "B": None, "C": "A"}


def test_a_kind_does_not_become_its_own_ancestor(bring):
    bring(courses="sourcedId,title,metadata.parent\na,A,\nb,B,a\n")

    report = bring(courses="sourcedId,title,metadata.parent\na,A,b\n")

    assert warnings(report) == [("courses.csv", 2, "metadata.parent", "PROGRAM_KIND_OWN_ANCESTOR")]
    assert parents() == {"A": None, "B": "A"}


@pytest.mark.parametrize("rows", [["a,A,c", "b,B,", "c,C,b"], ["c,C,b", "b,B,", "a,A,c"]])
def test_kinds_may_change_places_in_the_tree(bring, rows):
    bring(courses="sourcedId,title,metadata.parent\nall,All,\na,A,all\nb,B,a\nc,C,b\n")
    bring(courses="sourcedId,title,metadata.parent\nb,B,all\n")

    report = bring(courses="\n".join(["sourcedId,title,metadata.parent", *rows]))

    assert report.warnings == []
    assert parents() == {"All": None, "A": "C", "B": "All", "C": "B"}


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

    assert [one.line for one in report.warnings] == [6]


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


def test_a_cell_that_is_not_utf_8_is_warned_of_and_all_else_goes_in(bring):
    report = bring(
        users="sourcedId,givenName\na,Émile\n".encode() + "b,Émile\n".encode("latin-1") + b"c,Ada\n"
    )

    assert warnings(report) == [("users.csv", 3, "givenName", "BAD_TEXT")]
    assert {user.first for user in User.select()} == {"Émile", None, "Ada"}


def test_a_line_without_end_is_not_read_on(bring):
    report = bring(users="sourcedId,givenName\na,Ada\nb," + "x" * (2 * LINE_AT_MOST) + "\nc,Grace\n")

    assert refusals(report) == [("users.csv", 3, None, "UNREADABLE_FILE")]
    assert [user.first for user in User.select()] == ["Ada"]


def test_a_file_beyond_all_measure_is_not_opened():
    told = []
    huge = Stored(FILE_AT_MOST + 1, lambda: pytest.fail("was opened"))

    with opened(huge, lambda *refusal: told.append(refusal)) as table:
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
@settings(max_examples=60, deadline=None)
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
@settings(max_examples=60, deadline=None)
def test_no_bytes_raise(world, tmp_path, content):
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("users.csv", content)
        archive.writestr("enrollments.csv", b"sourcedId,classSourcedId,userSourcedId\n" + content)
        archive.writestr("manifest.csv", b"propertyName,value\n" + content)

    report = import_oneroster(path)

    assert report.refusals
