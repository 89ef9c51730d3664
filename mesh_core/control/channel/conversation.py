"""One connection to a control plane, from the hello to its end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import structlog

from mesh_core.channel.frames import FrameReader, ProtocolError
from mesh_core.channel.messages import (
    PROTOCOL,
    Ack,
    BrokenUpdateError,
    FromControlPlane,
    FromProxy,
    Hello,
    Leave,
    Left,
    Nack,
    Ping,
    Pong,
    Refused,
    Update,
    Welcome,
    decode_from_control_plane,
    encode,
)
from mesh_core.config import ConfigError

log = structlog.get_logger("hopmesh")

WELCOME_TIMEOUT_S = 10.0
HEARTBEATS_MISSED = 3
READ_BYTES = 262_144
FAULTS_MOST = 100
FAULT_CHARACTERS = 2000

Apply = Callable[[Update], Awaitable[None]]
"""Bring an update into effect in every worker, or raise ConfigError and change nothing."""


class RefusedError(Exception):
    """The control plane does not want this proxy now."""

    def __init__(self, reason: str, retry_after_ms: int) -> None:
        super().__init__(reason)
        self.retry_after_ms = retry_after_ms


class Conversation:
    """What is said on one connection. `talk` runs it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, apply: Apply) -> None:
        self._reader, self._writer, self._apply = reader, writer, apply
        self._frames = FrameReader()
        self._left = asyncio.Event()
        self.welcome: Welcome | None = None
        """What the control plane has said of itself; None: nothing yet."""

    async def talk(self, hello: Hello) -> NoReturn:
        """Raises RefusedError, ProtocolError, OSError (TimeoutError among them) when it ends, as it always does."""
        self.send(hello)
        applying: asyncio.Task[None] | None = None
        try:
            while True:
                async with asyncio.timeout(self._patience_s()):
                    data = await self._reader.read(READ_BYTES)
                if not data:
                    raise ConnectionResetError("the control plane has ended the connection")
                for body in self._frames.feed(data):
                    applying = self._hear(body, applying)
                await self._writer.drain()
        finally:
            # An update that has begun is brought to its end all the same: half of one is nothing to leave behind.
            if applying is not None:
                await asyncio.gather(applying, return_exceptions=True)

    def _patience_s(self) -> float:
        if self.welcome is None:
            return WELCOME_TIMEOUT_S
        return self.welcome.heartbeat_ms * HEARTBEATS_MISSED / 1000

    def send(self, message: FromProxy) -> None:
        """Send it, unless the connection is ending."""
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    @property
    def reads(self) -> bool:
        """Whether the other end takes what is sent."""
        return self._writer.transport.get_write_buffer_size() == 0

    async def leave(self) -> None:
        """Say that the workloads leave, and wait until everybody knows; as long as the caller likes."""
        self.send(Leave())
        await self._left.wait()

    # --- what it says ---

    def _hear(self, body: bytes, applying: asyncio.Task[None] | None) -> asyncio.Task[None] | None:
        """Take a message; the update that is under way then."""
        try:
            message = decode_from_control_plane(body)
        except BrokenUpdateError as error:
            self._check_turn(applying)
            log.error("update refused", version=error.version, faults=[str(error)])
            self.send(Nack(version=error.version, faults=(str(error)[:FAULT_CHARACTERS],)))
            return None
        if isinstance(message, Update):
            self._check_turn(applying)
            return asyncio.get_running_loop().create_task(self._answer(message))
        self._take(message)
        return applying

    def _take(self, message: FromControlPlane) -> None:
        match message:
            case Welcome(protocol=protocol):
                if self.welcome is not None:
                    raise ProtocolError("a second welcome")
                if protocol != PROTOCOL:
                    raise ProtocolError(f"protocol {protocol}; this proxy speaks {PROTOCOL}")
                self.welcome = message
            case Refused(reason=reason, retry_after_ms=retry_after_ms):
                raise RefusedError(reason, retry_after_ms)
            case Ping():
                self.send(Pong())
            case Left():
                self._left.set()

    def _check_turn(self, before: asyncio.Task[None] | None) -> None:
        if self.welcome is None:
            raise ProtocolError("an update before the welcome")
        if before is not None and not before.done():
            raise ProtocolError("an update before the last one was answered")

    async def _answer(self, update: Update) -> None:
        try:
            await self._apply(update)
        except ConfigError as error:
            faults = [fault.render(error.name)[:FAULT_CHARACTERS] for fault in error.faults[:FAULTS_MOST]]
            more = len(error.faults) - len(faults) + error.omitted
            if more:
                faults.append(f"{error.name}: {more} more faults are not listed")
            self.send(Nack(version=update.version, faults=tuple(faults)))
        else:
            self.send(Ack(version=update.version))
