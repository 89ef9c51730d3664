"""The listening sockets of a proxy: opened before a configuration is taken, kept while one needs them.

Every worker has a socket of its own on an IP address (SO_REUSEPORT: the kernel spreads connections over them); a Unix
socket is shared by all. Control thread.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import socket
from dataclasses import dataclass

from mesh_core.config import Address, Config, ConfigError, Fault, Listener, parse_address
from mesh_core.control.unix_socket_file import UnixSocketFile, bind_unix_socket


@dataclass(eq=False)
class ListenerSocket:
    """What one listener listens on: the descriptor that each worker accepts from."""

    id: int
    key: tuple[object, ...]
    bound: Address
    sockets: list[socket.socket]
    workers: int
    file: UnixSocketFile | None = None

    @property
    def descriptors(self) -> list[int]:
        """One for each worker, in order; all the same on a Unix socket."""
        sockets = self.sockets * self.workers if len(self.sockets) == 1 else self.sockets
        return [each.fileno() for each in sockets]

    def adjust(self, listener: Listener) -> None:
        """Take over what may change while it listens. Not a connection that waits to be accepted is lost."""
        for each in self.sockets:
            each.listen(listener.backlog)
        if self.file is not None:
            # Its file may be gone; then there is nothing to be protected.
            with contextlib.suppress(OSError):
                self.file.change_mode(_mode(listener))

    def close(self) -> None:
        """Close it, and remove the file of a Unix socket if it is still ours."""
        for each in self.sockets:
            each.close()
        if self.file is not None:
            self.file.remove()


class ListenerSockets:
    """All listening sockets of one proxy."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._by_key: dict[tuple[object, ...], ListenerSocket] = {}
        self._ids = itertools.count(1)

    def prepare(self, config: Config, name: str) -> tuple[dict[str, ListenerSocket], list[ListenerSocket]]:
        """Sockets for every listener of `config`, by listener name, and those among them that are new.

        Nothing changes for those that exist. Raises ConfigError, with every address that cannot be bound, and then
        leaves none of the new ones open.
        """
        chosen: dict[str, ListenerSocket] = {}
        opened: list[ListenerSocket] = []
        faults: list[Fault] = []
        for index, listener in enumerate(config.listeners):
            key = _key(listener)
            existing = self._by_key.get(key)
            if existing is not None:
                chosen[listener.name] = existing
                continue
            try:
                chosen[listener.name] = self._open(key, listener)
                opened.append(chosen[listener.name])
            except OSError as error:
                faults.append(_fault(index, listener, error))
        if faults:
            for each in opened:
                each.close()
            raise ConfigError(name, tuple(faults))
        return chosen, opened

    def keep(self, config: Config, sockets: dict[str, ListenerSocket]) -> list[ListenerSocket]:
        """Take over what `prepare` gave for `config`; returns the sockets that are no longer needed.

        The caller closes those when every worker has stopped accepting from them.
        """
        for listener in config.listeners:
            if listener.name in sockets:
                sockets[listener.name].adjust(listener)
        wanted = {each.key: each for each in sockets.values()}
        dropped = [each for key, each in self._by_key.items() if key not in wanted]
        self._by_key = wanted
        return dropped

    def close(self) -> None:
        """Close them all; no worker may accept any more."""
        for each in self._by_key.values():
            each.close()
        self._by_key = {}

    def _open(self, key: tuple[object, ...], listener: Listener) -> ListenerSocket:
        address = parse_address(listener.address)
        if address.family == socket.AF_UNIX:
            return self._open_unix(key, address, listener)
        # SO_REUSEPORT would let another proxy of the same user share the port without a word: the first socket takes
        # it alone, unless it is to be shared with one of ours that is on its way out.
        alone = all(each.bound.port != address.port for each in self._by_key.values())
        sockets: list[socket.socket] = []
        try:
            for index in range(self._workers):
                each = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                sockets.append(each)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if index or not alone:
                    each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                # Accepted sockets inherit these two, which saves two calls for each of them.
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
                if address.family == socket.AF_INET6:
                    each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                each.bind(address.sockaddr())
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                # With port 0, the others join the port that the first one was given.
                address = Address(address.family, address.host, each.getsockname()[1])
            for each in sockets:
                each.listen(listener.backlog)
        except OSError:
            for each in sockets:
                each.close()
            raise
        return ListenerSocket(next(self._ids), key, address, sockets, self._workers)

    def _open_unix(self, key: tuple[object, ...], address: Address, listener: Listener) -> ListenerSocket:
        bound, file = bind_unix_socket(address, _mode(listener))
        try:
            bound.listen(listener.backlog)
        except OSError:
            bound.close()
            file.remove()
            raise
        return ListenerSocket(next(self._ids), key, address, [bound], self._workers, file)


def _key(listener: Listener) -> tuple[object, ...]:
    """What decides whether a listener of a new configuration can go on with the sockets of an old one."""
    address = parse_address(listener.address)
    # Two listeners that each ask for a free port must not share one.
    if address.family != socket.AF_UNIX and address.port == 0:
        return str(address), listener.name
    return (str(address),)


def _mode(listener: Listener) -> int | None:
    return None if listener.unix_mode is None else int(listener.unix_mode, 8)


def _fault(index: int, listener: Listener, error: OSError) -> Fault:
    hints = {
        errno.EADDRINUSE: "another process, or another listener, has it: choose another address or stop the other",
        errno.EACCES: "ports below 1024 need CAP_NET_BIND_SERVICE; the directory of a Unix socket must be writable",
        errno.EADDRNOTAVAIL: "no interface of this machine has that address",
        errno.ENOENT: "the directory of the socket does not exist",
    }
    reason = error.strerror or str(error)
    message = f"cannot listen on {listener.address}: {reason}"
    return Fault(f"listeners[{index}].address", None, None, message, hints.get(error.errno or 0))
