"""`core-rpc import`: exit statuses, options, and the list of past imports."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from models.imports import RosterImport
from models.memberships import Membership
from models.people import User
from tests.test_cli import core_rpc

USERS = "sourcedId,email\nada,ada@example.org\n"
BAD_ROW = USERS + ",grace@example.org\n"


@pytest.fixture
def run(world, tmp_path):
    """Import some files of users by the command line."""

    def import_files(*options, command="oneroster", **files):
        folder = tmp_path / "set"
        folder.mkdir(exist_ok=True)
        for name, content in files.items():
            (folder / f"{name}.csv").write_text(content)
        words = [folder, *options] if command == "oneroster" else options
        return core_rpc("import", command, *words, cwd=tmp_path, database=world.url)

    return import_files


dry_or_not = pytest.mark.parametrize("dry", [(), ("--dry-run",)], ids=["import", "dry run"])


# Exit statuses


@dry_or_not
def test_0_when_nothing_is_refused(run, dry):
    done = run(*dry, users=USERS)

    assert (0, "") == (done.returncode, done.stderr)


@dry_or_not
def test_3_when_a_row_is_refused_and_the_others_go_in(run, dry):
    done = run(*dry, users=BAD_ROW)

    assert 3 == done.returncode
    assert "BAD_SOURCED_ID" in done.stdout
    assert User.select().count() == (0 if dry else 1)


def test_3_when_a_file_is_refused(run):
    assert 3 == run(users=USERS, courses="title\nCooking\n").returncode


@dry_or_not
@pytest.mark.parametrize(("strict", "status"), [((), 0), (("--strict",), 3)])
def test_warnings_count_only_when_it_is_strict(run, dry, strict, status):
    done = run(*dry, *strict, users=USERS, user="sourcedId\nbob\n")

    assert status == done.returncode
    assert "FILE_PASSED_OVER" in done.stdout


def test_files_that_mean_nothing_here_are_no_warning(run):
    done = run("--strict", users=USERS, orgs="sourcedId\n")

    assert 0 == done.returncode
    assert "orgs.csv" in done.stdout


@dry_or_not
def test_1_when_there_is_nothing_to_read(run, dry):
    done = run(*dry, notes="")

    assert (1, "") == (done.returncode, done.stdout)
    assert "no OneRoster file" in done.stderr


def test_1_when_there_is_no_such_directory(world, tmp_path):
    done = core_rpc("import", "oneroster", "tonight.zip", cwd=tmp_path, database=world.url)

    assert 1 == done.returncode
    assert "There is no file or directory tonight.zip" in done.stderr


def test_a_set_with_semicolons_goes_in(run):
    done = run(users="sourcedId;email\nada;ada@example.org\n")

    assert 0 == done.returncode
    assert User.get().email == "ada@example.org"


# Options


@pytest.mark.parametrize("limit", ["five", "5%%", "-1", "1.5"])
def test_a_limit_that_is_none_is_told_with_how_one_is_written(run, limit):
    done = run(f"--max-changes={limit}", users=USERS)

    assert 1 == done.returncode
    assert (
        f"--max-changes: '{limit}' is neither a number such as 50 nor a percentage such as 5%" in done.stderr
    )
    assert not User.select().exists()


@pytest.mark.parametrize(
    ("option", "words"),
    [("--dates=eu", "'iso', 'us'"), ("--missing=drop", "'keep', 'end'"), ("--match=name", "'none', 'email'")],
)
def test_a_word_that_an_option_does_not_know_is_told_with_those_that_it_does(run, option, words):
    done = run(option, users=USERS)

    assert 2 == done.returncode
    assert words in " ".join(done.stderr.replace("│", " ").split())


def test_a_report_that_cannot_be_written_keeps_the_import_from_being_done(run):
    done = run("--report", "nowhere/report.json", users=USERS)

    assert 1 == done.returncode
    assert not User.select().exists()


def test_a_report_of_another_night_does_not_stay_when_nothing_can_be_read(run, tmp_path):
    (tmp_path / "report.json").write_text('{"refusals": []}')

    run("--report", "report.json", notes="")

    told = json.loads((tmp_path / "report.json").read_text())
    assert "NOT_A_ROSTER" == told["error"]["code"]
    assert "refusals" not in told


# Past imports


def test_imports_are_listed_newest_first(run):
    run("--source", "north", users=BAD_ROW)
    run("--source", "south", users="sourcedId\nbob\n", user="")

    done = run("--json", command="list")

    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [("south", 0, 1), ("north", 1, 0)] == [
        (row["source"], row["refused"], row["warnings"]) for row in rows
    ]
    assert 1 == len(run("--json", "--limit", "1", command="list").stdout.splitlines())


def test_the_list_for_people_tells_what_became_of_each(run):
    run(users=BAD_ROW)
    run("--source", "north", notes="")

    shown = run(command="list").stdout

    for one in RosterImport.newest(10):
        assert str(one.id) in shown


def test_an_import_that_came_to_nothing_is_listed_with_the_reason(run):
    run(notes="")

    [row] = map(json.loads, run("--json", command="list").stdout.splitlines())

    assert ("refused", "NOT_A_ROSTER") == (row["outcome"], row["error"])


def test_an_import_under_a_name_that_no_source_can_have_is_not_listed(run):
    assert 1 == run("--source", "a/b", users=USERS).returncode
    assert "" == run("--json", command="list").stdout


def test_a_dry_run_is_not_listed(run):
    run("--dry-run", users=USERS)
    run("--dry-run", users="")

    assert "" == run("--json", command="list").stdout


def test_a_past_report_is_what_the_import_wrote(run, tmp_path):
    run("--report", "report.json", users=BAD_ROW)
    [kept] = RosterImport.newest(1)

    shown = json.loads(run(kept.id, command="show").stdout)

    assert json.loads((tmp_path / "report.json").read_text()) == shown["report"]
    assert ("default", "done", 1) == (shown["source"], shown["outcome"], shown["refused"])


def test_an_unknown_import_is_told(run):
    unknown = str(uuid4())

    done = run(unknown, command="show")

    assert (1, f"core-rpc: there is no import {unknown}\n") == (done.returncode, done.stderr)


# Options

TERMS = "sourcedId,startDate,endDate\nspring,2/1/2026,5/1/2026\n"
CLASSES = "sourcedId,title,termSourcedIds\na1,Algebra,spring\n"
TWO = "sourcedId,email\nada,ada@example.org\nbob,bob@example.org\n"
ENROLLED = "sourcedId,classSourcedId,userSourcedId\n{}"
BOTH = ENROLLED.format("e1,a1,ada\ne2,a1,bob\n")
SCHOOL = {"academicSessions": TERMS, "classes": CLASSES, "users": TWO}


def states():
    return {one.sourced_id: one.state for one in Membership.select()}


def test_dates_us_reads_dates_of_spreadsheets(run):
    without = run(**SCHOOL, enrollments=BOTH)
    done = run("--dates", "us", **SCHOOL, enrollments=BOTH)

    assert (3, 0) == (without.returncode, done.returncode)
    assert "With --dates us" in without.stdout
    assert {"e1": "active", "e2": "active"} == states()


def test_missing_end_ends_who_is_missing_and_max_changes_refuses_too_many(run, tmp_path):
    run("--dates", "us", **SCHOOL, enrollments=BOTH)
    less = {"enrollments": ENROLLED.format("e1,a1,ada\n")}

    refused = run("--missing", "end", "--max-changes", "49%", "--report", tmp_path / "report.json", **less)
    before = states()
    done = run("--missing", "end", "--max-changes", "50%", **less)

    assert (1, 0) == (refused.returncode, done.returncode)
    assert "leaves: 1" in refused.stderr
    told = json.loads((tmp_path / "report.json").read_text())["error"]
    assert ("TOO_MANY_CHANGES", 0, 1) == (told["code"], told["allowed"], told["leaves"])
    assert {"e1": "active", "e2": "active"} == before
    assert {"e1": "active", "e2": "withdrawn"} == states()


@pytest.mark.parametrize(("match", "users"), [("default", 2), ("email", 1), ("none", 2)])
def test_match_says_who_is_found_by_email(run, match, users):
    run("--source", "north", users=USERS)

    done = run("--match", match, users=USERS)

    assert 0 == done.returncode
    assert User.select().count() == users
