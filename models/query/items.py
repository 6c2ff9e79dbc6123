"""The items of lists: ids, and words in the form in which they compare."""

from __future__ import annotations

from collections.abc import Iterable

from models.people import email_key
from models.query.tree import Noun
from models.text import NAME, UUID_TEXT, name_key

LONGEST = 4 * NAME  # characters: what composes to a handle is no longer


def key(noun: Noun, word: str) -> str:
    """The form in which a word compares; ValueError where no list of this noun can hold it."""
    match noun:
        case Noun.COHORTS:
            raise ValueError("Cohorts have no handles.")
        case Noun.USERS:
            return email_key(word)
    folded = name_key(word) if len(word) <= LONGEST else ""
    if not folded:
        raise ValueError("No handle is empty, or so long.")
    return folded


def is_possible(noun: Noun, item: str) -> bool:
    """Whether a list of this noun can hold the item."""
    try:
        return bool(UUID_TEXT.fullmatch(item) or key(noun, item))
    except ValueError:
        return False


def sorted_out(noun: Noun, items: Iterable[str]) -> tuple[list[str], list[str]]:
    """The items that are ids, and the keys of those that are words."""
    ids, keys = [], []
    for item in items:
        if UUID_TEXT.fullmatch(item):
            ids.append(item.lower())
        else:
            keys.append(key(noun, item))
    return ids, keys
