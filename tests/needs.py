"""What some tests need of the system beside Python, pip, git, sh and coreutils, and where Debian has it.

`@pytest.mark.needs("curl")` skips a test where it is missing; `need("gcc")` does so in a fixture. The end
of a run counts what was skipped, by reason. With `--skips FILE` a reason that is not in the file fails it.
"""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.waiting import FAR

FOREIGN = Path(__file__).parent / "foreign"


def _has(*commands: str) -> Callable[[], bool]:
    return lambda: all(shutil.which(command) for command in commands)


def _compiles() -> bool:
    """Whether a C program can be compiled: a compiler is there, and the headers of the C library."""
    if shutil.which("gcc") is None:
        return False
    program = ["gcc", "-x", "c", "-fsyntax-only", "-"]
    return subprocess.run(program, input=b"#include <stdio.h>", capture_output=True).returncode == 0


def _lua_finds_its_libraries() -> bool:
    found = shutil.which("lua5.4")
    uses = 'require "socket.http"; require "ltn12"; require "cjson"'
    return found is not None and subprocess.run([found, "-e", uses], capture_output=True).returncode == 0


def _node_finds_its_clients() -> bool:
    """Whether Node.js is there, with the clients of tests/foreign/package.json: npm fetches them once."""
    if not _has("node", "npm")():
        return False
    if (FOREIGN / "node_modules" / ".package-lock.json").exists():
        return True
    fetch = ["npm", "ci", "--no-audit", "--no-fund"]
    try:
        return subprocess.run(fetch, cwd=FOREIGN, capture_output=True, timeout=FAR).returncode == 0
    except subprocess.TimeoutExpired:  # there is no way to the registry
        return False


@dataclass(frozen=True)
class Need:
    """Something that a test needs: whether it is there, and how to get it."""

    is_met: Callable[[], bool]
    get: str


NEEDS = {
    "curl": Need(_has("curl"), "apt-get install curl"),
    "gcc": Need(_compiles, "apt-get install gcc libc6-dev"),
    "lua5.4": Need(_lua_finds_its_libraries, "apt-get install lua5.4 lua-socket lua-cjson"),
    "node": Need(_node_finds_its_clients, "apt-get install nodejs npm; npm ci in tests/foreign"),
    "promtool": Need(_has("promtool"), "apt-get install prometheus"),
    "JSON_TEST_SUITE": Need(
        lambda: bool(os.environ.get("JSON_TEST_SUITE")),
        "pip download --no-binary :all: --no-deps pyjson5==2.0.1, and set JSON_TEST_SUITE to the archive",
    ),
}


@functools.cache
def missing(name: str) -> str | None:
    """Why a test that needs this is skipped; None where it is there."""
    return None if NEEDS[name].is_met() else f"needs {name}: {NEEDS[name].get}"


def need(name: str) -> None:
    """Skip the test where something is missing."""
    if (reason := missing(name)) is not None:
        pytest.skip(reason)


# Hooks, which conftest.py takes from here


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--skips", type=Path, metavar="FILE", help="fail when tests are skipped for other reasons"
    )


def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        for name in mark.args:
            need(name)


def _skipped(config: pytest.Config) -> Counter[str]:
    """How many tests were skipped, by reason."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    reports = reporter.stats.get("skipped", []) if reporter else []
    return Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)


def _listed(config: pytest.Config) -> set[str] | None:
    """The reasons for which tests may be skipped; None where any will do."""
    file = config.getoption("skips")
    return None if file is None else set(_reasons(file.read_text("utf-8").splitlines()))


def _reasons(lines: Iterable[str]) -> Iterable[str]:
    return (line.strip() for line in lines if line.strip() and not line.startswith("#"))


def pytest_sessionfinish(session: pytest.Session) -> None:
    listed = _listed(session.config)
    if listed is not None and set(_skipped(session.config)) - listed:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    skipped, listed = _skipped(config), _listed(config)
    if skipped:
        terminalreporter.section("skipped")
    for reason, count in sorted(skipped.items()):
        unlisted = listed is not None and reason not in listed
        terminalreporter.line(f"{count:4} {reason}" + (" (IS NOT IN THE LIST)" if unlisted else ""))
