"""Histories become chains: a membership names its newest change, and each change the one before.

SQLite changes no table's kind, so that of the changes and that of the audit are made anew. A frozen
copy of both as they became.
"""

from typing import Any

import peewee

from models.rows import DayField, IdField, InstantField


def up(migrator: Any, db: Any) -> None:
    class Membership(peewee.Model):
        id = IdField(primary_key=True)
        last_change_id = IdField(null=True)

        class Meta:
            database = db
            table_name = "membership"

    class MembershipChange(peewee.Model):
        id = IdField(primary_key=True)
        membership = peewee.ForeignKeyField(Membership, index=False)
        previous_id = IdField(null=True)
        at = InstantField()
        token_id = IdField(null=True)
        acting_user_id = IdField(null=True)
        how = peewee.TextField()
        from_role = peewee.TextField(null=True)
        from_state = peewee.TextField(null=True)
        from_cohort_id = IdField(null=True)
        from_date = DayField(null=True)
        to_role = peewee.TextField()
        to_state = peewee.TextField()
        to_cohort_id = IdField(null=True)
        to_date = DayField()
        comments = peewee.TextField(null=True)
        state_detail = peewee.TextField(null=True)

        class Meta:
            database = db
            table_name = "membership_change"
            without_rowid = True

    class Audit(peewee.Model):
        id = IdField(primary_key=True)
        at = InstantField()
        token_id = IdField(null=True)
        acting_user_id = IdField(null=True)
        request_id = peewee.TextField()
        method = peewee.TextField()
        touched = peewee.TextField()

        class Meta:
            database = db
            table_name = "audit"
            without_rowid = True
            indexes = ((("at", "id"), False),)

    migrator.migrate(migrator.add_column("membership", "last_change_id", Membership.last_change_id))
    _make_anew(migrator, db, MembershipChange, leaving_out=MembershipChange.previous_id)
    _make_anew(migrator, db, Audit)

    # By id, which is the order in which they were stored; `at` may be of a day before that.
    Change, order = MembershipChange, [MembershipChange.id]
    before = peewee.fn.LAG(Change.id).over(partition_by=[Change.membership], order_by=order)
    pairs = Change.select(Change.id, before.alias("previous_id")).alias("pairs")
    Change.update(previous_id=pairs.c.previous_id).from_(pairs).where(Change.id == pairs.c.id).execute()
    newest = Change.select(Change.membership, peewee.fn.MAX(Change.id).alias("id"))
    newest = newest.group_by(Change.membership).alias("newest")
    Membership.update(last_change_id=newest.c.id).from_(newest).where(
        Membership.id == newest.c.membership_id
    ).execute()


def _make_anew(migrator: Any, db: Any, model: Any, leaving_out: peewee.Field | None = None) -> None:
    """Make the model's table in the place of the one there is, with its rows."""
    name, before = model._meta.table_name, f"{model._meta.table_name}_before"
    for index in db.get_indexes(name):
        if index.sql:  # not that of the primary key
            migrator.migrate(migrator.drop_index(name, index.name))
    migrator.migrate(migrator.rename_table(name, before))
    db.create_tables([model])
    columns = [field for field in model._meta.sorted_fields if field is not leaving_out]
    old = peewee.Table(before)
    rows = old.select(*(getattr(old.c, field.column_name) for field in columns)).order_by(old.c.id)
    model.insert_from(rows, columns).execute()
    db.execute_sql(f'DROP TABLE "{before}"')
