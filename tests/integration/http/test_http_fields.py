"""What becomes of header fields, both ways: order, case and values stay; what is for one connection only goes."""

from __future__ import annotations

import pytest

from tests.support.http_mesh import HttpMesh, kept_fields
from tests.support.http_messages import get, ok, post_chunked, request, response

Fields = list[tuple[bytes, bytes]]

ORDINARY = [
    b"X-B: 1", b"x-a: 2", b"X-A: 3", b"ACCEPT: */*", b"X-a: 2", b"Cookie: a=b; c=d", b"cookie: e=f", b"X-Empty:",
    b"X-Bytes: \xe9\xff",
    b'X-Quoted: "a, b"; c=" d "', b"X-Colon: a:b::c", b"X-Tab: a\tb", b"!#$%&'*+-.^_`|~0aZ: token", b"Via: 1.1 before",
    b"Trailer: X-Sum",
    b"Max-Forwards: 1", b"Range: bytes=0-5", b"Transfer-Encodin: x", b"Content_Type: x",
    b"X_Y-Z_: 1",
    b"X-Transfer-Encoding: chunked", b"Content-Length-X: 6", b"Host-X: b",
]  # fmt: skip


def pairs(lines: list[bytes]) -> Fields:
    """Field lines as names and values."""
    return [(name, value.strip(b" \t")) for name, _, value in (line.partition(b":") for line in lines)]


def test_order_case_and_values_of_requests(mesh: HttpMesh) -> None:
    """Everything that is nobody's business in between."""
    assert mesh.exchange(request(*ORDINARY, host=b"hOsT: a")).status == 200
    (found,) = mesh.finish()
    assert kept_fields(found) == [(b"hOsT", b"a"), *pairs(ORDINARY)]


def test_order_case_and_values_of_responses(mesh: HttpMesh) -> None:
    """So too."""
    more = [b"Set-Cookie: a=b", b"SET-cookie: c=d, e", b"Server: x", b"Date: y", b"WWW-Authenticate: z"]
    lines = [*ORDINARY, *more, b"content-LENGTH: 5"]
    mesh.origin.on(b"/", response(*lines, line=b"HTTP/1.1 299 Some  thing \xe9") + b"hello")
    found = mesh.exchange(get(b"/"))
    assert (found.start, found.fields, found.body) == ((b"299", b"Some  thing \xe9"), pairs(lines), b"hello")


def test_white_space_around_values_goes(mesh: HttpMesh) -> None:
    """However much there was."""
    lines = [b"X-A:a", b"X-B: \t b \t ", b"X-C:\t", b"X-D: d e\t"]
    mesh.origin.on(b"/", response(*lines, b"Content-Length: \t0 \t"))
    found = mesh.exchange(request(*lines, host=b"Host:a\t "))
    assert found.fields == [*pairs(lines), (b"Content-Length", b"0")]
    (arrived,) = mesh.finish()
    assert kept_fields(arrived) == [(b"Host", b"a"), *pairs(lines)]


HOP_BY_HOP = [
    b"Connection: keep-alive, X-Named", b"Keep-Alive: timeout=5", b"Proxy-Connection: keep-alive", b"TE: trailers",
    b"X-Named: secret",
    b"connection: x-other ,, X-THIRD,", b"X-Other: secret", b"x-third: secret", b"x-THIRD: secret too",
    b"HTTP2-Settings: x",
    b"X-Absent-Too: kept",
]  # fmt: skip
KEPT = [b"X-Kept: 1", b"X-Name: 2", b"X-Named-Too: 3", b"Named: 4"]


def mixed(lines: list[bytes], others: list[bytes]) -> list[bytes]:
    """Fields of both kinds in turns."""
    found = []
    for index in range(max(len(lines), len(others))):
        found += [*lines[index : index + 1], *others[index : index + 1]]
    return found


def test_hop_by_hop_fields_of_requests_go(mesh: HttpMesh) -> None:
    """Those that always are, and those that Connection names before and behind them."""
    assert mesh.exchange(request(*mixed(HOP_BY_HOP, KEPT))).status == 200
    (found,) = mesh.finish()
    assert [pair for pair in kept_fields(found) if pair[0].lower() != b"connection"] == [
        (b"Host", b"a"), *pairs(KEPT), (b"X-Absent-Too", b"kept"),
    ]  # fmt: skip
    assert found.values(b"Connection") in ([], [b"keep-alive"])


def test_hop_by_hop_fields_of_responses_go(mesh: HttpMesh) -> None:
    """So too."""
    mesh.origin.on(b"/", response(*mixed(HOP_BY_HOP, KEPT), b"Upgrade: h2c", b"Content-Length: 0"))
    found = mesh.exchange(get(b"/"))
    assert found.fields == [*pairs(KEPT), (b"X-Absent-Too", b"kept"), (b"Content-Length", b"0")]


def test_named_fields_that_frame_nothing(mesh: HttpMesh) -> None:
    """Who names what is not there, or himself, or the same twice, gets no error."""
    names = b"Connection: Connection-X, x-gone, X-GONE, keep-alive, Keep-Alive, upgrade"
    assert mesh.exchange(request(names, b"X-Gone: secret", b"X-Kept: 1")).status == 200
    (found,) = mesh.finish()
    assert kept_fields(found) == [(b"Host", b"a"), (b"X-Kept", b"1")]


def test_trailers_both_ways(mesh: HttpMesh) -> None:
    """Those that are allowed arrive, in order and case; extensions of chunks do not."""
    chunks = b'5;a;b="c;\\"d";e=f\r\nhello\r\n0005;x\r\nworld\r\n000;last=1\r\n'
    chunks += b'X-Sum: 1\r\nx-sum:2 \r\nETag: "x"\r\n\r\n'
    trailers = [(b"X-Sum", b"1"), (b"x-sum", b"2"), (b"ETag", b'"x"')]
    mesh.origin.on(b"/", response(b"Transfer-Encoding: chunked") + chunks)
    found = mesh.exchange(post_chunked(chunks))
    assert (found.body, found.trailers) == (b"helloworld", trailers)
    (arrived,) = mesh.finish()
    assert (arrived.body, arrived.trailers) == (b"helloworld", trailers)
    assert b";" not in arrived.raw.partition(b"\r\n\r\n")[2]
    assert b";" not in found.raw.partition(b"\r\n\r\n")[2]


@pytest.mark.parametrize("coding", [b"chunked", b"Chunked", b"CHUNKED"])
def test_framing_is_written_anew(mesh: HttpMesh, coding: bytes) -> None:
    """One spelling leaves, at the place where another came."""
    answer = response(b"X: 1", b"transfer-ENCODING: " + coding, b"Y: 2") + b"000A\r\n0123456789\r\n0\r\n\r\n"
    mesh.origin.on(b"/", answer)
    fields = (b"X: 1", b"content-LENGTH: 00000000000000000000005", b"Y: 2")
    found = mesh.exchange(request(*fields, line=b"POST / HTTP/1.1") + b"hello")
    assert found.fields == [(b"X", b"1"), (b"transfer-ENCODING", b"chunked"), (b"Y", b"2")]
    assert found.raw.endswith(b"\r\n\r\na\r\n0123456789\r\n0\r\n\r\n")
    (arrived,) = mesh.finish()
    assert kept_fields(arrived) == [(b"Host", b"a"), (b"X", b"1"), (b"content-LENGTH", b"5"), (b"Y", b"2")]


def test_what_a_client_says_of_itself_cannot_be_forged_by_spelling(mesh: HttpMesh) -> None:
    """X-Forwarded-For goes on as one list that ends with the client's address."""
    fields = (b"X-Forwarded-For: 1.2.3.4", b"x-forwarded-for: 5.6.7.8")
    assert mesh.exchange(request(*fields)).status == 200
    (found,) = mesh.finish()
    listed = [each.strip() for value in found.values(b"X-Forwarded-For") for each in value.split(b",")]
    assert listed == [b"1.2.3.4", b"5.6.7.8", b"127.0.0.1"]


def test_many_fields(mesh: HttpMesh) -> None:
    """As many as are allowed."""
    lines = [b"X-%d: %s" % (index, b"v" * (index * 7 % 300)) for index in range(95)]
    mesh.origin.on(b"/", ok(b"", *lines))
    found = mesh.exchange(request(*lines))
    assert found.fields == [(b"Content-Length", b"0"), *pairs(lines)]
    (arrived,) = mesh.finish()
    assert kept_fields(arrived) == [(b"Host", b"a"), *pairs(lines)]
