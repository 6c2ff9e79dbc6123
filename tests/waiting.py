"""Waiting in tests, with one limit for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

FAR = 120.0  # seconds after which a test gives up: only what never comes takes so long, on any machine
LOOK_SECONDS = 0.01  # between two looks


def until(is_so: Callable[[], Any]) -> None:
    """Wait for something that is to come; fail when it has not come after `FAR`."""
    end = time.monotonic() + FAR
    while not is_so():
        assert time.monotonic() < end, "it did not come"
        time.sleep(LOOK_SECONDS)
