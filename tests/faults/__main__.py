"""Kill servers and cut their power, again and again: `python -m tests.faults`; README.md says how."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.faults import world
from tests.faults.disk import Disk, build
from tests.faults.rounds import READY_SECONDS, Round, Trial

EACH = 20  # rounds on one database


@dataclass
class Summary:
    """What all rounds of a sort came to."""

    name: str
    rounds: list[Round] = field(default_factory=list)

    @property
    def findings(self) -> int:
        return sum(len(round.findings) for round in self.rounds)

    @property
    def late(self) -> int:
        """Rounds after which the server was ready too late, on a machine with nothing else to do."""
        return sum(round.ready.own > READY_SECONDS for round in self.rounds)

    def __str__(self) -> str:
        cuts = [cut for round in self.rounds for cut in round.cuts]
        own, seconds = ([getattr(round.ready, name) for round in self.rounds] for name in ("own", "seconds"))
        lines = [
            f"{len(self.rounds)} {self.name}: {self.findings} findings, {self.late} late",
            f"  calls answered {sum(round.answered for round in self.rounds)}, "
            f"without an answer {sum(round.lost for round in self.rounds)}",
            f"  ready after {median(seconds):.2f} s, at most {max(seconds):.2f} s; "
            f"without waiting for other processes {median(own):.2f} s, at most {max(own):.2f} s",
        ]
        if cuts:
            lines.append(
                f"  power cuts {len(cuts)}: writes {sum(cut.writes for cut in cuts)}, "
                f"syncs {sum(cut.syncs for cut in cuts)}, "
                f"sectors not synced {sum(cut.at_risk for cut in cuts)}, "
                f"of these lost {sum(cut.lost for cut in cuts)}, "
                f"files back or gone {sum(cut.names for cut in cuts)}"
            )
        return "\n".join(lines)


def run(name: str, count: int, template: world.World, library: Path | None, seed: int) -> Summary:
    """So many rounds; each database is kept if something is wrong with it."""
    summary = Summary(name)
    chance = random.Random(f"{seed}/{name}")
    while len(summary.rounds) < count:
        folder = Path(tempfile.mkdtemp(prefix="core-rpc-faults-"))
        copy = template.copy(folder)
        disk = None if library is None else Disk(library, copy.path)
        found = 0
        with Trial(copy, chance.randrange(1 << 30), disk) as trial:
            for _ in range(min(EACH, count - len(summary.rounds))):
                round = trial.round()
                summary.rounds.append(round)
                _tell(name, len(summary.rounds), count, round)
                found += len(round.findings)
                if found:
                    break
        if found:
            print(f"the database is kept in {folder}", flush=True)
        else:
            shutil.rmtree(folder)
    return summary


def _tell(name: str, number: int, count: int, round: Round) -> None:
    torn = "".join(f", {cut.lost} of {cut.at_risk} sectors lost" for cut in round.cuts)
    print(
        f"{name} {number}/{count}: {round.answered} answered, {round.lost} not{torn}; "
        f"ready after {round.ready.seconds:.2f} s: {'; '.join(round.findings) or 'ok'}",
        flush=True,
    )


def main() -> int:
    """Run what the command line asks for; 1 when anything was found."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="rounds of kill -9")
    parser.add_argument("--cuts", type=int, default=300, help="rounds of power cuts")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        template = world.make(Path(folder) / "core.db")
        summaries = []
        if options.kills:
            summaries.append(run("kills", options.kills, template, None, options.seed))
        if options.cuts:
            summaries.append(run("cuts", options.cuts, template, build(Path(folder)), options.seed))
    for summary in summaries:
        print(summary)
    return int(any(summary.findings or summary.late for summary in summaries))


if __name__ == "__main__":
    sys.exit(main())
