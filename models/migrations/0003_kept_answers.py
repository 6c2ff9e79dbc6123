"""Answers to calls with idempotency keys. A frozen copy of the model as it was."""

from typing import Any

import peewee

from models.rows import IdField, InstantField


def up(migrator: Any, db: Any) -> None:
    class KeptAnswer(peewee.Model):
        id = IdField(primary_key=True)
        asked = peewee.TextField()
        answer = peewee.TextField()
        at = InstantField(index=True)

        class Meta:
            database = db
            table_name = "kept_answer"
            without_rowid = True

    db.create_tables([KeptAnswer])
