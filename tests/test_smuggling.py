"""Where one request ends and the next begins is never in doubt: what two readers could take in two
ways is refused, and nothing behind it is read, so that a proxy in front cannot be made to let something by.
"""

from __future__ import annotations

import json
import re

import pytest

from models import sample
from models.tokens import Scope
from tests.test_http import Wire

BODY = json.dumps(
    {"jsonrpc": "2.0", "id": 7, "method": "core.LookupProgram", "params": [sample.NOBODY]}
).encode()
LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"
CHUNKS = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
BEHIND = b"GET /behind HTTP/1.1\r\nHost: a\r\n\r\n"  # answered by 404 where it is a request of its own


@pytest.fixture
def statuses(server, world):
    """Send a head and a body, with another request right behind: the statuses of all that is answered."""
    wires: list[Wire] = []

    def statuses(*lines: str, body: bytes = BODY, start: str = "POST /rpc HTTP/1.1", host: str = "Host: a"):
        wire = Wire(server.running.port)
        wires.append(wire)
        token = f"Authorization: Bearer {world.secrets[Scope.ADMIN]}"
        head = "\r\n".join([start, *filter(None, [host]), token, *lines, "", ""])
        wire.send(head.encode("latin-1"), body, BEHIND)
        received = b""
        while not (b" 404 " in received or b" 400 " in received):
            piece = wire.socket.recv(65536)
            if not piece:
                break
            received += piece
        return [int(found) for found in re.findall(rb"HTTP/1\.[01] (\d{3}) ", received)]

    yield statuses
    for wire in wires:
        wire.socket.close()


PLAIN = {
    "a length": ([LENGTH], BODY),
    "chunks": ([CHUNKED], CHUNKS),
    "chunks in capitals": (["TRANSFER-ENCODING: CHUNKED"], CHUNKS),
    "a blank behind": ([CHUNKED + " "], CHUNKS),
    "a chunk's extension": ([CHUNKED], CHUNKS.replace(b"\r\n{", b";a=b\r\n{")),
    "a trailer": ([CHUNKED], CHUNKS[:-2] + b"X: y\r\n\r\n"),
    "zeros before the length": ([LENGTH.replace(": ", ": 000")], BODY),
    "who takes the length for one hop's": ([LENGTH, "Connection: content-length"], BODY),
    "another protocol asked for": ([LENGTH, "Connection: upgrade", "Upgrade: websocket"], BODY),
}


@pytest.mark.parametrize(("lines", "body"), PLAIN.values(), ids=PLAIN)
def test_a_request_that_ends_in_one_place_is_answered_and_so_is_the_next(lines, body, statuses):
    assert [200, 404] == statuses(*lines, body=body)


def test_a_body_where_none_is_wanted_is_no_request(statuses):
    assert [200, 404] == statuses(LENGTH, start="GET /health HTTP/1.1")
    assert [200, 404] == statuses(CHUNKED, body=CHUNKS, start="GET /health HTTP/1.1")


@pytest.mark.parametrize("coding", ["gzip, chunked", "deflate,chunked", "x, chunked"])
def test_a_body_that_would_have_to_be_unpacked_is_refused(coding, statuses):
    assert [415, 404] == statuses(f"Transfer-Encoding: {coding}", body=CHUNKS)


AMBIGUOUS = {
    "a length and chunks": [LENGTH, CHUNKED],
    "chunks and a length": [CHUNKED, LENGTH],
    "two lengths": [LENGTH, "Content-Length: 0"],
    "a length twice": [LENGTH, LENGTH],
    "a list of lengths": [f"{LENGTH}, {len(BODY)}"],
    "a plus": [f"Content-Length: +{len(BODY)}"],
    "hexadecimal": [f"Content-Length: {len(BODY):#x}"],
    "an underscore": ["Content-Length: 1_0"],
    "a minus": ["Content-Length: -1"],
    "no number": ["Content-Length:"],
    "a blank in the number": ["Content-Length: 1 0"],
    "a blank before the colon": [LENGTH.replace(":", " :")],
    "a vertical tab": [f"Content-Length:\x0b{len(BODY)}"],
    "a blank of another kind": [f"{LENGTH}\xa0"],
    "more than 64 bits": ["Content-Length: 18446744073709551617"],
}
AMBIGUOUS |= {
    f"coded as {coding!r}": [f"Transfer-Encoding:{coding}"]
    for coding in [
        *(" xchunked", " identity", " chunked, identity", " chunked, chunked", " chunked;q=1", ' "chunked"'),
        *(" \x0bchunked", "\r\n chunked", " chunked\x00", " chun\tked", "", " ,", " gzip"),
    ]
}
AMBIGUOUS |= {
    "coded twice": [CHUNKED, CHUNKED],
    "coded in two ways": ["Transfer-Encoding: identity", CHUNKED],
    "coded, a blank before the colon": ["Transfer-Encoding : chunked"],
    "folded": ["X: a", " b", LENGTH],
    "folded into a coding": ["X: a", " Transfer-Encoding: chunked", LENGTH],
    "a blank before the first": [" X: a", LENGTH],
    "a bare line feed": ["X: a\nY: b", LENGTH],
    "a bare carriage return": ["X: a\rY: b", LENGTH],
    "a NUL": ["X: a\x00b", LENGTH],
    "a line without a colon": ["X", LENGTH],
    "a line without a name": [": a", LENGTH],
    "a name with a blank": ["X Y: a", LENGTH],
    "a name beyond ASCII": ["é: a", LENGTH],
    "two hosts": ["Host: b", LENGTH],
}


@pytest.mark.parametrize("lines", AMBIGUOUS.values(), ids=AMBIGUOUS)
def test_a_head_that_can_be_taken_in_two_ways_is_refused_and_nothing_behind_it_is_read(lines, statuses):
    assert [400] == statuses(*lines, body=CHUNKS if "ransfer" in "".join(lines) else BODY)


@pytest.mark.parametrize(
    "body",
    [
        CHUNKS.replace(b"\r\n{", b"\n{"),
        CHUNKS.replace(b"\r\n{", b" \r\n{"),
        CHUNKS.replace(b"\r\n{", b";a\nb\r\n{"),
        CHUNKS.replace(b"}\r\n", b"}\n"),
        CHUNKS.replace(b"}\r\n", b"}XX"),
        CHUNKS[:-7] + b"\r\n0\n\n",
        CHUNKS[:-2] + b"Content-Length: 5\r\n\r\n",
        CHUNKS[:-2] + b"Transfer-Encoding: chunked\r\n\r\n",
        b"0x" + CHUNKS,
        b"+" + CHUNKS,
        b"-" + CHUNKS,
        b"1" + b"0" * 16 + CHUNKS,
        b"g" + CHUNKS,
        b"\r\n" + CHUNKS,
    ],
)
def test_a_chunk_that_can_be_taken_in_two_ways_is_refused_and_nothing_behind_it_is_read(body, statuses):
    assert [400] == statuses(CHUNKED, body=body)


@pytest.mark.parametrize(
    "version", ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0", "HTTP/1.10", "http/1.1", "HTTP/1"]
)
def test_another_version_of_http_is_refused_in_one_of_ours(version, server):
    wire = Wire(server.running.port)

    answer = wire.send(f"GET /health {version}\r\nHost: a\r\n\r\n".encode()).receive("GET")
    is_closed = wire.is_closed()
    wire.socket.close()

    assert (answer.status, answer.word, is_closed) == (400, "BAD_HTTP", True)


@pytest.mark.parametrize("host", ["", "Host: a b", "Host: a\x01"])
def test_a_request_to_no_host_is_refused_or_names_none(host, statuses):
    assert statuses(LENGTH, host=host) in ([400], [200, 404])


@pytest.mark.parametrize(
    "start", ["POST\t/rpc\tHTTP/1.1", "POST /rpc HTTP/1.1\nX: y", "POST /rpc", "/rpc HTTP/1.1"]
)
def test_a_first_line_that_is_none_is_refused(start, statuses):
    assert [400] == statuses(LENGTH, start=start)
