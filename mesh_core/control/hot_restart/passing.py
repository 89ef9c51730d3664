"""The sockets that pass from one process to the next, as messages and back. Control thread."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mesh_core.config import parse_address
from mesh_core.control.control_server import ControlServer, ControlSocket
from mesh_core.control.hot_restart.link import DESCRIPTORS_LIMIT, Link, RestartError
from mesh_core.control.hot_restart.messages import Begin, End, Socket
from mesh_core.control.listener_sockets import ListenerSocket
from mesh_core.control.unix_socket_file import UnixSocketFile

KEEPER = "keeper"
LISTENER = "listener"


@dataclass(eq=False)
class Passed:
    """What a successor was given. The sockets are its own to close."""

    begin: Begin
    keeper: socket.socket | None = None
    listeners: dict[int, ListenerSocket] = field(default_factory=dict)
    servers: dict[str, ControlSocket] = field(default_factory=dict)
    """By the field of the configuration that has their address."""

    def add(self, message: Socket, sockets: list[socket.socket]) -> None:
        """One more message with sockets. Raises ValueError for what makes no sense."""
        if message.use == LISTENER:
            file = None if parse_address(message.address).family != socket.AF_UNIX else _file(message)
            new = ListenerSocket(message.id, message.key, parse_address(message.address), [], 0, file)
            self.listeners.setdefault(message.id, new).sockets.extend(sockets)
            return
        (only,) = sockets
        if message.use == KEEPER:
            self.keeper = only
        else:
            self.servers[message.use] = ControlSocket(message.address, only, _file(message))

    def take_listeners(self) -> list[ListenerSocket]:
        """The listeners, which are the caller's from now on."""
        taken, self.listeners = list(self.listeners.values()), {}
        return taken

    def close(self) -> None:
        """Close what nobody has taken: files stay."""
        for listener in self.listeners.values():
            listener.leave()
        for server in self.servers.values():
            server.socket.close()
        if self.keeper is not None:
            self.keeper.close()


async def pass_on(
    link: Link,
    begin: Begin,
    listeners: Sequence[ListenerSocket],
    servers: Mapping[str, ControlServer],
    keeper: int,
) -> None:
    """Send everything; `keeper` is the descriptor of the link to the keeper. Raises RestartError."""
    await link.send(begin)
    await link.send(Socket(KEEPER), [keeper])
    for each in listeners:
        message = Socket(LISTENER, each.id, each.key, str(each.bound), _inode_and_mode(each.file))
        for some in _in_parts([one.fileno() for one in each.sockets]):
            await link.send(message, some)
    for use, server in servers.items():
        it = server.listening
        await link.send(Socket(use, address=it.configured, file=_inode_and_mode(it.file)), [it.socket.fileno()])
    await link.send(End())


async def receive(link: Link, begin: Begin) -> Passed:
    """What follows `begin`. Raises RestartError, and then everything is closed."""
    passed = Passed(begin)
    try:
        while True:
            message, sockets = await link.receive()
            if isinstance(message, End):
                return passed
            try:
                if not isinstance(message, Socket):
                    raise RestartError("the process before this one ended while it passed its sockets")
                passed.add(message, sockets)
            except (RestartError, ValueError) as error:
                for each in sockets:
                    each.close()
                raise RestartError(str(error)) from error
    except BaseException:
        passed.close()
        raise


def _in_parts(descriptors: list[int]) -> Iterator[list[int]]:
    for first in range(0, len(descriptors), DESCRIPTORS_LIMIT):
        yield descriptors[first : first + DESCRIPTORS_LIMIT]


def _inode_and_mode(file: UnixSocketFile | None) -> tuple[int, int] | None:
    return None if file is None or file.path is None else (file.inode, file.mode_at_bind)


def _file(message: Socket) -> UnixSocketFile:
    if message.file is None:
        return UnixSocketFile(None)
    return UnixSocketFile(Path(parse_address(message.address).path), *message.file)
