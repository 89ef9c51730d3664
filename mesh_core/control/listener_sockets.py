"""The listening sockets of a proxy: opened before a configuration is taken, kept while one needs them.

Every worker has a socket of its own on an IP address (SO_REUSEPORT: the kernel spreads connections over them); a Unix
socket is shared by all. Control thread.
"""

from __future__ import annotations

import errno
import itertools
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from mesh_core.config import Address, Config, ConfigError, Fault, Listener, parse_address


@dataclass(eq=False)
class ListenerSocket:
    """What one listener listens on: the descriptor that each worker accepts from."""

    id: int
    key: tuple[object, ...]
    bound: Address
    sockets: list[socket.socket]
    workers: int
    path: str | None = None
    inode: int | None = None

    @property
    def descriptors(self) -> list[int]:
        """One for each worker, in order; all the same on a Unix socket."""
        sockets = self.sockets * self.workers if len(self.sockets) == 1 else self.sockets
        return [each.fileno() for each in sockets]

    def close(self) -> None:
        """Close it, and remove the file of a Unix socket if it is still ours."""
        for each in self.sockets:
            each.close()
        if self.path is not None:
            try:
                if Path(self.path).stat().st_ino == self.inode:
                    Path(self.path).unlink()
            except OSError:
                pass


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

    def keep(self, sockets: dict[str, ListenerSocket]) -> list[ListenerSocket]:
        """Take over what `prepare` gave; returns the sockets that are no longer needed.

        The caller closes those when every worker has stopped accepting from them.
        """
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
        sockets: list[socket.socket] = []
        try:
            for _ in range(self._workers):
                each = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
                sockets.append(each)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
                # Accepted sockets inherit these two, which saves two calls for each of them.
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
                if address.family == socket.AF_INET6:
                    each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                each.bind(address.sockaddr())
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
        path = None if address.is_abstract else address.path
        if path is not None:
            _remove_stale(path)
        each = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            each.bind(address.sockaddr())
            if path is not None and listener.unix_mode is not None:
                Path(path).chmod(int(listener.unix_mode, 8))
            each.listen(listener.backlog)
        except OSError:
            each.close()
            raise
        inode = None if path is None else Path(path).stat().st_ino
        return ListenerSocket(next(self._ids), key, address, [each], self._workers, path, inode)


def _key(listener: Listener) -> tuple[object, ...]:
    """What decides whether a listener of a new configuration can go on with the sockets of an old one."""
    address = parse_address(listener.address)
    shared = (str(address), listener.backlog, listener.unix_mode)
    # Two listeners that each ask for a free port must not share one.
    return (*shared, listener.name) if address.family != socket.AF_UNIX and address.port == 0 else shared


def _remove_stale(path: str) -> None:
    """Remove a socket file that nobody listens on any more, as a killed process leaves it.

    Raises OSError (EADDRINUSE) when somebody does, or when it is another kind of file.
    """
    try:
        mode = Path(path).stat().st_mode
    except FileNotFoundError:
        return
    in_use = OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
    if not stat.S_ISSOCK(mode):
        raise in_use
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink()
            return
    raise in_use


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
