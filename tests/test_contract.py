"""The client and the OpenRPC document of a server say the same of each function and result."""

from __future__ import annotations

import json
import re
from typing import get_args, get_type_hints
from uuid import UUID

import pytest

import rpc.admin
import rpc.core  # noqa: F401  registers its methods
from client import Client, words
from client import results as records
from client.functions import FUNCTIONS, READ, WRITE, camel
from client.results import Record
from models.tokens import Scope
from rpc.discover import document
from rpc.registry import METHODS
from tests.client import stub

DOCUMENT = document(Scope.ADMIN, "http://127.0.0.1/rpc")
METHODS_TOLD = {told["name"]: told for told in DOCUMENT["methods"] if told["name"] != "rpc.discover"}

every_function = pytest.mark.parametrize("name", METHODS_TOLD)


def own(schema):
    """A schema without the null that an optional value may be."""
    return next((one for one in schema.get("oneOf", []) if one != {"type": "null"}), schema)


def objects(value):
    """Every object that the document describes, by its name."""
    found = dict(DOCUMENT["components"]["schemas"]) if value is DOCUMENT else {}
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else []:
        found |= objects(inner)
    if isinstance(value, dict) and value.get("type") == "object" and "properties" in value:
        found[value["title"]] = value
    return found


OBJECTS = {name: told for name, told in objects(DOCUMENT).items() if name != "OpenRpc"}
RECORDS = {kind.__name__: kind for kind in Record.__subclasses__()}
every_object = pytest.mark.parametrize("name", OBJECTS)

ARGUMENTS = {"uuid": "Id", "date": "Day", "date-time": "Instant", "email": "str"}
SIMPLE = {"string": "str", "integer": "int", "boolean": "bool"}
SIMPLE_PYTHON = {"string": str, "integer": int, "boolean": bool, "object": dict}


def argument(schema):
    """What the client calls the type of a parameter; for a word, the words that there are."""
    schema = own(schema)
    if "enum" in schema:
        return set(schema["enum"])
    if schema["type"] == "array":
        return "Names"
    return ARGUMENTS.get(schema.get("format")) or SIMPLE[schema["type"]]


def result(schema):
    """What the client calls the type of a result."""
    kinds = schema.get("oneOf", [schema])
    if {"type": "null"} in kinds:
        return f"{result(own(schema))}?"
    if len(kinds) > 1:
        return "[" + "|".join(result(kind)[1:-1] for kind in kinds) + "]"
    if schema.get("type") == "array":
        return f"[{result(schema['items'])}]"
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    return schema["title"] if schema["type"] == "object" else SIMPLE[schema["type"]]


def test_the_client_has_the_functions_that_the_server_has_and_no_other():
    assert set(METHODS_TOLD) == set(FUNCTIONS)


@every_function
def test_a_function_has_the_same_parameters_in_the_same_order(name):
    told = [param["name"] for param in METHODS_TOLD[name]["params"]]

    assert told == [parameter.wire for parameter in FUNCTIONS[name].parameters]


@every_function
def test_the_client_knows_which_parameters_must_be_there(name):
    told = [param["required"] and "oneOf" not in param["schema"] for param in METHODS_TOLD[name]["params"]]

    assert told == [parameter.required for parameter in FUNCTIONS[name].parameters]


@every_function
def test_a_parameter_is_of_the_same_type(name):
    for told, parameter in zip(METHODS_TOLD[name]["params"], FUNCTIONS[name].parameters, strict=True):
        kind = argument(told["schema"])
        if isinstance(kind, set):
            assert kind <= set(getattr(words, parameter.type))
        else:
            assert kind == parameter.type


@every_function
def test_a_result_is_of_the_same_type(name):
    assert result(METHODS_TOLD[name]["result"]["schema"]) == FUNCTIONS[name].returns


@every_function
def test_the_client_knows_what_may_write(name):
    assert (METHODS_TOLD[name]["x-access"] == "write") == FUNCTIONS[name].writes
    assert FUNCTIONS[name].writes in (READ, WRITE)


@every_function
def test_every_form_of_a_function_sends_its_name_and_its_parameters(name):
    sent = []

    def transport(body):
        sent.append(json.loads(body))
        return b'{"jsonrpc":"2.0","result":null,"id":%d}' % sent[-1]["id"]

    client, function = Client(transport), FUNCTIONS[name]
    namespace = getattr(client, function.namespace)
    forms = [getattr(namespace, function.pascal), getattr(namespace, function.snake)]
    forms += [getattr(client, function.snake)] if function.namespace == "core" else []

    for form in forms:
        form(**{parameter.name: "x" for parameter in function.parameters})

    expected = (name, {param["name"]: "x" for param in METHODS_TOLD[name]["params"]})
    assert [expected] * len(forms) == [(request["method"], request["params"]) for request in sent]


def test_the_client_has_a_record_for_each_object_and_no_other():
    assert set(OBJECTS) == set(RECORDS)


@every_object
def test_a_record_has_the_members_of_its_object(name):
    attributes = [camel(attribute.removesuffix("_")) for attribute in RECORDS[name].__annotations__]

    assert list(OBJECTS[name]["properties"]) == attributes


@every_object
def test_an_attribute_is_of_its_members_type(name):
    hints = get_type_hints(RECORDS[name])

    for attribute, member in zip(hints.values(), OBJECTS[name]["properties"].values(), strict=True):
        nullable = {"type": "null"} in member.get("oneOf", [])
        kinds = [kind for kind in get_args(attribute) or (attribute,) if kind not in (type(None), ...)]
        assert nullable == (type(None) in get_args(attribute))
        assert [_python(own(member))] == kinds


def _python(schema):
    if "$ref" in schema:
        return RECORDS[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        return getattr(words, schema["title"])
    if schema["type"] == "array":
        return _python(schema["items"])
    if schema["type"] == "object":
        return RECORDS[schema["title"]] if "title" in schema else SIMPLE_PYTHON["object"]
    named = {"Id": UUID, "Day": records.date, "Instant": records.datetime}
    return named.get(schema.get("title")) or SIMPLE_PYTHON[schema["type"]]


def test_the_words_are_those_of_the_document():
    told = {}

    def walk(value):
        if isinstance(value, dict):
            if "enum" in value and hasattr(words, value.get("title", "")):
                told[value["title"]] = value["enum"]
            value = list(value.values())
        for inner in value if isinstance(value, list) else []:
            walk(inner)

    walk(DOCUMENT)
    for name, function in FUNCTIONS.items():  # the title of a required parameter is its own
        for param, parameter in zip(METHODS_TOLD[name]["params"], function.parameters, strict=True):
            if param["schema"].get("enum") and hasattr(words, parameter.type):
                told.setdefault(parameter.type, param["schema"]["enum"])

    have = {name: [str(word) for word in getattr(words, name)] for name in stub.WORDS}
    assert told == have


def test_the_stub_is_what_the_table_gives():
    assert stub.stub() == stub.STUB.read_text()


@pytest.mark.parametrize("entry", METHODS.values(), ids=METHODS)
def test_a_handler_is_named_as_its_function_is(entry):
    pascal = entry.name.partition(".")[2]

    snake = re.sub("(?<!^)(?=[A-Z])", "_", pascal).lower()

    assert snake == entry.handler.__name__
