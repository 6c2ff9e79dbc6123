"""The report of an import: counts for each file, changes by kind, refusals and warnings."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.memberships import MembershipState, Move

SHOWN_AT_MOST = 20  # findings in the text form; the JSON form has all that are listed
LISTED_AT_MOST = 100_001  # findings of one file; further ones are only counted
ACTIVE = MembershipState.ACTIVE
CELL_AT_MOST = 100  # characters of a cell that the report repeats


@dataclass
class Counts:
    """Counts of the rows of one file by outcome; `history` counts the changes of memberships."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    history: int = 0
    matched: int = 0  # users who were here already, found by their email or their sourcedId
    merged: int = 0  # rows that say what another row says: of the same id, or of the same user and class
    warnings: int = 0


@dataclass
class Changes:
    """Changes of memberships by kind: those of an import, or those that a dry run would make."""

    joins: int = 0  # new memberships
    leaves: int = 0  # active ones that ended
    comes_back: int = 0  # ended ones that became active again
    moves: int = 0  # to another cohort
    role: int = 0
    total: int = 0  # memberships that were here before and left, came back, moved or changed their role

    def count(self, move: Move) -> None:
        """Count what one move does."""
        before, after = move.before, move.after
        if before is None:
            self.joins += 1
            return
        kinds = (
            before.state is ACTIVE is not after.state,
            after.state is ACTIVE is not before.state,
            before.cohort_id != after.cohort_id,
            before.role is not after.role,
        )
        self.leaves += kinds[0]
        self.comes_back += kinds[1]
        self.moves += kinds[2]
        self.role += kinds[3]
        self.total += any(kinds)

    @property
    def as_members(self) -> dict[str, int]:
        return {
            "joins": self.joins,
            "leaves": self.leaves,
            "comesBack": self.comes_back,
            "moves": self.moves,
            "role": self.role,
            "total": self.total,
        }


@dataclass(frozen=True)
class Finding:
    """A fault of a row, or of a whole file, whose line is then that of its header."""

    file: str
    line: int
    field: str | None
    code: str
    message: str
    sourced_id: str | None = None
    cell: str | None = None  # what stands in the field
    who: str | None = None  # who or what the row is about
    cause: str | None = None  # the finding that this one follows from

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}"
        if self.sourced_id:
            place += f", {self.sourced_id}"
        if self.who:
            place += f" ({self.who})"
        if self.field:
            place += f", {self.field}"
        if self.cell:
            place += f" {json.dumps(self.cell, ensure_ascii=False)}"
        text = f"{place}: {self.code}: {self.message}"
        return f"{text} It follows from {self.cause}." if self.cause else text

    @property
    def as_members(self) -> dict[str, Any]:
        members = dataclasses.asdict(self)
        members["sourcedId"] = members.pop("sourced_id")
        return members


@dataclass
class Report:
    """The outcome of an import, the same whether it was carried out or only tried."""

    source: str
    dry_run: bool
    request_id: str = ""  # by which the audit and the history name this import
    counts: dict[str, Counts] = field(default_factory=dict)
    changes: Changes = field(default_factory=Changes)
    refusals: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)  # files of OneRoster of which nothing is taken
    sums: dict[str, Counter[str]] = field(
        default_factory=lambda: {"refusals": Counter(), "warnings": Counter()}
    )

    def of(self, name: str) -> Counts:
        """The counts of a file, or of what several files mention (`cohorts`, `labels`)."""
        return self.counts.setdefault(name, Counts())

    def refuse(
        self, file: str, line: int, field: str | None, code: str, message: str, **more: str | None
    ) -> None:
        """Note a row, or a file, that does not go in."""
        counts = self.of(file)
        counts.refused += 1
        self.sums["refusals"][code] += 1
        if counts.refused <= LISTED_AT_MOST:
            self.refusals.append(_finding(file, line, field, code, message, more))

    def warn(
        self, file: str, line: int, field: str | None, code: str, message: str, **more: str | None
    ) -> None:
        """Note something of a row that counts for nothing, though the row goes in."""
        counts = self.counts.get(file) or Counts()  # a file that is not read has no counts
        counts.warnings += 1
        self.sums["warnings"][code] += 1
        if counts.warnings <= LISTED_AT_MOST:
            self.warnings.append(_finding(file, line, field, code, message, more))

    def forget(self, file: str, sourced_ids: Collection[str]) -> None:
        """List nothing of the rows of erased users, of whom nobody is to read; the sums stay."""
        if sourced_ids:
            for findings in (self.refusals, self.warnings):
                findings[:] = [
                    one for one in findings if one.file != file or one.sourced_id not in sourced_ids
                ]

    def sort(self, files: Sequence[str]) -> None:
        """Put the findings in the order of files and lines, and what follows from others behind those."""
        place = {name: number for number, name in enumerate(files)}

        def order(finding: Finding) -> tuple[bool, int, int]:
            return finding.cause is not None, place.get(finding.file, -1), finding.line

        self.refusals.sort(key=order)
        self.warnings.sort(key=order)

    @property
    def total(self) -> Counts:
        """The sums over all files."""
        rows = [dataclasses.astuple(counts) for counts in self.counts.values()]
        return Counts(*(sum(column) for column in zip(*rows, strict=True)))

    @property
    def as_members(self) -> dict[str, Any]:
        """The whole report, for programs."""
        return {
            "source": self.source,
            "dryRun": self.dry_run,
            "requestId": self.request_id,
            "counts": {name: dataclasses.asdict(counts) for name, counts in self.counts.items()},
            "changes": self.changes.as_members,
            "sums": {kind: dict(codes.most_common()) for kind, codes in self.sums.items()},
            "refusals": [refusal.as_members for refusal in self.refusals],
            "warnings": [warning.as_members for warning in self.warnings],
            "unusedFiles": self.unused,
        }

    def as_json(self) -> str:
        """The whole report as JSON."""
        return json.dumps(self.as_members, ensure_ascii=False, indent=2) + "\n"

    def __str__(self) -> str:
        """The report for a terminal: counts, changes and sums, then the first findings."""
        names = [column.name for column in dataclasses.fields(Counts)]
        lines = [f"{'':24}" + "".join(f"{name:>10}" for name in names)]
        for file, counts in self.counts.items():
            lines.append(f"{file:24}" + "".join(f"{number:10}" for number in dataclasses.astuple(counts)))
        would = "would change" if self.dry_run else "changed"
        done = self.changes
        lines.append(
            f"Memberships that {would}: {done.joins} join, {done.leaves} leave, {done.comes_back} come back,"
            f" {done.moves} move to another cohort, {done.role} get another role."
        )
        lines += _as_lines("Refused", self.sums["refusals"], self.refusals)
        lines += _as_lines("Warnings", self.sums["warnings"], self.warnings)
        if self.unused:
            lines.append(f"Files of OneRoster of which nothing is taken: {', '.join(self.unused)}")
        if self.dry_run:
            lines.append("This was a dry run: nothing was written.")
        return "\n".join(lines)


def _finding(
    file: str, line: int, field: str | None, code: str, message: str, more: Mapping[str, str | None]
) -> Finding:
    found = Finding(file, line, field, code, message, **more)
    if found.cell is not None and len(found.cell) > CELL_AT_MOST:
        return dataclasses.replace(found, cell=found.cell[: CELL_AT_MOST - 1] + "…")
    return found


def _as_lines(title: str, sums: Counter[str], findings: Sequence[Finding]) -> list[str]:
    """A line with the sums by code, then the first findings."""
    if not sums:
        return []
    most_first = sorted(sums.items(), key=lambda one: (-one[1], one[0]))
    by_code = ", ".join(f"{code} {number}" for code, number in most_first)
    lines = [f"{title}: {sums.total()} ({by_code})"]
    lines += [f"  {finding}" for finding in findings[:SHOWN_AT_MOST]]
    left = sums.total() - min(len(findings), SHOWN_AT_MOST)
    if left:
        lines.append(f"  ... and {left} more; --report FILE writes all of them as JSON")
    return lines
