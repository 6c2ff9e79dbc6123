"""Measure our server beside others: `python -m tests.benchmarks`; README.md says what is measured."""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from tests.benchmarks import database
from tests.benchmarks.loads import BY_NAME, LOADS, Load, Sample, check, compact, expected, measure
from tests.benchmarks.running import HERE, TREE, Missing, Server, peers_python, serving, wrk
from tests.benchmarks.tables import table

OULAD = TREE.parent / "shared" / "data" / "oulad-oneroster.zip"
RECORDED = HERE / "recorded.json"


@dataclass(frozen=True, eq=False)
class Row:
    """A server of the table; the module of `servers` that it is, and what it can do."""

    name: str
    module: str
    has_database: bool = False
    is_peer: bool = False
    only: tuple[str, ...] = ()  # the loads that it is there for

    def takes(self, load: Load) -> bool:
        """Whether the load makes sense for this server."""
        if self.only:
            return load.name in self.only
        if self.name == "raw":
            return not load.beside  # its one canned reply cannot be of two sizes
        return self.has_database or not load.grows


ROWS = (
    Row("raw", "raw"),
    Row("ours", "ours", has_database=True),
    Row("one-each", "one_each", has_database=True, only=("writes-64",)),
    Row("ordinary", "ordinary", has_database=True),
    Row("jsonrpcserver", "documented"),
    Row("pjrpc", "pjrpc_peer", is_peer=True),
    Row("aiohttp-rpc", "aiohttp_rpc_peer", is_peer=True),
    Row("fastapi-jsonrpc", "fastapi_jsonrpc_peer", is_peer=True),
)

Results = dict[tuple[str, str], list[Sample]]  # by load and row: a sample a round

# load, row, the row it is compared with, at least so many times as fast
FLOORS = (
    ("lookups-1", "ours", "raw", 0.50),
    ("lookups-64", "ours", "raw", 0.55),
    ("lookups-64", "ours", "ordinary", 4.0),
    ("batch-1000", "ours", "raw", 2.5),
    ("batch-1000", "ours", "ordinary", 20.0),
    ("writes-64", "ours", "raw", 0.30),
    ("writes-64", "ours", "one-each", 2.0),
    ("writes-1000", "ours", "ordinary", 20.0),
    *(
        (load, "ours", row.name, 1.0)
        for load in ("lookups-64", "batch-1000")
        for row in ROWS
        if row.is_peer or row.name == "jsonrpcserver"
    ),
)
P99_AT_MOST, KEPT_AT_LEAST = 15.0, 0.65  # of lookups beside batches, in ms; and of the batches
IMPORT_AT_LEAST = 10_000  # rows a second


def main() -> None:
    """Run what the command line asks for; exit status 1 when a ratio fell by half."""
    options = _options()
    rows = _chosen(ROWS, options.rows, "row") if options.rows else ROWS
    if options.short and not options.rows:
        rows = tuple(row for row in ROWS if not row.is_peer)
    names = options.loads or [*BY_NAME, *([] if options.short else ["import"])]
    loads = _chosen(LOADS, [name for name in names if name != "import"], "load")
    rounds, seconds = (2, 1) if options.short else (options.rounds, options.seconds)
    try:
        wrk()
        results = _run(rows, loads, rounds, seconds)
    except Missing as missing:
        sys.exit(str(missing))
    imports = _imports(min(rounds, 3)) if "import" in names else []
    report = _report(results, imports, rounds, seconds)
    print(_text(report, results))
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n")
    if options.record:
        RECORDED.write_text(json.dumps(_ratios(report), indent=2) + "\n")
    if options.short and (fallen := _fallen(report)):
        sys.exit("\n".join(fallen))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--short", action="store_true", help="two rounds of a second, no peers, no import")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="how long each load lasts in a round")
    parser.add_argument("--rows", nargs="+", metavar="ROW", help=" ".join(row.name for row in ROWS))
    parser.add_argument("--loads", nargs="+", metavar="LOAD", help=" ".join([*BY_NAME, "import"]))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")
    parser.add_argument("--record", action="store_true", help=f"write {RECORDED.name}; use with --short")
    return parser.parse_args()


def _chosen(all_of_them: Sequence[Any], names: Sequence[str], noun: str) -> tuple[Any, ...]:
    known = {one.name: one for one in all_of_them}
    if unknown := [name for name in names if name not in known]:
        sys.exit(f"no {noun} is called {', '.join(unknown)}; there are: {', '.join(known)}")
    return tuple(known[name] for name in known if name in names)


# Running


def _run(rows: Sequence[Row], loads: Sequence[Load], rounds: int, seconds: int) -> Results:
    """All samples, the servers' turns interleaved so that what disturbs one disturbs all."""
    runs = [(load, row) for load in loads for row in rows if row.takes(load)]
    runs = _with_bases(runs)
    used = {row.name: row for _, row in runs}
    with tempfile.TemporaryDirectory(prefix="core-rpc-benchmark-") as folder, contextlib.ExitStack() as stack:
        template = Path(folder) / "template.db"
        secret = database.make(template)
        servers = {row.name: stack.enter_context(_started(row, template, secret)) for row in used.values()}
        took = {}
        for load, row in runs:
            _can(row, servers[row.name], load)
            took[load.name, row.name] = 0.0 if row.name == "raw" else check(servers[row.name], load)
        results: Results = {}
        for number, (load, row) in itertools.product(range(rounds), runs):
            _can(row, servers[row.name], load)
            sample = measure(servers[row.name], load, seconds, took[load.name, row.name])
            results.setdefault((load.name, row.name), []).append(sample)
            _say(f"round {number + 1} of {rounds}: {load.name}, {row.name}: {sample.rate:,.0f} calls/s")
    return results


def _with_bases(runs: list[tuple[Load, Row]]) -> list[tuple[Load, Row]]:
    """The runs, and before them those of raw that they are measured by."""
    raw = ROWS[0]
    bases = [(BY_NAME[load.base or load.name], raw) for load, _ in runs if not load.beside]
    return list(dict.fromkeys([run for run in bases if run not in runs])) + runs


def _started(row: Row, template: Path, secret: str) -> contextlib.AbstractContextManager[Server]:
    path = None
    if row.has_database:
        path = template.with_name(f"{row.name}.db")
        shutil.copy(template, path)
    python = peers_python() if row.is_peer else None
    return serving(row.module, secret=secret, database=path, python=python)


def _can(row: Row, server: Server, load: Load) -> None:
    """Have the raw server send as many bytes as ours would."""
    if row.name == "raw":
        server.post(compact(expected(load.bodies(server)[0])), "/canned")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _imports(times: int) -> list[float] | str:
    """The rows a second of each import of the OULAD file, or why there is none."""
    if not OULAD.exists():
        return "../shared/data/oulad-oneroster.zip is not there"
    rates = []
    for _ in range(times):
        with tempfile.TemporaryDirectory(prefix="core-rpc-benchmark-") as folder:
            path = Path(folder) / "import.db"
            database.core_rpc(path, "migrate")
            start = time.perf_counter()
            try:
                database.core_rpc(path, "import", "oneroster", str(OULAD))
            except RuntimeError as error:
                return str(error).splitlines()[-1]
            took = time.perf_counter() - start
            added = database.count(path, ("user", "membership", "membership_change"))
        if added != {"user": 28_785, "membership": 32_593, "membership_change": added["membership_change"]}:
            raise RuntimeError(f"the import gave {added}")
        rates.append((added["user"] + added["membership"]) / took)
        _say(f"import: {rates[-1]:,.0f} rows/s")
    return rates


# Telling


def _report(results: Results, imports: list[float] | str, rounds: int, seconds: int) -> dict[str, Any]:
    """The medians of all rounds; a ratio is taken within its round."""
    loads: dict[str, dict[str, Any]] = {}
    for (load, row), samples in results.items():
        figures: dict[str, Any] = {
            "calls_per_second": round(median(one.rate for one in samples)),
            "cpu_us_per_call": round(median(one.cpu for one in samples) * 1e6, 1),
            "p50_ms": round(median(one.p50 for one in samples), 2),
            "p99_ms": round(median(one.p99 for one in samples), 2),
        }
        if (ratio := _times(results, load, row, "raw")) is not None:
            figures["ratio_to_raw"] = ratio
            figures["cpu_ratio_to_raw"] = _cpu_times(results, load, row)
        if samples[0].kept is not None:
            figures["batches_keep"] = round(median(one.kept or 0 for one in samples), 2)
        loads.setdefault(load, {})[row] = figures
    report: dict[str, Any] = {
        "python": platform.python_version(),
        "rounds": rounds,
        "seconds": seconds,
        "fsync_ms": round(_fsync_ms(), 2),
        "loads": loads,
    }
    if isinstance(imports, str):
        report["import_skipped"] = imports
    elif imports:
        report["import_rows_per_second"] = round(median(imports))
    return report


def _fsync_ms() -> float:
    """How long the disk under the databases takes for one durable write of a page."""
    took = []
    with tempfile.NamedTemporaryFile(buffering=0) as file:
        for _ in range(100):
            start = time.perf_counter()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            took.append(time.perf_counter() - start)
    return median(took) * 1000


def _times(results: Results, load: str, row: str, other: str) -> float | None:
    """How many times as fast a row is as another, in calls; None where one of them was not run."""
    mine = results.get((load, row))
    base = BY_NAME[load].base if other == "raw" else ""
    theirs = results.get((base or load, other))
    if mine is None or theirs is None:
        return None
    ratio = median(one.rate / two.rate for one, two in zip(mine, theirs, strict=True))
    return float(f"{ratio:.3g}")


def _cpu_times(results: Results, load: str, row: str) -> float:
    """The ratio to raw by CPU a call, which other work on the machine disturbs much less."""
    pairs = zip(results[BY_NAME[load].base or load, "raw"], results[load, row], strict=True)
    # A short round of few calls can be less than a tick of the clock that counts CPU.
    return float(f"{median(raw.cpu / max(one.cpu, 1e-9) for raw, one in pairs):.3g}")


def _text(report: dict[str, Any], results: Results) -> str:
    """The report for people: ratios, then what is behind them, then the floors."""
    parts = []
    if results:
        parts += ["Calls per second as a ratio to the raw aiohttp echo:", _ratio_table(report)]
        parts += ["Behind them:", _detail_table(report)]
    if "import_rows_per_second" in report:
        parts.append(f"OULAD import: {report['import_rows_per_second']:,} rows/s")
    elif "import_skipped" in report:
        parts.append(f"OULAD import: skipped, {report['import_skipped']}")
    parts.append(f"One fsync takes {report['fsync_ms']:g} ms; Python {report['python']}.")
    return "\n\n".join([*parts, "Floors:", _floor_table(report, results)])


def _ratio_table(report: dict[str, Any]) -> str:
    names = [row.name for row in ROWS if any(row.name in by_row for by_row in report["loads"].values())]
    lines = []
    for load, by_row in report["loads"].items():
        if BY_NAME[load].beside:
            continue
        ratios = [by_row.get(name, {}).get("ratio_to_raw", "") for name in names]
        lines.append([load, *(ratio if ratio == "" else f"{ratio:g}" for ratio in ratios)])
    return table(["load", *names], lines)


def _detail_table(report: dict[str, Any]) -> str:
    lines = []
    for load, by_row in report["loads"].items():
        for row, figures in by_row.items():
            kept = figures.get("batches_keep")
            lines.append(
                [
                    load,
                    row,
                    f"{figures['calls_per_second']:,}",
                    f"{figures['cpu_us_per_call']:g}",
                    str(figures.get("cpu_ratio_to_raw", "")),
                    f"{figures['p50_ms']:g}",
                    f"{figures['p99_ms']:g}",
                    "" if kept is None else f"batches keep {kept:.0%}",
                ]
            )
    return table(["load", "row", "calls/s", "CPU us/call", "raw/this", "p50 ms", "p99 ms", ""], lines)


def _floor_table(report: dict[str, Any], results: Results) -> str:
    lines = []

    def add(what: str, found: float | None, floor: float, is_reached: Callable[[Any, Any], bool]) -> None:
        if found is not None:
            verdict = "reached" if is_reached(found, floor) else "not reached"
            lines.append([what, f"{found:,g}", f"{floor:,g}", verdict])

    for load, row, other, least in FLOORS:
        add(f"{load}: {row} / {other}", _times(results, load, row, other), least, float.__ge__)
    beside = report["loads"].get("beside-batches", {}).get("ours", {})
    add("beside-batches: p99 ms", beside.get("p99_ms"), P99_AT_MOST, float.__le__)
    add("beside-batches: the batches keep", beside.get("batches_keep"), KEPT_AT_LEAST, float.__ge__)
    add("import: rows/s", report.get("import_rows_per_second"), IMPORT_AT_LEAST, int.__ge__)
    return table(["what", "found", "floor", ""], lines)


# What was recorded


def _ratios(report: dict[str, Any]) -> dict[str, float]:
    by_load = report["loads"].items()
    return {
        load: row["ours"]["ratio_to_raw"] for load, row in by_load if "ratio_to_raw" in row.get("ours", {})
    }


def _fallen(report: dict[str, Any]) -> list[str]:
    """The ratios that are less than half of what was recorded."""
    if not RECORDED.exists():
        return []
    before = json.loads(RECORDED.read_text())
    return [
        f"{load}: {ratio:g} of raw, and {before[load]:g} was recorded"
        for load, ratio in _ratios(report).items()
        if load in before and ratio < before[load] / 2
    ]


if __name__ == "__main__":
    main()
