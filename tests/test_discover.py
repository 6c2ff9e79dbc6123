"""Discovery: the OpenRPC document says what the server does, and the server does what it says."""

from __future__ import annotations

import copy
from typing import Any

import jsonschema
import pytest
import urllib3

import rpc.app  # noqa: F401  registers the methods
from client import Client, RpcError
from models.tokens import Scope
from rpc import discover
from rpc.errors import CATALOGUE
from rpc.registry import METHODS, Lane, Method
from rpc.schemas import Flag, Params

URL = "http://localhost/rpc"

every_method = pytest.mark.parametrize("name", sorted(METHODS))


@pytest.fixture
def document() -> dict[str, Any]:
    """What an admin is told."""
    return copy.deepcopy(discover.document(Scope.ADMIN, URL))


def described(document: dict[str, Any], name: str) -> dict[str, Any]:
    [found] = [entry for entry in document["methods"] if entry["name"] == name]
    return found


def all_within(value: Any) -> list[dict[str, Any]]:
    """Every object in a JSON value."""
    found = []
    if isinstance(value, dict):
        found.append(value)
        value = list(value.values())
    if isinstance(value, list):
        for inner in value:
            found += all_within(inner)
    return found


def objects(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Every schema of the document that has members."""
    described = [document["components"]["schemas"], [entry["result"] for entry in document["methods"]]]
    return [found for found in all_within(described) if isinstance(found.get("properties"), dict)]


def check_strictly(value: Any, schema: dict[str, Any], document: dict[str, Any]) -> None:
    """The value fits the schema and has no member that the schema does not know."""
    for found in objects(document):
        found["additionalProperties"] = False
    jsonschema.Draft7Validator({**schema, "components": document["components"]}).validate(value)


def get(server: Any, token: str, **headers: str) -> urllib3.BaseHTTPResponse:
    """GET /openrpc.json"""
    url = server.url.replace("/rpc", "/openrpc.json")
    return urllib3.request("GET", url, headers={"Authorization": f"Bearer {token}", **headers})


# What is in it


def test_the_document_has_every_method_and_no_other(document):
    assert sorted(METHODS) == sorted(entry["name"] for entry in document["methods"])


def test_what_is_not_in_the_document_cannot_be_called(client, document):
    names = {entry["name"] for entry in document["methods"]}
    others = {"core.Nothing", "core.lookupprogram", "rpc.Discover", "discover", "core", ""} - names

    outcomes = client.batch((name, {}) for name in others)

    assert ["METHOD_NOT_FOUND"] * 6 == [outcome.word for outcome in outcomes]


@every_method
@pytest.mark.sample
def test_an_example_works_by_name_and_its_result_fits_the_schema(client, document, name):
    entry = described(document, name)
    [example] = entry["examples"]
    params = {param["name"]: param["value"] for param in example["params"]}

    result = client.call(name, **params)

    check_strictly(result, entry["result"]["schema"], document)


@every_method
@pytest.mark.sample
def test_an_example_works_by_position_and_its_result_fits_the_schema(client, document, name):
    entry = described(document, name)
    [example] = entry["examples"]

    result = client.call(name, *(param["value"] for param in example["params"]))

    check_strictly(result, entry["result"]["schema"], document)


@pytest.mark.parametrize("name", sorted(name for name, entry in METHODS.items() if entry.params.wire))
def test_every_parameter_has_the_place_that_the_document_gives_it(client, document, name):
    names = [param["name"] for param in described(document, name)["params"]]
    wrong = {"not": "a value"}
    calls = [[None] * place + [wrong, None] for place in range(len(names))]

    anyway, *outcomes = client.batch((name, params) for params in [[None], *calls])

    wrong_anyway = anyway.fields if isinstance(anyway, RpcError) else {}
    refused = [
        [member for member, texts in outcome.fields.items() if texts != wrong_anyway.get(member)]
        for outcome in outcomes
    ]
    assert [[found] for found in names] == refused


@every_method
def test_an_example_fits_the_schemas(document, name):
    entry = described(document, name)
    [example] = entry["examples"]
    schemas = {param["name"]: param["schema"] for param in entry["params"]}

    for param in example["params"]:
        jsonschema.Draft7Validator(schemas[param["name"]]).validate(param["value"])
    check_strictly(example["result"]["value"], entry["result"]["schema"], document)


@every_method
def test_a_method_says_what_it_is(document, name):
    entry = described(document, name)

    assert entry["summary"]
    assert entry["description"].startswith(entry["summary"])
    assert entry["tags"][0]["name"]
    assert entry["paramStructure"] == "either"
    assert (entry["x-scope"], entry["x-access"]) == (
        METHODS[name].scope,
        "write" if METHODS[name].lane is Lane.WRITE else "read",
    )


def test_a_method_is_tagged_with_its_noun(document):
    [tag] = described(document, "core.ListCohorts")["tags"]

    assert tag["name"] == "cohorts"


def test_a_replaced_method_names_what_replaces_it(monkeypatch):
    def old() -> bool:
        """Do what another does better."""
        return True

    replaced = Method(
        "core.Old", old, Params(), Flag(), {}, Scope.READ, Lane.QUICK, deprecated_for="core.ProgramsAfter"
    )
    monkeypatch.setitem(METHODS, replaced.name, replaced)

    entry = described(discover.document(Scope.READ, URL), "core.Old")

    assert (entry["deprecated"], entry["x-replaced-by"]) == (True, "core.ProgramsAfter")


# Parameters


def test_required_parameters_come_first(document):
    for entry in document["methods"]:
        required = [param["required"] for param in entry["params"]]

        assert sorted(required, reverse=True) == required, entry["name"]


def test_an_optional_parameter_before_a_required_one_is_there_as_null(document):
    params = described(document, "core.ModifyProgramMembership")["params"]

    told = {param["name"]: (param["required"], {"type": "null"} in all_within(param)) for param in params}

    assert {
        "email": (True, True),
        "userId": (True, True),
        "programId": (True, False),
        "cohortId": (False, True),
        "role": (False, True),
        "state": (False, True),
        "clear": (False, True),
    } == told


@pytest.mark.sample
def test_a_parameter_that_is_there_as_null_may_be_left_out_by_name(client, document):
    entry = described(document, "core.ModifyProgramMembership")
    [example] = entry["examples"]
    given = {param["name"]: param["value"] for param in example["params"] if param["value"] is not None}

    [info] = client.call("core.ModifyProgramMembership", **given)

    assert "email" not in given
    assert info["id"] == given["programId"]


def test_a_parameter_has_a_title_of_its_own(document):
    titles = [param["schema"]["title"] for entry in document["methods"] for param in entry["params"]]

    assert len(set(titles)) == len(titles)


@pytest.mark.parametrize(
    ("name", "param", "expected"),
    [
        ("core.ListCohorts", "programId", {"type": "string", "format": "uuid"}),
        ("core.UpdateUserProgramDate", "date", {"type": "string", "format": "date"}),
        ("core.ConfirmCohort", "cohortName", {"type": "string", "maxLength": 255}),
        ("core.UpdateUserCohortState", "comments", {"type": "string", "maxLength": 4000}),
        ("core.CreateUser", "email", {"type": "string", "format": "email"}),
        ("core.CreateUser", "gender", {"type": "string", "enum": ["male", "female", "other"]}),
        ("core.ListClosingParticipants", "withinDays", {"type": "integer", "minimum": 0, "maximum": 36_600}),
        ("core.ListClosingParticipants", "withinDays", {"default": 7}),
        ("core.ModifyProgramMembership", "clear", {"type": "string", "enum": ["cohortId"]}),
        ("admin.CreateToken", "expiresAt", {"type": "string", "format": "date-time"}),
        ("admin.ListPrograms", "archived", {"type": "boolean"}),
    ],
)
def test_a_parameter_says_what_it_takes(document, name, param, expected):
    [schema] = [given["schema"] for given in described(document, name)["params"] if given["name"] == param]

    assert any(expected.items() <= found.items() for found in all_within(schema))


def test_an_optional_parameter_without_a_default_has_none(document):
    [kind, _] = described(document, "core.ProgramsAfter")["params"]

    assert "default" not in kind["schema"]


# Results


def test_every_member_of_every_result_is_required(document):
    found = objects(document)

    assert len(found) > 10
    for schema in found:
        assert list(schema["properties"]) == schema["required"], schema["title"]


def test_a_member_that_may_be_null_says_so(document):
    kind = document["components"]["schemas"]["ProgramKind"]["properties"]

    assert {"type": "null"} in kind["parentId"]["oneOf"]
    assert "oneOf" not in kind["name"]


def test_the_children_of_a_kind_are_one_of_two_lists(document):
    schema = described(document, "core.ProgramChildList")["result"]["schema"]

    assert ["#/components/schemas/ProgramKind", "#/components/schemas/ProgramInfo"] == [
        shape["items"]["$ref"] for shape in schema["oneOf"]
    ]
    check_strictly([], schema, document)


def test_references_stay_within_the_document(document):
    names = [found["$ref"] for found in all_within(document) if "$ref" in found]

    assert names
    for name in names:
        root, *path = name.split("/")
        target = document
        for step in path:
            target = target[step]
        assert root == "#"


@pytest.mark.parametrize("scope", Scope)
def test_a_document_holds_no_object_that_its_methods_do_not_need(scope):
    made = discover.document(scope, URL)

    needed = {found["$ref"].rpartition("/")[2] for found in all_within(made) if "$ref" in found}

    assert needed == set(made["components"]["schemas"])


def test_every_schema_is_a_json_schema(document):
    schemas = list(document["components"]["schemas"].values())
    for entry in document["methods"]:
        schemas += [entry["result"]["schema"], *(param["schema"] for param in entry["params"])]

    for schema in schemas:
        jsonschema.Draft7Validator.check_schema(schema)


# Errors


@every_method
def test_a_method_names_each_code_once(document, name):
    codes = [error["code"] for error in described(document, name)["errors"]]

    assert len(set(codes)) == len(codes)


def test_the_catalogue_is_in_the_document(document):
    errors = document["components"]["errors"]

    told = {word: (error["code"], error["data"]["meaning"]) for word, error in errors.items()}

    assert {word: (row.code, row.meaning) for word, row in CATALOGUE.items()} == told


# Who is told what, and how


@pytest.mark.parametrize("scope", Scope)
def test_a_token_is_told_of_the_methods_that_it_may_call(server, world, scope):
    mine = Client(server.url, world.secrets[scope])

    told = {entry["name"] for entry in mine.call("rpc.discover")["methods"]}

    assert {name for name, entry in METHODS.items() if scope.covers(entry.scope)} == told


def test_a_token_cannot_call_what_it_is_not_told_of(server, world):
    mine = Client(server.url, world.secrets[Scope.READ])
    told = {entry["name"] for entry in mine.call("rpc.discover")["methods"]}
    others = METHODS.keys() - told

    outcomes = mine.batch((name, {}) for name in others)

    assert others
    assert {"FORBIDDEN"} == {outcome.word for outcome in outcomes}


def test_the_page_is_what_rpc_discover_answers(client, server, world):
    page = get(server, world.secrets[Scope.ADMIN])

    assert (page.status, page.headers["Content-Type"]) == (200, "application/json")
    assert client.call("rpc.discover") == page.json()


def test_the_document_names_the_server_as_the_caller_reached_it(client, server):
    [said] = client.call("rpc.discover")["servers"]

    assert server.url == said["url"]


@pytest.mark.parametrize("host", ["not a host", 'ex"ample.org', "ex\u00e4mple.org", "a/b"])
def test_what_is_no_host_is_not_repeated(server, world, host):
    page = get(server, world.secrets[Scope.READ], Host=host)

    assert page.status == 200
    assert [said["url"] for said in page.json()["servers"]] == ["http://localhost/rpc"]


def test_the_page_needs_a_token(server):
    page = get(server, "crpc_nobody")

    assert page.status == 401
    assert page.json()["error"]["data"]["code"] == "UNAUTHORIZED"


def test_a_known_document_is_not_sent_again(server, world):
    tag = get(server, world.secrets[Scope.READ]).headers["ETag"]

    again = get(server, world.secrets[Scope.READ], **{"If-None-Match": f'"other", {tag}'})

    assert (again.status, again.data, again.headers["ETag"]) == (304, b"", tag)


def test_another_document_has_another_tag(server, world):
    tag = get(server, world.secrets[Scope.READ]).headers["ETag"]

    other = get(server, world.secrets[Scope.ADMIN], **{"If-None-Match": tag})

    assert other.status == 200
    assert tag != other.headers["ETag"]
