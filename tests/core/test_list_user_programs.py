"""core.ListUserPrograms"""

from __future__ import annotations

import pytest

from client import RpcError
from models import sample
from models.memberships import MembershipState


def test_an_unknown_user_is_not_found(client):
    with pytest.raises(RpcError) as caught:
        client.list_user_programs(sample.NOBODY)

    assert "USER_NOT_FOUND" == caught.value.word


def test_a_user_without_programs_has_none(client, make_user):
    assert client.list_user_programs(make_user().id) == []


@pytest.mark.sample
def test_it_answers_what_the_query_of_its_documentation_finds(client):
    for user in client.admin.list_users():
        query = "given users [id]".replace("[id]", f"[{user['id']}]")

        assert client.query_programs(query) == client.list_user_programs(user["id"])


def test_programs_of_memberships_in_any_state_are_listed(client, make_user, make_membership):
    user = make_user()
    programs = {make_membership(user=user, state=state).program_id for state in MembershipState}
    make_membership()

    found = client.list_user_programs(user.id)

    assert {str(program) for program in programs} == {program["id"] for program in found}
