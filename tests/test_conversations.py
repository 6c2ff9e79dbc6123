"""What the protocol promises: every exchange of conversations/*.txt.

`-->` is sent, `<--` comes back and is compared as JSON, numbers by their characters; a bare `<--` is
no answer. `#` begins a comment, an empty line ends an exchange.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import marshmallow.fields
import pytest

from models.cohorts import Cohort
from models.errors import Conflict
from models.programs import Program
from models.tokens import Scope
from rpc.registry import Lane
from rpc.schemas import Params, Whole, optional, required

FOLDER = Path(__file__).parent / "conversations"
ANY = 10**9


def exchanges() -> Iterator[object]:
    for path in sorted(FOLDER.glob("*.txt")):
        title, sent = "", None
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match line[:3]:
                case "-->":
                    sent = line[4:]
                case "<--":
                    yield pytest.param(sent, line[4:], id=f"{path.stem}:{number} {title}")
                case "" if not line:
                    title = ""
                case _ if line.startswith("# "):
                    title = line[2:]
                case _:
                    raise ValueError(f"{path.name}:{number} is no line of a conversation")


class Difference(Params):
    minuend = required(Whole, "from this", least=-ANY, most=ANY)
    subtrahend = required(Whole, "take this away", least=-ANY, most=ANY)


class Numbers(Params):
    a = optional(Whole, "a number", 0, least=-ANY, most=ANY)
    b = optional(Whole, "a number", 0, least=-ANY, most=ANY)
    c = optional(Whole, "a number", 0, least=-ANY, most=ANY)
    d = optional(Whole, "a number", 0, least=-ANY, most=ANY)
    e = optional(Whole, "a number", 0, least=-ANY, most=ANY)


class Name(Params):
    name = required(marshmallow.fields.String, "a name")


def refuse() -> None:
    raise Conflict("PROGRAM_ARCHIVED", "It is archived")


@pytest.fixture
def converse(ask: Callable[..., bytes], make_method, make_program) -> Callable[..., bytes]:
    """The specification's methods, spread over the lanes, and some that write."""
    program: Program = make_program()

    def push(name: str) -> bool:
        Cohort.confirm(program.id, name)
        return True

    def pushed() -> list[str]:
        return [cohort.name for cohort in Cohort.in_program(program.id)]

    make_method("subtract", lambda minuend, subtrahend: minuend - subtrahend, params=Difference)
    make_method("sum", lambda **numbers: sum(numbers.values()), params=Numbers, lane=Lane.SLOW)
    make_method("update", lambda **numbers: True, params=Numbers, lane=Lane.WRITE)
    make_method("notify_hello", lambda **numbers: None, params=Numbers, lane=Lane.WRITE)
    make_method("notify_sum", lambda **numbers: None, params=Numbers)
    make_method("get_data", lambda: ["hello", 5], lane=Lane.SLOW)
    make_method("refuse", refuse, lane=Lane.WRITE)
    make_method("push", push, params=Name, lane=Lane.WRITE, scope=Scope.WRITE)
    make_method("pushed", pushed)
    return ask


def with_numbers_as_written(text: str) -> object:
    def number(written: str) -> tuple[str, str]:
        return ("number", written)

    return json.loads(text, parse_int=number, parse_float=number)


@pytest.mark.parametrize(("sent", "expected"), list(exchanges()))
def test_the_conversation_goes_so(sent, expected, converse):
    reply = converse(sent.encode()).decode()

    if expected:
        assert with_numbers_as_written(expected) == with_numbers_as_written(reply)
    else:
        assert reply == ""
