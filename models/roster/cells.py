"""The error of a cell that means nothing in its column."""

from __future__ import annotations


class BadCell(Exception):
    """A cell that says nothing that its column can mean."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
