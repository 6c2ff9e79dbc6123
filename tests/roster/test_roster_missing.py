"""`--missing end` and `--max-changes`: what becomes of whom no row is about any more."""

from __future__ import annotations

import pytest

from models.database import writing
from models.errors import Conflict, TooManyChanges
from models.memberships import Membership, MembershipState
from models.programs import Program
from models.roster import Options
from models.roster.options import MaxChanges, Missing

HEADER = "sourcedId,status,classSourcedId,userSourcedId,role"
END = Options(missing=Missing.END)
WITHDRAWN, ACTIVE = MembershipState.WITHDRAWN, MembershipState.ACTIVE


def rows(*names, **other):
    lines = [f"e-{name},{other.get(name, '')},cook-1,{name},student" for name in names]
    return "\n".join([HEADER, *lines])


@pytest.fixture
def class_of_four(bring_small, small):
    """A class with Ada, Bob, Cid and Dan, imported."""
    users = small["users"] + "bob,Bob,,\ncid,Cid,,\ndan,Dan,,\n"

    def again(*names, options=None, **files):
        return bring_small(**({"users": users, "enrollments": rows(*names)} | files), options=options)

    again("ada", "bob", "cid", "dan")
    return again


@pytest.fixture
def states():
    def found():
        return {one.sourced_id: one.state for one in Membership.select()}

    return found


def test_missing_rows_change_nothing_unless_asked_for(class_of_four, states):
    class_of_four("ada")

    assert set(states().values()) == {ACTIVE}


def test_who_stands_in_no_row_ends(class_of_four, states, membership):
    report = class_of_four("ada", "bob", options=END)

    assert states() == {"e-ada": ACTIVE, "e-bob": ACTIVE, "e-cid": WITHDRAWN, "e-dan": WITHDRAWN}
    assert (report.changes.leaves, report.changes.total) == (2, 2)
    [begun, ended] = membership("cid").history()
    assert (ended.how, ended.before) == ("import", begun.after)


def test_a_second_import_ends_nobody_again(class_of_four, everything):
    class_of_four("ada", options=END)
    before = everything()

    report = class_of_four("ada", options=END)

    assert everything() == before
    assert report.changes.total == 0


def test_who_stands_in_a_row_again_is_active_again(class_of_four, states):
    class_of_four("ada", options=END)

    report = class_of_four("ada", "bob")

    assert (states()["e-bob"], states()["e-cid"]) == (ACTIVE, WITHDRAWN)
    assert report.changes.comes_back == 1


def test_whom_people_brought_back_since_is_not_ended_again(class_of_four, states, membership):
    class_of_four("ada", options=END)
    with writing():
        found = membership("bob")
        Membership.put(found.user_id, Program.of(found.program_id), state=ACTIVE)

    class_of_four("ada", options=END)

    assert states()["e-bob"] is ACTIVE


BOTH = "e1,,cook-1,ada,student\ne2,,cook-1,ada,student"


def test_one_of_whose_two_rows_one_is_missing_and_one_to_be_deleted_ends(bring_small, membership):
    bring_small(enrollments=f"{HEADER}\n{BOTH}\n")
    only = f"{HEADER}\ne1,tobedeleted,cook-1,ada,student\n"

    bring_small(enrollments=only)
    kept = membership().state
    bring_small(options=END, enrollments=only)

    assert (kept, membership().state) == (ACTIVE, WITHDRAWN)


def test_the_end_of_one_row_brings_nobody_back_who_ended_by_being_missing(bring_small, small, membership):
    bring_small(enrollments=f"{HEADER}\n{BOTH}\n")
    bring_small(options=END, enrollments=f"{HEADER}\n")

    bring_small(enrollments=f"{HEADER}\ne1,tobedeleted,cook-1,ada,student\n")

    assert membership().state is WITHDRAWN


def test_users_are_not_retired_and_people_s_own_memberships_stay(class_of_four, make_user, program, states):
    own = make_user()
    with writing():
        Membership.put(own.id, program())

    class_of_four("ada", options=END, users="sourcedId\n")

    assert Membership.of(own.id, program().id).state is ACTIVE
    assert {user.status for user in [own]} == {"active"}


def test_memberships_of_another_source_do_not_end(class_of_four, bring_small, states):
    bring_small(
        options=Options(source="north", missing=Missing.END),
        users="sourcedId\nx\n",
        enrollments=f"{HEADER}\ne-x,,cook-1,x,student\n",
    )

    assert set(states().values()) == {ACTIVE}


@pytest.mark.parametrize(
    "row",
    [
        "e-bob,,cook-1,bob,wizard",  # refused by its role
        "e-new,,cook-1,bob,student",
        "e-bob,,nowhere,bob,student",  # refused by its class, and known by its sourcedId
        "e-bob,,cook-1",  # refused since it names no user
    ],
)
def test_who_stands_in_a_row_does_not_end_though_it_is_refused(class_of_four, states, row):
    class_of_four(options=END, enrollments="\n".join([rows("ada"), row]))

    after = states()
    assert after.get("e-new", after.get("e-bob")) is ACTIVE
    assert (after["e-ada"], after["e-cid"]) == (ACTIVE, WITHDRAWN)


@pytest.mark.parametrize("row", [",,cook-1,bob,student", 'e-bob,"x"y,cook-1,bob,student'])
def test_nobody_ends_while_a_row_cannot_be_read(class_of_four, states, row):
    report = class_of_four(options=END, enrollments="\n".join([rows("ada"), row]))

    assert set(states().values()) == {ACTIVE}
    assert [one.code for one in report.warnings] == ["MISSING_NOT_ENDED"]


def test_nobody_ends_when_there_is_no_file_of_enrollments(bring, class_of_four, states, small):
    bring(options=END, users=small["users"])
    bring(options=END, users=small["users"], enrollments="sourcedId\n")

    assert set(states().values()) == {ACTIVE}


def test_a_delta_refuses_to_end_who_is_missing(class_of_four, everything):
    before = everything()

    with pytest.raises(Conflict) as caught:
        class_of_four("ada", options=END, manifest="propertyName,value\nfile.enrollments,delta\n")

    assert caught.value.word == "DELTA_SAYS_NOTHING_OF_MISSING"
    assert everything() == before


# How many may change


@pytest.mark.parametrize(("limit", "is_done"), [("2", True), ("1", False), ("50%", True), ("49%", False)])
def test_more_changes_than_allowed_are_refused_as_a_whole(class_of_four, states, everything, limit, is_done):
    before = everything()
    options = Options(missing=Missing.END, max_changes=MaxChanges.parse(limit))

    if is_done:
        class_of_four("ada", "bob", options=options)
        assert list(states().values()).count(WITHDRAWN) == 2
        return
    with pytest.raises(TooManyChanges) as caught:
        class_of_four("ada", "bob", options=options, users="sourcedId\nzoe\n")

    assert caught.value.facts == {
        "allowed": 1, "joins": 0, "leaves": 2, "comesBack": 0, "moves": 0, "role": 0, "total": 2
    }  # fmt: skip
    assert everything() == before


def test_new_memberships_are_no_changes_of_those_here(bring_small):
    report = bring_small(options=Options(max_changes=MaxChanges.parse("0")))

    assert (report.changes.joins, report.changes.total) == (1, 0)


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ("e-ada,tobedeleted,cook-1,ada,student", "leaves"),
        ("e-ada,,cook-1,ada,teacher", "role"),
    ],
)
def test_ends_and_roles_count(class_of_four, change, kind):
    with pytest.raises(TooManyChanges) as caught:
        class_of_four(
            options=Options(max_changes=MaxChanges.parse("0")),
            enrollments="\n".join([rows("bob", "cid", "dan"), change]),
        )

    assert caught.value.facts[kind] == caught.value.facts["total"] == 1


def test_a_dry_run_tells_that_too_much_would_change(class_of_four, everything):
    before = everything()

    with pytest.raises(TooManyChanges):
        class_of_four(
            "ada",
            options=Options(missing=Missing.END, max_changes=MaxChanges.parse("1"), dry_run=True),
        )

    assert everything() == before
