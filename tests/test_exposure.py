"""A server is not put where others reach it with its database, or itself, lying open."""

from __future__ import annotations

import logging
import os
import socket
import stat
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import apsw
import pytest

from models import clock, files
from models.database import writing
from models.tokens import Scope, Token
from rpc import exposure
from rpc.exposure import Exposed
from tests.test_cli import core_rpc

ELSEWHERE = "192.0.2.1"  # an address for documentation; nothing listens in these tests


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def usual_rights() -> Iterator[None]:
    """New files can be read by everybody, as on most machines."""
    before = os.umask(0o022)
    yield
    os.umask(before)


# Which addresses others reach


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "localhost", "::ffff:127.0.0.1", "127.1"])
def test_what_only_this_machine_reaches_is_loopback(host):
    assert exposure.is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["0.0.0.0", "", "::", "0", ELSEWHERE, "::ffff:192.0.2.1", "2001:db8::1", "nobody.invalid", "[::1]"],
)
def test_anything_else_is_taken_for_an_address_that_others_reach(host):
    assert not exposure.is_loopback(host)


# Tokens


@pytest.fixture
def keep_only(world) -> Callable[[Token | None], None]:
    def keep_only(kept: Token | None) -> None:
        with writing():
            for token in Token.all():
                if token.id != (kept and kept.id):
                    token.revoke()

    return keep_only


def test_with_a_token_and_a_private_database_others_may_reach_the_server(world, keep_only):
    with writing():
        kept, _ = Token.issue("only", Scope.READ, expires_at=clock.now() + timedelta(seconds=1))
    keep_only(kept)

    exposure.check(ELSEWHERE, world.url)


def test_where_no_token_lets_anybody_in_others_may_not_reach_the_server(world, keep_only):
    with writing():
        ended, _ = Token.issue("ended", Scope.ADMIN, expires_at=clock.now())
    keep_only(ended)

    exposure.check("127.0.0.1", world.url)
    with pytest.raises(Exposed, match="core-rpc token create"):
        exposure.check(ELSEWHERE, world.url)


# The database's rights


@pytest.mark.parametrize("beside", ["", *files.BESIDE])
@pytest.mark.parametrize("rights", [0o604, 0o602, 0o601, 0o644, 0o666])
def test_a_database_that_others_read_or_write_is_not_served_to_others(beside, rights, world):
    path = world.path.with_name(world.path.name + beside)
    path.touch()
    path.chmod(rights)

    with pytest.raises(Exposed, match=f"chmod 600 {path}$"):
        exposure.check(ELSEWHERE, world.url)


@pytest.mark.parametrize("rights", [0o600, 0o400, 0o640, 0o660])
def test_what_the_group_may_is_for_the_operator_to_say(rights, world):
    world.path.chmod(rights)

    exposure.check(ELSEWHERE, world.url)


@pytest.mark.parametrize("rights", [0o777, 0o1777, 0o702])
def test_a_database_in_a_folder_that_others_write_is_not_served_to_others(rights, world):
    world.path.parent.chmod(rights)

    with pytest.raises(Exposed, match=f"chmod o-w {world.path.parent}$"):
        exposure.check(ELSEWHERE, world.url)


def test_behind_a_link_the_database_itself_counts(world, tmp_path_factory):
    link = tmp_path_factory.mktemp("links") / "link.db"
    link.symlink_to(world.path)
    world.path.chmod(0o644)
    link.parent.chmod(0o777)

    with pytest.raises(Exposed, match=f"chmod 600 {world.path} && chmod o-w {link.parent}$"):
        exposure.check(ELSEWHERE, f"sqlite:///{link}")


def test_where_only_this_machine_reaches_the_server_an_open_database_is_a_warning(world, caplog):
    world.path.chmod(0o644)

    with caplog.at_level(logging.WARNING):
        exposure.check("127.0.0.1", world.url)

    assert f"chmod 600 {world.path}" in caplog.text


# The commands


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that is in use: a server that began to listen there would say so."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        yield other.getsockname()[1]


def test_serve_refuses_an_address_that_others_reach_before_it_listens(tmp_path, taken):
    core_rpc("migrate", cwd=tmp_path)

    no_token = core_rpc("serve", "--host", "0.0.0.0", "--port", taken, cwd=tmp_path)
    core_rpc("token", "create", "--name", "shop", "--scope", "read", cwd=tmp_path)
    (tmp_path / "core-rpc.db").chmod(0o644)
    lies_open = core_rpc("serve", "--host", "0.0.0.0", "--port", taken, cwd=tmp_path)
    core_rpc("migrate", cwd=tmp_path)
    in_use = core_rpc("serve", "--host", "127.0.0.1", "--port", taken, cwd=tmp_path)

    found = [done.stderr.splitlines() for done in (no_token, lies_open, in_use)]
    assert [1, 1, 1] == [len(lines) for lines in found]
    assert "core-rpc token create" in found[0][0]
    assert f"chmod 600 {tmp_path}/core-rpc.db" in found[1][0]
    assert "address already in use" in found[2][0]
    assert [1, 1, 1] == [done.returncode for done in (no_token, lies_open, in_use)]


def test_migrate_makes_a_database_for_its_owner_alone(tmp_path):
    core_rpc("migrate", cwd=tmp_path)
    file = apsw.Connection(str(tmp_path / "core-rpc.db"))
    file.execute("PRAGMA user_version = 1")

    rights = {path.name: mode(path) for path in tmp_path.iterdir()}
    file.close()
    assert rights == {f"core-rpc.db{ending}": 0o600 for ending in ("", "-wal", "-shm")}


def test_a_file_of_settings_that_lies_in_the_folder_is_not_read(tmp_path):
    (tmp_path / ".env").write_text("CORE_RPC_DATABASE=sqlite:///other.db\nCORE_RPC_HOST=0.0.0.0\n")

    core_rpc("migrate", cwd=tmp_path)

    assert (tmp_path / "core-rpc.db").exists()
    assert not (tmp_path / "other.db").exists()


def test_migrate_through_a_link_makes_the_file_that_it_points_to_for_its_owner_alone(tmp_path):
    (tmp_path / "link.db").symlink_to(tmp_path / "real.db")

    core_rpc("migrate", cwd=tmp_path, database="sqlite:///link.db")

    assert mode(tmp_path / "real.db") == 0o600


@pytest.mark.parametrize(("before", "after"), [(0o644, 0o600), (0o666, 0o600), (0o640, 0o640)])
def test_migrate_takes_from_an_older_database_what_anybody_could_do(before, after, world):
    world.path.chmod(before)

    core_rpc("migrate", cwd=world.path.parent, database=world.url)

    assert mode(world.path) == after
