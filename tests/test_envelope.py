"""The envelope: strict JSON, limits, and a reply to whatever comes."""

from __future__ import annotations

import json
import os
import tarfile
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import fields

from rpc.registry import METHODS, Lane
from rpc.schemas import Params

MIB = 1024 * 1024

# JSON as RFC 8259 has it, by its sections.
JSON_TEXTS = [
    # 2: structure and white space
    "[]", "{}", " [ ] ", "\t{\n}\r\n", "[\n1\n,\r2\t]", '{ "a" : 1 , "b" : [ ] }', "[[[[]]]]",
    '{"a":{"b":{"c":{}}}}',
    # 3: values
    "null", "true", "false", "0", '"a"', "[null,true,false]", " true ", "[[],{},null]",
    # 4: objects, with names that are odd or there twice
    '{"":0}', '{"a":1,"a":2}', '{"a":null,"b":[{}]}', r'{"\u0000":"\u0000"}', '{"\u20ac":1}', r'{"\"":1}',
    # 6: numbers
    "-0", "[0]", "10", "-1", "0.0", "1.50", "-0.1", "1e1", "1E1", "1e+1", "1e-1", "0e0", "0E+0", "1.0e-2",
    "123456789012345678901", "1e400", "-1e400", "1e-400", "1" * 32,
    # 7: strings
    '""', r'"\" \\ \/ \b \f \n \r \t"', r'"\u00e9\u00E9"', r'"\ud83d\ude00"', r'"\uD800"', r'"\udc00x"',
    r'"\ud800\ud800"', '"\x7f"', '"\u2028\u2029"', '"\U0001f600"', '"\ufeff"', '"/"', r'"\\u0041"', r'"\\"',
    r'"a\\\"b"', '"' + "a" * 10_000 + '"',
]  # fmt: skip

# What is none, by what is wrong with it.
OTHER_TEXTS = [
    # nothing, or more than one value
    "", " ", "\n", "1 2", "[][]", "{}{}", "[]1", '""""', "null,", "[1],", '{"a":1}}', "[1]]", "[]x",
    "1\x00", "\x00",
    # structure
    "[", "]", "{", "}", "[1", '{"a":1', "[1}", '{"a":1]', "[,]", "[1,]", "[,1]", "[1,,2]", "[1 2]", "[1;2]",
    "{,}", '{"a":1,}', '{,"a":1}', '{"a":1,,"b":2}', '{"a"}', '{"a":}', '{:1}', '{"a" 1}', '{"a"::1}',
    '{"a","b"}', '["a":1]', "{1:1}", "{a:1}", "{'a':1}", "{null:1}", "{[]:1}", '{"a":1 "b":2}', '["a"',
    '[{"a":1', "[[]", "[{}", '{"a":[}', "[{]}", ":", ",", "(1)", "<null>",
    # literals and what other languages have
    "nul", "nulll", "NULL", "Null", "True", "TRUE", "tru", "fals", "None", "undefined", "NaN", "nan",
    "[NaN]", "Infinity", "-Infinity", "inf", "+Infinity", "-NaN", "[-Infinity]", "a", "[a]", "'a'", "`a`",
    "// a\n1", "/* a */ 1", "1 // a", "# a\n1", "[1] /* a */", "\\", "*",
    # numbers
    "+1", "01", "-01", "00", "-", "+", "--1", "-+1", "1.", ".1", "-.1", "1.e1", ".e1", "1e", "1e+", "1E-",
    "1e1.5", "1ee1", "1e1e1", "0x1", "0b1", "0o7", "1_000", "1,000", "1.2.3", "1a", "- 1", "1 e1", "0.1.2",
    "1e\u0661", "\u0661", "\uff11", "[1\u00a0]", "1f", "1L", "1n", "[-]", "[.]", "[e1]",
    # strings
    '"', '"a', 'a"', '"\n"', '"\t"', '"\x00"', '"\x1f"', r'"\x41"', r'"\a"', r'"\v"', r'"\0"', r'"\u"',
    r'"\u1"', r'"\u123"', r'"\u123g"', r'"\U00000041"', r'"\ "', '"\\\n"', '"\\', r'"\"', r'"\u00"00"',
    "\u201ca\u201d", '"a" "b"', '"a"+"b"', r'"\'"', '"\\\U0001f600"', '[""', r'["\]',
    # white space that JSON has not
    "\u00a0[]", "[\x0b]", "[\x0c]", "\u2028[]", "[]\u3000", "\ufeff[]", "\ufeff", "[\u2060]", "\x85[]",
]  # fmt: skip

OTHER_BYTES = [
    b'"\xff"', b'"\xc3"', b'"\xc0\xaf"', b'"\xe0\x80\x80"', b'"\xed\xa0\x80"', b'"\xf4\x90\x80\x80"',
    b'"\x80"', b"[\xff]", b"\xff", b'{"\xe9":1}', b"1\xff", "[1]".encode("utf-16"),
    "[1]".encode("utf-16-be"), "[1]".encode("utf-32-le"), b"\xff\xfe", b"\xef\xbb\xbf{}", b"\xef\xbb",
]  # fmt: skip

DEEP = {
    "arrays never closed": b"[" * 100_000,
    "arrays in objects never closed": b'[{"":' * 50_000,
    "objects never closed": b'{"a":' * 100_000,
    "objects never closed, up to the limit of a body": b'{"":' * (MIB // 4),
    "a string of escaped quotes that never ends, deep down": b"[" * 2000 + b'"' + rb"\"" * 500_000,
    "a string of backslashes that never ends, deep down": b"[" * 2000 + b'"' + rb"\\" * 500_000,
    "brackets in a string that never ends": b"[" * 2000 + b'"' + b"]" * 2000,
}


def code_of(reply: bytes) -> int | None:
    """The code of a single error; None for a batch's answers and results."""
    content = json.loads(reply)
    return content["error"]["code"] if "error" in content else None


def request(**members: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 1, "method": "nothing"} | members).encode()


@pytest.mark.parametrize("text", JSON_TEXTS)
def test_json_that_is_no_request_is_an_invalid_request(text, ask):
    reply = json.loads(ask(text.encode()))

    for one in reply if isinstance(reply, list) else [reply]:
        assert one["error"]["code"] == -32600


@pytest.mark.parametrize("text", JSON_TEXTS)
def test_json_is_read_as_the_standard_library_reads_it(text, ask, make_method):
    make_method("echo", lambda **members: "read", params=Anything)
    inner = b'{"jsonrpc":"2.0","id":1,"method":"echo","params":{"given":' + text.encode() + b"}}"

    reply = ask(inner)

    assert json.loads(reply) == {"jsonrpc": "2.0", "id": 1, "result": "read"}


class Anything(Params):
    given = fields.Raw(allow_none=True, load_default=None)


@pytest.mark.parametrize(
    "body", [*(text.encode("utf-8", "surrogatepass") for text in OTHER_TEXTS), *OTHER_BYTES]
)
def test_what_is_not_json_is_a_parse_error(body, ask):
    reply = ask(body)

    assert json.loads(reply) == {
        "jsonrpc": "2.0",
        "error": {"code": -32700, "message": "Parse error", "data": {"code": "PARSE_ERROR"}},
        "id": None,
    }


@pytest.mark.parametrize("body", DEEP.values(), ids=DEEP)
def test_what_goes_deep_and_never_ends_is_a_parse_error(body, ask):
    # Where time grew with the square of the length, this would take hours.
    assert code_of(ask(body)) == -32700


def suite() -> list[Any]:
    """The texts of the public JSONTestSuite, out of a source archive of the package pyjson5.

    `pip download --no-binary pyjson5 --no-deps pyjson5` fetches one.
    """
    archive = os.environ.get("JSON_TEST_SUITE")
    if not archive:
        return [pytest.param("", b"", marks=pytest.mark.needs("JSON_TEST_SUITE"))]
    found = []
    with tarfile.open(archive) as files:
        for member in files:
            folder, _, name = member.name.rpartition("/")
            if folder.endswith("/test_parsing") and name.endswith(".json"):
                found.append(pytest.param(name, files.extractfile(member).read(), id=name))
    return found


@pytest.mark.parametrize(("name", "body"), suite())
def test_the_public_suite_finds_nothing(name, body, ask):
    reply = json.loads(ask(body))

    codes = {one["error"]["code"] for one in (reply if isinstance(reply, list) else [reply])}
    allowed = {"y": [{-32600}], "n": [{-32700}], "i": [{-32600}, {-32700}]}
    assert codes in allowed[name[0]]


def is_json(body: bytes) -> bool:
    """The standard library's verdict, which takes NaN and Infinity unless told."""

    def refuse(constant: str) -> None:
        raise ValueError(constant)

    try:
        json.loads(body.decode(), parse_constant=refuse)
    except ValueError:
        return False
    return True


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
members = {"jsonrpc": st.just("2.0") | values, "id": values, "params": values, "method": st.text() | values}
requests = st.fixed_dictionaries({}, optional=members)
texts = st.builds(
    lambda value, ascii, indent: json.dumps(value, ensure_ascii=ascii, indent=indent).encode(
        "utf-8", "surrogatepass"
    ),
    values | requests | st.lists(requests, max_size=4),
    st.booleans(),
    st.sampled_from([None, 0, 1]),
)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """JSON with a few bytes taken out, put in or doubled."""
    body = bytearray(draw(texts))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(body)))
        body[at : at + draw(st.integers(0, 2))] = draw(
            st.sampled_from(
                [
                    b"",
                    b'"',
                    b"\\",
                    b"[",
                    b"]",
                    b"{",
                    b"}",
                    b",",
                    b":",
                    b"0",
                    b"-",
                    b".",
                    b"e",
                    b"\xff",
                    b"\x00",
                    b" ",
                    b"NaN",
                ]
            )
        )
    return bytes(body)


bodies = st.binary(max_size=40) | st.text(max_size=40).map(str.encode) | texts | damaged()
many = settings(
    max_examples=600,
    deadline=None,
)


@many
@given(body=bodies)
def test_any_body_gets_a_well_formed_reply(body, ask):
    reply = ask(body)

    if reply:
        content = json.loads(reply)
        for one in content if isinstance(content, list) else [content]:
            assert set(one) == {"jsonrpc", "error", "id"}
            assert one["jsonrpc"] == "2.0"
            assert set(one["error"]) == {"code", "message", "data"}
            assert one["error"]["code"] in (-32700, -32600, -32601)


@many
@given(body=bodies)
def test_what_is_json_is_so_in_the_standard_library_s_view(body, ask):
    reply = ask(body)

    refused = bool(reply) and json.loads(reply) != [] and b"PARSE_ERROR" in reply
    assert refused is not is_json(body)


@many
@given(wanted=st.one_of(st.text(), st.integers(-(10**30), 10**30), st.none()), escaped=st.booleans())
def test_any_id_comes_back(wanted, escaped, ask):
    body = json.dumps({"jsonrpc": "2.0", "method": "nothing", "id": wanted}, ensure_ascii=escaped)

    reply = json.loads(ask(body.encode("utf-8", "surrogatepass")))

    assert reply["id"] == wanted


# Limits


def nested(levels: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(levels - 1):
        value = [value]
    return value


def limit_told(reply: bytes) -> tuple[str, int]:
    content = json.loads(reply)
    assert (content["error"]["code"], content["id"]) == (-32600, None)
    return content["error"]["data"]["code"], content["error"]["data"]["limit"]


def test_as_many_levels_as_allowed_are_read(ask):
    assert code_of(ask(request(params=nested(63)))) == -32601


@pytest.mark.parametrize("levels", [64, 100, 900, 1030])
def test_more_levels_than_allowed_are_refused(levels, ask):
    body = b'{"jsonrpc":"2.0","id":1,"method":"nothing","params":' + b"[" * levels + b"]" * levels + b"}"

    assert limit_told(ask(body)) == ("TOO_DEEP", 64)


def test_brackets_in_strings_are_no_levels(ask):
    assert code_of(ask(request(params=["[{" * 1000, '\\"[' * 100]))) == -32601


def test_many_arrays_beside_each_other_are_no_levels(ask):
    assert code_of(ask(request(params=[[]] * 1000))) == -32601


@pytest.mark.parametrize(
    ("shape", "each"), [(1, 1), ("a,b", 1), ({"a": 1}, 2), ([], 1), ({}, 1), (["a"], 2), ([{"a": [2, 3]}], 5)]
)
def test_as_many_values_as_allowed_are_read(shape, each, ask):
    params = [shape] * 2000  # and with them: the request, its three other members, and the array
    allowed = 5 + 2000 * each

    assert code_of(ask(request(params=params), values=allowed)) == -32601


@pytest.mark.parametrize(
    ("shape", "each"), [(1, 1), ("a,b", 1), ({"a": 1}, 2), ([], 1), ({}, 1), (["a"], 2), ([{"a": [2, 3]}], 5)]
)
def test_more_values_than_allowed_are_refused(shape, each, ask):
    params = [shape] * 2000
    allowed = 5 + 2000 * each - 1

    assert limit_told(ask(request(params=params), values=allowed)) == ("TOO_MANY_VALUES", allowed)


def test_a_number_of_as_many_characters_as_allowed_is_read(ask):
    body = b'{"jsonrpc":"2.0","id":1,"method":"nothing","params":[' + b"-" + b"1" * 31 + b"]}"

    assert code_of(ask(body)) == -32601


@pytest.mark.parametrize(
    "number", ["1" * 33, "-" + "1" * 32, "0." + "1" * 31, "1e" + "0" * 31, "1" * 5000, "1" * 900_000]
)
def test_a_longer_number_is_refused(number, ask):
    body = b'{"jsonrpc":"2.0","id":1,"method":"nothing","params":[1e999,' + number.encode() + b"]}"

    assert limit_told(ask(body)) == ("NUMBER_TOO_LONG", 32)


def test_a_long_number_as_an_id_is_refused(ask):
    body = b'{"jsonrpc":"2.0","method":"nothing","id":' + b"1" * 33 + b"}"

    assert limit_told(ask(body)) == ("NUMBER_TOO_LONG", 32)


def test_digits_in_strings_are_no_numbers(ask):
    assert code_of(ask(request(params=["1" * 100, '"' + "2" * 100]))) == -32601


def test_as_many_entries_as_allowed_are_answered(ask):
    reply = ask(json.dumps([1] * 1000).encode())

    assert len(json.loads(reply)) == 1000


def test_a_batch_of_more_entries_is_refused_as_a_whole(ask):
    reply = json.loads(ask(json.dumps([1] * 1001).encode()))

    assert reply == {
        "jsonrpc": "2.0",
        "error": {
            "code": -32010,
            "message": "Batch too large",
            "data": {"code": "BATCH_TOO_LARGE", "limit": 1000},
        },
        "id": None,
    }


def test_a_reply_that_is_too_large_is_an_error(ask, make_method):
    make_method("long", lambda: "a" * 2000)

    reply = json.loads(ask(request(method="long"), reply=1000))

    assert reply == {
        "jsonrpc": "2.0",
        "error": {
            "code": -32011,
            "message": "Response too large",
            "data": {"code": "RESPONSE_TOO_LARGE", "limit": 1000},
        },
        "id": 1,
    }


def test_in_a_batch_only_the_answers_without_room_are_errors(ask, make_method):
    make_method("long", lambda: "a" * 2000)
    make_method("short", lambda: "b")
    batch = [
        {"jsonrpc": "2.0", "id": name, "method": name[:-1]} for name in ("short1", "long2", "long3", "short4")
    ]

    replies = json.loads(ask(json.dumps(batch).encode(), reply=3000))

    found = [reply.get("result") or reply["error"]["data"] for reply in replies]
    refused = {"code": "RESPONSE_TOO_LARGE", "limit": 3000}
    assert found == ["b", "a" * 2000, refused, "b"]


# Faults of the server's


@pytest.mark.parametrize("lane", Lane)
def test_of_a_fault_only_the_request_s_id_is_told(lane, ask, make_method):
    def fail() -> None:
        raise RuntimeError("the secret is 42")

    make_method("fail", fail, lane=lane)

    reply = json.loads(ask(request(method="fail")))

    data = {"code": "INTERNAL_ERROR", "requestId": "a-request"}
    assert reply["error"] == {"code": -32603, "message": "Internal error", "data": data}


@pytest.mark.parametrize("value", [object(), b"bytes", {"a": {1, 2}}, {1: 2, (): 3}])
def test_a_result_that_json_has_no_form_for_is_a_fault_and_leaves_the_others(value, ask, make_method):
    make_method("odd", lambda: value)
    make_method("good", lambda: True)
    batch = [{"jsonrpc": "2.0", "id": n, "method": name} for n, name in enumerate(("good", "odd", "good"))]

    replies = json.loads(ask(json.dumps(batch).encode()))

    assert [reply.get("result") or reply["error"]["code"] for reply in replies] == [True, -32603, True]


def test_a_method_that_breaks_jsonrpcserver_s_rules_tells_nothing(ask, monkeypatch):
    def raw(*args: Any) -> None:
        raise RuntimeError("the secret is 42")

    monkeypatch.setitem(METHODS, "raw", raw)

    reply = json.loads(ask(request(method="raw")))

    assert reply["error"]["data"] == {"code": "INTERNAL_ERROR", "requestId": "a-request"}
