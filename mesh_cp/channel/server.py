"""Listens for proxies, and keeps a session for each that is there."""

from __future__ import annotations

import asyncio

import structlog

from mesh_core._version import __version__
from mesh_core.channel.frames import FrameReader, ProtocolError
from mesh_core.channel.messages import PROTOCOL, Hello, Refused, decode_from_proxy, encode
from mesh_core.control.control_server import ControlServer
from mesh_cp.channel.frames import UpdateFrames
from mesh_cp.channel.session import HELLO_LIMIT_BYTES, HELLO_TIMEOUT_S, READ_BYTES, Session, Subscribers

log = structlog.get_logger("hopmesh")

HEARTBEAT_MS = 5_000
REPLACED_RETRY_MS = 5_000
"""In a hot restart the old process is gone by then; two proxies that share a name by mistake do not fight."""


class ChannelServer(ControlServer):
    """The server that proxies connect to."""

    field = "channel.address"
    connections_limit = 20_000
    # All proxies come at once when a control plane has started: none is to be turned away, and wait for longer.
    backlog = 4096

    def __init__(self, subscribers: Subscribers, heartbeat_ms: int = HEARTBEAT_MS, socket_mode: int = 0o600) -> None:
        """`socket_mode`: the permissions of the file, where it listens on a Unix socket."""
        super().__init__()
        self.socket_mode = socket_mode
        self._subscribers, self._heartbeat_ms = subscribers, heartbeat_ms
        self.sessions: dict[str, Session] = {}
        """Of each node that is there, by its name."""
        self.frames = UpdateFrames()
        self.refused = 0
        """Connections that were ended because of what came over them."""

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session: Session | None = None
        try:
            frames = FrameReader(HELLO_LIMIT_BYTES)
            hello = await _hello(reader, frames)
            if hello.protocol != PROTOCOL:
                raise ProtocolError(f"protocol {hello.protocol}; this control plane speaks {PROTOCOL}")
            session = Session(hello, writer, frames, self.frames, self._subscribers)
            self._welcome(session)
            await session.serve(reader, self._heartbeat_ms, f"hopmesh {__version__}")
        except ProtocolError as error:
            self.refused += 1
            log.warning("proxy refused", node=None if session is None else session.node, reason=str(error))
            writer.write(encode(Refused(reason=str(error)[:1024], retry_after_ms=1000)))
        except TimeoutError:
            self.refused += 1
        finally:
            if session is not None and self.sessions.get(session.node) is session:
                del self.sessions[session.node]
                log.info("proxy gone", node=session.node)

    def _welcome(self, session: Session) -> None:
        """Who comes again under a name is the one that counts: the old connection may be dead without knowing."""
        before = self.sessions.get(session.node)
        self.sessions[session.node] = session
        if before is not None:
            before.end("another proxy has come with the same node name", REPLACED_RETRY_MS)
        log.info("proxy here", node=session.node, version=session.hello.version, dials=len(session.dials))


async def _hello(reader: asyncio.StreamReader, frames: FrameReader) -> Hello:
    """The first message, and nothing behind it before it is answered."""
    async with asyncio.timeout(HELLO_TIMEOUT_S):
        while True:
            data = await reader.read(READ_BYTES)
            if not data:
                raise ProtocolError("the connection ended before a hello")
            bodies = frames.feed(data)
            if not bodies:
                continue
            message = decode_from_proxy(bodies[0])
            if not isinstance(message, Hello):
                raise ProtocolError("the first message is no hello")
            if len(bodies) > 1 or frames.inside:
                raise ProtocolError("more than a hello before the welcome")
            return message
