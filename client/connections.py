"""HTTP connections of threads, by urllib3; a forked process uses none of its parent's."""

from __future__ import annotations

import encodings.idna  # noqa: F401  or the first look-up of a host imports it
from queue import LifoQueue
from typing import Any
from urllib.parse import urlsplit
from weakref import WeakSet

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, NewConnectionError
from urllib3.exceptions import TimeoutError as NoAnswer
from urllib3.util import parse_url

from client import protocol
from client.errors import NotReached, TimedOut
from client.protocol import Reply

_every_idle: WeakSet[Idle] = WeakSet()


class Idle(LifoQueue[Any]):
    """The connections of a pool that no thread uses at the moment, and None for each not yet made."""

    def __init__(self, maxsize: int) -> None:
        super().__init__(maxsize)
        _every_idle.add(self)

    def start_anew(self) -> None:
        """Close the parent's connections, in this process alone, and make room for our own.

        The locks are new, too: a thread that is not in this process may have held one.
        """
        inherited = [connection for connection in self.queue if connection is not None]
        super().__init__(self.maxsize)
        for _ in range(self.maxsize):
            self.put(None)
        for connection in inherited:
            connection.close()  # a close without shutdown: the parent's socket stays open


def _start_anew() -> None:
    for idle in list(_every_idle):
        idle.start_anew()


protocol.in_each_child(_start_anew)


class _Http(HTTPConnectionPool):
    QueueCls = Idle  # type: ignore[assignment]  # urllib3 names a type variable there


class _Https(HTTPSConnectionPool):
    QueueCls = Idle  # type: ignore[assignment]  # urllib3 names a type variable there


class Connections:
    """Posts to an endpoint over at most so many connections, which are kept."""

    def __init__(self, url: str, token: str, timeout: float, most: int) -> None:
        url = protocol.endpoint(url)
        self._scheme, _, self._host, self._port, *_ = parse_url(url)
        parts = urlsplit(url)
        self._path = parts.path + (f"?{parts.query}" if parts.query else "")
        self._headers = protocol.headers(token)
        self._timeout, self._most = timeout, most
        self._pool = self._open()

    def _open(self) -> _Http | _Https:
        kind = _Https if self._scheme == "https" else _Http
        return kind(self._host or "", self._port, maxsize=self._most, block=True, timeout=self._timeout)

    def send(self, body: bytes) -> Reply:
        """The reply to a body; NotReached or TimedOut when there is none."""
        try:
            got = self._pool.urlopen(
                "POST", self._path, body=body, headers=self._headers, retries=False, redirect=False
            )
        except HTTPError as error:
            # urllib3 counts a connection that is refused among those that come too late.
            too_late = isinstance(error, NoAnswer) and not isinstance(error, NewConnectionError)
            kind = TimedOut if too_late else NotReached
            raise kind(f"no reply: {type(error).__name__}") from error
        return Reply(got.status, got.data, got.headers.get("Retry-After"), got.headers.get("X-Request-Id"))

    def close(self) -> None:
        """Close what is idle now, and what is in use when its reply is there; later ones are new."""
        pool, self._pool = self._pool, self._open()
        pool.close()
