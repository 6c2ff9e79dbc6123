"""Reads cases.txt, whose head says how it is written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from models.query.tree import Language

LANGUAGES = {f"# {language}": language for language in Language}
FILE = Path(__file__).with_name("cases.txt")
_WRONG = re.compile(r"  !! ([0-9]+):([0-9]+) (.+)")


class Found(NamedTuple):
    """A query that is right: its rows, as the file calls them."""

    number: int  # of the line that says so
    language: Language
    text: str
    rows: tuple[str, ...]


class Wrong(NamedTuple):
    """A query that is wrong: where, and the message behind the place."""

    number: int
    language: Language
    text: str
    line: int
    column: int
    problem: str


def cases() -> Iterator[Found | Wrong]:
    """The cases in the order of the file."""
    language: Language | None = None
    lines: list[str] = []
    for number, line in enumerate(FILE.read_text(encoding="utf-8").split("\n"), 1):
        answer = line.startswith(("  =>", "  !!"))
        if not lines and (not line or line.startswith("#")):
            language = LANGUAGES.get(line, language)
        elif not answer:
            lines.append(line)
        elif not lines or language is None:
            raise ValueError(f"cases.txt:{number} answers no query of a language")
        else:
            yield _case(number, language, "\n".join(lines), line)
            lines = []
    if lines:
        raise ValueError(f"cases.txt: {lines} has no answer")


def _case(number: int, language: Language, text: str, answer: str) -> Found | Wrong:
    if answer.startswith("  =>"):
        return Found(number, language, text, tuple(row for row in answer[4:].strip().split(", ") if row))
    wrong = _WRONG.fullmatch(answer)
    if not wrong:
        raise ValueError(f"cases.txt:{number} is no line:column and message")
    return Wrong(number, language, text, int(wrong[1]), int(wrong[2]), wrong[3])


def params(kind: type[Found] | type[Wrong]) -> list[Any]:
    """The cases of a kind, for pytest's parametrize."""
    return [
        pytest.param(case, id=f"{case.number} {case.language}") for case in cases() if isinstance(case, kind)
    ]
