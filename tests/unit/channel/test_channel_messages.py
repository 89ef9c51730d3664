"""Frames and messages: cut anywhere they are the same, and what is none is told."""

from __future__ import annotations

import random

import msgspec
import pytest

from mesh_core.channel.frames import FRAME_LIMIT_BYTES, FrameReader, ProtocolError, frame
from mesh_core.channel.messages import (
    Ack,
    BrokenUpdateError,
    DialInfo,
    FromControlPlane,
    FromProxy,
    Hello,
    Nack,
    Ping,
    Register,
    Update,
    Welcome,
    WorkloadInfo,
    decode_from_control_plane,
    decode_from_proxy,
    encode,
)
from mesh_core.channel.resources import content_hash, encode_resource

HASH = bytes(range(16))
SAID_BY_PROXIES: list[FromProxy] = [
    Hello(
        protocol=1,
        node="cart-1",
        dials=(DialInfo(host="a"), DialInfo(host="*", port=3)),
        holds={"cluster": {"a": HASH}},
    ),
    Ack(version=7),
    Nack(version=8, faults=("cluster a: missing",)),
    Register(workloads=(WorkloadInfo(service="cart", listen="10.0.0.7:15006", app="127.0.0.1:80", port=80),)),
]
SAID_BY_CONTROL_PLANES: list[FromControlPlane] = [
    Welcome(protocol=1, server="hopmesh", heartbeat_ms=5000),
    Ping(),
    Update(version=3, removals={"cluster": ("a", "b")}),
]


@pytest.mark.parametrize("message", SAID_BY_PROXIES)
def test_a_message_of_a_proxy_comes_as_it_went(message: FromProxy) -> None:
    (body,) = FrameReader().feed(encode(message))
    assert decode_from_proxy(body) == message


@pytest.mark.parametrize("message", SAID_BY_CONTROL_PLANES)
def test_a_message_of_a_control_plane_comes_as_it_went(message: FromControlPlane) -> None:
    (body,) = FrameReader().feed(encode(message))
    assert decode_from_control_plane(body) == message


def test_an_update_carries_contents_as_they_were_encoded() -> None:
    encoded = encode_resource({"name": "a", "endpoints": ["127.0.0.1:1"]})
    update = Update(version=1, upserts={"cluster": {"a": (encoded.hash, encoded.content)}})
    (body,) = FrameReader().feed(encode(update))
    came = decode_from_control_plane(body)
    assert isinstance(came, Update)
    told, content = came.upserts["cluster"]["a"]
    assert told == content_hash(bytes(content)) == encoded.hash
    assert msgspec.msgpack.decode(content) == {"name": "a", "endpoints": ["127.0.0.1:1"]}


def test_a_stream_is_the_same_wherever_it_is_cut() -> None:
    chosen = random.Random(3)
    bodies = [chosen.randbytes(chosen.choice([0, 1, 3, 4, 5, 300])) for _ in range(200)]
    stream = b"".join(frame(body) for body in bodies)
    for most in (1, 2, 3, 5, 7, 1000):
        reader, found, at = FrameReader(), [], 0
        while at < len(stream):
            step = chosen.randint(1, most)
            found += reader.feed(stream[at : at + step])
            at += step
        assert found == bodies
        assert not reader.inside


def test_a_frame_over_the_limit_is_refused_by_its_length() -> None:
    with pytest.raises(ProtocolError, match="1073741824 bytes"):
        FrameReader().feed((1 << 30).to_bytes(4, "big"))
    with pytest.raises(ProtocolError, match="at most 10 are"):
        FrameReader(10).feed(b"\0\0\0\x0b")
    with pytest.raises(ProtocolError):
        frame(bytes(FRAME_LIMIT_BYTES + 1))
    reader = FrameReader()
    assert reader.feed(FRAME_LIMIT_BYTES.to_bytes(4, "big") + b"a") == []
    assert reader.inside


NO_MESSAGES = {
    "nothing": b"",
    "a list": b"\x90",
    "deep nesting": b"\x91" * 100_000,
    "deep nesting in a field": msgspec.msgpack.encode({"type": "hello", "protocol": 1})[:-1] + b"\x91" * 100_000,
    "of no type": msgspec.msgpack.encode({"version": 1}),
    "of an unknown type": msgspec.msgpack.encode({"type": "dance"}),
    "of a control plane": encode(Ping())[4:],
    "a field of another type": msgspec.msgpack.encode({"type": "ack", "version": "1"}),
    "a field below its bound": msgspec.msgpack.encode({"type": "ack", "version": -1}),
    "a hash that is too short": msgspec.msgpack.encode(
        {"type": "hello", "protocol": 1, "node": "n", "holds": {"cluster": {"a": b"1"}}}
    ),
    "an unknown resource type": msgspec.msgpack.encode(
        {"type": "hello", "protocol": 1, "node": "n", "holds": {"planet": {}}}
    ),
    "something behind it": encode(Ack(version=1))[4:] + b"\0",
    "no UTF-8": b"\x81\xa4type\xa5\xff\xff\xff\xff\xff",
}


@pytest.mark.parametrize("body", NO_MESSAGES.values(), ids=NO_MESSAGES.keys())
def test_what_is_no_message_of_a_proxy(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        decode_from_proxy(body)


def test_keys_of_later_versions_are_passed_over() -> None:
    assert decode_from_proxy(msgspec.msgpack.encode({"type": "ack", "version": 1, "mood": "good"})) == Ack(version=1)


def test_whatever_comes_is_a_message_or_none() -> None:
    """Mutations of real messages: nothing but ProtocolError is ever raised."""
    chosen = random.Random(11)
    seeds = [encode(message)[4:] for message in SAID_BY_PROXIES]
    for _ in range(20_000):
        body = bytearray(chosen.choice(seeds))
        for _ in range(chosen.randint(1, 4)):
            match chosen.randrange(3):
                case 0:
                    body[chosen.randrange(len(body))] = chosen.randrange(256)
                case 1:
                    del body[chosen.randrange(len(body)) :]
                    body += b"\0"
                case _:
                    at = chosen.randrange(len(body))
                    body[at:at] = chosen.randbytes(chosen.randint(1, 9))
        try:
            decode_from_proxy(bytes(body))
        except ProtocolError:
            continue


@pytest.mark.parametrize("version", [0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 32])
def test_an_update_that_cannot_be_read_has_a_version_all_the_same(version: int) -> None:
    whole = encode(Update(version=version, upserts={}, removals={}))[4:]
    assert isinstance(decode_from_control_plane(whole), Update)
    with pytest.raises(BrokenUpdateError) as caught:
        decode_from_control_plane(whole[:-1])
    assert caught.value.version == version
    with pytest.raises(ProtocolError) as other:
        decode_from_control_plane(b"\x81\xa4type\xa6update")
    assert not isinstance(other.value, BrokenUpdateError)
