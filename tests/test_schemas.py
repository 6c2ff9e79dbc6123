"""The quick way to load parameters is the schema's own."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

import rpc.app  # noqa: F401  registers the methods
from rpc.registry import METHODS
from rpc.schemas import Params

IDS = st.builds(lambda: str(uuid4())) | st.just("0B6F3B5E-0000-4000-8000-00000000000A")
VALUES = st.one_of(
    IDS,
    st.none(),
    st.booleans(),
    st.integers(-3, 40_000),
    st.floats(),
    st.sampled_from(["2026-03-10", "2026-3-1", "9999-12-31", "2026-03-10T12:00:00.000Z", "Europe/Berlin"]),
    st.sampled_from(["a@example.org", "a@@b", "member", "active", "dropped", "ready", "female", "write"]),
    st.text(max_size=3),
    st.sampled_from(["x" * 255, "x" * 256, "\x00", "\ud800"]),
    st.lists(st.sampled_from(["cohortId", "email", 1]), max_size=2),
    st.just({}),
)


def outcome(load, params):
    try:
        return load(params)
    except ValidationError as error:
        return error.normalized_messages()


@pytest.mark.parametrize("name", METHODS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_the_quick_way_gives_the_values_and_errors_of_the_schema(name, data):
    entry = METHODS[name]
    names = st.sampled_from([*entry.params.wire, "id", "clear", "other"])
    example = data.draw(st.sampled_from([{}, entry.example]))
    params = example | data.draw(st.dictionaries(names, VALUES, max_size=3))
    form = data.draw(st.sampled_from([dict, lambda params: [params], lambda params: list(params.values())]))

    quickly = outcome(entry.params.loaded, form(params))

    assert outcome(entry.params.carefully_loaded, form(params)) == quickly


@pytest.mark.parametrize("name", METHODS)
def test_the_example_of_a_method_is_loaded_quickly_unless_the_schema_has_more_to_say(name):
    entry = METHODS[name]

    example = {member: value for member, value in entry.example.items() if member != "clear"}

    quickly = entry.params._quick.loaded(example)

    assert (quickly is None) == any(entry.params._hooks.values())


def test_a_schema_with_a_check_of_its_own_is_never_passed_by():
    assert Params()._quick._applies
    assert not METHODS["core.CancelProgramTicket"].params._quick._applies
