"""What may come back: every reply is held against the request by a reading of its own."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import jsonschema

from models.tokens import PREFIX
from rpc.config import Config
from rpc.errors import CATALOGUE, INTERNAL_ERROR
from rpc.registry import METHODS
from tests.fuzz.requests import Request
from tests.fuzz.values import Json
from tests.wire import Answer

# What a reply shows only if something leaked. No text that requests are made of looks so.
LEAKS = re.compile(
    rb"Traceback|File \\?\"|line \d+, in|\.py\b|site-packages|<(class|function|module|object) | object at 0x"
    rb"|\b(SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|SAVEPOINT)\b|\b(FROM|WHERE) [(\\\"]|sqlite_|SQLITE"
    rb"|no such (table|column)|near \\?\"|constraint failed|database is"
    rb"|apsw|peewee|marshmallow|orjson|aiohttp|jsonrpcserver"
    rb"|(Key|Type|Value|Attribute|Runtime|Assertion|Index|Unicode\w*|Integrity|Operational|Interface)Error"
    rb"|core\.db|/tmp/|/usr/|/home/|/root/|/work/|%s[\w-]{20,}" % re.escape(PREFIX).encode()
)
REQUEST_ID = re.compile("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SECRET_GIVEN = re.compile(rb'"token":"%s[\w-]{43}"' % PREFIX.encode())  # by admin.CreateToken, this once

_LIMITS = Config()
_LIMIT_WORDS = {"PARSE_ERROR", "INVALID_REQUEST", "TOO_DEEP", "TOO_MANY_VALUES", "NUMBER_TOO_LONG"}
_WHOLE = {*_LIMIT_WORDS, "BATCH_TOO_LARGE"}  # words of a request that has become no call


_ANY = object()  # an id, or a name, that is not known


class _Number(str):
    """A number as it is written."""


class _Object(dict[str, Any]):
    """An object that remembers the values of members that came twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.every = [value for _, value in pairs]


def _refuse(constant: str) -> Any:
    raise ValueError(constant)


def read(text: bytes) -> Any:
    """JSON, strictly, with numbers as they are written."""
    return json.loads(
        text.decode(),
        object_pairs_hook=_Object,
        parse_int=_Number,
        parse_float=_Number,
        parse_constant=_refuse,
    )


@dataclass(frozen=True)
class Expected:
    """What a body should be answered with: entries by their ids, or one error without id."""

    ids: list[Any] | None  # of the replies, in order; None: the request is refused as a whole
    is_batch: bool = False
    methods: tuple[Any, ...] = ()  # of the entries that are answered


def expected(body: bytes) -> Expected:
    """What the specification says to a body."""
    try:
        content = read(body)
    except (ValueError, RecursionError):
        return Expected(None)
    if content == [] or _exceeds(content):
        return Expected(None)
    if not isinstance(content, list):
        answered = [content] if _is_answered(content) else []
        return Expected([_id_of(one) for one in answered], methods=tuple(map(_name_of, answered)))
    if len(content) > _LIMITS.max_batch:
        return Expected(None)
    answered = [one for one in content if _is_answered(one)]
    return Expected([_id_of(one) for one in answered], True, tuple(map(_name_of, answered)))


def _is_request(entry: Any) -> bool:
    return (
        isinstance(entry, dict)
        and entry.get("jsonrpc") == "2.0"
        and type(entry.get("jsonrpc")) is str
        and type(entry.get("method")) is str
        and isinstance(entry.get("params", []), dict | list)
        and (entry.get("id") is None or isinstance(entry["id"], str))
    )


def _is_answered(entry: Any) -> bool:
    return not (_is_request(entry) and "id" not in entry)


def _id_of(entry: Any) -> Any:
    found = entry.get("id") if isinstance(entry, dict) else None
    return found if isinstance(found, str) else None


def _name_of(entry: Any) -> Any:
    return entry["method"] if _is_request(entry) else None


def _exceeds(content: Any) -> bool:
    """Whether a limit of the server is crossed."""
    values = 0
    level = [content]
    for depth in itertools.count(1):
        values += len(level)
        if any(isinstance(one, _Number) and len(one) > _LIMITS.max_number for one in level):
            return True
        containers = [one for one in level if isinstance(one, dict | list)]
        if not containers:
            break
        if depth > _LIMITS.max_depth:
            return True
        level = [inner for one in containers for inner in (one.every if isinstance(one, _Object) else one)]
    return values > _LIMITS.max_values


@dataclass
class Judge:
    """Says what is wrong with answers, and counts what came."""

    document: Json
    secrets: dict[str, str]
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._results = {
            method["name"]: jsonschema.Draft7Validator(
                method["result"]["schema"] | {"components": self.document["components"]}
            )
            for method in self.document["methods"]
        }
        self._secrets = [secret.encode() for secret in self.secrets.values()]

    def faults(self, request: Request, answers: list[Answer]) -> list[str]:
        """What is wrong; nothing, mostly."""
        found = [fault for answer in answers for fault in self._of_http(request, answer)]
        if request.answers and len(answers) != request.answers:
            found.append(f"{len(answers)} answers to one request")
        if not found and request.body is not None and answers and answers[0].status == 200:
            found += self._of_rpc(request.body, answers[0].body)
        elif not found:
            for answer in answers:
                found += self._of_rpc(None, answer.body) if answer.is_json else []
        return found

    def _of_http(self, request: Request, answer: Answer) -> Iterator[str]:
        self.counts[f"HTTP {answer.status}"] += 1
        if answer.status not in request.statuses:
            yield f"HTTP {answer.status}"
        if not REQUEST_ID.fullmatch(answer.headers.get("x-request-id", "")):
            yield "no request id"
        if answer.headers.get("server") != "core-rpc":
            yield "another Server"
        if "x-injected" in answer.headers:
            yield "a header of the caller's"
        if leak := LEAKS.search(SECRET_GIVEN.sub(b"", answer.head + answer.body)):
            yield f"a leak: {leak[0]!r}"
        if any(secret in answer.head + answer.body for secret in self._secrets):
            yield "a secret"

    def _of_rpc(self, body: bytes | None, reply: bytes) -> Iterator[str]:
        """What is wrong with a reply to a body; to something that is not known, without one."""
        wanted = Expected(None) if body is None else expected(body)
        if not reply:
            if body is not None and wanted.ids != []:
                yield "nothing is answered"
            return
        try:
            content = read(reply)
        except ValueError:
            yield "the reply is no JSON"
            return
        if body is None and isinstance(content, dict) and "jsonrpc" not in content:
            return  # health, or the document
        if body is None:
            replies, ids = (
                (content, [_ANY] * len(content)) if isinstance(content, list) else ([content], [_ANY])
            )
        elif wanted.ids is None or not wanted.is_batch:
            replies, ids = [content], [None] if wanted.ids is None else wanted.ids
        elif isinstance(content, list):
            replies, ids = content, wanted.ids
        else:
            yield "the reply to a batch is no array"
            return
        if len(replies) != len(ids):
            yield f"{len(replies)} replies, not {len(ids)}"
            return
        names = wanted.methods or (_ANY if body is None else None,) * len(ids)
        for one, call_id, name in zip(replies, ids, names, strict=True):
            yield from self._of_one(one, call_id, name, body is not None and wanted.ids is None)

    def _of_one(self, reply: Any, call_id: Any, name: Any, refused: bool) -> Iterator[str]:
        if not isinstance(reply, dict) or reply.get("jsonrpc") != "2.0" or "id" not in reply:
            yield "not JSON-RPC 2.0"
        elif call_id is not _ANY and (type(reply["id"]), reply["id"]) != (type(call_id), call_id):
            yield f"the id {reply['id']!r} and not {call_id!r}"
        elif set(reply) == {"jsonrpc", "id", "result"}:
            self.counts["result"] += 1
            yield from self._of_result(name, reply["result"], refused)
        elif set(reply) == {"jsonrpc", "id", "error"}:
            yield from self._of_error(reply["error"], name, refused)
        else:
            yield f"members {sorted(reply)}"

    def _of_result(self, name: Any, result: Any, refused: bool) -> Iterator[str]:
        if name is _ANY:
            return
        if refused or name not in self._results:
            yield "a result of nothing"
            return
        for error in self._results[name].iter_errors(_numbered(result)):
            yield f"a result of {name} that its schema does not allow: {error.message[:200]}"
            return

    def _of_error(self, error: Any, name: Any, refused: bool) -> Iterator[str]:
        if not isinstance(error, dict) or set(error) != {"code", "message", "data"}:
            yield "an error of another form"
            return
        word = error["data"].get("code") if isinstance(error["data"], dict) else None
        self.counts[str(word)] += 1
        row = CATALOGUE.get(str(word))
        if row is None or str(row.code) != error["code"] or not isinstance(error["message"], str):
            yield f"an error that is not in the catalogue: {error}"
        elif row.code == INTERNAL_ERROR:
            yield f"an internal error of {name}"
        elif refused and word not in _WHOLE:
            yield f"{word} of what is no request"
        elif name in METHODS and word in ("METHOD_NOT_FOUND", "INVALID_REQUEST"):
            yield f"{word} of {name}"


def _numbered(value: Any) -> Any:
    """A result with its numbers as numbers."""
    match value:
        case _Number():
            return json.loads(value)
        case list():
            return [_numbered(one) for one in value]
        case dict():
            return {name: _numbered(one) for name, one in value.items()}
    return value
