"""What the tests of OneRoster in and out share: small sets of files, and rows to compare."""

from __future__ import annotations

import contextlib
import shutil
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from models.database import configure, connected, database
from models.memberships import Membership
from models.people import User
from models.programs import Program
from models.roster import Options, Report, import_oneroster
from models.roster.columns import row_id

# One course with one class that runs today, with Ada as its student.
SMALL = {
    "academicSessions": "sourcedId,startDate,endDate\nspring,2026-02-01,2026-05-01\n",
    "courses": "sourcedId,title,courseCode\ncook,Cooking,cooking\n",
    "classes": "sourcedId,title,courseSourcedId,termSourcedIds\ncook-1,Cooking in spring,cook,spring\n",
    "users": "sourcedId,givenName,familyName,email\nada,Ada,Lovelace,ada@example.org\n",
    "enrollments": "sourcedId,classSourcedId,userSourcedId,role\ne1,cook-1,ada,student\n",
}

Bring = Callable[..., Report]


@pytest.fixture
def small() -> dict[str, str]:
    """The files of the small set, by name without .csv."""
    return dict(SMALL)


@pytest.fixture
def write_set(tmp_path: Path) -> Callable[..., Path]:
    """Write a directory of CSV files; returns it."""

    def write(**files: str | bytes) -> Path:
        folder = tmp_path / "set"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        for name, content in files.items():
            content = content.encode() if isinstance(content, str) else content
            (folder / f"{name.replace('__', '.')}.csv").write_bytes(content)
        return folder

    return write


@pytest.fixture
def write_zip(tmp_path: Path) -> Callable[[dict[str, str]], Path]:
    """Write a zip of members, in the order given; returns it."""

    def write(members: dict[str, str]) -> Path:
        path = tmp_path / "set.zip"
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return path

    return write


@pytest.fixture
def bring(world: object, write_set: Callable[..., Path]) -> Bring:
    """Import some files, as `users="sourcedId,email\\n..."`."""

    def import_files(
        *,
        source: str = "default",
        dry_run: bool = False,
        options: Options | None = None,
        **files: str | bytes,
    ) -> Report:
        return import_oneroster(write_set(**files), options or Options(source=source, dry_run=dry_run))

    return import_files


@pytest.fixture
def bring_small(bring: Bring, small: dict[str, str]) -> Bring:
    """Import the small set, with other files in the place of some of its own."""
    return lambda **files: bring(**(small | files))


@pytest.fixture
def user() -> Callable[[str], User]:
    return lambda sourced_id: User.get_by_id(row_id("default", "user", sourced_id))


@pytest.fixture
def program() -> Callable[..., Program]:
    return lambda sourced_id="cook-1": Program.get_by_id(row_id("default", "class", sourced_id))


@pytest.fixture
def membership() -> Callable[..., Membership]:
    """The membership of a user, Ada unless another is meant, in a program."""

    def found(user: str = "ada", program: str = "cook-1") -> Membership:
        return Membership.of(row_id("default", "user", user), row_id("default", "class", program))

    return found


@pytest.fixture
def everything() -> Callable[[], dict[str, list[Any]]]:
    """All rows of all tables but the list of past imports, to see whether anything changed."""

    def fetch() -> dict[str, list[Any]]:
        return {
            table: sorted(map(repr, database.execute_sql(f'SELECT * FROM "{table}"')))
            for table in database.get_tables()
            if table not in ("roster_import", "roster_finding")
        }

    return fetch


@pytest.fixture
def empty_database(world: Any, templates: Any, tmp_path: Path) -> Callable[[], AbstractContextManager[None]]:
    """For a while, have an empty database of its own connected in the place of the test's."""

    @contextlib.contextmanager
    def other() -> Iterator[None]:
        path = tmp_path / "other.db"
        if not path.exists():
            shutil.copy(templates["empty"].path, path)
        database.close()
        configure(f"sqlite:///{path}")
        try:
            with connected():
                yield
        finally:
            configure(world.url)
            database.connect()

    return other
