"""The end of listening: who has a connection keeps it, and nobody gets a new one."""

from __future__ import annotations

import errno
import socket
import sys

import pytest

from rpc.connections import UNSENT_IN_KERNEL, limit_unsent, stop_arrivals
from tests.ports import free_port


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels have no such filter")
def test_connections_that_were_made_can_be_accepted_and_used_and_no_new_one_is_made():
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        address = listening.getsockname()
        with socket.create_connection(address) as made, socket.socket() as late:
            stop_arrivals(listening.fileno())

            late.settimeout(0.3)
            with pytest.raises(TimeoutError):
                late.connect(address)
            accepted, _ = listening.accept()
            with accepted:
                made.sendall(b"a request")
                received = accepted.recv(100)
                accepted.sendall(b"a reply")
                assert (b"a request", b"a reply") == (received, made.recv(100))


@pytest.mark.skipif(sys.platform != "linux", reason="other kernels have no such limits")
def test_what_callers_do_not_take_is_limited_for_each_connection_that_is_accepted():
    with socket.create_server(("127.0.0.1", free_port())) as listening:
        limit_unsent(listening.fileno(), 0.5)
        with socket.create_connection(listening.getsockname()) as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            accepted, _ = listening.accept()
            with accepted:
                accepted.settimeout(10)
                assert UNSENT_IN_KERNEL == accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT)
                with pytest.raises(TimeoutError) as cut:
                    accepted.sendall(b"a reply that nobody takes" * 1_000_000)

    assert errno.ETIMEDOUT == cut.value.errno  # the kernel's, and not ours of 10 s
