"""Who may call the admin.* functions."""

from __future__ import annotations

import pytest

import rpc.admin  # noqa: F401  registers its methods
from client import Client, RpcError
from models.audit import Audit
from models.tokens import Scope
from rpc.registry import METHODS

admin = {name: entry for name, entry in METHODS.items() if name.startswith("admin.")}


@pytest.mark.sample
@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
def test_no_lesser_token_may_call_any_of_them(server, world, scope):
    caller = Client(server.url, world.secrets[scope])
    before = Audit.select().count()

    answers = caller.batch((name, entry.example) for name, entry in admin.items())

    needs = [isinstance(answer, RpcError) and (answer.word, answer.data["needs"]) for answer in answers]
    assert [("FORBIDDEN", "admin")] * len(admin) == needs
    assert before == Audit.select().count()


@pytest.mark.sample
@pytest.mark.parametrize("name", admin)
def test_the_example_of_each_works_on_the_sample_world(client, name):
    answer = client.call(name, **admin[name].example)

    assert answer not in ([], 0, False, None)


@pytest.mark.parametrize("name", admin)
def test_each_is_a_write_or_a_slow_read_by_its_name(name):
    reads = name.removeprefix("admin.").startswith("List")

    assert ("slow" if reads else "write") == admin[name].lane
