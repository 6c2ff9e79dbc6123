"""How figures are printed."""

from __future__ import annotations


def table(head: list[str], lines: list[list[str]]) -> str:
    """A Markdown table, aligned for the terminal."""
    widths = [max(len(line[at]) for line in [head, *lines]) for at in range(len(head))]

    def text(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)) + " |"

    return "\n".join([text(head), text(["-" * width for width in widths]), *map(text, lines)])
