"""A database of any earlier version becomes one of this version with all that is in it, or stays as it is."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import apsw
import pytest
from playhouse.schema_diff import diff_models

from client import Client
from models import migrations, sample
from models.database import configure, connected, database
from models.ids import new_id
from models.tokens import Scope
from tests.test_cli import core_rpc, environment, running

SCRIPTS = migrations._scripts()
MANY = int(os.environ.get("TEST_ROWS", "20000"))  # of a table, so that a migration takes a while
ROUNDS = int(os.environ.get("TEST_ROUNDS", "3"))

every_earlier = pytest.mark.parametrize("version", SCRIPTS[:-1])


def opened(path):
    return contextlib.closing(apsw.Connection(str(path)))


def tables_of(file):
    """The columns of each table, as SQLite describes them."""
    names = [name for (name,) in file.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    return {name: list(file.execute(f'PRAGMA table_info("{name}")')) for name in names}


def quoted(names):
    return ", ".join(f'"{name}"' for name in names)


def put(file, table, rows):
    """Insert rows, all of the same columns."""
    places = ", ".join("?" * len(rows[0]))
    sql = f'INSERT INTO "{table}" ({quoted(rows[0])}) VALUES ({places})'
    file.executemany(sql, [tuple(row.values()) for row in rows])


@pytest.fixture
def older(templates, tmp_path):
    """The sample world as far as an earlier version had tables and columns for it."""

    def make(version):
        path = tmp_path / "core.db"
        configure(f"sqlite:///{path}")
        with connected():
            migrations._Runner().up(version)
        with opened(path) as file, opened(templates["sample"].path) as newest, file:
            there = tables_of(newest)
            for table, columns in tables_of(file).items():
                if table != "schema_migration" and table in there:
                    known = {column[1] for column in there[table]}
                    names = [column[1] for column in columns if column[1] in known]
                    found = list(newest.execute(f'SELECT {quoted(names)} FROM "{table}"'))
                    lacking = {
                        name: 0 if kind == "INTEGER" else ""
                        for _, name, kind, needed, default, _ in columns
                        if name not in known and needed and default is None
                    }
                    rows = [dict(zip(names, row, strict=True)) | lacking for row in found]
                    if rows:
                        put(file, table, rows)
        return path

    return make


def enlarge(path, many=MANY):
    """Give users, histories and the audit so many more rows."""
    with opened(path) as file, file:
        for table in ("user", "membership_change", "audit"):
            columns = [column[1] for column in tables_of(file)[table]]
            found = file.execute(f'SELECT {quoted(columns)} FROM "{table}" LIMIT 1').fetchone()
            row = dict(zip(columns, found, strict=True)) | {"id": None}
            if "email_key" in row:
                row |= {"email": None, "email_key": None}
            put(file, table, [row | {"id": str(new_id())} for _ in range(many)])


def content(path, columns):
    """What a database has in some columns of some tables."""
    with opened(path) as file:
        assert [("ok",)] == file.execute("PRAGMA integrity_check").fetchall()
        return {
            table: Counter(file.execute(f'SELECT {quoted(names)} FROM "{table}"'))
            for table, names in columns.items()
        }


def lasting_columns(path, newest):
    """The columns that a database has, and those of this version too."""
    with opened(path) as file, opened(newest) as other:
        then, now = (
            {table: [column[1] for column in columns] for table, columns in tables_of(one).items()}
            for one in (file, other)
        )
    assert then.keys() <= now.keys()
    del then["schema_migration"]
    return {table: [name for name in names if name in now[table]] for table, names in then.items()}


def versions(path):
    with opened(path) as file:
        return sorted(name for (name,) in file.execute("SELECT name FROM schema_migration"))


@every_earlier
def test_everything_is_there_after_a_migration(version, older, templates, tmp_path):
    path = older(version)
    columns = lasting_columns(path, templates["sample"].path)
    before = content(path, columns)

    done = core_rpc("migrate", cwd=tmp_path, database=f"sqlite:///{path}")

    assert 0 == done.returncode, done.stderr
    assert [f"applied {name}" for name in SCRIPTS if name > version] == done.stdout.splitlines()
    assert before == content(path, columns)
    assert min(rows.total() for table, rows in before.items() if table in ("user", "membership", "audit")) > 0
    checked = core_rpc("check", cwd=tmp_path, database=f"sqlite:///{path}")
    assert 0 == checked.returncode, checked.stdout


@every_earlier
def test_a_migrated_database_is_one_of_this_version(version, older):
    path = older(version)
    configure(f"sqlite:///{path}")

    with connected():
        migrations.migrate()

        assert not (difference := diff_models(database, migrations.MODELS)), str(difference)
        assert SCRIPTS[-1] == migrations.check_version()


@every_earlier
def test_a_migrated_database_is_served(version, older, templates, tmp_path):
    path = older(version)
    core_rpc("migrate", cwd=tmp_path, database=f"sqlite:///{path}")

    with running("serve", "--port", 0, cwd=tmp_path, database=f"sqlite:///{path}") as (_, first):
        caller = Client(first.split()[-1], templates["sample"].secrets[Scope.ADMIN])
        history = caller.membership_history(sample.ALAN, sample.SPRING)
        caller.update_user_cohort_state(sample.ALAN, sample.SPRING, state="completed")
        longer = caller.membership_history(sample.ALAN, sample.SPRING)

    assert ["active", "withdrawn"] == [change["to"]["state"] for change in history]
    assert [*history, longer[-1]] == longer
    assert "completed" == longer[-1]["to"]["state"]


@every_earlier
def test_an_older_database_is_not_served_and_stays_as_it_is(version, older, templates, tmp_path):
    path = older(version)
    columns = lasting_columns(path, templates["sample"].path)
    before = content(path, columns)

    done = core_rpc("serve", "--port", 0, cwd=tmp_path, database=f"sqlite:///{path}")

    assert (1, True) == (done.returncode, "run: core-rpc migrate" in done.stderr)
    assert (before, SCRIPTS[: SCRIPTS.index(version) + 1]) == (content(path, columns), versions(path))


@every_earlier
def test_a_migration_that_cannot_be_finished_leaves_the_database_as_it_was(
    version, older, templates, tmp_path
):
    path = older(version)
    with opened(path) as file:  # in the way of the last thing that a script does: noting that it ran
        file.execute(
            "CREATE TRIGGER refuse BEFORE INSERT ON schema_migration"
            " BEGIN SELECT RAISE(ABORT, 'on purpose'); END"
        )
    columns = lasting_columns(path, templates["sample"].path)
    before = content(path, columns)

    done = core_rpc("migrate", cwd=tmp_path, database=f"sqlite:///{path}")

    assert (1, 1) == (done.returncode, len(done.stderr.splitlines()))
    assert (before, SCRIPTS[: SCRIPTS.index(version) + 1]) == (content(path, columns), versions(path))
    with opened(path) as file:
        file.execute("DROP TRIGGER refuse")
    assert 0 == core_rpc("migrate", cwd=tmp_path, database=f"sqlite:///{path}").returncode
    assert before == content(path, columns)


@every_earlier
def test_a_migration_on_a_full_disk_leaves_the_database_as_it_was(version, older, templates, tmp_path):
    path = older(version)
    enlarge(path, 2_000)
    columns = lasting_columns(path, templates["sample"].path)
    before = content(path, columns)

    done = subprocess.run(
        ["sh", "-c", f"ulimit -f 400; exec {sys.executable} -m rpc migrate"],
        cwd=tmp_path,
        env=environment({"database": f"sqlite:///{path}"}),
        capture_output=True,
        text=True,
        check=False,
    )

    if done.returncode == 0:  # it had next to nothing to write
        assert SCRIPTS == versions(path)
    assert before == content(path, columns)
    assert 0 == core_rpc("migrate", cwd=tmp_path, database=f"sqlite:///{path}").returncode
    assert (before, SCRIPTS) == (content(path, columns), versions(path))


@every_earlier
def test_a_migration_that_is_killed_loses_nothing_and_the_next_one_finishes(
    version, older, templates, tmp_path
):
    path = older(version)
    enlarge(path)
    columns = lasting_columns(path, templates["sample"].path)
    before = content(path, columns)
    whole = path.read_bytes()
    command = [sys.executable, "-m", "rpc", "migrate"]
    env = environment({"database": f"sqlite:///{path}"})
    start = time.monotonic()
    subprocess.run(command, cwd=tmp_path, env=env, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start

    for part in range(ROUNDS):
        path.write_bytes(whole)
        with subprocess.Popen(command, cwd=tmp_path, env=env, stdout=subprocess.DEVNULL) as process:
            time.sleep(seconds * (part + random.random()) / ROUNDS)
            process.send_signal(signal.SIGKILL)

        reached = versions(path)
        assert SCRIPTS[: len(reached)] == reached
        assert before == content(path, columns)
        assert 0 == core_rpc("migrate", cwd=tmp_path, database=f"sqlite:///{path}").returncode
        assert (before, SCRIPTS) == (content(path, columns), versions(path))


@every_earlier
def test_of_two_migrations_at_once_one_does_it_and_none_does_harm(version, older, templates, tmp_path):
    path = older(version)
    columns = lasting_columns(path, templates["sample"].path)
    before = content(path, columns)

    def run(_):
        return core_rpc("migrate", cwd=tmp_path, database=f"sqlite:///{path}")

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(run, range(2)))

    assert 0 in [one.returncode for one in done]
    assert [] == [one.stderr for one in done if len(one.stderr.splitlines()) > 1]
    assert (before, SCRIPTS) == (content(path, columns), versions(path))
