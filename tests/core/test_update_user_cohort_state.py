"""core.UpdateUserCohortState"""

from __future__ import annotations

import pytest

from client import RpcError
from models.memberships import Membership, MembershipState


def test_the_new_state_is_stored_and_the_program_comes_back(client, make_membership):
    member = make_membership(state=MembershipState.ACTIVE)

    [info] = client.update_user_cohort_state(
        member.user_id, member.program_id, state="withdrawn", comments="moved away"
    )

    stored = Membership.get_by_id(member.id)
    assert (stored.state, stored.comments) == (MembershipState.WITHDRAWN, "moved away")
    assert str(member.program_id) == info["id"]


def test_a_state_outside_the_list_is_refused_by_name(client, make_membership):
    member = make_membership()

    with pytest.raises(RpcError) as caught:
        client.update_user_cohort_state(member.user_id, member.program_id, state="asleep")

    assert list(caught.value.fields) == ["state"]
