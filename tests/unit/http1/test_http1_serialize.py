"""Heads written anew: exactly these bytes, and nothing that could be read as another message."""

from __future__ import annotations

from typing import Any

import pytest
from http1_messages import judge, parse
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.http1 import Head, Refused
from tests.support.http_messages import request, response


def judged(kind: str, data: bytes, method: bytes = b"GET", upgrade_asked: bool = False) -> Head:
    head = parse(kind, data)
    head.judge(method, upgrade_asked)
    return head


def rewrite(data: bytes, *texts: bytes, **given: Any) -> bytes:
    written: bytes = judged("request", data).write(*texts, **given)
    return written


def rewrite_response(data: bytes, *texts: bytes, method: bytes = b"GET", asked: bool = False, **given: Any) -> bytes:
    written: bytes = judged("response", data, method, asked).write(*texts, **given)
    return written


def test_what_needs_no_change_stays_as_it_is() -> None:
    data = request(b"X-b: 1", b"x-A: 2  3", b"X-B: \xff", b"Cookie: a=b", line=b"GET /a?b=c HTTP/1.1")
    assert rewrite(data) == data
    data = response(b"Server: x", b"Set-Cookie: a", b"Set-Cookie: b", b"content-LENGTH: 5")
    assert rewrite_response(data) == data


def test_odd_spaces_are_made_even() -> None:
    data = request(b"a:b", b"c:  d\t", b"e:", b"f: ", b"g: h", b"i:\tj", host=b"Host:\ta ")
    assert rewrite(data) == request(b"a: b", b"c: d", b"e: ", b"f: ", b"g: h", b"i: j")


def test_an_empty_line_before_and_what_follows_are_not_passed_on() -> None:
    assert rewrite(b"\r\n" + request() + b"GET /evil HTTP/1.1\r\n\r\n") == request()


def test_hop_by_hop_fields_are_not_passed_on() -> None:
    data = request(b"a: 1", b"Connection: close, x", b"X: 2", b"b: 3", b"Keep-Alive: 5", b"TE: trailers", b"c:4",
                   b"Upgrade: h2c", b"Proxy-Connection: close", b"d: 5")  # fmt: skip
    assert rewrite(data, connection="") == request(b"a: 1", b"b: 3", b"c: 4", b"d: 5")
    assert rewrite(data) == request(b"a: 1", b"b: 3", b"c: 4", b"d: 5", b"Connection: close")


def test_target_and_host_are_the_callers() -> None:
    data = request(b"x: y", line=b"GET http://b/c HTTP/1.1", host=b"hOsT:a")
    assert rewrite(data, b"/c", b"b") == request(b"x: y", line=b"GET /c HTTP/1.1", host=b"hOsT: b")
    assert rewrite(data) == request(b"x: y", line=b"GET http://b/c HTTP/1.1", host=b"hOsT: b")


def test_a_1_0_request_becomes_1_1() -> None:
    data = request(b"x: y", b"Expect: 100-continue", b"Content-Length: 1", line=b"POST / HTTP/1.0", host=None)
    assert rewrite(data, b"/", b"up:80", connection="") == request(
        b"x: y", b"Content-Length: 1", b"Host: up:80", line=b"POST / HTTP/1.1", host=None)  # fmt: skip
    with pytest.raises(Refused, match="output_start_line"):
        rewrite(data)


@pytest.mark.parametrize(("fields", "written"), [
    ([b"Content-Length: 0005"], [b"Content-Length: 5"]),
    ([b"CONTENT-length:0"], [b"CONTENT-length: 0"]),
    ([b"TRANSFER-encoding:\tChunked"], [b"TRANSFER-encoding: chunked"]),
    ([b"Expect: 100-continue", b"Content-Length: 1", b"x: y"], [b"Expect: 100-continue", b"Content-Length: 1",
    b"x: y"]),
])  # fmt: skip
def test_framing_is_written_in_one_way(fields: list[bytes], written: list[bytes]) -> None:
    assert rewrite(request(*fields)) == request(*written)
    if b"Expect: 100-continue" not in fields:
        assert rewrite_response(response(*fields)) == response(*written)


def test_framing_follows_the_caller() -> None:
    data = response(b"a: b", b"Content-Length: 7", b"c: d")
    assert rewrite_response(data, body="chunked") == response(b"a: b", b"c: d", b"Transfer-Encoding: chunked")
    assert rewrite_response(data, body="until_close") == response(b"a: b", b"c: d", b"Connection: close")
    assert rewrite_response(data, body="none") == response(b"a: b", b"c: d")
    largest = b"Content-Length: 9223372036854775807"
    assert rewrite_response(data, length=2**63 - 1) == response(b"a: b", largest, b"c: d")
    data = response(b"a: b", b"Transfer-Encoding: chunked", b"c: d")
    assert rewrite_response(data, body="length", length=3) == response(b"a: b", b"c: d", b"Content-Length: 3")
    assert rewrite_response(response(b"a: b")) == response(b"a: b", b"Connection: close")
    assert rewrite_response(response(b"a: b"), body="chunked", connection="") == response(
        b"a: b", b"Transfer-Encoding: chunked")  # fmt: skip


def test_responses_without_body_keep_a_stated_length_only_where_it_may_be() -> None:
    data = response(b"Content-Length: 007")
    assert rewrite_response(data, method=b"HEAD") == response(b"Content-Length: 7")
    coded = response(b"Transfer-Encoding: chunked")
    assert rewrite_response(coded, method=b"HEAD") == response()
    line = b"HTTP/1.1 304 Not Modified"
    assert rewrite_response(response(b"Content-Length: 7", line=line)) == response(b"Content-Length: 7", line=line)
    line = b"HTTP/1.1 204 No Content"
    assert rewrite_response(response(b"Content-Length: 0", line=line)) == response(line=line)
    assert rewrite_response(response(b"Content-Length: 0"), method=b"CONNECT", connection="") == response()


def test_an_upgrade_is_passed_on_with_its_connection() -> None:
    fields = (b"Connection: keep-alive, x, Upgrade", b"x: 1", b"UPGRADE: websocket", b"Sec-WebSocket-Key: y")
    left = (b"UPGRADE: websocket", b"Sec-WebSocket-Key: y", b"Connection: Upgrade")
    assert rewrite(request(*fields)) == request(*left)
    assert rewrite(request(*fields), connection="") == request(b"Sec-WebSocket-Key: y")
    line = b"HTTP/1.1 101 Switching Protocols"
    assert rewrite_response(response(*fields, line=line), asked=True) == response(*left, line=line)


def test_status_and_reason_are_the_callers() -> None:
    data = response(b"Content-Length: 0", line=b"HTTP/1.0 200")
    assert rewrite_response(data, connection="keep-alive") == response(
        b"Content-Length: 0", b"Connection: keep-alive", line=b"HTTP/1.1 200 ")  # fmt: skip
    assert rewrite_response(data, b"No", status=503) == response(
        b"Content-Length: 0", b"Connection: close", line=b"HTTP/1.1 503 No")  # fmt: skip


def test_added_fields_come_last() -> None:
    assert rewrite(request(b"a: b"), added=[(b"X", b"1"), (b"y", b""), (b"a", b"c")]) == request(
        b"a: b", b"X: 1", b"y: ", b"a: c")  # fmt: skip
    assert rewrite_response(response(b"Content-Length: 0"), added=[(b"X", b"1")], connection="close") == response(
        b"Content-Length: 0", b"X: 1", b"Connection: close")  # fmt: skip


@pytest.mark.parametrize("name", [b"", b"a b", b"a:", b"a\r\nb", b"\xff", b"Host", b"content-length", b"connection",
                                  b"Transfer-Encoding", b"Upgrade", b"Expect", b"a\0"])  # fmt: skip
def test_names_that_cannot_be_added(name: bytes) -> None:
    for write in (lambda **given: rewrite(request(), **given), lambda **given: rewrite_response(response(), **given)):
        with pytest.raises(Refused, match="output_field"):
            write(added=[(b"fine", b"x"), (name, b"x")])


@pytest.mark.parametrize("value", [b"a\r\nb: c", b"a\nb", b"a\rb", b"\0", b"\x7f", b" a", b"a ", b"\t", b"a\x01b"])
def test_values_that_cannot_be_added(value: bytes) -> None:
    for write in (lambda **given: rewrite(request(), **given), lambda **given: rewrite_response(response(), **given)):
        with pytest.raises(Refused, match="output_field"):
            write(added=[(b"x", value)])


@pytest.mark.parametrize("text", [b"", b"/a b", b"/a\r\nb: c", b"/\0", b"/\xff", b"/a#b", b"/\t", b"a", b"*",
                                  b"ftp://a/", b"a:80"])
def test_targets_that_cannot_be_written(text: bytes) -> None:
    with pytest.raises(Refused, match="output_start_line"):
        rewrite(request(), text, b"a")


@pytest.mark.parametrize("text", [b"", b"a b", b"a\r\nb: c", b"\0", b"a:0", b"u@a", b"a/b", b"a,b"])
def test_authorities_that_cannot_be_written(text: bytes) -> None:
    with pytest.raises(Refused, match="output_start_line"):
        rewrite(request(), b"/", text)


def test_start_lines_of_responses_that_cannot_be_written() -> None:
    for reason in (b"a\r\nb: c", b"\n", b"\0", b"a\rb"):
        with pytest.raises(Refused, match="output_start_line"):
            rewrite_response(response(), reason)
    for status in (0, 99, 1000, 65535):
        with pytest.raises(Refused, match="output_start_line"):
            rewrite_response(response(), status=status)


def test_a_buffer_that_is_too_small() -> None:
    head = judged("request", request(b"a:b", b"c: d", b"Content-Length: 5", b"e: f"))
    whole = head.write(added=[(b"x", b"y")])
    assert head.write(added=[(b"x", b"y")], capacity=len(whole)) == whole
    for capacity in range(len(whole)):
        with pytest.raises(Refused, match="output_overflow"):
            head.write(added=[(b"x", b"y")], capacity=capacity)


def test_trailers() -> None:
    head = judged("trailers", b"a:b\r\nC: d\r\n\r\n")
    assert head.write() == b"a: b\r\nC: d\r\n\r\n"
    assert judged("trailers", b"\r\n").write() == b"\r\n"
    with pytest.raises(Refused, match="output_overflow"):
        head.write(capacity=13)


FIELDS = st.sampled_from([
    b"a: b", b"a:b", b"X: \xff", b"e:", b"Content-Length: 3", b"content-length: 0", b"Transfer-Encoding: chunked",
    b"Connection: close", b"connection: x, keep-alive", b"X: 1", b"Connection: upgrade", b"Upgrade: websocket",
    b"Keep-Alive: 3", b"TE: x", b"Expect: 100-continue", b"Cookie: x", b"Host: b", b"Trailer: a",
])  # fmt: skip
REQUEST_LINES = st.sampled_from([
    b"GET / HTTP/1.1", b"HEAD /a?b HTTP/1.0", b"POST http://c/ HTTP/1.1", b"CONNECT d:1 HTTP/1.1",
    b"OPTIONS * HTTP/1.1",
])  # fmt: skip
STATUSES = [b"100", b"101", b"103", b"200", b"204", b"206", b"304", b"404", b"500"]
STATUS_LINES = st.builds(lambda version, status: b"HTTP/1." + version + b" " + status + b" x",
                         st.sampled_from([b"0", b"1"]), st.sampled_from(STATUSES))  # fmt: skip
SAME = ("body", "length", "is_interim", "upgrade", "expects_continue", "states_length")


@settings(deadline=None, max_examples=600)
@given(REQUEST_LINES, st.lists(FIELDS, max_size=6))
def test_a_request_written_says_the_same(line: bytes, fields: list[bytes]) -> None:
    data = request(*fields, line=line)
    try:
        first = judge("request", data)
    except Refused:
        return
    written = rewrite(data)
    second = judge("request", written)
    assert written == rewrite(written)
    # From other places than the head's own, texts are judged once more, and nothing is copied as it stands.
    assert written == rewrite(data, first["target"], first["authority"])
    for name in (*SAME, "method", "target", "authority"):
        assert first[name] == second[name], name
    framing = {b"host", b"content-length", b"transfer-encoding", b"upgrade"}
    plain = [field for field in first["kept"] if field[0].lower() not in framing]
    assert [field for field in second["kept"] if field[0].lower() not in framing] == plain
    assert second["keep_alive"] is (first["keep_alive"] or first["upgrade"] is not None)


@settings(deadline=None, max_examples=600)
@given(STATUS_LINES, st.lists(FIELDS, max_size=6), st.sampled_from([b"GET", b"HEAD", b"CONNECT"]), st.booleans())
def test_a_response_written_says_the_same(line: bytes, fields: list[bytes], method: bytes, asked: bool) -> None:
    data = response(*fields, line=line)
    try:
        first = judge("response", data, method, asked)
    except Refused:
        return
    written = rewrite_response(data, method=method, asked=asked)
    second = judge("response", written, method, asked)
    assert written == rewrite_response(written, method=method, asked=asked)
    assert written == rewrite_response(data, first["reason"], method=method, asked=asked)
    for name in (*SAME, "status", "reason", "keep_alive"):
        assert first[name] == second[name], name
