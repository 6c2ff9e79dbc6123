"""The command line: `core-rpc --help` lists what it can do."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import environs.fields
import marshmallow
import peewee
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from client import Client, ClientError, RpcError
from client.lua import sandbox
from models import backup as backups
from models import clock, database, files, migrations, retention, roster, sample
from models.actor import Actor
from models.audit import Audit, audited
from models.database import BadDatabaseUrl, connected, path_of, writing
from models.errors import Displaced, ModelError, QueryError, TooManyChanges
from models.imports import RosterImport
from models.people import User
from models.query.tree import Language
from models.text import DAY_TEXT, FORBIDDEN, INSTANT_TEXT
from models.tokens import Scope, Token
from rpc.config import BadSetting, Config
from rpc.exposure import Exposed

COMMAND_BUSY_SECONDS = 60.0  # how long a command waits for a busy server's writer
WIDE = 200  # characters
BACKUP_NICE = 5  # a server beside it comes first

out = Console()
if not out.is_terminal and "COLUMNS" not in os.environ:
    out.width = WIDE  # a pipe or a file has no width to fold tables to
err = Console(stderr=True)

cli = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A JSON-RPC 2.0 server for running programs. Settings are CORE_RPC_* variables.",
)
token_cli = typer.Typer(no_args_is_help=True, help="Make, list and revoke tokens.")
import_cli = typer.Typer(no_args_is_help=True, help="Bring data in from files.")
export_cli = typer.Typer(no_args_is_help=True, help="Write data to files.")
cli.add_typer(token_cli, name="token")
cli.add_typer(import_cli, name="import")
cli.add_typer(export_cli, name="export")

DatabaseOption = Annotated[
    str | None, typer.Option("--database", metavar="URL", help="sqlite:///path; else CORE_RPC_DATABASE")
]


def _print_version(asked: bool) -> None:
    if asked:
        out.print(version("core-rpc"))
        raise typer.Exit


@cli.callback()
def _options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """Options that come before a command."""


def main() -> None:
    """Run a command; what goes wrong is one line on the error output and exit status 1."""
    try:
        cli()
    except (BadSetting, BadDatabaseUrl, Exposed) as error:
        _fail(str(error))
    except (files.NotOurs, migrations.WrongVersion, backups.BackupRefused) as error:
        _fail(str(error))
    except TooManyChanges as error:
        _fail(f"{error} ({', '.join(f'{name}: {number}' for name, number in error.facts.items())})")
    except (ModelError, Displaced, ClientError, OSError) as error:
        _fail(str(error))
    except (peewee.DatabaseError, peewee.InterfaceError) as error:
        _fail(f"the database cannot be used: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _fail(message: str) -> None:
    err.print(f"core-rpc: {message}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(1)


def _shown(text: str) -> Text:
    """What is stored, for a table: no markup, and nothing that a terminal obeys."""
    return Text(FORBIDDEN.sub("\ufffd", text))


# Serving


@cli.command()
def demo(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 takes a free one.")] = 8080,
) -> None:
    """Serve a sample world from a throw-away database, and print how to call it."""
    with tempfile.TemporaryDirectory(prefix="core-rpc-demo-") as folder:
        url = f"sqlite:///{folder}/demo.db"
        config = Config.from_env(database=url, host=host, port=port)
        clock.set_to(config.clock)
        files.make_private(path_of(url))
        database.configure(url)
        with connected():
            migrations.migrate()
            sample.make()
            with _acting("demo"):
                _, secret = Token.issue("demo", Scope.ADMIN)
        _run(config, lambda chosen: _greet(host, chosen, secret))


def _greet(host: str, port: int, secret: str) -> None:
    url = f"http://{host}:{port}/rpc"
    call = {"jsonrpc": "2.0", "method": "core.LookupProgramInstance", "params": [sample.SPRING], "id": 1}
    print(f"Serving a sample world at {url} until Ctrl-C. It is gone afterwards.\n")
    print(f"Token: {secret}\n")
    print("Try:\n")
    print(f"  curl -s {url} -H 'Authorization: Bearer {secret}' \\")
    print(f"    -H 'Content-Type: application/json' -d '{json.dumps(call)}'\n", flush=True)


@cli.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; else CORE_RPC_HOST.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; else CORE_RPC_PORT.")] = None,
    database: DatabaseOption = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes; SQLite takes one.")] = 1,
) -> None:
    """Serve a database until SIGTERM or Ctrl-C."""
    if workers > 1:
        _fail("--workers: a SQLite database is served by one process")
    config = Config.from_env(host=host, port=port, database=database)
    _run(config, lambda chosen: _announce(f"Serving {config.database} at http://{config.host}:{chosen}/rpc"))


def _announce(line: str) -> None:
    with contextlib.suppress(OSError):  # the output may be a file on a disk that is full
        print(line, flush=True)


def _run(config: Config, started: Callable[[int], None]) -> None:
    # Here, because the server takes 0.25 s to load, and most commands do without it.
    import asyncio

    from rpc.app import serve as serve_app

    try:
        import uvloop

        loop_factory: Any = uvloop.new_event_loop
    except ImportError:
        loop_factory = None
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        runner.run(serve_app(config, started))


# The database


@cli.command()
def migrate(database: DatabaseOption = None) -> None:
    """Bring a database to this version; makes it, for its owner alone, where there is none."""
    with _opened(database, must_exist=False):
        names = migrations.migrate()
        print("\n".join(f"applied {name}" for name in names) or "nothing to do")


@cli.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace the file if it is there.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Copy a database to a file, beside a running server if need be."""
    os.nice(BACKUP_NICE)
    with _opened(database):
        size = backups.backup(file, replace=replace)
    print(f"wrote {size:,} bytes to {file}")


@cli.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `core-rpc backup` wrote.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace the database if there is one.")] = False,
    database: DatabaseOption = None,
) -> None:
    """Make a database of a backup; no server must have it open."""
    config = Config.from_env(database=database)
    pending = backups.restore(file, config.database, replace=replace)
    print(f"restored {config.database}")
    if pending:
        print(f"it is older than this program ({pending[0]} is missing); run: core-rpc migrate")


@cli.command()
def check(database: DatabaseOption = None) -> None:
    """Verify the database's version, settings and integrity; exit status 1 when something is wrong."""
    with _opened(database):
        findings = _findings()
    table = Table("", "what", "found", show_header=False, box=None)
    for is_good, what, found in findings:
        table.add_row("ok" if is_good else "WRONG", what, _shown(found))
    out.print(table)
    if not all(is_good for is_good, _, _ in findings):
        sys.exit(1)


def _findings() -> list[tuple[bool, str, str]]:
    found = [
        (
            database.sqlite_version() >= database.SQLITE_AT_LEAST,
            "SQLite",
            ".".join(map(str, database.sqlite_version())),
        )
    ]
    for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)):
        value = database.database.pragma(pragma)
        found.append((value == wanted, pragma, str(value)))
    try:
        found.append((True, "schema version", migrations.check_version()))
    except migrations.WrongVersion as error:
        found.append((False, "schema version", str(error)))
    problems = [str(row[0]) for row in database.database.execute_sql("PRAGMA integrity_check")]
    found.append((problems == ["ok"], "integrity", "; ".join(problems)))
    orphans = len(list(database.database.execute_sql("PRAGMA foreign_key_check")))
    found.append((orphans == 0, "rows whose parent is missing", str(orphans)))
    stopped = clock.stopped_at()
    found.append((True, "clock", f"stopped at {stopped.isoformat()}" if stopped else "running"))
    return found


@contextlib.contextmanager
def _opened(url: str | None, *, must_exist: bool = True) -> Iterator[Config]:
    """The database of the settings, connected."""
    config = Config.from_env(database=url)
    clock.set_to(config.clock)
    if must_exist:
        migrations.check_file(config.database)
    else:
        files.make_private(path_of(config.database))
    database.configure(config.database, COMMAND_BUSY_SECONDS)
    with connected():
        yield config


@contextlib.contextmanager
def _current(url: str | None) -> Iterator[Config]:
    """As `_opened`, for commands that need the database to be of this version."""
    with _opened(url) as config:
        migrations.check_version()
        yield config


@contextlib.contextmanager
def _acting(command: str) -> Iterator[None]:
    """One short transaction in the name of a command."""
    with writing(), audited(Actor(f"core-rpc {command}")):
        yield


# Tokens


@token_cli.command("create")
def token_create(
    name: Annotated[str, typer.Option(help="Whose it is, for you.")],
    scope: Annotated[Scope, typer.Option(help="What it may do.")],
    user: Annotated[str | None, typer.Option(metavar="EMAIL", help="The user it acts for.")] = None,
    expires: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day on which it ends, UTC.")
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Make a token and print it, alone, this once."""
    with _current(database), _acting("token create"):
        owner = None if user is None else User.of(User.who(None, user))
        _, secret = Token.issue(name, scope, owner, expires and expires.replace(tzinfo=UTC))
    print(secret)


@token_cli.command("list")
def token_list(database: DatabaseOption = None) -> None:
    """List the tokens; never what they are."""
    with _current(database):
        tokens = Token.all()
    table = Table("id", "name", "scope", "acts for", "made", "expires", "revoked")
    table.columns[0].no_wrap = table.columns[3].no_wrap = True
    for token in tokens:
        days = [f"{at:%Y-%m-%d %H:%M}" if at else "" for at in (token.created_at, token.expires_at)]
        revoked = f"{token.revoked_at:%Y-%m-%d %H:%M}" if token.revoked_at else ""
        name = _shown(token.name)
        table.add_row(str(token.id), name, token.scope, str(token.user_id or ""), *days, revoked)
    out.print(table)


@token_cli.command("revoke")
def token_revoke(id: UUID, database: DatabaseOption = None) -> None:
    """Let nobody in with a token any more."""
    with _current(database), _acting("token revoke"):
        done = Token.of(id).revoke()
    print("revoked" if done else "was revoked already")


@token_cli.command("rotate")
def token_rotate(
    id: UUID,
    overlap: Annotated[str, typer.Option(help="How long the old one still works, such as 1h or 2d.")] = "1h",
    database: DatabaseOption = None,
) -> None:
    """Make a successor of a token with the same rights and print it, alone, this once."""
    try:
        while_both = environs.fields.TimeDelta().deserialize(overlap)
    except marshmallow.ValidationError:
        raise BadSetting(f"--overlap: {overlap!r} is not a duration such as 1h or 30m") from None
    with _current(database), _acting("token rotate"):
        _, secret = Token.of(id).rotate(while_both)
    print(secret)


# The audit

TOUCHED_SHOWN = 3  # ids in a row of the table


@cli.command()
def audit(
    since: Annotated[
        str | None, typer.Option(metavar="WHEN", help="From this day or time on; UTC, as 2026-03-01.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(metavar="WHEN", help="To the end of this day, or before this time.")
    ] = None,
    method: Annotated[str | None, typer.Option(help="What this function or command wrote.")] = None,
    token: Annotated[UUID | None, typer.Option(help="What this token wrote.")] = None,
    user: Annotated[str | None, typer.Option(metavar="EMAIL", help="What was written for this user.")] = None,
    request: Annotated[str | None, typer.Option(metavar="ID", help="What came of this request.")] = None,
    touched: Annotated[
        UUID | None, typer.Option(metavar="ID", help="What wrote the row with this id.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="So many rows at most.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
    purge: Annotated[
        bool, typer.Option("--purge", help="Remove what is older than CORE_RPC_AUDIT_DAYS instead.")
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """List who wrote what, newest first."""
    given: dict[str, Any] = {
        "since": _moment("--since", since),
        "until": _moment("--until", until, ends=True),
        "method": method,
        "token_id": token,
        "request_id": request,
        "touched": touched,
    }
    if purge:
        _purge(database, alone=user is None and not any(given.values()))
        return
    with _current(database):
        if user is not None:
            given["acting_user_id"] = User.who(None, user)
        rows = Audit.matching(limit, **{name: value for name, value in given.items() if value is not None})
        if not as_json:
            out.print(_audit_table(rows))
            return
    from rpc.results import AuditResult

    result = AuditResult()
    for row in rows:
        print(json.dumps(result.dump(row), ensure_ascii=False))


def _purge(url: str | None, *, alone: bool) -> None:
    if not alone:
        raise BadSetting("--purge goes by age alone, and takes no other choice of rows")
    with _current(url) as config:
        if not config.audit_days:
            raise BadSetting("--purge: CORE_RPC_AUDIT_DAYS is 0, which keeps the audit for ever")
        print(f"removed {retention.purge(config.audit_days)} rows older than {config.audit_days} days")


def _moment(option: str, text: str | None, *, ends: bool = False) -> datetime | None:
    """The instant that a day begins at, or ends at, or that is written."""
    if text is None:
        return None
    try:
        if DAY_TEXT.fullmatch(text):
            return datetime.fromisoformat(text).replace(tzinfo=UTC) + timedelta(days=ends)
        if INSTANT_TEXT.fullmatch(text):
            return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        pass
    raise BadSetting(f"{option}: {text!r} is neither a day such as 2026-03-01 nor 2026-03-01T12:00:00Z")


def _audit_table(rows: list[Audit]) -> Table:
    """The rows for people: tokens by their names, users by their emails."""
    tokens = {token.id: token.name for token in Token.all()}
    users = {user_id: User.of(user_id).email or user_id for row in rows if (user_id := row.acting_user_id)}
    table = Table("at", "what", "token", "for", "request", "touched")
    for column in table.columns:
        column.overflow = "fold"  # nothing of an id is left out
    table.columns[0].no_wrap = True
    for row in rows:
        shown, more = row.touched_ids[:TOUCHED_SHOWN], len(row.touched_ids) - TOUCHED_SHOWN
        cells = (
            f"{row.at:%Y-%m-%d %H:%M:%S}",
            row.method,
            tokens.get(row.token_id) or row.token_id or "",
            users.get(row.acting_user_id, ""),
            row.request or "",
            "\n".join(shown + [f"and {more} more"] * (more > 0)),
        )
        table.add_row(*(Text(str(cell)) for cell in cells))  # Text: names are no markup
    return table


# OneRoster


ROWS_REFUSED = 3  # exit status of an import of which rows or files were refused


@import_cli.command("oneroster")
def import_oneroster(
    path: Annotated[Path, typer.Argument(help="A OneRoster CSV directory or zip.")],
    source: Annotated[str, typer.Option(help="Name of the system that the ids come from.")] = "default",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report, write nothing.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit status 3 for warnings as well.")] = False,
    dates: Annotated[
        roster.Dates, typer.Option(help="How dates may be written; us: M/D/YYYY as well as YYYY-MM-DD.")
    ] = roster.Dates.ISO,
    missing: Annotated[
        roster.Missing, typer.Option(help="What becomes of memberships that stand in no row any more.")
    ] = roster.Missing.KEEP,
    max_changes: Annotated[
        str | None,
        typer.Option(
            metavar="N|N%", help="Write nothing when more memberships that are here would change; 50 or 5%."
        ),
    ] = None,
    match: Annotated[
        roster.Match,
        typer.Option(help="Which users are found by email: those without a sourcedId, none, or (email) all."),
    ] = roster.Match.DEFAULT,
    report: Annotated[Path | None, typer.Option(help="Write the report here, as JSON.")] = None,
    database: DatabaseOption = None,
) -> None:
    """Bring in a OneRoster 1.1 or 1.2 CSV set; bad rows are reported, the rest goes in.

    Exit status 3: rows or files were refused. 1: nothing was written, or it failed.
    """
    try:
        most = None if max_changes is None else roster.MaxChanges.parse(max_changes)
    except ValueError as error:
        raise BadSetting(f"--max-changes: {error}") from None
    options = roster.Options(source, dry_run, dates, missing, most, match)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_current(database))
        if report is not None:  # opened first: no import goes without it, and no older one stays
            file = stack.enter_context(open(report, "w", encoding="utf-8", opener=files.private))
        progress = stack.enter_context(_progress())
        try:
            done = roster.import_oneroster(path, options, progress=progress)
        except ModelError as error:
            if report is not None:
                told = {"code": error.word, "message": error.message, **error.facts}
                file.write(json.dumps({"source": source, "dryRun": dry_run, "error": told}, indent=2) + "\n")
            raise
        if report is not None:
            file.write(done.as_json())
    print(done)
    if done.refusals or (strict and done.warnings):
        sys.exit(ROWS_REFUSED)


@import_cli.command("list")
def import_list(
    limit: Annotated[int, typer.Option(min=1, help="So many imports at most.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print a JSON object a line.")] = False,
    database: DatabaseOption = None,
) -> None:
    """List past imports, newest first; dry runs are not kept."""
    with _current(database):
        imports = RosterImport.newest(limit)
    if as_json:
        for one in imports:
            print(_import_as_json(one))
        return
    table = Table("id", "at", "source", "outcome", "refused", "warnings", box=None)
    table.columns[0].no_wrap = True
    for one in imports:
        outcome = f"{one.outcome} ({one.error})" if one.error else one.outcome
        cells = f"{one.at:%Y-%m-%d %H:%M}", _shown(one.source), outcome
        table.add_row(str(one.id), *cells, str(one.refused), str(one.warnings))
    out.print(table)


@import_cli.command("show")
def import_show(id: UUID, database: DatabaseOption = None) -> None:
    """Print a past import with its report, as JSON."""
    with _current(database):
        found = RosterImport.with_report(id)
    if found is None:
        _fail(f"there is no import {id}")
    else:
        print(_import_as_json(found, indent=2))


def _import_as_json(one: RosterImport, indent: int | None = None) -> str:
    from rpc.results import ImportResult

    return json.dumps(ImportResult().dump(one), ensure_ascii=False, indent=indent)


@export_cli.command("oneroster")
def export_oneroster(
    path: Annotated[Path, typer.Argument(help="The zip or directory to write.")],
    source: Annotated[str, typer.Option(help="Name of the system that the ids come from.")] = "default",
    database: DatabaseOption = None,
) -> None:
    """Write users, kinds, programs and memberships as a OneRoster CSV set."""
    with _current(database):
        for name, count in roster.export_oneroster(path, source=source).items():
            print(f"{name}: {count}")


@contextlib.contextmanager
def _progress() -> Iterator[Callable[[str, int, int | None], None]]:
    """A bar for each file on a terminal; nothing elsewhere."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=err, disable=not err.is_terminal) as bars:
        tasks: dict[str, Any] = {}

        def show(name: str, done: int, total: int | None) -> None:
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=total)
            bars.update(tasks[name], completed=done, total=total)

        yield show


# Asking


@cli.command()
def query(
    text: Annotated[str, typer.Argument(help="The query, such as 'given labels [vegetarian] sort by last'.")],
    language: Annotated[
        Language, typer.Option("--find", help="What it finds; the languages differ in little.")
    ] = Language.USERS,
    user: Annotated[
        str | None, typer.Option("--as", metavar="EMAIL", help="Who `current` means in the query.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows.")] = 50,
    database: DatabaseOption = None,
) -> None:
    """Say how a query is understood, run it, and print what it finds."""
    # Here, because the grammar takes 0.1 s to load, and all other commands do without it.
    from models.query import finding
    from models.query.names import unknown_names
    from models.query.syntax import parse
    from models.query.words import in_words

    find: dict[Language, Callable[..., Any]] = {
        Language.USERS: finding.find_users,
        Language.PROGRAMS: finding.find_programs,
        Language.PARTICIPANTS: finding.find_participants,
    }
    with _current(database):
        current = None if user is None else User.who(None, user)
        try:
            understood = in_words(parse(text, language), language)
            rows = find[language](text, current, limit + 1)
            unknown = unknown_names(text, language)
        except QueryError as error:
            _show_spot(text, error)
            sys.exit(1)
        out.print(understood, markup=False, highlight=False)
        _print_rows(rows[:limit], _COLUMNS[language])
        more = f" and more (--limit {limit})" if len(rows) > limit else ""
        out.print(f"{min(len(rows), limit)} {language}{more}", highlight=False)
        for name in unknown:
            place = f"line {name.line}, column {name.column}"
            print(f"warning: {name.item!r} in {name.list} ({place}) names nothing", file=sys.stderr)


# What is printed of that which each language finds.
_COLUMNS: dict[Language, dict[str, Callable[[Any], Any]]] = {
    Language.USERS: {
        "name": lambda user: user.shown_name,
        "email": lambda user: user.email,
        "labels": lambda user: ", ".join(user.labels),
        "status": lambda user: user.status,
        "id": lambda user: user.id,
    },
    Language.PROGRAMS: {
        "name": lambda program: program.name,
        "kind": lambda program: program.kind.handle or program.kind.name,
        "from": lambda program: program.start_date,
        "to": lambda program: program.end_date,
        "id": lambda program: program.id,
    },
    Language.PARTICIPANTS: {
        "user": lambda one: one.membership.user.shown_name or one.membership.user_id,
        "program": lambda one: one.membership.program.name,
        "cohort": lambda one: one.cohort_name,
        "role": lambda one: one.membership.role,
        "state": lambda one: one.membership.state,
        "since": lambda one: one.membership.date,
    },
}


def _print_rows(rows: Sequence[Any], columns: dict[str, Callable[[Any], Any]]) -> None:
    table = Table(*columns)
    for row in rows:
        cells = (of(row) for of in columns.values())
        table.add_row(*("" if cell is None else escape(str(cell)) for cell in cells))
    out.print(table)


def _show_spot(text: str, error: QueryError) -> None:
    """The line of a query that is wrong, with a caret under the spot, and what was expected there."""
    line = text.split("\n")[error.line - 1].replace("\t", " ")
    caret = " " * cell_len(line[: error.column - 1]) + "^"
    print(line, caret, error.message, sep="\n", file=sys.stderr)


# Calling


@cli.command()
def call(
    method: Annotated[str, typer.Argument(help="Name of the method, such as core.ListCohorts.")],
    params: Annotated[
        list[str] | None,
        typer.Argument(
            help="Values by position, or name=text, or name:=JSON, or one JSON object or array for all."
        ),
    ] = None,
    url: Annotated[str | None, typer.Option(help="The endpoint; else CORE_RPC_URL.")] = None,
    token: Annotated[str | None, typer.Option(help="The token; else CORE_RPC_TOKEN.")] = None,
) -> None:
    """Call any method of a running server and print its result as JSON."""
    args, named = _params(params or [])
    try:
        with Client.from_env(url=url, token=token) as client:
            result = client.call(method, *args, **named)
    except RpcError as error:
        err.print_json(json.dumps({"code": error.code, "message": error.message, "data": error.data}))
        sys.exit(1)
    if sys.stdout.isatty():
        out.print_json(json.dumps(result))
    else:
        print(json.dumps(result, ensure_ascii=False))


@cli.command()
def script(
    file: Annotated[Path, typer.Argument(help="A Lua script; see client/lua/README.md.")],
    param: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="What param(NAME) gives; a dotted name reaches into tables."),
    ] = None,
    params: Annotated[Path | None, typer.Option(metavar="FILE", help="A JSON object of parameters.")] = None,
    time: Annotated[float, typer.Option(min=0.1, help="Seconds after which the script is ended.")] = 30.0,
    memory: Annotated[int, typer.Option(min=1, help="Megabytes that its values may take.")] = 64,
    url: Annotated[str | None, typer.Option(help="The endpoint; else CORE_RPC_URL.")] = None,
    token: Annotated[str | None, typer.Option(help="The token; else CORE_RPC_TOKEN.")] = None,
) -> None:
    """Run a Lua script, with core.* bound to a running server, in a sandbox."""
    config = Config.from_env(url=url, token=token)
    event = _event(params, param or [])
    sys.exit(sandbox.run(file, config.url, config.token, event, seconds=time, megabytes=memory))


def _event(file: Path | None, texts: list[str]) -> dict[str, Any]:
    """The parameters of a script: those of a file, then each NAME=VALUE; a value that is no JSON is text."""
    try:
        event = json.loads(file.read_text()) if file else {}
    except ValueError as error:
        raise BadSetting(f"{file} is not JSON: {error}") from None
    if not isinstance(event, dict):
        raise BadSetting(f"{file} is not a JSON object")
    for text in texts:
        path, equals, value = text.partition("=")
        *outer, name = path.split(".")
        if not equals or not all([*outer, name]):
            raise BadSetting(f"--param {text}: write NAME=VALUE")
        inside = event
        for step in outer:
            if not isinstance(inside.get(step), dict):
                inside[step] = {}
            inside = inside[step]
        try:
            inside[name] = json.loads(value)
        except ValueError:
            inside[name] = value
    return event


def _params(texts: list[str]) -> tuple[list[Any], dict[str, Any]]:
    """Parameters by position and by name from the words of a command."""
    try:
        if len(texts) == 1 and texts[0][:1] in ("{", "["):
            whole = json.loads(texts[0])
            return (whole, {}) if isinstance(whole, list) else ([], whole)
        named: dict[str, Any] = {}
        args: list[Any] = []
        for text in texts:
            name, equals, value = text.partition("=")
            if not equals or not name.rstrip(":").isidentifier():
                args.append(text)
            elif name.endswith(":"):
                named[name[:-1]] = json.loads(value)
            else:
                named[name] = value
    except ValueError as error:
        raise BadSetting(f"a parameter is not JSON: {error}") from None
    if args and named:
        raise BadSetting("give all parameters by position or all by name")
    return args, named
