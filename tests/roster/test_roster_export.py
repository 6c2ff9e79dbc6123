"""Exported and imported into an empty database, everything is there again."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models import clock, sample
from models.cohorts import Cohort
from models.database import configure, connected, database, writing
from models.memberships import Membership, MembershipChange, MembershipState
from models.people import Label, User, UserLabel, UserStatus
from models.programs import Mode, Program, ProgramKind
from models.roster import NotARoster, export_oneroster, import_oneroster
from models.text import FORBIDDEN

NASTY = [
    *('a,b"c', "", " x ", "two\nlines", "dos\r\nlines", "old\rmac", "\r", "a;b\tc"),
    *("é中\U0001f600", "\ufeffbom", "\u2028", "'=1+1", "null"),
]


def rows():
    """All that a set carries, as values; of the history, the newest row of each membership."""
    found = {
        model.__name__: {row.id: dict(row.__data__) for row in model.select()}
        for model in (ProgramKind, Program, Cohort, Label, User, Membership)
    }
    found["labels"] = {(link.__data__["user"], link.__data__["label"]) for link in UserLabel.select()}
    for membership in found["Membership"].values():
        del membership["last_change_id"]  # an id that is made anew
    changes = MembershipChange.select().order_by(MembershipChange.id)
    found["history"] = {
        change.__data__["membership"]: (change.at, change.effective_date, change.after) for change in changes
    }
    return found


@pytest.fixture
def round_trip(tmp_path, empty_database):
    """Export, import into an empty database; returns the rows of both, and the report."""

    def travel(path=None):
        path = path or tmp_path / "out.zip"
        export_oneroster(path)
        before = rows()
        with empty_database():
            report = import_oneroster(path)
            after = rows()
        return before, after, report

    return travel


@pytest.mark.sample
@pytest.mark.parametrize("name", ["out.zip", "folder"])
def test_the_sample_world_comes_back_row_for_row(world, round_trip, tmp_path, name):
    before, after, report = round_trip(tmp_path / name)

    assert after == before
    assert report.refusals == []


@pytest.mark.sample
def test_an_export_that_is_imported_where_it_came_from_changes_nothing(world, tmp_path, everything):
    export_oneroster(tmp_path / "out.zip")
    before = everything()

    report = import_oneroster(tmp_path / "out.zip")

    assert everything() == before
    assert (report.total.created, report.total.updated, report.total.history) == (0, 0, 0)


def test_everything_that_a_row_can_say_comes_back(round_trip, make_kind, make_user, make_membership):
    top, below = make_kind(name="Top"), make_kind(name="Below")
    with writing():
        top.change(parent_id=below.id, handle="top", group="g", mode=Mode.OPEN, priority=-3, sourced_id="t")
        program = Program.put(
            None, kind_id=top.id, start_date=date(9999, 12, 1), duration=31, timezone="Europe/Berlin"
        )
        child = Program.put(None, kind_id=below.id, start_date=date(1, 1, 1), parent_id=program.id)
        cohort = Cohort.confirm(program.id, "Ünicode  Group")
        Cohort.confirm(child.id, "Nobody's")
        Label.put(None, handle="a, b", name="Comma")
        Label.put(None, handle='say "c"', name="Quote", sourced_id="s")
    person = make_user(
        email=" Ada@Example.org ",
        first="Ada",
        name="A. L.",
        title="Countess",
        gender="female",
        dob=date(1815, 12, 10),
        mobile="1",
        timezone="Europe/London",
        external_id="x",
        external_status="y",
        role="admin",
        last_sign_in_at=datetime(2026, 1, 1, 12, 30, 0, 123000, tzinfo=UTC),
        sourced_id="",
    )
    member = make_membership(person, program, cohort_id=cohort.id, role="observer", date=date(2026, 1, 2))
    with writing():
        for label in Label.select():
            person.put_label(label)
        member.say(MembershipState.DROPPED, comments="left, alas", state_detail="moved")
        person.edit(status=UserStatus.RETIRED)
        program.change(archived=True)
        top.change(archived=True)

    before, after, report = round_trip()

    assert after == before
    assert report.refusals == []


def test_an_erased_user_comes_back_erased_with_the_memberships(round_trip, make_user, make_membership):
    gone = make_user(email="gone@example.org")
    make_membership(gone)
    with writing():
        gone.erase()

    before, after, _ = round_trip()

    assert after == before


def test_the_moments_of_making_and_changing_come_back(round_trip, make_membership):
    member = make_membership()
    clock.set_to(clock.now() + timedelta(days=3))
    with writing():
        member.say(MembershipState.COMPLETED)
    clock.set_to(clock.now() + timedelta(days=30))

    before, after, _ = round_trip()

    assert after == before


def test_an_end_before_the_day_on_which_it_was_brought_comes_back(bring_small, round_trip, membership):
    bring_small()
    bring_small(
        enrollments="sourcedId,classSourcedId,userSourcedId,endDate,metadata.state\n"
        "e1,cook-1,ada,2026-03-01,withdrawn\n"
    )

    before, after, _ = round_trip()

    assert after == before
    at, effective_date, _ = after["history"][membership().id]
    assert (at, effective_date) == (clock.now(), date(2026, 3, 1))


def test_the_day_of_an_end_comes_back_whatever_was_noted_after_it(bring_small, round_trip, membership):
    bring_small()
    bring_small(
        enrollments="sourcedId,classSourcedId,userSourcedId,endDate,metadata.state\n"
        "e1,cook-1,ada,2026-03-01,withdrawn\n"
    )
    with writing():
        membership().say(MembershipState.WITHDRAWN, comments="moved away")

    _, after, _ = round_trip()

    assert after["history"][membership().id][1] == date(2026, 3, 1)


def test_what_the_last_import_said_comes_back_so_that_the_next_undoes_nothing(
    bring_small, round_trip, membership, empty_database, small, tmp_path
):
    header, row = small["enrollments"].split()
    files = {"enrollments": f"{header},metadata.state\n{row},active\n"}
    bring_small(**files)
    with writing():
        membership().say(MembershipState.COMPLETED)
    before, after, _ = round_trip()

    with empty_database():
        bring_small(**files)
        state = membership().state

    assert (after, state) == (before, MembershipState.COMPLETED)


@given(texts=st.lists(st.sampled_from(NASTY) | st.text(max_size=20), min_size=8, max_size=8))
@settings(max_examples=30, deadline=None)
def test_any_text_comes_back_exactly(world, tmp_path_factory, templates, texts):
    texts = [FORBIDDEN.sub("", text) for text in texts]
    folder = tmp_path_factory.mktemp("any")
    (folder / "core.db").write_bytes(templates["empty"].path.read_bytes())
    (folder / "other.db").write_bytes(templates["empty"].path.read_bytes())
    database.close()
    try:
        configure(f"sqlite:///{folder}/core.db")
        with connected(), writing():
            kind = ProgramKind.put(None, name=f"k{texts[0]}", handle=texts[1], group=texts[2])
            program = Program.put(None, kind_id=kind.id, start_date=date(2026, 1, 1), name=f"p{texts[3]}")
            user = User.appear(None, first=texts[4], last=texts[5], mobile=texts[6], sourced_id=texts[7])
            label = Label.put(None, handle=f"h{texts[0]}", name=f"n{texts[1]}")
            user.put_label(label)
            Membership.put(user.id, program, cohort_id=Cohort.confirm(program.id, f"c{texts[2]}").id)
            Membership.of(user.id, program.id).say(
                MembershipState.DROPPED, comments=texts[3], state_detail=texts[4]
            )
        with connected():
            export_oneroster(folder / "out.zip")
            before = rows()
        configure(f"sqlite:///{folder}/other.db")
        with connected():
            report = import_oneroster(folder / "out.zip")
            after = rows()
    finally:
        configure(world.url)
        database.connect()

    assert after == before
    assert report.refusals == []


# What others read


@pytest.fixture
def exported(world, tmp_path):
    """The files of an export: for each, its header and its rows by column."""

    def read(**options):
        export_oneroster(tmp_path / "out.zip", **options)
        with zipfile.ZipFile(tmp_path / "out.zip") as archive:
            return {
                name: list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))
                for name in archive.namelist()
            }

    return read


@pytest.mark.sample
def test_the_files_have_the_columns_of_oneroster_1_1_before_ours(exported):
    header = list(exported()["enrollments.csv"][0])

    assert header[:10] == [
        *("sourcedId", "status", "dateLastModified", "classSourcedId", "schoolSourcedId", "userSourcedId"),
        *("role", "primary", "beginDate", "endDate"),
    ]
    assert all(name.startswith("metadata.") for name in header[10:])


@pytest.mark.sample
def test_the_manifest_names_the_files_of_oneroster_that_are_there(exported):
    files = exported()

    manifest = {row["propertyName"]: row["value"] for row in files["manifest.csv"]}
    bulk = {name.removeprefix("file.") + ".csv" for name, value in manifest.items() if value == "bulk"}
    assert manifest["oneroster.version"] == "1.1"
    assert bulk == {name for name in files if name != "manifest.csv" and not name.startswith("metadata.")}


@pytest.mark.sample
def test_status_and_time_of_change_are_empty_as_in_every_bulk_file(exported):
    for name, table in exported().items():
        for row in table:
            assert not row.get("status"), name
            assert not row.get("dateLastModified"), name


@pytest.mark.sample
def test_rows_say_in_the_words_of_oneroster_what_they_are(exported):
    files = exported()

    users = {row["metadata.id"]: row for row in files["users.csv"]}
    assert (users[sample.GRACE]["role"], users[sample.ADA]["role"], users[sample.MARIE]["role"]) == (
        "administrator",
        "teacher",
        "student",
    )
    assert users[sample.MARYAM]["enabledUser"] == "false"
    [spring] = [row for row in files["classes.csv"] if row["metadata.id"] == sample.SPRING]
    [term] = [row for row in files["academicSessions.csv"] if row["sourcedId"] == spring["termSourcedIds"]]
    program = Program.of(UUID(sample.SPRING))
    assert term["endDate"] == (program.end_date + timedelta(days=1)).isoformat()


@pytest.mark.parametrize(("source", "kept"), [("default", True), ("other", False)])
def test_rows_keep_the_ids_of_the_source_that_is_named(bring_small, exported, source, kept, membership):
    bring_small()

    [row] = exported(source=source)["enrollments.csv"]

    expected = ("e1", "cook-1", "ada")
    ids = str(membership().id), str(membership().program_id), str(membership().user_id)
    names = row["sourcedId"], row["classSourcedId"], row["userSourcedId"]
    assert names == (expected if kept else ids)


def test_rows_of_two_sources_with_the_same_ids_come_back(bring, round_trip):
    for source in ("default", "south"):
        bring(source=source, users="sourcedId,givenName\nu,Ada\n")

    before, after, _ = round_trip()

    assert after == before


@pytest.mark.sample
def test_an_export_tells_how_many_rows_it_wrote(world, tmp_path):
    counts = export_oneroster(tmp_path / "out.zip")

    assert counts["users.csv"] == User.select().count()
    assert counts["enrollments.csv"] == Membership.select().count()


def test_an_export_does_not_take_the_place_of_another_file(world, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")

    with pytest.raises(NotARoster):
        export_oneroster(tmp_path / "notes.txt")

    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_zip_is_put_in_its_place_when_it_is_whole(world, tmp_path):
    (tmp_path / "out.zip").write_text("the old one")

    export_oneroster(tmp_path / "out.zip")

    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("out")] == ["out.zip"]
    assert zipfile.is_zipfile(tmp_path / "out.zip")
