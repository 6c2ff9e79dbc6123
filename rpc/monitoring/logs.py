"""The log: one line an event on the error output, as JSON or as text for people.

What a line says beside its message it gets as `extra={"facts": {...}}`. Parameters and secrets are in
none of them; whatever looks like one of our tokens is blotted out all the same.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
import re
import sys
import time
from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any

from models.tokens import PREFIX
from rpc.registry import Call, Context

log = logging.getLogger(__name__)

CUT = 100  # characters of what an unknown caller sent
CUT_TRACE = 8_000  # of a traceback, of which the end says most

# Libraries that would say values and statements at their lowest levels.
_TALKATIVE = ("peewee", "jsonrpcserver", "urllib3")
_TOKEN = re.compile(re.escape(PREFIX) + r"[\w-]+")
_to_json = json.JSONEncoder(default=str).encode  # made once: json.dumps would make it for each line
_PLAIN = re.compile(r"[\w.,:/@+*\[\]()-]+", re.ASCII)


def configure(level: str, format: str) -> None:
    """Write the log of the whole process to the error output."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if format == "json" else TextLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.INFO, root.level))


class JsonLines(logging.Formatter):
    """A JSON object a line, in ASCII, so that nothing in it can move a terminal's cursor."""

    def format(self, record: logging.LogRecord) -> str:
        line = _head(record) | _facts(record)
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)[-CUT_TRACE:]
        return _without_tokens(_to_json(line))


class TextLines(logging.Formatter):
    """For people: time, level, message, then the facts; a traceback below, set in."""

    def format(self, record: logging.LogRecord) -> str:
        head = _head(record)
        facts = [f"{name}={_shown(value)}" for name, value in _facts(record).items() if value is not None]
        line = " ".join([head["time"], head["level"].upper(), _escaped(head["message"]), *facts])
        if record.exc_info:
            trace = self.formatException(record.exc_info)[-CUT_TRACE:]
            line += "".join(f"\n    {_escaped(row)}" for row in trace.split("\n"))
        return _without_tokens(line)


def _head(record: logging.LogRecord) -> dict[str, Any]:
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return {
        "time": f"{at}.{int(record.created * 1000) % 1000:03}Z",
        "level": record.levelname.lower(),
        "logger": record.name,
        "message": record.getMessage(),
    }


def _facts(record: logging.LogRecord) -> dict[str, Any]:
    return getattr(record, "facts", {})


def _shown(value: Any) -> str:
    text = value if isinstance(value, str) else _to_json(value)
    return text if not isinstance(value, str) or _PLAIN.fullmatch(text) else _to_json(text)


def _escaped(text: str) -> str:
    """A text in which nothing can pass for another line, or move a terminal's cursor."""
    return _to_json(text)[1:-1].replace(r"\"", '"')


def _without_tokens(line: str) -> str:
    return _TOKEN.sub(f"{PREFIX}***", line) if PREFIX in line else line


def cut(text: str) -> str:
    """The beginning of what somebody sent."""
    return text if len(text) <= CUT else f"{text[:CUT]}..."


class Limited:
    """Lines of which there are so many a second at most; then one says how many were left out."""

    def __init__(self, log: logging.Logger, most: int) -> None:
        self._log, self._most = log, most
        self._since, self._told, self._left_out = 0.0, 0, 0

    def info(self, message: str, facts: Callable[[], dict[str, Any]]) -> None:
        """Say it, or count it; in the loop's thread."""
        if not self._log.isEnabledFor(logging.INFO):
            return
        now = time.monotonic()
        if now - self._since >= 1 and not self._left_out:
            self._since, self._told = now, 0
        if self._told < self._most:
            self._told += 1
            self._log.info(message, extra={"facts": facts()})
            return
        if not self._left_out:
            asyncio.get_running_loop().call_later(max(0.0, self._since + 1 - now), self._end_second, message)
        self._left_out += 1

    def _end_second(self, message: str) -> None:
        facts = {"leftOut": self._left_out}
        self._since, self._told, self._left_out = time.monotonic(), 0, 0
        self._log.info("more of the same: %s", message, extra={"facts": facts})


class LogCalls(StrEnum):
    """Which requests leave a line when they are answered."""

    ALL = "all"
    SLOW = "slow"
    SAMPLED = "sampled"


class CallLines:
    """A line for each request that is worth one: for all, for slow ones, or for a share of them; where
    there are lines at all, requests with an error in them always have one."""

    def __init__(self, which: LogCalls, slow_ms: float, share: float) -> None:
        self._which, self._slow_ms, self._share = which, slow_ms, share

    def wants(self, has_error: bool, ms: float) -> bool:
        """Whether a request is worth a line."""
        match self._which:
            case LogCalls.ALL:
                return True
            case LogCalls.SLOW:
                return has_error or ms >= self._slow_ms
            case LogCalls.SAMPLED:
                return has_error or random.random() < self._share

    def single(self, context: Context, method: str, outcome: str, ms: float) -> None:
        """Say what became of a call that came alone."""
        facts = context.about() | {"method": method, "outcome": outcome, "durationMs": round(ms, 3)}
        log.info("call", extra={"facts": facts})

    def batch(self, context: Context, outcomes: Sequence[tuple[str, str]], ms: float) -> None:
        """Say what became of a batch: its calls counted by method and outcome."""
        calls: dict[str, dict[str, int]] = {}
        for method, outcome in outcomes:
            counts = calls.setdefault(method, {})
            counts[outcome] = counts.get(outcome, 0) + 1
        facts = context.about() | {"size": len(outcomes), "calls": calls, "durationMs": round(ms, 3)}
        log.info("batch", extra={"facts": facts})


def has_error(calls: Sequence[Call]) -> bool:
    """Whether any of the calls got an error."""
    return any(call.error is not None for call in calls)
