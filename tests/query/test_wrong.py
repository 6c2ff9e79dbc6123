"""Every wrong query of cases.txt is refused, at its place and with its message."""

from __future__ import annotations

import pytest

from models.errors import QueryError
from models.query.syntax import parse
from tests.query.cases import Wrong, params


@pytest.mark.parametrize("case", params(Wrong))
def test_a_wrong_query_is_told_where_and_what_was_expected(case):
    with pytest.raises(QueryError) as caught:
        parse(case.text, case.language)

    error = caught.value
    assert (case.line, case.column) == (error.line, error.column)
    assert f"Line {case.line}, column {case.column}: {case.problem}" == error.message


def test_there_are_enough_wrong_queries():
    assert len(params(Wrong)) >= 80
