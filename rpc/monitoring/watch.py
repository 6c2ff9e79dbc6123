"""What the app tells of each request, handed on to those who watch: metrics, log and spans."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from rpc.envelope import Reply
from rpc.monitoring.logs import CallLines, Limited, has_error
from rpc.monitoring.metrics import OK, UNKNOWN, Metrics, word
from rpc.monitoring.spans import Spans
from rpc.registry import Call, Context, Method

log = logging.getLogger(__name__)


class Watch:
    """One object a server; told in the loop's thread."""

    def __init__(
        self, methods: Mapping[str, Method], lines: CallLines | None, refusals_a_second: int
    ) -> None:
        self.metrics = Metrics(methods)
        self.spans: Spans | None = None
        self._lines = lines
        self._refusals = Limited(log, refusals_a_second)

    def answered(self, reply: Reply, context: Context) -> None:
        """A request was answered, well or with errors."""
        seconds = time.monotonic() - context.began
        self.metrics.answered(reply, seconds)
        if self._lines is not None:
            failed = reply.refused is not None or has_error(reply.calls)
            if self._lines.wants(failed, seconds * 1000):
                self._say(self._lines, reply, context, seconds * 1000)
        if self.spans is not None:
            self.spans.answered([(call, self._known(call)) for call in reply.calls], context, seconds)

    def _say(self, lines: CallLines, reply: Reply, context: Context, ms: float) -> None:
        outcomes = [
            (self.metrics.name(call), OK if call.error is None else word(call.error)) for call in reply.calls
        ]
        if reply.is_batch:
            lines.batch(context, outcomes, ms)
        elif outcomes:
            lines.single(context, *outcomes[0], ms)
        elif reply.refused is not None:
            lines.single(context, UNKNOWN, word(reply.refused), ms)

    def _known(self, call: Call) -> str | None:
        name = self.metrics.name(call)
        return None if name == UNKNOWN else name

    def refused(self, status: int, reason: str, facts: Callable[[], dict[str, Any]]) -> None:
        """A request was refused before any call of it was looked at; the facts are for the log."""
        self.metrics.refused(status, reason)
        self._refusals.info("refused", lambda: {"status": status, "reason": reason} | facts())
