"""Whatever our codec accepts, h11 and llhttp must read in the same way, or the reason stands here."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from http1_oracles import Fields, Message, read, read_by_h11, read_by_llhttp
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.http_messages import request, response

Known = list[tuple[str, Callable[[Message], bool]]]

LLHTTP_METHODS = set(
    b"DELETE GET HEAD POST PUT CONNECT OPTIONS TRACE COPY LOCK MKCOL MOVE PROPFIND PROPPATCH SEARCH UNLOCK BIND REBIND "
    b"UNBIND ACL REPORT MKACTIVITY CHECKOUT MERGE M-SEARCH NOTIFY SUBSCRIBE UNSUBSCRIBE PATCH PURGE MKCALENDAR LINK "
    b"UNLINK SOURCE QUERY".split()
)


def value_of(message: Message, name: bytes) -> bytes:
    return next((value for other, value in message.fields if other.lower() == name), b"")


# What an oracle refuses although we do not, by why that is right.
H11_REFUSES: Known = [
    ("h11 takes at most 20 digits of a length, of which we pass on the number anew",
     lambda message: len(value_of(message, b"content-length")) > 20),
]
LLHTTP_REFUSES: Known = [
    ("llhttp knows a list of methods; RFC 9110, section 9.1, lets any token be one",
     lambda message: message.start[1] not in LLHTTP_METHODS),
]


def lower(fields: Fields) -> Fields:
    """h11 lowers the value of Transfer-Encoding."""
    return [(name, value.lower() if name.lower() == b"transfer-encoding" else value) for name, value in fields]


def compare(kind: str, data: bytes, method: bytes = b"GET", asked: bool = False) -> Message | None:
    """Read by all who can; the message that all found, or None when we refuse."""
    ours = read(kind, data, method, asked)
    if ours is None:
        return None
    exact = data[: ours.size].removeprefix(b"\r\n")  # h11 takes no empty line before a request
    theirs = read_by_h11(kind, exact, method, asked)
    if theirs is None:
        assert any(applies(ours) for _, applies in H11_REFUSES)
    else:
        assert theirs.start == ours.start
        assert lower(theirs.fields) == lower(ours.fields)
        assert (theirs.body, theirs.trailers) == (ours.body, ours.trailers)
    if kind == "request" or method == b"GET":
        compare_llhttp(kind, data[: ours.size], ours)
    return ours


def compare_llhttp(kind: str, exact: bytes, ours: Message) -> None:
    theirs = read_by_llhttp(kind, exact)
    if theirs is None:
        assert kind == "request"
        assert any(applies(ours) for _, applies in LLHTTP_REFUSES)
        return
    assert theirs.start == ours.start
    # llhttp leaves white space at the end of a value to its caller.
    assert [(name, value.rstrip(b" \t")) for name, value in theirs.fields] == ours.fields
    assert [(name, value.rstrip(b" \t")) for name, value in theirs.trailers] == ours.trailers
    assert theirs.body == ours.body
    # It takes Proxy-Connection for Connection, which nobody should (RFC 9110, section 7.6.1).
    if ours.keep_alive and all(name.lower() != b"proxy-connection" for name, _ in ours.fields):
        assert theirs.keep_alive


# --- messages as they are, and what single faults make of them ---

REQUESTS = [
    request(),
    request(b"Accept: */*", b"X-A:b", b"x-b: \t c \t", b"Cookie: a=b; c=d", line=b"GET /a/b?c=d|{e}[f] HTTP/1.1"),
    request(b"Content-Length: 5", line=b"POST /a HTTP/1.1") + b"hello",
    request(b"Content-Length: 0005", b"Connection: close", line=b"PUT /a HTTP/1.1") + b"hello",
    request(b"Content-Length: 0", line=b"POST /a HTTP/1.1"),
    request(b"Transfer-Encoding: Chunked", line=b"POST /a HTTP/1.1") + b"5\r\nhello\r\n00A\r\n0123456789\r\n0\r\n\r\n",
    request(b"Transfer-Encoding: chunked", line=b"POST /a HTTP/1.1")
    + b'1;a;b=c;d="e"\r\nx\r\n0;f\r\nSum: 1\r\nb:c \r\n\r\n',
    request(line=b"GET / HTTP/1.0", host=None), request(b"Connection: keep-alive", line=b"GET / HTTP/1.0"),
    request(b"Connection: keep-alive, close", line=b"GET / HTTP/1.0"),
    request(line=b"GET http://b:80/c?d HTTP/1.1"), request(line=b"OPTIONS * HTTP/1.1"),
    request(line=b"CONNECT b:443 HTTP/1.1", host=b"Host: b:443"), request(line=b"M-SEARCH /a HTTP/1.1"),
    request(line=b"UNHEARD-OF /a HTTP/1.1"), request(b"Expect: 100-continue", b"Content-Length: 1") + b"x",
    request(b"Connection: Upgrade, x", b"Upgrade: websocket", b"Sec-WebSocket-Version: 13"),
    request(b"Content-Length: " + b"0" * 30 + b"1") + b"x", request(b"Proxy-Connection: close"), b"\r\n" + request(),
    request(b"X: \xc3\xa9\xff"), request(b"Content-Length:3\t") + b"abc",
    request(b"Transfer-Encoding:\tchunked") + b"0\r\n\r\n",
]  # fmt: skip
RESPONSES = [
    response(b"Content-Length: 5") + b"hello",
    response(b"Transfer-Encoding: chunked") + b"2\r\nab\r\n0\r\nx: y\r\n\r\n",
    response() + b"until the end", response(b"Connection: close", line=b"HTTP/1.0 404 Not Found") + b"x",
    response(b"Connection: keep-alive", b"Content-Length: 1", line=b"HTTP/1.0 200 OK") + b"x",
    response(b"Set-Cookie: a", b"Set-Cookie: b", b"Content-Length: 0"), response(line=b"HTTP/1.1 204 No Content"),
    response(b"Content-Length: 9", b'ETag: "x"', line=b"HTTP/1.1 304 Not Modified"),
    response(line=b"HTTP/1.1 100 Continue"), response(b"Link: </a>", line=b"HTTP/1.1 103 Early Hints"),
    response(b"Content-Length: 0", line=b"HTTP/1.1 200 "), response(b"Content-Length: 0", line=b"HTTP/1.1 200"),
    response(b"Content-Length: 0", line=b"HTTP/1.1 999 \xc3\xa9"),
    response(b"Content-Length: 0", line=b"HTTP/1.1 500 a  b "),
    response(b"Content-Length: 0", line=b"HTTP/1.1 204 x"),
]  # fmt: skip


@pytest.mark.parametrize("data", REQUESTS)
def test_requests(data: bytes) -> None:
    assert compare("request", data + b"GET / HTTP/1.1\r\n") is not None


@pytest.mark.parametrize("data", RESPONSES)
def test_responses(data: bytes) -> None:
    assert compare("response", data) is not None
    for method in (b"HEAD", b"CONNECT", b"POST"):
        compare("response", data, method)


def test_a_granted_upgrade() -> None:
    data = response(b"Connection: Upgrade", b"Upgrade: websocket", line=b"HTTP/1.1 101 Switching Protocols")
    found = read("response", data, asked=True)
    theirs = read_by_h11("response", data, asked=True)
    assert found is not None
    assert theirs is not None
    assert (theirs.start, theirs.fields) == (found.start, found.fields)


FAULTS = [b"", b" ", b"\t", b"\r", b"\n", b"\r\n", b"\0", b":", b",", b";", b"=", b'"', b"x", b"0", b"1", b"-",
          b"\xff", b"\x0b"]


MESSAGES = [("request", data) for data in REQUESTS] + [("response", data) for data in RESPONSES]


@pytest.mark.parametrize(("kind", "data"), MESSAGES)
def test_one_fault_at_every_place(kind: str, data: bytes) -> None:
    for at in range(len(data)):
        for fault in FAULTS:
            compare(kind, data[:at] + fault + data[at:])
            compare(kind, data[:at] + fault + data[at + 1 :])


EDITS = st.lists(st.tuples(st.integers(0, 200), st.integers(0, 2), st.sampled_from([
    *FAULTS, b"\r\nA: b", b"\r\nContent-Length: 3", b"\r\nTransfer-Encoding: chunked", b"\r\nHost: b",
    b"\r\nConnection: a, close",
    b"chunked", b"HTTP/1.0", b"Content-Length", b"\r\n\r\n", b"5\r\n", b"0\r\n\r\n", b"\r\n b", b"100", b"204", b"GET ",
])), min_size=1, max_size=5)  # fmt: skip


def edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    for at, removed, added in edits:
        place = at % (len(data) + 1)
        data = data[:place] + added + data[place + removed :]
    return data


@settings(deadline=None, max_examples=1500)
@given(st.sampled_from(REQUESTS), EDITS)
def test_requests_with_faults(data: bytes, edits: list[tuple[int, int, bytes]]) -> None:
    compare("request", edited(data, edits))


@settings(deadline=None, max_examples=1500)
@given(st.sampled_from(RESPONSES), EDITS, st.sampled_from([b"GET", b"GET", b"HEAD", b"CONNECT"]))
def test_responses_with_faults(data: bytes, edits: list[tuple[int, int, bytes]], method: bytes) -> None:
    compare("response", edited(data, edits), method)


# --- what they take and we do not: each on purpose ---

STRICTER = [
    ("the same length twice", request(b"Content-Length: 1", b"Content-Length: 1") + b"x"),
    ("white space behind a coding", request(b"Transfer-Encoding: chunked\t") + b"0\r\n\r\n"),
    ("a fold", request(b"a: b", b" c")),
    ("an encoded host", request(host=b"Host: a%2eb")),
    ("a fragment", request(line=b"GET /a#b HTTP/1.1")),
    ("a method in other case", request(line=b"get / HTTP/1.1")),
    ("a field for everybody as an option", request(b"Connection: host")),
    ("a tunnel's request with a body", request(b"Content-Length: 1", line=b"CONNECT a:1 HTTP/1.1") + b"x"),
]  # fmt: skip


@pytest.mark.parametrize(("reason", "data"), STRICTER)
def test_stricter_than_another(reason: str, data: bytes) -> None:
    assert read("request", data) is None, reason
    assert read_by_h11("request", data) or read_by_llhttp("request", data), reason
