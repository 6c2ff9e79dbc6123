"""core.lua and helpers.lua by themselves, in each Lua that there is."""

from __future__ import annotations

import json
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from client import external_id

FOLDER = Path(__file__).parent.parent.parent / "client" / "lua"


class Wire:
    """A Lua whose HTTP function is this: it keeps the requests, and replies what it is told."""

    def __init__(self, version: str) -> None:
        self.lua: Any = import_module(f"lupa.{version}").LuaRuntime(
            encoding="latin-1", unpack_returned_tuples=True
        )
        self.requests: list[Any] = []
        self.waits: list[float] = []
        self.answers: list[Any] = []
        self.lua.globals().post = self.post
        self.lua.globals().wait = self.waits.append
        self.lua.globals().folder = str(FOLDER)
        self.lua.execute("""
            package.path = folder .. "/?.lua"
            core = require "core"
            require "helpers"
            core.configure({
              url = "http://host", token = "secret", sleep = function(s) wait(s) end,
              http = function(request)
                local status, body, retry = post(request.url, request.headers.Authorization, request.body)
                if not status then return nil, "cut" end
                return {status = status, headers = {["Retry-After"] = retry}, body = body}
              end,
            })
        """)

    def post(self, url: str, authorization: str, body: str) -> Any:
        assert (url, authorization) == ("http://host/rpc", "Bearer secret")
        content = json.loads(body)
        self.requests.append(content)
        answer = self.answers.pop(0) if self.answers else "echo"
        if answer == "cut":
            return None
        calls = content if isinstance(content, list) else [content]
        if isinstance(answer, tuple):
            status, retry, reply = answer
            for one in reply if isinstance(reply, list) else [reply]:
                one["id"] = calls[one["id"] - 1]["id"]  # written as the number of the call in the request
            return status, json.dumps(reply), retry
        replies = [{"jsonrpc": "2.0", "id": call["id"], "result": call["params"]} for call in calls]
        reply = replies if isinstance(content, list) else replies[0]
        return 200, json.dumps(reply, ensure_ascii=True), None

    def run(self, text: str) -> Any:
        return self.lua.execute(text)

    @property
    def params(self) -> list[Any]:
        return [request["params"] for request in self.requests]


@pytest.fixture(params=["lua51", "lua52", "lua53", "lua54", "luajit21"])
def wire(request: pytest.FixtureRequest) -> Wire:
    return Wire(request.param)


def test_blanks_around_the_token_are_no_part_of_it(wire):
    wire.run(r'core.configure({token = " secret\r\n"}); core.ListActivePrograms()')

    assert 1 == len(wire.requests)


@pytest.mark.parametrize("token", [r"hush\nhush", r"hush\0", "hush hush", r"hush\233"])
def test_what_can_be_no_token_is_refused_and_not_shown(token, wire):
    done, said = wire.run(f'core.configure({{token = "{token}"}}); return pcall(core.ListActivePrograms)')

    assert (False, []) == (done, wire.requests)
    assert "not shown here" in str(said)
    assert "hush" not in str(said)


def failure(number: int, error: int, /, **data: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "error": {"code": error, "message": "No", "data": data}}


def test_a_call_is_written_by_name_by_position_or_with_nothing(wire):
    wire.run("""
        core.UserTickets({userId = "a", state = nil, n = 7})
        core.LookupProgram("b")
        core.ListActivePrograms()
        core.admin.SaveUser({clear = {}})
        core.X("a", nil, "c", nil)
        core.Y({})
    """)

    assert [
        ({"userId": "a", "n": 7}),
        ["b"],
        {},
        {"clear": []},
        ["a", None, "c"],
        {},
    ] == [params or {} for params in wire.params]
    assert ["core.UserTickets", "core.LookupProgram", "core.ListActivePrograms", "admin.SaveUser"] == [
        request["method"] for request in wire.requests[:4]
    ]


def test_every_call_has_a_key_of_its_own_or_of_the_script(wire):
    wire.run('core.A() core.A() core.keyed("order-1").A()')

    first, second, third = (request["idempotencyKey"] for request in wire.requests)
    assert len({first, second}) == 2
    assert third == "order-1"


@pytest.mark.parametrize("number", [0, -1, 10**9])
def test_the_answer_to_another_request_is_an_error(wire, number):
    wire.run("core.A()")
    wire.lua.globals().post = lambda *_: (
        200,
        json.dumps({"id": wire.requests[0]["id"] + number, "result": 5}),
    )

    told = wire.run("local fine, e = pcall(core.B) return ToJson({fine, e.word})")

    assert [False, "TRANSPORT"] == json.loads(told)


def test_two_luas_number_their_calls_apart(wire):
    other = Wire("lua54")
    for each in (wire, other):
        each.run("for n = 1, 1000 do core.A() end")

    assert 2000 == len({request["id"] for each in (wire, other) for request in each.requests})


def test_a_seed_makes_the_same_keys_again_and_another_one_others(wire):
    for seed in ("a", "b", "a"):
        wire.run(f'core.configure({{seed = "{seed}"}}) core.A() core.A()')

    first, second, third, fourth, *again = (request["idempotencyKey"] for request in wire.requests)
    assert [first, second] == again
    assert 4 == len({first, second, third, fourth})


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_process_makes_keys_of_its_own(wire):
    wire.run("core.A()")
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        wire.run("core.A()")
        os.write(writing, wire.requests[-1]["idempotencyKey"].encode())
        os._exit(0)
    os.waitpid(child, 0)
    wire.run("core.A()")

    assert os.read(reading, 100).decode() not in ["", *(one["idempotencyKey"] for one in wire.requests)]
    os.close(reading)
    os.close(writing)


def test_null_is_nil_and_an_empty_list_stays_one(wire):
    number = 1
    wire.answers = [
        (200, None, {"id": number, "result": {"a": None, "b": [], "c": {"d": None}, "e": [1, None, 3]}})
    ]

    text = wire.run("""
        local r = core.A()
        return ToJson({a = r.a == nil, b = r.b, d = r.c.d == nil, e = r.e, none = len(r.b)})
    """)

    assert {"a": True, "b": [], "d": True, "e": [1, None, 3], "none": 0} == json.loads(text)


def test_text_goes_through_whole(wire):
    text = wire.run(r'return ToJson({FromJson("\"\\u00e9\\ud83d\\ude00\\n\\\\\\\"\"")})')

    assert ['é\U0001f600\n\\"'] == json.loads(text.encode("latin-1"))


@pytest.mark.parametrize("text", ["", "{", "[1,]", '{"a":1,}', "nul", '"\\x"', "1 2", "-", "[" * 200, '"\n"'])
def test_what_is_not_json_is_refused(wire, text):
    refuses = wire.lua.eval("function(text) return (pcall(FromJson, text)) end")

    assert refuses(text) is False


def test_an_error_is_a_table_that_reads_as_a_line(wire):
    wire.answers = [(200, None, failure(1, -32602, code="INVALID", fields={"a": ["wrong"]}, requestId="r"))]

    told = wire.run("""
        local fine, e = pcall(function() core.A() end)
        local mine = core.is_error(e)
        return ToJson({fine, e.code, e.word, e.message, e.fields.a[1], e.requestId, mine, tostring(e)})
    """)

    *values, line = json.loads(told)
    assert [False, -32602, "INVALID", "No", "wrong", "r", True] == values
    assert line.endswith("core.A: No (INVALID)")


def test_what_may_come_right_is_sent_again_with_the_same_key(wire):
    wire.answers = ["cut", (503, "3", failure(1, -32009)), "echo"]

    wire.run("core.A()")

    assert len({request["idempotencyKey"] for request in wire.requests}) == 1
    assert len(wire.requests) == 3
    assert wire.waits[0] < 1 < 3 <= wire.waits[1]


def test_what_does_not_come_right_is_an_error_of_the_same_kind(wire):
    wire.answers = ["cut"] * 4

    told = wire.run("local _, e = pcall(core.A) return ToJson({e.word, core.is_error(e), e.code == nil})")

    assert ["TRANSPORT", True, True] == json.loads(told)
    assert len(wire.requests) == 4


def test_a_batch_gives_what_the_function_returns_with_its_values(wire):
    told = wire.run("""
        local a, b, c = core.batch(function() return core.A(1), {core.B(2)}, "plain" end)
        return ToJson({a, b[1], c})
    """)

    assert [[1], [2], "plain"] == json.loads(told)
    assert len(wire.requests) == 1


def test_each_call_of_a_batch_has_its_own_error(wire):
    wire.answers = [(200, None, [failure(2, -32001, code="GONE"), {"id": 1, "result": 5}])]

    told = wire.run("""
        local a, b
        core.batch(function() a, b = core.A(), core.B() end)
        local fine, e = pcall(function() return b:value() end)
        return ToJson({a:value(), fine, e.word, b:error() == e, a:error() == nil})
    """)

    assert [5, False, "GONE", True, True] == json.loads(told)


def test_a_value_of_a_batch_that_is_not_sent_is_refused_and_nothing_is_sent(wire):
    fine = wire.run("return (pcall(core.batch, function() core.A():value() end))")

    assert (False, []) == (fine, wire.requests)


def test_a_large_batch_is_cut(wire):
    last = wire.run("""
        local calls = {}
        core.batch(function() for n = 1, 2500 do calls[n] = core.A(n) end end)
        return calls[2500]:value()[1]
    """)

    assert last == 2500
    assert [call["params"] for request in wire.requests for call in request] == [[n] for n in range(1, 2501)]
    assert all(len(request) <= 1000 for request in wire.requests)


@pytest.mark.parametrize(
    ("shop", "item"), [("shop", "order-1001/line-2/1"), ("", ""), ("x" * 200, "y"), ("a", "b" * 27)]
)
def test_external_ids_are_those_of_the_python_client(wire, shop, item):
    assert str(external_id(shop, item)) == wire.lua.eval("core.external_id")(shop, item)


def test_the_helpers(wire):
    told = wire.run(r"""
        mock("user.id", 5)
        arg = {}
        local list = {"a", "b", "c"}
        return ToJson({
          param("user.id"), param("user.none") == nil, len(list), len("\195\169a"), len({x = 1}), len(nil),
          get({a = {b = {7}}}, "a.b.1"), get({}, "a.b", "else"), get({["a.b"] = 1}, "a.b"),
          first(list), last(list), at(list, 2), at(list, -3), at(list, 9) == nil, first({}) == nil,
          ToJsonArray({}), ToJsonArray(nil), ToJson({}), FromJson("null") == nil,
        })
    """)

    assert [5, True, 3, 2, 1, 0, 7, "else", 1, "a", "c", "b", "a", True, True, "[]", "[]", "{}", True] == (
        json.loads(told)
    )
