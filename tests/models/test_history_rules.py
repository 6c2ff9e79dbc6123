"""Whatever happens to a membership, its history is a chain from nothing to what it is now."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from models import clock
from models.database import writing
from models.memberships import Membership, MembershipRole, MembershipState, Move, settle

maybe_said = st.sampled_from([None, "", "ill", "well"])
days = st.dates(date(2026, 1, 1), date(2026, 12, 31))
changes = st.fixed_dictionaries(
    {},
    optional={
        "state": st.sampled_from(MembershipState),
        "role": st.sampled_from(MembershipRole),
        "date": days,
    },
)
steps = st.lists(
    st.tuples(
        changes,
        maybe_said,
        maybe_said,
        st.none() | days,
        st.integers(-40, 40).map(lambda n: timedelta(days=n)),
    ),
    max_size=12,
)


@given(steps=steps)
@settings(deadline=None)
def test_each_change_begins_where_the_one_before_led_to(make_membership, steps):
    """Rosters may date a change back; the clock of the machine may be set back as well."""
    member = make_membership()
    told = [(clock.now(), None)]

    for change, comments, detail, effective_date, passed in steps:
        clock.set_to(clock.now() + passed)
        move = Move(member, member.standing, member.standing._replace(**change), comments, detail)
        move.effective_date = effective_date
        with writing():
            if settle([move]):
                told.append((clock.now(), effective_date))

    history = list(Membership.get_by_id(member.id).history())
    assert [row.before for row in history] == [None, *(row.after for row in history[:-1])]
    assert history[-1].after == Membership.get_by_id(member.id).standing
    assert [(row.at, row.effective_date) for row in history] == told
