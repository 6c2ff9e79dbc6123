"""How a call may be written: the forms, the alias, null, clear, and every wrong value of every member."""

from __future__ import annotations

import itertools
import json
import re
from uuid import UUID

import pytest
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from models import sample
from models.tokens import Scope
from rpc.errors import to_rpc_error
from rpc.registry import METHODS, Lane
from rpc.schemas import Choice, Day, Email, Flag, Id, Instant, Text, Timezone, Whole

AN_ID = "6f9619ff-8b86-d011-b42d-00c04fc964ff"

# The members of each function in the order of the documentation; ours come after.
DOCUMENTED = {
    "core.LookupProgram": ["programKindId"],
    "core.LookupProgramInstance": ["programId"],
    "core.ListCohorts": ["programId"],
    "core.ModifyProgramMembership": ["email", "userId", "programId", "cohortId", "role", "state"],
    "core.ListActivePrograms": [],
    "core.UserTickets": ["userId", "state"],
    "core.ProgramChildList": ["id"],
    "core.ProgramsAfter": ["kind", "after"],
    "core.UpdateUserCohortState": [
        "userId",
        "programId",
        "cohortId",
        "state",
        "comments",
        "stateDetail",
    ],
    "core.ConfirmCohort": ["programId", "cohortName"],
    "core.CreateProgramTicket": ["userId", "email", "programKindId", "externalId", "sku", "baseSku"],
    "core.ListClosingParticipants": ["withinDays", "programKindId", "programId"],
    "core.CancelProgramTicket": ["ticketId", "externalId", "programKindId", "comments"],
    "core.MembershipHistory": ["userId", "programId"],
    "core.UpdateUserProgramDate": ["userId", "programId", "date"],
    "core.CreateUser": [
        "email",
        "groupId",
        "externalId",
        "title",
        "first",
        "last",
        "name",
        "mobile",
        "gender",
        "dob",
    ],
    "core.AddEmailToGroup": ["email", "groupId"],
    "core.AddToGroup": ["userId", "id"],
    "core.RemoveUserGroup": ["userId", "id"],
    "core.AddUserLabel": ["userId", "labelId"],
    "core.RemoveUserLabel": ["userId", "labelId"],
    "core.UserHasGroup": ["id", "handle"],
    "core.UserHasLabel": ["userId", "handle"],
}

every_function = pytest.mark.parametrize("entry", METHODS.values(), ids=METHODS)


def functions_with(test):
    chosen = [entry for entry in METHODS.values() if test(entry)]
    return pytest.mark.parametrize("entry", chosen, ids=[entry.name for entry in chosen])


every_reading_function = functions_with(
    lambda entry: entry.lane is not Lane.WRITE and entry.name.startswith("core.")
)
every_function_with_one_id = functions_with(lambda entry: entry.params.sole_id)
every_function_without_one_id = functions_with(
    lambda entry: not entry.params.sole_id and "id" not in entry.params.wire
)
every_function_that_empties = functions_with(lambda entry: entry.params.emptied)
every_function_that_empties_nothing = functions_with(lambda entry: not entry.params.emptied)


def every_member(*kinds):
    """Each member of each function whose field is of one of these kinds."""
    chosen = [
        (entry, name)
        for entry in METHODS.values()
        for name, field in entry.params.wire.items()
        if isinstance(field, kinds)
    ]
    return pytest.mark.parametrize(
        ("entry", "member"), chosen, ids=[f"{entry.name}-{name}" for entry, name in chosen]
    )


def loaded(entry, params):
    return entry.params.loaded(params)


def fields_refused(entry, params):
    """What is told of the members, as it goes over the wire; {} when nothing is wrong."""
    try:
        entry.params.loaded(params)
    except ValidationError as error:
        told = to_rpc_error(error, "")
        assert told.code == -32602
        return told.data["fields"]
    return {}


def accepted(entry, member, values):
    """Those of the values that the member takes."""
    return [value for value in values if member not in fields_refused(entry, {member: value})]


def in_order(entry):
    """The example by position, null for what it leaves out, trailing ones left out."""
    values = [entry.example.get(name) for name in entry.params.wire]
    while values and values[-1] is None:
        values.pop()
    return values


# The forms


@pytest.mark.parametrize("name", DOCUMENTED)
def test_members_stand_in_the_documented_order(name):
    assert DOCUMENTED[name] == list(METHODS[name].params.wire)[: len(DOCUMENTED[name])]


@functions_with(lambda entry: "clear" not in entry.example)
def test_by_name_by_position_and_as_one_object_are_alike(entry):
    by_name = loaded(entry, entry.example)

    assert by_name == loaded(entry, [entry.example])
    assert by_name == loaded(entry, in_order(entry))


@pytest.mark.sample
@every_reading_function
def test_every_form_has_the_same_answer(client, entry):
    forms = (entry.example, [entry.example], in_order(entry))

    answers = client.batch([(entry.name, params) for params in forms])

    assert [answers[0]] * 3 == answers
    assert answers[0] == client.call(entry.name, **entry.example)


@every_function
def test_an_empty_lua_table_is_an_object_without_members(entry):
    told = fields_refused(entry, [{}])

    assert told == fields_refused(entry, [[]])
    assert told or entry.params.loaded([{}]) == entry.params.loaded([[]])
    assert told or entry.params.loaded([{}]) == entry.params.carefully_loaded([[]])


@pytest.mark.sample
def test_an_empty_lua_table_is_so_in_a_batch_too(client, world, server):
    call = {"jsonrpc": "2.0", "id": 1, "method": "core.ListActivePrograms", "params": [[]]}
    headers = {"Authorization": f"Bearer {world.secrets[Scope.ADMIN]}"}
    [reply] = urllib3.request("POST", server.url, json=[call], headers=headers).json()

    assert client.list_active_programs() == reply["result"]


@every_function
def test_null_is_not_given(entry):
    nulls = dict.fromkeys(name for name in entry.params.wire if name not in entry.example)

    assert loaded(entry, entry.example) == loaded(entry, nulls | entry.example)


@every_function
def test_nulls_by_position_are_not_given(entry):
    nulls = [None] * (len(entry.params.wire) + 2)

    assert fields_refused(entry, {}) == fields_refused(entry, nulls)


@every_function
def test_more_values_than_members_are_refused(entry):
    too_many = [None] * (len(entry.params.wire) + 2) + [1]

    assert list(fields_refused(entry, too_many)) == ["params"]


@every_function
def test_an_unknown_member_is_refused_by_name(entry):
    unknown = {"nothing": 1, "": None, "\ud800": 1, "_schema": 1}

    told = fields_refused(entry, entry.example | unknown)

    assert told == {name: ["There is no such member."] for name in unknown}


@every_function
def test_the_member_that_an_unknown_one_is_spelled_like_is_told(entry):
    for name in entry.params.wire:
        for mistyped in {name.upper(), name[0].upper() + name[1:], re.sub("([A-Z])", r"_\1", name)} - {name}:
            told = fields_refused(entry, {"nothing": 1, mistyped: 1})

            assert told[mistyped] == [f"There is no such member. Did you mean {name}?"]


@pytest.mark.parametrize("mistyped", ["programIdd", "progamId", "program_ids"])
def test_the_nearest_member_is_told_of_the_first_that_is_unknown(mistyped):
    entry = METHODS["core.ListCohorts"]

    told = fields_refused(entry, {mistyped: 1, "oofset": 1})

    assert told[mistyped] == ["There is no such member. Did you mean programId?"]
    assert told["oofset"] == ["There is no such member."]


@every_function
def test_everything_wrong_is_told_at_once(entry):
    wrong = {name: [{}] for name in entry.params.wire} | {"nothing": 1}

    assert fields_refused(entry, wrong).keys() == wrong.keys()


@every_function
def test_required_members_are_asked_for(entry):
    required = {name for name, field in entry.params.wire.items() if field.required}

    told = fields_refused(entry, {})

    assert required <= told.keys()
    assert all(told[name] == ["Missing data for required field."] for name in required)


@pytest.fixture
def post(server, world):
    """Post a body as it is; what comes back is the reply's result, or its error's code and fields."""

    def posted(method, params):
        body = b'{"jsonrpc":"2.0","id":1,"method":"%s"%s}' % (method.encode(), params)
        headers = {"Authorization": f"Bearer {world.secrets[Scope.ADMIN]}"}
        reply = urllib3.request("POST", server.url, body=body, headers=headers).json()
        if "result" in reply:
            return reply["result"]
        return reply["error"]["code"], list(reply["error"]["data"].get("fields", {}))

    return posted


@pytest.mark.sample
@pytest.mark.parametrize(
    "params",
    [b"", b',"params":[]', b',"params":{}', b',"params":[{}]', b',"params":[[]]', b',"params":[null]'],
)
def test_nothing_may_be_written_in_six_ways(client, post, params):
    expected = client.list_active_programs()

    assert expected == post("core.ListActivePrograms", params)
    assert len(expected) > 1


@pytest.mark.sample
@pytest.mark.parametrize(
    "params",
    [
        [sample.COURSES],
        {"id": sample.COURSES},
        [{"id": sample.COURSES.upper()}],
        {"id": sample.COURSES, "kind": None, "after": None},
    ],
)
def test_children_are_listed_in_every_form(client, post, params):
    expected = client.program_child_list(sample.COURSES)

    assert expected == post("core.ProgramChildList", b',"params":' + json.dumps(params).encode())
    assert [kind["name"] for kind in expected] == ["Languages", "Cooking"]


@pytest.mark.sample
@pytest.mark.parametrize("name", ["core.ProgramsAfter", "core.ProgramChildList"])
@pytest.mark.parametrize("as_array", [False, True])
def test_programs_after_a_day_are_listed_under_both_names(client, name, as_array):
    params = {"kind": sample.COOKING, "after": "2026-01-01"}

    [found] = client.batch([(name, [params] if as_array else params)])

    assert [program["id"] for program in found] == [sample.NEXT_SUMMER, sample.SPRING]


# The alias


@every_function_with_one_id
@pytest.mark.parametrize("spell", [str.lower, str.upper])
def test_id_stands_for_the_sole_id(entry, spell):
    name = entry.params.sole_id
    named = entry.example | {name: AN_ID}
    aliased = {key: value for key, value in named.items() if key != name} | {"id": spell(AN_ID)}

    expected = loaded(entry, named)

    assert expected == loaded(entry, aliased)
    assert expected == loaded(entry, aliased | {name: None})
    assert expected == loaded(entry, named | {"id": spell(AN_ID)})
    assert expected == loaded(entry, named | {"id": None})


@every_function_with_one_id
def test_id_and_the_sole_id_are_refused_when_they_differ(entry):
    name = entry.params.sole_id

    told = fields_refused(entry, entry.example | {name: AN_ID, "id": str(UUID(int=1))})

    assert told == {"id": [f"Must be left out, or equal to {name}."]}


@every_function_without_one_id
def test_where_there_is_no_sole_id_there_is_no_id(entry):
    told = fields_refused(entry, entry.example | {"id": AN_ID})

    assert told == {"id": ["There is no such member."]}


# clear


@every_function_that_empties
def test_a_cleared_member_is_emptied(entry):
    for name in entry.params.emptied:
        wire = entry.params.fields[name].data_key
        attribute = entry.params.fields[name].attribute or name
        kept = {key: value for key, value in entry.example.items() if key not in (wire, "clear")}

        values = loaded(entry, kept | {"clear": [wire]})

        assert values == loaded(entry, kept) | {attribute: None}
        assert values == loaded(entry, kept | {"clear": [wire], wire: None})


@every_function_that_empties
@pytest.mark.parametrize("nothing", [None, [], {}])
def test_an_empty_clear_empties_nothing(entry, nothing):
    kept = {key: value for key, value in entry.example.items() if key != "clear"}

    assert loaded(entry, kept) == loaded(entry, kept | {"clear": nothing})


@every_function_that_empties
def test_a_member_that_must_be_there_can_not_be_cleared(entry):
    emptied = {entry.params.fields[name].data_key for name in entry.params.emptied}

    for name in [*(entry.params.wire.keys() - emptied), "nothing", "clear", ""]:
        assert "clear" in fields_refused(entry, {"clear": [name]})


@every_function_that_empties
def test_a_member_that_is_given_as_well_can_not_be_cleared(entry):
    for name in entry.params.emptied:
        wire = entry.params.fields[name].data_key

        told = fields_refused(entry, {wire: [{}], "clear": [wire]})

        assert told["clear"] == [f"{wire} is given as well."]


@every_function_that_empties
@pytest.mark.parametrize("wrong", ["cohortId", True, False, 0, "", [1], [None], [[]], {"cohortId": 1}])
def test_what_is_no_array_of_names_is_refused(entry, wrong):
    assert fields_refused(entry, {"clear": wrong})["clear"] == ["Must be an array of member names."]


@every_function_that_empties_nothing
def test_where_nothing_can_be_emptied_there_is_no_clear(entry):
    told = fields_refused(entry, entry.example | {"clear": ["name"]})

    assert told == {"clear": ["There is no such member."]}


# Wrong values, by kind of field

NOT_TEXT = [7, 7.5, True, False, [], ["text"], {}, {"text": "text"}]
NOT_CLEAN = ["a\x00b", "\x01", "\x0b", "\x1b[0m", "\x7f", "\x80", "\x9f", "\ud800", "a\udfff", "\udc00\ud800"]


@every_member(Id)
def test_an_id_is_a_uuid_with_dashes_in_any_letter_case(entry, member):
    wrong = [
        *NOT_TEXT,
        *NOT_CLEAN,
        "",
        "7",
        AN_ID.replace("-", ""),
        "{" + AN_ID + "}",
        "urn:uuid:" + AN_ID,
        AN_ID + "\n",
        " " + AN_ID,
        AN_ID[:-1],
        AN_ID[:-1] + "g",
        AN_ID[:-1] + "٣",  # a digit, but not one of ours
    ]

    assert accepted(entry, member, wrong) == []
    assert accepted(entry, member, [AN_ID, AN_ID.upper()]) == [AN_ID, AN_ID.upper()]


@every_member(Text)
def test_a_text_is_clean_and_not_too_long(entry, member):
    most = entry.params.wire[member].at_most

    assert accepted(entry, member, [*NOT_TEXT, *NOT_CLEAN, "x" * (most + 1)]) == []


@functions_with(lambda entry: any(type(field) is Text for field in entry.params.wire.values()))
def test_a_text_is_kept_exactly_as_sent(entry):
    for name, field in entry.params.wire.items():
        if type(field) is Text and not field.validators:
            texts = [
                "",
                " a ",
                "\t\r\n",
                "e\u0301é\u200b\ufeff",
                "\U0001f600",
                "%_'\"\\--",
                "é" * field.at_most,
            ]
            kept = [field.deserialize(text) for text in accepted(entry, name, texts)]
            assert kept == texts


@every_member(Email)
def test_an_email_has_one_at_and_no_blank_inside(entry, member):
    wrong = ["", " ", "ada", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\u3000c", "a@" + "b" * 253]
    right = ["a@b", " a@b\t", "\u200ba@b", "Ä@ö", "a@" + "b" * 252]

    assert accepted(entry, member, wrong) == []
    assert right == accepted(entry, member, right)


@every_member(Day)
def test_a_date_is_year_month_day_and_nothing_else(entry, member):
    wrong = [
        *NOT_TEXT,
        20260310,
        "",
        "2026-3-1",
        "20260310",
        "2026-03",
        "2026-02-29",
        "2026-13-01",
        "0000-01-01",
        "10000-01-01",
        "-001-01-01",
        "2026-W10-2",
        "2026-069",
        "2026-03-10T00:00:00Z",
        "2026-03-10\n",
        " 2026-03-10",
        "２０２６-03-10",  # noqa: RUF001  digits of another width
        "today",
    ]
    right = ["2024-02-29", "0001-01-01", "9999-12-31"]

    assert accepted(entry, member, wrong) == []
    assert right == accepted(entry, member, right)


@every_member(Instant)
def test_an_instant_is_utc_with_z(entry, member):
    wrong = [
        *NOT_TEXT,
        "",
        "2099-03-10",
        "2099-03-10T12:00:00",
        "2099-03-10T12:00:00+00:00",
        "2099-03-10 12:00:00Z",
        "2099-03-10T12:00Z",
        "2099-03-10T25:00:00Z",
        "2099-02-30T12:00:00Z",
        "2099-03-10T12:00:00.0000000Z",
        "2099-03-10T12:00:00z",
    ]
    right = ["2099-03-10T12:00:00Z", "2099-03-10T12:00:00.1Z", "2099-03-10T12:00:00.123456Z"]

    if "expires" not in member:  # a token must not have ended yet, but any past will do for the rest
        right.append("0001-01-01T00:00:00Z")
    assert accepted(entry, member, wrong) == []
    assert right == accepted(entry, member, right)


@every_member(Whole)
def test_a_whole_number_is_whole_and_within_its_bounds(entry, member):
    field = entry.params.wire[member]
    beyond = [field.least - 1, field.most + 1, 2**63, 2**64, -(2**63) - 1, 1e300, float(2**70)]
    wrong = ["7", "", True, False, 7.5, [7], {}, [], *beyond]
    right = [field.least, field.most, float(field.least), 7.0]

    assert accepted(entry, member, wrong) == []
    assert right == accepted(entry, member, right)
    assert type(field.deserialize(7.0)) is int


@every_member(Choice)
def test_a_choice_is_one_of_its_words_and_the_refusal_names_them(entry, member):
    words = [str(word) for word in entry.params.wire[member].words]

    assert accepted(entry, member, [*NOT_TEXT, "", "nothing", words[0].upper(), words[0] + " "]) == []
    assert words == accepted(entry, member, words)
    assert all(word in fields_refused(entry, {member: "nothing"})[member][0] for word in words)


@every_member(Flag)
def test_a_flag_is_true_or_false(entry, member):
    assert accepted(entry, member, [0, 1, "true", "false", "", "yes", [], {}, 1.0]) == []
    assert accepted(entry, member, [True, False]) == [True, False]


@every_member(Timezone)
def test_a_time_zone_is_one_of_iana(entry, member):
    wrong = ["", "Berlin", "europe/berlin", "Europe/Berlin ", "+01:00", "../UTC", "localtime"]
    right = ["UTC", "Europe/Berlin", "Pacific/Auckland"]

    assert accepted(entry, member, wrong) == []
    assert right == accepted(entry, member, right)


# The same over the wire, where JSON has more to say than Python


@pytest.mark.parametrize(
    "number", [b"18446744073709551616", b"-9223372036854775809", b"1e400", b"-1e400", b"1e19", b"7.000001"]
)
@pytest.mark.parametrize(
    ("method", "member"),
    [
        ("core.ListClosingParticipants", "withinDays"),
        ("core.ListClosingParticipants", "limit"),
        ("core.ListClosingParticipants", "offset"),
        ("core.ConfirmCohort", "cohortName"),
        ("core.LookupProgram", "programKindId"),
        ("core.ProgramsAfter", "after"),
        ("core.UserTickets", "state"),
        ("core.CreateUser", "email"),
    ],
)
def test_a_number_that_is_too_big_is_a_wrong_parameter(post, method, member, number):
    code, told = post(method, b',"params":{"%s":%s}' % (member.encode(), number))

    assert code == -32602
    assert member in told


@pytest.mark.parametrize("number", [b"7", b"7.0", b"7e0", b"70e-1", b"0.7E1"])
def test_a_whole_number_may_be_written_as_any_number(post, number):
    assert post("core.ListClosingParticipants", b',"params":[%s]' % number) == []


@pytest.mark.parametrize("text", [rb'"\u0000"', rb'"\ud800"', rb'"\udc00x"', rb'"\u0085"', b'"\x7f"'])
def test_a_text_that_is_not_clean_is_a_wrong_parameter(post, text):
    params = b',"params":["%s",%s]' % (AN_ID.encode(), text)

    assert post("core.ConfirmCohort", params) == (-32602, ["cohortName"])


def test_a_member_that_is_given_twice_counts_once(post):
    params = b',"params":{"programKindId":"7","programKindId":"%s"}' % AN_ID.encode()

    assert post("core.LookupProgram", params) is None


def test_members_that_mean_something_to_python_are_just_unknown(post):
    names = ["self", "context", "args", "params", "cls", "__class__", "name", "handler"]
    params = dict.fromkeys(names, 1)

    code, told = post("core.ListActivePrograms", b',"params":' + json.dumps(params).encode())

    assert (code, sorted(told)) == (-32602, sorted(names))


# Anything at all

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from([AN_ID, "2026-03-10", "a@b", "member", "active", "\ud800"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NAMES = sorted(set(itertools.chain(*(entry.params.wire for entry in METHODS.values()))) | {"clear", "id"})


@settings(max_examples=300, deadline=None)
@given(
    entry=st.sampled_from(list(METHODS.values())),
    params=st.lists(JSON, max_size=6) | st.dictionaries(st.sampled_from(NAMES) | st.text(), JSON),
)
def test_whatever_is_sent_is_either_taken_or_refused_by_member(entry, params):
    told = fields_refused(entry, params)

    assert all(isinstance(text, str) for texts in told.values() for text in texts)
    assert all(told.values())
