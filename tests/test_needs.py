"""A test that needs what the system lacks is skipped, counted, and in CI only for a reason that is listed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.needs import NEEDS
from tests.waiting import FAR

ROOT = Path(__file__).parent.parent
CI = ROOT / ".ci" / "run"

TESTS = """
import pytest
from tests.needs import need

@pytest.mark.needs("curl")
@pytest.mark.parametrize("number", range(3))
def test_marked(number):
    assert False

@pytest.fixture
def compiled():
    need("gcc")

def test_with_a_fixture(compiled):
    assert False

def test_that_needs_nothing():
    assert True
"""


@pytest.fixture
def run(tmp_path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run these tests where PATH has no command at all."""
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = needs(name): skipped\n")

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "tests.needs", *words],
            cwd=tmp_path,
            env=os.environ | {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT), "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            timeout=FAR,
        )

    return run


@pytest.mark.parametrize("workers", ["0", "2"])
def test_what_is_missing_is_counted_at_the_end_with_what_to_install(run, workers):
    done = run("-n", workers)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "   3 needs curl: apt-get install curl\n" in done.stdout
    assert "   1 needs gcc: apt-get install gcc libc6-dev\n" in done.stdout
    assert "1 passed, 4 skipped" in done.stdout


@pytest.mark.parametrize("workers", ["0", "2"])
def test_a_reason_that_is_not_listed_fails_the_run(run, tmp_path, workers):
    listed = tmp_path / "skips.txt"
    listed.write_text("# because\nneeds curl: apt-get install curl\n")

    some = run("-n", workers, "--skips", str(listed))
    listed.write_text(listed.read_text() + "needs gcc: apt-get install gcc libc6-dev\n")
    all_of_them = run("-n", workers, "--skips", str(listed))

    assert (1, 0) == (some.returncode, all_of_them.returncode)
    assert "   1 needs gcc: apt-get install gcc libc6-dev (IS NOT IN THE LIST)\n" in some.stdout
    assert "needs curl: apt-get install curl\n" in some.stdout


def test_the_main_page_and_ci_install_what_tests_need():
    packages = {
        package
        for need in NEEDS.values()
        if need.get.startswith("apt-get")
        for package in need.get.partition(";")[0].split()[2:]
    }

    page, ci = (ROOT / "README.md").read_text(), CI.read_text()

    assert [] == [package for package in packages if package not in page or package not in ci]
    assert "--skips=.ci/skips.txt" in ci  # one word: a file by itself would be taken for what to test
