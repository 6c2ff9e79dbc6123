"""Writes client/surface.pyi, what a type checker sees of the functions: `python -m tests.client.stub`."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from client import words
from client.functions import FUNCTIONS, Function, Parameter

STUB = Path(__file__).parents[2] / "client" / "surface.pyi"
WORDS = [
    name for name, kind in inspect.getmembers(words, inspect.isclass) if kind.__module__ == "client.words"
]

ARGUMENTS = {
    "Id": "UUID | str",
    "Day": "date | str",
    "Instant": "datetime | str",
    "Names": "Sequence[str]",
    **{word: f"{word} | str" for word in WORDS},
}
FORMS = {"Sync": "{}", "Async": "Coroutine[Any, Any, {}]", "Batch": "Pending[{}]"}


def stub() -> str:
    """The text of the stub."""
    results = sorted({name for function in FUNCTIONS.values() for name in _records(function.returns)})
    used = sorted({one.type for function in FUNCTIONS.values() for one in function.parameters} & set(WORDS))
    head = f"""# Made by `python -m tests.client.stub` of client/functions.py.
import inspect
from collections.abc import Callable, Coroutine, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from client.batch import Pending
from client.functions import Function
from client.results import {", ".join(results)}
from client.words import {", ".join(used)}

Take = Callable[[Function, dict[str, Any]], Any]

def signature(function: Function) -> inspect.Signature: ...
"""
    return "\n".join([head, *(_form(form, wrapped) for form, wrapped in FORMS.items())])


def _form(form: str, wrapped: str) -> str:
    """The classes of one form of calling: sync, async or batch."""
    core = [function for function in FUNCTIONS.values() if function.namespace == "core"]
    admin = [function for function in FUNCTIONS.values() if function.namespace == "admin"]
    lines: list[str] = []
    for name, functions in ((f"{form}Core", core), (f"{form}Admin", admin)):
        lines += [f"class {name}:"]
        for function in functions:
            lines += [_method(function, way, wrapped) for way in (function.pascal, function.snake)]
        lines += [""]
    lines += [f"class {form}Functions:", "    @property", f"    def core(self) -> {form}Core: ..."]
    lines += ["    @property", f"    def admin(self) -> {form}Admin: ..."]
    lines += [_method(function, function.snake, wrapped) for function in core]
    return "\n".join(lines) + "\n"


def _method(function: Function, name: str, wrapped: str) -> str:
    parameters = "".join(
        f", {_parameter(one, one.name in function.asked_for)}" for one in function.parameters
    )
    result = wrapped.format(result_type(function.returns))
    return f'    def {name}(self{parameters}) -> {result}:\n        """{function.help}"""'


def _parameter(parameter: Parameter, asked_for: bool) -> str:
    kind = ARGUMENTS.get(parameter.type, parameter.type)
    return f"{parameter.name}: {kind}" if asked_for else f"{parameter.name}: {kind} | None = None"


def result_type(returns: str) -> str:
    """The Python type of a result: `ProgramKind?` is `ProgramKind | None`."""
    if returns.endswith("?"):
        return f"{returns[:-1]} | None"
    if returns.startswith("["):
        return " | ".join(f"list[{name}]" for name in returns[1:-1].split("|"))
    return returns


def _records(returns: str) -> list[str]:
    return re.findall("[A-Z]\\w+", returns)


if __name__ == "__main__":
    STUB.write_text(stub())
