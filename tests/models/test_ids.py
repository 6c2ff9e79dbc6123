"""Ids that keep their text are UUIDs like any other."""

from __future__ import annotations

import copy
import pickle
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ids import TextUUID, new_id


@given(st.uuids(), st.uuids())
def test_an_id_is_the_uuid_of_its_text(one, other):
    mine = TextUUID(str(one))

    assert (one, str(one), one.int, one.bytes, one.version) == (
        mine,
        str(mine),
        mine.int,
        mine.bytes,
        mine.version,
    )
    assert (hash(one), one == other, one < other) == (hash(mine), mine == other, mine < other)
    assert (one == other) is (mine == TextUUID(str(other)))
    assert {one: "found"}[mine] == "found"
    assert repr(one)[4:] == repr(mine)[8:]


def test_an_id_is_not_its_text_and_cannot_be_changed():
    mine = TextUUID(str(uuid4()))

    assert mine != str(mine)
    with pytest.raises(TypeError):
        mine.int = 3


def test_an_id_can_be_copied_and_sent():
    mine = TextUUID(str(uuid4()))

    assert [mine] * 2 == [copy.deepcopy(mine), pickle.loads(pickle.dumps(mine))]


def test_new_ids_come_in_their_order():
    made = [new_id() for _ in range(1000)]

    assert sorted(made) == made
    assert {7} == {UUID(str(one)).version for one in made}
