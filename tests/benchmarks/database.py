"""The database of the benchmark: made by `core-rpc migrate`, filled through the models, counted by SQL."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import apsw

from models.actor import Actor
from models.audit import audited
from models.cohorts import Cohort, name_key
from models.database import configure, connected, writing
from models.memberships import Membership, settle
from models.people import User
from models.programs import Program, ProgramKind
from tests.benchmarks import world
from tests.benchmarks.running import TREE


def core_rpc(path: Path, *arguments: str) -> str:
    """What a command of ours prints, run on the database at this path."""
    environment = os.environ | {"CORE_RPC_DATABASE": f"sqlite:///{path}"}
    command = [sys.executable, "-m", "rpc", *arguments]
    done = subprocess.run(command, cwd=TREE, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"core-rpc {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


def make(path: Path) -> str:
    """Make a database that holds the world; the secret of a token for it comes back."""
    core_rpc(path, "migrate")
    configure(f"sqlite:///{path}")
    with connected(), writing(), audited(Actor("benchmark")):
        _fill()
    return core_rpc(path, "token", "create", "--name", "benchmark", "--scope", "write")


def _fill() -> None:
    for row in world.KINDS.values():
        ProgramKind.add(
            id=UUID(row["id"]),
            name=row["name"],
            handle=row["handle"],
            group=row["group"],
            parent=row["parentId"] and UUID(row["parentId"]),
            mode=row["mode"],
            duration=row["duration"],
            priority=row["priority"],
            **_dates(row),
        )
    for row in world.PROGRAMS.values():
        Program.add(
            id=UUID(row["id"]),
            name=row["name"],
            kind=UUID(row["programKind"]),
            start_date=date.fromisoformat(row["startDate"]),
            end_date=date.fromisoformat(row["endDate"]),
            duration=row["duration"],
            mode=row["mode"],
            **_dates(row),
        )
    for row in world.COHORTS:
        names = {"name": row["name"], "name_key": name_key(row["name"])}
        Cohort.add(id=UUID(row["id"]), program=UUID(row["programId"]), **names, **_dates(row))
    User.insert_rows([user(one) for one in world.USERS])
    programs = {row.id: row for row in Program.with_kinds()}
    settle(Membership.begin(UUID(one), programs[UUID(program)]) for one, program in world.MEMBERSHIPS)


def user(user_id: str) -> User:
    """A user with an email made of the id."""
    email = f"{user_id}@example.org"
    return User(id=UUID(user_id), email=email, email_key=email)


def _dates(row: dict[str, Any]) -> dict[str, datetime]:
    return {
        "created_at": datetime.fromisoformat(row["createdAt"]),
        "updated_at": datetime.fromisoformat(row["updatedAt"]),
    }


def rows(path: Path, sql: str) -> list[tuple[Any, ...]]:
    """What a query finds in a database that a server may be using."""
    connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
    try:
        connection.set_busy_timeout(5000)
        return list(connection.execute(sql))
    finally:
        connection.close()


def count(path: Path, tables: Iterable[str]) -> dict[str, int]:
    """How many rows each of the tables has."""
    return {table: rows(path, f'SELECT COUNT(*) FROM "{table}"')[0][0] for table in tables}


def trainers(path: Path) -> set[tuple[str, str]]:
    """The (user, program) of the memberships that have been changed from their first role."""
    return set(rows(path, f"SELECT user_id, program_id FROM membership WHERE role <> '{world.ROLES[0]}'"))
