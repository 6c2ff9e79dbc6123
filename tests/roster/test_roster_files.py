"""CSV is read as Excel and student information systems write it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.people import User
from models.roster.reader import SEPARATORS, Stored, opened


def read(content):
    """The columns, records and refusals of a file."""
    content = content.encode() if isinstance(content, str) else content
    stored = Stored(len(content), lambda: io.BytesIO(content))
    told = []

    def refuse(line, field, code, message):
        told.append((line, code))

    with opened(stored, refuse) as table:
        if table is None:
            return [], [], told
        return table.columns, list(table.records(refuse)), told


def refusals(report):
    return [(one.file, one.line, one.code) for one in report.refusals]


# Separators

every_separator = pytest.mark.parametrize("separator", SEPARATORS, ids=["comma", "semicolon", "tab"])


@every_separator
def test_the_header_tells_what_separates_the_cells(separator):
    lines = ["sourcedId,givenName,email", "a,Ada,ada@example.org", "b,,"]

    columns, records, _ = read("\n".join(lines).replace(",", separator))

    assert columns == ["sourcedId", "givenName", "email"]
    assert records == [(2, ["a", "Ada", "ada@example.org"]), (3, ["b", "", ""])]


@every_separator
def test_cells_of_other_separators_stay_whole(separator):
    cells = ["a", "a, b; c\td", 'Ada "Countess"']
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows([["sourcedId", "givenName", "familyName"], cells])

    assert read(text.getvalue())[1] == [(2, cells)]


@every_separator
def test_quoted_names_of_columns_count_as_one(separator):
    header = separator.join(['"sourcedId"', '"metadata.a,b;c;d\te\tf,g"', "email"])

    assert read(f"{header}\n")[0] == ["sourcedId", "metadata.a,b;c;d\te\tf,g", "email"]


@pytest.mark.parametrize(
    "content", ["sourcedId\na\nb", "\n\nsourcedId\r\na\r\n\r\nb\r\n", '"sourcedId"\r"a"\rb\r']
)
def test_a_file_of_one_column_is_read(content):
    columns, records, told = read(content)

    assert (columns, [cells for _, cells in records], told) == (["sourcedId"], [["a"], ["b"]], [])


@pytest.mark.parametrize("between", [",", ";"])
def test_a_set_with_semicolons_goes_in_with_lists_of_commas_or_semicolons(
    between, bring_small, small, program, membership
):
    files = {name: text.replace(",", ";") for name, text in small.items()}
    files["academicSessions"] += "summer;2026-05-01;2026-08-01\n"
    files["classes"] = files["classes"].replace("cook;spring", f'cook;"spring{between}summer"')

    report = bring_small(**files)

    assert report.refusals == []
    assert (program().start_date.isoformat(), program().duration) == ("2026-02-01", 181)
    assert membership().state == "active"


# Encodings


@pytest.mark.parametrize("marks", [0, 1, 2, 5])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_any_number_of_byte_order_marks_is_passed_over(encoding, marks):
    text = "\ufeff" * marks + '"sourcedId",givenName\na,Émile 🎉\n'

    assert read(text.encode(encoding)) == (["sourcedId", "givenName"], [(2, ["a", "Émile 🎉"])], [])


def test_a_file_of_byte_order_marks_alone_is_empty():
    assert read("\ufeff\ufeff") == ([], [], [])


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_what_excel_calls_unicode_text_is_read(bring, user, end):
    """UTF-16 with tabs."""
    report = bring(users=end.join(["sourcedId\tgivenName", "a\tŽofie", ""]).encode("utf-16"))

    assert (report.refusals, user("a").first) == ([], "Žofie")


def test_half_a_character_of_utf_16_is_told_and_what_came_before_goes_in(bring, user):
    report = bring(
        users="\ufeffsourcedId,givenName\na,Ada\nb,\ud83cx\nc,Grace\n".encode("utf-16-le", "surrogatepass")[
            :-1
        ]
    )

    assert refusals(report) == [("users.csv", 4, "UNREADABLE_FILE")]
    assert [(one.line, one.code) for one in report.warnings] == [(3, "BAD_TEXT")]
    assert (user("a").first, user("b").first) == ("Ada", None)


@pytest.mark.parametrize("encoding", ["cp1252", "cp1250", "mac-roman"])
def test_a_file_in_windows_1252_is_refused_once_with_what_to_do(bring, small, encoding):
    rows = [f"u{number},Zoë,Hé" for number in range(50)]
    users = "\r\n".join(["sourcedId,givenName,familyName", "a,Ada,Lovelace", *rows])

    report = bring(users=users.encode(encoding, "replace"), courses=small["courses"])

    [refusal] = report.refusals
    assert (refusal.file, refusal.line, refusal.code) == ("users.csv", 3, "NOT_UTF_8")
    assert "cp1252" in refusal.message
    assert "save it as CSV UTF-8" in refusal.message.replace("Save", "save")
    assert report.counts["courses.csv"].created == 1


def test_the_last_byte_alone_can_tell_that_a_file_is_not_utf_8(bring):
    report = bring(users="sourcedId,givenName\na,José".encode("cp1252"))

    assert refusals(report) == [("users.csv", 2, "NOT_UTF_8")]


def test_some_bad_bytes_in_a_file_of_utf_8_cost_their_cell_alone(bring, user):
    good = "".join(f"u{number},Zoë\n" for number in range(9)).encode()

    report = bring(users=b"sourcedId,givenName\n" + good + b"x,Jos\xe9\n" + good.replace(b"u", b"v"))

    assert [(one.line, one.field, one.code) for one in report.warnings] == [(11, "givenName", "BAD_TEXT")]
    assert (report.refusals, User.select().count()) == ([], 19)


def test_characters_across_the_blocks_of_a_large_file_are_whole():
    rows = ["sourcedId,givenName", *(f"u{number},{'ж€🎉' * 1000}" for number in range(400))]

    columns, records, told = read("\n".join(rows))

    assert (len(columns), len(records), told) == (2, 400, [])


# Rows


@pytest.mark.parametrize("row", ["", ",,", " , ,\t", '"","",""', '" ",', "\xa0", ",,,,,,"])
def test_an_empty_row_is_nothing(bring, row):
    report = bring(users=f"sourcedId,givenName,email\n{row}\na,Ada,\n{row}\n")

    assert (report.total.created, report.total.unchanged, report.refusals) == (1, 0, [])


def test_empty_rows_before_the_header_are_passed_over():
    assert read(",,\n\n sourcedId , givenName\na,Ada\n") == (
        ["sourcedId", "givenName"],
        [(4, ["a", "Ada"])],
        [],
    )


@pytest.mark.parametrize("row", ["a", "a,", "a,,", 'a,"",'])
def test_cells_missing_at_the_end_of_a_row_are_empty(row):
    assert read(f"sourcedId,givenName,email\n{row}\n")[1:] == ([(2, ["a", "", ""])], [])


@pytest.mark.parametrize("row", ["a,b,", "a,b,,,", 'a,b,"", ,'])
def test_empty_cells_beyond_the_columns_are_let_pass(row):
    assert read(f"sourcedId,givenName\n{row}\n")[1:] == ([(2, ["a", "b"])], [])


def test_a_short_row_may_end_in_a_cell_of_several_lines():
    text = 'sourcedId,comments,a,b\ne1,"late, but\nthere, and\nwell"\ne2,x\n'

    assert read(text)[1:] == (
        [(2, ["e1", "late, but\nthere, and\nwell", "", ""]), (5, ["e2", "x", "", ""])],
        [],
    )


def test_a_stray_quote_that_makes_a_short_row_takes_no_other_row_in():
    text = 'sourcedId,givenName,email\nx,"Xaver,\nb,Bob,b@example.org\nc,Cid"\nd,Dan,\n'

    _, records, told = read(text)

    assert [cells[0] for _, cells in records] == ["b", "c", "d"]
    assert told == [(2, "BAD_ROW")]


ANY = st.text(st.sampled_from('a,;\t"\n\r \ufeff\x00é\ud83c'), max_size=40)


@given(header=ANY, rows=ANY, encoding=st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]))
def test_every_record_has_a_cell_for_each_column_and_something_in_one(header, rows, encoding):
    columns, records, _ = read(f"{header}\n{rows}".encode(encoding, "surrogatepass"))

    assert {len(cells) for _, cells in records} <= {len(columns)}
    assert all("".join(cells).strip() for _, cells in records)
