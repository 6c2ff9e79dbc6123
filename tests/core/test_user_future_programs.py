"""core.UserFuturePrograms"""

from __future__ import annotations

from datetime import timedelta

import pytest

from client import RpcError
from models import clock, sample
from models.memberships import MembershipState


def test_an_unknown_user_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.user_future_programs(sample.NOBODY)

    assert "USER_NOT_FOUND" == caught.value.word


def test_a_user_without_programs_has_none(client, make_user):
    assert client.user_future_programs(make_user().id) == []


@pytest.mark.sample
def test_it_answers_what_the_query_of_its_documentation_finds(client):
    for user in client.admin.list_users():
        query = "given users [id] ^ program starting from +1 day to +100 years with [active]".replace(
            "[id]", f"[{user['id']}]"
        )

        assert client.query_programs(query) == client.user_future_programs(user["id"])


def test_only_programs_that_start_after_today_and_that_the_user_is_active_in(
    client, make_user, make_program, make_membership
):
    user, today = make_user(), clock.today()
    later = make_program(start_date=today + timedelta(days=1))
    make_membership(user=user, program=later)
    make_membership(user=user, program=make_program(start_date=today))
    left = make_program(start_date=today + timedelta(days=2))
    make_membership(user=user, program=left, state=MembershipState.WITHDRAWN)
    make_membership(program=left)  # somebody else's is active

    [found] = client.user_future_programs(user.id)

    assert str(later.id) == found["id"]
