"""Who mistypes the name of a method is told the nearest."""

from __future__ import annotations

import pytest

from client import RpcError
from rpc.nearest import LONGEST, Names

pytestmark = pytest.mark.sample


@pytest.mark.parametrize(
    ("mistyped", "nearest"),
    [
        ("core.listCohorts", "core.ListCohorts"),
        ("core.list_cohorts", "core.ListCohorts"),
        ("CORE.LISTCOHORTS", "core.ListCohorts"),
        ("ListCohorts", "core.ListCohorts"),
        ("core.ListCohort", "core.ListCohorts"),
        ("core.ListCohrots", "core.ListCohorts"),
        ("admin.SaveGrup", "admin.SaveGroup"),
    ],
)
def test_the_nearest_method_is_told(client, mistyped, nearest):
    with pytest.raises(RpcError) as caught:
        client.call(mistyped)

    error = caught.value
    assert (error.code, error.data) == (-32601, {"code": "METHOD_NOT_FOUND", "nearest": nearest})
    assert f"did you mean {nearest}?" in str(error)


@pytest.mark.parametrize("name", ["core.Nothing", "", "x", ".", "core.", "core.ListCohorts" * 100])
def test_where_none_is_near_none_is_told(client, name):
    with pytest.raises(RpcError) as caught:
        client.call(name)

    assert caught.value.data == {"code": "METHOD_NOT_FOUND"}


def test_in_a_batch_few_names_are_compared_with_all_others(client):
    with client.batch() as batch:
        calls = [batch.call(f"core.ListCohort{number}") for number in range(6)]
        spelled = batch.call("core.listcohorts")

    def nearest(call):
        with pytest.raises(RpcError) as caught:
            call.result()
        return caught.value.data.get("nearest")

    assert [nearest(call) for call in calls] == ["core.ListCohorts"] * 4 + [None] * 2
    assert nearest(spelled) == "core.ListCohorts"


def test_a_long_name_is_compared_with_none():
    names = Names(["a" * LONGEST, "a" * (LONGEST + 1)])

    assert names.nearest("a" * (LONGEST - 1)) == "a" * LONGEST
    assert names.nearest("A" * (LONGEST + 1)) is names.alike("A" * (LONGEST + 1)) is None
