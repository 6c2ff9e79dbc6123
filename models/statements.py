"""Selects that are compiled once from Peewee's own and run with other values each time.

Peewee takes 0.3 ms and more to build and compile what runs in 0.02 ms. A select that is run often is
therefore made in a cached function, in which `given` stands for each value:

    @functools.cache
    def _of_user() -> Select[Ticket]:
        return Select(Ticket.select().where(Ticket.user == given("user_id")).order_by(Ticket.id))

    _of_user().rows(limit=10, user_id=user_id)

Where a test may be left out, the function takes whether it is there, so that each shape is compiled.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Generic, TypeVar

import orjson
import peewee

from models.database import database
from models.rows import BaseModel

M = TypeVar("M", bound=BaseModel)
Stored = Sequence[Any]  # the columns of a row as they are stored

_AS_IT_IS: Mapping[str, str] = {}
_HOLE_MARK = "\0"


@dataclass(frozen=True)
class _Slot:
    """The place of a value among those that a statement is run with."""

    name: str
    stored: Callable[[Any], Any] | None  # makes what is stored of a value

    def filled(self, values: Mapping[str, Any]) -> Any:
        value = values[self.name]
        return value if self.stored is None else self.stored(value)


class _Given(peewee.Node):
    def __init__(self, name: str, stored: Callable[[Any], Any] | None) -> None:
        self._name, self._stored = name, stored

    def __sql__(self, ctx: peewee.Context) -> peewee.Context:
        # The column that it is compared with says how the value is stored.
        return ctx.value(_Slot(self._name, self._stored or ctx.state.converter), converter=False)


def given(name: str, stored: Callable[[Any], Any] | None = None) -> peewee.Node:
    """Stands for the value of this name; where no column is near, `stored` makes what is stored of it."""
    return _Given(name, stored)


def any_given(name: str) -> peewee.Node:
    """Stands behind `in_` for the values of this name, however many."""
    values = peewee.Value(_Slot(name, _as_json), converter=False, unpack=False)
    return peewee.Select([peewee.fn.json_each(values)], [peewee.SQL("value")])


def _as_json(values: Iterable[Any]) -> str:
    return orjson.dumps(list(values), default=str).decode()


class Piece(peewee.ColumnBase):
    """A part of selects that was compiled by itself: it goes into them as it is, joined by `&`, `|`, `~`.

    It sees the tables around it by their names there, which `names` says of models.
    """

    def __init__(self, node: peewee.Node, names: Mapping[type[peewee.Model], str]) -> None:
        ctx = database.get_sql_context()
        for model, name in names.items():
            ctx.alias_manager[model._meta.table] = name
        with ctx(subquery=not isinstance(node, peewee.SelectBase)):  # selects in an expression want brackets
            self._sql, self._params = ctx.sql(node).query()

    def __sql__(self, ctx: peewee.Context) -> peewee.Context:
        for param in self._params:
            ctx.value(param, converter=False, add_param=False)
        return ctx.literal(self._sql)

    def sql(self) -> tuple[str, Sequence[Any]]:
        return self._sql, self._params

    def given(self, values: Mapping[str, Any], renamed: Mapping[str, str] = _AS_IT_IS) -> Piece:
        """The same with some of the values already given; others will be asked for by another name."""
        return self._with(self._sql, [_filled(param, values, renamed) for param in self._params])

    def around(self, inner: peewee.Node) -> Piece:
        """The same with a part put where `HOLE` is."""
        part = database.get_sql_context().sql(inner)
        sql, params = part.query()
        before, after = self._sql.split(_HOLE_MARK)
        place = self._params.index(_HOLE_MARK)
        return self._with(
            f"{before}{sql}{after}", [*self._params[:place], *params, *self._params[place + 1 :]]
        )

    @classmethod
    def _with(cls, sql: str, params: Sequence[Any]) -> Piece:
        made = cls.__new__(cls)
        made._sql, made._params = sql, params
        return made


def _filled(param: Any, values: Mapping[str, Any], renamed: Mapping[str, str]) -> Any:
    if not isinstance(param, _Slot):
        return param
    if param.name in values:
        return param.filled(values)
    return _Slot(renamed[param.name], param.stored) if param.name in renamed else param


class _Hole(peewee.ColumnBase):
    def __sql__(self, ctx: peewee.Context) -> peewee.Context:
        return ctx.value(_HOLE_MARK, converter=False, add_param=False).literal(_HOLE_MARK)


HOLE = _Hole()  # where a piece goes around another


class Statement:
    """A select of any columns, compiled."""

    def __init__(self, query: peewee.Select | Piece) -> None:
        self.sql, self.params = query.sql()

    def stored(self, **values: Any) -> list[Stored]:
        """The rows as they are stored."""
        filled = [one.filled(values) if isinstance(one, _Slot) else one for one in self.params]
        return database.execute_sql(self.sql, filled).fetchall()


class SetOf:
    """A select of any columns, compiled, whose rows come in one step, by the first column.

    For thousands of rows in the writer, and for the reason that `models/sets.py` gives.
    """

    def __init__(self, query: peewee.ModelSelect[Any]) -> None:
        row = peewee.fn.json_array(*query.selected_columns)
        self._statement = Statement(query.select(peewee.fn.json_group_array(row)))

    def stored(self, **values: Any) -> list[Stored]:
        """The rows as they are stored."""
        [[text]] = self._statement.stored(**values)
        return sorted(orjson.loads(text))


class Select(Generic[M]):
    """A select of whole models, each with those that are joined and selected too, compiled.

    Further columns have names of their own. They are for results that are rendered from what is stored;
    a model that is made of a row works them out by itself.
    """

    def __init__(self, query: peewee.ModelSelect[M], **more: peewee.Node) -> None:
        extended = query.select_extend(*more.values())
        self._statement = Statement(extended.limit(given("limit")).offset(given("offset")))
        self._query = extended
        self.model: type[M] = query.model
        joined = query._joins  # type: ignore[attr-defined]
        self._links = [(source, name, model) for source, joins in joined.items() for model, name, *_ in joins]
        ways = {query.model: ""}
        for source, name, model in self._links:
            ways[model] = f"{ways[source]}{name}."
        self._models = dict.fromkeys(column.model for column in query.selected_columns)
        whole = (ways[column.model] + column.column_name for column in query.selected_columns)
        self.columns = (*whole, *more)

    def rows(self, limit: int | None = None, offset: int = 0, **values: Any) -> Rows[M]:
        """The rows there are with these values."""
        most = -1 if limit is None else limit
        return Rows(self, self._statement.stored(limit=most, offset=offset, **values))

    @cached_property
    def _set(self) -> SetOf:
        return SetOf(self._query)

    def at_once(self, **values: Any) -> Rows[M]:
        """As `rows`, all of them by their ids, read in one step: for the writer, where there are many."""
        return Rows(self, self._set.stored(**values))

    def made_of(self, stored: Stored) -> M:
        """The model of a row, with those joined."""
        rest = iter(stored)
        made = {
            model: model._made_of(list(islice(rest, len(model._meta.sorted_fields))))
            for model in self._models
        }
        for source, name, model in self._links:
            if model in made and made[model].id is not None:
                setattr(made[source], name, made[model])
        return made[self.model]


class Rows(Sequence[M]):
    """What a select found: models, each made when it is looked at, of columns as they are stored."""

    def __init__(self, select: Select[M], stored: list[Stored]) -> None:
        self.select = select
        self.stored = stored

    def __len__(self) -> int:
        return len(self.stored)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return Rows(self.select, self.stored[place])
        return self.select.made_of(self.stored[place])

    def __iter__(self) -> Iterator[M]:
        return map(self.select.made_of, self.stored)

    def column(self, way: str) -> list[Any]:
        """What is stored in the column that this is the way to, row by row."""
        place = self.select.columns.index(way)
        return [row[place] for row in self.stored]


class ByIds:
    """Chosen columns of the rows with some ids, as they are stored, by one query for all ids.

    A column is named by the way to it: `name`, or `kind.name` through the foreign key `kind`.
    """

    def __init__(self, model: type[BaseModel], columns: Sequence[str]) -> None:
        self._model = model
        self._columns = columns

    def __call__(self, ids: Iterable[str]) -> dict[str, Stored]:
        """The rows that there are, by the text of their ids."""
        return {row[0]: row[1:] for row in self._statement.stored(ids=ids)}

    @cached_property
    def _statement(self) -> Statement:
        found = self._model.select(self._model.id, *map(self._column, self._columns))
        for name in sorted({way.split(".")[0] for way in self._columns if "." in way}):
            found = found.join_from(self._model, self._model._meta.fields[name].rel_model)
        return Statement(found.where(self._model.id.in_(any_given("ids"))))

    def _column(self, way: str) -> peewee.Field:
        model: Any = self._model
        *through, name = way.split(".")
        for step in through:
            model = model._meta.fields[step].rel_model
        return model._meta.combined[name]
