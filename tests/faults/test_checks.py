"""The checks see what they are there to see."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from client import RpcError
from models.actor import Actor
from models.audit import Audit, audited
from models.cohorts import Cohort
from models.database import configure, connected, database, writing
from models.memberships import Membership, MembershipChange, MembershipState
from models.people import User
from models.tickets import Ticket
from rpc.config import Config
from rpc.errors import BUSY, CONFLICT
from tests.conftest import ServerThread
from tests.faults.checks import Damaged, findings, read
from tests.faults.ledger import Ask, Ledger, Lost
from tests.faults.world import World
from tests.faults.writers import Writers
from tests.ports import free_port
from tests.waiting import until

pytestmark = pytest.mark.xdist_group("faults")


@pytest.fixture(scope="module")
def written(template: World, tmp_path_factory: pytest.TempPathFactory) -> tuple[World, Ledger]:
    """A database that a server has written, which has ended as it should, and what it answered."""
    world = template.copy(tmp_path_factory.mktemp("written"))
    ledger = Ledger(world.known)
    writers = Writers(world, ledger, seed=0)
    config = Config(database=f"sqlite:///{world.path}", port=free_port(), drain_seconds=0)
    with ServerThread(config) as server:
        writers.start(server.url)
        until(lambda: ledger.answered >= 500)
        writers.stop()
    return world, ledger


def test_nothing_is_found_where_nothing_is_wrong(written):
    world, ledger = written

    assert ledger.answered >= 500
    assert [] == findings(read(world.path), ledger)


def newest(model, *conditions):
    return model.select().where(model.id.is_null(False), *conditions).order_by(model.id.desc()).first()


def lose_a_ticket() -> None:
    newest(Ticket).delete_instance()


def lose_a_user() -> None:
    newest(User).delete_instance()


def lose_a_cohort() -> None:
    used = Membership.select(Membership.cohort).where(Membership.cohort.is_null(False))
    newest(Cohort, Cohort.id.not_in(used)).delete_instance()


def lose_the_last_change() -> None:
    member = newest(Membership, Membership.last_change_id.is_null(False))
    last = MembershipChange.get_by_id(member.last_change_id)
    last.delete_instance()
    Membership.update(last_change_id=last.previous_id).where(Membership.id == member.id).execute()


def change_without_history() -> None:
    Membership.update(state=MembershipState.DROPPED).execute()


def lose_a_row_of_the_audit() -> None:
    newest(Audit, Audit.method == "core.UpdateUserCohortState").delete_instance()


def make_what_nobody_asked_for() -> None:
    with audited(Actor("test")):
        User.appear("nobody@example.org")


def write_without_audit() -> None:
    Audit.update(touched="").execute()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lose_a_ticket, ["lost: ('ticket'", "the audit tells of"]),
        (lose_a_user, ["lost: ('user'", "the audit tells of"]),
        (lose_a_cohort, ["lost: ('cohort'", "the audit tells of"]),
        (lose_the_last_change, ["lost: the history of", "membership"]),
        (change_without_history, ["membership"]),
        (lose_a_row_of_the_audit, ["lost: the audit of request", "row"]),
        (make_what_nobody_asked_for, ["('user', 'nobody@example.org') is there"]),
        (write_without_audit, ["row", "change"]),
    ],
)
def test_what_is_wrong_is_found(harm: Callable[[], None], words, written, tmp_path):
    world, ledger = written
    harmed = world.copy(tmp_path)
    configure(f"sqlite:///{harmed.path}")
    with connected(), writing():
        harm()

    found = findings(read(harmed.path), ledger)

    assert all(any(text.startswith(word) for text in found) for word in words), found


def test_a_damaged_file_is_found(written, tmp_path):
    world, _ = written
    harmed = world.copy(tmp_path)
    with harmed.path.open("r+b") as file:
        file.seek(harmed.path.stat().st_size // 8192 * 4096)
        file.write(b"\xff" * 4096)

    with pytest.raises(Damaged):
        read(harmed.path)


def test_a_foreign_key_that_names_no_row_is_found(written, tmp_path):
    world, _ = written
    harmed = world.copy(tmp_path)
    configure(f"sqlite:///{harmed.path}")
    with connected():
        database.pragma("foreign_keys", 0)
        MembershipChange.delete().execute()
        Ticket.update(membership=None).execute()
        Membership.delete().execute()
        User.delete().execute()

    with pytest.raises(Damaged):
        read(harmed.path)


# The ledger


TICKET = Ask("core.CreateProgramTicket", {}, "ticket", ("kind", "line"))
COHORT = Ask("core.ConfirmCohort", {}, "cohort", ("program", "group"))
JOIN = Ask("core.ModifyProgramMembership", {}, "membership", ("user", "program"))
SAY = Ask("core.UpdateUserCohortState", {"state": "dropped", "comments": "a"}, "membership", JOIN.key)


def refusal(code: int) -> RpcError:
    return RpcError({"code": code, "message": "", "data": {"retryAfterMs": 1}})


@pytest.mark.parametrize(
    ("ask", "answers", "words"),
    [
        (TICKET, [1], ["lost"]),
        (TICKET, [0], ["lost"]),
        (TICKET, [1, 1], ["lost", "twice"]),
        (TICKET, [Lost], []),
        (TICKET, [refusal(BUSY)], []),
        (TICKET, [refusal(CONFLICT)], ["core.CreateProgramTicket"]),
        (COHORT, ["one"], ["lost"]),
        (COHORT, [Lost], []),
        (JOIN, [[]], ["lost"]),
        (JOIN, [Lost], []),
        (JOIN, [refusal(BUSY)], []),
    ],
)
def test_what_was_answered_is_looked_for(ask, answers, words, world):
    ledger = Ledger(world.known)
    for answer in answers:
        ledger.note([ask], [answer], None)

    found = findings(read(world.path), ledger)

    assert all(any(text.startswith(word) for text in found) for word in words)
    assert bool(words) == bool(found)


def test_what_came_to_nothing_must_not_come_later(world):
    ledger = Ledger()
    ledger.note([TICKET, JOIN], [Lost, Lost], None)

    ledger.settle(set(), {})

    assert ({}, {}) == (ledger.things, ledger.members)


def test_of_calls_without_an_answer_a_first_part_may_be_there(world):
    ledger = Ledger()
    ledger.note([JOIN, SAY], [[], Lost], None)
    member = ledger.members[JOIN.key]

    assert [("member", "active", None, None)] == member.certain
    assert [("member", "dropped", None, "a")] == member.possible
