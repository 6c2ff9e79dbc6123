"""The command line, as processes of their own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from client import Client, RpcError
from models import sample
from models.memberships import Membership
from models.tokens import Scope, Token
from tests.conftest import NOON
from tests.ports import free_port
from tests.waiting import FAR


def core_rpc(*words: object, cwd: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "rpc", *map(str, words)],
        cwd=cwd,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=FAR,
        check=False,
    )


def environment(settings: dict[str, str]) -> dict[str, str]:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("CORE_RPC_") and name != "COLUMNS"
    }
    return clean | {f"CORE_RPC_{name.upper()}": value for name, value in settings.items()}


@contextmanager
def running(*words: object, cwd: Path, **settings: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server process and the first line that it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "rpc", *map(str, words)],
        cwd=cwd,
        env=environment({"drain_seconds": "0"} | settings) | {"PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, process.stdout.readline()
    finally:
        process.terminate()
        process.communicate(timeout=FAR)


def test_demo_serves_a_sample_world_until_it_is_told_to_stop(tmp_path):
    with running("demo", "--port", free_port(), cwd=tmp_path) as (process, first):
        url = re.search(r"http://\S+/rpc", first)[0]
        token = next(line.split()[1] for line in process.stdout if line.startswith("Token:"))
        found = Client(url, token).lookup_program_instance(sample.SPRING)
        process.send_signal(signal.SIGTERM)
        status = process.wait(FAR)

    assert found["name"] == "Cooking, spring"
    assert status == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.needs("curl")
def test_demo_prints_a_call_that_works(tmp_path):
    with running("demo", "--port", free_port(), cwd=tmp_path) as (process, first):
        port = re.search(r":(\d+)/rpc", first)[1]
        lines = iter(process.stdout.readline, "")
        command = next(line for line in lines if "curl" in line).rstrip("\\\n") + next(lines)
        answer = subprocess.run(command, shell=True, capture_output=True, text=True, timeout=FAR, check=True)

    assert port in command
    assert json.loads(answer.stdout)["result"]["id"] == sample.SPRING


def test_serve_refuses_where_there_is_no_database_and_makes_none(tmp_path):
    done = core_rpc("serve", cwd=tmp_path)

    assert done.returncode == 1
    assert "core-rpc migrate" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_serve_refuses_an_older_database_and_prints_the_line_that_helps(tmp_path):
    core_rpc("migrate", cwd=tmp_path)
    with apsw.Connection(str(tmp_path / "core-rpc.db")) as file:
        file.execute("DELETE FROM schema_migration")

    done = core_rpc("serve", cwd=tmp_path)

    assert done.returncode == 1
    assert "core-rpc migrate" in done.stderr


def test_a_newer_database_is_refused(tmp_path):
    core_rpc("migrate", cwd=tmp_path)
    with apsw.Connection(str(tmp_path / "core-rpc.db")) as file:
        later = (
            "INSERT INTO schema_migration (name, applied) VALUES ('9999_later', '2027-01-01T00:00:00.000Z')"
        )
        file.execute(later)

    done = core_rpc("check", cwd=tmp_path)

    assert done.returncode == 1
    assert "9999_later" in done.stdout


def test_serve_answers_on_the_database_of_the_setting(world):
    with running("serve", "--port", free_port(), cwd=world.path.parent, database=world.url) as (_, first):
        url = re.search(r"http://\S+/rpc", first)[0]

        assert Client(url, world.secrets[Scope.READ]).list_active_programs() == []


def test_serve_takes_one_process_on_sqlite(tmp_path):
    done = core_rpc("serve", "--workers", 2, cwd=tmp_path)

    assert done.returncode == 1
    assert "--workers" in done.stderr


def test_a_setting_that_cannot_be_used_is_named(tmp_path):
    done = core_rpc("check", cwd=tmp_path, port="abc")

    assert done.returncode == 1
    assert "CORE_RPC_PORT" in done.stderr


def test_a_database_url_of_another_kind_is_refused(tmp_path):
    done = core_rpc("migrate", cwd=tmp_path, database="mysql://somewhere")

    assert done.returncode == 1
    assert "sqlite:///" in done.stderr


def test_migrate_twice_does_nothing_the_second_time(tmp_path):
    core_rpc("migrate", cwd=tmp_path)

    assert core_rpc("migrate", cwd=tmp_path).stdout == "nothing to do\n"


def test_check_finds_a_good_database_good(tmp_path):
    core_rpc("migrate", cwd=tmp_path)

    done = core_rpc("check", cwd=tmp_path, clock="2026-03-10T12:00:00Z")

    assert done.returncode == 0
    assert "WRONG" not in done.stdout
    assert "stopped at 2026-03-10T12:00:00+00:00" in done.stdout


def test_check_finds_damage(world):
    with apsw.Connection(str(world.path)) as file:
        file.pragma("wal_checkpoint", "truncate")
        page = file.pragma("page_size")
        root = file.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'token'").get
    with world.path.open("r+b") as file:
        file.seek((root - 1) * page)
        file.write(b"\xff" * page)

    done = core_rpc("check", cwd=world.path.parent, database=world.url)

    assert done.returncode == 1


def test_a_row_whose_parent_is_missing_is_found(world, make_membership):
    member = make_membership()
    with apsw.Connection(str(world.path)) as file:
        file.pragma("foreign_keys", False)
        file.execute("DELETE FROM user WHERE id = ?", (str(member.user_id),))

    done = core_rpc("check", cwd=world.path.parent, database=world.url)

    assert done.returncode == 1


def test_a_token_is_printed_alone_and_works_beside_a_server_under_load(world, server, make_membership):
    member = make_membership()
    busy = Client(server.url, world.secrets[Scope.WRITE])
    enough = threading.Event()

    def load() -> None:
        role = 0
        while not enough.is_set():
            role = 1 - role
            busy.modify_program_membership(
                user_id=member.user_id, program_id=member.program_id, role=("member", "observer")[role]
            )

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    done = core_rpc(
        "token", "create", "--name", "shop", "--scope", "read", cwd=world.path.parent, database=world.url
    )
    enough.set()
    for thread in threads:
        thread.join()

    assert done.returncode == 0
    assert re.fullmatch(r"crpc_\S{43}\n", done.stdout)
    [program] = Client(server.url, done.stdout.strip()).list_active_programs()
    assert program["id"] == str(member.program_id)


def test_a_token_may_act_for_a_user_and_end_on_a_day(world, make_user):
    user = make_user(email="ada@example.org")

    core_rpc(
        *("token", "create", "--name", "lua", "--scope", "write", "--user", " ADA@example.org"),
        *("--expires", "2027-01-01"),
        cwd=world.path.parent,
        database=world.url,
    )

    made = Token.get(Token.name == "lua")
    assert (user.id, "2027-01-01") == (made.user_id, f"{made.expires_at:%Y-%m-%d}")


def test_a_token_for_an_unknown_user_is_refused_in_a_line(world):
    done = core_rpc(
        *("token", "create", "--name", "x", "--scope", "read", "--user", "no@example.org"),
        cwd=world.path.parent,
        database=world.url,
    )

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


def test_a_revoked_token_lets_nobody_in_at_once(world, server):
    caller = Client(server.url, world.secrets[Scope.READ])
    caller.list_active_programs()
    token = Token.with_secret(world.secrets[Scope.READ])

    done = core_rpc("token", "revoke", token.id, cwd=world.path.parent, database=world.url)

    assert done.stdout == "revoked\n"
    with pytest.raises(RpcError) as caught:
        caller.list_active_programs()
    assert caught.value.word == "UNAUTHORIZED"


def test_a_rotated_token_works_until_the_overlap_ends(world, serve):
    settings = {"cwd": world.path.parent, "database": world.url, "clock": "2026-03-10T12:00:00Z"}
    token = Token.with_secret(world.secrets[Scope.READ])

    done = core_rpc("token", "rotate", token.id, "--overlap", "30m", **settings)

    again = Token.get_by_id(token.id)
    assert f"{again.expires_at:%H:%M}" == "12:30"
    for secret in (world.secrets[Scope.READ], done.stdout.strip()):
        assert Client(serve().url, secret).list_active_programs() == []


def test_the_list_of_tokens_shows_no_secret(world):
    done = core_rpc("token", "list", cwd=world.path.parent, database=world.url)

    assert "admin" in done.stdout
    assert not [secret for secret in world.secrets.values() if secret in done.stdout]


@pytest.mark.sample
@pytest.mark.parametrize(
    "words",
    [
        [sample.SPRING],
        [f"programId={sample.SPRING}"],
        [f"programId={sample.SPRING}", "limit:=5"],
        [json.dumps({"programId": sample.SPRING})],
        [json.dumps([sample.SPRING])],
    ],
    ids=["by position", "by name", "with a number", "an object", "an array"],
)
def test_call_takes_parameters_in_each_form(world, server, words):
    done = core_rpc(
        "call", "core.ListCohorts", *words, cwd=world.path.parent, url=server.url, token=world.secrets["read"]
    )

    assert [row["name"] for row in json.loads(done.stdout)] == ["Monday group", "Tuesday group"]


def test_an_error_of_a_call_is_told_and_ends_with_status_1(world, server):
    done = core_rpc(
        "call", "core.ListCohorts", "x", cwd=world.path.parent, url=server.url, token=world.secrets["read"]
    )

    assert done.returncode == 1
    assert json.loads(done.stderr)["data"]["fields"] == {"programId": ["Not a valid UUID."]}


def test_a_server_that_is_not_there_is_told_in_a_line(tmp_path):
    done = core_rpc("call", "core.ListActivePrograms", cwd=tmp_path, url="http://127.0.0.1:9/rpc")

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.sample
def test_an_export_is_imported_into_an_empty_database(world, tmp_path):
    other = f"sqlite:///{tmp_path}/other.db"
    core_rpc("export", "oneroster", tmp_path / "set.zip", cwd=tmp_path, database=world.url)
    core_rpc("migrate", cwd=tmp_path, database=other)

    done = core_rpc(
        *("import", "oneroster", tmp_path / "set.zip", "--report", tmp_path / "report.json"),
        cwd=tmp_path,
        database=other,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "report.json").read_text())
    with apsw.Connection(f"{tmp_path}/other.db") as file:
        assert file.execute("SELECT count(*) FROM membership").get == Membership.select().count()


def test_an_import_of_what_is_no_set_says_so_in_a_line(tmp_path):
    core_rpc("migrate", cwd=tmp_path)
    (tmp_path / "set.zip").write_bytes(b"no zip")

    done = core_rpc("import", "oneroster", "set.zip", cwd=tmp_path)

    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def ask(world):
    """Ask by a query; what is printed comes back."""

    def ask(*words):
        return core_rpc("query", *words, cwd=world.path.parent, database=world.url, clock=NOON)

    return ask


@pytest.mark.sample
def test_a_query_is_told_in_words_and_answered_by_a_table(ask):
    done = ask("given labels [vegetarian] sort by first")

    words, *table = done.stdout.split("┏")
    assert "vegetarian" in words
    [ada] = [line for line in table[0].splitlines() if "Ada Lovelace" in line]
    assert sample.ADA in ada
    assert done.returncode == 0


@pytest.mark.sample
@pytest.mark.parametrize(
    ("language", "cell"), [("programs", "Cooking, spring"), ("participants", "Ada Lovelace")]
)
def test_each_language_has_its_table(ask, language, cell):
    done = ask(f"given programs [{sample.SPRING}]", "--find", language)

    assert cell in done.stdout
    assert done.returncode == 0


@pytest.mark.sample
def test_it_says_when_there_are_more_rows(ask):
    assert "2 users and more" in ask("all users", "--limit", 2).stdout
    assert "1 users\n" in ask(f"id:{sample.ADA}", "--limit", 1).stdout


@pytest.mark.sample
def test_names_that_name_nothing_are_warned_of_beside_what_is_found(ask):
    done = ask("all users ^ except groups [stuff, staff]")

    assert done.stderr == "warning: 'stuff' in groups (line 1, column 28) names nothing\n"
    assert sample.ADA in done.stdout
    assert done.returncode == 0


@pytest.mark.sample
def test_a_mistake_in_a_query_shows_the_text_with_a_caret_under_the_spot(ask):
    done = ask("given labels [vegetarian]\nsort by age")

    line, caret, message = done.stderr.splitlines()
    assert line == "sort by age"
    assert caret.index("^") == line.index("age")
    assert message.startswith("Line 2, column 9: ")
    assert (done.returncode, done.stdout) == (1, "")


@pytest.mark.sample
def test_current_is_whom_the_command_names(ask):
    assert sample.GRACE in ask("current user", "--as", "grace@example.org").stdout
    assert "^" in ask("current user").stderr
