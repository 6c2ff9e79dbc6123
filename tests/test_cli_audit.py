"""core-rpc audit, as a process of its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from client import Client
from models.database import writing
from models.people import User
from models.tokens import Scope, Token
from tests.test_cli import core_rpc


@pytest.fixture
def audit(world):
    """Run `core-rpc audit` with some words."""

    def run(*words, **settings):
        return core_rpc("audit", *words, cwd=world.path.parent, database=world.url, **settings)

    return run


@pytest.fixture
def lines(audit):
    """The rows that `core-rpc audit --json` prints."""

    def run(*words):
        done = audit("--json", *words)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.fixture
def note(make_audit):
    """The id of a new row of the audit."""
    return lambda **values: str(make_audit(**values).id)


def ids(rows):
    return [row["id"] for row in rows]


def test_json_lines_are_what_the_function_answers(lines, client):
    client.create_user("ada@example.org")
    client.create_user("grace@example.org")

    found = lines()

    assert 2 == len(found)
    assert client.admin.list_audit() == found


def test_the_table_shows_names_and_whole_ids(audit, make_audit, make_user):
    user = make_user(email="ada@example.org")
    with writing():
        token, secret = Token.issue("a [b]shop[/b] :key:", Scope.WRITE, user)
    touched = [uuid4() for _ in range(5)]
    row = make_audit(touched, token_id=token.id, acting_user_id=user.id, request_id=str(uuid4()))

    done = audit()

    assert done.returncode == 0
    whole = ("2026-03-01 06:00:00", row.method, token.name, "ada@example.org", row.request_id, *touched[:3])
    for text in whole:
        assert str(text) in done.stdout
    assert "and 2 more" in done.stdout
    assert secret not in done.stdout


def test_the_table_of_what_is_nowhere_has_no_row(audit):
    done = audit("--method", "core.Nothing")

    assert (0, False) == (done.returncode, "core.Nothing" in done.stdout)


def test_each_filter_keeps_the_rows_of_which_it_is_true(lines, note, make_user):
    user = make_user(email="ada@example.org")
    with writing():
        token, _ = Token.issue("shop", Scope.WRITE)
    touched = uuid4()
    wanted = {
        ("--method", "core.X"): note(method="core.X"),
        ("--token", token.id): note(token_id=token.id),
        ("--user", " ADA@example.org"): note(acting_user_id=user.id),
        ("--request", "r-1"): note(request_id="r-1"),
        ("--touched", str(touched).upper()): note(touched=[uuid4(), touched]),
    }

    found = {words: ids(lines(*words)) for words in wanted}

    assert {words: [row_id] for words, row_id in wanted.items()} == found


@pytest.mark.parametrize(
    ("words", "hours"),
    [
        (["--since", "2026-03-02"], [47, 24]),
        (["--until", "2026-03-01"], [23, 0]),
        (["--since", "2026-03-01T23:00:00Z", "--until", "2026-03-02T23:00:00.000Z"], [24, 23]),
        (["--limit", 1], [47]),
    ],
    ids=["since a day", "to the end of a day", "between two times", "so many"],
)
def test_a_range_of_days_has_both_and_one_of_times_not_the_end(lines, note, words, hours):
    times = {}
    for hour in (0, 23, 24, 47):
        times[note(at=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(hours=hour))] = hour

    assert hours == [times[row_id] for row_id in ids(lines(*words))]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--since", "yesterday"], "--since"),
        (["--until", "2026-02-30"], "--until"),
        (["--until", "9999-12-31"], "--until"),
        (["--user", "nobody@example.org"], "nobody@example.org"),
        (["--token", "00000000-0000-4000-8000-000000000000"], "00000000-0000-4000-8000-000000000000"),
    ],
)
def test_what_cannot_be_looked_for_is_told_in_a_line(audit, words, told):
    done = audit(*words)

    assert 1 == done.returncode
    assert [True] == [told in line for line in done.stderr.splitlines()]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("token create", ["--name", "x", "--scope", "read"]),
        ("token revoke", ["TOKEN"]),
        ("token rotate", ["TOKEN"]),
    ],
)
def test_a_command_that_writes_leaves_one_row(lines, world, command, words):
    token = Token.with_secret(world.secrets[Scope.READ])
    before = {str(row.id): row for row in Token.select()}

    core_rpc(
        *command.split(),
        *(token.id if word == "TOKEN" else word for word in words),
        cwd=world.path.parent,
        database=world.url,
    )

    after = {str(row.id): row for row in Token.select()}
    changed = [key for key, row in after.items() if key not in before or row.__data__ != before[key].__data__]
    [row] = lines()
    assert (f"core-rpc {command}", sorted(changed)) == (row["method"], sorted(row["touched"]))
    assert row["requestId"]


def test_the_rows_of_one_import_have_one_request(lines, world, tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "users.csv").write_text(
        "sourcedId,email\n" + "".join(f"u{n},u{n}@example.org\n" for n in range(900))
    )

    done = core_rpc("import", "oneroster", "set", cwd=tmp_path, database=world.url)

    rows = lines()
    assert (0, 3) == (done.returncode, len(rows))
    assert {"core-rpc import oneroster"} == {row["method"] for row in rows}
    assert 1 == len({row["requestId"] for row in rows})
    assert {str(user.id) for user in User.select()} == {one for row in rows for one in row["touched"]}


def test_it_reads_beside_a_server(lines, server, world):
    Client(server.url, world.secrets[Scope.ADMIN]).admin.save_group(handle="kitchen")

    assert ["admin.SaveGroup"] == [row["method"] for row in lines()]


def test_a_purge_removes_what_is_older_than_the_setting_says(audit, make_audit, lines):
    make_audit(at=datetime(2026, 2, 1, tzinfo=UTC))
    young = make_audit()

    done = audit("--purge", audit_days="30", clock="2026-03-10T12:00:00Z")

    assert "removed 1 rows older than 30 days\n" == done.stdout
    assert [str(young.id)] == ids(lines())


@pytest.mark.parametrize(
    ("words", "days", "told"),
    [
        (["--purge"], "0", "CORE_RPC_AUDIT_DAYS"),
        (["--purge"], "-1", "CORE_RPC_AUDIT_DAYS"),
        (["--purge"], "1000000", "CORE_RPC_AUDIT_DAYS"),
        (["--purge", "--method", "core.X"], "30", "--purge"),
        (["--purge", "--user", "ada@example.org"], "30", "--purge"),
    ],
)
def test_a_purge_that_cannot_be_meant_removes_nothing(audit, make_audit, lines, words, days, told):
    make_audit(at=datetime(1990, 1, 1, tzinfo=UTC))

    done = audit(*words, audit_days=days)

    assert (1, True) == (done.returncode, told in done.stderr)
    assert 1 == len(lines())
