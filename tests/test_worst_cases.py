"""No text takes more time than its length is worth: patterns, normal forms, hashes, and calls of these."""

from __future__ import annotations

import ast
import importlib
import itertools
import json
import pkgutil
import re
import time
from pathlib import Path

import pytest

import client
import models
import rpc
from models.cohorts import name_key
from models.people import email_key

ROOT = Path(__file__).parent.parent
LONG = 20_000
SLOW = 0.5  # seconds of work; what grows with the square takes many times as much


def seconds(work) -> float:
    started = time.thread_time()
    work()
    return time.thread_time() - started


def patterns() -> dict[str, re.Pattern]:
    """Every pattern of ours: those that modules keep, and those written where they are used."""
    found: dict[str, re.Pattern] = {}
    for package in (rpc, models, client):
        for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if info.name.endswith("__main__"):
                continue
            module = importlib.import_module(info.name)
            for name, value in vars(module).items():
                if isinstance(value, re.Pattern):
                    found[f"{info.name}.{name}"] = value
            for node in ast.walk(ast.parse(Path(module.__file__).read_text())):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "re"
                    and node.args
                    and isinstance(node.args[0], ast.Constant)
                    and isinstance(node.args[0].value, str | bytes)
                ):
                    found[f"{info.name}:{node.lineno}"] = re.compile(node.args[0].value)
    return found


PATTERNS = patterns()

# Repeated, these make patterns that look back try again and again; a last character lets them fail.
PIECES = [
    "0",
    "a",
    "A",
    "-",
    ".",
    ":",
    " ",
    "\t",
    "\n",
    "[",
    "]",
    '"',
    "'",
    "\\",
    "@",
    ",",
    "e",
    "_",
    "%",
    "\u0301",
]
PIECES += [f"{one}{two}" for one, two in itertools.combinations(["0", "a", "-", ".", " ", '"', "\\", "["], 2)]
LAST = ["", "!", "\x00"]


def test_there_are_patterns_to_try():
    assert {"models.text.UUID_TEXT", "rpc.app._HOST"} <= set(PATTERNS)


@pytest.mark.parametrize("pattern", PATTERNS.values(), ids=PATTERNS)
def test_a_pattern_takes_no_longer_than_its_text_is_long(pattern):
    for piece, last in itertools.product(PIECES, LAST):
        text = piece * (LONG // len(piece)) + last
        text = text.encode() if isinstance(pattern.pattern, bytes) else text
        for use in (pattern.search, pattern.match, pattern.fullmatch):
            assert seconds(lambda use=use, text=text: use(text)) < SLOW, (piece, last, use)


MARKS = "a" + "\u0315\u0300" * 500_000  # sorted by a method that takes the square of their number


@pytest.mark.parametrize("text", [MARKS, MARKS + "@b", "a@" + MARKS, "a@b" + "\u200b" * 10**6, "@" * 10**6])
def test_an_email_is_compared_in_no_time_however_long(text):
    def work() -> None:
        with pytest.raises(ValueError, match="Must have"):
            email_key(text)

    assert seconds(work) < SLOW


@pytest.mark.parametrize(
    "text", ["\ufdfa", "\u0344", "\u0390", "\u1fb7", "\uac01", "\u0315\u0300", "\ufb2c", "İ"]
)
def test_a_name_of_a_cohort_is_compared_in_no_time(text):
    longest = (text * 255)[:255]

    assert seconds(lambda: name_key(longest)) < SLOW


def alike(count: int) -> list[str]:
    """UUIDs whose hashes are the same to Python, which takes numbers modulo 2**61 - 1."""
    found = [f"{(number << 61) - number + 5:032x}" for number in range(1, count + 1)]
    return [f"{one[:8]}-{one[8:12]}-{one[12:16]}-{one[16:20]}-{one[20:]}" for one in found]


FLOODS = {
    "ids that hash alike": [{"method": "core.LookupProgram", "params": [one]} for one in alike(1000)],
    "ids that hash alike, of two kinds": [
        {"method": "core.UserTickets", "params": {"userId": one}} for one in alike(1000)
    ],
    "writes with ids that hash alike": [
        {"method": "admin.SaveGroup", "params": {"id": one, "handle": f"g{n}", "name": "x"}}
        for n, one in enumerate(alike(1000))
    ],
    "members of which each is another": [
        {"method": "core.LookupProgram", "params": {f"{n:x}" * 3: 1 for n in range(19)}} for _ in range(999)
    ],
    "methods that are nearly there": [
        {"method": f"core.ModifyProgramMembershp{n:04}"[:-2] + chr(97 + n % 26)} for n in range(1000)
    ],
    "members that are nearly there": [
        {"method": "core.ModifyProgramMembership", "params": {f"programIdd{n}": 1}} for n in range(999)
    ],
    "names of marks": [
        {"method": "core.ConfirmCohort", "params": ["0" * 8 + "-0000-4000-8000-" + "0" * 12, MARKS[:255]]}
    ]
    * 1000,
    "emails of marks": [{"method": "core.CreateUser", "params": {"email": "a@" + MARKS[:252]}}] * 1000,
}


@pytest.mark.parametrize("calls", FLOODS.values(), ids=FLOODS)
def test_a_thousand_calls_made_for_it_take_no_longer_than_others(calls, ask):
    plain = [
        {"method": "core.CreateUser", "params": {"email": f"{n}@b", "name": "x" * 250}} for n in range(1000)
    ]

    def batch(calls) -> bytes:
        return json.dumps([one | {"jsonrpc": "2.0", "id": n} for n, one in enumerate(calls)]).encode()

    usual = max(seconds_of_process(lambda: ask(batch(plain))), 0.2)
    took = seconds_of_process(lambda: ask(batch(calls)))

    assert took < 10 * usual


def seconds_of_process(work) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started
