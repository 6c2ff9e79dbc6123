"""The first version of the database. A frozen copy of the models as they were."""

from typing import Any

import peewee

from models.rows import DayField, IdField, InstantField


def up(migrator: Any, db: Any) -> None:
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
            indexes = ((("at", "id"), False),)

    db.create_tables([Audit])

    class Channel(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        handle = peewee.TextField(unique=True)
        name = peewee.TextField()
        sourced_id = peewee.TextField(index=True, null=True)

        class Meta:
            database = db
            table_name = "channel"

    db.create_tables([Channel])

    class ProgramKind(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        name = peewee.TextField()
        handle = peewee.TextField(index=True, null=True)
        group = peewee.TextField(null=True)
        parent = peewee.ForeignKeyField("self", null=True)
        mode = peewee.TextField(default="fixed")
        duration = peewee.IntegerField(default=1)
        priority = peewee.IntegerField(default=0)
        archived = peewee.BooleanField(default=False)
        sourced_id = peewee.TextField(index=True, null=True)
        imported = peewee.TextField(null=True)

        class Meta:
            database = db
            table_name = "program_kind"

    db.create_tables([ProgramKind])

    class Program(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        kind = peewee.ForeignKeyField(ProgramKind)
        name = peewee.TextField()
        start_date = DayField()
        end_date = DayField(index=True)
        duration = peewee.IntegerField()
        mode = peewee.TextField()
        timezone = peewee.TextField(index=True, default="UTC")
        parent = peewee.ForeignKeyField("self", null=True)
        archived = peewee.BooleanField(default=False)
        sourced_id = peewee.TextField(index=True, null=True)
        imported = peewee.TextField(null=True)

        class Meta:
            database = db
            table_name = "program"
            indexes = ((("start_date", "name", "id"), False),)

    db.create_tables([Program])

    class Cohort(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        program = peewee.ForeignKeyField(Program, index=False)
        name = peewee.TextField()
        name_key = peewee.TextField()

        class Meta:
            database = db
            table_name = "cohort"
            indexes = ((("program", "name_key"), True),)

    db.create_tables([Cohort])

    class Group(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        handle = peewee.TextField(unique=True)
        name = peewee.TextField()
        sourced_id = peewee.TextField(index=True, null=True)

        class Meta:
            database = db
            table_name = "group"

    db.create_tables([Group])

    class Label(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        handle = peewee.TextField(unique=True)
        name = peewee.TextField()
        sourced_id = peewee.TextField(index=True, null=True)

        class Meta:
            database = db
            table_name = "label"

    db.create_tables([Label])

    class User(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        email = peewee.TextField(null=True)
        email_key = peewee.TextField(unique=True, null=True)
        first = peewee.TextField(null=True)
        last = peewee.TextField(null=True)
        name = peewee.TextField(null=True)
        title = peewee.TextField(null=True)
        gender = peewee.TextField(null=True)
        dob = DayField(null=True)
        mobile = peewee.TextField(null=True)
        timezone = peewee.TextField(null=True)
        external_id = peewee.TextField(index=True, null=True)
        external_status = peewee.TextField(null=True)
        role = peewee.TextField(default="user")
        status = peewee.TextField(default="active")
        last_sign_in_at = InstantField(null=True)
        sourced_id = peewee.TextField(index=True, null=True)
        imported = peewee.TextField(null=True)
        erased_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "user"
            indexes = ((("created_at", "id"), False),)

    db.create_tables([User])

    class Membership(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        user = peewee.ForeignKeyField(User, index=False)
        program = peewee.ForeignKeyField(Program, index=False)
        cohort = peewee.ForeignKeyField(Cohort, null=True)
        role = peewee.TextField()
        state = peewee.TextField()
        date = DayField()
        comments = peewee.TextField(null=True)
        state_detail = peewee.TextField(null=True)
        sourced_id = peewee.TextField(index=True, null=True)
        imported = peewee.TextField(null=True)

        class Meta:
            database = db
            table_name = "membership"
            indexes = (
                (("program", "user"), True),
                (("user", "program"), False),
                (("program", "state"), False),
            )

    db.create_tables([Membership])

    class MembershipChange(peewee.Model):
        id = IdField(primary_key=True)
        membership = peewee.ForeignKeyField(Membership, index=False)
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
            indexes = ((("membership", "at", "id"), False),)

    db.create_tables([MembershipChange])

    class Relation(peewee.Model):
        id = IdField(primary_key=True)
        user = peewee.ForeignKeyField(User, index=False)
        other = peewee.ForeignKeyField(User)
        kind = peewee.TextField()

        class Meta:
            database = db
            table_name = "relation"
            indexes = ((("user", "kind", "other"), True), (("other", "kind"), False))

    db.create_tables([Relation])

    class Ticket(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        user = peewee.ForeignKeyField(User, null=True, index=False)
        email = peewee.TextField(null=True)
        email_key = peewee.TextField(index=True, null=True)
        kind = peewee.ForeignKeyField(ProgramKind, index=False)
        external_id = IdField(null=True)
        sku = peewee.TextField(null=True)
        base_sku = peewee.TextField(null=True)
        state = peewee.TextField(default="ready")
        membership = peewee.ForeignKeyField(Membership, null=True)
        program_id = IdField(null=True)
        consumed_at = InstantField(null=True)
        canceled_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "ticket"
            indexes = ((("kind", "external_id"), True), (("user", "created_at", "id"), False))

    db.create_tables([Ticket])

    class Token(peewee.Model):
        id = IdField(primary_key=True)
        created_at = InstantField()
        updated_at = InstantField()
        name = peewee.TextField()
        hash = peewee.TextField(unique=True)
        scope = peewee.TextField()
        user = peewee.ForeignKeyField(User, null=True)
        expires_at = InstantField(null=True)
        revoked_at = InstantField(null=True)

        class Meta:
            database = db
            table_name = "token"

    db.create_tables([Token])

    class UserChannel(peewee.Model):
        id = IdField(primary_key=True)
        user = peewee.ForeignKeyField(User, index=False)
        channel = peewee.ForeignKeyField(Channel)

        class Meta:
            database = db
            table_name = "user_channel"
            indexes = ((("user", "channel"), True),)

    db.create_tables([UserChannel])

    class UserGroup(peewee.Model):
        id = IdField(primary_key=True)
        user = peewee.ForeignKeyField(User, index=False)
        group = peewee.ForeignKeyField(Group)

        class Meta:
            database = db
            table_name = "user_group"
            indexes = ((("user", "group"), True),)

    db.create_tables([UserGroup])

    class UserLabel(peewee.Model):
        id = IdField(primary_key=True)
        user = peewee.ForeignKeyField(User, index=False)
        label = peewee.ForeignKeyField(Label)

        class Meta:
            database = db
            table_name = "user_label"
            indexes = ((("user", "label"), True),)

    db.create_tables([UserLabel])
