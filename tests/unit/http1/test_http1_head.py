"""Heads: what start lines and fields may be, what they say, their limits; each cut at every byte."""

from __future__ import annotations

import pytest
from http1_messages import INCOMPLETE, every_cut, judge, parse, refusal, verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from mesh_core._testing.http1 import ERRORS, Head, Refused
from tests.support.http_messages import request, response

CONTROLS = [byte for byte in range(32) if byte not in b"\t\r\n"] + [127]


# --- request lines ---

def test_a_request() -> None:
    data = request(b"Accept:*/*", b"X-Empty:", b"x-CASE: \t a  b \t ", line=b"GET /a/b?c=d HTTP/1.1")
    head = parse("request", data + b"rest")
    assert every_cut("request", data + b"rest") == (head.start, head.fields, len(data))
    assert head.start == {
        "version": "1.1", "method": b"GET", "method_id": 1, "target": b"/a/b?c=d", "form": "origin", "scheme": b"",
        "target_authority": b"", "path": b"/a/b", "query": b"c=d",
    }  # fmt: skip
    assert head.fields == [(b"Host", b"a"), (b"Accept", b"*/*"), (b"X-Empty", b""), (b"x-CASE", b"a  b")]


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"TRACE", b"PATCH"])
def test_known_methods_are_recognised_in_their_case_only(method: bytes) -> None:
    assert judge("request", request(line=method + b" / HTTP/1.1"))["method_id"] > 0
    for other in (method.lower(), method.title()):
        assert refusal("request", request(line=other + b" / HTTP/1.1")) == "bad_method"


@pytest.mark.parametrize("method", [b"M-SEARCH", b"a", b"!#$%&'*+-.^_`|~09", b"GETS", b"GE"])
def test_any_token_is_a_method(method: bytes) -> None:
    found = judge("request", request(line=method + b" / HTTP/1.1"))
    assert (found["method"], found["method_id"]) == (method, 0)


@pytest.mark.parametrize(("line", "form", "parts"), [
    (b"GET / HTTP/1.1", "origin", (b"", b"", b"/", None)),
    (b"GET /? HTTP/1.1", "origin", (b"", b"", b"/", b"")),
    (b"GET //b/c HTTP/1.1", "origin", (b"", b"", b"//b/c", None)),
    (b"GET /a!$&'()*+,;=-._~%41|{}[]^` HTTP/1.1", "origin", (b"", b"", b"/a!$&'()*+,;=-._~%41|{}[]^`", None)),
    (b"GET /a?b?/:@\\!$&'()*+,;=%41|{}[]^` HTTP/1.1", "origin", (b"", b"", b"/a", b"b?/:@\\!$&'()*+,;=%41|{}[]^`")),
    (b"GET http://b HTTP/1.1", "absolute", (b"http", b"b", b"", None)),
    (b"GET http://b/ HTTP/1.1", "absolute", (b"http", b"b", b"/", None)),
    (b"GET HTTPS://B.c:65535/a//?b HTTP/1.1", "absolute", (b"HTTPS", b"B.c:65535", b"/a//", b"b")),
    (b"GET http://[2001:db8::1]:80?x HTTP/1.1", "absolute", (b"http", b"[2001:db8::1]:80", b"", b"x")),
    (b"OPTIONS * HTTP/1.1", "asterisk", (b"", b"", b"*", None)),
    (b"OPTIONS /a HTTP/1.1", "origin", (b"", b"", b"/a", None)),
    (b"CONNECT b:443 HTTP/1.1", "authority", (b"", b"b:443", b"", None)),
    (b"CONNECT [::1]:1 HTTP/1.0", "authority", (b"", b"[::1]:1", b"", None)),
])  # fmt: skip
def test_target_forms(line: bytes, form: str, parts: tuple[bytes, bytes, bytes, bytes | None]) -> None:
    """`parts`: scheme, authority, path, query."""
    found = judge("request", request(line=line))
    assert found["form"] == form
    assert tuple(found[name] for name in ("scheme", "target_authority", "path", "query")) == parts
    assert found["authority"] == (parts[1] or b"a")


@pytest.mark.parametrize(("line", "error"), [
    (b"GET", "bad_start_line"), (b"GET /", "bad_start_line"), (b"GET  / HTTP/1.1", "bad_start_line"),
    (b"GET /  HTTP/1.1", "bad_start_line"), (b"GET / HTTP/1.1 ", "bad_start_line"),
    (b" GET / HTTP/1.1", "bad_start_line"), (b"GET / a HTTP/1.1", "bad_start_line"), (b"GET\t/\tHTTP/1.1",
     "bad_start_line"), (b" / HTTP/1.1", "bad_method"), (b"G:T / HTTP/1.1", "bad_method"),
    (b"G\xc9T / HTTP/1.1", "bad_method"), (b"G/T / HTTP/1.1", "bad_method"), (b"(GET) / HTTP/1.1", "bad_method"),
    (b"GET  HTTP/1.1", "bad_target"), (b"GET a HTTP/1.1", "bad_target"), (b"GET ?a HTTP/1.1", "bad_target"),
    (b"GET * HTTP/1.1", "bad_target"), (b"OPTIONS ** HTTP/1.1", "bad_target"),
    (b"OPTIONS *?a HTTP/1.1", "bad_target"),
    (b"GET /# HTTP/1.1", "bad_target"), (b"GET /a#b HTTP/1.1", "bad_target"), (b"GET /?a#b HTTP/1.1", "bad_target"),
    (b"GET /a\tb HTTP/1.1", "bad_target"), (b"GET /\xc3\xa9 HTTP/1.1", "bad_target"),
    (b"GET /?\xc3\xa9 HTTP/1.1", "bad_target"), (b"GET /a\\b HTTP/1.1", "bad_target"),
    (b'GET /" HTTP/1.1', "bad_target"), (b"GET /<a> HTTP/1.1", "bad_target"), (b"GET /?<a> HTTP/1.1", "bad_target"),
    (b"GET b:80 HTTP/1.1", "bad_target"), (b"GET ftp://b/ HTTP/1.1", "bad_target"),
    (b"GET http:/b HTTP/1.1", "bad_target"), (b"GET http:// HTTP/1.1", "bad_target"),
    (b"GET file:///etc HTTP/1.1", "bad_target"), (b"GET http:///a HTTP/1.1", "bad_authority"),
    (b"GET https://?a HTTP/1.1", "bad_authority"), (b"GET http://u@b/ HTTP/1.1", "bad_authority"),
    (b"GET http://u:p@b/ HTTP/1.1", "bad_authority"), (b"GET http://b#c HTTP/1.1", "bad_target"),
    (b"GET http://b:0/ HTTP/1.1", "bad_authority"), (b"GET http://b%2ec/ HTTP/1.1", "bad_authority"),
    (b"GET http://b\\c/ HTTP/1.1", "bad_authority"),
    (b"CONNECT b HTTP/1.1", "bad_authority"), (b"CONNECT b: HTTP/1.1", "bad_authority"),
    (b"CONNECT :80 HTTP/1.1", "bad_authority"), (b"CONNECT b:65536 HTTP/1.1", "bad_authority"),
    (b"CONNECT / HTTP/1.1", "bad_authority"), (b"CONNECT http://b:80 HTTP/1.1", "bad_authority"),
    (b"CONNECT b:80/ HTTP/1.1", "bad_authority"), (b"CONNECT * HTTP/1.1", "bad_authority"),
    (b"GET / HTTP/1", "bad_version"), (b"GET / HTTP/1.10", "bad_version"), (b"GET / HTTP/01.1", "bad_version"),
    (b"GET / http/1.1", "bad_version"), (b"GET / HTTP/1,1", "bad_version"), (b"GET / HTTP/x.1", "bad_version"),
    (b"GET / HTTP/1.x", "bad_version"), (b"GET / HTCPCP/1.0", "bad_version"), (b"GET / HTTP /1.1", "bad_start_line"),
    (b"GET / HTTP/1.2", "unsupported_version"), (b"GET / HTTP/0.9", "unsupported_version"),
    (b"GET / HTTP/2.0", "unsupported_version"), (b"PRI * HTTP/2.0", "unsupported_version"),
    (b"HTTP/1.1 200 OK", "bad_method"),
])  # fmt: skip
def test_request_lines_refused(line: bytes, error: str) -> None:
    assert refusal("request", request(line=line)) == error


def test_one_empty_line_may_stand_before_a_request() -> None:
    assert refusal("request", b"\r\n" + request()) is None
    assert parse("request", b"\r\n" + request()).size == 2 + len(request())
    assert refusal("request", b"\r\n\r\n" + request()) == "bad_start_line"
    assert refusal("request", b"\n" + request()) == "bare_lf"
    assert refusal("response", b"\r\n" + response()) == "bad_start_line"


# --- status lines ---

@pytest.mark.parametrize(("line", "version", "status", "reason"), [
    (b"HTTP/1.1 200 OK", "1.1", 200, b"OK"),
    (b"HTTP/1.0 404 Not \t Found ", "1.0", 404, b"Not \t Found "),
    (b"HTTP/1.1 200 ", "1.1", 200, b""),
    (b"HTTP/1.1 200", "1.1", 200, b""),
    (b"HTTP/1.1 299 \xc3\xa9", "1.1", 299, b"\xc3\xa9"),
    (b"HTTP/1.1 999  x", "1.1", 999, b" x"),
])  # fmt: skip
def test_status_lines(line: bytes, version: str, status: int, reason: bytes) -> None:
    found = judge("response", response(line=line))
    assert (found["version"], found["status"], found["reason"]) == (version, status, reason)
    assert refusal("response", response(line=line)) is None


@pytest.mark.parametrize(("line", "error"), [
    (b"HTTP/1.1", "bad_start_line"), (b"HTTP/1.1 ", "bad_start_line"), (b"HTTP/1.1 20", "bad_start_line"),
    (b"HTTP/1.1200 OK", "bad_start_line"), (b"HTTP/1.1\t200 OK", "bad_start_line"), (b"200 OK", "bad_start_line"),
    (b"HTTP/2 200 OK!", "bad_start_line"), (b"GET / HTTP/1.1", "bad_start_line"), (b"ICY 200 OKOK", "bad_start_line"),
    (b" HTTP/1.1 200 OK", "bad_start_line"), (b"HTTP/1.1 20 OK", "bad_status"), (b"HTTP/1.1 099 x", "bad_status"),
    (b"HTTP/1.1  200 OK", "bad_status"), (b"HTTP/1.1 2000 OK", "bad_status"), (b"HTTP/1.1 +20 OK", "bad_status"),
    (b"HTTP/1.1 2x0 OK", "bad_status"), (b"HTTP/1.1 200\tOK", "bad_status"), (b"HTTP/1.1 200OK", "bad_status"),
    (b"HTTP/1.1 -20 OK", "bad_status"), (b"http/1.1 200 OK", "bad_version"), (b"HTTP/1.x 200 OK", "bad_version"),
    (b"HTTP/1.2 200 OK", "unsupported_version"), (b"HTTP/0.9 200 OK", "unsupported_version"),
    (b"HTTP/2.0 200 OK", "unsupported_version"),
])  # fmt: skip
def test_status_lines_refused(line: bytes, error: str) -> None:
    assert refusal("response", response(line=line)) == error


# --- fields: the same rules in requests, responses and trailers ---

def with_line(kind: str, line: bytes, before: tuple[bytes, ...] = (b"A: b",)) -> bytes:
    if kind == "request":
        return request(*before, line, b"Z: z")
    if kind == "response":
        return response(*before, line, b"Z: z")
    return b"".join(text + b"\r\n" for text in (*before, line, b"Z: z", b""))


KINDS = pytest.mark.parametrize("kind", ["request", "response", "trailers"])


@KINDS
@pytest.mark.parametrize(("line", "name", "value"), [
    (b"a:b", b"a", b"b"), (b"a: b", b"a", b"b"), (b"a:\tb\t", b"a", b"b"), (b"a:", b"a", b""), (b"a: \t ", b"a", b""),
    (b"a: b c\td", b"a", b"b c\td"), (b"a::b:", b"a", b":b:"),
    (b"!#$%&'*+-.^_`|~0Aa: x", b"!#$%&'*+-.^_`|~0Aa", b"x"),
    (b"a: \xc3\xa9\xff\x80", b"a", b"\xc3\xa9\xff\x80"), (b'a: "b, c"; (d)', b"a", b'"b, c"; (d)'),
])  # fmt: skip
def test_fields(kind: str, line: bytes, name: bytes, value: bytes) -> None:
    data = with_line(kind, line)
    assert refusal(kind, data) is None
    assert parse(kind, data).fields[-2] == (name, value)


@KINDS
@pytest.mark.parametrize(("line", "error"), [
    (b"a", "bad_field_name"), (b":b", "bad_field_name"), (b": b", "bad_field_name"), (b"a : b", "bad_field_name"),
    (b"a\t: b", "bad_field_name"), (b"a b: c", "bad_field_name"), (b"a\xe9: b", "bad_field_name"),
    (b"(a): b", "bad_field_name"), (b"a/b: c", "bad_field_name"), (b'"a": b', "bad_field_name"),
    (b"a=b", "bad_field_name"), (b"Content-Length : 5", "bad_field_name"), (b"Transfer-Encoding\t: chunked",
     "bad_field_name"), (b"{a}: b", "bad_field_name"), (b"a,b: c", "bad_field_name"), (b"a;b: c", "bad_field_name"),
    (b"Content_Length: 5", "bad_field_name"), (b"transfer_ENCODING: chunked", "bad_field_name"),
    (b"[a]: b", "bad_field_name"), (b"a@b: c", "bad_field_name"), (b"a\\b: c", "bad_field_name"),
    (b" a: b", "folded_field"), (b"\ta: b", "folded_field"), (b" ", "folded_field"), (b"\t", "folded_field"),
    (b" : b", "folded_field"), (b" chunked", "folded_field"),
    (b"a: b\nc: d", "bare_lf"), (b"a: b\n c", "bare_lf"), (b"a\n: b", "bare_lf"), (b"a: b\n", "bare_lf"),
    (b"\na: b", "bare_lf"), (b"a: b\rc: d", "bare_cr"), (b"a: b\r", "bare_cr"), (b"a\r: b", "bare_cr"),
    (b"\ra: b", "bare_cr"), (b"a: b\r\r", "bare_cr"), (b"\r\x00", "bare_cr"),
])  # fmt: skip
def test_fields_refused(kind: str, line: bytes, error: str) -> None:
    assert refusal(kind, with_line(kind, line)) == error
    assert refusal(kind, with_line(kind, line, ())) == error


@KINDS
@pytest.mark.parametrize("control", CONTROLS)
def test_control_characters_are_refused_wherever_they_stand(kind: str, control: int) -> None:
    line = b"name: some value"
    for at in range(len(line) + 1):
        data = with_line(kind, line[:at] + bytes([control]) + line[at:])
        assert verdict(kind, data) == "control_character"
    assert every_cut(kind, with_line(kind, b"name: a" + bytes([control]))) == "control_character"


@pytest.mark.parametrize(("kind", "line"), [("request", b"GET /abc HTTP/1.1"), ("response", b"HTTP/1.1 200 Fine")])
def test_controls_in_start_lines(kind: str, line: bytes) -> None:
    for control in CONTROLS:
        for at in range(len(line) + 1):
            assert verdict(kind, request(line=line[:at] + bytes([control]) + line[at:])) == "control_character"
    for at in range(len(line) + 1):
        assert verdict(kind, request(line=line[:at] + b"\r" + line[at:])) == "bare_cr"
        assert verdict(kind, request(line=line[:at] + b"\n" + line[at:])) == "bare_lf"


def test_what_is_no_http_is_refused_at_its_first_control_character() -> None:
    for data in (b"\x16", b"\x16\x03\x01", b"\x00", b"abc\x00", b"\n", b"GET / HTTP/1.1\r\nA\x01"):
        assert every_cut("request", data) in ("control_character", "bare_lf")


# --- ends and limits ---

@KINDS
def test_nothing_is_complete_before_the_empty_line(kind: str) -> None:
    data = with_line(kind, b"a: b")
    for size in range(len(data)):
        assert verdict(kind, data[:size]) == INCOMPLETE
    assert parse(kind, data + b"x").size == len(data)


def test_no_fields() -> None:
    assert parse("trailers", b"\r\n").fields == []
    assert parse("response", response()).fields == []
    assert parse("request", b"GET / HTTP/1.0\r\n\r\n").fields == []


def test_the_number_of_fields_is_bounded() -> None:
    fields = [b"a: b"] * 4
    assert refusal("response", response(*fields), field_count=4) is None
    assert refusal("response", response(*fields, b"a: b"), field_count=4) == "too_many_fields"
    assert refusal("response", response(b"a: b"), field_count=0) == "too_many_fields"
    assert refusal("response", response(), field_count=0) is None


def test_a_bad_field_beyond_the_limit_is_a_bad_field() -> None:
    assert refusal("response", response(b"a: b", b"a b"), field_count=1) == "bad_field_name"


@KINDS
def test_the_size_of_a_head_is_bounded(kind: str) -> None:
    data = with_line(kind, b"name: value")
    assert refusal(kind, data, head_bytes=len(data)) is None
    assert refusal(kind, data + b"rest", head_bytes=len(data)) is None
    for limit in range(len(data)):
        assert every_cut(kind, data, head_bytes=limit) == "head_too_large"
        assert verdict(kind, data[: max(0, limit - 2)], head_bytes=limit) in (INCOMPLETE, "head_too_large")


@pytest.mark.parametrize(("kind", "line"), [("request", b"GET /abc HTTP/1.1"), ("response", b"HTTP/1.1 200 Fine")])
def test_the_start_line_is_bounded(kind: str, line: bytes) -> None:
    data = request(line=line)
    assert refusal(kind, data, start_line_bytes=len(line)) is None
    for limit in range(len(line)):
        assert every_cut(kind, data, start_line_bytes=limit) == "start_line_too_long"
    # An empty line before it does not count.
    if kind == "request":
        assert refusal(kind, b"\r\n" + data, start_line_bytes=len(line)) is None
        assert every_cut(kind, b"\r\n" + data, start_line_bytes=len(line) - 1) == "start_line_too_long"


def test_a_line_without_end_is_refused_when_its_limit_has_come() -> None:
    head = Head("request", start_line_bytes=100, head_bytes=1000)
    assert not head.feed(b"G" * 100)
    with pytest.raises(Refused, match="start_line_too_long"):
        head.feed(b"G")
    head = Head("request", head_bytes=1000)
    assert not head.feed(b"GET / HTTP/1.1\r\na: ")
    assert not head.feed(b"b" * 979)
    with pytest.raises(Refused, match="head_too_large"):
        head.feed(b"b" * 10)


def test_what_has_been_looked_at_is_not_looked_at_again() -> None:
    """`scanned` is where the next call begins; byte by byte it stays at the end of what there is."""
    head = Head("request")
    for at, byte in enumerate(request(b"a: " + b"b" * 500)[:-3]):
        head.feed(bytes([byte]))
        assert head.scanned in (at, at + 1)


def test_every_error_has_words_and_a_status() -> None:
    assert len(ERRORS) == 43
    assert ERRORS[""] == 200
    expected = {"start_line_too_long": 414, "bad_expect": 417, "head_too_large": 431, "too_many_fields": 431,
                "unsupported_version": 505, "output_overflow": 500, "output_field": 500, "output_start_line": 500}
    assert {text: status for text, status in ERRORS.items() if status not in (200, 400)} == expected


# --- anything at all ---

PIECES = [b"GET ", b"/", b" HTTP/1.1", b"HTTP/1.1 200 OK", b"\r\n", b"\r", b"\n", b":", b" ", b"\t", b"a", b"Host: a",
          b"Host", b"Content-Length: 1", b"\0", b"\xff", b"\r\n\r\n", b"*", b"OPTIONS ", b"http://b", b"?",
          b"%"]  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(["request", "response", "trailers"]),
       st.one_of(st.lists(st.sampled_from(PIECES), max_size=14).map(b"".join), st.binary(max_size=40)))  # fmt: skip
def test_cuts_never_matter(kind: str, data: bytes) -> None:
    every_cut(kind, data)
    every_cut(kind, data, head_bytes=20, start_line_bytes=9, field_count=1)


NAMES = st.text("abcXYZ019!#$%&'*+-.^_`|~", min_size=1, max_size=8).map(str.encode)
VALUES = st.binary(max_size=12).map(lambda text: text.translate(None, bytes([*range(32), 127])).strip(b" "))
BLANKS = st.sampled_from([b"", b" ", b"\t", b" \t "])


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(NAMES, VALUES), max_size=8), st.lists(BLANKS, min_size=2))
def test_fields_come_out_as_they_went_in(fields: list[tuple[bytes, bytes]], blanks: list[bytes]) -> None:
    lines = [name + b":" + blanks[at % len(blanks)] + value + blanks[(at + 1) % len(blanks)]
             for at, (name, value) in enumerate(fields)]  # fmt: skip
    data = response(*lines)
    found = every_cut("response", data)
    assert found[1:] == (fields, len(data))
