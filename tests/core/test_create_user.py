"""core.CreateUser"""

from __future__ import annotations

import unicodedata
from datetime import date

import pytest

from models import sample
from models.database import writing
from models.people import Gender, Group, User, UserGroup


@pytest.fixture
def group(world):
    with writing():
        return Group.put(None, handle="staff", name="Staff")


def test_a_user_is_made_with_all_that_is_given(client, group):
    made = client.create_user(
        email="Ada@Example.org",
        group_id=group.id,
        external_id="S-1",
        title="Countess",
        first="Ada",
        last="Lovelace",
        name="A. Lovelace",
        mobile="+44 20 7946 0000",
        gender="female",
        dob="1815-12-10",
    )

    user = User.get()
    assert made is True
    assert (user.email, user.external_id, user.title) == ("Ada@Example.org", "S-1", "Countess")
    assert (user.first, user.last, user.name) == ("Ada", "Lovelace", "A. Lovelace")
    assert (user.mobile, user.gender, user.dob) == (
        "+44 20 7946 0000",
        Gender.FEMALE,
        date(1815, 12, 10),
    )
    assert client.user_has_group(user.id, "staff") is True


def test_an_email_is_enough(client):
    assert client.create_user("ada@example.org") is True
    assert UserGroup.select().count() == 0


@pytest.mark.parametrize(
    "spelling",
    [
        "ada@example.org",
        "ADA@EXAMPLE.ORG",
        "  ada@example.org\t\r\n",
        "\u00a0ada@example.org\u3000",
        "\ufeffada@example.org\u200b",
        "a\u200bda@example.org",
    ],
)
def test_a_taken_email_is_false_however_it_is_spelled(client, make_user, spelling):
    make_user(email="Ada@example.org")

    assert client.create_user(spelling) is False


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("zoë@example.org", unicodedata.normalize("NFD", "ZOË@example.org")),
        ("\u01f0@example.org", "J\u030c@example.org"),
        ("K@example.org", "\u212a@example.org"),
    ],
)
def test_emails_compare_in_one_form_of_unicode(client, one, other):
    assert [client.create_user(one), client.create_user(other)] == [True, False]


def test_a_taken_email_writes_nothing_the_group_included(client, group, make_user):
    make_user(email="ada@example.org", first="Ada")
    before = User.get().__data__

    made = client.create_user("ADA@example.org", group_id=group.id, first="Other")

    assert made is False
    assert before == User.get().__data__
    assert UserGroup.select().count() == 0


def test_the_first_spelling_of_the_email_is_kept(client):
    client.create_user("Ada@Example.org")
    client.create_user("ada@example.org")

    assert [user.email for user in User.select()] == ["Ada@Example.org"]


def test_an_unknown_group_is_an_error_and_nobody_is_made(client, refusal):
    error = refusal(client.create_user, "ada@example.org", group_id=sample.NOBODY)

    assert (error.code, error.word) == (-32001, "GROUP_NOT_FOUND")
    assert User.select().count() == 0


@pytest.mark.parametrize(
    "email",
    [
        "ada",
        "@",
        "ada@",
        "@example.org",
        "a@b@c",
        "a da@example.org",
        "ada@exam\u00a0ple.org",
        "a\tda@example.org",
        "",
        " ",
        "\u200b",
        "a" * 243 + "@example.org",
        "ada\x00@example.org",
        "ada\ud800@example.org",
        7,
        ["ada@example.org"],
    ],
)
def test_what_is_no_email_is_refused_by_name(client, refusal, email):
    error = refusal(client.create_user, email)

    assert (error.code, list(error.fields)) == (-32602, ["email"])
    assert User.select().count() == 0


def test_an_email_of_254_characters_is_taken(client):
    email = "a" * 242 + "@example.org"

    assert (len(email), client.create_user(email)) == (254, True)


@pytest.mark.parametrize("gender", ["male", "female", "other"])
def test_the_documented_genders_are_taken(client, gender):
    client.create_user("ada@example.org", gender=gender)

    assert User.get().gender.value == gender


def test_all_that_is_wrong_is_told_at_once(client, refusal):
    error = refusal(
        client.create_user, email="ada", group_id="staff", gender="f", dob="1815", first="x" * 256
    )

    assert sorted(error.fields) == ["dob", "email", "first", "gender", "groupId"]


def test_without_an_email_it_is_refused(client, refusal):
    error = refusal(client.call, "core.CreateUser", first="Ada")

    assert (error.code, list(error.fields)) == (-32602, ["email"])
