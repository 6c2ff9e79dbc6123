"""What a type checker knows of a call."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

RIGHT = """
from datetime import date
from typing import assert_type
from uuid import UUID

from client import AsyncClient, Client, Pending
from client.results import Cohort, ProgramInfo, ProgramKind

def sync(client: Client, id: UUID) -> None:
    assert_type(client.core.LookupProgram(id), ProgramKind | None)
    assert_type(client.list_cohorts(id), list[Cohort])
    assert_type(client.list_active_programs()[0].start_date, date)
    with client.batch() as batch:
        assert_type(batch.core.ListCohorts(id), Pending[list[Cohort]])
    assert_type(batch.list_cohorts(id).result(), list[Cohort])

async def other(client: AsyncClient, id: UUID) -> None:
    assert_type(await client.core.ListCohorts(id), list[Cohort])
    assert_type(await client.lookup_program_instance(id), ProgramInfo | None)
"""


def test_each_form_of_a_call_has_its_precise_type(tmp_path):
    program = tmp_path / "program.py"
    program.write_text(RIGHT + "\ndef wrong(client: Client) -> None:\n    client.list_cohorts(7)\n")

    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file=", f"--cache-dir={tmp_path}", str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )

    line = program.read_text().splitlines().index("    client.list_cohorts(7)") + 1
    errors = [text for text in done.stdout.splitlines() if ": error:" in text]
    assert 1 == len(errors), done.stdout
    assert f"program.py:{line}: error: Argument 1" in errors[0]
