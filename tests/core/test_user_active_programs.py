"""core.UserActivePrograms"""

from __future__ import annotations

from datetime import timedelta

import pytest

from client import RpcError
from models import clock, sample
from models.memberships import MembershipState


def test_an_unknown_user_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.user_active_programs(sample.NOBODY)

    assert "USER_NOT_FOUND" == caught.value.word


def test_a_user_without_programs_has_none(client, make_user):
    assert client.user_active_programs(make_user().id) == []


@pytest.mark.sample
def test_it_answers_what_the_query_of_its_documentation_finds(client):
    for user in client.admin.list_users():
        query = "given users [id] ^ program active today with [active]".replace("[id]", f"[{user['id']}]")

        assert client.query_programs(query) == client.user_active_programs(user["id"])


def test_only_programs_that_run_today_and_that_the_user_is_active_in(
    client, make_user, make_program, make_membership
):
    user, today = make_user(), clock.today()
    running = make_program(start_date=today)
    make_membership(user=user, program=running)
    make_membership(user=user, program=make_program(start_date=today + timedelta(days=1)))
    left = make_program(start_date=today)
    make_membership(user=user, program=left, state=MembershipState.COMPLETED)
    make_membership(program=left)  # somebody else's is active

    [found] = client.user_active_programs(user.id)

    assert str(running.id) == found["id"]
