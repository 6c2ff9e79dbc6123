"""Statements for reads by many ids at once, compiled once from the models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import peewee

from models.database import BaseModel, database


class ByIds:
    """Chosen columns of the rows with some ids, as they are stored, by one query for all ids.

    A column is named by the way to it: `name`, or `kind.name` through the foreign key `kind`.
    """

    def __init__(self, model: type[BaseModel], columns: Sequence[str]) -> None:
        self._model = model
        self._columns = columns

    def __call__(self, ids: Iterable[str]) -> dict[str, Sequence[Any]]:
        """The rows that there are, by the text of their ids."""
        texts = '["' + '","'.join(ids) + '"]'
        return {row[0]: row[1:] for row in database.execute_sql(self._sql, (texts,))}

    @cached_property
    def _sql(self) -> str:
        found = self._model.select(self._model.id, *map(self._column, self._columns))
        for name in sorted({way.split(".")[0] for way in self._columns if "." in way}):
            found = found.join_from(self._model, self._model._meta.fields[name].rel_model)
        asked = peewee.NodeList((self._model.id, peewee.SQL("IN (SELECT value FROM json_each(?))")))
        sql, _ = found.where(asked).sql()
        return sql

    def _column(self, way: str) -> peewee.Field:
        model: Any = self._model
        *through, name = way.split(".")
        for step in through:
            model = model._meta.fields[step].rel_model
        return model._meta.combined[name]
