"""What a caller of an import chooses."""

from __future__ import annotations

import pytest

from models.roster.options import MaxChanges


@pytest.mark.parametrize("text", ["0", "50", "5%", "2.5%", " 7 ", "5 %", "100%"])
def test_a_limit_is_a_number_or_a_percentage(text):
    assert str(MaxChanges.parse(text)) == text.replace(" ", "")


@pytest.mark.parametrize("text", ["", "%", "-1", "1.5", "5%%", "five", "1e3", "٣", "50,", "5 percent"])
def test_what_is_no_limit_is_told_with_how_one_is_written(text):
    with pytest.raises(ValueError, match="a number such as 50 nor a percentage such as 5%"):
        MaxChanges.parse(text)


@pytest.mark.parametrize(
    ("text", "active", "allowed"),
    [
        ("50", 10, 50),
        ("0", 10, 0),
        ("5%", 100, 5),
        ("5%", 119, 5),
        ("5%", 120, 6),
        ("2.5%", 40, 1),
        ("9%", 0, 0),
    ],
)
def test_a_percentage_is_one_of_the_active_memberships(text, active, allowed):
    assert MaxChanges.parse(text).of(active) == allowed
