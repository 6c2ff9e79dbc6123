"""A world and a disk of the test's own."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from models import clock
from tests.faults import disk as disks
from tests.faults import world as worlds
from tests.faults.disk import Disk
from tests.faults.world import World
from tests.needs import need


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The world, made once and copied for each test."""
    clock.set_to(None)
    return worlds.make(tmp_path_factory.mktemp("faults") / "core.db")


@pytest.fixture
def world(template: World, tmp_path: Path) -> World:
    """A database of the test's own, which nobody has open."""
    return template.copy(tmp_path)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """disk.c, compiled."""
    need("gcc")
    return disks.build(tmp_path_factory.mktemp("disk"))


@pytest.fixture
def disk(world: World, library: Path) -> Disk:
    """The disk that the test's database is on."""
    return Disk(library, world.path)


@pytest.fixture
def seed() -> int:
    """Another one each time; pytest shows it when the test fails."""
    return random.randrange(1_000_000)
