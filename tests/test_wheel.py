"""What is installed is what lies in the checkout now, and the links of its pages lead somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_cli import environment
from tests.waiting import FAR

ROOT = Path(__file__).parent.parent
PACKAGES = ("rpc", "models", "client")
BUILT_FROM = (*PACKAGES, "README.md", "pyproject.toml", "hatch_build.py", ".gitignore")
LINK = re.compile(r"\[[^\]]+\]\(([^)\s]+)\)")

pytestmark = pytest.mark.xdist_group("wheel")  # built once


def pip(*words: object) -> None:
    """Run pip of this environment, without a network."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            *map(str, words),
            "--no-deps",
            "--no-index",
            "--disable-pip-version-check",
        ],
        capture_output=True,
        text=True,
        timeout=FAR,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what a wheel is built from, with what an earlier build and Python have left beside it."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    last = max((copy / "models" / "migrations").glob("0*.py"))
    built = copy / "build" / "lib" / "models" / "migrations"
    built.mkdir(parents=True)
    shutil.copy(last, built / f"{last.stem}_as_it_was_called.py")
    (copy / "rpc" / "__pycache__").mkdir()
    (copy / "rpc" / "__pycache__" / "gone.cpython-311.pyc").touch()
    return copy


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-build-isolation", "-w", folder, checkout)
    [made] = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip("install", "--target", folder, wheel)
    return folder


def files_of(wheel: Path) -> set[str]:
    """What is in a wheel, but for what describes it."""
    return {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}


def test_the_wheel_has_exactly_the_files_of_now(wheel):
    now = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    assert now | {"rpc/OVERVIEW.md"} == files_of(wheel)


def test_a_wheel_of_the_source_distribution_is_the_same(checkout, wheel, tmp_path):
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path],
        cwd=checkout,
        capture_output=True,
        check=True,
    )
    [source] = tmp_path.iterdir()
    with tarfile.open(source) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}

    pip("wheel", "--no-build-isolation", "-w", tmp_path, source)

    assert {"README.md", "pyproject.toml", "hatch_build.py", "PKG-INFO"} <= names
    assert not [name for name in names if name.startswith("build/") or "__pycache__" in name]
    assert files_of(wheel) == files_of(tmp_path / wheel.name)


def run(installed: Path, cwd: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run the installed command where nothing else of ours is."""
    return subprocess.run(
        [sys.executable, installed / "bin" / "core-rpc", *words],
        cwd=cwd,
        env=environment(settings) | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=FAR,
    )


def test_the_installed_command_migrates_in_an_empty_directory(installed, tmp_path):
    done = [
        run(installed, tmp_path, *words, database=f"sqlite:///{tmp_path}/core.db")
        for words in (["migrate"], ["migrate"], ["check"])
    ]

    assert [0, 0, 0] == [one.returncode for one in done], [one.stdout + one.stderr for one in done]


def test_the_installed_command_says_its_version(installed, tmp_path):
    done = run(installed, tmp_path, "--version")

    [metadata] = installed.glob("core_rpc-*.dist-info")
    assert (0, "") == (done.returncode, done.stderr)
    assert f"core_rpc-{done.stdout.strip()}.dist-info" == metadata.name


def test_the_installed_modules_are_those_of_the_wheel(installed, tmp_path):
    code = "import rpc.app, models.migrations, client; print(rpc.__file__, models.__file__, client.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert [str(installed)] * 3 == [str(Path(file).parent.parent) for file in done.stdout.split()]


def pages(folder: Path) -> Iterator[Path]:
    skipped = {".venv", "node_modules", ".pytest_cache", ".git", "build"}
    for page in folder.rglob("*.md"):
        if not skipped & set(page.relative_to(folder).parts) and ".dist-info" not in str(page):
            yield page


def dead_links(folder: Path) -> list[str]:
    """The links of pages that lead to no file, or to no heading of one."""
    dead = []
    for page in pages(folder):
        for link in LINK.findall(page.read_text("utf-8")):
            path, _, heading = link.partition("#")
            target = page.parent / path if path else page
            if ":" in link:
                continue
            if not target.resolve().is_relative_to(folder) or not target.exists():
                dead.append(f"{page}: {link}")
            elif heading and heading not in headings(target):
                dead.append(f"{page}: {link}: no such heading")
    return dead


def headings(page: Path) -> set[str]:
    """The headings of a page, as links name them."""
    found = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in found}


def test_each_link_of_the_installed_pages_leads_to_an_installed_file(installed):
    names = {str(page.relative_to(installed)) for page in pages(installed)}

    assert {"rpc/OVERVIEW.md", "rpc/README.md", "rpc/core/README.md", "client/README.md"} <= names
    assert [] == dead_links(installed)


def test_each_link_of_the_repositorys_pages_leads_to_a_file_of_it():
    assert [] == dead_links(ROOT)


def test_a_link_to_what_only_the_repository_has_says_so(installed):
    text = (installed / "rpc" / "OVERVIEW.md").read_text("utf-8")

    assert "tests/faults (tests/faults/README.md in the repository)" in text
    assert "](../client/README.md)" in text
