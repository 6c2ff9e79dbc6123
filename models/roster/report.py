"""What an import did: counts for each file, and every row that was refused."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field

SHOWN_AT_MOST = 20  # refusals in the text form; the JSON form has all


@dataclass
class Counts:
    """What became of the rows of one file; `history` are the changes of memberships noted."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    history: int = 0


@dataclass(frozen=True)
class Refusal:
    """A row that did not go in, and why; for a whole file, the line of its header."""

    file: str
    line: int
    field: str | None
    code: str
    message: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" + (f", {self.field}" if self.field else "")
        return f"{place}: {self.code}: {self.message}"


@dataclass
class Report:
    """The outcome of an import, the same whether it was carried out or only tried."""

    source: str
    dry_run: bool
    counts: dict[str, Counts] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)
    warnings: list[Refusal] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)  # files of OneRoster of which nothing is taken

    def of(self, name: str) -> Counts:
        """The counts of a file, or of what several files mention (`cohorts`, `labels`)."""
        return self.counts.setdefault(name, Counts())

    def refuse(self, file: str, line: int, field: str | None, code: str, message: str) -> None:
        """Note a row that does not go in."""
        self.of(file).refused += 1
        self.refusals.append(Refusal(file, line, field, code, message))

    def warn(self, file: str, line: int, field: str | None, code: str, message: str) -> None:
        """Note what is wrong, and keeps nothing from going in."""
        self.warnings.append(Refusal(file, line, field, code, message))

    @property
    def total(self) -> Counts:
        """The sums over all files."""
        rows = [dataclasses.astuple(counts) for counts in self.counts.values()]
        return Counts(*(sum(column) for column in zip(*rows, strict=True)))

    def as_json(self) -> str:
        """The whole report, for programs."""
        members = {
            "source": self.source,
            "dryRun": self.dry_run,
            "counts": {name: dataclasses.asdict(counts) for name, counts in self.counts.items()},
            "refusals": [dataclasses.asdict(refusal) for refusal in self.refusals],
            "warnings": [dataclasses.asdict(warning) for warning in self.warnings],
            "unusedFiles": self.unused,
        }
        return json.dumps(members, ensure_ascii=False, indent=2) + "\n"

    def __str__(self) -> str:
        """The report for a terminal: the counts as a table, then the first refusals."""
        names = [column.name for column in dataclasses.fields(Counts)]
        lines = [f"{'':24}" + "".join(f"{name:>11}" for name in names)]
        for file, counts in self.counts.items():
            lines.append(f"{file:24}" + "".join(f"{number:11}" for number in dataclasses.astuple(counts)))
        lines += [str(refusal) for refusal in self.refusals[:SHOWN_AT_MOST]]
        if len(self.refusals) > SHOWN_AT_MOST:
            lines.append(f"... and {len(self.refusals) - SHOWN_AT_MOST} more, all in the JSON report")
        lines += [f"Warning: {warning}" for warning in self.warnings[:SHOWN_AT_MOST]]
        if self.unused:
            lines.append(f"Files of OneRoster of which nothing is taken: {', '.join(self.unused)}")
        if self.dry_run:
            lines.append("This was a dry run: nothing was written.")
        return "\n".join(lines)
