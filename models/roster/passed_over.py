"""The files of a set that are not read: one with a wrong name must not be lost in silence."""

from __future__ import annotations

import difflib
import re

from models.roster.columns import FILES
from models.roster.reader import MAC_FOLDER, Files
from models.text import FORBIDDEN, NAME

MANIFEST = "manifest.csv"
NAMED_AT_MOST = 100  # files; an archive may hold millions
ALIKE = 0.6  # of difflib's ratio, from 0 to 1: "users (1).csv" and "users.csv" have 0.82

_READ = {name.lower(): name for name in (MANIFEST, *(file.name for file in FILES))}
# The files of OneRoster 1.1 and 1.2 of which nothing is taken.
_OF_NO_USE = {
    f"{name.lower()}.csv": f"{name}.csv"
    for name in (
        *(
            "categories",
            "classResources",
            "courseResources",
            "demographics",
            "lineItems",
            "orgs",
            "resources",
        ),
        *("results", "lineItemLearningObjectiveIds", "lineItemScoreScales", "resultLearningObjectiveIds"),
        *("resultScoreScales", "scoreScales", "userProfiles", "userResources"),
    )
}
_OF_SYSTEMS = {"thumbs.db", "desktop.ini", MAC_FOLDER.lower()}  # and those with a dot before the name


def passed_over(files: Files) -> list[tuple[str, str]]:
    """Files of a directory or zip that are not read although they may be meant to be: name and reason."""
    found = [(where, why) for where, why in files.unread if not _is_of_a_system(where)]
    for name, stored in files.items():
        if name not in _READ and name not in _OF_NO_USE and not _is_of_a_system(name):
            found.append((stored.where, _why(name, files)))
    named = [(_shown(where), why) for where, why in sorted(found)]
    if len(named) > NAMED_AT_MOST:
        left = len(named) - NAMED_AT_MOST
        named[NAMED_AT_MOST:] = [("...", f"{left:,} more files are not read.")]
    return named


def of_no_use(files: Files) -> list[str]:
    """The files of OneRoster that are there, and of which nothing is taken."""
    return [name for key, name in _OF_NO_USE.items() if key in files]


def _why(name: str, files: Files) -> str:
    """The reason for which a file is not read, with the name that may be meant."""
    words = re.split("[^a-z]+", name)
    near = [known for known in _READ if known.removesuffix(".csv") in words]
    near += difflib.get_close_matches(name, _READ, 1, ALIKE)
    if not near:
        return "It is no file of OneRoster, and is not read."
    if near[0] in files:
        return f"It is not read; {_READ[near[0]]} is."
    return f"It is not read: it would have to be called {_READ[near[0]]}, and there is no such file."


def _is_of_a_system(where: str) -> bool:
    """Whether a file browser put it there, or it is hidden."""
    name = where.rstrip("/").split("/")[-1]
    return name.startswith(".") or name.lower() in _OF_SYSTEMS


def _shown(name: str) -> str:
    """A name without anything that a terminal obeys."""
    return FORBIDDEN.sub("\ufffd", " ".join(name.split()))[:NAME]
