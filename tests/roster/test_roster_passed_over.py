"""Files that are not read are named: one with a wrong name must not be lost in silence."""

from __future__ import annotations

import json
import zipfile

import pytest

from models.roster import import_oneroster
from models.roster.passed_over import NAMED_AT_MOST

USERS = "sourcedId,givenName\nbob,Bob\n"


def named(report):
    """The files that the warnings name, and why."""
    assert {"FILE_PASSED_OVER"} >= {warning.code for warning in report.warnings}
    return {warning.file: warning.message for warning in report.warnings}


@pytest.mark.parametrize(
    "name", ["users (1).csv", "users.csv.bak", "Users.CSV.bak", "user.csv", "users.txt", "copy of users.csv"]
)
def test_a_file_with_nearly_the_right_name_is_named_with_the_right_one(world, write_set, small, name):
    del small["users"]
    folder = write_set(**small)
    (folder / name).write_text(USERS)

    report = import_oneroster(folder)

    assert named(report) == {
        name: "It is not read: it would have to be called users.csv, and there is no such file."
    }


def test_a_file_beside_the_right_one_is_named(world, write_set, small):
    folder = write_set(**small)
    (folder / "users (1).csv").write_text(USERS)
    (folder / "notes.txt").write_text("")

    assert named(import_oneroster(folder)) == {
        "users (1).csv": "It is not read; users.csv is.",
        "notes.txt": "It is no file of OneRoster, and is not read.",
    }


def test_a_set_of_files_that_are_read_warns_of_nothing(world, write_set, small):
    report = import_oneroster(
        write_set(**small, manifest="propertyName,value\n", roles="userSourcedId,role\n")
    )

    assert (report.warnings, report.unused) == ([], [])


def test_files_of_oneroster_of_which_nothing_is_taken_are_no_reason_for_a_warning(world, write_set, small):
    report = import_oneroster(write_set(**small, orgs="", lineItems="", scoreScales=""))

    assert named(report) == {}
    assert report.unused == ["lineItems.csv", "orgs.csv", "scoreScales.csv"]
    assert json.loads(report.as_json())["unusedFiles"] == report.unused
    assert "Files of OneRoster of which nothing is taken: lineItems.csv, orgs.csv, scoreScales.csv" in str(
        report
    )


def test_what_a_system_puts_into_folders_is_not_named(world, write_set, small):
    folder = write_set(**small)
    for name in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (folder / name).write_text("")
    for name in ("__MACOSX", ".git"):
        (folder / name).mkdir()

    assert named(import_oneroster(folder)) == {}


def test_files_farther_inside_a_zip_that_lose_are_named_with_their_folders(world, write_zip):
    path = write_zip(
        {"old/Users.csv": USERS, "__MACOSX/users.csv": "", "new/users.csv": USERS, "users.csv": USERS}
    )

    assert named(import_oneroster(path)) == {
        "new/users.csv": "It is not read; users.csv is.",
        "old/Users.csv": "It is not read; users.csv is.",
    }


def test_files_of_other_names_inside_a_zip_are_named_with_their_folders(world, write_zip):
    path = write_zip({"export/users (1).csv": USERS, "export/courses.csv": "sourcedId,title\nc,C\n"})

    assert list(named(import_oneroster(path))) == ["export/users (1).csv"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_two_members_of_the_same_name_one_is_named(world, tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("users.csv", USERS)
        archive.writestr("users.csv", USERS.replace("bob", "eve"))

    report = import_oneroster(tmp_path / "set.zip")

    assert named(report) == {"users.csv": "It is not read; users.csv is."}
    assert report.counts["users.csv"].created == 1


def test_of_two_files_that_differ_in_letter_case_one_is_named(world, write_set, user):
    folder = write_set(users=USERS)
    (folder / "Users.csv").write_text(USERS.replace("Bob", "Eve"))

    assert named(import_oneroster(folder)) == {"Users.csv": "It is not read; users.csv is."}
    assert user("bob").first == "Bob"


def test_folders_and_links_to_nothing_in_a_directory_are_named(world, write_set, small, tmp_path):
    del small["users"]
    folder = write_set(**small)
    (folder / "archive").mkdir()
    (folder / "users.csv").symlink_to(tmp_path / "nothing")

    assert named(import_oneroster(folder)) == {
        "archive/": "A folder in a directory is not looked into.",
        "users.csv": "It is not read: it is no file, or a link to none.",
    }


def test_a_manifest_tells_what_is_missing_beside_the_file_that_was_passed_over(world, write_set, small):
    del small["users"]
    folder = write_set(**small, manifest="propertyName,value\nfile.users,bulk\n")
    (folder / "users (1).csv").write_text(USERS)

    report = import_oneroster(folder)

    assert ("manifest.csv", "MISSING_FILE") in {(one.file, one.code) for one in report.refusals}
    assert list(named(report)) == ["users (1).csv"]


def test_no_more_files_are_named_than_people_read(world, write_zip):
    junk = {f"{number:04}.txt": "" for number in range(NAMED_AT_MOST + 7)}

    report = import_oneroster(write_zip({"users.csv": USERS, **junk}))

    assert len(report.warnings) == NAMED_AT_MOST + 1
    assert report.warnings[-1].message == "7 more files are not read."


def test_the_name_of_a_file_does_nothing_to_the_terminal(world, write_zip):
    report = import_oneroster(write_zip({"users.csv": USERS, "a\x1b[31m\r\nb\x9b.csv": ""}))

    assert list(named(report)) == ["a\ufffd[31m b\ufffd.csv"]
