"""A proxy without a data path: it speaks the control channel as a proxy does, and has every update take effect."""

import asyncio
import random
from collections.abc import Callable
from typing import cast

import msgspec

from benchmarks.control_plane.plan import Plan
from mesh_core.channel.frames import FrameReader
from mesh_core.channel.messages import (
    PROTOCOL,
    Ack,
    FromProxy,
    Hello,
    Ping,
    Pong,
    Refused,
    Register,
    Update,
    decode_from_control_plane,
    encode,
)
from mesh_core.channel.resources import ResourceType
from mesh_core.control.channel.control_channel import BACKOFF_FIRST_S, BACKOFF_MOST_S

Seen = Callable[[str, int], None]
"""Takes the address of an endpoint that has come, and its weight."""


class LightProxy(asyncio.Protocol):
    """One proxy, from one connection to the next; ``run`` is its life."""

    def __init__(self, plan: Plan, path: str, seen: Seen):
        """``path``: the control plane's socket. ``seen`` is called for each endpoint whose weight has changed."""
        self.plan, self.workloads = plan, plan.workloads
        self.holds: dict[ResourceType, dict[str, bytes]] = {}
        self.weights: dict[str, int] = {}
        self.updates = 0
        self._path, self._seen = path, seen
        self._transport: asyncio.WriteTransport | None = None
        self._frames = FrameReader()
        self._ended = asyncio.Event()

    async def run(self) -> None:
        """Be connected, for ever, by the waits of a real proxy."""
        failures = 0
        loop = asyncio.get_running_loop()
        while True:
            self._frames, self._ended = FrameReader(), asyncio.Event()
            try:
                await loop.create_unix_connection(lambda: self, self._path)
                failures = 0
                await self._ended.wait()
            except OSError:
                pass
            failures += 1
            await asyncio.sleep(random.uniform(0, min(BACKOFF_FIRST_S * 2 ** min(failures - 1, 16), BACKOFF_MOST_S)))

    def send(self, message: FromProxy) -> None:
        """Say something, if anybody is there."""
        if self._transport is not None:
            self._transport.write(encode(message))

    def register(self, step: int, weight: int) -> None:
        """Give one of its workloads another weight."""
        changed = msgspec.structs.replace(self.workloads[step], weight=weight)
        self.workloads = (*self.workloads[:step], changed, *self.workloads[step + 1 :])
        self.send(Register(workloads=self.workloads))

    def forget(self) -> None:
        """Hold nothing, as after a start on a new machine."""
        self.holds = {}

    # --- asyncio.Protocol ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self.send(Hello(
            protocol=PROTOCOL, node=self.plan.node, outbound="127.0.0.1:15001", dials=self.plan.dials,
            workloads=self.workloads, holds=self.holds,
        ))  # fmt: skip

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._ended.set()

    def data_received(self, data: bytes) -> None:
        for body in self._frames.feed(data):
            message = decode_from_control_plane(body)
            if isinstance(message, Update):
                self._take(message)
            elif isinstance(message, Ping):
                self.send(Pong())
            elif isinstance(message, Refused) and self._transport is not None:
                self._transport.abort()

    def _take(self, update: Update) -> None:
        for kind, resources in update.upserts.items():
            self.holds.setdefault(kind, {}).update((name, told) for name, (told, _) in resources.items())
        for kind, names in update.removals.items():
            for name in names:
                self.holds.get(kind, {}).pop(name, None)
        self.updates += 1
        self.send(Ack(version=update.version))
        for _, content in update.upserts.get("endpoint", {}).values():
            for endpoint in msgspec.msgpack.decode(content):
                if isinstance(endpoint, dict) and "weight" in endpoint:
                    self._note(endpoint["address"], endpoint["weight"])

    def _note(self, address: str, weight: int) -> None:
        if self.weights.get(address) != weight:
            self.weights[address] = weight
            self._seen(address, weight)

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._transport is not None:
            self._transport.abort()
