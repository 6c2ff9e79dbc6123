"""A real server on a real database for each test, in a thread of its own."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from marshmallow import fields

from client import Client
from models import clock, files, migrations, sample
from models.actor import Actor, acting
from models.audit import Audit
from models.database import configure, connected, writing
from models.memberships import Membership
from models.people import User
from models.programs import Program, ProgramKind
from models.tickets import Ticket
from models.tokens import Scope, Token
from rpc.app import Running
from rpc.config import Config
from rpc.envelope import Envelope, Limits
from rpc.lanes import Lanes
from rpc.registry import METHODS, Caller, Context, Lane, Method
from rpc.schemas import Params
from tests.needs import (  # noqa: F401  hooks
    pytest_addoption,
    pytest_runtest_setup,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from tests.ports import free_port
from tests.waiting import FAR
from tests.wire import LOOKUP, Answer, Wire, head

TODAY = date(2026, 3, 10)
NOON = "2026-03-10T12:00:00Z"

# Nothing is measured in seconds, and a world is made once for all examples of a test.
UNTIMED = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
settings.register_profile("usual", **UNTIMED)
# pytest --hypothesis-profile=long -o faulthandler_timeout=0: one test may take longer than a hang.
settings.register_profile("long", max_examples=2500, **UNTIMED)
settings.register_profile("night", max_examples=20_000, **UNTIMED)
settings.load_profile("usual")


@dataclass(frozen=True)
class World:
    """A migrated database file and the secrets of its three tokens."""

    path: Path
    secrets: dict[Scope, str]

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"


class ServerThread:
    """A server in a thread of its own, on a free port."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._loop = asyncio.new_event_loop()
        self._started = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self.running: Running

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def start() -> None:
            self.running = Running(self._config)
            await self.running.start()

        try:
            self._loop.run_until_complete(start())
        except BaseException as error:
            self._error = error
            return
        finally:
            self._started.set()
        self._loop.run_forever()
        self._loop.run_until_complete(self.running.stop())
        self._loop.close()

    def __enter__(self) -> ServerThread:
        self._thread.start()
        self._started.wait()
        if self._error:
            raise self._error
        return self

    def __exit__(self, *_: object) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.running.port}/rpc"


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    """An empty world and the sample world, made once and copied for each test."""
    made = {}
    for name in ("empty", "sample"):
        path = tmp_path_factory.mktemp(name) / "core.db"
        files.make_private(path)
        configure(f"sqlite:///{path}")
        clock.set_to(Config.from_env().clock or _noon())
        with connected():
            migrations.migrate()
            secrets = {}
            with writing(), acting(Actor("test")):
                for scope in Scope:
                    _, secrets[scope] = Token.issue(scope, scope)
            if name == "sample":
                sample.make()
        made[name] = World(path, secrets)
    return made


def _noon() -> datetime:
    return datetime.fromisoformat(NOON)


def _copy(template: World, folder: Path) -> World:
    path = folder / "core.db"
    shutil.copy(template.path, path)
    return World(path, template.secrets)


@pytest.fixture
def world(request: pytest.FixtureRequest, templates: dict[str, World], tmp_path: Path) -> Iterator[World]:
    """A database of the test's own: empty, or the sample world for `@pytest.mark.sample`.

    The test's thread is connected and acts, so models can be used directly. Today is TODAY.
    """
    name = "sample" if request.node.get_closest_marker("sample") else "empty"
    made = _copy(templates[name], tmp_path)
    clock.set_to(_noon())
    configure(made.url)
    with connected(), acting(Actor("test")):
        yield made
    clock.set_to(None)


@pytest.fixture
def serve(world: World) -> Iterator[Callable[..., ServerThread]]:
    """Start servers on the world, with settings of the test's choice."""
    started: list[ServerThread] = []

    def start(**settings: Any) -> ServerThread:
        usual = {
            "database": world.url,
            "port": free_port(),
            "clock": _noon(),
            "drain_seconds": 0.0,
            "free_guesses": 1000,
        }
        server = ServerThread(Config(**(usual | settings)))
        server.__enter__()
        started.append(server)
        return server

    yield start
    for server in started:
        server.__exit__()


@pytest.fixture
def server(serve: Callable[..., ServerThread]) -> ServerThread:
    """A running server."""
    return serve()


@pytest.fixture
def client(server: ServerThread, world: World) -> Client:
    """A client that may do everything."""
    return Client(server.url, world.secrets[Scope.ADMIN])


@pytest.fixture
def make_user(world: World) -> Callable[..., User]:
    numbers = itertools.count(1)

    def make(**values: Any) -> User:
        values.setdefault("email", f"user{next(numbers)}@example.org")
        with writing():
            return User.appear(**values)

    return make


@pytest.fixture
def make_kind(world: World) -> Callable[..., ProgramKind]:
    def make(**values: Any) -> ProgramKind:
        with writing():
            return ProgramKind.put(None, **({"name": "Course", "duration": 30} | values))

    return make


@pytest.fixture
def make_program(make_kind: Callable[..., ProgramKind]) -> Callable[..., Program]:
    def make(**values: Any) -> Program:
        kind_id = values.pop("kind_id", None) or make_kind().id
        with writing():
            return Program.put(None, **({"kind_id": kind_id, "start_date": TODAY} | values))

    return make


@pytest.fixture
def make_membership(
    make_user: Callable[..., User], make_program: Callable[..., Program]
) -> Callable[..., Membership]:
    def make(user: User | None = None, program: Program | None = None, **changes: Any) -> Membership:
        user, program = user or make_user(), program or make_program()
        with writing():
            Membership.put(user.id, program, **changes)
        return Membership.of(user.id, program.id)

    return make


@pytest.fixture
def make_ticket(world: World) -> Callable[..., Ticket]:
    def make(kind_id: UUID, user: User | None = None, email: str | None = None, **values: Any) -> Ticket:
        before = {row.id for row in Ticket.select(Ticket.id)}
        with writing():
            Ticket.buy(user and user.id, email, kind_id, **values)
        [made] = [row for row in Ticket.select() if row.id not in before]
        return made

    return make


@pytest.fixture
def make_audit(world: World) -> Callable[..., Audit]:
    """Rows of the audit, of a morning in March unless told otherwise."""

    def make(touched: Iterable[object] = (), **values: Any) -> Audit:
        usual = {"at": datetime(2026, 3, 1, 6, tzinfo=UTC), "method": "core.AddToGroup", "request_id": ""}
        with writing():
            return Audit.add(**(usual | values), touched=" ".join(map(str, touched)))

    return make


@pytest.fixture
def make_method() -> Iterator[Callable[..., Method]]:
    """Register methods of the test's own, beside the real ones, until it ends."""
    made: list[str] = []

    def make(
        name: str,
        handler: Callable[..., Any],
        *,
        lane: Lane = Lane.QUICK,
        scope: Scope = Scope.READ,
        params: type[Params] = Params,
        returns: fields.Field | None = None,
        prepare: Callable[..., Any] | None = None,
    ) -> Method:
        METHODS[name] = Method(
            name, handler, params(), returns or fields.Raw(), {}, scope, lane, prepare=prepare
        )
        made.append(name)
        return METHODS[name]

    yield make
    for name in made:
        del METHODS[name]


@pytest.fixture
def ask(world: World) -> Iterator[Callable[..., bytes]]:
    """The envelope over real lanes, without HTTP: the reply's bytes to a request's."""
    lanes = Lanes(readers=2)
    caller = Caller(None, Scope.ADMIN)
    lanes.open()
    with asyncio.Runner() as runner:

        def ask(body: bytes, **limits: Any) -> bytes:
            context = Context(caller, "a-request", time.monotonic() + 60)
            return runner.run(Envelope(lanes, METHODS, Limits(**limits)).answer(body, context)).body

        yield ask
    lanes.close()


@pytest.fixture
def connect(world) -> Iterator[Callable[..., Wire]]:
    """Open connections that are closed after the test."""
    made: list[Wire] = []

    def connect(server: Any) -> Wire:
        made.append(Wire(server.running.port))
        return made[-1]

    yield connect
    for wire in made:
        wire.socket.close()


@pytest.fixture
def post(connect, world) -> Callable[..., Answer]:
    """Post to a server, with a good token and type unless the test says otherwise."""

    def post(server: Any, body: Any = LOOKUP, path: str = "/rpc", **headers: str | None) -> Answer:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return connect(server).send(head(world, len(sent), path, **headers), sent).receive()

    return post


@pytest.fixture
def hold(make_method) -> Iterator[threading.Event]:
    """`test.Hold` reads in a thread until this is set; `begun` says that one does."""
    let_go = threading.Event()
    begun = threading.Semaphore(0)

    def held() -> bool:
        begun.release()
        return let_go.wait(FAR)

    make_method("test.Hold", held, lane=Lane.SLOW)
    let_go.begun = begun
    yield let_go
    let_go.set()
