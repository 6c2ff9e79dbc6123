"""Emails and names of cohorts are folded again, since more characters count for nothing in them.

Blanks and zero-width characters around emails go. A row whose new key another row has already keeps
its old one, and so does an email that is none any more: people decide what becomes of these.
"""

from collections.abc import Callable, Iterable
from typing import Any

import peewee

from models.cohorts import name_key
from models.database import run_for_each
from models.people import email_key
from models.rows import IdField
from models.text import trimmed


def up(migrator: Any, db: Any) -> None:
    class Table(peewee.Model):
        id = IdField(primary_key=True)

        class Meta:
            database = db

    class User(Table):
        email = peewee.TextField(null=True)
        email_key = peewee.TextField(null=True)

        class Meta:
            table_name = "user"

    class Ticket(Table):
        email = peewee.TextField(null=True)
        email_key = peewee.TextField(null=True)

        class Meta:
            table_name = "ticket"

    class Cohort(Table):
        program_id = IdField()
        name = peewee.TextField()
        name_key = peewee.TextField()

        class Meta:
            table_name = "cohort"

    for model in (User, Ticket):
        _update(model.email, _spelled(model))
    _update(User.email_key, _folded_again(User, User.email, email_key, unique_with=()))
    _update(Cohort.name_key, _folded_again(Cohort, Cohort.name, name_key, unique_with=(Cohort.program_id,)))
    tickets: Any = Ticket.select(Ticket.id, Ticket.email, Ticket.email_key).where(Ticket.email.is_null(False))
    folded = [(row_id, key, _key(email_key, text)) for row_id, text, key in tickets.tuples()]
    _update(Ticket.email_key, [(row_id, new) for row_id, old, new in folded if new and new != old])


def _spelled(model: Any) -> list[tuple[Any, str]]:
    """The emails that have something around them, without it, by id."""
    rows: Any = model.select(model.id, model.email).where(model.email.is_null(False)).tuples()
    return [(row_id, trimmed(email)) for row_id, email in rows if trimmed(email) != email]


def _folded_again(
    model: Any, text: Any, fold: Callable[[str], str], unique_with: Iterable[Any]
) -> list[tuple[Any, str]]:
    """The keys that change and that no other row has, by id; of two that become one, the older row's."""
    key = model._meta.fields[f"{text.name}_key"]
    rows = list(
        model.select(model.id, text, key, *unique_with).where(text.is_null(False)).order_by(model.id).tuples()
    )
    taken = {(old, *scope) for _, _, old, *scope in rows}
    found = []
    for row_id, spelling, old, *scope in rows:
        new = _key(fold, spelling)
        if new and new != old and (new, *scope) not in taken:
            taken.add((new, *scope))
            found.append((row_id, new))
    return found


def _key(fold: Callable[[str], str], text: str) -> str | None:
    try:
        return fold(text)
    except ValueError:
        return None


def _update(column: Any, values: Iterable[tuple[Any, str]]) -> None:
    model = column.model
    sql, _ = model.update({column: peewee.SQL("?")}).where(model.id == peewee.SQL("?")).sql()
    run_for_each(sql, [(value, str(row_id)) for row_id, value in values])
