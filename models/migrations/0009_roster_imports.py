"""Past imports of rosters. Frozen copies of the models as they were."""

from typing import Any

import peewee

from models.rows import IdField, InstantField


def up(migrator: Any, db: Any) -> None:
    class RosterImport(peewee.Model):
        id = IdField(primary_key=True)
        at = InstantField(index=True)
        finished_at = InstantField()
        source = peewee.TextField()
        outcome = peewee.TextField()
        error = peewee.TextField(null=True)
        refused = peewee.IntegerField()
        warnings = peewee.IntegerField()
        summary = peewee.TextField()

        class Meta:
            database = db
            table_name = "roster_import"
            without_rowid = True

    class RosterFinding(peewee.Model):
        id = IdField(primary_key=True)
        roster_import = peewee.ForeignKeyField(RosterImport)
        kind = peewee.TextField()
        members = peewee.TextField()

        class Meta:
            database = db
            table_name = "roster_finding"
            without_rowid = True

    db.create_tables([RosterImport, RosterFinding])
