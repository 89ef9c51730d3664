"""What two processes of a hot restart say to each other. They may be of two versions: `Begin.protocol` comes first."""

from __future__ import annotations

from typing import Literal

import msgspec

PROTOCOL = 1
"""Grows with every change of what follows."""

RESTART_REQUEST = b"restart\n"
"""What `hopmesh restart` sends."""

Order = Literal["stop", "stop at once", "reload", "reopen", "restart"]
"""What a signal would ask for."""


class Begin(msgspec.Struct, tag="begin", frozen=True):
    """Predecessor: the first message. `draining`: how many processes before it may still drain, itself included."""

    protocol: int
    version: str
    pid: int
    draining: int


class Socket(msgspec.Struct, tag="socket", frozen=True):
    """Predecessor: a part of the sockets of one listener, or the socket of a server, as descriptors of this message.

    `use` is "listener", "keeper", or the field that has a server's address. `id` and `key` are the listener's;
    `address` is where it is bound, of a server what the configuration says. `file` is of a Unix socket with a path:
    inode and mode.
    """

    use: str
    id: int = 0
    key: tuple[str, ...] = ()
    address: str = ""
    file: tuple[int, int] | None = None


class End(msgspec.Struct, tag="end", frozen=True):
    """Predecessor: that was every socket."""


class Ready(msgspec.Struct, tag="ready", frozen=True):
    """Successor: all that can fail is done."""


class Failed(msgspec.Struct, tag="failed", frozen=True):
    """Successor: it cannot take over."""

    reason: str


class Go(msgspec.Struct, tag="go", frozen=True):
    """Predecessor: take over."""


class Serving(msgspec.Struct, tag="serving", frozen=True):
    """Successor: it accepts. `taken_over`: the ids of the listeners that it goes on with, of those passed."""

    taken_over: list[int]


class InCharge(msgspec.Struct, tag="in charge", frozen=True):
    """To the keeper: who is in charge now."""

    pid: int


class Leaving(msgspec.Struct, tag="leaving", frozen=True):
    """To the keeper: the one in charge has done all that it was told and ends."""


class Draining(msgspec.Struct, tag="draining", frozen=True):
    """From a draining predecessor: how many processes still drain, itself included."""

    count: int


class Told(msgspec.Struct, tag="told", frozen=True):
    """From the keeper to the one in charge, or from a successor to its draining predecessor: as by a signal."""

    order: Order


Message = Begin | Socket | End | Ready | Failed | Go | Serving | InCharge | Leaving | Draining | Told

_decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)


def encode(message: Message) -> bytes:
    """One datagram."""
    return msgspec.msgpack.encode(message)


def decode(data: bytes) -> Message:
    """The message in a datagram. Raises msgspec.MsgspecError."""
    return _decoder.decode(data)
