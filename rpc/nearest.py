"""The nearest of the names that there are, for whoever mistyped one."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

LONGEST = 64  # characters: a longer name is not compared
LENGTHS = 3  # characters by which the lengths of near names differ, at most
LIKENESS = 0.8

_SIGNS = re.compile("[^a-z0-9]+")


class Names:
    """Names that there are.

    To find those that are alike but for letter case, signs and namespace costs 1 µs; to compare a name
    with all others costs up to 0.5 ms, so callers bound how often that is done.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._names = list(names)
        self._by_form = {_form(name.rpartition(".")[2]): name for name in self._names}
        self._by_form |= {_form(name): name for name in self._names}

    def alike(self, name: str) -> str | None:
        """The name that is spelled so but for letter case, signs and a namespace that is left out."""
        return self._by_form.get(_form(name)) if len(name) <= LONGEST else None

    def nearest(self, name: str) -> str | None:
        """The name that is spelled nearly so."""
        if len(name) > LONGEST:
            return None
        if (alike := self.alike(name)) is not None:
            return alike
        comparable = [one for one in self._names if abs(len(one) - len(name)) <= LENGTHS]
        found = get_close_matches(name, comparable, 1, LIKENESS)
        return found[0] if found else None


def _form(name: str) -> str:
    return _SIGNS.sub("", name.lower())
