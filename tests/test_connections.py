"""The end of listening: who has a connection keeps it, and nobody gets a new one."""

from __future__ import annotations

import socket
import sys

import pytest

from rpc.connections import stop_arrivals
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
