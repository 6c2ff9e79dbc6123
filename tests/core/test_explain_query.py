"""core.ExplainQuery; what queries mean is in tests/query."""

from __future__ import annotations

import pytest

from models import sample
from models.audit import Audit

pytestmark = pytest.mark.sample

# A list of each noun: a name that there is, spelled otherwise where that may be, and one that there is not.
LISTS = [
    ("users", " ADA@example.org ", "adda@example.org"),
    ("users", sample.ADA.upper(), sample.NOBODY),
    ("groups", "STAFF", "stuff"),
    ("groups", sample.STAFF, sample.ALUMNI),
    ("channels", "News", "nws"),
    ("labels", " Alumni", "alumn"),
    ("labels", sample.ALUMNI, sample.STAFF),
    ("programs", "Cooking", "coking"),
    ("programs", sample.SPRING, sample.COOKING),
    ("kind", "cooking", "Cooking, spring"),
    ("kind", sample.COOKING, sample.SPRING),
    ("program-kind-active", "BAKING", "bakin"),
    ("active", sample.COOKING, sample.ADA),
    ("active", sample.SPRING, sample.NOBODY),
    ("cohorts", sample.MONDAY, sample.SPRING),
]


@pytest.mark.parametrize("find", ["users", "programs", "participants"])
@pytest.mark.parametrize("word", ["given", "except"])
@pytest.mark.parametrize(("noun", "known", "unknown"), LISTS)
def test_a_name_that_names_nothing_is_told_with_its_place(client, find, word, noun, known, unknown):
    text = f"{word} {noun} ['{known}', '{unknown}']"

    explained = client.explain_query(find, text)

    place = {"line": 1, "column": text.index(f"'{unknown}'") + 1}
    assert explained.unknown == ({"list": noun, "item": unknown} | place,)


def test_names_are_told_in_their_order_over_all_groups_and_lines(client):
    text = "given labels [a, alumni],\n except groups [b] ^ given user-labels [c]"

    explained = client.explain_query("users", text)

    assert [tuple(one.values()) for one in explained.unknown] == [
        ("labels", "a", 1, 15),
        ("groups", "b", 2, 17),
        ("labels", "c", 2, 41),
    ]


def test_what_was_understood_is_told_in_words(client):
    explained = client.explain_query("users", "given labels [alumni] ^ current user")

    assert explained == {
        "words": "Users who have the label alumni and who are the current user; not retired",
        "unknown": [],
    }


def test_the_words_are_those_of_the_language(client):
    words = [client.explain_query(find, "all users").words for find in ("programs", "participants")]

    assert words == ["Programs with members; members not retired", "All memberships; users not retired"]


def test_a_mistake_is_told_with_its_place(client, refusal):
    error = refusal(client.explain_query, "programs", "given labls [a]")

    assert (error.code, list(error.fields)) == (-32602, ["query"])
    assert error.data["query"] == {"line": 1, "column": 7, "expected": ["labels"]}


def test_all_that_is_wrong_is_told_at_once(client, refusal):
    error = refusal(client.call, "core.ExplainQuery", find="tickets", query=7)

    assert (error.code, sorted(error.fields)) == (-32602, ["find", "query"])


def test_nothing_is_written(client):
    before = Audit.select().count()

    client.explain_query("users", "given labels [nothing]")

    assert Audit.select().count() == before
