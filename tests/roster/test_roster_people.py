"""Who a row of users.csv is, and whose an address is, decided over the whole file."""

from __future__ import annotations

import itertools
from uuid import UUID

import pytest

from models.database import writing
from models.identities import RosterId
from models.people import User, UserStatus
from models.roster import Match, Options, export_oneroster, import_oneroster
from models.roster.columns import row_id
from models.tickets import Ticket, TicketState

HEADER = "sourcedId,givenName,status,email"


def users(*rows):
    return "\n".join([HEADER, *rows])


def emails():
    return {user.sourced_id: user.email for user in User.select()}


def codes(report):
    return [(one.sourced_id, one.code) for one in report.warnings]


@pytest.fixture
def holder(user):
    """The sourcedId of the user who has an email."""

    def find(email):
        found = User.with_email(email)
        return found and found.sourced_id

    return find


# Who is here already


def test_a_user_without_sourced_id_is_found_by_the_email(bring, make_user):
    made = make_user(email="Ada@example.org", first=None)

    report = bring(users=users("ada,Ada,,ada@example.org"))

    [found] = User.select()
    assert (found.id, found.first, found.sourced_id, found.email) == (
        made.id,
        "Ada",
        "ada",
        "Ada@example.org",
    )
    assert (report.counts["users.csv"].matched, report.counts["users.csv"].created) == (1, 0)
    assert (report.refusals, report.warnings) == ([], [])


def test_the_next_import_finds_the_user_again_also_under_another_email(bring, make_user, everything):
    made = make_user(email="ada@example.org")
    bring(users=users("ada,Ada,,ada@example.org"))
    before = everything()

    again = bring(users=users("ada,Ada,,ada@example.org"))
    unchanged = everything() == before
    bring(users=users("ada,Ada,,countess@example.org"))

    assert unchanged
    assert (again.counts["users.csv"].unchanged, again.counts["users.csv"].matched) == (1, 0)
    [found] = User.select()
    assert (found.id, found.email) == (made.id, "countess@example.org")


def test_a_buyer_whom_a_shop_made_is_in_the_class_with_their_ticket(
    bring_small, small, make_user, program, user, membership
):
    """Case: a shop sold a place to somebody whom the school brings the night after."""
    bring_small(users="sourcedId\n", enrollments="sourcedId,classSourcedId,userSourcedId\n")
    made = make_user(email="ada@example.org")
    with writing():
        Ticket.buy(made.id, None, program().kind_id)

    report = bring_small()

    assert report.refusals == []
    [found] = User.select()
    [ticket] = Ticket.select()
    assert (found.id, ticket.state, ticket.program_id) == (made.id, TicketState.CONSUMED, program().id)


def test_what_people_changed_of_a_user_who_was_found_stays(bring, make_user):
    make_user(email="ada@example.org")
    bring(users=users("ada,Ada,,ada@example.org"))
    with writing():
        User.get().edit(first="Augusta")

    bring(users=users("ada,Ada,,ada@example.org"))

    assert User.get().first == "Augusta"


def test_with_match_none_nobody_is_found_by_email(bring, make_user):
    make_user(email="ada@example.org")

    report = bring(options=Options(match=Match.NONE), users=users("ada,Ada,,ada@example.org"))

    assert User.select().count() == 2
    assert codes(report) == [("ada", "EMAIL_TAKEN")]


def test_with_match_email_users_of_other_sources_are_found(bring, everything):
    bring(source="north", users=users("n1,Ada,,ada@example.org"))
    south = Options(source="south", match=Match.EMAIL)

    without = bring(source="other", users=users("o1,Ada,,ada@example.org"))
    report = bring(options=south, users=users("s1,Ada,,ada@example.org"))

    assert codes(without) == [("o1", "EMAIL_TAKEN")]
    assert report.counts["users.csv"].matched == 1
    found = User.with_email("ada@example.org")
    assert (found.sourced_id, found.id) == ("n1", row_id("north", "user", "n1"))
    before = everything()
    bring(source="north", users=users("n1,Ada,,ada@example.org"))
    bring(options=south, users=users("s1,Ada,,ada@example.org"))
    assert everything() == before


def test_two_sources_of_one_user_do_not_take_each_other_s_words_for_news(bring, make_user):
    make_user(email="ada@example.org")
    south = Options(source="south", match=Match.EMAIL)
    bring(source="north", users=users("n1,Ada,,ada@example.org"))
    bring(options=south, users=users("s1,Augusta,,ada@example.org"))

    bring(source="north", users=users("n1,Ada,,ada@example.org"))

    assert User.get().first == "Augusta"


def test_an_email_that_several_new_rows_have_finds_nobody(bring, make_user):
    made = make_user(email="parent@example.org")

    report = bring(users=users("ann,Ann,,parent@example.org", "ben,Ben,,parent@example.org"))

    assert User.with_email("parent@example.org").id == made.id
    assert codes(report) == [("ann", "EMAIL_TAKEN"), ("ben", "EMAIL_TAKEN")]
    assert User.select().count() == 3


@pytest.mark.parametrize("match", Match)
def test_a_sourced_id_that_people_gave_counts_for_the_source_that_first_brings_it(
    bring_small, make_user, match, program
):
    made = make_user(email="ada@example.org", sourced_id="ada")

    bring_small(options=Options(source="north", match=match))
    bring_small(options=Options(source="south", match=match))

    found = {(one.source, one.user_id) for one in RosterId.select()}
    assert ("north", made.id) in found
    assert ("south", made.id) not in found or match is Match.EMAIL
    assert made.memberships.count() >= 1


def test_enrollments_find_a_user_to_whom_people_gave_the_sourced_id(bring_small, small, make_user):
    made = make_user(sourced_id="ada")
    files = {name: content for name, content in small.items() if name != "users"}

    report = bring_small(**files, users="sourcedId\n")

    assert report.refusals == []
    assert made.memberships.count() == 1


def test_an_erased_user_who_was_found_by_email_stays_erased(bring, make_user, everything):
    make_user(email="ada@example.org")
    bring(users=users("ada,Ada,,ada@example.org"))
    with writing():
        User.get().erase()
    before = everything()

    report = bring(users=users("ada,Augusta,,ada@example.org"))

    assert everything() == before
    assert report.counts["users.csv"].unchanged == 1
    assert RosterId.get().imported is None


def test_a_retired_user_who_is_found_by_email_is_active_since_the_file_says_so(bring, make_user):
    make_user(email="ada@example.org", status=UserStatus.RETIRED)

    bring(users=users("ada,Ada,,ada@example.org"))

    assert [user.status for user in User.select()] == [UserStatus.ACTIVE]


# Whose an address is


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("rows_at_once", [1, 400])
def test_users_may_swap_their_addresses(bring, turned, rows_at_once):
    bring(users=users("a,Ann,,ann@example.org", "b,Ben,,ben@example.org"))
    rows = ["a,Ann,,ben@example.org", "b,Ben,,ann@example.org"]

    report = bring(
        options=Options(rows_at_once=rows_at_once), users=users(*(reversed(rows) if turned else rows))
    )

    assert emails() == {"a": "ben@example.org", "b": "ann@example.org"}
    assert (report.warnings, report.counts["users.csv"].updated) == ([], 2)


@pytest.mark.parametrize("order", [*itertools.permutations(range(3))])
def test_an_address_is_handed_on_to_a_new_user_and_that_one_s_to_another(bring, order):
    bring(users=users("a,Ann,,office@example.org", "b,Ben,,ben@example.org"))
    rows = ["a,Ann,,ann@example.org", "b,Ben,,office@example.org", "c,Cid,,ben@example.org"]

    report = bring(users=users(*(rows[place] for place in order)))

    assert emails() == {"a": "ann@example.org", "b": "office@example.org", "c": "ben@example.org"}
    assert report.warnings == []


def test_after_a_swap_a_second_import_changes_nothing(bring, everything):
    bring(users=users("a,Ann,,ann@example.org", "b,Ben,,ben@example.org"))
    files = {"users": users("a,Ann,,ben@example.org", "b,Ben,,ann@example.org")}
    bring(**files)
    before = everything()

    bring(**files)

    assert everything() == before


@pytest.mark.parametrize("turned", [False, True])
def test_siblings_with_a_parent_s_address_come_in_and_the_first_has_it(bring, turned, everything):
    rows = ["ann,Ann,,parent@example.org", "ben,Ben,,parent@example.org"]
    files = {"users": users(*(reversed(rows) if turned else rows))}

    report = bring(**files)

    assert emails() == {"ann": "parent@example.org", "ben": None}
    [warning] = report.warnings
    assert (warning.code, warning.sourced_id, warning.who) == ("EMAIL_TAKEN", "ben", "Ben")
    assert warning.cell == "parent@example.org"
    assert "Ann (ann)" in warning.message
    before = everything()
    assert codes(bring(**files)) == codes(report)
    assert everything() == before


def test_who_went_without_gets_the_address_once_it_is_free(bring):
    bring(users=users("ann,Ann,,parent@example.org", "ben,Ben,,parent@example.org"))

    report = bring(users=users("ann,Ann,,ann@example.org", "ben,Ben,,parent@example.org"))

    assert emails() == {"ann": "ann@example.org", "ben": "parent@example.org"}
    assert report.warnings == []


@pytest.mark.parametrize("turned", [False, True])
def test_a_retired_user_yields_the_address_to_an_active_one(bring, turned, everything):
    bring(users=users("old,Ann,,office@example.org"))
    rows = ["old,Ann,tobedeleted,office@example.org", "new,Ben,,office@example.org"]
    files = {"users": users(*(reversed(rows) if turned else rows))}

    report = bring(**files)

    assert emails() == {"old": None, "new": "office@example.org"}
    assert report.warnings == []
    before = everything()
    bring(**files)
    assert everything() == before


def test_one_whom_people_retired_yields_too_and_claims_the_address_when_back(bring, user):
    bring(users=users("old,Ann,,office@example.org"))
    with writing():
        user("old").edit(status=UserStatus.RETIRED)
    bring(users=users("new,Ben,,office@example.org"))
    yielded = emails()
    with writing():
        user("old").edit(status=UserStatus.ACTIVE)

    report = bring(users=users("old,Ann,,office@example.org", "new,Ben,,ben@example.org"))

    assert yielded == {"old": None, "new": "office@example.org"}
    assert emails() == {"old": "office@example.org", "new": "ben@example.org"}
    assert report.warnings == []


def test_a_retired_row_does_not_take_an_address_from_an_active_user(bring, make_user):
    made = make_user(email="office@example.org", sourced_id="x", imported="{}")

    report = bring(users=users("old,Ann,tobedeleted,office@example.org"))

    assert User.with_email("office@example.org").id == made.id
    assert codes(report) == []


def test_who_cannot_get_a_new_address_keeps_the_old_one_and_nobody_else_gets_that(bring):
    bring(users=users("a,Ann,,ann@example.org", "b,Ben,,ben@example.org"))

    report = bring(users=users("a,Ann,,ben@example.org", "b,Ben,,ben@example.org", "c,Cid,,ann@example.org"))

    assert emails() == {"a": "ann@example.org", "b": "ben@example.org", "c": None}
    assert codes(report) == [("a", "EMAIL_TAKEN"), ("c", "EMAIL_TAKEN")]


def test_tickets_that_wait_for_a_new_address_become_the_user_s_who_hands_the_old_one_on(
    bring, make_kind, make_ticket, holder
):
    bring(users=users("a,Ann,,ann@example.org", "b,Ben,,ben@example.org"))
    make_ticket(make_kind().id, email="new@example.org")

    bring(users=users("a,Ann,,new@example.org", "b,Ben,,ann@example.org"))

    assert Ticket.get().user_id == row_id("default", "user", "a")
    assert holder("ann@example.org") == "b"


def test_the_ids_of_users_who_were_found_go_on_in_another_database(
    bring, make_user, tmp_path, empty_database
):
    made = make_user(email="ada@example.org")
    bring(users=users("ada,Ada,,ada@example.org"))
    with writing():
        User.get().edit(first="Augusta")
    export_oneroster(tmp_path / "export")

    (tmp_path / "nightly").mkdir()
    (tmp_path / "nightly" / "users.csv").write_text(users("ada,Ada,,ada@example.org"))
    with empty_database():
        import_oneroster(tmp_path / "export")
        import_oneroster(tmp_path / "nightly")
        [found] = User.select()

    assert (UUID(str(found.id)), found.first) == (made.id, "Augusta")


def test_a_report_says_nothing_of_an_erased_user_whom_the_files_still_have(bring_small, small, user):
    bring_small()
    with writing():
        user("ada").erase()

    report = bring_small(
        users="sourcedId,givenName,familyName,email,enabledUser\nada,Ada,Lovelace,n/a,perhaps\n",
        enrollments="sourcedId,classSourcedId,userSourcedId,beginDate\ne9,nowhere,ada,soon\n",
    )

    assert "Lovelace" not in report.as_json()
    assert report.sums["warnings"] == {"BAD_FLAG": 1}
