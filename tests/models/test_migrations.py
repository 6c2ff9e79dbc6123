"""The scripts of models/migrations make exactly the tables of the models."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import peewee
import pytest
from playhouse.schema_diff import diff_models

from models import migrations
from models.database import configure, connected, database, writing
from models.errors import Conflict
from models.memberships import Membership
from models.people import Group
from models.rows import BaseModel, DatedModel
from models.text import name_key


def test_the_scripts_make_what_the_models_say(world):
    difference = diff_models(database, migrations.MODELS)

    assert not difference, str(difference)


def test_every_model_is_among_those_that_are_migrated():
    def below(model):
        for child in model.__subclasses__():
            yield child
            yield from below(child)

    concrete = {
        model for model in below(BaseModel) if model is not DatedModel and not model.__name__.startswith("_")
    }

    assert set(migrations.MODELS) == concrete


def test_a_script_that_fails_leaves_nothing_of_itself(tmp_path):
    configure(f"sqlite:///{tmp_path}/core.db")
    runner = migrations._Runner()
    runner.directory = str(tmp_path)
    (tmp_path / "0001_bad.py").write_text(
        "import peewee\n"
        "def up(migrator, db):\n"
        "    db.execute_sql('CREATE TABLE half (id TEXT)')\n"
        "    raise ValueError('on purpose')\n"
    )

    with connected():
        with pytest.raises(ValueError, match="on purpose"):
            runner.up()
        tables = database.get_tables()

    assert tables == ["schema_migration"]


def test_days_that_imports_wrote_as_moments_become_effective_dates(tmp_path):
    """Versions before 0005 dated the end of an enrollment back; ids tell when the rows were stored."""
    configure(f"sqlite:///{tmp_path}/core.db")
    day, stored = "2026-01-01", "2026-10-15T02:00:00.123Z"
    milliseconds = int(datetime.fromisoformat(stored).timestamp() * 1000)
    midnight = "2026-09-05T00:00:00.000Z"
    rows = {  # how, at, from, to
        "an end dated back": ("import", midnight, "active", "withdrawn"),
        "one dated back from its making": ("import", midnight, None, "completed"),
        "an end dated by the import": ("import", stored, "active", "withdrawn"),
        "a making": ("import", midnight, None, "active"),
        "a comment": ("import", midnight, "dropped", "dropped"),
        "an end by a call": ("api", midnight, "active", "withdrawn"),
    }
    ids = {name: str(UUID(int=(milliseconds << 80) + (7 << 76) + n)) for n, name in enumerate(rows)}
    of_another_kind = str(UUID(int=4 << 76))

    with connected():
        migrations._Runner().up("0004_indexes_for_queries")
        columns = {"membership_id": str(UUID(int=1)), "to_role": "member", "to_date": day}
        database.execute_sql("PRAGMA foreign_keys = OFF")
        with_another = rows | {"an id that tells no time": rows["an end dated back"]}
        for name, (how, at, before, after) in with_another.items():
            row = columns | {"how": how, "at": at, "from_state": before, "to_state": after}
            row["id"] = ids.get(name, of_another_kind)
            peewee.Table("membership_change", list(row)).bind(database).insert(row).execute()

        migrations.migrate()

        found = {
            row_id: (at, on)
            for row_id, at, on in database.execute_sql("SELECT id, at, effective_date FROM membership_change")
        }

    restored = {"an end dated back", "one dated back from its making"}
    assert {name: found.pop(ids[name]) for name in rows} == {
        name: (stored, "2026-09-05") if name in restored else (rows[name][1], None) for name in rows
    }
    assert found == {of_another_kind: (midnight, None)}


def test_emails_and_names_of_cohorts_are_folded_again(tmp_path):
    """Versions before 0006 kept blanks around emails, and compared some characters without width."""
    configure(f"sqlite:///{tmp_path}/core.db")
    dated = {"created_at": "", "updated_at": ""}

    def insert(table, number, **values):
        row = {"id": str(UUID(int=number))} | values | dated
        peewee.Table(table, list(row)).bind(database).insert(row).execute()

    def keys(table, *names):
        columns = ", ".join(names)
        return database.execute_sql(f'SELECT {columns} FROM "{table}" ORDER BY id').fetchall()

    emails = [  # spelling and key before, spelling and key after
        ((" Ada@x.org\u200b", "ada@x.org"), ("Ada@x.org", "ada@x.org")),
        (("b\u00adob@x.org", "b\u00adob@x.org"), ("b\u00adob@x.org", "bob@x.org")),
        (("eve@x.org", "eve@x.org"), ("eve@x.org", "eve@x.org")),
        (("e\u00adve@x.org", "e\u00adve@x.org"), ("e\u00adve@x.org", "e\u00adve@x.org")),
        (("<e@x.org>", "<e@x.org>"), ("<e@x.org>", "<e@x.org>")),
        ((None, None), (None, None)),
    ]
    names = [("Mon\u200bday", "mon\u200bday"), ("monday\u2060", "monday\u2060"), ("Tuesday", "tuesday")]
    program = str(UUID(int=1))

    with connected():
        migrations._Runner().up("0005_effective_date")
        database.execute_sql("PRAGMA foreign_keys = OFF")
        for number, ((email, key), _) in enumerate(emails):
            insert("user", number, email=email, email_key=key, role="user", status="active")
        for number, ((email, key), _) in enumerate([emails[0], emails[3], emails[4]]):
            insert("ticket", number, email=email, email_key=key, kind_id=program, state="ready")
        for number, (name, key) in enumerate(names):
            insert("cohort", number, name=name, name_key=key, program_id=program)

        migrations.migrate()

        assert keys("user", "email", "email_key") == [after for _, after in emails]
        tickets = keys("ticket", "email", "email_key")
        assert keys("cohort", "name_key") == [("monday",), ("monday\u2060",), ("tuesday",)]

    assert tickets == [
        ("Ada@x.org", "ada@x.org"),
        ("e\u00adve@x.org", "eve@x.org"),
        ("<e@x.org>", "<e@x.org>"),
    ]


def test_histories_are_chained_when_an_older_database_is_brought_up(tmp_path):
    """Versions before 0002 found the changes of a membership by an index."""
    configure(f"sqlite:///{tmp_path}/core.db")
    runner = migrations._Runner()
    day = "2026-01-01"

    def insert(table, **values):
        peewee.Table(table, list(values)).bind(database).insert(values).execute()

    with connected():
        runner.up("0001_initial")
        dated = {"created_at": day, "updated_at": day}
        run_of = {"name": "Cooking", "mode": "fixed", "duration": 1, "archived": 0, **dated}
        insert("program_kind", id="k", priority=0, **run_of)
        insert("program", id="p", kind_id="k", start_date=day, end_date=day, timezone="UTC", **run_of)
        for one in ("a", "b"):
            insert("user", id=one, role="user", status="active", **dated)
            member = {"user_id": one, "program_id": "p", "role": "member", "state": "active"}
            insert("membership", id=one, **member, date=day, **dated)
        for change, member, at in (("1", "a", 2), ("2", "b", 1), ("3", "a", 1), ("4", "a", 3)):
            row = {
                "id": change,
                "membership_id": member,
                "at": f"2026-01-0{at}",
                "how": "api",
                "to_date": day,
            }
            insert("membership_change", **row, to_role="member", to_state="active")
        insert("audit", id="x", at=day, request_id="r", method="m", touched="a b")

        migrations.migrate()

        newest = dict(database.execute_sql("SELECT id, last_change_id FROM membership"))
        chained = dict(database.execute_sql("SELECT id, previous_id FROM membership_change"))
        history = Membership.get_by_id("a").history()
        audits = database.execute_sql("SELECT id, at, method, touched FROM audit").fetchall()

    assert newest == {"a": "4", "b": "2"}
    assert chained == {"1": None, "2": None, "3": "1", "4": "3"}
    assert [str(change.id) for change in history] == ["1", "3", "4"]
    assert audits == [("x", day, "m", "a b")]


def test_handles_that_were_different_and_are_the_same_when_folded_are_kept_and_told(tmp_path, caplog):
    """Versions before 0007 told handles apart by their letter case."""
    configure(f"sqlite:///{tmp_path}/core.db")
    runner = migrations._Runner()

    def insert(table, handle, minute):
        at = f"2026-01-01T00:{minute:02}:00.000Z"
        values = {
            "id": f"{table} {minute}",
            "handle": handle,
            "name": "x",
            "created_at": at,
            "updated_at": at,
        }
        if table == "program_kind":
            values |= {"mode": "fixed", "duration": 1, "priority": 0, "archived": 0}
        peewee.Table(table, list(values)).bind(database).insert(values).execute()

    with connected():
        runner.up(next(name for name in migrations._scripts() if name >= "0004"))
        for table in ("group", "label", "channel", "program_kind"):
            for minute, handle in enumerate(["STAFF", "Staff", "staff", "Cook", "COOK", " Other"]):
                insert(table, handle, minute)
        migrations.migrate()

        def keys(table):
            rows = peewee.Table(table, ["handle", "handle_key"]).bind(database).select().tuples()
            return dict(rows.execute())

        # The one that is spelled as it compares, or else the oldest.
        unique = {"STAFF": None, "Staff": None, "staff": "staff", "Cook": "cook", "COOK": None}
        assert [unique | {" Other": "other"}] * 3 == [keys(one) for one in ("group", "label", "channel")]
        assert {handle: name_key(handle) for handle in unique} | {" Other": "other"} == keys("program_kind")
    told = [record.getMessage() for record in caplog.records]
    assert 9 == len(told)
    assert "the group with the id group 0 is found by that alone until it gets another handle" in told[0]


def test_a_group_without_a_key_gets_one_with_another_handle(world):
    with writing():
        kept, lacking = Group.put(None, handle="staff"), Group.put(None, handle="other")
        Group.update(handle="Staff", handle_key=None).where(Group.id == lacking.id).execute()

        Group.put(lacking.id, handle="Staff", name="As it was")  # which is no news
        with pytest.raises(Conflict):
            Group.put(lacking.id, handle="STAFF")
        Group.put(kept.id, handle="crew")
        with pytest.raises(Conflict):
            Group.put(None, handle="Staff")
        Group.put(lacking.id, handle="STAFF")

    assert lacking.id == Group.handled("staff").id
