"""The fuzz finds what it is there to find, and sends the same again for the same seed.

`python -m tests.fuzz` runs it.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from models import sample
from models.audit import Audit
from models.database import database, writing
from models.memberships import Membership, MembershipChange
from models.people import User
from models.programs import Program
from models.tickets import Ticket
from models.tokens import PREFIX, Scope, Token
from rpc import discover
from tests import invariants
from tests.fuzz.judge import LEAKS, Judge, expected
from tests.fuzz.requests import Maker, Request
from tests.fuzz.values import HOSTILE_TEXTS, QUERY_WORDS
from tests.wire import Answer

SECRETS = {name: f"{PREFIX}{name}" for name in (*Scope, "expired", "revoked")}
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nServer: core-rpc\r\n"
    b"X-Request-Id: 00000000-0000-4000-8000-000000000000"
)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return discover.document(Scope.ADMIN, "http://a/rpc")


@pytest.fixture
def judge(document) -> Judge:
    return Judge(document, SECRETS)


def test_a_seed_tells_every_request_whatever_came_before(document):
    first, again, other = (Maker(document, SECRETS, seed) for seed in ("a", "a", "b"))

    backwards = {number: again.request(number) for number in reversed(range(300))}

    assert [first.request(number) for number in range(300)] == [backwards[number] for number in range(300)]
    assert first.request(0) != other.request(0)


def test_every_method_and_every_kind_of_request_is_tried(document):
    maker = Maker(document, SECRETS, "seed")

    requests = [maker.request(number) for number in range(3000)]

    kinds = Counter(request.kind for request in requests)
    assert min(kinds.values()) > 5
    assert len(kinds) == 12
    sent = b"".join(request.data for request in requests)
    assert {m["name"] for m in document["methods"] if f'"{m["name"]}"'.encode() not in sent} == set()


def test_no_text_that_is_sent_looks_like_a_leak():
    for text in [*HOSTILE_TEXTS, *QUERY_WORDS]:
        assert LEAKS.search(json.dumps(text).encode()) is None
        assert LEAKS.search(text.encode("utf-8", "surrogatepass")) is None


BODY = b'{"jsonrpc":"2.0","id":"a","method":"core.LookupProgram","params":["%s"]}' % sample.COOKING.encode()
GOOD = b'{"jsonrpc":"2.0","result":null,"id":"a"}'


def faults(judge: Judge, reply: bytes, body: bytes = BODY, head: bytes = HEAD) -> list[str]:
    return judge.faults(Request(0, "call", b"", body), [Answer(head, reply)])


def test_a_good_answer_has_no_fault(judge):
    assert [] == faults(judge, GOOD)
    assert [] == faults(judge, b"", BODY.replace(b'"id":"a",', b""))
    assert [] == faults(judge, b"[" + GOOD + b"]", b"[" + BODY + b"]")


def error(code: int, word: str, more: str = "") -> bytes:
    data = f'{{"code":"{word}"{more}}}'
    return f'{{"jsonrpc":"2.0","error":{{"code":{code},"message":"x","data":{data}}},"id":"a"}}'.encode()


BAD_REPLIES = {
    "nothing": b"",
    "no JSON": b"{",
    "NaN": GOOD.replace(b"null", b"NaN"),
    "no UTF-8": GOOD.replace(b"null", b'"\xff"'),
    "another id": GOOD.replace(b'"a"', b'"b"'),
    "no id": GOOD.replace(b',"id":"a"', b""),
    "an array": b"[" + GOOD + b"]",
    "a version": GOOD.replace(b"2.0", b"1.0"),
    "a member more": GOOD.replace(b"null", b'null,"x":1'),
    "a result of another type": GOOD.replace(b"null", b"1"),
    "an internal error": error(-32603, "INTERNAL_ERROR"),
    "a word that is none": error(-32001, "GONE"),
    "another code": error(-32001, "FORBIDDEN"),
    "a method that is there": error(-32601, "METHOD_NOT_FOUND"),
    "a traceback": error(-32001, "USER_NOT_FOUND", ',"x":"Traceback (most recent call last)"'),
    "SQL": error(-32001, "USER_NOT_FOUND", ',"x":"SELECT t1.id"'),
    "a path": error(-32001, "USER_NOT_FOUND", ',"x":"/home/core/core.db"'),
    "the text of an exception": error(-32001, "USER_NOT_FOUND", ',"x":"KeyError(1)"'),
    "a token": error(-32001, "USER_NOT_FOUND", f',"x":"{PREFIX}{"x" * 43}"'),
    "the caller's token": error(-32001, "USER_NOT_FOUND", f',"x":"{SECRETS["admin"]}"'),
}


@pytest.mark.parametrize("reply", BAD_REPLIES.values(), ids=BAD_REPLIES)
def test_a_bad_answer_is_a_fault(reply, judge):
    assert faults(judge, reply)


@pytest.mark.parametrize(
    "head",
    [
        HEAD.replace(b"200 OK", b"500 x"),
        HEAD.replace(b"200 OK", b"401 x"),
        HEAD.replace(b"X-Request-Id", b"X"),
        HEAD.replace(b"core-rpc", b"core-rpc/1.0"),
        HEAD + b"\r\nX-Injected: 1",
    ],
)
def test_a_bad_head_is_a_fault(head, judge):
    assert faults(judge, GOOD, head=head)


@pytest.mark.parametrize(
    ("body", "ids"),
    [
        (b"[", None),
        (b"[]", None),
        (b"1", [None]),
        (b'{"id":1.0,"method":5}', ["1.0"]),
        (b'{"jsonrpc":"2.0","method":"x"}', []),
        (b'{"jsonrpc":"2.0","method":"x","id":null}', [None]),
        (b'[1,{"jsonrpc":"2.0","method":"x"},{"id":"b"}]', [None, "b"]),
        (b"[" * 64 + b"]" * 64, [None]),
        (b"[" * 65 + b"]" * 65, None),
        (b"1" * 33, None),
        (b'{"id":1,"id":2}', ["2"]),
        (b"[" + b"1," * 1000 + b"1]", None),
    ],
)
def test_what_a_body_is_answered_with_is_known(body, ids):
    assert ids == expected(body).ids


# What must be true of a database


@pytest.mark.sample
def test_nothing_is_wrong_with_the_sample_world(world):
    assert [] == invariants.broken()


def ada() -> Membership:
    return Membership.select().where(Membership.user == sample.ADA).get()


DAMAGE = {
    "a state that no change led to": lambda: Membership.update(state="dropped").where(
        Membership.id == ada().id
    ),
    "a change that is gone": lambda: MembershipChange.delete().where(
        MembershipChange.id == ada().last_change_id
    ),
    "a cohort of another program": lambda: Membership.update(cohort=sample.LAST_AUTUMNS_MONDAY).where(
        Membership.id == ada().id
    ),
    "a ticket that is used by halves": lambda: Ticket.update(state="consumed"),
    "a program without days": lambda: Program.update(duration=0),
    "a program below itself": lambda: Program.update(parent=sample.SPRING).where(Program.id == sample.SPRING),
    "an email that compares as another": lambda: User.update(email_key="x").where(User.id == sample.ADA),
    "a text that no text may be": lambda: User.update(first="a\x00").where(User.id == sample.ADA),
    "a token that is no hash": lambda: Token.update(hash="x").where(Token.id == sample.OLD_TOKEN),
    "an audit that is gone": lambda: Audit.delete(),
    "an id that is none": lambda: Ticket.update(external_id="x").where(Ticket.id == sample.ADAS_TICKET),
}


@pytest.mark.sample
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_what_is_damaged_is_found(damage, world):
    before = invariants.broken()
    with writing():
        database.execute_sql(*damage().sql())

    assert ([], True) == (before, bool(invariants.broken()))
