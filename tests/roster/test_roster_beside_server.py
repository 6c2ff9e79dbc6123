"""An import beside a server that others write to at the same time: both get through."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest

from client import Client
from models.database import database
from models.memberships import Membership
from models.people import User
from models.roster import Options, import_oneroster
from models.tokens import Scope

PEOPLE = 4_000
WRITERS = 6


@pytest.fixture
def large_set(write_set, small):
    """A set with thousands of users, each enrolled."""
    users = "".join(f"u{number},User,{number},u{number}@example.org,vip\n" for number in range(PEOPLE))
    enrolled = "".join(f"e{number},cook-1,u{number},student,Monday\n" for number in range(PEOPLE))
    return write_set(
        **small
        | {
            "users": "sourcedId,givenName,familyName,email,metadata.labels\n" + users,
            "enrollments": "sourcedId,classSourcedId,userSourcedId,role,metadata.cohort\n" + enrolled,
        }
    )


class Load:
    """Clients that write on and on until told to stop, and note how long each call took."""

    def __init__(self, url, secret):
        self.seconds: list[float] = []
        self.errors: list[Exception] = []
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._write, args=(url, secret, n)) for n in range(WRITERS)]

    def _write(self, url, secret, number):
        client = Client(url, secret)
        while not self._end.is_set():
            start = time.perf_counter()
            try:
                assert client.create_user(f"new-{number}-{len(self.seconds)}-{start}@example.com") is True
            except Exception as error:
                self.errors.append(error)
                return
            self.seconds.append(time.perf_counter() - start)

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for thread in self._threads:
            thread.join()


def test_an_import_and_a_server_under_load_both_get_through(world, server, large_set):
    with Load(server.url, world.secrets[Scope.ADMIN]) as load:
        report = import_oneroster(large_set)

    assert load.errors == []
    assert (report.refusals, report.counts["enrollments.csv"].created) == ([], PEOPLE)
    assert Membership.select().count() == PEOPLE
    assert User.select().count() == PEOPLE + len(load.seconds)
    assert len(load.seconds) > WRITERS


@pytest.fixture
def statements(world):
    """What the test's connection is told to do, row by row."""
    told = []

    def trace(cursor, sql, bindings):
        told.append(sql.split(None, 1)[0].rstrip(";").upper())
        return True

    database.connection().exec_trace = trace
    return told


def test_an_import_is_many_short_transactions(large_set, statements):
    connection, committed = database.connection(), []
    connection.set_commit_hook(lambda: bool(committed.append(connection.total_changes())))

    import_oneroster(large_set)

    sizes = [after - before for before, after in pairwise([0, *committed])]
    assert len(sizes) == statements.count("BEGIN")
    assert sum(sizes) > PEOPLE * 4  # users with a label, memberships with history
    assert max(sizes) <= 400 * 4


def test_a_dry_run_only_reads_what_the_server_writes(large_set, statements):
    import_oneroster(large_set, Options(dry_run=True))

    assert set(statements) <= {"SELECT"}
    assert not User.select().exists()
