"""One proxy that is connected: what it says, and the update that is under way."""

from __future__ import annotations

import asyncio
from typing import Protocol

import structlog

from mesh_core.channel.frames import FrameReader, ProtocolError
from mesh_core.channel.messages import (
    PROTOCOL,
    Ack,
    FromControlPlane,
    FromProxy,
    Hello,
    Leave,
    Left,
    Nack,
    Ping,
    Pong,
    Refused,
    Register,
    Subscribe,
    Telemetry,
    Unsubscribe,
    Welcome,
    WorkloadInfo,
    decode_from_proxy,
    encode,
)
from mesh_core.channel.resources import Key
from mesh_cp.channel.delivery import Delivery
from mesh_cp.channel.frames import UpdateFrames
from mesh_cp.channel.rate import TokenBucket

log = structlog.get_logger("hopmesh")

HELLO_TIMEOUT_S = 10.0
HELLO_LIMIT_BYTES = 4 * 1024 * 1024
HEARTBEATS_MISSED = 3
MESSAGES_EACH_S, MESSAGES_AT_ONCE = 100.0, 1000.0
BYTES_EACH_S, BYTES_AT_ONCE = 4e6, 32e6
UNSENT_LIMIT_BYTES = 1024 * 1024
"""A proxy that leaves so much unread gets no update until it has read."""
DIALS_LIMIT = 10_000
READ_BYTES = 262_144


class Subscribers(Protocol):
    """Who decides what each proxy should have. Everything is called on the loop, and must not wait."""

    def joined(self, session: Session) -> None:
        """It has said hello: call `session.delivery.want_all`, then `session.send_due`."""

    def subscribed(self, session: Session) -> None:
        """`session.dials` has changed."""

    def registered(self, session: Session) -> None:
        """`session.workloads` has changed; it may be empty."""

    async def withdrawn(self, session: Session) -> None:
        """Its workloads leave: return once every proxy that was told of them knows, or the time for that is over."""

    def acked(self, session: Session) -> None:
        """Something has come into effect there, or was refused."""

    def telemetry(self, session: Session, telemetry: Telemetry) -> None:
        """It has counted something."""

    def left(self, session: Session) -> None:
        """It is gone. Nothing can be sent any more."""


class Session:
    """A proxy, from its hello to its end."""

    def __init__(
        self,
        hello: Hello,
        writer: asyncio.StreamWriter,
        reader: FrameReader,
        frames: UpdateFrames,
        subscribers: Subscribers,
    ) -> None:
        self.hello = hello
        self.node = hello.node
        self.dials = hello.dials
        self.workloads: tuple[WorkloadInfo, ...] = hello.workloads
        self.delivery = Delivery(
            {Key(kind, name): each for kind, names in hello.holds.items() for name, each in names.items()}
        )
        self.leaving = False
        """Whether its workloads are leaving; it serves them until everybody knows."""
        self._writer, self._reader = writer, reader
        self._frames, self._subscribers = frames, subscribers
        self._loop = asyncio.get_running_loop()
        self._retry: asyncio.TimerHandle | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._heard_s = self._loop.time()
        self._messages = TokenBucket(MESSAGES_EACH_S, MESSAGES_AT_ONCE, self._heard_s)
        self._bytes = TokenBucket(BYTES_EACH_S, BYTES_AT_ONCE, self._heard_s)

    async def serve(self, stream: asyncio.StreamReader, heartbeat_ms: int, server: str) -> None:
        """Talk until one side ends. Raises ProtocolError, OSError, TimeoutError when the proxy is at fault or gone."""
        self.send(Welcome(protocol=PROTOCOL, server=server, heartbeat_ms=heartbeat_ms))
        beats = self._loop.create_task(self._beat(heartbeat_ms / 1000))
        try:
            self._subscribers.joined(self)
            while data := await stream.read(READ_BYTES):
                self._heard_s = self._loop.time()
                wait_s = self._bytes.take(len(data), self._heard_s)
                for body in self._reader.feed(data):
                    wait_s = max(wait_s, self._messages.take(1, self._heard_s))
                    self._take(decode_from_proxy(body))
                if wait_s:
                    # Not reading is what slows it down. Without a word meanwhile it is given up.
                    await asyncio.wait([beats], timeout=wait_s)
                await self._writer.drain()
            if self._reader.inside:
                raise ProtocolError("the connection ended within a message")
        finally:
            beats.cancel()
            if self._leaving is not None:
                self._leaving.cancel()
            if self._retry is not None:
                self._retry.cancel()
            self._subscribers.left(self)

    def send_due(self) -> None:
        """Send what is due of what it should have, unless an update is under way or it does not read."""
        if self._writer.is_closing() or self._writer.transport.get_write_buffer_size() > UNSENT_LIMIT_BYTES:
            # The next acknowledgement, or the next heartbeat, asks again.
            return
        due = self.delivery.next()
        if due is None:
            return
        try:
            self._writer.write(self._frames.frame(*due))
        except ProtocolError as error:
            log.error("update too large", node=self.node, version=due[0], reason=str(error))
            self._refused(due[0], (str(error),))

    def send(self, message: FromControlPlane) -> None:
        """Send it, unless the connection is ending."""
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    def end(self, reason: str, retry_after_ms: int = 0) -> None:
        """Tell it to go."""
        self.send(Refused(reason=reason, retry_after_ms=retry_after_ms))
        self._writer.close()

    # --- what it says ---

    def _take(self, message: FromProxy) -> None:
        match message:
            case Ack(version=version):
                if not self.delivery.acked(version):
                    raise ProtocolError(f"an ack of version {version}, which is not under way")
                self._subscribers.acked(self)
                self.send_due()
            case Nack(version=version, faults=faults):
                log.error("update refused", node=self.node, version=version, faults=list(faults))
                self._refused(version, faults)
            case Subscribe(dials=dials):
                self.dials = tuple(dict.fromkeys((*self.dials, *dials)))
                if len(self.dials) > DIALS_LIMIT:
                    raise ProtocolError(f"more than {DIALS_LIMIT} dials")
                self._subscribers.subscribed(self)
            case Unsubscribe(hosts=hosts):
                self.dials = tuple(each for each in self.dials if each.host not in hosts)
                self._subscribers.subscribed(self)
            case Register(workloads=workloads):
                self.workloads, self.leaving = workloads, False
                self._subscribers.registered(self)
            case Leave():
                if self._leaving is None:
                    self._leaving = self._loop.create_task(self._leave())
            case Telemetry():
                self._subscribers.telemetry(self, message)
            case Pong():
                pass
            case Hello():
                raise ProtocolError("a second hello")

    def _refused(self, version: int, faults: tuple[str, ...]) -> None:
        wait_s = self.delivery.nacked(version, faults)
        if wait_s is None:
            raise ProtocolError(f"a nack of version {version}, which is not under way")
        self._subscribers.acked(self)
        if self._retry is not None:
            self._retry.cancel()
        self._retry = self._loop.call_later(wait_s, self._try_again)
        # What has nothing to do with it.
        self.send_due()

    def _try_again(self) -> None:
        self.delivery.retry()
        self.send_due()

    async def _leave(self) -> None:
        self.leaving = True
        await self._subscribers.withdrawn(self)
        self.send(Left())

    # --- whether it is there ---

    async def _beat(self, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            if self._loop.time() - self._heard_s > interval_s * HEARTBEATS_MISSED:
                log.warning("proxy is silent", node=self.node)
                self._writer.transport.abort()
                return
            if self._writer.transport.get_write_buffer_size() == 0:
                self.send(Ping())
            self.send_due()
