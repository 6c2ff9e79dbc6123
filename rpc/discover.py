"""Discovery: the OpenRPC document, made of what the registry and the schemas say."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

import marshmallow
import orjson
from marshmallow import fields

from models.tokens import Scope
from rpc.errors import (
    BATCH_TOO_LARGE,
    CATALOGUE,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    UNAUTHORIZED,
)
from rpc.registry import METHODS, Lane, Method, caller, endpoint, method
from rpc.schemas import (
    DAY_TEXT,
    INSTANT_TEXT,
    UUID_TEXT,
    Choice,
    Day,
    Email,
    Filled,
    Id,
    Instant,
    OneOf,
    Params,
    Text,
    Whole,
    WireSchema,
)

Json = dict[str, Any]

VERSION = "1.3.2"  # the latest that the official tools accept
DISTRIBUTION = "core-rpc"

# Codes that a request is answered with before it has become a call of a method.
_OF_THE_REQUEST = {PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, UNAUTHORIZED, BATCH_TOO_LARGE}

_ANY_NUMBER = 2**53  # a bound from here on bounds nothing


class Discover(Params):
    pass


class OpenRpcResult(WireSchema):
    """An OpenRPC document."""

    openrpc = fields.String()
    info = fields.Dict()
    servers = fields.List(fields.Dict())
    methods = fields.List(fields.Dict())
    components = fields.Dict()


@method(
    "rpc.discover",
    params=Discover,
    returns=fields.Nested(OpenRpcResult),
    example={},
    scope=Scope.READ,
    lane=Lane.QUICK,
)
def discover() -> Json:
    """Describe every method that the token may call, as an OpenRPC document.

    GET /openrpc.json answers the same document.
    """
    return document(caller().scope, endpoint())


def document_bytes(scope: Scope, url: str) -> tuple[bytes, str]:
    """The document as JSON, and a tag that is another one when the document is."""
    body = orjson.dumps(document(scope, url))
    return body, hashlib.sha256(body).hexdigest()[:32]


def document(scope: Scope, url: str) -> Json:
    """The OpenRPC document of a server at a URL, with the methods that a scope may call."""
    names = (name for name, entry in METHODS.items() if scope.covers(entry.scope))
    return {**_document(tuple(sorted(names, key=_place))), "servers": [{"name": "this server", "url": url}]}


def _place(name: str) -> tuple[bool, str]:
    """The documented functions come first, then what else there is, each by name."""
    return not name.startswith("core."), name


@functools.lru_cache(maxsize=8)
def _document(names: tuple[str, ...]) -> Json:
    package = importlib.metadata.metadata(DISTRIBUTION)
    methods = [_method(METHODS[name]) for name in names]
    return {
        "openrpc": VERSION,
        "info": {"title": DISTRIBUTION, "version": package["Version"], "description": package["Summary"]},
        "methods": methods,
        "components": {"schemas": _schemas(methods), "errors": _errors_by_word()},
    }


def _method(entry: Method) -> Json:
    described: Json = {
        "name": entry.name,
        "summary": entry.summary,
        "description": entry.description,
        "tags": [_tag(entry)],
        "paramStructure": "either",
        "params": _params(entry),
        "result": {"name": "result", "schema": {"title": _title(entry, "result"), **_result(entry.returns)}},
        "errors": _errors(),
        "examples": [_example(entry)],
        "x-scope": entry.scope.value,
        "x-access": "write" if entry.lane is Lane.WRITE else "read",
    }
    if entry.deprecated_for is not None:
        described |= {"deprecated": True, "x-replaced-by": entry.deprecated_for}
    return described


def _tag(entry: Method) -> Json:
    """The noun that the method is about, which is the name of its handler's module."""
    module = sys.modules[entry.handler.__module__]
    return {"name": module.__name__.rpartition(".")[2], "description": _first_line(module)}


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").split("\n")[0]


def _title(entry: Method, part: str) -> str:
    """The title of a schema, which code generators make a type's name of: no two may be alike."""
    words = [*entry.name.removeprefix("core.").split("."), part]
    return "".join(word[0].upper() + word[1:] for word in words)


# Parameters


def _params(entry: Method) -> list[Json]:
    """The parameters in the order of calls by position.

    Of those, OpenRPC wants the required ones first. Where the documented order has an optional one
    before them it counts as required, and null, which means "not given", is a value of it.
    """
    wire = [(str(name), field) for name, field in entry.params.wire.items()]
    placed = max((place for place, (_, field) in enumerate(wire) if field.required), default=-1)
    described = [
        {
            "name": name,
            "description": _help(field, place <= placed),
            "required": place <= placed,
            "schema": _param(field) | {"title": _title(entry, name)},
        }
        for place, (name, field) in enumerate(wire)
    ]
    if entry.params.emptied:
        described.append(_clear(entry))
    return described


def _help(field: fields.Field, must_be_there: bool) -> str:
    said: str = field.metadata["help"]
    return f"{said} (null when not given)" if must_be_there and not field.required else said


def _param(field: fields.Field) -> Json:
    schema = _shape(field) | _limits(field)
    if not field.required:
        schema = _or_null(schema)
    if field.load_default not in (marshmallow.missing, None):
        schema["default"] = field.serialize("value", {"value": field.load_default})
    return schema


def _limits(field: fields.Field) -> Json:
    """What is asked of a value that comes in, beyond its shape."""
    match field:
        case fields.UUID():
            return {"format": "uuid"}
        case Day():
            return {"format": "date"}
        case Instant():
            return {"format": "date-time"}
        case Email():
            return {"format": "email", "maxLength": field.at_most}
        case Filled():
            return {"minLength": 1, "maxLength": field.at_most}
        case Text():
            return {"maxLength": field.at_most}
    return {}


def _clear(entry: Method) -> Json:
    names = [entry.params.fields[name].data_key for name in entry.params.emptied]
    listed = {"type": "array", "items": {"type": "string", "enum": names}}
    return {
        "name": "clear",
        "description": "members to empty",
        "required": False,
        "schema": _or_null(listed) | {"title": _title(entry, "clear")},
    }


# Results


def _result(field: fields.Field) -> Json:
    """The schema of a value that goes out.

    Without `format`: the validator in @open-rpc/test-coverage knows none and refuses a schema that
    has one. The patterns say more anyway.
    """
    schema = _shape(field)
    return _or_null(schema) if field.allow_none else schema


def _shape(field: fields.Field) -> Json:
    match field:
        case Choice():
            return _title_of(field) | {"type": "string", "enum": [word.value for word in field.words]}
        case fields.UUID():
            return _written(Id, UUID_TEXT)
        case Day():
            return _written(Day, DAY_TEXT)
        case Instant():
            return _written(Instant, INSTANT_TEXT)
        case Whole():
            return {"type": "integer"} | _bounds(field)
        case fields.String():
            return {"type": "string"}
        case fields.Boolean():
            return {"type": "boolean"}
        case fields.List():
            return {"type": "array", "items": _result(field.inner)}
        case fields.Dict():
            return {"type": "object"}
        case fields.Nested():
            return _nested(field.schema)
        case OneOf():
            return _one_of(field)
    raise TypeError(f"no JSON schema is known for {field!r}")


def _title_of(field: Choice) -> Json:
    every = tuple(field.enum.__members__.values())
    return {"title": field.enum.__name__} if field.words == every else {}


def _written(kind: type[fields.Field], text: re.Pattern[str]) -> Json:
    """Text of a fixed form; the description is what the field's class says."""
    return {
        "title": kind.__name__,
        "description": _first_line(kind),
        "type": "string",
        "pattern": f"^{text.pattern}$",
    }


def _bounds(field: Whole) -> Json:
    bounds = {"minimum": field.least, "maximum": field.most}
    return {name: bound for name, bound in bounds.items() if abs(bound) < _ANY_NUMBER}


def _one_of(field: OneOf) -> Json:
    """An empty list is of the first shape, so that exactly one holds for every value."""
    first, *others = (_result(shape) for shape in field.shapes)
    return {"oneOf": [first, *(shape | {"minItems": 1} for shape in others)]}


def _or_null(schema: Json) -> Json:
    return {"oneOf": [schema, {"type": "null"}]}


def _nested(schema: marshmallow.Schema) -> Json:
    """The object itself, or where it is described if several places need it.

    `type` beside `$ref` says nothing new, but has openrpcclientgenerator take the object as it is
    rather than make a class of it, whose members it would call by other names than they have.
    """
    if _uses()[type(schema)] > 1:
        return {"type": "object", "$ref": f"#/components/schemas/{_name(type(schema))}"}
    return _object(schema)


def _object(schema: marshmallow.Schema) -> Json:
    members = {str(field.data_key): _result(field) for field in schema.fields.values()}
    return {
        "title": _name(type(schema)),
        "description": _first_line(type(schema)),
        "type": "object",
        "required": list(members),
        "properties": members,
    }


def _name(schema: type[marshmallow.Schema]) -> str:
    return schema.__name__.removesuffix("Result")


@functools.cache
def _uses() -> Counter[type[marshmallow.Schema]]:
    """In how many places of all results each type of object is."""
    found: Counter[type[marshmallow.Schema]] = Counter()
    waiting = [entry.returns for entry in METHODS.values()]
    while waiting:
        for schema in _objects_in(waiting.pop()):
            found[type(schema)] += 1
            if found[type(schema)] == 1:
                waiting += schema.fields.values()
    return found


def _objects_in(field: fields.Field) -> Iterator[marshmallow.Schema]:
    match field:
        case fields.Nested():
            yield field.schema
        case fields.List():
            yield from _objects_in(field.inner)
        case OneOf():
            for shape in field.shapes:
                yield from _objects_in(shape)


def _schemas(methods: list[Json]) -> Json:
    """The objects that the methods refer to, and what these refer to."""
    all_of_them = {_name(schema): _object(schema()) for schema, places in _uses().items() if places > 1}
    needed: dict[str, Json] = {}
    waiting = list(_references(methods))
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed[name] = all_of_them[name]
            waiting += _references(needed[name])
    return dict(sorted(needed.items()))


def _references(value: Any) -> Iterator[str]:
    match value:
        case {"$ref": str(address)}:
            yield address.rpartition("/")[2]
        case dict():
            for inner in value.values():
                yield from _references(inner)
        case list():
            for inner in value:
                yield from _references(inner)


# Errors


@functools.cache
def _errors() -> list[Json]:
    """What a call may be answered with; a code has several words, of which `data.code` is one."""
    rows = {word: row for word, row in CATALOGUE.items() if row.code not in _OF_THE_REQUEST}
    codes = {row.code: row.message for row in rows.values()}
    return [
        {
            "code": code,
            "message": message,
            "data": {"code": " | ".join(word for word, row in rows.items() if row.code == code)},
        }
        for code, message in codes.items()
    ]


def _errors_by_word() -> Json:
    """The whole catalogue, with what each word means."""
    return {
        word: {"code": row.code, "message": row.message, "data": {"code": word, "meaning": row.meaning}}
        for word, row in CATALOGUE.items()
    }


# Examples


def _example(entry: Method) -> Json:
    """A call that works in the sample world, by position, and what its result looks like."""
    names = [str(param["name"]) for param in _params(entry)]
    given = [place for place, name in enumerate(names) if name in entry.example]
    return {
        "name": f"{entry.name} in the sample world",
        "description": "The call works in the sample world. The result shows the form, not what is there.",
        "params": [
            {"name": name, "value": entry.example.get(name)} for name in names[: max(given, default=-1) + 1]
        ],
        "result": {"name": "result", "value": _value(entry.returns, "text")},
    }


def _value(field: fields.Field, name: str) -> Any:
    """A value of the form that a field gives; text is called what its member is."""
    match field:
        case Choice():
            return field.words[0].value
        case fields.UUID():
            return "00000000-0000-4000-8000-000000000000"
        case Day():
            return "2026-03-10"
        case Instant():
            return "2026-03-10T12:00:00.000Z"
        case Whole():
            return max(field.least, min(field.most, 1))
        case fields.Boolean():
            return True
        case fields.List():
            return [_value(field.inner, name)]
        case fields.Dict():
            return {}
        case fields.Nested():
            return {
                str(member.data_key): _value(member, str(member.data_key))
                for member in field.schema.fields.values()
            }
        case OneOf():
            return _value(field.shapes[0], name)
    return name
