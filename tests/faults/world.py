"""The database that faults are tried on: programs and users, made once and copied."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from models import migrations
from models.actor import Actor
from models.audit import audited
from models.database import configure, connected, writing
from models.people import User
from models.programs import Program, ProgramKind
from models.tokens import Scope, Token

KINDS, PROGRAMS, USERS = 2, 6, 48


@dataclass(frozen=True)
class World:
    """A database file, the secret of a token for it, and the ids of what is in it."""

    path: Path
    secret: str
    kinds: list[str]
    programs: list[str]
    users: list[str]

    @property
    def known(self) -> list[tuple[str, ...]]:
        """What is there that a ledger counts."""
        return [("user", _email(number)) for number in range(USERS)]

    def copy(self, folder: Path) -> World:
        """The same in another folder."""
        path = folder / self.path.name
        shutil.copy(self.path, path)
        return World(path, self.secret, self.kinds, self.programs, self.users)


def make(path: Path) -> World:
    """Make the database."""
    configure(f"sqlite:///{path}")
    with connected():
        migrations.migrate()
        with writing(), audited(Actor("faults")):
            kinds = [ProgramKind.put(None, name=f"Kind {n}", duration=30) for n in range(KINDS)]
            start = date(2026, 3, 1)
            programs = [
                Program.put(None, kind_id=kinds[n % KINDS].id, start_date=start) for n in range(PROGRAMS)
            ]
            users = [User.appear(_email(n)) for n in range(USERS)]
            _, secret = Token.issue("faults", Scope.WRITE)
    return World(path, secret, *([str(row.id) for row in rows] for rows in (kinds, programs, users)))


def _email(number: int) -> str:
    return f"user{number}@example.org"
