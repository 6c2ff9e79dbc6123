"""Results are rendered as marshmallow's own dump renders them."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta, timezone
from types import SimpleNamespace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from marshmallow import fields

import rpc.app  # noqa: F401  registers the methods
from models.database import writing
from models.statements import Rows
from models.tokens import Scope
from rpc.registry import METHODS, Answer, Call, Caller, Context
from rpc.rendering import rendered
from rpc.results import CohortResult, MembershipChangeResult, TokenResult
from rpc.schemas import Choice, Day, Flag, Id, Instant, OneOf, Text, Whole, WireSchema

RETURNED = {name: entry.returns for name, entry in METHODS.items()}
FAR = 1e12  # of the monotonic clock
ZONES = st.sampled_from(
    [UTC, timezone(timedelta(hours=-9, minutes=-30)), timezone(timedelta(hours=14)), None]
)
VALUES = {
    Id: lambda field: st.uuids(),
    Text: lambda field: st.text(max_size=5) | st.sampled_from(["\x00", "\ud800", '"\\', "ß" * 300]),
    Whole: lambda field: st.integers(),
    Flag: lambda field: st.booleans(),
    Choice: lambda field: st.sampled_from(list(field.enum)),
    Day: lambda field: st.dates(),
    Instant: lambda field: st.datetimes(timezones=ZONES),
}


class OneMember(WireSchema):
    name = Text()


class OfItsOwn(Text):
    def _serialize(self, value, attr, obj, **kwargs):
        return f"{attr}: {value}"


class WithOthers(WireSchema):
    id = Id()
    said = OfItsOwn()
    answer = fields.Constant(42)


MADE_UP = {
    "Id": Id(),
    "Text": Text(),
    "Whole": Whole(0, 1),
    "Flag": Flag(),
    "Choice": Choice(Scope),
    "Day": Day(),
    "Instant": Instant(),
    "an object": fields.Nested(CohortResult),
    "an object of one member": fields.Nested(OneMember),
    "an object with members of other sorts": fields.Nested(WithOthers),
    "objects, said in the other way": fields.Nested(CohortResult, many=True),
    "objects in objects": fields.List(fields.Nested(MembershipChangeResult)),
    "lists in lists": fields.List(fields.List(Choice(Scope))),
    "a field of another sort": OfItsOwn(),
    "a list of another sort": fields.List(OfItsOwn()),
    "one of two": OneOf(
        lambda value: isinstance(value, list),
        fields.Nested(TokenResult),
        fields.List(fields.Nested(CohortResult)),
    ),
}


def values_of(field):
    """Values that a handler could return for a field, and some that none does."""
    match field:
        case OneOf():
            found = st.one_of(*map(values_of, field.shapes))
        case fields.List():
            found = st.lists(values_of(field.inner), max_size=3)
        case fields.Nested(many=True):
            found = st.lists(objects_of(field.schema), max_size=3)
        case fields.Nested():
            found = objects_of(field.schema)
        case _:
            found = VALUES.get(type(field), lambda field: st.text(max_size=3))(field)
    return st.none() | found


@st.composite
def objects_of(draw, schema):
    tree = {}
    for name, field in schema.fields.items():
        *through, last = (field.attribute or name).split(".")
        branch = tree
        for step in through:
            branch = branch.setdefault(step, {})
        branch[last] = draw(values_of(field))
    match draw(st.sampled_from(["object"] * 6 + ["mapping", "lacks one"])):
        case "mapping":
            return tree
        case "lacks one":
            del tree[draw(st.sampled_from(list(tree)))]
    return _object_of(tree)


def _object_of(tree):
    return SimpleNamespace(**{k: _object_of(v) if isinstance(v, dict) else v for k, v in tree.items()})


def outcome(render, *values):
    """What comes out, its types and order included, or what is raised."""
    try:
        return repr(render(*values))
    except Exception as error:
        return type(error)


def dumped(field, value):
    return field.serialize("result", {"result": value})


@pytest.mark.parametrize("field", (RETURNED | MADE_UP).values(), ids=RETURNED | MADE_UP)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_result_is_rendered_as_marshmallow_dumps_it(field, data):
    value = data.draw(values_of(field))

    assert outcome(dumped, field, value) == outcome(rendered, field, value)


@given(st.datetimes(timezones=ZONES))
@settings(max_examples=500, deadline=None)
@example(datetime(1, 1, 1, tzinfo=UTC))
@example(datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
@example(datetime(2026, 3, 10, 12, tzinfo=timezone(timedelta(hours=2))))
@example(datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=2))))
def test_an_instant_is_the_text_that_isoformat_makes(instant):
    def expected(instant):
        return instant.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"

    assert outcome(expected, instant) == outcome(rendered, Instant(), instant)


@pytest.mark.sample
@pytest.mark.parametrize("name", [name for name in METHODS if not name.startswith("rpc.")])
def test_what_a_handler_returns_is_rendered_as_marshmallow_dumps_it(world, name):
    returned = []

    def keep(value):
        returned.append(value)
        return value

    def kept(function):
        return None if function is None else lambda *args, **given: keep(function(*args, **given))

    entry = METHODS[name]
    spied_on = dataclasses.replace(entry, handler=kept(entry.handler), prepare=kept(entry.prepare))
    call = Call(Context(Caller(None, Scope.ADMIN), "a request", FAR), entry.example)
    spied_on(call)

    with writing():
        if entry.prepare is None or call.prepare():
            call.run()

    value = returned[-1].value if isinstance(returned[-1], Answer) else returned[-1]
    assert call.error is None
    assert outcome(dumped, entry.returns, value) == outcome(rendered, entry.returns, value)


STORED = ["core.ListCohorts", "core.ListActivePrograms", "core.ProgramsAfter", "core.UserTickets"]


@pytest.mark.sample
@pytest.mark.parametrize("name", STORED)
def test_rows_of_a_list_go_out_as_they_are_stored(world, name):
    entry = METHODS[name]
    select = entry.handler(**entry.params.loaded(entry.example)).select
    strange = Rows(select, [["?"] * len(select.columns)])  # of which no model could be made

    [found] = rendered(entry.returns, strange)

    assert set(found) == {field.data_key for field in entry.returns.inner.schema.fields.values()}
    assert set(found.values()) <= {"?", True}
