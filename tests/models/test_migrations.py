"""The scripts of models/migrations make exactly the tables of the models."""

from __future__ import annotations

import pytest
from playhouse.schema_diff import diff_models

from models import migrations
from models.database import configure, connected, database
from models.rows import BaseModel, DatedModel


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
