"""Framing: where bodies end, what becomes of connections, and everything about it that is refused."""

from __future__ import annotations

from typing import Any

import pytest
from http1_messages import judge, parse, refusal

from tests.support.http_messages import request, response

REFUSED_LENGTHS = [b"", b"+5", b"-5", b"-0", b"5 5", b"5, 5", b"5,", b",5", b"5;", b"0x5", b"5a", b"a", b"5.0", b"1e1",
                   b'"5"', b"\xb2", b"5\t5", b"9223372036854775808", b"18446744073709551616", b"18446744073709551621",
                   b"9" * 30, b"1" + b"0" * 40, b"_5", b"5_0", b"0b1", b"\xef\xbc\x95"]  # fmt: skip
REFUSED_CODINGS = [b"", b"identity", b"gzip", b"gzip, chunked", b"chunked, gzip", b"chunked, chunked", b"chunked,",
                   b",chunked", b", chunked", b"xchunked", b"chunkedx", b"chunke", b"chunked;q=1", b'"chunked"',
                   b"chunked chunked", b"chunked\xa0", b"chunked identity", b"identity, chunked", b"c h",
                   b"chunked\tx", b"\xc3\xa7hunked", b"chun ked", b"deflate", b"Chunked, identity",
                   b"chunked ", b"chunked\t", b"chunked \t"]  # fmt: skip


def of_request(*fields: bytes, **given: Any) -> dict[str, Any]:
    return judge("request", request(*fields, **given))


def of_response(*fields: bytes, status: bytes = b"200 OK", version: bytes = b"1.1", **given: Any) -> dict[str, Any]:
    return judge("response", response(*fields, line=b"HTTP/" + version + b" " + status), **given)


# --- lengths, in requests and responses alike ---

@pytest.mark.parametrize("kind", ["request", "response"])
@pytest.mark.parametrize(("text", "length"), [
    (b"0", 0), (b"5", 5), (b"0005", 5), (b"9223372036854775807", 2**63 - 1), (b"0" * 50 + b"1", 1),
])  # fmt: skip
def test_a_length(kind: str, text: bytes, length: int) -> None:
    for name in (b"Content-Length", b"content-length", b"CONTENT-LENGTH"):
        found = judge(kind, (request if kind == "request" else response)(name + b": " + text + b" "))
        assert (found["body"], found["length"], found["keep_alive"]) == ("length", length, True)


@pytest.mark.parametrize("make", [request, response])
@pytest.mark.parametrize("text", REFUSED_LENGTHS)
def test_lengths_refused(make: Any, text: bytes) -> None:
    assert refusal(make.__name__, make(b"Content-Length: " + text)) == "bad_length"


@pytest.mark.parametrize("make", [request, response])
@pytest.mark.parametrize("second", [b"5", b"6", b"", b"05", b"x"])
def test_a_repeated_length_is_refused_even_if_the_same(make: Any, second: bytes) -> None:
    fields = (b"Content-Length: 5", b"a: b", b"content-length: " + second)
    assert refusal(make.__name__, make(*fields)) == "repeated_length"


@pytest.mark.parametrize("make", [request, response])
@pytest.mark.parametrize("text", [b"chunked", b"Chunked", b"CHUNKED", b" \tchunked"])
def test_chunked(make: Any, text: bytes) -> None:
    found = judge(make.__name__, make(b"transfer-Encoding:" + text))
    assert (found["body"], found["length"], found["keep_alive"]) == ("chunked", 0, True)


@pytest.mark.parametrize("make", [request, response])
@pytest.mark.parametrize("text", REFUSED_CODINGS)
def test_codings_refused(make: Any, text: bytes) -> None:
    assert refusal(make.__name__, make(b"Transfer-Encoding: " + text)) == "bad_coding"


@pytest.mark.parametrize("make", [request, response])
def test_lengths_and_codings_that_contradict(make: Any) -> None:
    kind, coding, length = make.__name__, b"Transfer-Encoding: chunked", b"Content-Length: 5"
    assert refusal(kind, make(coding, length)) == "length_and_coding"
    assert refusal(kind, make(length, coding)) == "length_and_coding"
    assert refusal(kind, make(coding, b"Content-Length: 0")) == "length_and_coding"
    assert refusal(kind, make(coding, b"Content-Length: x")) == "length_and_coding"
    assert refusal(kind, make(coding, coding)) == "repeated_coding"
    assert refusal(kind, make(coding, b"transfer-encoding:")) == "repeated_coding"
    assert refusal(kind, make(b"Transfer-Encoding: gzip", coding)) == "repeated_coding"


def test_no_coding_in_1_0() -> None:
    assert refusal("request", request(b"Transfer-Encoding: chunked", line=b"GET / HTTP/1.0")) == "coding_in_1_0"
    assert refusal("response", response(b"Transfer-Encoding: chunked", line=b"HTTP/1.0 200 OK")) == "coding_in_1_0"
    assert refusal("response", response(b"Transfer-Encoding: x", line=b"HTTP/1.0 200 OK")) == "coding_in_1_0"


@pytest.mark.parametrize("name", [b"Content-Lengt", b"XContent-Length", b"Content.Length", b"Content_Lengt",
                                  b"Transfer-Encoding_", b"X_Content_Length",
                                  b"Content-Length-", b"Transfer-Encodin", b"TE2"])  # fmt: skip
def test_names_that_only_look_alike_mean_nothing(name: bytes) -> None:
    assert of_request(name + b": 5")["body"] == "none"
    assert of_request(name + b": 5")["kept"] == [(b"Host", b"a"), (name, b"5")]
    assert of_response(name + b": 5")["body"] == "until_close"


@pytest.mark.parametrize("name", [b"Content_Length", b"Transfer_Encoding", b"transfer_encoding", b"CONTENT_LENGTH"])
@pytest.mark.parametrize("make", [request, response])
def test_names_that_are_framing_to_some_are_refused(make: Any, name: bytes) -> None:
    assert refusal(make.__name__, make(name + b": 5")) == "bad_field_name"
    assert refusal(make.__name__, make(b"Content-Length: 5", name + b": chunked")) == "bad_field_name"


# --- requests ---

def test_a_request_without_length_has_no_body() -> None:
    for method in (b"GET", b"POST", b"PUT", b"X"):
        assert of_request(line=method + b" / HTTP/1.1")["body"] == "none"
    assert of_request(b"Content-Length: 3")["body"] == "length"


def test_connect_has_no_body() -> None:
    line = b"CONNECT b:1 HTTP/1.1"
    assert of_request(line=line)["body"] == "none"
    assert of_request(b"Content-Length: 0", line=line)["body"] == "none"
    assert refusal("request", request(b"Content-Length: 1", line=line)) == "forbidden_body"
    assert refusal("request", request(b"Transfer-Encoding: chunked", line=line)) == "forbidden_body"


# --- Host ---

GOOD_HOSTS = [b"a", b"A.b-c_d~1", b"a:1", b"a:65535", b"127.0.0.1:80", b"[::1]", b"[::ffff:1.2.3.4]:443",
              b"[2001:DB8::1]", b"a.", b"x" * 255]  # fmt: skip
BAD_HOSTS = [b"", b":80", b"a:", b"a:0", b"a:080", b"a:65536", b"a:99999", b"a:123456", b"a:8x", b"a:-1",
             b"a:+1", b"a b",
             b"a\tb", b"a,b", b"a, b", b"a/b", b"a?b", b"a#b", b"a@b", b"u:p@a", b"a\\b", b"a%2eb", b"a%00",
             b"<a>", b"{a}",
             b"a;b", b"a=b", b"a|b", b"\xc3\xa9", b"[::1", b"::1", b"[]", b"[:::]", b"[1.2.3.4]", b"[::1%25eth0]",
             b"[v1.a]", b"[::1]80", b"[::1]:", b"[::1]x", b"[g::]", b"a:80:80", b"[[::1]]", b"x" * 256, b"a]", b'"a"',
             b"http://a", b"*", b"*.a", b"a:1,b", b"[" + b"0" * 60 + b"::1]"]  # fmt: skip


@pytest.mark.parametrize("host", GOOD_HOSTS)
def test_hosts(host: bytes) -> None:
    assert of_request(host=b"hOST: " + host)["authority"] == host
    assert of_request(line=b"GET / HTTP/1.0", host=b"Host: " + host)["authority"] == host
    assert of_request(line=b"GET http://" + host + b"/ HTTP/1.1")["authority"] == host


@pytest.mark.parametrize("host", BAD_HOSTS)
def test_hosts_refused(host: bytes) -> None:
    for line in (b"GET / HTTP/1.1", b"GET / HTTP/1.0", b"GET http://b/ HTTP/1.1", b"CONNECT b:1 HTTP/1.1"):
        assert refusal("request", request(line=line, host=b"Host: " + host)) == "bad_host"


def test_the_number_of_hosts() -> None:
    assert refusal("request", request(host=None)) == "no_host"
    assert refusal("request", request(host=None, line=b"GET http://b/ HTTP/1.1")) == "no_host"
    assert refusal("request", request(b"Host: a")) == "repeated_host"
    assert refusal("request", request(b"a: b", b"host: b")) == "repeated_host"
    assert refusal("request", request(b"Host: a", line=b"GET / HTTP/1.0")) == "repeated_host"
    assert of_request(host=None, line=b"GET / HTTP/1.0")["authority"] == b""
    assert refusal("response", response(b"Host: a b", b"Host: a")) is None


def test_the_targets_authority_goes_before_host() -> None:
    assert of_request(line=b"GET http://b:1/ HTTP/1.1")["authority"] == b"b:1"
    assert of_request(line=b"CONNECT b:1 HTTP/1.1")["authority"] == b"b:1"
    assert of_request(host=None, line=b"GET http://b:1/ HTTP/1.0")["authority"] == b"b:1"


# --- connections ---

@pytest.mark.parametrize(("version", "fields", "keep_alive"), [
    (b"1.1", [], True), (b"1.1", [b"close"], False), (b"1.1", [b"Close"], False), (b"1.1", [b"keep-alive"], True),
    (b"1.1", [b"x, CLOSE"], False), (b"1.1", [b"x", b"close"], False), (b"1.1", [b"close, keep-alive"], False),
    (b"1.1", [b""], True), (b"1.1", [b", ,close ,,"], False), (b"1.1", [b"closed"], True),
    (b"1.0", [], False), (b"1.0", [b"Keep-Alive"], True), (b"1.0", [b"close"], False),
    (b"1.0", [b"keep-alive, close"], False), (b"1.0", [b"x"], False), (b"1.0", [b"x", b"keep-alive"], True),
])  # fmt: skip
def test_keep_alive(version: bytes, fields: list[bytes], keep_alive: bool) -> None:
    lines = [b"Connection: " + field for field in fields]
    assert of_request(*lines, line=b"GET / HTTP/" + version)["keep_alive"] is keep_alive
    assert of_response(*lines, b"Content-Length: 1", version=version)["keep_alive"] is keep_alive
    assert of_response(*lines, version=version)["keep_alive"] is False


def test_hop_by_hop_fields_end_here() -> None:
    fields = [b"Connection: X-One", b"Keep-Alive: timeout=5", b"Proxy-Connection: keep-alive", b"TE: trailers",
              b"Upgrade: h2c", b"HTTP2-Settings: x", b"x-one: 1", b"Trailer: x", b"X-Two: 2", b"X-One: 3",
              b"connection: x-THREE , keep-alive", b"X-Three: 4", b"Proxy-Authorization: x"]  # fmt: skip
    left = [(b"Trailer", b"x"), (b"X-Two", b"2"), (b"Proxy-Authorization", b"x")]
    assert of_request(*fields)["kept"] == [(b"Host", b"a"), *left]
    assert of_response(*fields)["kept"] == left


@pytest.mark.parametrize("make", [request, response])
@pytest.mark.parametrize("text", [b"a b", b"a;b", b'"close"', b"a, b c", b"close\xa0", b"(close)", b"a=b", b"a/b",
                                  b"close keep-alive"])  # fmt: skip
def test_connection_options_are_tokens(make: Any, text: bytes) -> None:
    assert refusal(make.__name__, make(b"Connection: " + text)) == "bad_connection"


@pytest.mark.parametrize("make", [request, response])
def test_the_number_of_connection_options_is_bounded(make: Any) -> None:
    assert refusal(make.__name__, make(b"Connection: " + b", ".join([b"a"] * 32))) is None
    assert refusal(make.__name__, make(b"Connection: " + b", ".join([b"a"] * 33))) == "bad_connection"
    assert refusal(make.__name__, make(*[b"Connection: a"] * 33)) == "bad_connection"


@pytest.mark.parametrize("make", [request, response])
@pytest.mark.parametrize("name", [
    b"Host", b"content-length", b"Transfer-Encoding", b"CONNECTION", b"Expect", b"Authorization", b"Cookie",
    b"Set-Cookie", b"Cache-Control", b"Content-Type", b"Content-Encoding", b"Content-Range", b"Date", b"Location",
    b"X-Forwarded-For", b"X-Forwarded-Proto", b"X-Forwarded-Host", b"X-Real-IP", b"X-Request-Id", b"Forwarded", b"Via",
    b"traceparent", b"If-None-Match", b"Range", b"Max-Forwards", b"WWW-Authenticate", b"Vary", b"Origin",
])  # fmt: skip
def test_fields_for_everybody_cannot_be_removed_by_connection(make: Any, name: bytes) -> None:
    assert refusal(make.__name__, make(b"Connection: x, " + name)) == "forbidden_option"


# --- Upgrade and Expect ---

def test_an_upgrade() -> None:
    fields = (b"Connection: keep-alive, Upgrade", b"Upgrade: websocket, h2c/2 ,x/1.0")
    assert of_request(*fields)["upgrade"] == b"websocket, h2c/2 ,x/1.0"
    assert of_request(*fields, line=b"GET / HTTP/1.0")["upgrade"] is None
    assert of_request(fields[1])["upgrade"] is None
    assert of_request(fields[0])["upgrade"] is None


@pytest.mark.parametrize("text", [b"", b",", b"a b", b"a/", b"/1", b"a/b/c", b"a/b c", b'"a"', b"a, /", b"a;b"])
def test_upgrades_refused(text: bytes) -> None:
    assert refusal("request", request(b"Connection: upgrade", b"Upgrade: " + text)) == "bad_upgrade"
    assert refusal("request", request(b"Upgrade: " + text)) is None


def test_a_repeated_upgrade_is_refused() -> None:
    assert refusal("request", request(b"Upgrade: a", b"upgrade: a", b"Connection: upgrade")) == "bad_upgrade"


def test_expect() -> None:
    fields = (b"Expect: 100-Continue", b"Content-Length: 5")
    assert of_request(*fields)["expects_continue"] is True
    assert of_request(b"expect: 100-continue", b"Transfer-Encoding: chunked")["expects_continue"] is True
    assert of_request(fields[0])["expects_continue"] is False
    assert of_request(fields[0], b"Content-Length: 0")["expects_continue"] is False
    assert of_request(fields[0])["kept"] == [(b"Host", b"a")]
    assert of_request(*fields)["kept"][1] == (b"Expect", b"100-Continue")
    old = of_request(*fields, line=b"POST / HTTP/1.0")
    assert (old["expects_continue"], old["kept"]) == (False, [(b"Host", b"a"), (b"Content-Length", b"5")])


@pytest.mark.parametrize("text", [b"", b"100", b"100-continu", b"200-ok", b"100-continue, x", b"100-continue=1",
                                  b"100-continue;", b'"100-continue"'])  # fmt: skip
def test_other_expectations_are_refused(text: bytes) -> None:
    assert refusal("request", request(b"Expect: " + text, b"Content-Length: 5")) == "bad_expect"


def test_a_repeated_expectation_is_refused() -> None:
    assert refusal("request", request(b"Expect: 100-continue", b"Expect: 100-continue")) == "bad_expect"


# --- responses ---

def test_a_response_without_length_goes_until_the_end() -> None:
    found = of_response(b"Connection: keep-alive")
    assert (found["body"], found["keep_alive"]) == ("until_close", False)


@pytest.mark.parametrize("status", [b"200 OK", b"404 x", b"500 x", b"206 x", b"205 x", b"302 x"])
def test_head_and_304_have_no_body_but_state_a_length(status: bytes) -> None:
    stated = of_response(b"Content-Length: 7", status=status, method=b"HEAD")
    assert (stated["body"], stated["length"], stated["states_length"], stated["keep_alive"]) == ("none", 7, True, True)
    coded = of_response(b"Transfer-Encoding: chunked", status=status, method=b"HEAD")
    assert (coded["body"], coded["states_length"], coded["keep_alive"]) == ("none", False, True)
    assert of_response(status=status, method=b"HEAD")["keep_alive"] is True
    assert of_response(b"Content-Length: 7", status=b"304 x")["body"] == "none"
    assert of_response(status=b"304 x")["keep_alive"] is True


@pytest.mark.parametrize("status", [b"100 Continue", b"102 x", b"103 Early Hints", b"199 x", b"204 No Content"])
@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"POST"])
def test_responses_that_never_have_a_body(status: bytes, method: bytes) -> None:
    found = of_response(status=status, method=method)
    assert (found["body"], found["is_interim"]) == ("none", status[:1] == b"1")
    assert of_response(b"Content-Length: 0", status=status, method=method)["body"] == "none"
    for field in (b"Content-Length: 1", b"Transfer-Encoding: chunked"):
        data = response(field, line=b"HTTP/1.1 " + status)
        assert refusal("response", data, method=method) == "forbidden_body"


def test_a_granted_connect_is_a_tunnel() -> None:
    for status in (b"200 OK", b"204 x", b"299 x"):
        found = of_response(status=status, method=b"CONNECT")
        assert (found["body"], found["keep_alive"]) == ("tunnel", False)
    assert of_response(b"Content-Length: 0", method=b"CONNECT")["body"] == "tunnel"
    for field in (b"Content-Length: 1", b"Transfer-Encoding: chunked"):
        assert refusal("response", response(field), method=b"CONNECT") == "forbidden_body"
    refused = of_response(b"Content-Length: 3", status=b"403 x", method=b"CONNECT")
    assert (refused["body"], refused["length"], refused["keep_alive"]) == ("length", 3, True)
    assert of_response(b"Content-Length: 3", status=b"403 x", method=b"CONNECT")["body"] == "length"
    assert of_response(status=b"302 x", method=b"CONNECT")["body"] == "until_close"


def test_switching_protocols() -> None:
    line = b"HTTP/1.1 101 Switching Protocols"
    fields = (b"Connection: upgrade", b"Upgrade: websocket")
    found = judge("response", response(*fields, line=line), upgrade_asked=True)
    assert (found["body"], found["upgrade"], found["is_interim"], found["keep_alive"]) == (
        "tunnel", b"websocket", False, False)  # fmt: skip
    for data, asked in (
        (response(*fields, line=line), False),
        (response(fields[0], line=line), True),
        (response(fields[1], line=line), True),
        (response(line=line), True),
        (response(*fields, line=b"HTTP/1.0 101 x"), True),
    ):
        assert refusal("response", data, upgrade_asked=asked) == "unexpected_upgrade"
    data = response(*fields, b"Content-Length: 1", line=line)
    assert refusal("response", data, upgrade_asked=True) == "forbidden_body"
    assert judge("response", response(*fields, b"Content-Length: 1"), upgrade_asked=True)["upgrade"] is None


# --- trailers ---

@pytest.mark.parametrize("name", [
    b"Content-Length", b"transfer-encoding", b"Host", b"Connection", b"Keep-Alive", b"TE", b"Trailer", b"Upgrade",
    b"Expect", b"Proxy-Connection", b"Authorization", b"Cookie", b"Set-Cookie", b"Proxy-Authorization",
    b"Proxy-Authenticate", b"WWW-Authenticate", b"Content-Type", b"Content-Encoding", b"Content-Range", b"Range",
    b"If-Match", b"If-None-Match", b"If-Modified-Since", b"If-Unmodified-Since", b"If-Range", b"Cache-Control",
    b"Max-Forwards", b"Pragma", b"Age", b"Date", b"Expires", b"Location", b"Retry-After", b"Vary", b"Warning",
    b"X-Forwarded-For", b"Forwarded", b"Via",
])  # fmt: skip
def test_forbidden_trailers(name: bytes) -> None:
    for spelt in (name, name.lower(), name.upper()):
        assert refusal("trailers", b"x: y\r\n" + spelt + b": 1\r\n\r\n") == "forbidden_trailer"


def test_trailers() -> None:
    data = b"X-Checksum: 1\r\ngrpc-status:0\r\nETag: x\r\n\r\n"
    assert refusal("trailers", data) is None
    assert parse("trailers", data).fields == [(b"X-Checksum", b"1"), (b"grpc-status", b"0"), (b"ETag", b"x")]
