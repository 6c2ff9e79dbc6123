"""W3C trace context: which headers are taken over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.trace import MOST_STATE, Trace, read_trace

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


@pytest.mark.parametrize(
    ("parent", "flags"),
    [
        (f"00-{TRACE}-{SPAN}-00", 0),
        (f"00-{TRACE}-{SPAN}-01", 1),
        (f"00-{TRACE}-{SPAN}-ff", 255),
        (f" 00-{TRACE}-{SPAN}-01\t", 1),
        (f"01-{TRACE}-{SPAN}-01", 1),
        (f"cc-{TRACE}-{SPAN}-01-what-comes-later", 1),
        (f"cc-{TRACE}-{SPAN}-01-", 1),
    ],
)
def test_a_valid_traceparent_is_taken_over(parent, flags):
    assert read_trace([parent], []) == Trace(TRACE, SPAN, flags)


@pytest.mark.parametrize(
    "parents",
    [
        [],
        [""],
        [f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}-01-more"],
        [f"00-{TRACE}-{SPAN}-01."],
        [f"cc-{TRACE}-{SPAN}-01.more"],
        [f"ff-{TRACE}-{SPAN}-01"],
        [f"0-{TRACE}-{SPAN}-01"],
        [f"00-{TRACE.upper()}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN.upper()}-01"],
        [f"00-{'0' * 32}-{SPAN}-01"],
        [f"00-{TRACE}-{'0' * 16}-01"],
        [f"00-{TRACE[:-1]}-{SPAN}-01"],
        [f"00-{TRACE}-{SPAN}0-01"],
        [f"00-{TRACE}-{SPAN}-1"],
        [f"00-{TRACE}-{SPAN}-0x"],
        [f"00_{TRACE}_{SPAN}_01"],
        [f"00-{TRACE}-{SPAN}"],
        [f"00-{'٣' * 32}-{SPAN}-01"],
    ],
)
def test_an_invalid_one_is_none(parents):
    assert read_trace(parents, ["vendor=value"]) is None


def test_the_state_goes_along_in_the_order_of_its_headers():
    found = read_trace([f"00-{TRACE}-{SPAN}-01"], ["a=1,b=2", "c=3"])

    assert found == Trace(TRACE, SPAN, 1, "a=1,b=2,c=3")


def test_a_state_longer_than_has_to_be_passed_on_is_left_out():
    found = read_trace([f"00-{TRACE}-{SPAN}-01"], ["a=" + "1" * MOST_STATE])

    assert found == Trace(TRACE, SPAN, 1, "")


@given(parents=st.lists(st.text(), max_size=2), states=st.lists(st.text(), max_size=2))
def test_no_header_does_harm(parents, states):
    found = read_trace(parents, states)

    assert found is None or len(found.trace_id) == 32
