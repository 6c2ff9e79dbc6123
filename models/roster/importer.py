"""OneRoster in: rows of CSV files become kinds, programs, users, cohorts and memberships.

What a file says is compared with what the last one said of the same row (`imported`), and only what
differs is done here. So a second import changes nothing, and a nightly one leaves alone what people
changed here.

Rows are stored some hundreds at a time, each chunk in a short transaction of its own and without a
query for each row, so that a server can go on writing between them.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import json
import operator
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from models.actor import Actor, How
from models.audit import audited
from models.database import writing
from models.errors import ModelError
from models.ids import new_id
from models.imports import recorded
from models.roster.catalogue import Classes, Courses, Sessions
from models.roster.columns import FILES, USERS, File
from models.roster.enrollments import Cohorts, Enrollments
from models.roster.options import Options
from models.roster.passed_over import MANIFEST, of_no_use, passed_over
from models.roster.people import Labels, Roles, Users
from models.roster.reader import Files, NotARoster, Refuse, Table, opened, stored_files
from models.roster.rehearsal import on_a_copy
from models.roster.report import Counts, Report
from models.roster.rows import Ids, Refused, Row, Step
from models.text import FORBIDDEN, NAME

ROWS_AT_ONCE = 400  # in one transaction
REFUSED_AT_MOST = 100_000  # rows of a file, which the report holds; nobody would mend more

Progress = Callable[[str, int, int | None], None]
T = TypeVar("T")


def import_oneroster(
    path: Path,
    *,
    source: str = "default",
    dry_run: bool = False,
    progress: Progress | None = None,
    options: Options | None = None,
) -> Report:
    """Bring a OneRoster 1.1 or 1.2 CSV set into the connected database; a dry run writes nothing.

    `path` is a directory or a zip, `source` the name of the system that its ids come from; `options`
    say all that may be said, these two included. `progress` is told the file, the rows done, and about
    how many there are. NotARoster when there is nothing to read; all else that is wrong is in the report.
    """
    options = options or Options(source=source, dry_run=dry_run)
    source = options.source
    if not source or "/" in source or len(source) > NAME or FORBIDDEN.search(source):
        raise ModelError("BAD_SOURCE", f"The name of a source has 1 to {NAME} characters and no slash")
    if options.dry_run:
        return _import(path, source, True, progress)
    with recorded(source) as keep:
        report = _import(path, source, False, progress)
        keep(json.loads(report.as_json()))
        return report


def _import(path: Path, source: str, dry_run: bool, progress: Progress | None) -> Report:
    report = Report(source, dry_run)
    with stored_files(path) as files, on_a_copy() if dry_run else contextlib.nullcontext():
        if not any(file.name.lower() in files for file in FILES):
            raise NotARoster(f"{path} has no OneRoster file in it, such as {USERS.name}")
        _Run(files, report, progress or (lambda name, done, total: None)).carry_out()
    names = [MANIFEST, *(file.name for file in FILES)]
    report.refusals.sort(key=lambda refusal: (names.index(refusal.file), refusal.line))
    return report


class _Hopeless(Exception):
    """Too many rows of a file are refused; holds the line of the last one."""


class _Run:
    """One run over the files of a set."""

    def __init__(self, files: Files, report: Report, progress: Progress) -> None:
        self._files = files
        self._report = report
        self._progress = progress
        self._request_id = str(new_id())  # by which the audit rows of this run are found

    def carry_out(self) -> None:
        common = Ids(self._report.source), self._report
        sessions = Sessions(*common)
        classes = Classes(sessions, *common)
        labels = Labels(*common)
        roles = Roles(*common)
        users = Users(labels, roles, *common)
        cohorts = Cohorts(*common)
        enrollments = Enrollments(cohorts, roles, *common)
        self._check_manifest()
        for name, why in passed_over(self._files):
            self._report.warn(name, 1, None, "FILE_PASSED_OVER", why)
        self._report.unused += of_no_use(self._files)
        for step in (sessions, Courses(*common), classes, labels, users, roles, cohorts, enrollments):
            self._do(step)
        for ids in chunked(classes.to_archive, ROWS_AT_ONCE):
            with self._transaction():
                classes.archive(ids)

    def _check_manifest(self) -> None:
        """Report the files that a manifest promises and that are not there."""
        stored = self._files.get(MANIFEST)
        if stored is None:
            return
        promised = {"file." + file.name.removesuffix(".csv"): file.name for file in FILES}
        refuse = functools.partial(self._report.refuse, MANIFEST)
        with opened(MANIFEST, stored, refuse) as table:
            if table is None or [name.lower() for name in table.columns[:2]] != ["propertyname", "value"]:
                return
            for line, (name, value, *_) in table.records(refuse):
                file = promised.get(name.strip())
                if file and value.strip() in ("bulk", "delta") and file.lower() not in self._files:
                    refuse(line, "value", "MISSING_FILE", f"There is no file {file}.")

    def _do(self, step: Step) -> None:
        """Store the rows of a file, if there is one."""
        file = step.file
        stored = self._files.get(file.name.lower())
        if stored is None:
            return
        self._report.of(file.name)
        refuse = functools.partial(self._report.refuse, file.name)
        with opened(file.name, stored, refuse) as table:
            if table is None or not _has_columns(table, file, refuse):
                return
            rows: Iterable[Row] = self._prepared(table, step, refuse)
            if step.parents_first:
                rows = _parents_first(list(rows))
            done = 0
            for chunk in chunked(rows, ROWS_AT_ONCE):
                with self._transaction():
                    step.store(chunk)
                done += len(chunk)
                self._progress(file.name, done, max(done, table.total))
            self._progress(file.name, done, done)

    def _prepared(self, table: Table, step: Step, refuse: Refuse) -> Iterator[Row]:
        """The rows that can be stored, until too many are refused."""
        counts = self._report.of(step.file.name)

        def told(line: int, *why: Any) -> None:
            refuse(line, *why)
            if counts.refused >= REFUSED_AT_MOST:
                raise _Hopeless(line)

        try:
            yield from self._each_once(_rows(table, step.file, told), step, counts)
        except _Hopeless as hopeless:
            refuse(hopeless.args[0], None, "TOO_MANY_REFUSED", "The rest of the file is not read.")

    def _each_once(self, rows: Iterable[Row], step: Step, counts: Counts) -> Iterator[Row]:
        """The rows, prepared; of rows that would have the same id, the first."""
        taken: set[str] = set()  # texts: UUIDs can be made up by which their hashes are all the same
        for row in rows:
            if counts.refused >= REFUSED_AT_MOST:
                raise _Hopeless(row.line)
            try:
                step.prepare(row)
                if row.sourced_id:
                    text = str(row.id)
                    if text in taken:
                        raise Refused("sourcedId", "DUPLICATE_ID", "An earlier row has the same id.")
                    taken.add(text)
            except Refused as refused:
                step.refuse(row, refused)
            else:
                yield row

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        actor = Actor("core-rpc import oneroster", self._request_id, how=How.IMPORT)
        with writing(), audited(actor):
            yield


def _has_columns(table: Table, file: File, refuse: Refuse) -> bool:
    """Whether the columns are there without which no row of the file means anything."""
    there = {name.lower() for name in table.columns}
    lacking = ", ".join(name for name in file.required if name.lower() not in there)
    if lacking:
        refuse(1, lacking, "MISSING_COLUMN", f"The file has no column {lacking}.")
    return not lacking


def _rows(table: Table, file: File, refuse: Refuse) -> Iterator[Row]:
    """The rows of a table; those with impossible text, or with no id where there must be one, are refused."""
    positions = {name.lower(): position for position, name in reversed(list(enumerate(table.columns)))}
    columns = [column for column in file.columns if column.name.lower() in positions]
    names = [column.name for column in columns]
    carried = [column.name for column in columns if column.carried]
    indexes = [positions[name.lower()] for name in names]
    pick = operator.itemgetter(*indexes, indexes[0])  # one more, so that it is a tuple always
    identified = "sourcedId" in file.required
    ours = "metadata.imported" in names
    for line, cells in table.records(refuse):
        picked = pick(cells)
        if FORBIDDEN.search("\n".join(picked)):
            pairs = zip(names, picked, strict=False)
            wrong = next(name for name, cell in pairs if FORBIDDEN.search(cell))
            refuse(line, wrong, "BAD_TEXT", "Must be UTF-8 without control characters.")
            continue
        pairs = zip(names, picked, strict=False)
        given = {name: cell for name, cell in pairs if cell and (ours or not cell.isspace())}
        sourced_id = given.pop("sourcedId", "").strip() if identified else ""
        if identified and not 0 < len(sourced_id) <= NAME:
            refuse(line, "sourcedId", "BAD_SOURCED_ID", f"Must be given, in at most {NAME} characters.")
            continue
        kept = {name: given.pop(name) for name in carried if name in given}
        yield Row(line, sourced_id, given, kept, ours)


def _parents_first(rows: list[Row]) -> list[Row]:
    """The rows so that each comes after its parent, if that is among them; circles stay as they are."""
    if not any("metadata.parent" in row.given for row in rows):
        return rows
    waiting = {row.sourced_id: row for row in rows}
    ordered: list[Row] = []
    for row in rows:
        line = {row.sourced_id: row}
        while (parent := row.given.get("metadata.parent", "").strip()) in waiting and parent not in line:
            row = line[parent] = waiting[parent]
        for one in reversed(line.values()):
            if waiting.pop(one.sourced_id, None) is not None:
                ordered.append(one)
    return ordered


def chunked(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    iterator = iter(items)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
