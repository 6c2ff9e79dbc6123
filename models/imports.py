"""Past imports of rosters, with their reports, so that people can see what a nightly job did."""

from __future__ import annotations

import contextlib
import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, Self
from uuid import UUID

import orjson
import peewee

from models import clock
from models.database import run_for_each, writing
from models.errors import ModelError
from models.ids import new_id
from models.rows import BaseModel, ChoiceField, InstantField

FINDINGS_AT_MOST = 1000  # refusals, and as many warnings, kept of one import: 300 bytes each
PURGED_AT_ONCE = 1  # imports; to remove the findings of one takes some 5 ms
NAMELESS = {"file", "line", "field", "code"}  # members of a finding that name no person


class ImportOutcome(StrEnum):
    """The outcome of an import."""

    DONE = "done"
    REFUSED = "refused"  # as a whole: nothing was written
    FAILED = "failed"  # it was broken off; what came before is written


class FindingKind(StrEnum):
    """In which list of the report a finding stands."""

    REFUSAL = "refusals"
    WARNING = "warnings"


class RosterImport(BaseModel):
    """One import that was carried out, or was to be; dry runs are not kept."""

    at = InstantField(index=True)
    finished_at = InstantField()
    source = peewee.TextField()
    outcome = ChoiceField(ImportOutcome)
    error = peewee.TextField(null=True)  # the code of what kept it from being done
    refused = peewee.IntegerField()
    warnings = peewee.IntegerField()
    summary = peewee.TextField()  # the report without its findings, as JSON

    class Meta:
        without_rowid = True

    report: dict[str, Any]  # with the findings that are kept

    @property
    def request_id(self) -> str | None:
        """By which the audit and the history name the import."""
        return self.report.get("requestId") or None

    @classmethod
    def with_report(cls, import_id: UUID) -> Self | None:
        """The import with this id, with its report."""
        found = cls.find(id=import_id)
        if found is not None:
            cls._put_reports([found])
        return found

    @classmethod
    def newest(cls, limit: int, after: UUID | None = None) -> list[Self]:
        """The newest imports, with their reports; those before the one with an id, if one is given."""
        found = cls.select().order_by(cls.id.desc()).limit(limit)
        if after is not None:
            found = found.where(cls.id < after)
        imports = list(found)
        cls._put_reports(imports)
        return imports

    @classmethod
    def _put_reports(cls, imports: list[Self]) -> None:
        findings: dict[UUID, dict[str, list[Any]]] = defaultdict(lambda: {kind: [] for kind in FindingKind})
        kept = RosterFinding.select(RosterFinding.roster_import, RosterFinding.kind, RosterFinding.members)
        kept = kept.where(RosterFinding.roster_import.in_([one.id for one in imports]))
        rows: Any = kept.order_by(RosterFinding.id).tuples()
        for import_id, kind, members in rows:
            findings[import_id][kind].append(orjson.loads(members))
        for one in imports:
            one.report = orjson.loads(one.summary) | findings[one.id]

    @classmethod
    def purge(cls, before: datetime, seconds: float) -> int:
        """Remove an import from before an instant, with its findings; 0 when none is left."""
        old = cls.select(cls.id).where(cls.at < before).order_by(cls.at, cls.id).limit(PURGED_AT_ONCE)
        ids = [one.id for one in old]
        RosterFinding.delete().where(RosterFinding.roster_import.in_(ids)).execute()
        return cls.delete().where(cls.id.in_(ids)).execute()


class RosterFinding(BaseModel):
    """A row that was refused by an import, or that it warned of."""

    roster_import = peewee.ForeignKeyField(RosterImport)
    kind = ChoiceField(FindingKind)
    members = peewee.TextField()  # as the report has it, as JSON

    class Meta:
        without_rowid = True


def record(
    report: Mapping[str, Any],
    *,
    at: datetime,
    source: str,
    outcome: ImportOutcome = ImportOutcome.DONE,
    error: ModelError | None = None,
) -> UUID:
    """Keep the report of an import, in a transaction of its own; returns its id.

    `report` is what `--report` writes; it may be empty where the import came to nothing. No row of this
    is for the audit: a file that repeats itself changes nothing.
    """
    findings = {kind: report.get(kind, []) for kind in FindingKind}
    summary = {name: member for name, member in report.items() if name not in findings}
    if error is not None:
        summary["error"] = {"code": error.word, **error.facts}
    import_id = new_id()
    row = {
        "id": import_id,
        "at": at,
        "finished_at": clock.now(),
        "source": source,
        "outcome": outcome,
        "error": error and error.word,
        "refused": _sum(report, FindingKind.REFUSAL),
        "warnings": _sum(report, FindingKind.WARNING),
        "summary": _json(summary),
    }
    kept = [
        {"id": new_id(), "roster_import": import_id, "kind": kind, "members": _json(one)}
        for kind in FindingKind
        for one in findings[kind][:FINDINGS_AT_MOST]
    ]
    with writing():
        for model, rows in ((RosterImport, [row]), (RosterFinding, kept)):
            prepared = model.inserts(rows)
            run_for_each(prepared.sql, prepared.rows)
    return import_id


def _json(members: Any) -> str:
    """JSON of what may have lone surrogates in it."""
    return json.dumps(members, ensure_ascii=False).encode(errors="replace").decode()


def _sum(report: Mapping[str, Any], kind: FindingKind) -> int:
    """The number of findings, of which a report may list only the first."""
    sums = report.get("sums", {}).get(kind)
    return len(report.get(kind, [])) if sums is None else sum(sums.values())


@contextlib.contextmanager
def recorded(source: str) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """Record the import that runs in here, whatever becomes of it.

    It is given the report, as far as there is one.
    """
    at = clock.now()
    report: dict[str, Any] = {}
    try:
        yield report.update
    except ModelError as error:
        record(report, at=at, source=source, outcome=ImportOutcome.REFUSED, error=error)
        raise
    except BaseException:
        with contextlib.suppress(peewee.PeeweeException):  # which may be why it failed
            record(report, at=at, source=source, outcome=ImportOutcome.FAILED)
        raise
    record(report, at=at, source=source)


def forget(names: Iterable[str | None]) -> None:
    """Remove the findings that mention somebody by any of these names, in any letter case."""
    texts = {name.strip().casefold() for name in names if name and name.strip()}
    if not texts:
        return
    mention = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(texts)))})(?!\w)")
    found = []
    for finding in RosterFinding.select(RosterFinding.id, RosterFinding.members).iterator():
        members = orjson.loads(finding.members)
        texts_of = (str(text) for name, text in members.items() if text and name not in NAMELESS)
        if mention.search("\n".join(texts_of).casefold()):
            found.append(finding.id)
    for ids in peewee.chunked(found, 500):
        RosterFinding.delete().where(RosterFinding.id.in_(ids)).execute()
