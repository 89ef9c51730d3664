"""Messages: a msgpack map each, whose key "type" says which. Unknown keys are passed over, so that versions can differ.

Both ends take nothing on trust: types and bounds are checked as a message is decoded.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from mesh_core.channel.frames import ProtocolError, frame
from mesh_core.channel.resources import HASH_BYTES, NAME_LIMIT, ResourceType

PROTOCOL = 1
"""Grows with a change that an older end could not live with."""

Text = Annotated[str, Meta(max_length=1024)]
Name = Annotated[str, Meta(min_length=1, max_length=NAME_LIMIT)]
Hash = Annotated[bytes, Meta(min_length=HASH_BYTES, max_length=HASH_BYTES)]
LabelName = Annotated[str, Meta(max_length=128)]
LabelValue = Annotated[str, Meta(max_length=256)]
Labels = Annotated[dict[LabelName, LabelValue], Meta(max_length=64)]
Names = Annotated[tuple[Name, ...], Meta(max_length=100_000)]
Hashes = Annotated[dict[Name, Hash], Meta(max_length=200_000)]
Version = Annotated[int, Meta(ge=0)]
PortNumber = Annotated[int, Meta(ge=1, le=65535)]


class WorkloadInfo(Struct, frozen=True, kw_only=True):
    """A port of the workload that a proxy serves: an endpoint of its service, for as long as the proxy says so.

    `port` is what the service calls it by; `listen` the address and port at which the proxy takes what is for it, and
    others reach it; `app` where the workload itself listens.
    """

    service: Name
    namespace: Name = "default"
    port: PortNumber
    port_name: Annotated[str, Meta(max_length=64)] = ""
    listen: Name
    app: Name
    protocol: Literal["auto", "http", "tcp"] = "auto"
    version: Annotated[str, Meta(max_length=128)] = ""
    labels: Labels = {}
    weight: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    healthy: bool = True


class DialInfo(Struct, frozen=True, kw_only=True):
    """A host that the workload dials, or `*` for every one.

    With `listen`, an address of the proxy that stands for one port of it: `port`, or the first; 0 is none.
    """

    host: Name
    port: Annotated[int, Meta(ge=0, le=65535)] = 0
    listen: Annotated[str, Meta(max_length=NAME_LIMIT)] = ""


Dials = Annotated[tuple[DialInfo, ...], Meta(max_length=10_000)]

# --- what a proxy says ---


class Hello(Struct, tag="hello", frozen=True, kw_only=True):
    """The first message. `holds`: of each resource that it has already, the hash.

    `locality` is region/zone/sub_zone. `outbound`: the address of the listener that takes requests for every host that
    is dialled, empty for none. `unknown`: what becomes of hosts that are dialled and that nobody knows.
    """

    protocol: int
    node: Name
    namespace: Name = "default"
    labels: Labels = {}
    locality: Annotated[str, Meta(max_length=400)] = ""
    version: Text = ""
    outbound: Annotated[str, Meta(max_length=NAME_LIMIT)] = ""
    unknown: Literal["allow", "refuse"] = "allow"
    dials: Dials = ()
    workloads: Annotated[tuple[WorkloadInfo, ...], Meta(max_length=64)] = ()
    holds: dict[ResourceType, Hashes] = {}


class Subscribe(Struct, tag="subscribe", frozen=True, kw_only=True):
    """Send what belongs to these hosts, too."""

    dials: Dials


class Unsubscribe(Struct, tag="unsubscribe", frozen=True, kw_only=True):
    """These hosts, at whatever port, are not dialled any more."""

    hosts: Names


class Ack(Struct, tag="ack", frozen=True, kw_only=True):
    """The update is in effect in every worker."""

    version: Version


class Nack(Struct, tag="nack", frozen=True, kw_only=True):
    """The update was refused whole: nothing has changed. Every fault, in words."""

    version: Version
    faults: Annotated[tuple[Annotated[str, Meta(max_length=4096)], ...], Meta(max_length=256)]


class Register(Struct, tag="register", frozen=True, kw_only=True):
    """The workloads that it serves now, all of them."""

    workloads: Annotated[tuple[WorkloadInfo, ...], Meta(max_length=64)]


class Leave(Struct, tag="leave", frozen=True, kw_only=True):
    """Its workloads are about to drain: take them out, and say `left` once every proxy knows."""


class Pong(Struct, tag="pong", frozen=True, kw_only=True):
    """The answer to a ping."""


COUNT_MOST = 2**53
Count = Annotated[int, Meta(ge=0, le=COUNT_MOST)]
GROWTHS_MOST = 10_000
RECORDS_MOST = 2_000
RECORD_CHARACTERS = 8_192


class RequestGrowth(Struct, array_like=True, frozen=True):
    """How many requests to a cluster have ended in one way since the last telemetry, and how long they took.

    `durations`: of each bucket that has grown, by its index among the bounds of the histogram (Envoy's, as in
    Prometheus text), by how much.
    """

    cluster: Annotated[str, Meta(max_length=NAME_LIMIT)]
    inbound: bool
    status: Annotated[int, Meta(ge=0, le=999)]
    flags: Count
    requests: Count
    durations: Annotated[dict[Annotated[int, Meta(ge=0, le=255)], Count], Meta(max_length=256)]
    duration_us: Count


class Telemetry(Struct, tag="telemetry", frozen=True, kw_only=True):
    """What has been counted since the last one. `connections`: open downstream connections, now.

    `records`: lines of the access log, as the proxy writes them, some of those since the last one; `dropped`: how many
    there were besides.
    """

    requests: Annotated[tuple[RequestGrowth, ...], Meta(max_length=GROWTHS_MOST)] = ()
    connections: Count = 0
    records: Annotated[
        tuple[Annotated[str, Meta(max_length=RECORD_CHARACTERS)], ...], Meta(max_length=RECORDS_MOST)
    ] = ()
    dropped: Count = 0


# --- what the control plane says ---


class Welcome(Struct, tag="welcome", frozen=True, kw_only=True):
    """The answer to `hello`. Each end gives the connection up after three heartbeats without a word."""

    protocol: int
    server: Text
    heartbeat_ms: Annotated[int, Meta(ge=10, le=600_000)]


class Update(Struct, tag="update", frozen=True, kw_only=True):
    """Resources that are new or have changed, each with its hash and content, and those that are gone.

    It is taken as a whole or refused as a whole. No other comes before it has been answered.
    """

    version: Version
    upserts: dict[ResourceType, dict[Name, tuple[Hash, Raw]]] = {}
    removals: dict[ResourceType, Names] = {}


class Left(Struct, tag="left", frozen=True, kw_only=True):
    """Every proxy has acknowledged that the workloads are gone; or the time for that is over."""


class Ping(Struct, tag="ping", frozen=True, kw_only=True):
    """Is anybody there?"""


class Refused(Struct, tag="refused", frozen=True, kw_only=True):
    """The connection ends, and why; do not come back before that time."""

    reason: Text
    retry_after_ms: Annotated[int, Meta(ge=0, le=3_600_000)] = 0


FromProxy = Hello | Subscribe | Unsubscribe | Ack | Nack | Register | Leave | Pong | Telemetry
FromControlPlane = Welcome | Update | Left | Ping | Refused


class BrokenUpdateError(ProtocolError):
    """An update that cannot be read behind its version. It can be refused; the stream goes on."""

    def __init__(self, version: int, reason: str) -> None:
        super().__init__(reason)
        self.version = version


_UPDATE = re.compile(
    rb"[\x82-\x84]\xa4type\xa6update\xa7version"
    rb"(?:([\x00-\x7f])|\xcc(.)|\xcd(.{2})|\xce(.{4})|\xcf(.{8}))",
    re.DOTALL,
)
"""How an update begins: its map's size, its type, its version."""

_encoder = msgspec.msgpack.Encoder()
_from_proxy: msgspec.msgpack.Decoder[FromProxy] = msgspec.msgpack.Decoder(FromProxy)
_from_control_plane: msgspec.msgpack.Decoder[FromControlPlane] = msgspec.msgpack.Decoder(FromControlPlane)


def encode(message: FromProxy | FromControlPlane) -> bytes:
    """The frame of a message. Raises ProtocolError when it is too long."""
    return frame(_encoder.encode(message))


def decode_from_proxy(body: bytes) -> FromProxy:
    """A message that a proxy has sent. Raises ProtocolError."""
    try:
        return _from_proxy.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProtocolError(f"no message of a proxy: {error}") from None


def decode_from_control_plane(body: bytes) -> FromControlPlane:
    """A message that a control plane has sent. Raises ProtocolError, of which BrokenUpdateError is one."""
    try:
        return _from_control_plane.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        begun = _UPDATE.match(body)
        if begun is not None:
            version = next(each for each in begun.groups() if each is not None)
            raise BrokenUpdateError(int.from_bytes(version, "big"), f"the update cannot be read: {error}") from None
        raise ProtocolError(f"no message of a control plane: {error}") from None
