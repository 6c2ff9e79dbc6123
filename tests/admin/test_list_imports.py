"""admin.ListImports, and what is kept of imports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from client import RpcError
from models import clock, imports
from models.audit import Audit
from models.errors import Conflict
from models.imports import FINDINGS_AT_MOST, ImportOutcome, RosterFinding, RosterImport, recorded

DAY = datetime(2026, 3, 10, 3, tzinfo=UTC)


def finding(**members):
    usual = {"file": "users.csv", "line": 2, "field": "email", "code": "BAD_EMAIL", "message": "No email."}
    return usual | members


@pytest.fixture
def keep(world):
    """Record an import; returns its id."""

    def record(at=DAY, **report):
        return str(imports.record(report, at=at, source="sis"))

    return record


def ids(rows):
    return [row["id"] for row in rows]


def test_an_import_is_shown_whole(client, keep):
    report = {
        "source": "sis",
        "dryRun": False,
        "requestId": "0199-1",
        "counts": {"users.csv": {"created": 3, "refused": 1}},
        "refusals": [finding()],
        "warnings": [finding(line=3), finding(line=4)],
    }
    kept = keep(**report)

    [row] = client.admin.list_imports()

    assert row == {
        "id": kept,
        "at": "2026-03-10T03:00:00.000Z",
        "finishedAt": "2026-03-10T12:00:00.000Z",
        "source": "sis",
        "requestId": "0199-1",
        "outcome": "done",
        "error": None,
        "refused": 1,
        "warnings": 2,
        "report": report,
    }
    assert (row.outcome, row.at, row.report) == (ImportOutcome.DONE, DAY, report)


def test_imports_come_newest_first_in_pages_that_follow_each_other(client, keep):
    newest_first = [keep() for _ in range(5)][::-1]

    first = ids(client.admin.list_imports(limit=2))
    second = ids(client.admin.list_imports(limit=2, after=first[-1]))
    keep()  # while somebody turns the pages
    third = ids(client.admin.list_imports(limit=2, after=second[-1]))

    assert [first, second, third] == [newest_first[:2], newest_first[2:4], newest_first[4:]]
    assert [] == client.admin.list_imports(after=third[-1])


def test_ten_imports_are_listed_unless_more_are_asked_for(client, keep):
    for _ in range(12):
        keep()

    assert (10, 12) == (len(client.admin.list_imports()), len(client.admin.list_imports(limit=100)))


def test_each_report_has_its_own_findings_in_their_order(client, keep):
    for night in range(3):
        keep(refusals=[finding(line=line, message=f"night {night}") for line in (9, 2, 5)])

    for night, row in zip((2, 1, 0), client.admin.list_imports(), strict=True):
        assert [(9, f"night {night}"), (2, f"night {night}"), (5, f"night {night}")] == [
            (one["line"], one["message"]) for one in row["report"]["refusals"]
        ]


def test_findings_beyond_what_is_kept_are_counted(client, keep):
    keep(refusals=[finding()] * (FINDINGS_AT_MOST + 7), sums={"warnings": {"BAD_EMAIL": 20_000, "X": 1}})

    [row] = client.admin.list_imports()

    assert (FINDINGS_AT_MOST + 7, 20_001) == (row["refused"], row["warnings"])
    assert FINDINGS_AT_MOST == len(row["report"]["refusals"])


def test_text_that_is_no_text_does_not_keep_a_report_from_being_kept(client, keep):
    keep(refusals=[finding(cell="a\udcffb")])

    [row] = client.admin.list_imports()

    assert "a?b" == row["report"]["refusals"][0]["cell"]


@pytest.mark.parametrize(("member", "value"), [("limit", 0), ("limit", 101), ("after", "x"), ("offset", 1)])
def test_what_is_wrong_is_refused_by_name(client, member, value):
    with pytest.raises(RpcError) as caught:
        client.call("admin.ListImports", **{member: value})

    assert [member] == list(caught.value.fields)


# What becomes of an import


def test_an_import_that_runs_to_its_end_is_done(world):
    with recorded("sis") as keep:
        keep({"counts": {}})

    [kept] = RosterImport.newest(10)
    assert (ImportOutcome.DONE, None, "sis") == (kept.outcome, kept.error, kept.source)


def test_an_import_that_is_refused_as_a_whole_says_why_by_a_code_and_facts(world):
    with pytest.raises(Conflict), recorded("sis"):
        raise Conflict("TOO_MANY_CHANGES", "Too many, in /a/secret/place", allowed=5, leaves=90)

    [kept] = RosterImport.newest(10)
    assert (ImportOutcome.REFUSED, "TOO_MANY_CHANGES") == (kept.outcome, kept.error)
    assert {"code": "TOO_MANY_CHANGES", "allowed": 5, "leaves": 90} == kept.report["error"]
    assert "secret" not in kept.summary


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt])
def test_an_import_that_is_broken_off_has_failed(world, error):
    def fail():
        with recorded("sis") as keep:
            keep({"requestId": "0199-1"})
            raise error

    with pytest.raises(error):
        fail()

    [kept] = RosterImport.newest(10)
    assert (ImportOutcome.FAILED, "0199-1") == (kept.outcome, kept.request_id)


def test_no_row_of_an_import_is_for_the_audit(keep):
    keep(refusals=[finding()])

    assert 0 == Audit.select().count()


def test_imports_go_with_their_findings_when_they_are_old(keep):
    keep(at=clock.now() - timedelta(days=31), refusals=[finding(), finding()])
    young = keep(at=clock.now() - timedelta(days=29), refusals=[finding()])

    removed = [RosterImport.purge(clock.now() - timedelta(days=30), 1.0) for _ in range(2)]

    assert [1, 0] == removed
    assert [young] == [str(one.id) for one in RosterImport.newest(10)]
    assert 1 == RosterFinding.select().count()


# Erasing


@pytest.mark.parametrize(
    "mention",
    [
        {"sourced_id": "u-1"},
        {"cell": " ADA@Example.org "},
        {"who": "Ada Lovelace"},
        {"who": "Countess Šárka “C.” Lovelace"},
        {"message": "ADA@EXAMPLE.ORG is the address of u-2."},
        {"message": "There is no user u-1 in the file"},
        {"cell": "+44 20 7946 0000"},
    ],
    ids=lambda mention: next(iter(mention)),
)
def test_erasing_a_user_removes_the_findings_that_mention_them(client, make_user, keep, mention):
    user = make_user(
        email="Ada@example.org",
        sourced_id="u-1",
        first="Ada",
        last="Lovelace",
        name="Countess Šárka “C.” Lovelace",
        mobile="+44 20 7946 0000",
    )
    others = [
        finding(sourced_id="u-2", who="Bob Lovelace"),
        finding(cell="nada@example.org"),
        finding(sourced_id="u-11", message="u-10"),
    ]
    keep(refusals=[finding(**mention), *others], warnings=[finding(**mention)])

    client.admin.erase_user(user.id)

    [row] = client.admin.list_imports()
    assert (others, []) == (row["report"]["refusals"], row["report"]["warnings"])
    assert (4, 1) == (row["refused"], row["warnings"])


def test_erasing_somebody_without_a_name_removes_nothing(client, make_user, keep):
    user = make_user(email=None, first=None, last=None)
    keep(refusals=[finding()])

    client.admin.erase_user(user.id)

    assert 1 == RosterFinding.select().count()


def test_an_unknown_id_shows_no_import(world):
    assert RosterImport.with_report(UUID(str(uuid4()))) is None
