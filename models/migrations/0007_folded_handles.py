"""Handles compare folded: groups, labels, channels and kinds have the form in which theirs compares.

Of handles that were different and are the same when folded, one keeps being found by it: the one that is
spelled like its folded form, or else the oldest. The others have no key. They are found by their ids until
they get other handles, and are told of in the log.
"""

import logging
from typing import Any

import peewee

from models.rows import IdField, InstantField
from models.text import name_key

NAMED = ("group", "label", "channel")

log = logging.getLogger(__name__)


def up(migrator: Any, db: Any) -> None:
    key = peewee.TextField(null=True)
    for table in (*NAMED, "program_kind"):
        migrator.migrate(migrator.add_column(table, "handle_key", key))
        _fill(db, table)
        migrator.migrate(migrator.add_index(table, ("handle_key",), table in NAMED))
    migrator.migrate(migrator.drop_index("program_kind", "programkind_handle"))


def _fill(db: Any, table: str) -> None:
    class Row(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        handle = peewee.TextField(null=True)
        handle_key = peewee.TextField(null=True)

        class Meta:
            database = db
            table_name = table

    taken: set[str] = set()
    rows = Row.select().where(Row.handle.is_null(False)).order_by(Row.created_at, Row.id)
    keyed = [(row, name_key(str(row.handle))) for row in rows]
    for row, key in sorted(keyed, key=lambda one: one[0].handle != one[1]):
        if table in NAMED and key in taken:
            log.warning(
                "the %s with the id %s is found by that alone until it gets another handle: %r and that of"
                " another one are the same but for their spelling",
                table,
                row.id,
                row.handle,
            )
            continue
        taken.add(key)
        Row.update(handle_key=key).where(Row.id == row.id).execute()
