"""The versions of the database: numbered scripts beside this file, run by peewee's own runner.

A new version is `MODELS` changed and one more script, which
`python -m playhouse.migrations FILE generate -d models/migrations NAME models.migrations:MODELS`
drafts. A test holds scripts and models equal.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import apsw
import peewee
from playhouse.migrations import Runner

from models import clock
from models.audit import Audit
from models.cohorts import Cohort
from models.database import database, path_of
from models.files import HISTORY, check_ours
from models.identities import RosterId
from models.imports import RosterFinding, RosterImport
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
    RosterImport,
    RosterFinding,
    RosterId,
]


class _Runner(Runner):
    """The runner, with its own table's time in a column that APSW can bind."""

    def __init__(self) -> None:
        super().__init__(database, str(Path(__file__).parent), HISTORY)

        class History(database.Model):  # type: ignore[name-defined]
            name = peewee.CharField(unique=True)
            applied = InstantField(default=clock.now)

            class Meta:
                legacy_table_names = False
                table_name = self.table_name

        self.History = History


class WrongVersion(Exception):
    """The database is not of the version that this program needs; says what to do."""


def check_file(url: str) -> None:
    """WrongVersion when there is no database file yet; opening one would make it. NotOurs: opening what is
    there would change it."""
    if not path_of(url).exists():
        raise WrongVersion(f"there is no database at {url}; run: core-rpc migrate")
    check_ours(path_of(url))


def migrate() -> list[str]:
    """Bring the connected database to this version; returns the names of the scripts that ran."""
    runner = _Runner()
    _refuse_newer(runner.applied())
    return runner.up()


def check_version() -> str:
    """The version of the connected database; WrongVersion unless it is this program's."""
    lacking = pending(_Runner().applied())
    if lacking:
        raise WrongVersion(
            f"the database is older than this program ({lacking[0]} is missing); run: core-rpc migrate"
        )
    return _scripts()[-1]


def pending(applied: Collection[str]) -> list[str]:
    """The scripts that a database lacks to which these were applied; WrongVersion: it is newer, or empty."""
    _refuse_newer(applied)
    if not applied:
        raise WrongVersion("the database is empty; run: core-rpc migrate")
    return [name for name in _scripts() if name not in applied]


def applied_in(file: apsw.Connection) -> set[str]:
    """The scripts that were applied to the database of any connection."""
    history = _Runner().History
    if not file.table_exists("main", history._meta.table_name):
        return set()
    sql, _ = history.select(history.name).sql()
    return {name for (name,) in file.execute(sql)}


def _refuse_newer(applied: Collection[str]) -> None:
    unknown = sorted(set(applied) - set(_scripts()))
    if unknown:
        raise WrongVersion(f"the database is newer than this program (it has {unknown[0]}); update core-rpc")


def _scripts() -> list[str]:
    return [script.name for script in _Runner().migrations()]
