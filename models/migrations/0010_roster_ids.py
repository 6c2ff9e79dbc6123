"""SourcedIds of users who were here before a source brought them: a frozen copy of `RosterId`."""

from typing import Any

import peewee

from models.rows import IdField


def up(migrator: Any, db: Any) -> None:
    class User(peewee.Model):
        id = IdField(primary_key=True)

        class Meta:
            database = db
            table_name = "user"

    class RosterId(peewee.Model):
        id = IdField(primary_key=True)
        source = peewee.TextField()
        sourced_id = peewee.TextField()
        user = peewee.ForeignKeyField(User)
        imported = peewee.TextField(null=True)

        class Meta:
            database = db
            table_name = "roster_id"
            indexes = ((("source", "sourced_id"), True),)

    RosterId.create_table(safe=False)
