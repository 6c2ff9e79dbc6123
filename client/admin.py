"""The admin.* functions, as `client.admin`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Admin:
    """What the documentation has no function for; needs a token of scope admin."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call
