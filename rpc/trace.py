"""W3C trace context: what a caller's headers say of the trace that a request is part of."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16
MOST_STATE = 512  # characters of a tracestate that has to be passed on


@dataclass(frozen=True, slots=True)
class Trace:
    """The caller's trace, its span that this request belongs to, whether it is recorded, and its state."""

    trace_id: str
    span_id: str
    flags: int
    state: str = ""

    def about(self) -> dict[str, str]:
        """What lines of the log say of it."""
        return {"traceId": self.trace_id, "spanId": self.span_id}


def read_trace(parents: Sequence[str], states: Sequence[str]) -> Trace | None:
    """The trace of the headers traceparent and tracestate; None when the first is not valid.

    A later version may have more at its end; the present one (00) may not.
    """
    match = _TRACEPARENT.fullmatch(parents[0].strip(" \t")) if len(parents) == 1 else None
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == "ff" or (version == "00" and more) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    state = ",".join(states)
    return Trace(trace_id, span_id, int(flags, 16), state if len(state) <= MOST_STATE else "")
