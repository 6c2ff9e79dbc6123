"""A query finds the same, whichever way its rows are looked for; and pages are cut out of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from models import clock, migrations
from models.actor import Actor, acting
from models.database import configure, connected, database
from models.errors import QueryError
from models.query.compiler import Compiled
from models.query.finding import Pace, find_participants, find_programs, find_users, ids
from models.query.syntax import parse
from models.query.tree import Language
from tests.query import world
from tests.query.strategies import queries

# What takes no time: everything is in lists; nothing is; nothing is, but the page may be among the first
# rows; lists are short, but longer ones lead to all rows.
PACES = {
    "lists": Pace(few=10**6),
    "tests": Pace(few=1, few_per_row=0, head=10**6),
    "head": Pace(few=1, few_per_row=0, head=3, head_per_row=2, members=1),
    "some lists": Pace(few=4, few_per_row=0, head=1, head_per_row=0, members=1),
}
FIND = {
    Language.USERS: find_users,
    Language.PROGRAMS: find_programs,
    Language.PARTICIPANTS: find_participants,
}
SOMEBODY = world.USERS[0]["id"]


@pytest.fixture(scope="module", autouse=True)
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The database of the world for random queries is connected."""
    configure(f"sqlite:///{tmp_path_factory.mktemp('finding')}/core.db")
    clock.set_to(world.NOW)
    with connected(), acting(Actor("test")):
        migrations.migrate()
        world.make()
        yield
    clock.set_to(None)


@pytest.mark.parametrize("language", Language)
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_all_ways_to_the_rows_find_the_same(language, data):
    query = data.draw(queries(language))
    limit, offset = data.draw(st.none() | st.integers(1, 20)), data.draw(st.integers(0, 5))
    compiled = Compiled(query, language)
    found = {}
    for name, pace in PACES.items():
        try:
            found[name] = ids(compiled, SOMEBODY, limit, offset, pace)
        except QueryError as error:
            found[name] = str(error)
    note(found)

    assert all(one == found["lists"] for one in found.values())


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("pace", PACES.values(), ids=PACES)
def test_pages_are_cut_out_of_what_is_found(language, pace):
    compiled = Compiled(parse("all users", language), language)
    everything = ids(compiled, None, pace=pace)

    pages = [ids(compiled, None, 4, offset, pace) for offset in range(0, len(everything) + 4, 4)]

    assert len(everything) > 8
    assert everything == [row_id for page in pages for row_id in page]
    assert pages[-1] == []


@pytest.mark.parametrize("language", Language)
def test_pages_are_inside_the_limit_of_the_text(language):
    def found(text, *page):
        return ids(Compiled(parse(text, language), language), None, *page)

    everything = found("all users")

    assert everything[:5] == found("all users limit 5")
    assert everything[:2] == found("all users limit 5", 2)
    assert everything[3:5] == found("all users limit 5", 4, 3)
    assert [] == found("all users limit 5", 4, 5)
    assert [] == found("all users limit 5", None, 7)


@pytest.mark.parametrize("language", Language)
def test_what_comes_back_has_all_that_is_shown_of_it(language):
    found = FIND[language]("all users", None, limit=10)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(database, "execute_sql", None)  # nothing more is asked of the database
        for row in found:
            match language:
                case Language.USERS:
                    assert row.labels == sorted(row.labels)
                    assert row.groups == sorted(row.groups)
                case Language.PROGRAMS:
                    assert row.kind.id == row.kind_id
                case Language.PARTICIPANTS:
                    assert row.membership.program.kind.id == row.membership.program.kind_id
                    assert row.membership.user.id == row.membership.user_id
                    assert (row.cohort_name is None) == (row.membership.cohort_id is None)
                    assert row.tally.all_completions >= row.tally.same_completions >= 0
