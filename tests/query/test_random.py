"""Random queries find the same by the compiler and by plain Python, over the same rows.

A long run: pytest --hypothesis-profile=night -o faulthandler_timeout=0 tests/query/test_random.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from models import clock, migrations
from models.actor import Actor, acting
from models.database import configure, connected
from models.errors import QueryError
from models.query import finding
from models.query.compiler import compiled
from models.query.finding import PACE, Pace, find_participants, find_programs, find_users
from models.query.syntax import parse
from models.query.tree import Language
from models.query.writing import written
from tests.query import naive, world
from tests.query.strategies import queries

FIND: dict[Language, Callable[..., Any]] = {
    Language.USERS: find_users,
    Language.PROGRAMS: find_programs,
    Language.PARTICIPANTS: find_participants,
}

# Around noon all zones but the outermost are on one day; at others they are on two or three, or on
# days from which a month back or ahead ends elsewhere.
INSTANTS = st.sampled_from(
    [
        world.NOW,
        datetime(2026, 3, 10, 0, 30, tzinfo=UTC),
        datetime(2026, 3, 10, 10, 30, tzinfo=UTC),
        datetime(2026, 3, 11, 23, 59, 59, 999000, tzinfo=UTC),
        datetime(2026, 3, 31, 11, tzinfo=UTC),
        datetime(2024, 2, 29, 12, tzinfo=UTC),
        datetime(2027, 3, 1, 10, 30, tzinfo=UTC),
    ]
)
# The ways to rows differ by how many there are. Of so few as here, all lists are short and no head is
# enough, unless told otherwise.
PACES = st.sampled_from(
    [
        PACE,
        Pace(few=1, few_per_row=0, head=0, head_per_row=0),
        Pace(few=1, few_per_row=0, head=8, head_per_row=0, members=2),
        Pace(few=1, few_per_row=0, head=20, head_per_row=1, members=4),
        Pace(few=4, few_per_row=1, head=30, head_per_row=2, members=10),
        Pace(few=12, few_per_row=0, head=2, head_per_row=0, members=1),
    ]
)
CURRENT = st.sampled_from([*(row["id"] for row in world.USERS), *[None] * 4])


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Iterator[naive.Rows]:
    """The rows of the world; the database that holds them is connected."""
    configure(f"sqlite:///{tmp_path_factory.mktemp('random')}/core.db")
    clock.set_to(world.NOW)
    with connected(), acting(Actor("test")):
        migrations.migrate()
        world.make()
        yield naive.Rows()
    clock.set_to(None)


@pytest.mark.parametrize("language", Language)
@settings(deadline=None)
@given(data=st.data())
def test_a_query_finds_what_plain_python_finds(rows, language, data):
    text = written(data.draw(queries(language)))
    clock.set_to(data.draw(INSTANTS))
    current = data.draw(CURRENT)
    limit, offset = data.draw(st.none() | st.integers(1, 30)), data.draw(st.integers(0, 3))
    pace = data.draw(PACES)
    note(text)

    expected: list[UUID] = []
    blamed: set[int] = set()
    try:
        expected = naive.find(rows, language, parse(text, language), current, limit, offset)
    except naive.Refused as refused:
        blamed = refused.at

    if blamed:
        with pytest.raises(QueryError) as caught:
            FIND[language](text, current, limit, offset)
        assert caught.value.place in blamed
    else:
        assert expected == ids(FIND[language](text, current, limit, offset))
        assert [str(row_id) for row_id in expected] == finding.ids(
            compiled(text, language), current, limit, offset, pace
        )


def ids(found: Any) -> list[UUID]:
    """The ids of the rows, or of the memberships that participations show."""
    return [getattr(row, "membership", row).id for row in found]
