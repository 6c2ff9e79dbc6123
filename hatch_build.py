"""The build hook of the wheel: links of its pages lead to files that are in it.

README.md goes in as rpc/OVERVIEW.md. A link to what only the repository has becomes plain words.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

OVERVIEW = Path("rpc", "OVERVIEW.md")  # beside the packages, README.md could be that of any project
LINK = re.compile(r"\[([^\]]+)\]\(([^)#\s]+)(#[^)\s]*)?\)")


def linked(text: str, page: Path, place: Path, packages: list[str]) -> str:
    """The text of a page, with its links as they are right at its place in the wheel."""

    def link(match: re.Match[str]) -> str:
        words, path, heading = match[1], match[2], match[3] or ""
        if ":" in path:
            return match[0]
        target = Path(os.path.normpath(page.parent / path))
        if target == Path("README.md"):
            target = OVERVIEW
        elif target.parts[0] not in packages:
            return f"{words} ({target} in the repository)"
        return f"[{words}]({os.path.relpath(target, place.parent)}{heading})"

    return LINK.sub(link, text)


class Pages(BuildHookInterface):  # type: ignore[type-arg]
    """Puts each page into the wheel as `linked` makes it."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the pages, in place of those that hatchling would take."""
        self._folder = Path(tempfile.mkdtemp(prefix="core-rpc-pages-"))
        if version == "editable":
            return
        root, packages = Path(self.root), list(self.build_config.packages)
        pages = [found.relative_to(root) for name in packages for found in (root / name).rglob("*.md")]
        for page, place in [(Path("README.md"), OVERVIEW), *((page, page) for page in pages)]:
            written = self._folder / place
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_text(linked((root / page).read_text("utf-8"), page, place, packages), "utf-8")
            build_data["force_include"][str(written)] = str(place)

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was written."""
        shutil.rmtree(self._folder)
