"""SQLite looks up, by an index, what every kind of term names: the plans of the statements are read."""

from __future__ import annotations

import re

import pytest

from models import sample
from models.database import database
from models.memberships import MembershipRole
from models.query.compiler import Compiled, edge
from models.query.syntax import parse
from models.query.tree import PLACES, Language, Noun, Phase, SortField, Tie
from models.query.vocabulary import SORT_FIELDS
from tests.query.test_right import with_ids

IDS = {
    Noun.PROGRAMS: (sample.SPRING, sample.BREAD),
    Noun.KIND: (sample.COOKING, sample.BAKING),
    Noun.PROGRAM_KIND_ACTIVE: (sample.COOKING, sample.BAKING),
    Noun.USERS: (sample.ADA, sample.ALAN),
    Noun.GROUPS: (sample.STAFF, sample.FRIENDS),
    Noun.CHANNELS: (sample.NEWS, sample.COOKS),
    Noun.LABELS: (sample.ALUMNI, sample.VEGETARIAN),
    Noun.ACTIVE: (sample.SPRING, sample.COOKING),
    Noun.COHORTS: (sample.MONDAY, sample.TUESDAY),
}
WORDS = {noun: ("a@example.org", "b@example.org") if noun is Noun.USERS else ("a", "b") for noun in Noun}
WORDS[Noun.COHORTS] = ()  # they have no handles

TERMS = [
    *(
        f"{given} {noun} [{', '.join(items)}]"
        for noun in Noun
        for items in (
            IDS[noun][:1],
            IDS[noun],
            WORDS[noun][:1],
            WORDS[noun],
            (*IDS[noun], *WORDS[noun]),
        )
        if items
        for given in ("given", "except")
    ),
    *(
        f"{given} {noun} [{IDS[noun][0]}] with [active, completed]"
        for noun in PLACES
        for given in ("given", "except")
    ),
    "given no cohort",
    *(f"{tie} as {{ADA}}" for tie in Tie),
    *(f"program {phase} from today as year" for phase in Phase),
    *(f"program {phase} from today as year with [active, completed]" for phase in Phase),
    "all admin",
    "id:{ADA}",
]
# Everybody may be looked at, one after the other; and so may all users, by what `where` compares.
OF_ALL = ["all users", "status = retired", "where first is 'ada' and joined before today", "limit 5"]

NATURAL = {
    Language.USERS: "SCAN u USING INDEX user_created_at_id",
    Language.PROGRAMS: "SCAN p USING INDEX program_start_date_name_id",
    Language.PARTICIPANTS: "SCAN m USING INDEX sqlite_autoindex_membership_1",
}


def scans(statement) -> set[str]:
    """The tables that are looked at from end to end, and those that SQLite makes an index of for once."""
    rows = database.execute_sql(f"EXPLAIN QUERY PLAN {statement.sql}", [None] * len(statement.params))
    details = [row[3] for row in rows]
    found = {detail.replace("COVERING ", "") for detail in details if detail.startswith("SCAN ")}
    made = {detail for detail in details if "AUTOMATIC" in detail}
    return {one for one in found if not re.match(r"SCAN (json_each|CONSTANT ROW|\()", one)} | made


def compiled(text: str, language: Language) -> Compiled:
    return Compiled(parse(with_ids(text), language), language)


every_language = pytest.mark.parametrize("language", Language)


@pytest.mark.sample
@every_language
@pytest.mark.parametrize("role", [None, *MembershipRole])
def test_a_term_is_looked_up(world, language, role):
    for text in TERMS:
        query = compiled(text if role is None else f"{text}, participant = {role}", language)
        everything = frozenset(range(len(query.parts)))
        leads = query.leads(everything)

        assert leads == ("except" not in text), text
        # By its list; by tests of the first rows of all; by tests of all rows.
        assert scans(query.statement(everything)) == (set() if leads else {NATURAL[language]}), text
        assert scans(query.statement(frozenset(), in_head=True)) == set(), text
        assert scans(query.statement(frozenset())) <= {NATURAL[language]}, text
        asked = [number for number in everything if query.parts[number].is_few is not None]
        assert not asked or scans(query.questions(asked)) == set(), text


@pytest.mark.sample
@every_language
@pytest.mark.parametrize("sign", [" ^ ", ", "])
def test_terms_together_are_looked_up(world, language, sign):
    for first, second in zip(TERMS, TERMS[7:] + TERMS[:7], strict=True):
        text = first + sign + second
        query = compiled(text, language)
        everything = frozenset(range(len(query.parts)))
        leads = query.leads(everything)
        may_scan = not leads or (language is Language.PROGRAMS and "program " in text)  # wide ranges of days

        assert leads == ("except" not in first or "except" not in second), text
        assert scans(query.statement(everything)) <= ({NATURAL[language]} if may_scan else set()), text
        assert scans(query.statement(frozenset(), in_head=True)) == set(), text


@pytest.mark.sample
@every_language
@pytest.mark.parametrize("field", SortField)
def test_what_is_sorted_is_looked_up_first(world, language, field):
    if field in SORT_FIELDS[language]:
        query = compiled(f"given labels [alumni] sort by {field} desc limit 5", language)

        assert scans(query.statement(frozenset([0]))) == set()


@pytest.mark.sample
@every_language
@pytest.mark.parametrize("text", OF_ALL)
def test_everybody_is_looked_at_in_the_order_that_is_wanted(world, language, text):
    query = compiled(text, language)

    assert scans(query.statement(frozenset())) <= {NATURAL[language]}
    assert scans(query.statement(frozenset(), in_head=True)) == set()


@pytest.mark.sample
@every_language
def test_the_edge_of_the_first_rows_is_found_in_an_index(world, language):
    assert {NATURAL[language].split()[-1]} == {one.split()[-1] for one in scans(edge(language))}
