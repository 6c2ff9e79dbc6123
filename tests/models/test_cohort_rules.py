"""When two cohort names are one."""

from __future__ import annotations

import unicodedata

import peewee
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.cohorts import Cohort, name_key
from models.database import writing
from models.errors import Conflict, Invalid, NotFound
from models.sample import NOBODY


@given(st.text(max_size=12))
def test_the_key_of_a_name_is_that_of_every_spelling(name):
    key = name_key(name)

    spellings = [key, f" \t{name}\u3000", name.casefold(), unicodedata.normalize("NFKC", name)]
    assert {key} == {name_key(spelling) for spelling in spellings}


@given(st.lists(st.text("abÄß", min_size=1, max_size=4), min_size=1, max_size=4))
def test_blanks_collapse(words):
    assert name_key(" ".join(words)) == name_key("\u00a0 \r\n".join(words))


@pytest.mark.parametrize("name", ["Mon\u200bday", "\ufeffMONDAY\u2060", "mo\u00adn\u202eday"])
def test_characters_without_width_count_for_nothing(name):
    assert name_key(name) == name_key("Monday")


def test_two_cohorts_of_one_name_can_not_be_in_a_program(make_program):
    program = make_program()
    with writing():
        cohort = Cohort.confirm(program.id, "Monday")

    with pytest.raises(peewee.IntegrityError), writing():
        Cohort.add(program=program.id, name="MONDAY", name_key=cohort.name_key)


@pytest.mark.parametrize("name", [" \t", "\u200b", " \ufeff\u3164 "])
def test_a_name_of_nothing_that_is_seen_is_refused_by_whatever_route(make_program, name):
    with pytest.raises(Invalid) as caught:
        Cohort.confirm(make_program().id, name)

    assert list(caught.value.facts["fields"]) == ["cohort_name"]


def test_a_cohort_is_found_in_its_own_program_only(make_program):
    program, other = make_program(), make_program()
    with writing():
        cohort = Cohort.confirm(program.id, "Monday")

    assert cohort == Cohort.of(cohort.id, program.id)
    with pytest.raises(Conflict):
        Cohort.of(cohort.id, other.id)
    with pytest.raises(NotFound):
        Cohort.of(NOBODY, program.id)
