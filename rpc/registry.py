"""What a method is, said once: docs, discovery, client contract and dispatch all read it."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from jsonrpcserver import JsonRpcError, Result, Success
from marshmallow.fields import Field

from models.actor import Actor, acting
from models.audit import audited
from models.errors import Conflict, NotFound
from models.repeats import KeptAnswer, Repeats
from models.tokens import Scope
from models.writer import undone_if_it_fails
from rpc.errors import DeadlineExceeded, rpc_error, to_rpc_error
from rpc.rendering import rendered
from rpc.schemas import Params
from rpc.trace import Trace

# From the texts of ids to the JSON results of those that there are, by that text.
Lookup = Callable[[Iterable[str]], Mapping[str, Any]]


class Lane(StrEnum):
    """How a method is carried out: with the other quick reads, in a reader thread, or in the writer."""

    QUICK = "quick"
    SLOW = "slow"
    WRITE = "write"


@dataclass(frozen=True)
class Caller:
    """Who calls: a token, what it may do, and the user it acts for."""

    token_id: UUID | None
    scope: Scope
    user_id: UUID | None = None


@dataclass(slots=True)
class Context:
    """What surrounds the calls of one request."""

    caller: Caller
    request_id: str
    deadline: float  # of the monotonic clock
    # The URL that the request was sent to.
    endpoint: Callable[[], str] = lambda: "http://127.0.0.1:8080/rpc"
    # Asked once for each call: milliseconds to wait when the caller has used up its calls, else None.
    spend: Callable[[], int | None] | None = None
    # The idempotency key that the request came with.
    key: str | None = None
    began: float = 0.0  # of the monotonic clock: when the body had been read
    trace: Trace | None = None  # of the caller's
    comparisons: int = 4  # of names that there are not with all that there are

    def about(self) -> dict[str, Any]:
        """What lines of the log say of the request: never what was asked, nor with which secret."""
        token_id = self.caller.token_id
        facts = {"requestId": self.request_id, "tokenId": None if token_id is None else str(token_id)}
        return facts if self.trace is None else facts | self.trace.about()


class _AnySignature(inspect.Signature):
    """jsonrpcserver binds the arguments of every call to the method's signature first, and looks
    only whether that fails; the registry validates them itself, so this accepts whatever comes."""

    def bind(self, /, *args: Any, **kwargs: Any) -> Any:
        return None


@dataclass(frozen=True)
class Answer:
    """What a preparation gives when nothing is to be written: what the handler would give."""

    value: Any


KEPT_ERRORS = NotFound, Conflict  # that the same call would get again

PLANNED = Success()  # to jsonrpcserver; what came of a call is kept in the call


class Call:
    """A call on its way: what was asked, what was planned, and what came of it."""

    __slots__ = (
        "begun",
        "context",
        "error",
        "loaded",
        "method",
        "name",
        "params",
        "prepared",
        "repeats",
        "value",
    )

    name: Any  # of the method, as the caller wrote it
    method: Method  # once it is planned
    loaded: dict[str, Any]  # the typed parameters, once it is planned
    prepared: Any  # once it is prepared, if its method has that done; an error of that, if it is to be kept
    repeats: Repeats | None  # for a write with an idempotency key

    def __init__(self, context: Context, params: list[Any] | Mapping[str, Any]) -> None:
        self.context = context
        self.params = params
        self.method = None  # type: ignore[assignment]
        self.begun = False
        self.repeats = None
        self.value: Any = None
        self.error: JsonRpcError | None = None

    def prepare(self) -> bool:
        """Work out what is to be written, in a reader's thread and transaction; False: nothing is, and
        what came of the call is there."""
        if time.monotonic() > self.context.deadline:
            raise DeadlineExceeded
        running = _context.set(self.context)
        try:
            if self.repeats is not None:
                return self._prepare_once(self.repeats)
            self.prepared = self._prepared()
            if isinstance(self.prepared, Answer):
                self.value = rendered(self.method.returns, self.prepared.value)
                return False
            return True
        finally:
            _context.reset(running)

    def _prepare_once(self, repeats: Repeats) -> bool:
        """As `prepare`, unless an answer is kept; one that will be is left to the writer, errors too."""
        kept = KeptAnswer.recall(repeats, self._asked())
        if kept is not None:
            self.value = self._again(orjson.loads(kept))
            return False
        try:
            self.prepared = self._prepared()
        except KEPT_ERRORS as error:
            self.prepared = error
        return True

    def _prepared(self) -> Any:
        assert self.method.prepare is not None
        with acting(self._actor()):
            return self.method.prepare(**self.loaded)

    def run(self) -> Any:
        """Execute, in the lane's thread and transaction; the JSON value of the result comes back."""
        self.begun = True  # said before the look at the clock: `is_late` relies on it
        if time.monotonic() > self.context.deadline:
            raise DeadlineExceeded
        running = _context.set(self.context)
        try:
            if self.method.lane is not Lane.WRITE:
                return self._result()
            if self.repeats is not None:
                return self._once(self.repeats)
            with audited(self._actor()):
                return self._result()
        finally:
            _context.reset(running)

    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() > self.context.deadline

    def is_late(self) -> bool:
        """Whether the deadline has passed before the call began, so that it never will be carried out."""
        return self.is_over() and not self.begun

    def _once(self, repeats: Repeats) -> Any:
        """Execute unless an answer is kept; the answer comes back, and is kept, if it is one that the
        same call would get again."""
        asked = self._asked()
        kept = KeptAnswer.recall(repeats, asked)
        if kept is not None:
            return self._again(orjson.loads(kept))
        answer: dict[str, Any] = {}
        try:
            with undone_if_it_fails(), audited(self._actor()):
                answer["result"] = self._result()
        except KEPT_ERRORS as error:
            answer["error"] = _told(to_rpc_error(error, self.context.request_id))
        is_row = self.method.again is not None and "result" in answer
        kept_answer = {"row": answer["result"]["id"]} if is_row else answer
        KeptAnswer.keep(repeats, asked, orjson.dumps(kept_answer))
        return self._again(answer)

    def _again(self, answer: dict[str, Any]) -> Any:
        if "row" in answer:
            assert self.method.again is not None
            return rendered(self.method.returns, self.method.again(UUID(answer["row"])))
        if "error" in answer:
            self.error = JsonRpcError(**answer["error"])
        return answer.get("result")

    def _asked(self) -> bytes:
        """What tells this method and these parameters, however they were written, from others."""
        return orjson.dumps([self.method.name, self.loaded], str, orjson.OPT_SORT_KEYS)

    def end(self, value: Any, failure: Exception | None) -> None:
        """Keep what came of it."""
        self.value = value
        if failure is not None:
            self.error = to_rpc_error(failure, self.context.request_id, self._about)

    def _about(self) -> dict[str, Any]:
        facts = self.context.about()
        return facts if self.method is None else facts | {"method": self.method.name}

    def _result(self) -> Any:
        method = self.method
        if method.prepare is None:
            return rendered(method.returns, method.handler(**self.loaded))
        if isinstance(self.prepared, Answer):
            return rendered(method.returns, self.prepared.value)
        if isinstance(self.prepared, Exception):
            raise self.prepared
        return rendered(method.returns, method.handler(self.prepared))

    def _actor(self) -> Actor:
        caller = self.context.caller
        return Actor(self.method.name, self.context.request_id, caller.token_id, caller.user_id)


def _told(error: JsonRpcError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "data": error.data}


@dataclass(frozen=True, eq=False)
class Method:
    """A documented function: what it takes, gives and needs.

    An object and no wrapped function, because jsonrpcserver reads signatures and would follow
    `functools.wraps` to the wrong one.
    """

    name: str
    handler: Callable[..., Any]
    params: Params
    returns: Field
    example: dict[str, Any]
    scope: Scope
    lane: Lane
    deprecated_for: str | None = None
    by_ids: Lookup | None = None
    prepare: Callable[..., Any] | None = None
    again: Callable[[UUID], Any] | None = None
    __signature__: inspect.Signature = field(default=_AnySignature(), repr=False)

    @property
    def summary(self) -> str:
        """The first sentence of the handler's docstring."""
        return inspect.getdoc(self.handler).split("\n")[0]  # type: ignore[union-attr]

    @property
    def description(self) -> str:
        """The whole docstring of the handler."""
        return inspect.getdoc(self.handler) or ""

    def __call__(self, call: Call) -> Result:
        """Plan: check the right and the parameters. Touches no row."""
        try:
            if not call.context.caller.scope.covers(self.scope):
                raise rpc_error("FORBIDDEN", needs=self.scope)
            call.loaded = self.params.loaded(call.params)
            call.method = self
        except Exception as error:
            call.end(None, error)
        return PLANNED


_context: ContextVar[Context] = ContextVar("context")


def caller() -> Caller:
    """The caller of the running call, for the few methods whose answer depends on it."""
    return _context.get().caller


def endpoint() -> str:
    """The URL that the running call was sent to."""
    return _context.get().endpoint()


METHODS: dict[str, Method] = {}


def method(
    name: str,
    *,
    params: type[Params],
    returns: Field,
    example: dict[str, Any],
    scope: Scope,
    lane: Lane,
    deprecated_for: str | None = None,
    by_ids: Lookup | None = None,
    prepare: Callable[..., Any] | None = None,
    again: Callable[[UUID], Any] | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register a handler under the wire's name; a name taken twice is a mistake in the program.

    `by_ids` is for lookups by one id in the quick lane: the JSON results for many ids at once, by the
    text of the id, of those there are. It must say what the handler says; a test holds them equal.

    `prepare` is for writes that have much to read first: it gets the parameters and runs as a slow
    read does, and the handler gets what it gives, in the writer, where others wait meanwhile. Between
    the two anybody may write, so the handler must look again. An `Answer` ends the call without it.

    `again` is for results that are not to be kept, since they tell of a person or are secret: with an
    idempotency key only the `id` in the result is, and a repetition gets what `again` gives for it.
    """
    if prepare is not None and lane is not Lane.WRITE:
        raise ValueError(f"{name} writes nothing that could be prepared")

    def register(handler: Callable[..., Any]) -> Callable[..., Any]:
        if name in METHODS:
            raise ValueError(f"{name} is registered twice")
        METHODS[name] = Method(
            name, handler, params(), returns, example, scope, lane, deprecated_for, by_ids, prepare, again
        )
        return handler

    return register
