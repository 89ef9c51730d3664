"""HTTP as the survival scenarios read it: whatever is cut, the same messages; whatever is none, an error."""

import pytest

from benchmarks.survival.payload import LARGEST, body, chunked
from benchmarks.survival.wire import Body, Head, Reader, WireError

COUNTED = b"HTTP/1.1 200 -\r\nX-Request-Id: 7\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 503 -\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n" + chunked(body(3, 500), 3)
NOTHING = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_messages_are_the_same_however_they_are_cut(size):
    reader, data = Reader(), COUNTED + CHUNKED + NOTHING
    events = [event for at in range(0, len(data), size) for event in reader.feed(data[at:at + size])]
    heads = [event for event in events if isinstance(event, Head)]
    assert [event.data for event in events if isinstance(event, Body)] == [b"hello", body(3, 500), b""]
    assert (heads[0].number, heads[0].status, heads[0].closes) == (7, 200, False)
    assert (heads[1].number, heads[1].status, heads[1].closes) == (-1, 503, True)
    assert heads[2].start == b"GET / HTTP/1.1"
    assert reader.between


@pytest.mark.parametrize("data", [
    b"HTTP/1.1 200 -\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
    b"HTTP/1.1 200 -\r\ntransfer-encoding: gzip\r\n\r\n",
    b"HTTP/1.1 200 -\r\ncontent-length: -1\r\n\r\n",
    b"HTTP/1.1 200 -\r\nno field\r\n\r\n",
    b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
    b"HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n1\r\nab\r\n",
    b"a" * 70_000,
])
def test_what_is_no_message_is_an_error(data):
    with pytest.raises(WireError):
        list(Reader().feed(data))


def test_a_body_that_is_not_whole_is_none():
    reader = Reader()
    assert all(isinstance(event, Head) for event in reader.feed(COUNTED[:-1]))
    assert not reader.between


def test_bodies_tell_requests_apart():
    assert body(1, 100) != body(2, 100)
    assert len(body(10**9, LARGEST)) == LARGEST
