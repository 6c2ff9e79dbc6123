"""Results are typed, frozen, and still the wire's JSON."""

from __future__ import annotations

import copy
import json
import pickle
from datetime import UTC, date, datetime
from uuid import UUID

import orjson
import pytest

from client.results import NewToken, ProgramInfo, User
from client.words import Mode
from models import sample

pytestmark = pytest.mark.sample


@pytest.fixture
def spring(client) -> ProgramInfo:
    return client.core.LookupProgramInstance(sample.SPRING)


def test_attributes_have_types(spring):
    assert spring.id == UUID(str(sample.SPRING))
    assert spring.start_date == date.fromisoformat(spring["startDate"])
    assert isinstance(spring.created_at, datetime)
    assert spring.created_at.tzinfo == UTC
    assert isinstance(spring.mode, Mode)
    assert spring.parent_id is None


def test_it_equals_and_dumps_as_the_wires_object(spring):
    wire = dict(spring)

    assert wire == spring
    assert json.loads(json.dumps(spring)) == orjson.loads(orjson.dumps(spring)) == wire


def test_it_cannot_be_changed(spring):
    before = dict(spring)

    for change in (
        lambda: spring.update(name="x"),
        lambda: spring.pop("name"),
        lambda: spring.clear(),
        lambda: spring.__setitem__("name", "x"),
        lambda: spring.__ior__({"name": "x"}),
    ):
        with pytest.raises(TypeError):
            change()
    with pytest.raises(AttributeError):
        spring.name = "x"

    assert before == spring


def test_it_can_be_hashed_copied_and_pickled(spring):
    for twin in (pickle.loads(pickle.dumps(spring)), copy.copy(spring), copy.deepcopy(spring)):
        assert (ProgramInfo, spring, hash(spring)) == (type(twin), twin, hash(twin))
    assert {spring: 1}[pickle.loads(pickle.dumps(spring))] == 1


def test_a_newer_server_does_no_harm():
    user = User({"id": str(sample.ADA), "role": "emperor", "labels": ["a"], "crown": "gold"})

    assert ("gold", "emperor", ("a",)) == (user["crown"], user.role, user.labels)
    with pytest.raises(AttributeError):
        _ = user.email


def test_a_new_tokens_secret_is_not_in_its_repr():
    made = NewToken({"name": "n", "token": "crpc_secret"})

    assert "crpc_secret" == made.token
    assert "crpc_secret" not in repr(made)
