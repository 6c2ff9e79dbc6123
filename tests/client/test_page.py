"""The examples of client/README.md run, in order, in the sample world."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from models.tokens import Scope

PAGE = Path(__file__).parents[2] / "client" / "README.md"


@pytest.mark.sample
def test_the_examples_of_the_page_run(server, world, monkeypatch, capsys):
    monkeypatch.setenv("CORE_RPC_URL", server.url)
    monkeypatch.setenv("CORE_RPC_TOKEN", world.secrets[Scope.WRITE])
    names = {}

    blocks = re.findall("```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), names)
    names["client"].close()

    said = capsys.readouterr().out
    assert 5 == len(blocks)
    assert "PROGRAM_NOT_FOUND" in said
    assert "programId" in said
    assert "Monday" in said
    assert 2000 == len(names["rows"])
