"""What the tests of the core.* functions share."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from client import RpcError
from models import clock


@pytest.fixture
def refusal() -> Callable[..., RpcError]:
    """The error of a call that must be refused."""

    def refused(call: Callable[..., Any], *args: Any, **params: Any) -> RpcError:
        with pytest.raises(RpcError) as caught:
            call(*args, **params)
        return caught.value

    return refused


@pytest.fixture
def set_clock(world: object) -> Callable[[str], None]:
    """Set the clock of the test and of its server, which share it."""

    def at(instant: str) -> None:
        clock.set_to(datetime.fromisoformat(instant))

    return at
