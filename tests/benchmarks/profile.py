"""Show where the time of one call goes, layer by layer: `python -m tests.benchmarks.profile`.

py-spy, from the environment of the peers, looks at the server's stacks 500 times a second from
outside. Time in C counts for the Python function that called it.
"""

from __future__ import annotations

import argparse
import collections
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks import database
from tests.benchmarks.loads import BY_NAME, Load, check, measure
from tests.benchmarks.running import TREE, Driving, Missing, Server, peers_python, serving

OURS = re.compile(rf"{re.escape(str(TREE))}/((?:rpc|models)/\S+?)\)$")
INSTALLED = re.compile(r"/site-packages/(\w+)")
STANDARD = re.compile(r"/python3\.\d+/(\w+)")
TOGETHER = {
    "playhouse": "peewee",
    "oslash": "jsonrpcserver",
    "multidict": "aiohttp",
    "yarl": "aiohttp",
    "aiohappyeyeballs": "aiohttp",
    "referencing": "jsonschema",
    "rpds": "jsonschema",
}
FEWER_THAN = 0.01  # of the samples are put together as "the rest"


def main() -> None:
    """Profile a server under each of the loads."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.profile", description=__doc__)
    parser.add_argument("--loads", nargs="+", choices=list(BY_NAME), default=["lookups-64"], metavar="LOAD")
    parser.add_argument("--server", choices=["ours", "ordinary"], default="ours")
    parser.add_argument("--seconds", type=int, default=5)
    options = parser.parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="core-rpc-profile-") as folder:
            path = Path(folder) / "profile.db"
            secret = database.make(path)
            with serving(options.server, secret=secret, database=path) as server:
                for name in options.loads:
                    print(_profile(server, BY_NAME[name], options.seconds, Path(folder)), "\n", flush=True)
    except Missing as missing:
        sys.exit(str(missing))


def _profile(server: Server, load: Load, seconds: int, folder: Path) -> str:
    """A table of layers: what each costs a call by itself, and ours with the libraries they call."""
    one_takes = check(server, load)
    cpu = measure(server, load, seconds, one_takes).cpu * 1e6  # without the profiler in the way
    stacks = _stacks(server, load, seconds, folder)
    total = sum(stacks.values())
    alone: collections.Counter[str] = collections.Counter()
    below: collections.Counter[str] = collections.Counter()
    for frames, count in stacks.items():
        alone[_layer(frames[-1])] += count
        innermost = [match[1] for frame in frames if (match := OURS.search(frame))]
        # The command line is below everything: it started the loop.
        below[innermost[-1] if innermost and innermost != ["rpc/cli.py"] else "HTTP, event loop"] += count
    return "\n".join(
        [
            f"{load.says}: {cpu:.0f} us of CPU a call",
            "",
            "| layer, by itself | share | us a call |",
            "| --- | --- | --- |",
            *_lines(alone, total, cpu),
            "",
            "| our files, with the libraries that they call | share | us a call |",
            "| --- | --- | --- |",
            *_lines(below, total, cpu),
        ]
    )


def _stacks(server: Server, load: Load, seconds: int, folder: Path) -> dict[tuple[str, ...], int]:
    """How often each stack was seen, outermost frame first, while the server was under the load."""
    file = folder / "stacks.txt"
    driving = Driving(server, load.bodies(server), load.connections, seconds + 2)
    command = [peers_python().with_name("py-spy"), "record", "--pid", str(server.process.pid)]
    options = ["--format", "raw", "--rate", "500", "--full-filenames", "--nolineno"]
    options += ["--duration", str(seconds), "--output", file]
    done = subprocess.run([*command, *options], capture_output=True, text=True)
    driving.result()
    if done.returncode:
        raise Missing(f"py-spy cannot look at the server (it may need more rights): {done.stderr.strip()}")
    stacks: collections.Counter[tuple[str, ...]] = collections.Counter()
    for line in file.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        stacks[tuple(stack.split(";"))] += int(count)
    return stacks


def _layer(frame: str) -> str:
    if match := OURS.search(frame):
        return match[1]
    if match := INSTALLED.search(frame):
        return TOGETHER.get(match[1], match[1])
    if "/asyncio/" in frame:
        return "event loop"  # uvloop is in C and counts for asyncio, which runs it
    if match := STANDARD.search(frame):
        return f"Python's {match[1]}"
    return "generated code"  # of dataclasses, which has no file


def _lines(counts: collections.Counter[str], total: int, cpu: float) -> list[str]:
    shown = [(name, count) for name, count in counts.most_common() if count >= total * FEWER_THAN]
    rest = total - sum(count for _, count in shown)
    rows = [*shown, ("the rest", rest)] if rest else shown
    return [f"| {name} | {count / total:.0%} | {count / total * cpu:.0f} |" for name, count in rows]


if __name__ == "__main__":
    main()
