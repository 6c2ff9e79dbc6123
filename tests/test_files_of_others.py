"""What is at the path of a database, and is none of ours, is refused and left as it is, by every command."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from models import database
from models.backup import BackupRefused, backup
from models.files import OUR_TABLES, NotOurs, check_ours, make_private
from models.memberships import Membership
from models.migrations import _Runner
from rpc.cli import cli
from tests.test_cli import core_rpc


def make_folder(path: Path) -> None:
    path.mkdir(0o755)
    (path / "inside").write_text("precious")


def make_text(path: Path) -> None:
    path.write_text("precious\n" * 1000)


def make_nothing(path: Path) -> None:
    path.touch()


def make_database(path: Path) -> None:
    with contextlib.closing(apsw.Connection(str(path))) as other:
        other.execute("CREATE TABLE membership (id)")


def make_migrated_database(path: Path) -> None:
    with contextlib.closing(apsw.Connection(str(path))) as other:
        other.execute("CREATE TABLE schema_migration (name); CREATE TABLE recipe (id)")


def make_database_with_a_log(path: Path) -> None:
    """As a program leaves it that was killed."""
    whole = path.with_name("whole.db")
    with contextlib.closing(apsw.Connection(str(whole))) as other:
        other.pragma("journal_mode", "wal")
        other.execute("CREATE TABLE recipe (id)")
        other.wal_checkpoint()
        other.execute("INSERT INTO recipe VALUES (1)")
        shutil.copy(whole, path)
        shutil.copy(f"{whole}-wal", f"{path}-wal")


THINGS = {
    "a folder": make_folder,
    "a text": make_text,
    "an empty file": make_nothing,
    "another database": make_database,
    "another database with migrations": make_migrated_database,
    "another database with a log": make_database_with_a_log,
    "a pipe": os.mkfifo,
}
every_thing = pytest.mark.parametrize("make", THINGS.values(), ids=THINGS)

COMMANDS = {
    "migrate": ["migrate"],
    "check": ["check"],
    "backup": ["backup", "new.gz"],
    "restore": ["restore", "saved.gz", "--replace"],
    "import": ["import", "oneroster", "."],
    "export": ["export", "oneroster", "new.zip"],
    "token create": ["token", "create", "--name", "a", "--scope", "read"],
    "token list": ["token", "list"],
    "audit": ["audit"],
    "query": ["query", "status = active"],
}


def state(folder: Path) -> dict[str, tuple[object, ...]]:
    """All files of a folder: rights, time of the last change, and what is in them."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else None,
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    """Where something of somebody else's is made."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    return folder / "thing"


@every_thing
@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_leaves_what_is_none_of_ours_as_it_is(
    words: list[str], make: Callable[[Path], None], theirs: Path, world, tmp_path, monkeypatch
):
    backup(tmp_path / "saved.gz")
    make(theirs)
    os.chmod(theirs, 0o755 if theirs.is_dir() else 0o644)
    before = state(theirs.parent)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(NotOurs, match=f"^{theirs} "):
        cli([*words, "--database", f"sqlite:///{theirs}"], standalone_mode=False)

    assert before == state(theirs.parent)
    assert not {"new.gz", "new.zip"} & set(os.listdir(tmp_path))


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_it_is_said_in_a_line(command, theirs, tmp_path):
    make_folder(theirs)
    before = state(theirs.parent)

    done = core_rpc(command, cwd=tmp_path, database=f"sqlite:///{theirs}")

    assert (1, f"core-rpc: {theirs} is no file; it is left as it is\n") == (done.returncode, done.stderr)
    assert before == state(theirs.parent)


@every_thing
def test_a_backup_replaces_backups_alone(make, theirs, world):
    make(theirs)
    before = state(theirs.parent)

    if make is make_nothing:  # as mktemp makes it
        backup(theirs, replace=True)
        backup(theirs, replace=True)
        return
    with pytest.raises(BackupRefused, match="left as it is"):
        backup(theirs, replace=True)
    assert before == state(theirs.parent)


def test_a_database_of_ours_is_known_also_by_what_is_only_in_its_log(tmp_path):
    path = tmp_path / "core.db"
    core_rpc("migrate", cwd=tmp_path, database=f"sqlite:///{path}")
    killed = tmp_path / "killed.db"
    with contextlib.closing(apsw.Connection(str(killed))) as made:
        made.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        made.pragma("journal_mode", "wal")
        with contextlib.closing(apsw.Connection(str(path))) as ours:
            made.execute(
                ";".join(sql for (sql,) in ours.execute("SELECT sql FROM sqlite_schema WHERE sql > ''"))
            )

    assert killed.stat().st_size < path.stat().st_size
    check_ours(path)
    check_ours(killed)


def test_what_a_killed_migration_left_is_taken_for_ours(tmp_path):
    path = tmp_path / "core.db"
    make_private(path)

    check_ours(path)
    done = core_rpc("migrate", cwd=tmp_path, database=f"sqlite:///{path}")

    assert (0, 0o600) == (done.returncode, path.stat().st_mode & 0o777)


def test_our_tables_are_called_so(world):
    assert {_Runner().table_name, Membership._meta.table_name} == OUR_TABLES


def test_a_look_at_a_database_takes_no_locks_from_those_who_have_it_open(world):
    with database.writing():
        check_ours(world.path)
        with (
            contextlib.closing(apsw.Connection(str(world.path))) as other,
            pytest.raises(apsw.BusyError),
        ):
            other.execute("BEGIN IMMEDIATE")
