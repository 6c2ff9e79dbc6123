"""The client and the registry have the same functions with the same parameters."""

from __future__ import annotations

import inspect
import json
import re

import pytest

import rpc.admin
import rpc.core  # noqa: F401  registers its methods
from client import Client
from client.admin import Admin
from rpc.registry import METHODS

MIRRORS = {"core": Client, "admin": Admin}
PLUMBING = {"call", "notify", "batch", "close"}  # what a client has besides the functions

mirrored = {name: entry for name, entry in METHODS.items() if name.partition(".")[0] in MIRRORS}
every_function = pytest.mark.parametrize("entry", mirrored.values(), ids=mirrored)


def names_of(entry):
    """The names of all that a function takes."""
    return [*entry.params.fields, *(["clear"] if entry.params.emptied else [])]


def mirror_of(entry):
    """The client's method for a function."""
    return getattr(MIRRORS[entry.name.partition(".")[0]], entry.handler.__name__)


@every_function
def test_the_client_has_the_same_function_with_the_same_parameters(entry):
    parameters = inspect.signature(mirror_of(entry)).parameters

    assert ["self", *names_of(entry)] == list(parameters)


@every_function
def test_the_client_asks_for_no_parameter_that_may_be_left_out(entry):
    parameters = inspect.signature(mirror_of(entry)).parameters

    asked_for = {name for name in names_of(entry) if parameters[name].default is inspect.Parameter.empty}

    assert set() == asked_for - {name for name, field in entry.params.fields.items() if field.required}


@every_function
def test_the_client_sends_the_function_and_all_its_parameters_by_their_wire_names(entry):
    sent = []

    def transport(body):
        sent.append(json.loads(body))
        return b'{"jsonrpc":"2.0","result":null,"id":1}'

    client = Client(transport)
    owner = client.admin if entry.name.startswith("admin.") else client

    getattr(owner, entry.handler.__name__)(**dict.fromkeys(names_of(entry), "x"))

    wire_names = [*entry.params.wire, *(["clear"] if entry.params.emptied else [])]
    [request] = sent
    assert (entry.name, dict.fromkeys(wire_names, "x")) == (request["method"], request["params"])


@pytest.mark.parametrize("namespace", MIRRORS)
def test_the_client_has_no_function_that_the_server_has_not(namespace):
    served = {entry.handler.__name__ for name, entry in mirrored.items() if name.startswith(f"{namespace}.")}

    has = {name for name, _ in inspect.getmembers(MIRRORS[namespace], inspect.isfunction)}

    assert served == {name for name in has if not name.startswith("_")} - PLUMBING


@every_function
def test_a_handler_is_named_as_its_function_is(entry):
    pascal = entry.name.partition(".")[2]

    snake = re.sub("(?<!^)(?=[A-Z])", "_", pascal).lower()

    assert snake == entry.handler.__name__
