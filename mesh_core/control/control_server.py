"""What the servers on the control thread have in common: one listening socket, a bound on connections, a regular end.

Such a socket can pass to another process, which then goes on with it: nobody who connects is refused meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass

from mesh_core.config import Address, ConfigError, Fault, parse_address
from mesh_core.control.unix_socket_file import UnixSocketFile, bind_unix_socket

FINISH_TIMEOUT_S = 1.0
"""How long the end waits for answers that are being given."""
LINGER_TIMEOUT_S = 30.0
"""How long a connection that has ended may take to read the rest."""


@dataclass(eq=False)
class ControlSocket:
    """A listening socket of the control thread."""

    configured: str
    """The address as the configuration wrote it."""
    socket: socket.socket
    file: UnixSocketFile

    @property
    def address(self) -> Address:
        """Where it really listens: port 0 resolved."""
        address = parse_address(self.configured)
        if address.family == socket.AF_UNIX:
            return address
        return Address(address.family, address.host, self.socket.getsockname()[1])

    def close(self) -> None:
        """Stop listening, and remove the file of a Unix socket if it is still ours."""
        self.socket.close()
        self.file.remove()


class ControlServer:
    """A server on the control thread; what it says is up to `_serve`."""

    field = ""
    """Where the configuration has its address."""
    connections_limit = 64
    backlog = 100
    """Connections that may wait to be accepted."""
    socket_mode = 0o600
    """The permissions of its file, where it listens on a Unix socket."""

    def __init__(self) -> None:
        self._listening: ControlSocket | None = None
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._answering: set[asyncio.Task[None]] = set()
        self._ending = False

    @property
    def listening(self) -> ControlSocket:
        """What it listens on."""
        assert self._listening is not None
        return self._listening

    @property
    def address(self) -> str:
        """Where it listens, port 0 resolved."""
        return str(self.listening.address)

    def open(self, address_text: str, name: str) -> None:
        """Listen; those who connect wait for `serve`. Raises ConfigError, with the configuration's `name`."""
        try:
            self._listening = _listen(address_text, self.socket_mode)
        except OSError as error:
            message = f"cannot listen on {address_text}: {error.strerror}"
            hint = "choose another address, or stop the process that has it"
            raise ConfigError(name, (Fault(self.field, None, None, message, hint),)) from error

    def take_over(self, listening: ControlSocket) -> None:
        """Instead of `open`: go on with the socket of another process, which keeps its file until `own`."""
        self._listening = ControlSocket(listening.configured, listening.socket, listening.file.of_another())

    def own(self) -> None:
        """The other process has left the socket."""
        self.listening.file.ours = True

    async def serve(self) -> None:
        """Begin to answer."""
        self._server = await asyncio.start_server(self._accept, sock=self.listening.socket, backlog=self.backlog)

    async def leave(self) -> None:
        """Stop accepting: another process goes on with the socket. Who is being answered gets the answer."""
        self._ending = True
        self.listening.file.ours = False
        if self._server is not None:
            self._server.close()
        for task in self._connections - self._answering:
            task.cancel()

    async def close(self) -> None:
        """Stop listening and end every connection, those that are being answered last."""
        self._ending = True
        if self._server is not None:
            self._server.close()
        if self._answering:
            await asyncio.wait(self._answering, timeout=FINISH_TIMEOUT_S)
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._listening is not None:
            self._listening.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= self.connections_limit:
            writer.transport.abort()
            return
        self._connections.add(task)
        try:
            await self._serve(reader, writer)
            writer.close()
            with self._busy():
                async with asyncio.timeout(LINGER_TIMEOUT_S):
                    await writer.wait_closed()
        except asyncio.CancelledError:
            # Only this class cancels, and nobody waits for this task but `close`: asyncio's streams would log a task
            # that ends cancelled.
            pass
        except OSError:
            # A time-out is one too. The stream keeps the error, and would log it, unless somebody asks for it there.
            with contextlib.suppress(OSError, asyncio.CancelledError):
                writer.transport.abort()
                async with asyncio.timeout(LINGER_TIMEOUT_S):
                    await writer.wait_closed()
        finally:
            # Whoever does not read the answer must not hold up the end: neither that of this task nor of the process.
            writer.transport.abort()
            self._connections.discard(task)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection. May raise OSError, TimeoutError among them."""
        raise NotImplementedError

    @contextlib.contextmanager
    def _busy(self) -> Iterator[None]:
        """While this lasts, the connection is in the midst of an answer."""
        task = asyncio.current_task()
        assert task is not None
        self._answering.add(task)
        try:
            yield
        finally:
            self._answering.discard(task)


def _listen(address_text: str, socket_mode: int) -> ControlSocket:
    address = parse_address(address_text)
    if address.family == socket.AF_UNIX:
        bound, file = bind_unix_socket(address, socket_mode)
        try:
            bound.listen()
        except OSError:
            bound.close()
            file.remove()
            raise
        return ControlSocket(address_text, bound, file)
    bound = socket.create_server((address.host, address.port), family=socket.AddressFamily(address.family))
    return ControlSocket(address_text, bound, UnixSocketFile(None))
