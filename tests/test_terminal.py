"""What callers have stored is shown to operators as it is, and does nothing to their terminal."""

from __future__ import annotations

import pytest

from models.database import writing
from models.tokens import Scope, Token
from tests.test_cli import core_rpc


@pytest.mark.parametrize(
    "name", ["[/]", "[red]x[/red]", "[link=http://192.0.2.1]x[/link]", "x[/", ":boom:", "\\"]
)
def test_a_token_may_be_called_anything_and_is_listed_so(name, client, world):
    client.admin.create_token(name, "read")

    done = core_rpc("token", "list", cwd=world.path.parent, database=world.url)

    assert (done.returncode, done.stderr) == (0, "")
    assert f" {name} " in done.stdout


@pytest.mark.parametrize("name", ["a\x1b[2Jb", "a\x9b2Jb", "a\x07b", "a\rb\x08"])
def test_no_call_stores_what_a_terminal_obeys(name, client):
    [refused] = client.batch([("admin.CreateToken", {"name": name, "scope": "read"})])

    assert refused.word == "INVALID_PARAMS"


def test_a_database_in_which_something_else_stored_it_is_listed_all_the_same(world):
    with writing():
        Token.issue("a\x1b[2J[/]b", Scope.READ)

    done = core_rpc("token", "list", cwd=world.path.parent, database=world.url)

    assert done.returncode == 0
    assert "\x1b" not in done.stdout
