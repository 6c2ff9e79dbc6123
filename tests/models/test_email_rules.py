"""When two emails are one."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.database import writing
from models.errors import Conflict, Invalid, NotFound
from models.people import User, email_key


@pytest.mark.parametrize(
    ("email", "key"),
    [
        ("Ada@Example.ORG", "ada@example.org"),
        (" \t\r\nada@example.org\u3000\u00a0", "ada@example.org"),
        ("\ufeffada\u200b@\u2060example.org\u200d", "ada@example.org"),
        ("zoe\u0308@example.org", "zoë@example.org"),
        ("ÅNGSTRÖM@example.org", "ångström@example.org"),
        ("J\u030c@example.org", "\u01f0@example.org"),
        ("Ada.O'Brien+news@example.org", "ada.o'brien+news@example.org"),
        ("!#$%&'*/=?^_`{|}~-@example.org", "!#$%&'*/=?^_`{|}~-@example.org"),
        ("用户@例え.テスト", "用户@例え.テスト"),
        ("a\u00adda@exam\u2066ple.org\u2069", "ada@example.org"),
        ("root@localhost", "root@localhost"),
    ],
)
def test_emails_compare_trimmed_in_nfc_and_lower_case(email, key):
    assert key == email_key(email)


@given(st.text(min_size=1, max_size=5), st.text(min_size=1, max_size=5))
def test_the_key_of_a_key_is_itself_and_so_is_that_of_any_form(name, domain):
    email = f"{name}@{domain}"
    try:
        key = email_key(email)
    except ValueError:
        return

    assert key == email_key(key)
    assert key == email_key(unicodedata.normalize("NFD", email))
    assert key == email_key(unicodedata.normalize("NFC", email))


@pytest.mark.parametrize(
    ("email", "told"),
    [
        ("ada", "Must have exactly one @, with something on both sides."),
        ("a@b@c", "Must have exactly one @, with something on both sides."),
        ("@b", "Must have exactly one @, with something on both sides."),
        ("\u200b@b", "Must have exactly one @, with something on both sides."),
        ("a d@b", "Must have no blank inside."),
        ("a@b\u2003c", "Must have no blank inside."),
        ("a@" + "b" * 253, "Must have at most 254 characters."),
        *(
            (email, f"Must be an address alone, such as ada@example.org, without {strange!r}")
            for email, strange in (
                ("<e@x.org>", "<"),
                ('"ada"@x.org', '"'),
                ("a,b@x.org", ","),
                ("a@x.org;", ";"),
                ("mailto:a@x.org", ":"),
                ("a(work)@x.org", "("),
                ("a\\b@x.org", "\\"),
                ("a@[127.0.0.1]", "["),
                ("a@x_y.org", "_"),
                ("a@x.org/", "/"),
                ("a\x00b@x.org", "\x00"),
            )
        ),
        *((f"a@{domain}", "Must have a domain such as example.org") for domain in (".x", "x.", "x..y")),
    ],
)
def test_what_is_wrong_with_an_email_is_said(email, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        email_key(email)


def test_blanks_around_do_not_count_for_the_length():
    assert len(email_key("  a@" + "b" * 252 + "  ")) == 254


def test_one_user_has_an_email(make_user):
    make_user(email="ada@example.org")

    with pytest.raises(Conflict) as caught:
        make_user(email="ADA@example.org")

    assert caught.value.word == "EMAIL_TAKEN"


def test_many_users_may_have_none(make_user):
    for _ in range(2):
        make_user(email=None)

    assert User.select().count() == 2


def test_a_new_spelling_of_ones_own_email_is_taken(make_user):
    user = make_user(email="Ada@example.org")

    with writing():
        changed = [user.edit(email=spelling) for spelling in ("ada@EXAMPLE.org", " ada@EXAMPLE.org\u200b")]

    assert (changed, User.get().email) == ([True, False], "ada@EXAMPLE.org")


def test_what_stands_around_an_email_is_not_kept(make_user, make_kind, make_ticket):
    user = make_user(email="\ufeff \u200bAda@example.org\t\u2060 ")
    ticket = make_ticket(make_kind().id, email=" Grace@example.org\u00ad")

    assert (user.email, ticket.email) == ("Ada@example.org", "Grace@example.org")


def test_the_email_of_somebody_else_can_not_be_taken_on(make_user):
    user = make_user(email="ada@example.org")
    make_user(email="grace@example.org")

    with pytest.raises(Conflict) as caught:
        user.edit(email="Grace@example.org")

    assert caught.value.word == "EMAIL_TAKEN"


def test_an_email_that_was_given_up_is_free(make_user):
    with writing():
        make_user(email="ada@example.org").edit(email=None)

    assert make_user(email="ada@example.org").email == "ada@example.org"


def test_an_id_and_an_email_name_one_user(make_user):
    user = make_user(email="ada@example.org")

    found = [User.who(user.id, None), User.who(None, "ADA@example.org"), User.who(user.id, user.email)]

    assert [user.id] * 3 == found


def test_who_is_neither_named_by_id_nor_email_is_nobody(world):
    with pytest.raises(Invalid):
        User.who(None, None)


def test_an_email_that_nobody_has_is_not_found(world):
    with pytest.raises(NotFound) as caught:
        User.who(None, "nobody@example.org")

    assert caught.value.word == "USER_NOT_FOUND"
