"""Messages with random faults: what the client sees and what the origin saw must fit what the codec makes of them."""

from __future__ import annotations

from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.http_client import Incomplete, in_pieces
from tests.support.http_codec import Expected, read_stream
from tests.support.http_mesh import HttpMesh, failed, kept_fields
from tests.support.http_messages import get, ok, ok_chunked, post, post_chunked, request, response, smuggled
from tests.support.http_oracles import Message
from tests.support.http_origin import Move, Recorded

CHUNKS = b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: y\r\n\r\n"
REQUESTS = [
    get(b"/1", b"X-A: b"), post(b"hello", b"X: y", target=b"/2"), post_chunked(CHUNKS, target=b"/3"),
    post(smuggled(), b"Connection: keep-alive", target=b"/4"),
    request(b"Connection: keep-alive", line=b"GET /5 HTTP/1.0"),
    post_chunked(b"2e\r\n" + smuggled() + b"\r\n0\r\n\r\n", target=b"/6"),
]  # fmt: skip
RESPONSES = [
    ok(b"hello", b"X: y"), ok_chunked(CHUNKS), response(line=b"HTTP/1.1 204 No Content"),
    response(b"X: y") + b"until the end",
    response(b"Link: </a>", line=b"HTTP/1.1 103 Early Hints") + ok(b"hello"),
    response(b"Connection: keep-alive", b"Content-Length: 1", line=b"HTTP/1.0 404 Not Found") + b"x",
    ok(b"hello") + ok(b"evil"),
]  # fmt: skip
PIECES = [
    b"", b" ", b"\t", b"\r", b"\n", b"\r\n", b"\0", b":", b",", b";", b"=", b'"', b"x", b"0", b"1", b"-", b"\xff",
    b"\r\nA: b", b"\r\nContent-Length: 3", b"\r\nTransfer-Encoding: chunked", b"\r\nHost: b",
    b"\r\nConnection: X-A, close", b"chunked", b"\x0b",
    b"HTTP/1.0", b"Content-Length", b"\r\n\r\n", b"5\r\n", b"0\r\n\r\n", b"\r\n b", b"100", b"204", b"GET ",
]  # fmt: skip
EDITS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 2), st.sampled_from(PIECES)), max_size=3)
CUTS = st.lists(st.integers(1, 400), max_size=4)
FUZZ = settings(
    max_examples=150, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def edited(data: bytes, edits: list[tuple[int, int, bytes]]) -> bytes:
    """`data` with some bytes of it replaced."""
    for at, removed, added in edits:
        place = at % (len(data) + 1)
        data = data[:place] + added + data[place + removed :]
    return data


def summary(message: Message | Expected) -> tuple[object, ...]:
    """What must be the same for all who see it, but framing fields, which are written anew."""
    fields = kept_fields(message) if isinstance(message, Message) else message.fields
    kept = [pair for pair in fields if pair[0].lower() not in (b"content-length", b"transfer-encoding", b"connection",
    b"host")]
    return message.start, tuple(kept), message.body, tuple(message.trailers)


def test_requests(mesh: HttpMesh) -> None:
    """Requests in a row, of which some may be bad: the good ones before are answered, and nothing else arrives."""
    all_expected: Counter[object] = Counter()

    @FUZZ
    @given(st.lists(st.sampled_from(REQUESTS), min_size=1, max_size=4), EDITS, CUTS)
    def run(messages: list[bytes], edits: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
        data = edited(b"".join(messages), edits)
        expected = read_stream("request", data)
        seen = len(mesh.origin.requests)
        with mesh.client() as client:
            client.send(*in_pieces(data, (cut for cut in cuts if cut < len(data))))
            for each in expected:
                body = b"%s %s\n%s" % (*each.start, each.body)
                assert client.response(each.start[0]).body == (b"" if each.start[0] == b"HEAD" else body)
            client.peer.end()
            try:
                assert client.response().status >= 400
            except Incomplete as incomplete:
                assert incomplete.raw == b""
            assert client.until_end() == b""
        assert [summary(each) for each in mesh.origin.requests[seen:]] == [summary(each) for each in expected]
        all_expected.update(summary(each) for each in expected)

    run()
    assert Counter(summary(each) for each in mesh.finish()) == all_expected


def carries(connection: Recorded) -> bool:
    """Whether a bad response was asked for on it."""
    return any(each.target == b"/bad" for each in connection.requests)


def test_responses(mesh: HttpMesh) -> None:
    """A response that may be bad: its client gets what the codec makes of it, and the next client its own."""
    victim = mesh.client()

    @FUZZ
    @given(st.sampled_from(RESPONSES), EDITS, CUTS)
    def run(base: bytes, edits: list[tuple[int, int, bytes]], cuts: list[int]) -> None:
        data = edited(base, edits)
        mesh.origin.on(b"/bad", *in_pieces(data, (cut for cut in cuts if cut < len(data))), Move.CLOSE)
        finals = [each for each in read_stream("response", data) if int(each.start[0]) >= 200]
        with mesh.client() as client:
            client.send(get(b"/bad"))
            if finals:
                found = client.response()
                assert summary(found) == summary(finals[0])
            else:
                assert failed(client) is None
        mesh.origin.wait(lambda: all(each.ended for each in mesh.origin.connections if carries(each)), "all was sent")
        mesh.fence()
        assert victim.exchange(get(b"/victim")).body == b"GET /victim\n"

    run()
