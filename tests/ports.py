"""Ports for the servers of tests and benchmarks."""

from __future__ import annotations

import contextlib
import random
import socket


def free_port() -> int:
    """A free port below those that the system gives to clients."""
    while True:
        port = random.randrange(20_000, 32_768)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
