"""What updates carry: resources, each of a type and with a name, known by a hash of its content.

A set of resources is a mapping of keys to what there is of each. Both ends keep one: the control plane what the proxy
should have, the proxy what it has. Equal hashes mean equal content, so that an end which comes back is sent only what
it does not have.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal, NamedTuple, get_args

import msgspec

ResourceType = Literal["cluster", "endpoint", "listener", "route", "secret", "policy"]
"""In the order in which they are of use to one another: make before break."""

RESOURCE_TYPES: tuple[ResourceType, ...] = get_args(ResourceType)

NAME_LIMIT = 512
"""Characters of a resource's name."""

HASH_BYTES = 16


class Key(NamedTuple):
    """What a resource is known by."""

    type: ResourceType
    name: str


class Encoded(NamedTuple):
    """A resource as it travels: made once, whoever gets it."""

    hash: bytes
    content: msgspec.Raw


_encoder = msgspec.msgpack.Encoder(order="deterministic")


def encode_resource(content: Any) -> Encoded:
    """A resource's content (what msgspec can encode: a Struct, dict, list …) as it travels."""
    data = _encoder.encode(content)
    return Encoded(content_hash(data), msgspec.Raw(data))


def content_hash(data: bytes) -> bytes:
    """The hash of an encoded content: BLAKE2b of 16 bytes."""
    return hashlib.blake2b(data, digest_size=HASH_BYTES).digest()
