"""The arrows of import, read from the source: what may know what."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OURS = ("rpc", "models", "client")

# Inside rpc, the modules that each may import, directly; `core`, `admin` and `monitoring` stand for
# the modules in them.
MAY_IMPORT = {
    "rpc.__init__": (),
    "rpc.__main__": ("rpc.cli",),
    "rpc.cli": ("rpc.app", "rpc.config", "rpc.exposure", "rpc.results", "models", "client"),
    "rpc.app": (
        "rpc.access",
        "rpc.admin",
        "rpc.config",
        "rpc.connections",
        "rpc.core",
        "rpc.discover",
        "rpc.envelope",
        "rpc.errors",
        "rpc.exposure",
        "rpc.gate",
        "rpc.lanes",
        "rpc.monitoring",
        "rpc.registry",
        "rpc.trace",
        "models",
    ),
    "rpc.config": (),
    "rpc.connections": (
        "rpc.config",
        "rpc.envelope",
        "rpc.errors",
        "rpc.lanes",
        "rpc.monitoring",
    ),
    "rpc.exposure": ("models",),
    "rpc.access": ("rpc.fresh", "rpc.registry", "rpc.errors", "rpc.schemas", "models"),
    "rpc.discover": ("rpc.registry", "rpc.errors", "rpc.schemas", "models"),
    "rpc.envelope": ("rpc.lanes", "rpc.nearest", "rpc.registry", "rpc.errors", "rpc.schemas", "models"),
    "rpc.fresh": ("models",),
    "rpc.gate": ("models",),
    "rpc.lanes": ("rpc.fresh", "rpc.registry", "rpc.errors", "rpc.schemas", "models"),
    "rpc.monitoring": ("rpc.envelope", "rpc.registry", "rpc.trace", "models"),
    "rpc.registry": ("rpc.errors", "rpc.rendering", "rpc.schemas", "rpc.trace", "models"),
    "rpc.trace": (),
    "rpc.errors": ("rpc.schemas", "models"),
    "rpc.results": ("rpc.rendering", "rpc.schemas", "models"),
    "rpc.rendering": ("rpc.schemas", "models"),
    "rpc.schemas": ("rpc.nearest", "models"),
    "rpc.nearest": (),
    "rpc.core": ("rpc.registry", "rpc.schemas", "rpc.results", "models"),
    "rpc.admin": ("rpc.registry", "rpc.schemas", "rpc.results", "models"),
}

# The only modules that know of the loop.
ASYNCHRONOUS = {
    "rpc.app",
    "rpc.connections",
    "rpc.gate",
    "rpc.lanes",
    "rpc.envelope",
    "rpc.monitoring.ready",
    "client.aio",
    "client.sessions",
}


def modules() -> Iterator[tuple[str, Path]]:
    for package in OURS:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


MODULES = dict(modules())
every_module = pytest.mark.parametrize("module", MODULES)


def tree_of(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text())


def imports_of(module: str) -> set[str]:
    """The modules of ours that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(tree_of(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports by a relative name"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name for name in inner if name in MODULES or f"{name}.__init__" in MODULES} or {
                str(node.module)
            }
    return {name for name in found if name.split(".")[0] in OURS}


def is_within(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(allowed + ".")


def row_of(module: str) -> str:
    """The row of the table for a module of rpc: itself, or the folder it is in."""
    folder = ".".join(module.split(".")[:2])
    return folder if folder in ("rpc.core", "rpc.admin", "rpc.monitoring") else module


@pytest.mark.parametrize("module", [module for module in MODULES if not module.startswith("rpc.")])
def test_client_and_models_import_nothing_of_ours_but_themselves(module):
    package = module.split(".")[0]

    strangers = {name for name in imports_of(module) if not is_within(name, package)}

    assert strangers == set()


@pytest.mark.parametrize("module", [module for module in MODULES if module.startswith("rpc.")])
def test_a_module_of_rpc_imports_only_what_is_below_it(module):
    allowed = MAY_IMPORT[row_of(module)]

    strangers = {name for name in imports_of(module) if not any(is_within(name, one) for one in allowed)}

    # What is in the folder of core and admin is gathered by their __init__ alone.
    if module in ("rpc.core.__init__", "rpc.admin.__init__") or row_of(module) == "rpc.monitoring":
        strangers = {name for name in strangers if not is_within(name, row_of(module))}
    assert strangers == set()


def test_the_table_names_no_module_that_is_gone():
    rows = {row_of(module) for module in MODULES if module.startswith("rpc.")}

    assert rows == set(MAY_IMPORT)


@every_module
def test_only_the_edge_knows_of_the_loop(module):
    asynchronous = (ast.Await, ast.AsyncFunctionDef, ast.AsyncFor, ast.AsyncWith)

    knows = any(isinstance(node, asynchronous) for node in ast.walk(tree_of(module)))

    assert not knows or module in ASYNCHRONOUS


@pytest.mark.parametrize(
    ("library", "only"),
    [
        ("aiohttp", {"rpc.app", "rpc.connections", "client.sessions"}),
        (
            "jsonrpcserver",
            {"rpc.app", "rpc.envelope", "rpc.errors", "rpc.monitoring.metrics", "rpc.registry"},
        ),
        ("lark", {"models.query.syntax"}),
        ("prometheus_client", {"rpc.monitoring.metrics"}),
        ("opentelemetry", {"rpc.monitoring.spans"}),
    ],
)
def test_a_library_is_known_only_where_it_is_used(library, only):
    knowing = set()
    for module in MODULES:
        for node in ast.walk(tree_of(module)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
            if any(is_within(name, library) for name in names):
                knowing.add(module)

    assert knowing == only
