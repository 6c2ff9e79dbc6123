"""Connections and the one writer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import apsw
import peewee
import pytest

from models import database as module
from models.actor import Actor, acting
from models.audit import audited
from models.cohorts import Cohort
from models.database import Unsure, configure, connect_reader, connected, database
from models.errors import Busy, Conflict
from models.programs import Program
from models.writer import Checkpoints, Writer
from tests.waiting import FAR


class Submitted:
    """Calls given to a writer, and their outcomes once it has told them."""

    def __init__(self, writer: Writer, calls: Sequence[Callable[[], Any]]) -> None:
        self._told = threading.Event()
        self.at: float = 0.0
        writer.submit(calls, self._tell)

    def _tell(self, outcomes: list[Any]) -> None:
        self._outcomes = list(outcomes)
        self.at = time.monotonic()
        self._told.set()

    @property
    def outcomes(self) -> list[Any]:
        assert self._told.wait(FAR)
        return self._outcomes

    @property
    def kinds(self) -> list[Any]:
        """The value of each call, or the type of its error."""
        return [value if error is None else type(error) for value, error in self.outcomes]


@pytest.fixture
def writer(world) -> Iterator[Writer]:
    made = Writer()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def add(make_program) -> Callable[[str], Callable[[], bool]]:
    """A call that writes: a cohort of that name in the test's program."""
    program: Program = make_program()

    def call(name: str) -> Callable[[], bool]:
        def run() -> bool:
            with acting(Actor("test")):
                return bool(Cohort.confirm(program.id, name))

        return run

    return call


@pytest.fixture
def outside(world) -> Iterator[apsw.Connection]:
    """Another process's connection to the database."""
    connection = apsw.Connection(str(world.path))
    yield connection
    connection.close()


def names(connection: apsw.Connection) -> list[str]:
    return [name for (name,) in connection.execute("SELECT name FROM cohort ORDER BY id")]


def refuse() -> None:
    raise Conflict("HANDLE_TAKEN", "taken")


@pytest.fixture
def count_commits(writer) -> Callable[[], int]:
    """How often the writer's connection has committed since."""
    commits: list[None] = []

    def watch() -> None:
        # Called within the transaction that this watch begins in, which is therefore not counted.
        database.connection().set_commit_hook(lambda: bool(commits.append(None)), id="count")

    Submitted(writer, [watch]).outcomes  # noqa: B018  waits
    commits.clear()
    return lambda: len(commits)


# Connections


@pytest.mark.parametrize("read_only", [False, True])
def test_every_connection_is_durable_and_writes_ahead(read_only, world):
    database.close()

    with connected(read_only=read_only):
        found = [
            database.pragma(name) for name in ("synchronous", "journal_mode", "foreign_keys", "query_only")
        ]

    assert found == [2, "wal", 1, int(read_only)]


def test_a_reader_cannot_write(world):
    database.close()
    connect_reader()

    with pytest.raises(peewee.OperationalError, match="readonly"):
        database.execute_sql("DELETE FROM audit")


def test_the_writer_s_connection_is_durable_and_writes(writer):
    pragmas = Submitted(
        writer, [lambda: [database.pragma(name) for name in ("synchronous", "journal_mode", "query_only")]]
    )

    assert pragmas.kinds == [[2, "wal", 0]]


def test_sqlite_is_not_older_than_the_wal_mend():
    assert module.sqlite_version() >= module.SQLITE_AT_LEAST


# The writer


def test_who_is_answered_finds_the_write_committed(writer, add, outside):
    seen: list[list[str]] = []
    told = threading.Event()

    def done(outcomes: list[Any]) -> None:
        seen.append(names(outside))
        told.set()

    writer.submit([add("first")], done)
    assert told.wait(FAR)

    assert seen == [["first"]]


def test_calls_of_a_job_run_in_order_and_see_each_other(writer, add, outside):
    job = Submitted(
        writer, [add("a"), lambda: Cohort.select().count(), add("b"), lambda: Cohort.select().count()]
    )

    assert job.kinds == [True, 1, True, 2]


def test_a_call_that_fails_undoes_itself_and_nothing_else(writer, add, outside):
    def half() -> None:
        add("half")()
        refuse()

    job = Submitted(writer, [add("before"), half, add("after")])

    assert job.kinds == [True, Conflict, True]
    assert names(outside) == ["before", "after"]


def test_a_call_that_fails_leaves_the_other_callers_of_its_group(writer, add, outside, held):
    jobs = [Submitted(writer, [add("one")]), Submitted(writer, [refuse]), Submitted(writer, [add("two")])]
    held.set()

    assert [job.kinds for job in jobs] == [[True], [Conflict], [True]]
    assert names(outside) == ["one", "two"]


@pytest.fixture
def held(writer) -> Iterator[threading.Event]:
    """The writer waits within a group until this is set, so that more gathers behind it."""
    let_go, begun = threading.Event(), threading.Event()

    def hold() -> None:
        begun.set()
        let_go.wait(FAR)

    writer.submit([hold], lambda outcomes: None)
    assert begun.wait(FAR)
    yield let_go
    let_go.set()


def test_many_callers_share_a_commit(writer, add, count_commits, held):
    jobs = [Submitted(writer, [add(f"cohort {number}")]) for number in range(64)]

    held.set()

    assert [job.kinds for job in jobs] == [[True]] * 64
    assert count_commits() <= 32  # a few, really; on a slow machine a group holds less


def test_a_group_begins_as_a_writer(writer, outside, add, statements_of):
    job = Submitted(writer, [add("one")])

    assert job.kinds == [True]
    assert statements_of[0] == "BEGIN IMMEDIATE"
    assert statements_of[-1] == "commit;"


@pytest.fixture
def statements_of(writer) -> list[str]:
    """What the writer's connection is asked from now on."""
    told: list[str] = []
    ready = threading.Event()

    def watch() -> None:
        database.connection().exec_trace = lambda _, sql, values: told.append(sql) or True

    writer.submit([watch], lambda outcomes: ready.set())
    assert ready.wait(FAR)
    told.clear()
    return told


def test_a_long_job_does_not_keep_a_short_one_waiting(writer, add):
    long = Submitted(writer, [add(f"cohort {number}") for number in range(5000)])
    short = Submitted(writer, [add("short")])

    assert (short.kinds, len(long.kinds)) == ([True], 5000)
    assert short.at < long.at


def test_while_another_process_writes_the_answer_is_busy_and_nothing_is_kept(world, outside, add):
    configure(world.url, busy_seconds=0.1)
    writer = Writer()
    writer.start()
    outside.execute("BEGIN IMMEDIATE")

    refused = [Submitted(writer, [add("a"), add("b")]), Submitted(writer, [add("c")])]
    kinds = [job.kinds for job in refused]
    outside.execute("ROLLBACK")
    later = Submitted(writer, [add("later")])

    assert kinds == [[Busy, Busy], [Busy]]
    assert later.kinds == [True]
    assert names(outside) == ["later"]
    writer.stop()


def test_a_lock_that_ends_in_time_is_waited_for(writer, outside, add):
    outside.execute("BEGIN IMMEDIATE")
    job = Submitted(writer, [add("patient")])

    outside.execute("ROLLBACK")

    assert job.kinds == [True]


def test_a_full_disk_is_busy_and_the_writer_goes_on(writer, add, outside):
    def fill() -> None:
        database.pragma("max_page_count", database.pragma("page_count") + 5)
        for number in range(10_000):
            add(f"cohort {number} " + "x" * 200)()

    full = Submitted(writer, [add("with it"), fill, add("after it")])
    kinds = full.kinds
    room = Submitted(writer, [lambda: database.pragma("max_page_count", 1_000_000), add("later")])

    assert all(kind in (Busy, peewee.OperationalError, True) for kind in kinds)
    assert kinds[1] is not True
    assert room.kinds[1] is True
    kept = names(outside)
    assert [name for name in kept if name.startswith("cohort")] == []
    assert (("with it" in kept), ("after it" in kept)) == (kinds[0] is True, kinds[2] is True)


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, MemoryError, RecursionError])
def test_the_writer_outlives_any_exception(error, writer, add, outside):
    def fail() -> None:
        raise error

    failed = Submitted(writer, [fail]).kinds
    later = Submitted(writer, [add("later")])

    assert failed in ([Busy], [error])
    assert later.kinds == [True]


def test_a_commit_that_fails_is_busy_for_the_group_and_the_writer_goes_on(writer, add, outside):
    def watch() -> None:
        left = [1]  # of the commits to come, how many fail
        database.connection().set_commit_hook(lambda: bool(left and left.pop()), id="fail")

    failed = Submitted(writer, [watch, add("lost")])
    kinds = failed.kinds
    later = Submitted(writer, [add("later")])

    assert kinds == [Busy, Busy]
    assert later.kinds == [True]
    assert names(outside) == ["later"]


def test_a_commit_that_may_come_back_is_not_said_to_be_undone(writer, add, outside):
    left = [1]  # of the commits to come, how many fail

    def fail_late() -> bool:
        if left and left.pop():
            raise apsw.IOError("as when the log is written, and cannot be synced")
        return False

    def watch() -> None:
        database.connection().set_commit_hook(fail_late, id="fail")
        time.sleep(Writer.GROUP_SECONDS * 1.5)  # ends the group

    unsure = Submitted(writer, [watch, add("behind")])
    kinds = unsure.kinds
    later = Submitted(writer, [add("later")])

    assert kinds == [Unsure, Busy]
    assert later.kinds == [True]
    assert names(outside) == ["later"]


def test_of_a_long_job_what_was_committed_before_a_failure_stays_answered(writer, add, outside):
    def fail_next_commit() -> None:
        left = [1]
        database.connection().set_commit_hook(lambda: bool(left and left.pop()), id="fail")

    def long() -> bool:
        time.sleep(Writer.GROUP_SECONDS * 1.5)  # ends the group
        return add("kept")()

    job = Submitted(writer, [long, fail_next_commit, add("lost"), add("lost too")])

    assert job.kinds == [True, Busy, Busy, Busy]
    assert names(outside) == ["kept"]


def test_a_listener_that_fails_harms_nobody_else(writer, add):
    def gone(outcomes: list[Any]) -> None:
        raise RuntimeError("the loop is closed")

    writer.submit([add("one")], gone)
    later = Submitted(writer, [add("two")])

    assert later.kinds == [True]


def test_a_stopping_writer_finishes_what_was_submitted(writer, add, outside, held):
    jobs = [Submitted(writer, [add(f"cohort {number}") for number in range(100)]) for _ in range(3)]
    stopping = threading.Thread(target=writer.stop)

    stopping.start()
    held.set()
    stopping.join(FAR)

    assert [job.kinds for job in jobs] == [[True] * 100] * 3


def test_a_stopped_writer_takes_nothing_more(writer, add):
    writer.stop()

    with pytest.raises(Busy):
        writer.submit([add("late")], lambda outcomes: None)


def test_a_writer_that_was_never_given_work_stops(world):
    writer = Writer()
    writer.start()

    writer.stop()

    assert not writer._thread.is_alive()


# What the writer remembers


def test_what_the_writer_remembers_ends_when_another_process_commits(writer, make_program, outside):
    program: Program = make_program(name="Before")

    def name() -> str:
        return Program.of(program.id).name

    first = Submitted(writer, [name, name]).kinds
    outside.execute("UPDATE program SET name = 'After' WHERE id = ?", (str(program.id),))
    second = Submitted(writer, [name]).kinds

    assert (["Before", "Before"], ["After"]) == (first, second)


def test_what_the_writer_remembers_ends_with_a_write_and_with_what_is_rolled_back(writer, make_program):
    program: Program = make_program(name="Before")

    def name() -> str:
        return Program.of(program.id).name

    def rename(text: str) -> str:
        with acting(Actor("test")):
            Program.put(program.id, name=text)
        return name()

    def rename_and_fail() -> None:
        rename("Never")
        refuse()

    kinds = Submitted(writer, [name, rename_and_fail, name, lambda: rename("After"), name]).kinds

    assert kinds == ["Before", Conflict, "Before", "After", "After"]


def test_what_the_writer_remembers_ends_with_a_group_that_is_rolled_back(writer, make_program):
    program: Program = make_program(name="Before")

    def rename_and_fail_the_commit() -> None:
        left = [1]
        database.connection().set_commit_hook(lambda: bool(left and left.pop()), id="fail")
        with acting(Actor("test")):
            Program.put(program.id, name="Never")

    failed = Submitted(writer, [rename_and_fail_the_commit, lambda: Program.of(program.id).name]).kinds
    later = Submitted(writer, [lambda: Program.of(program.id).name]).kinds

    assert ([Busy, Busy], ["Before"]) == (failed, later)


def test_the_writer_reads_a_remembered_row_once(writer, make_program):
    program: Program = make_program()
    asked: list[str] = []

    def look() -> None:
        for _ in range(5):
            Program.of(program.id)

    def count() -> None:
        database.connection().exec_trace = lambda _, sql, values: asked.append(sql) or True
        look()

    Submitted(writer, [count, look]).outcomes  # noqa: B018  waits

    assert 2 == len([sql for sql in asked if sql.startswith("SELECT")])  # the program and its kind


def test_rows_that_wait_for_the_end_of_the_group_are_those_of_calls_that_succeeded(writer, world, outside):
    def note(method: str) -> Callable[[], None]:
        def call() -> None:
            with audited(Actor(method)) as author:
                author.touched["something"] = None

        return call

    def note_and_fail() -> None:
        note("never")()
        refuse()

    kinds = Submitted(writer, [note("one"), note_and_fail, note("two"), note_and_fail]).kinds
    found = outside.execute("SELECT method FROM audit ORDER BY id").fetchall()

    assert [None, Conflict, None, Conflict] == kinds
    assert [("one",), ("two",)] == [row for row in found if row[0] in ("one", "two", "never")]


def test_the_wal_begins_anew_under_writes_that_never_pause(world, monkeypatch, add, outside):
    monkeypatch.setattr(Checkpoints, "FROM_PAGES", 50)
    writer = Writer()
    writer.start()
    wal = world.path.with_name(world.path.name + "-wal")

    for number in range(400):
        assert Submitted(writer, [add(f"cohort {number}")]).kinds == [True]

    assert len(names(outside)) == 400
    assert wal.stat().st_size < 1_000_000  # 400 commits of 4 pages or more would be six times that
    writer.stop()


def test_a_reader_that_holds_the_wal_as_it_is_harms_no_write(world, monkeypatch, add, outside):
    monkeypatch.setattr(Checkpoints, "FROM_PAGES", 1)
    writer = Writer()
    writer.start()
    reader = apsw.Connection(str(world.path))
    reader.execute("BEGIN; SELECT * FROM cohort")
    for number in range(50):
        assert Submitted(writer, [add(f"cohort {number}")]).kinds == [True]
    reader.close()

    for number in range(50, 100):
        assert Submitted(writer, [add(f"cohort {number}")]).kinds == [True]

    assert len(names(outside)) == 100
    writer.stop()
