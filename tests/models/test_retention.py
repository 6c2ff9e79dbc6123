"""How long the audit is kept."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from client import Client
from models import clock, retention
from models.audit import Audit
from models.database import writing
from models.ids import new_id
from models.memberships import MembershipChange
from models.repeats import KEPT, KeptAnswer, Repeats
from models.retention import Retention
from models.tokens import Scope
from models.writer import Writer
from tests.waiting import FAR, until


@pytest.fixture
def aged(make_audit):
    """A row of the audit that is so old."""
    return lambda **age: make_audit(at=clock.now() - timedelta(**age)).id


@pytest.fixture
def writer(world):
    made = Writer()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def keep(writer):
    """Have the audit kept for some days."""
    started = []

    def start(days, **options):
        started.append(Retention(writer, days, **options))
        started[-1].start()

    yield start
    for one in started:
        one.stop()


def kept():
    return {row.id for row in Audit.select(Audit.id)}


def wait_until_kept(ids):
    until(lambda: kept() == set(ids))
    return kept()


def many_old(count, touched=1):
    """Many rows that are a year old."""
    at = clock.now() - timedelta(days=365)
    row = {"at": at, "token_id": None, "acting_user_id": None, "request_id": "", "method": "core.AddToGroup"}
    ids = " ".join(str(new_id()) for _ in range(touched))
    with writing():
        Audit.append([row | {"id": new_id(), "touched": ids} for _ in range(count)])


def test_what_is_older_goes_and_what_is_not_stays(aged, keep):
    aged(days=31)
    aged(days=30, seconds=1)
    young = [aged(days=30), aged(days=1)]

    keep(30)

    assert set(young) == wait_until_kept(young)


def test_what_becomes_old_goes_as_well(aged, keep):
    first, second = aged(days=9), aged(days=5)
    keep(10, every=0.01)

    clock.set_to(clock.now() + timedelta(days=2))

    assert {second} == wait_until_kept([second])
    assert first not in kept()


def test_zero_days_keep_everything_for_ever(aged, keep, writer):
    old = aged(days=30_000)
    keep(0, every=0.01)
    told = threading.Event()

    writer.submit([lambda: None], lambda outcomes: told.set())

    assert told.wait(FAR)
    assert {old} == kept()


def test_many_rows_go_in_pieces_of_their_own_transactions(keep):
    many_old(5_000)
    sizes = []

    keep(30)

    until = time.monotonic() + FAR
    while (left := Audit.select().count()) and time.monotonic() < until:
        sizes.append(left)
    assert 0 == left
    assert len(set(sizes)) > 3


def test_a_piece_ends_when_its_time_is_over_however_large_the_rows_are(world):
    many_old(1_000, touched=1_000)

    with writing():
        removed = Audit.purge(clock.now(), 0.003)

    assert 0 < removed < 1_000


def test_a_piece_may_have_nothing_to_remove(aged):
    aged(days=1)

    with writing():
        assert 0 == Audit.purge(clock.now() - timedelta(days=2), 0.003)


def test_the_oldest_go_first(world, aged):
    many_old(200, touched=1_000)
    young = aged(days=100)

    with writing():
        Audit.purge(clock.now(), 0.0)

    assert 200 == Audit.select().count()
    assert young in kept()


def test_a_command_removes_all_that_is_old(aged):
    many_old(2_500)
    young = aged(days=29)

    assert 2_500 == retention.purge(30)
    assert {young} == kept()


def test_the_history_of_a_membership_is_never_removed(aged, keep, make_membership):
    clock.set_to(clock.now() - timedelta(days=365))
    member = make_membership()
    aged(days=1)
    clock.set_to(clock.now() + timedelta(days=365))

    keep(30)

    assert set() == wait_until_kept([])
    assert [member.last_change_id] == [row.id for row in MembershipChange.select()]


def test_it_ends_at_once_when_told_to_stop(keep, writer):
    many_old(20_000)
    keeper = Retention(writer, 30)
    keeper.start()

    keeper.stop()

    assert Audit.select().exists()


def test_a_server_removes_what_is_old_by_its_setting(serve, aged):
    aged(days=8)
    young = aged(days=6)

    serve(audit_days=7)

    assert {young} == wait_until_kept([young])


def test_a_server_answers_while_it_removes(serve, world):
    many_old(20_000)
    server = serve(audit_days=7)
    client = Client(server.url, world.secrets[Scope.WRITE])

    made = [client.create_user(f"user{number}@example.org") for number in range(20)]

    assert [True] * 20 == made
    assert Audit.select().where(Audit.method == "core.AddToGroup").exists()  # it was not done yet


def test_answers_that_are_not_given_any_more_go_even_where_the_audit_stays(aged, keep):
    old = aged(days=1000)
    with writing():
        for number in range(120):
            KeptAnswer.keep(Repeats(None, str(number)), b"asked", b"answer")
            if number == 119:
                KeptAnswer.update(at=clock.now() - KEPT - timedelta(seconds=1)).execute()
        KeptAnswer.keep(young := Repeats(None, "young"), b"asked", b"answer")

    keep(0)

    until(lambda: KeptAnswer.select().count() <= 1)
    assert [one.id for one in KeptAnswer.select()] == [young.id]
    assert kept() == {old}
