"""OneRoster in: rows of CSV files become kinds, programs, users, cohorts and memberships.

What a file says is compared with what the last one said of the same row (`imported`), and only what
differs is done here. So a second import changes nothing, and a nightly one leaves alone what people
changed here.

Each file is read as a whole, so that the order of its rows means nothing. Then its rows are stored some
hundreds at a time, each piece in a short transaction of its own and without a query for each row, so that
a server can go on writing between them.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import operator
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from models.actor import Actor, How
from models.audit import audited
from models.database import writing
from models.errors import Conflict, ModelError, TooManyChanges
from models.ids import new_id
from models.imports import recorded
from models.roster.catalogue import Classes, Courses, Sessions
from models.roster.cohorts import Cohorts
from models.roster.columns import ENROLLMENTS, FILES, FOR_OURS, OURS, USERS, File
from models.roster.enrollments import Enrollments, count_active
from models.roster.labels import Labels
from models.roster.options import Missing, Options
from models.roster.passed_over import MANIFEST, of_no_use, passed_over
from models.roster.people import Users
from models.roster.reader import Files, NotARoster, Refuse, Table, opened, stored_files
from models.roster.rehearsal import on_a_copy
from models.roster.report import LISTED_AT_MOST, Report
from models.roster.roles import Roles
from models.roster.rows import Ids, Refused, Row, Step
from models.text import FORBIDDEN, NAME

REFUSED_AT_MOST = LISTED_AT_MOST - 1  # rows of one file that cannot be read; nobody would mend more
NO_TEXT = "Must be UTF-8 without control characters."

Progress = Callable[[str, int, int | None], None]
T = TypeVar("T")


def import_oneroster(
    path: Path,
    options: Options = Options(),  # noqa: B008  it is frozen
    *,
    progress: Progress | None = None,
) -> Report:
    """Bring a OneRoster 1.1 or 1.2 CSV set into the connected database; a dry run writes nothing.

    `path` is a directory or a zip. `progress` is told the file, the rows done, and about
    how many there are. NotARoster when there is nothing to read; TooManyChanges when the set would change
    more memberships than allowed; Conflict when the missing are to end and the set is only a part. All
    else that is wrong is in the report.
    """
    source = options.source
    if not source or "/" in source or len(source) > NAME or FORBIDDEN.search(source):
        raise ModelError("BAD_SOURCE", f"The name of a source has 1 to {NAME} characters and no slash")
    progress = progress or (lambda name, done, total: None)
    if options.dry_run:
        return _try(path, options, progress)
    with recorded(source) as keep:
        if options.max_changes is not None:
            _try(path, options, lambda name, done, total: None)
        report = _import(path, options, progress)
        keep(report.as_members)
        return report


def _try(path: Path, options: Options, progress: Progress) -> Report:
    """Carry out an import on a copy of the database. TooManyChanges: it would change more than allowed."""
    with on_a_copy():
        brought = count_active(options.source)
        report = _import(path, options, progress)
    if options.max_changes is not None:
        allowed = options.max_changes.of(brought)
        if report.changes.total > allowed:
            raise TooManyChanges(allowed=allowed, **report.changes.as_members)
    return report


def _import(path: Path, options: Options, progress: Progress) -> Report:
    with stored_files(path) as files, _without_collector():
        if not any(file.name.lower() in files for file in FILES):
            raise NotARoster(f"{path} has no OneRoster file in it, such as {USERS.name}")
        return _Run(files, options, progress).carry_out()


class _Hopeless(Exception):
    """Too many rows of a file cannot be read; holds the line of the last one."""


class _Run:
    """One run over the files of a set."""

    def __init__(self, files: Files, options: Options, progress: Progress) -> None:
        self._files = files
        self._options = options
        self._progress = progress
        self.report = Report(options.source, options.dry_run, str(new_id()))

    def carry_out(self) -> Report:
        """Store what the set says, file by file. Conflict: see `import_oneroster`."""
        report, options = self.report, self._options
        common = Ids(options.source), report, options
        manifest = self._manifest()
        sessions = Sessions(*common)
        courses = Courses(*common)
        classes = Classes(sessions, courses, *common)
        labels = Labels(*common)
        roles = Roles(*common)
        users = Users(labels, roles, *common)
        cohorts = Cohorts(*common)
        is_delta = manifest.get(ENROLLMENTS.name) == "delta"
        enrollments = Enrollments(cohorts, roles, users, is_delta, *common)
        if options.missing is Missing.END and is_delta:
            message = "The manifest calls enrollments.csv a delta; a row that is missing in it has not ended"
            raise Conflict("DELTA_SAYS_NOTHING_OF_MISSING", message)
        for name, why in passed_over(self._files):
            report.warn(name, 1, None, "FILE_PASSED_OVER", why)
        report.unused += of_no_use(self._files)
        for step in (sessions, courses, classes, labels, users, roles, cohorts, enrollments):
            self._do(step)
        if options.missing is Missing.END:
            self._store(enrollments.missing(), enrollments.end_missing)
        self._store(classes.to_archive, classes.archive)
        report.sort([MANIFEST, *(file.name for file in FILES)])
        return report

    def _manifest(self) -> dict[str, str]:
        """Which files the manifest calls bulk or delta; those that are not there are reported."""
        stored = self._files.get(MANIFEST)
        found: dict[str, str] = {}
        if stored is None:
            return found
        promised = {"file." + file.name.removesuffix(".csv"): file.name for file in FILES}
        refuse = functools.partial(self.report.refuse, MANIFEST)
        with opened(stored, refuse) as table:
            if table is None or [name.lower() for name in table.columns[:2]] != ["propertyname", "value"]:
                return found
            for line, (name, value, *_) in table.records(refuse):
                file, word = promised.get(name.strip()), value.strip().lower()
                if file and word in ("bulk", "delta"):
                    found[file] = word
                    if file.lower() not in self._files:
                        refuse(line, "value", "MISSING_FILE", f"There is no file {file}.")
        return found

    def _do(self, step: Step) -> None:
        """Read a file as a whole, if there is one, then store what it says."""
        file = step.file
        stored = self._files.get(file.name.lower())
        if stored is None:
            return
        self.report.of(file.name)
        refuse = functools.partial(self.report.refuse, file.name)
        with opened(stored, refuse) as table:
            if table is None or not _has_columns(table, file, refuse):
                return
            rows = self._prepared(table, step)
        if rows is None:
            return
        items = step.arrange(rows)
        with self._transaction():
            step.begin()
        self._store(items, step.store, file.name)

    def _prepared(self, table: Table, step: Step) -> list[Row] | None:
        """The rows that can be stored; None when so many cannot be read that the file is no roster."""
        name = step.file.name
        counts = self.report.of(name)

        def refuse(line: int, *why: Any) -> None:
            self.report.refuse(name, line, *why)
            if counts.refused >= REFUSED_AT_MOST:
                raise _Hopeless(line)

        rows = []
        try:
            for row in _rows(table, step, refuse):
                try:
                    step.prepare(row)
                except Refused as refused:
                    step.refuse(row, refused)
                else:
                    rows.append(row)
        except _Hopeless as hopeless:
            message = f"{REFUSED_AT_MOST:,} rows cannot be read; nothing of the file goes in."
            self.report.refuse(name, hopeless.args[0], None, "TOO_MANY_REFUSED", message)
            return None
        return rows

    def _store(self, items: Sequence[T], store: Callable[[list[T]], None], name: str | None = None) -> None:
        """Store items in pieces, each in one transaction."""
        done = 0
        for chunk in chunked(items, self._options.rows_at_once):
            with self._transaction():
                store(chunk)
            done += len(chunk)
            if name is not None:
                self._progress(name, done, len(items))
        if name is not None:
            self._progress(name, done, done)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        actor = Actor("core-rpc import oneroster", self.report.request_id, how=How.IMPORT)
        with writing(), audited(actor):
            yield


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """Have Python's collector of circular garbage rest.

    All rows of a file are in memory until they are stored, and the collector would walk over them again
    and again: a sixth of the time of an import. The garbage of one is freed by its reference counts.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _has_columns(table: Table, file: File, refuse: Refuse) -> bool:
    """Whether the columns are there without which no row of the file means anything."""
    there = {name.lower() for name in table.columns}
    lacking = ", ".join(name for name in file.required if name.lower() not in there)
    if lacking:
        refuse(1, lacking, "MISSING_COLUMN", f"The file has no column {lacking}.")
    return not lacking


def _rows(table: Table, step: Step, refuse: Refuse) -> Iterator[Row]:
    """The rows of a table, but for those without an id; cells that are no text are warned of and left out."""
    file = step.file
    positions = {name.lower(): position for position, name in reversed(list(enumerate(table.columns)))}
    for other, name in file.aliases:
        if other.lower() in positions:
            positions.setdefault(name.lower(), positions[other.lower()])
    ours = OURS <= positions.keys()
    columns = [
        column
        for column in file.columns
        if column.name.lower() in positions and (ours or column not in FOR_OURS)
    ]
    names = [column.name for column in columns]
    carried = [column.name for column in columns if column.carried]
    indexes = [positions[name.lower()] for name in names]
    pick = operator.itemgetter(*indexes, indexes[0])  # one more, so that it is a tuple always
    modified = positions.get("datelastmodified")
    identified = "sourcedId" in file.required
    for line, cells in table.records(refuse):
        picked = pick(cells)
        pairs = zip(names, picked, strict=False)
        given = {name: cell for name, cell in pairs if cell and (ours or not cell.isspace())}
        bad = []
        if FORBIDDEN.search("\n".join(picked)):
            bad = [name for name, cell in given.items() if FORBIDDEN.search(cell)]
        sourced_id = given.pop("sourcedId", "").strip() if identified else ""
        if identified and ("sourcedId" in bad or not 0 < len(sourced_id) <= NAME):
            code = "BAD_TEXT" if "sourcedId" in bad else "BAD_SOURCED_ID"
            text = NO_TEXT if "sourcedId" in bad else f"Must be given, in at most {NAME} characters."
            refuse(line, "sourcedId", code, text)
            continue
        kept = {name: given.pop(name) for name in carried if name in given}
        row = Row(line, sourced_id, given, kept, ours)
        if modified is not None:
            row.modified = cells[modified]
        for name in bad:
            step.warn(row, Refused(name, "BAD_TEXT", NO_TEXT))
            given.pop(name, None)
            kept.pop(name, None)
        yield row


def chunked(items: Sequence[T], size: int) -> Iterator[list[T]]:
    """The items, so many at a time."""
    for start in range(0, len(items), size):
        yield list(items[start : start + size])
