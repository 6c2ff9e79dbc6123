"""The client for programs that wait for their answers."""

from __future__ import annotations

import itertools
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, overload

from client import protocol
from client.batch import Gathered, Outcome, Pending, Rows
from client.errors import TransportError
from client.functions import Function
from client.protocol import NEVER, Call, Params, Reply, Retry, Steps, Writer
from client.surface import SyncFunctions

AHEAD = 2  # requests of one batch that are on their way at the same time, if they only read
MAP_ENTRIES = 500

Sender = Callable[[bytes], Reply]


class Client(SyncFunctions):
    """Calls a server at a URL with a token.

    The URL is the endpoint (`http://127.0.0.1:8080/rpc`) or just the server. Instead of it, a function
    from the bytes of a request to those of the reply may be given, which tests use. Safe to share
    between threads, and to use on both sides of a fork. `retry` says how often what is safe is repeated,
    None that nothing is. Errors: RpcError for what the server answers, TransportError for the rest.
    """

    def __init__(
        self,
        url: str | Callable[[bytes], bytes] | None = None,
        token: str | None = None,
        *,
        timeout: float = 40.0,
        retry: Retry | None = Retry(),  # noqa: B008  it is frozen
        connections: int = 16,
    ) -> None:
        self._close: Callable[[], None] = lambda: None
        if callable(url):
            answer = url
            self._send: Sender = lambda body: Reply(200, answer(body))
        else:
            from client.connections import Connections  # only those who call over HTTP need it

            http = Connections(url or protocol.URL, token or "", timeout, connections)
            self._send, self._close = http.send, http.close
        self._retry = retry or NEVER
        self._writer = Writer(keys=retry is not None)

    @classmethod
    def from_env(cls, *, url: str | None = None, token: str | None = None, **options: Any) -> Client:
        """A client with the settings CORE_RPC_URL and CORE_RPC_TOKEN, where no others are given."""
        return cls(*given_or_set(url, token), **options)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections; a later call opens new ones."""
        self._close()

    def call(self, method: str, /, *args: Any, **params: Any) -> Any:
        """Call any method, with parameters by position or by their wire names."""
        return self._ask(method, args or params)

    def notify(self, method: str, /, *args: Any, **params: Any) -> None:
        """Call a method without waiting to hear what came of it; it is never repeated."""
        call = self._writer.notification(method, args or params)
        [outcome] = self._drive(protocol.exchange([call], NEVER, alone=True))
        protocol.value(outcome)

    @overload
    def batch(self) -> Batch: ...

    @overload
    def batch(self, calls: Iterable[tuple[str, Params]]) -> list[Any]: ...

    def batch(self, calls: Iterable[tuple[str, Params]] | None = None) -> Batch | list[Any]:
        """Gather calls and send them together: `with client.batch() as b: a = b.lookup_program(id)`.

        After the block `a.result()` is the result, or raises the call's own error. Calls given as
        (method, parameters) are sent at once: their results in the same order, an error where one failed.
        """
        if calls is None:
            return Batch(self)
        written = [self._writer.call(method, params) for method, params in calls]
        return list(self._send_all(protocol.pieces(written)))

    def map(
        self,
        method: str,
        rows: Iterable[Any],
        *,
        progress: bool = False,
        key: str | None = None,
        size: int = MAP_ENTRIES,
    ) -> Iterator[Outcome]:
        """Call a method with each row, in requests of `size` calls; the outcomes in the order of the rows.

        A row is an object of parameters, a list of them by position, or the sole one. Only the rows on
        their way are in memory. An error is a value in its outcome and stops nothing. With a `key`,
        row n has the idempotency key `key#n`: the same rows may be run again within 24 hours, and what
        was done is not done twice.
        """
        total = len(rows) if isinstance(rows, Sized) else None
        sent = Rows(self._writer, method, iter(rows), key)
        found = (
            sent.outcome(call, outcome)
            for piece, outcomes in self._exchange_all(protocol.pieces(sent.calls(), size))
            for call, outcome in zip(piece, outcomes, strict=True)
        )
        return _shown(found, method, total) if progress else found

    # Moving bytes

    def _take(self, function: Function, params: dict[str, Any]) -> Any:
        return self._ask(function.name, params)

    def _ask(self, method: str, params: Params) -> Any:
        call = self._writer.call(method, params)
        [outcome] = self._drive(protocol.exchange([call], self._retry, alone=True))
        return protocol.value(outcome)

    def _drive(self, steps: Steps) -> list[Any]:
        """Do what an exchange asks for until it knows the outcomes."""
        answer: Reply | TransportError | None = None
        while True:
            try:
                step = steps.send(answer)
            except StopIteration as done:
                return done.value
            if isinstance(step, bytes):
                try:
                    answer = self._send(step)
                except TransportError as error:
                    answer = error
                continue
            answer = None
            if step is None:
                self._close()
            else:
                time.sleep(step)

    def _send_all(self, pieces: Iterator[list[Call]]) -> Iterator[Any]:
        return itertools.chain.from_iterable(outcomes for _, outcomes in self._exchange_all(pieces))

    def _exchange_all(self, pieces: Iterator[list[Call]]) -> Iterator[tuple[list[Call], list[Any]]]:
        """Exchange each piece, in order. The next is written while one is on its way.

        Two that only read are on their way together; one that may write goes alone, so that a later call
        sees what an earlier one wrote, as it does within one request.
        """
        flying: deque[tuple[list[Call], Future[list[Any]]]] = deque()
        lost, process = False, os.getpid()

        def landed() -> tuple[list[Call], list[Any]]:
            protocol.must_be_of(process)  # a child has none of its parent's threads
            piece, future = flying.popleft()
            return piece, future.result()

        with _threads() as pool:
            for piece in pieces:
                room = AHEAD if flying and protocol.only_reads([*piece, *flying[-1][0]]) else 1
                while len(flying) >= room:
                    earlier, outcomes = landed()
                    lost = lost or protocol.lost(outcomes)
                    yield earlier, outcomes
                if lost:
                    while flying:
                        yield landed()
                    yield piece, protocol.not_sent(piece)
                else:
                    steps = protocol.exchange(piece, self._retry)
                    flying.append((piece, pool.submit(self._drive, steps)))
            while flying:
                yield landed()


class Batch(Gathered):
    """Calls to be sent together when the block ends; nothing is sent if it ends by an exception."""

    def __init__(self, client: Client) -> None:
        super().__init__(client._writer)
        self._client = client

    def __enter__(self) -> Batch:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.send()

    def send(self) -> None:
        """Send what has been gathered, if there is something."""
        self._settle(self._client._send_all(self._pieces()))


def given_or_set(url: str | None, token: str | None) -> tuple[str | None, str | None]:
    """The URL and the token that were given, else those of CORE_RPC_URL and CORE_RPC_TOKEN."""
    return (
        os.environ.get("CORE_RPC_URL") if url is None else url,
        os.environ.get("CORE_RPC_TOKEN") if token is None else token,
    )


@contextmanager
def _threads() -> Iterator[ThreadPoolExecutor]:
    """Threads that are not waited for where the one who asked gave up."""
    pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="core-rpc-client")
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _shown(found: Iterator[Outcome], method: str, total: int | None) -> Iterator[Outcome]:
    """The outcomes, with a bar on the terminal that counts them."""
    from rich.progress import Progress  # only those who ask for it need it

    with Progress() as bar:
        task = bar.add_task(method, total=total)
        for outcome in found:
            bar.advance(task)
            yield outcome


__all__ = ["Batch", "Client", "Outcome", "Pending", "Retry"]
