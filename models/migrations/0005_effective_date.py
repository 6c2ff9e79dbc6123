"""The day on which a change happened, as a roster says, is told apart from when it was stored.

Before, an import wrote the day into `at`. What it stored when is in the id. A frozen copy of the
columns as they became.
"""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import peewee

from models.database import run_for_each
from models.rows import DayField, IdField, InstantField
from models.text import instant_text

CLOCKS_DIFFER = timedelta(hours=1)  # the day was written in UTC; the id has the time of the machine


def up(migrator: Any, db: Any) -> None:
    class MembershipChange(peewee.Model):
        id = IdField(primary_key=True)
        at = InstantField()
        effective_date = DayField(null=True)
        how = peewee.TextField()
        from_state = peewee.TextField(null=True)
        to_state = peewee.TextField()

        class Meta:
            database = db
            table_name = "membership_change"

    Change = MembershipChange
    migrator.migrate(migrator.add_column("membership_change", "effective_date", Change.effective_date))
    ends = Change.from_state.is_null() | (Change.from_state != Change.to_state)
    dated = Change.select(Change.id, Change.at).where(
        Change.how == "import",
        Change.to_state != "active",
        ends,
        Change.at.cast("TEXT").endswith("T00:00:00.000Z"),
    )
    restored = []
    for change in dated:
        made = _made(change.id)
        if made is not None and abs(made - change.at) > CLOCKS_DIFFER:
            restored.append((instant_text(made), str(change.at.date()), str(change.id)))
    values = {Change.at: peewee.SQL("?"), Change.effective_date: peewee.SQL("?")}
    sql, _ = Change.update(values).where(Change.id == peewee.SQL("?")).sql()
    run_for_each(sql, restored)


def _made(row_id: UUID) -> datetime | None:
    """The moment at which an id of version 7 was made: its first 48 bits are milliseconds."""
    number = row_id.int
    if number >> 76 & 15 != 7:
        return None
    return datetime.fromtimestamp(0, UTC) + timedelta(milliseconds=number >> 80)
