"""core.QueryUsers; what the language means is in tests/query."""

from __future__ import annotations

from uuid import UUID

import pytest

from client import Client, RpcError
from models import sample
from models.database import writing
from models.people import User
from models.tokens import Scope, Token

pytestmark = pytest.mark.sample


def test_rows_are_users_with_their_labels_and_groups(client):
    [ada, *_] = client.query_users("given labels [vegetarian] where first is 'ada'")

    [known] = client.admin.list_users(id=sample.ADA)
    assert {name: known[name] for name in ada} == ada
    assert known.keys() - ada.keys() == {"erasedAt", "sourcedId", "updatedAt"}


def test_limit_and_offset_page_inside_the_limit_of_the_text(client):
    text = "all users sort by last desc limit 4"
    [one, two, three, four] = client.query_users(text)

    assert [two, three] == client.query_users(text, limit=2, offset=1)
    assert [four] == client.query_users(text, limit=2, offset=3)
    assert [] == client.query_users(text, limit=2, offset=4)
    assert one["id"] != two["id"]


def test_a_thousand_rows_come_unless_more_are_asked_for(client):
    with writing():
        User.insert_rows([User() for _ in range(1001)])

    assert len(client.query_users("all users")) == 1000
    assert len(client.query_users("all users", limit=10_000)) > 1001
    with pytest.raises(RpcError) as caught:
        client.query_users("all users", limit=10_001)
    assert ["limit"] == list(caught.value.fields)


def test_a_mistake_is_told_with_its_place_and_what_was_expected(client):
    with pytest.raises(RpcError) as caught:
        client.query_users("all users\nsort by age")

    assert (caught.value.code, caught.value.word) == (-32602, "INVALID_PARAMS")
    assert ["query"] == list(caught.value.fields)
    spot = caught.value.data["query"]
    assert (spot["line"], spot["column"]) == (2, 9)
    assert "last" in spot["expected"]


def test_current_without_a_user_is_told(client):
    with pytest.raises(RpcError) as caught:
        client.query_users("all users, current user")

    assert (caught.value.data["query"]["line"], caught.value.data["query"]["column"]) == (1, 12)


def test_current_is_the_user_the_token_acts_for(server, world):
    with writing():
        _, secret = Token.issue("graces", Scope.READ, User.of(UUID(sample.GRACE)))

    [grace] = Client(server.url, secret).query_users("current user")

    assert grace["id"] == sample.GRACE


def test_a_text_of_more_than_10000_characters_is_refused(client):
    with pytest.raises(RpcError) as caught:
        client.query_users("all users" + " " * 9_992)

    assert ["query"] == list(caught.value.fields)
    assert client.query_users("all users" + " " * 9_991)


def test_what_names_nothing_finds_nothing(client):
    assert client.query_users(f"given users [{sample.NOBODY}, nobody@example.org]") == []
