"""What is repeated, how, and what never is."""

from __future__ import annotations

import socket
from itertools import pairwise

import pytest

from client import AsyncClient, Client, RpcError, TransportError
from client.errors import (
    Busy,
    Conflict,
    InternalError,
    NotFound,
    NotReached,
    RateLimited,
    TimedOut,
    Unauthorized,
)
from client.protocol import Reply, Retry, Writer, dumps, exchange
from tests.client.conftest import answered, refused
from tests.ports import free_port

QUICK = Retry(first=0.001, longest=0.002)
BUSY = refused(-32009, "BUSY", 503, retryAfterMs=1)


@pytest.mark.parametrize(
    "bad_day",
    [
        None,
        BUSY,
        refused(-32005, "RATE_LIMITED", 429, retryAfterMs=1),
        refused(-32002, "IDEMPOTENCY_KEY_IN_USE", retryAfterMs=1),
        lambda _: (503, {"Retry-After": "0"}, "a proxy's page"),
    ],
)
def test_a_call_that_may_do_better_later_is_sent_again_with_the_same_key(scripted, bad_day):
    server = scripted(bad_day, bad_day, answered("done"))

    with Client(server.url, "t", retry=QUICK) as client:
        assert client.confirm_cohort("p", "Monday") == "done"

    first, second, third = server.sent
    assert first == second == third
    assert len(first["idempotencyKey"]) == 36


async def test_the_async_client_repeats_as_the_other_does(scripted):
    server = scripted(None, BUSY, answered("done"))

    async with AsyncClient(server.url, "t", retry=QUICK) as client:
        assert await client.core.ConfirmCohort("p", "Monday") == "done"

    assert 3 == len(server.sent)
    assert server.sent[0] == server.sent[1] == server.sent[2]


def test_a_read_has_no_key_and_each_write_one_of_its_own(scripted):
    server = scripted(answered(None))

    with Client(server.url, retry=QUICK) as client:
        client.lookup_program("k")
        client.confirm_cohort("p", "Monday")
        client.confirm_cohort("p", "Monday")

    read, one, other = server.sent
    assert "idempotencyKey" not in read
    assert one["idempotencyKey"] != other["idempotencyKey"]


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (refused(-32001, "USER_NOT_FOUND"), NotFound),
        (refused(-32002, "EMAIL_TAKEN"), Conflict),
        (refused(-32603, "INTERNAL_ERROR", requestId="r-1"), InternalError),
        (refused(-32004, "UNAUTHORIZED", 401), Unauthorized),
        (lambda _: (500, {}, "a page"), TransportError),
        (lambda _: (302, {"Location": "http://elsewhere"}, ""), TransportError),
    ],
)
def test_what_a_repetition_cannot_mend_is_raised_at_once(scripted, answer, kind):
    server = scripted(answer)

    with Client(server.url, "t", retry=QUICK) as client, pytest.raises(kind):
        client.lookup_program("k")

    assert 1 == len(server.sent)


def test_a_notification_is_never_sent_again(scripted):
    server = scripted(BUSY)

    with Client(server.url, retry=QUICK) as client, pytest.raises(Busy):
        client.notify("core.ConfirmCohort", programId="p", cohortName="Monday")

    assert 1 == len(server.sent)


async def test_a_server_that_is_not_there_is_not_reached():
    url = f"http://127.0.0.1:{free_port()}"

    with Client(url, retry=None) as client, pytest.raises(NotReached):
        client.lookup_program("k")
    async with AsyncClient(url, retry=None) as client:
        with pytest.raises(NotReached):
            await client.lookup_program("k")


def test_a_server_that_does_not_answer_in_time_has_timed_out():
    with socket.create_server(("127.0.0.1", free_port())) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with Client(url, retry=None, timeout=0.1) as client, pytest.raises(TimedOut):
            client.lookup_program("k")


def test_the_attempts_are_counted(scripted):
    server = scripted(refused(-32005, "RATE_LIMITED", 429, retryAfterMs=1))

    with Client(server.url, retry=Retry(attempts=3, first=0.001)) as client, pytest.raises(RateLimited):
        client.lookup_program("k")

    assert 3 == len(server.sent)


def test_nothing_is_repeated_without_retry(scripted):
    server = scripted(None)

    with Client(server.url, retry=None) as client, pytest.raises(NotReached):
        client.lookup_program("k")

    assert 1 == len(server.sent)


def test_of_a_batch_only_what_was_not_carried_out_is_sent_again(scripted):
    def half(content):
        busy = {"code": -32009, "message": "Busy", "data": {"code": "BUSY", "retryAfterMs": 1}}
        one, other = content
        return (
            200,
            {},
            [
                {"jsonrpc": "2.0", "error": busy, "id": other["id"]},
                {"jsonrpc": "2.0", "result": "one", "id": one["id"]},
            ],
        )

    server = scripted(half, answered("other"))

    with Client(server.url, retry=QUICK) as client, client.batch() as batch:
        one, other = batch.confirm_cohort("p", "Monday"), batch.confirm_cohort("p", "Friday")

    assert ("one", "other") == (one.result(), other.result())
    [_, second], [again] = server.sent
    assert second == again


def test_the_wait_is_at_least_what_the_server_asks_for_and_grows_to_a_bound():
    retry = Retry(first=0.1, longest=5)

    assert all(retry.pause(1, 2.0) >= 2.0 for _ in range(100))
    highest = [max(retry.pause(attempt, 0.0) for _ in range(2000)) for attempt in range(1, 10)]
    assert all(earlier < later * 1.1 for earlier, later in pairwise(highest))
    assert max(highest) <= 5
    assert min(retry.pause(9, 0.0) for _ in range(2000)) < 1


def test_no_wait_goes_beyond_the_total_time():
    steps = exchange([Writer().call("core.LookupProgram", ["k"])], Retry(seconds=1), alone=True)
    next(steps)
    _, _, reply = BUSY({"id": 1})
    reply["error"]["data"]["retryAfterMs"] = 1500
    with pytest.raises(StopIteration) as done:
        steps.send(Reply(503, dumps(reply)))

    [error] = done.value.value
    assert isinstance(error, Busy)


def test_an_error_says_where_it_is_in_the_log_and_never_the_token(scripted):
    server = scripted(
        refused(-32602, "INVALID_PARAMS", headers={"X-Request-Id": "r-7"}, fields={"id": ["wrong"]})
    )

    with Client(server.url, "crpc_secret", retry=None) as client, pytest.raises(RpcError) as caught:
        client.lookup_program("k")

    error = caught.value
    assert ("r-7", {"id": ["wrong"]}, "INVALID_PARAMS") == (error.request_id, error.fields, error.word)
    assert "crpc_secret" not in repr(error) + str(error) + repr(client)


def test_no_compression_is_asked_for(scripted):
    server = scripted(answered(None))

    with Client(server.url) as client:
        client.lookup_program("k")

    assert "identity" == server.headers[0]["Accept-Encoding"]


def test_a_secret_is_shown_once_so_its_call_has_no_key_and_is_not_sent_again_blindly(scripted):
    cut, busy = scripted(None), scripted(BUSY, answered(None))

    with Client(cut.url, retry=QUICK) as client, pytest.raises(NotReached):
        client.admin.create_token("shop", "read")
    with Client(busy.url, retry=QUICK) as client:
        client.admin.create_token("shop", "read")  # it was not carried out, so it may be repeated

    assert (1, 2) == (len(cut.sent), len(busy.sent))
    assert not any("idempotencyKey" in call for call in cut.sent + busy.sent)
