"""Hints in errors of queries: the likeliest of all words that could stand at a place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NamedTuple

from models.query import vocabulary
from models.query.tree import Word

AT_MOST = 8  # expectations in an error
LIKENESS = 0.72  # from which a word is taken for another one; `giv` for `given` is 0.75
LONGEST_WORD = 40  # characters that are compared


class Hint(NamedTuple):
    """The expectations at a place, and words where their list does not say enough."""

    expected: list[str]
    words: str | None = None


_WORD = re.compile(r"[A-Za-z][A-Za-z-]*(?![\w-])")
_JOINT = re.compile(r"(?i:and|or)(?![\w-])|&&?|\|\|?")
_UNSIGNED = re.compile(r"([0-9]{1,7})(?:\s*([A-Za-z]+))?(?![\w./:-])")
_DATE_LIKE = re.compile(r"['\"]?[0-9]{1,4}([./-])[0-9]{1,2}\1[0-9]{1,4}")

_UNITS = {spelling for row in vocabulary.UNITS.values() for spelling in row.spellings}
# What is missing before words that begin no query: before a list, and before anything else.
_NOUNS = {spelling for row in vocabulary.NOUNS.values() for spelling in row.spellings}
_FIRST = {
    **{spelling: "program" for row in vocabulary.PHASES.values() for spelling in row.spellings},
    **{word.value: "where" for word in Word},
    "users": "all",
    "admin": "all",
}
_MEANT = {"not": "except", "without": "except", "everybody": "all users", "everyone": "all users"}

# What is left out first, where too much could stand: the least usual, in this order from the end.
_RANKS = (
    ("given", "except", "program", "all", "current", vocabulary.A_DATE, "a signed number", "from", "today"),
    (),  # the others
    (",", "^", "the end"),
    ("where", "sort", "limit"),
    ("cohort", "direct", "followers", "following", "id", "no", "program-kind-active", "related"),
    ("external", "membership", "participant", "status", "timezone"),
)
_RANK = {text: rank for rank, texts in enumerate(_RANKS) for text in texts}


def hint(expected: Sequence[str], text: str, place: int) -> Hint:
    """The expectations at a place that an error tells: at most `AT_MOST`."""
    if "^" in expected and _JOINT.match(text, place):
        return Hint([",", "^"], '"^" for and, "," for or')
    if vocabulary.A_DATE in expected:
        if _DATE_LIKE.match(text, place):
            return Hint([vocabulary.A_DATE])
        number = _UNSIGNED.match(text, place)
        if number and (number[2] is None or number[2].lower() in _UNITS):
            signless = number[1] if number[2] is None else f"{number[1]} {number[2].lower()}"
            return Hint([f"+{signless}", f"-{signless}"])
    if (found := _WORD.match(text, place)) and len(found[0]) <= LONGEST_WORD:
        word = found[0].lower()
        if "given" in expected and word in _NOUNS and text[found.end() :].lstrip().startswith("["):
            return Hint([f"except {word}", f"given {word}"])
        if "given" in expected and word in _FIRST:
            return Hint([f"{_FIRST[word]} {word}"])
        if "given" in expected and word in _MEANT:
            return Hint([_MEANT[word]])
        if near := get_close_matches(word, [one for one in expected if " " not in one], 3, LIKENESS):
            return Hint(sorted(near))
    usual = sorted(expected, key=lambda one: (_RANK.get(one, 1), one))
    return Hint(sorted(usual[:AT_MOST]))
