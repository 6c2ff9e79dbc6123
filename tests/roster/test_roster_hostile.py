"""Sets that somebody made in order to do harm, and places where somebody lies in wait."""

from __future__ import annotations

import csv
import io
import os
import stat
import threading
import time
import zipfile
from pathlib import Path

import pytest

from models import files
from models.people import User
from models.roster import export_oneroster, import_oneroster
from models.roster.columns import FILES
from models.roster.importer import REFUSED_AT_MOST
from models.roster.reader import BOMB_FROM, PACKED_AT_MOST
from models.roster.report import LISTED_AT_MOST
from tests.test_cli import core_rpc

USERS = b"sourcedId,givenName\n"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


# In


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_file_that_was_blown_up_is_refused_before_it_is_unpacked(method, world, tmp_path, small):
    with zipfile.ZipFile(tmp_path / "set.zip", "w", method) as archive:
        archive.writestr("users.csv", USERS + b"u,x\n" * (BOMB_FROM // 4))
        archive.writestr("courses.csv", small["courses"])

    report = import_oneroster(tmp_path / "set.zip")

    assert [("users.csv", "FILE_TOO_LARGE")] == [(one.file, one.code) for one in report.refusals]
    assert report.counts["courses.csv"].created == 1


def test_a_file_that_is_only_large_is_read(world, tmp_path):
    rows = b"".join(b"u,%064x\n" % (number**20) for number in range(BOMB_FROM // 60))
    with zipfile.ZipFile(tmp_path / "set.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", USERS + rows)
    [packed] = zipfile.ZipFile(tmp_path / "set.zip").infolist()

    report = import_oneroster(tmp_path / "set.zip")

    assert BOMB_FROM < packed.file_size < packed.compress_size * PACKED_AT_MOST
    assert {"DUPLICATE_ID"} == {one.code for one in report.refusals}
    assert len(report.refusals) == LISTED_AT_MOST < report.counts["users.csv"].refused
    assert User.select().count() == 1


@pytest.mark.parametrize("row", [b"a,b,c\n", b"\x00,x\n"], ids=["no row", "no text"])
def test_a_file_of_which_nothing_is_good_is_not_read_to_its_end_and_nothing_of_it_goes_in(row, world, bring):
    report = bring(users=USERS + b"v,good\n" + row * (REFUSED_AT_MOST + 50_000) + b"w,late\n")

    assert report.counts["users.csv"].refused == REFUSED_AT_MOST + 1
    assert report.refusals[-1].code == "TOO_MANY_REFUSED"
    assert not User.select().exists()


def test_warnings_are_counted_to_the_last_and_listed_as_many_as_people_read(world, bring):
    rows = b"".join(b"u%d,\x00\n" % number for number in range(LISTED_AT_MOST + 10))

    report = bring(users=USERS + rows)

    assert report.sums["warnings"] == {"BAD_TEXT": LISTED_AT_MOST + 10}
    assert len(report.warnings) == LISTED_AT_MOST
    assert report.counts["users.csv"].created == LISTED_AT_MOST + 10


def test_what_a_zip_says_of_its_sizes_is_not_believed(world, tmp_path):
    """A member that says it is small is read so far and no farther."""
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("users.csv", USERS + b"u,x\n" * 1_000_000)
    said = (len(USERS) + 4_000_000).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(said, (1000).to_bytes(4, "little")))

    report = import_oneroster(path)

    assert {"UNREADABLE_FILE", "DUPLICATE_ID", "BAD_ROW"} >= {one.code for one in report.refusals}
    assert len(report.refusals) < 1000


def test_ids_made_to_hash_alike_are_read_as_quickly_as_others(world, bring):
    alike = [(number << 61) - number + 5 for number in range(1, 4001)]  # all 5, modulo 2**61 - 1
    ids = [f"{one:032x}" for one in alike]
    texts = [f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}" for one in ids]
    rows = "".join(f"u{number},x,{text}\n" for number, text in enumerate(texts))

    started = time.thread_time()
    report = bring(users="sourcedId,givenName,metadata.id\n" + rows)
    seconds = time.thread_time() - started

    assert (report.refusals, report.counts["users.csv"].created) == ([], 4000)
    assert seconds < 10


def test_links_and_devices_in_a_directory_do_no_harm(world, write_set, tmp_path):
    folder = write_set(courses="sourcedId,title\ncook,Cooking\n")
    (folder / "users.csv").symlink_to("/dev/zero")
    os.mkfifo(folder / "classes.csv")
    (folder / "enrollments.csv").symlink_to(tmp_path / "nothing")

    report = import_oneroster(folder)

    assert report.counts["courses.csv"].created == 1
    assert set(report.counts) == {"courses.csv"}


@pytest.mark.parametrize("name", ["[/]", "[red]x", "[link=file:///x]x[/link]", "a\x1b[31mb\x9b31m"])
def test_what_a_file_says_does_nothing_to_the_terminal(name, world, tmp_path):
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.writestr("users.csv", f"sourcedId,email,givenName\n{name},{name},{name}\n{name},x@y,z\n")

    done = core_rpc("import", "oneroster", "set.zip", cwd=tmp_path, database=world.url)

    assert done.returncode == 3
    assert not {"\x1b", "\x9b"} & set(done.stdout + done.stderr)


# Out


FORMULAS = ["=1+1", "+1", "-1", "@SUM(1)", '=HYPERLINK("http://192.0.2.1")', "\tx", "\r\nx", "'x"]


def test_what_a_spreadsheet_takes_for_a_formula_is_carried_as_it_is(
    world, make_user, tmp_path, empty_database
):
    for name in FORMULAS:
        make_user(first=name, last=name)

    export_oneroster(tmp_path / "set.zip")

    with empty_database():
        import_oneroster(tmp_path / "set.zip")
        assert {*FORMULAS} == {user.first for user in User.select()}


def test_no_cell_ends_a_row_or_a_column(world, make_user, tmp_path):
    for name in ['"', '","', "\n", "\r", '"\r\n"x","y"', ",", "\\", "\\\n"]:
        make_user(first=name, last="last")

    export_oneroster(tmp_path / "set")

    text = (tmp_path / "set" / "users.csv").read_bytes().decode()
    [header, *rows] = csv.reader(io.StringIO(text, newline=""), strict=True)
    assert len(rows) == User.select().count()
    assert {len(row) for row in rows} == {len(header)}
    assert {row[header.index("familyName")] for row in rows} == {"last"}


def test_an_export_is_its_owner_s_alone(world, make_user, tmp_path):
    make_user()

    export_oneroster(tmp_path / "set.zip")
    export_oneroster(tmp_path / "set")

    assert {0o600} == {mode(path) for path in (tmp_path / "set.zip", *(tmp_path / "set").iterdir())}


def test_a_report_is_its_owner_s_alone(world, small, write_set, tmp_path):
    core_rpc(
        "import", "oneroster", write_set(**small), "--report", "report.json", cwd=tmp_path, database=world.url
    )

    assert mode(tmp_path / "report.json") == 0o600


@pytest.mark.parametrize("place", ["set.zip", "set"])
def test_a_link_that_lies_where_an_export_goes_is_not_followed(place, world, make_user, tmp_path):
    make_user()
    victim = tmp_path / "victim"
    victim.write_text("mine")
    folder = tmp_path / "set"
    folder.mkdir()
    for path in (
        tmp_path / "set.zip",
        tmp_path / "set.zip.part",
        folder / "users.csv",
        folder / "manifest.csv",
    ):
        path.symlink_to(victim)

    export_oneroster(tmp_path / place)

    assert victim.read_text() == "mine"
    written = tmp_path / "set.zip" if place == "set.zip" else folder / "users.csv"
    assert not written.is_symlink()


def test_a_link_put_there_while_an_export_is_written_is_not_followed(world, make_user, tmp_path):
    for _ in range(300):
        make_user()
    victim, done = tmp_path / "victim", threading.Event()
    victim.write_text("mine")

    def lie_in_wait() -> None:
        while not done.is_set():
            for path in tmp_path.iterdir():
                if path != victim and "set" in path.name and not path.is_symlink() and path.suffix != ".db":
                    twin = path.with_name(path.name + ".part")
                    twin.unlink(missing_ok=True)
                    twin.symlink_to(victim)

    waiting = threading.Thread(target=lie_in_wait)
    waiting.start()
    export_oneroster(tmp_path / "set.zip")
    done.set()
    waiting.join()

    assert victim.read_text() == "mine"
    assert zipfile.ZipFile(tmp_path / "set.zip").testzip() is None


def test_an_export_that_fails_leaves_nothing_behind_and_what_was_there(tmp_path):
    (tmp_path / "set.zip").write_text("the last one")
    before = sorted(tmp_path.iterdir())

    with pytest.raises(ZeroDivisionError), files.written(tmp_path / "set.zip") as file:
        file.write(b"%d" % (1 // 0))

    assert sorted(tmp_path.iterdir()) == before
    assert (tmp_path / "set.zip").read_text() == "the last one"


NASTY = {
    "marks": "a" + "\u0315\u0300" * 400_000,
    "marks of an email": "a@" + "\u0315\u0300" * 400_000,
    "digits": "9" * 900_000,
    "brackets": "[" * 900_000,
    "braces": '"' + '{""a"":' * 100_000 + '"',
    "commas": '"' + "," * 900_000 + '"',
    "a number of JSON": "1e" + "9" * 900_000,
    "blanks": "x" + " " * 900_000 + "x",
}


@pytest.mark.parametrize("cell", NASTY.values(), ids=NASTY)
def test_no_cell_takes_more_time_than_its_length_is_worth(cell, world, bring):
    started = time.thread_time()
    for file in FILES:
        for column in file.columns:
            needed = [name for name in file.required if name != column.name]
            header = ",".join([column.name, *needed])
            bring(
                **{
                    file.name.removesuffix(".csv").replace(
                        ".", "__"
                    ): f"{header}\n{cell}{',x' * len(needed)}\n"
                }
            )
    seconds = time.thread_time() - started

    assert seconds < 60
