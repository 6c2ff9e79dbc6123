"""The versions of the database: numbered scripts beside this file, run by peewee's own runner.

A new version is `MODELS` changed and one more script, which
`python -m playhouse.migrations FILE generate -d models/migrations NAME models.migrations:MODELS`
drafts. A test holds scripts and models equal.
"""

from __future__ import annotations

from pathlib import Path

import peewee
from playhouse.migrations import Runner

from models import clock
from models.audit import Audit
from models.cohorts import Cohort
from models.database import database, path_of
from models.memberships import Membership, MembershipChange
from models.people import (
    Channel,
    Group,
    Label,
    Relation,
    User,
    UserChannel,
    UserGroup,
    UserLabel,
)
from models.programs import Program, ProgramKind
from models.repeats import KeptAnswer
from models.rows import InstantField
from models.tickets import Ticket
from models.tokens import Token

MODELS = [
    User,
    Group,
    Label,
    Channel,
    UserGroup,
    UserLabel,
    UserChannel,
    Relation,
    ProgramKind,
    Program,
    Cohort,
    Membership,
    MembershipChange,
    Ticket,
    Token,
    Audit,
    KeptAnswer,
]


class _Runner(Runner):
    """The runner, with its own table's time in a column that APSW can bind."""

    def __init__(self) -> None:
        super().__init__(database, str(Path(__file__).parent))

        class History(database.Model):
            name = peewee.CharField(unique=True)
            applied = InstantField(default=clock.now)

            class Meta:
                legacy_table_names = False
                table_name = self.table_name

        self.History = History


class WrongVersion(Exception):
    """The database is not of the version that this program needs; says what to do."""


def check_file(url: str) -> None:
    """WrongVersion when there is no database file yet; opening one would make it."""
    if not path_of(url).exists():
        raise WrongVersion(f"there is no database at {url}; run: core-rpc migrate")


def migrate() -> list[str]:
    """Bring the connected database to this version; returns the names of the scripts that ran."""
    _refuse_newer()
    return _Runner().up()


def check_version() -> str:
    """The version of the connected database; WrongVersion unless it is this program's."""
    _refuse_newer()
    status = _Runner().status()
    pending = [script.name for script in status if script.applied is None]
    if len(pending) == len(status):
        raise WrongVersion("the database is empty; run: core-rpc migrate")
    if pending:
        raise WrongVersion(
            f"the database is older than this program ({pending[0]} is missing); run: core-rpc migrate"
        )
    return status[-1].name


def _refuse_newer() -> None:
    unknown = [script.name for script in _Runner().status() if script.path is None]
    if unknown:
        raise WrongVersion(f"the database is newer than this program (it has {unknown[0]}); update core-rpc")
