"""core-rpc backup and restore: one moment's copy beside a busy server, and no damage that is not seen."""

from __future__ import annotations

import contextlib
import gzip
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import apsw
import pytest

from client import Client
from models import clock, migrations, sample
from models.audit import Audit
from models.backup import SEAL_SIZE, BackupRefused, _pack, backup, restore
from models.database import configure, connected, database, writing
from models.files import NotOurs
from models.ids import new_id
from models.migrations import WrongVersion
from models.people import User
from models.tokens import Scope
from tests.test_cli import core_rpc, environment, running
from tests.waiting import until

WRITERS = 4
FLIPS = 300
KILLS = int(os.environ.get("TEST_ROUNDS", "4"))  # of a command, each at another moment


@pytest.fixture
def saved(world, tmp_path):
    """A backup of the test's world."""
    backup(tmp_path / "saved.gz")
    return tmp_path / "saved.gz"


@pytest.fixture
def elsewhere(tmp_path):
    """Where a database may be restored: nothing is there yet."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    return folder / "core.db"


def url_of(path):
    return f"sqlite:///{path}"


def content(path):
    """All that a database file holds, table by table."""
    with contextlib.closing(apsw.Connection(str(path))) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: sorted(map(repr, file.execute(f'SELECT * FROM "{name}"'))) for name in tables}


def change_version(path, name):
    """Have a database say that another script was the last to be applied to it."""
    with contextlib.closing(apsw.Connection(str(path))) as file:
        file.execute(
            "UPDATE schema_migration SET name = ? WHERE name = (SELECT max(name) FROM schema_migration)",
            (name,),
        )


def make_larger(rows=40_000):
    """Fill the connected database, so that copying it takes a while."""
    row = {"at": clock.now(), "token_id": None, "acting_user_id": None, "request_id": "", "method": "core.X"}
    with writing():
        Audit.append([row | {"id": new_id(), "touched": str(new_id())} for _ in range(rows)])


# What is in a backup


@pytest.mark.sample
def test_what_was_backed_up_comes_back_elsewhere(world, saved, elsewhere):
    assert [] == restore(saved, url_of(elsewhere))

    assert content(world.path) == content(elsewhere)


@pytest.mark.sample
def test_a_server_serves_what_was_restored(world, saved, elsewhere):
    restore(saved, url_of(elsewhere))

    with running("serve", "--port", 0, cwd=elsewhere.parent, database=url_of(elsewhere)) as (_, first):
        caller = Client(first.split()[-1], world.secrets[Scope.ADMIN])

        assert "Cooking, spring" == caller.lookup_program_instance(sample.SPRING)["name"]
        assert caller.create_user("new@example.org") is True


class Writers:
    """Callers that make users until told to stop, and note when each was asked for and acknowledged."""

    def __init__(self, url, secret):
        self.calls = []  # email, asked, acknowledged
        self._url, self._secret = url, secret
        self._end = threading.Event()
        self._pool = ThreadPoolExecutor(WRITERS)

    def _write(self, number):
        client = Client(self._url, self._secret)
        for one in count():
            if self._end.is_set():
                return
            email, asked = f"user{number}-{one}@example.org", time.monotonic()
            assert client.create_user(email) is True
            self.calls.append((email, asked, time.monotonic()))

    def __enter__(self):
        self._done = [self._pool.submit(self._write, number) for number in range(WRITERS)]
        return self

    def __exit__(self, *_):
        self._end.set()
        for one in self._done:
            one.result()


def test_a_backup_beside_writers_is_one_moment_and_has_all_that_was_acknowledged(
    world, server, tmp_path, elsewhere
):
    make_larger()
    with Writers(server.url, world.secrets[Scope.ADMIN]) as writers:
        until(lambda: len(writers.calls) >= 50)
        begun = time.monotonic()
        done = core_rpc("backup", tmp_path / "saved.gz", cwd=tmp_path, database=world.url)
        ended = time.monotonic()

    assert (0, "") == (done.returncode, done.stderr)
    restore(tmp_path / "saved.gz", url_of(elsewhere))
    with contextlib.closing(apsw.Connection(str(elsewhere))) as file:
        emails = {email for (email,) in file.execute("SELECT email FROM user")}
        audited = file.execute("SELECT touched FROM audit WHERE method = 'core.CreateUser'").fetchall()
        ids = {row_id for (row_id,) in file.execute("SELECT id FROM user")}
        assert [] == file.execute("PRAGMA foreign_key_check").fetchall()
    within = [call for call in writers.calls if call[0] in emails]
    moment = max(asked for _, asked, _ in within)
    assert {email for email, _, told in writers.calls if told < begun} <= emails
    assert {email for email, _, told in writers.calls if told < moment} <= emails
    assert ids == {touched for (touched,) in audited}  # each with its row of the audit, and no other
    during = [told - asked for _, asked, told in writers.calls if begun < asked < ended]
    assert len(during) > WRITERS


def test_gunzip_alone_gets_at_the_database(world, saved, elsewhere):
    elsewhere.write_bytes(gzip.decompress(saved.read_bytes()))

    assert content(world.path) == content(elsewhere)


def test_what_was_deleted_is_not_in_it(world, make_user, tmp_path):
    make_user(name="Somebody-who-is-gone")
    with writing():
        User.delete().execute()
    backup(tmp_path / "saved.gz")

    assert b"Somebody-who-is-gone" not in gzip.decompress((tmp_path / "saved.gz").read_bytes())


# Who may read it, and what it may not replace


def test_only_the_owner_may_read_a_backup_and_what_is_restored(saved, elsewhere):
    restore(saved, url_of(elsewhere))

    assert [0o600, 0o600] == [path.stat().st_mode & 0o777 for path in (saved, elsewhere)]


def test_only_the_owner_may_look_at_what_is_being_made(world, tmp_path):
    make_larger()
    seen = set()
    with subprocess.Popen(
        [sys.executable, "-m", "rpc", "backup", "saved.gz"],
        cwd=tmp_path,
        env=environment({"database": world.url}),
    ) as command:
        while command.poll() is None:
            with contextlib.suppress(FileNotFoundError):
                seen.add((tmp_path / ".saved.gz.part").stat().st_mode & 0o777)
            time.sleep(0.001)

    assert {0o700} == seen


def test_a_file_that_is_there_is_kept_unless_told_otherwise(world, tmp_path):
    path = tmp_path / "saved.gz"
    backup(path)
    before = path.read_bytes()

    with pytest.raises(BackupRefused, match="--replace"):
        backup(path)

    assert before == path.read_bytes()
    backup(path, replace=True)
    assert [] == restore(path, url_of(tmp_path / "other.db"))


def test_the_database_itself_is_no_place_for_a_backup(world):
    with pytest.raises(BackupRefused, match="itself"):
        backup(world.path, replace=True)

    assert not User.select().exists()


def test_a_database_that_is_there_is_kept_unless_told_otherwise(world, saved, elsewhere, make_user):
    shutil.copy(world.path, elsewhere)
    before = content(elsewhere)
    make_user()
    backup(saved, replace=True)

    with pytest.raises(BackupRefused, match="--replace"):
        restore(saved, url_of(elsewhere))

    assert before == content(elsewhere)
    restore(saved, url_of(elsewhere), replace=True)
    assert content(world.path) == content(elsewhere) != before
    assert [elsewhere] == list(elsewhere.parent.iterdir())


def test_a_database_that_a_server_has_open_is_not_replaced(world, saved, elsewhere):
    restore(saved, url_of(elsewhere))
    with running("serve", "--port", 0, cwd=elsewhere.parent, database=url_of(elsewhere)) as (_, first):
        caller = Client(first.split()[-1], world.secrets[Scope.ADMIN])
        caller.create_user("ada@example.org")

        with pytest.raises(BackupRefused, match="in use"):
            restore(saved, url_of(elsewhere), replace=True)

        assert caller.create_user("ada@example.org") is False


def test_what_a_killed_server_left_in_the_log_does_not_come_into_what_is_restored(saved, elsewhere, world):
    restore(saved, url_of(elsewhere))
    with running("serve", "--port", 0, cwd=elsewhere.parent, database=url_of(elsewhere)) as (process, first):
        Client(first.split()[-1], world.secrets[Scope.ADMIN]).create_user("ada@example.org")
        process.kill()
        process.wait()
    assert elsewhere.with_name("core.db-wal").exists()

    restore(saved, url_of(elsewhere), replace=True)

    assert content(world.path) == content(elsewhere)


@pytest.mark.parametrize("suffix", ["-wal", "-shm", "-journal"])
def test_what_is_left_of_another_database_is_not_taken_for_a_part_of_it(saved, elsewhere, suffix):
    left = elsewhere.with_name(elsewhere.name + suffix)
    left.write_bytes(b"left")

    with pytest.raises(BackupRefused, match="left of a database"):
        restore(saved, url_of(elsewhere))

    assert [left] == list(elsewhere.parent.iterdir())


def test_a_damaged_database_is_to_be_moved_away_first(saved, elsewhere):
    elsewhere.write_bytes(b"\xff" * 10_000)

    with pytest.raises(NotOurs, match="move it away"):
        restore(saved, url_of(elsewhere), replace=True)

    assert b"\xff" * 10_000 == elsewhere.read_bytes()


def test_no_backup_is_made_of_a_damaged_database(world, make_user, tmp_path):
    make_user()
    database.close()
    with contextlib.closing(apsw.Connection(str(world.path))) as file:
        file.pragma("wal_checkpoint", "truncate")
        [(root,)] = file.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'user_email_key'")
        size = file.pragma("page_size")
    with world.path.open("r+b") as file:
        file.seek((root - 1) * size)
        page = file.read(size)
        file.seek((root - 1) * size)
        file.write(page.replace(b"example.org", b"example.com"))

    done = core_rpc("backup", tmp_path / "saved.gz", cwd=tmp_path, database=world.url)

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "the database is damaged" in done.stderr
    assert not list(tmp_path.glob("*saved*"))


def test_of_two_at_once_into_one_file_the_second_is_refused(world, tmp_path):
    make_larger()
    words = [sys.executable, "-m", "rpc", "backup", "saved.gz", "--replace"]
    env = environment({"database": world.url})
    with subprocess.Popen(words, cwd=tmp_path, env=env) as first:
        while not (tmp_path / ".saved.gz.part" / "copy.db").exists():
            time.sleep(0.001)

        with pytest.raises(BackupRefused, match="another command"):
            backup(tmp_path / "saved.gz", replace=True)

    assert 0 == first.returncode


# Damage


def damaged(whole):
    """Names and contents of files that are not what was written."""
    rng = random.Random(7)
    ends = [place for edge in (range(60), range(len(whole) - SEAL_SIZE - 20, len(whole))) for place in edge]
    for place in ends + rng.sample(range(len(whole)), FLIPS):
        bit = rng.randrange(8)
        flipped = bytearray(whole)
        flipped[place] ^= 1 << bit
        yield f"bit {bit} of byte {place}", bytes(flipped)
    for size in [0, 1, 10, len(whole) - SEAL_SIZE, len(whole) - 1, *rng.sample(range(len(whole)), 50)]:
        yield f"cut to {size}", whole[:size]
    for place in rng.sample(range(len(whole)), 20):
        yield f"without byte {place}", whole[:place] + whole[place + 1 :]
        yield f"a page of zeros at {place}", whole[:place] + bytes(4096) + whole[place + 4096 :]
    yield "something behind it", whole + b"\0"
    yield "twice", whole + whole
    yield "its seal alone", whole[-SEAL_SIZE:]
    yield "its database, zipped", gzip.compress(gzip.decompress(whole))
    yield "its database", gzip.decompress(whole)
    yield "text", b"Dear operator,\n"


@pytest.mark.parametrize("there", [False, True], ids=["where nothing is", "where a database is"])
def test_damage_of_any_kind_is_refused_and_leaves_what_was_there(world, saved, elsewhere, there):
    whole = saved.read_bytes()
    if there:
        restore(saved, url_of(elsewhere))
    before = elsewhere.exists() and elsewhere.read_bytes()

    unseen = []
    for what, spoilt in damaged(whole):
        saved.write_bytes(spoilt)
        try:
            restore(saved, url_of(elsewhere), replace=there)
            told = "nothing"
        except BackupRefused as refused:
            told = str(refused)
        if not re.match(rf"{saved} is (damaged|no backup)", told):
            unseen.append((what, told))

    assert [] == unseen
    assert before == (elsewhere.exists() and elsewhere.read_bytes())
    assert [elsewhere] * there == list(elsewhere.parent.iterdir())


def test_damage_is_told_in_a_line(saved, elsewhere):
    saved.write_bytes(saved.read_bytes()[:-1])

    done = core_rpc("restore", saved, cwd=saved.parent, database=url_of(elsewhere))

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert "cut short" in done.stderr


def test_a_newer_one_is_refused(world, tmp_path, elsewhere):
    change_version(world.path, "9999_later")

    with pytest.raises(WrongVersion, match="9999_later"):
        backup(tmp_path / "saved.gz")
    assert not (tmp_path / "saved.gz").exists()


def test_what_was_newer_when_it_was_backed_up_is_not_restored(world, tmp_path, elsewhere):
    shutil.copy(world.path, tmp_path / "newer.db")
    change_version(tmp_path / "newer.db", "9999_later")
    _pack(tmp_path / "newer.db", tmp_path / "saved.gz")

    with pytest.raises(WrongVersion, match="9999_later"):
        restore(tmp_path / "saved.gz", url_of(elsewhere))

    assert [] == list(elsewhere.parent.iterdir())


def test_an_older_one_is_restored_as_it_is_and_wants_to_be_migrated(tmp_path, elsewhere):
    names = [script.name for script in migrations._Runner().migrations()]
    configure(url_of(tmp_path / "old.db"))
    with connected():
        migrations._Runner().up(names[0])
        backup(tmp_path / "saved.gz")

    done = core_rpc("restore", "saved.gz", cwd=tmp_path, database=url_of(elsewhere))

    assert 0 == done.returncode
    assert "core-rpc migrate" in done.stdout
    assert names[1] in done.stdout
    assert content(tmp_path / "old.db") == content(elsewhere)
    assert 0 == core_rpc("migrate", cwd=tmp_path, database=url_of(elsewhere)).returncode


# Ends that come too early


def test_a_full_disk_leaves_nothing_half(world, tmp_path):
    make_larger(10_000)

    done = subprocess.run(
        ["sh", "-c", f"ulimit -f 2000; exec {sys.executable} -m rpc backup saved.gz"],
        cwd=tmp_path,
        env=environment({"database": world.url}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert not list(tmp_path.glob("*saved*"))


def killed_at_times(*words, cwd, **settings):
    """Run a command again and again and kill it, each time at another moment, after it was run once whole."""
    env = environment(settings)
    run = [sys.executable, "-m", "rpc", *map(str, words)]
    start = time.monotonic()
    subprocess.run(run, cwd=cwd, env=env, check=True, stdout=subprocess.DEVNULL)
    whole = time.monotonic() - start
    for part in range(KILLS):
        yield "before"
        with subprocess.Popen(run, cwd=cwd, env=env, stdout=subprocess.DEVNULL) as command:
            time.sleep(whole * (1 + part + random.random()) / (KILLS + 1))
            command.send_signal(signal.SIGKILL)
        yield "after"


def test_a_backup_that_is_killed_leaves_the_earlier_one_or_a_whole_one(world, tmp_path, elsewhere):
    make_larger()
    path = tmp_path / "saved.gz"

    for when in killed_at_times("backup", path, "--replace", cwd=tmp_path, database=world.url):
        if when == "after":
            restore(path, url_of(elsewhere))
            assert content(world.path) == content(elsewhere)
            elsewhere.unlink()

    core_rpc("backup", path, "--replace", cwd=tmp_path, database=world.url)
    assert [path] == list(tmp_path.glob("*saved*"))


def test_a_backup_that_is_killed_leaves_no_file_or_a_whole_one(world, tmp_path, elsewhere):
    make_larger()
    path = tmp_path / "saved.gz"
    found = []

    for when in killed_at_times("backup", path, "--replace", cwd=tmp_path, database=world.url):
        if when == "before":
            path.unlink(missing_ok=True)
        elif path.exists():
            restore(path, url_of(elsewhere))
            elsewhere.unlink()
        found.append(path.exists())

    assert not all(found)


def test_a_restore_that_is_killed_leaves_no_database_or_a_whole_one(world, saved, elsewhere):
    make_larger()
    backup(saved, replace=True)
    wanted = content(world.path)

    for when in killed_at_times("restore", saved, "--replace", cwd=saved.parent, database=url_of(elsewhere)):
        if when == "before":
            elsewhere.unlink(missing_ok=True)
        elif elsewhere.exists():
            assert wanted == content(elsewhere)


def test_a_restore_that_is_killed_leaves_the_database_before_or_the_one_after(
    world, saved, elsewhere, make_user
):
    make_larger()
    backup(saved, replace=True)
    after = content(world.path)
    other = saved.with_name("other.db")
    restore(saved, url_of(other))
    with contextlib.closing(apsw.Connection(str(other))) as file:
        file.execute("DELETE FROM token")
    before = content(other)
    seen = []

    for when in killed_at_times("restore", saved, "--replace", cwd=saved.parent, database=url_of(elsewhere)):
        if when == "before":
            shutil.copy(other, elsewhere)
        else:
            with contextlib.closing(apsw.Connection(str(elsewhere))) as file:
                assert [("ok",)] == file.execute("PRAGMA integrity_check").fetchall()
            seen.append(content(elsewhere))

    assert [] == [one for one in seen if one not in (before, after)]
    assert before in seen
