"""The disk itself: after a cut, of what was not synced any part is missing, and of the rest nothing."""

from __future__ import annotations

import errno
import os
import random
import subprocess
import sys

import pytest

from tests.faults.disk import Disk, Incomplete, Note, State, pending_of

pytestmark = pytest.mark.xdist_group("faults")

OPEN = """
import errno, mmap, os, sys
folder, file = sys.argv[1:]
fd = os.open(file, os.O_RDWR)
"""
SYNCED = "os.pwrite(fd, b's' * 2000, 1000); os.fdatasync(fd)\n"
UNSYNCED = "os.pwrite(fd, b'u' * 4000, 1500)\n"
ANOTHER = (
    "other = os.open(file + '-wal', os.O_RDWR | os.O_CREAT); os.pwrite(other, b'x', 0); os.fsync(other)\n"
)
DIRECTORY = "os.fsync(os.open(folder, os.O_RDONLY))\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data"
    path.write_bytes(b"." * 4096)
    return path


@pytest.fixture
def run(file, library):
    """Run some lines that use the file, on a disk."""
    disk = Disk(library, file)

    def run(lines: str) -> Disk:
        disk.begin()
        command = [sys.executable, "-S", "-c", OPEN + lines, str(file.parent), str(file)]
        subprocess.run(command, env=os.environ | disk.environment, check=True)
        return disk

    return run


def test_what_was_synced_stays_and_the_rest_goes(run, file):
    cut = run(SYNCED + UNSYNCED).cut(random.Random(0), keep=0)

    after = file.read_bytes()
    assert (2, 1, 9, 9) == (cut.writes, cut.syncs, cut.at_risk, cut.lost)
    assert b"." * 1000 + b"s" * 2000 + b"." * 1096 == after[:4096]
    assert b"" == after[4096:].strip(b"\0")


def test_what_was_not_synced_may_be_there(run, file):
    cut = run(SYNCED + UNSYNCED).cut(random.Random(0), keep=1)

    assert (9, 0) == (cut.at_risk, cut.lost)
    assert b"." * 1000 + b"s" * 500 + b"u" * 4000 == file.read_bytes()


def test_a_write_is_torn_between_sectors(run, file):
    run(UNSYNCED).cut(random.Random(0), keep=0.5)

    sectors = [file.read_bytes()[start : start + 512] for start in range(1536, 4096, 512)]
    assert {b"." * 512, b"u" * 512} == set(sectors)


def test_a_sector_written_twice_is_as_any_of_the_writes_left_it(run, file):
    seen = set()
    for seed in range(20):
        file.write_bytes(b"." * 4096)
        run("os.pwrite(fd, b'1', 0); os.pwrite(fd, b'2', 0)").cut(random.Random(seed))
        seen.add(file.read_bytes()[:1])

    assert {b".", b"1", b"2"} == seen


def test_a_file_that_was_cut_short_may_have_its_end_again(run, file):
    run("os.ftruncate(fd, 100)").cut(random.Random(1), keep=0)

    assert file.stat().st_size in (100, 4096)
    assert b"" == file.read_bytes().strip(b".")


def test_what_was_written_while_a_sync_ran_is_not_synced_by_it():
    notes = [
        Note("W", 7, 0, 1, 0, b""),
        Note("B", 7, 1, 0, 0, b""),
        Note("W", 7, 1, 1, 1, b""),
        Note("S", 7, 1, 0, 0, b""),
        Note("B", 7, 2, 0, 0, b""),
    ]

    assert [notes[2]] == pending_of(notes, 7)


@pytest.mark.parametrize(("lines", "may_be"), [(ANOTHER, {True, False}), (ANOTHER + DIRECTORY, {True})])
def test_a_new_file_may_be_gone_until_its_directory_is_synced(lines, may_be, run, file):
    other = file.with_name("data-wal")
    seen = set()
    for seed in range(10):
        run(lines).cut(random.Random(seed))
        seen.add(other.exists())
        other.unlink(missing_ok=True)

    assert may_be == seen


def test_a_file_that_was_removed_may_be_there_again(run, file):
    seen = set()
    for seed in range(10):
        file.write_bytes(b"." * 4096)
        run("os.unlink(file)").cut(random.Random(seed))
        seen.add(file.exists() and file.read_bytes() == b"." * 4096)

    assert {True, False} == seen


def test_the_power_goes_at_a_change_that_was_chosen(library, file):
    disk = Disk(library, file)
    disk.begin()
    disk.cut_after(2)
    command = [sys.executable, "-S", "-c", OPEN + SYNCED + UNSYNCED, str(file.parent), str(file)]

    ended = subprocess.run(command, env=os.environ | disk.environment)
    cut = disk.cut(random.Random(0), keep=1)

    assert (-9, 1, 0) == (ended.returncode, cut.writes, cut.syncs)


@pytest.mark.parametrize(
    "lines",
    [
        "mmap.mmap(fd, 4096)[0] = 1",
        "os.rename(file, file + '2')",
        "os.open(file, os.O_RDWR | os.O_TRUNC)",
    ],
)
def test_what_cannot_be_taken_back_is_not_overlooked(lines, run):
    disk = run(lines)

    with pytest.raises(Incomplete):
        disk.cut(random.Random(0))


def test_what_was_written_past_the_disk_is_not_overlooked(run, file):
    disk = run(UNSYNCED)
    with file.open("r+b") as past:
        past.write(b"past")

    with pytest.raises(Incomplete):
        disk.cut(random.Random(0))


TRY = """
def attempt(act, *args):
    try:
        act(*args)
        print(0)
    except OSError as error:
        print(error.errno)
attempt(os.pwrite, fd, b'over', 0)
attempt(os.pwrite, fd, b'behind', 4096)
attempt(os.ftruncate, fd, 10000)
attempt(os.open, file, os.O_RDWR)
attempt(os.open, file + '2', os.O_RDWR | os.O_CREAT)
attempt(os.fdatasync, fd)
attempt(os.pread, fd, 1, 0)
"""


@pytest.mark.parametrize(
    ("state", "errors"),
    [
        (State.WELL, [0, 0, 0, 0, 0, 0, 0]),
        (State.FULL, [0, errno.ENOSPC, errno.ENOSPC, 0, errno.ENOSPC, 0, 0]),
        (State.NO_ROOM, [errno.ENOSPC, errno.ENOSPC, errno.ENOSPC, 0, errno.ENOSPC, 0, 0]),
        (State.READ_ONLY, [errno.EROFS, errno.EROFS, errno.EROFS, errno.EROFS, errno.EROFS, errno.EIO, 0]),
        (State.UNSYNCED, [0, 0, 0, 0, 0, errno.EIO, 0]),
    ],
    ids=lambda value: value.name if isinstance(value, State) else "",
)
def test_a_state_refuses_what_it_is_about(state, errors, library, file):
    disk = Disk(library, file)
    disk.begin()
    lines = OPEN + "print('open', flush=True); input()\n" + TRY
    command = [sys.executable, "-S", "-c", lines, str(file.parent), str(file)]
    with subprocess.Popen(
        command, env=os.environ | disk.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"open\n"
        disk.turn(state)
        said, _ = process.communicate(b"\n")

    assert errors == [int(word) for word in said.split()]
