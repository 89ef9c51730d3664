"""The listening sockets of a proxy: opened before a configuration is taken, kept while one needs them.

Every worker has a socket of its own on an IP address (SO_REUSEPORT: the kernel spreads connections over them); a Unix
socket is shared by all. Sockets taken over from another process (a hot restart) stay as many as they were, because what
waits in the accept queue of one that is closed is reset: a worker then may have several. Control thread.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import socket
from collections.abc import Collection
from dataclasses import dataclass

from mesh_core.config import Address, Config, ConfigError, Fault, Listener, parse_address
from mesh_core.control.unix_socket_file import UnixSocketFile, bind_unix_socket


@dataclass(eq=False)
class ListenerSocket:
    """What one listener listens on: the descriptors that each worker accepts from."""

    id: int
    key: tuple[str, ...]
    bound: Address
    sockets: list[socket.socket]
    workers: int
    file: UnixSocketFile | None = None
    taken_over: int | None = None
    """The `id` in the process that it comes from."""

    @property
    def descriptors(self) -> list[list[int]]:
        """Those of each worker, in order, filled up to the same number with -1; a Unix socket is everybody's."""
        numbers = [each.fileno() for each in self.sockets]
        if self.bound.family == socket.AF_UNIX:
            return [numbers] * self.workers
        most = -(-len(numbers) // self.workers)
        numbers += [-1] * (most * self.workers - len(numbers))
        return [numbers[worker :: self.workers] for worker in range(self.workers)]

    def complete(self) -> None:
        """Give every worker a socket, of which those that are new do not listen before `adjust`. Raises OSError."""
        if self.bound.family != socket.AF_UNIX:
            for _ in range(self.workers - len(self.sockets)):
                self.sockets.append(_new_socket(self.bound, shared=True))

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

    def leave(self) -> None:
        """Close it here; another process listens on."""
        self.file = None
        self.close()


class ListenerSockets:
    """All listening sockets of one proxy."""

    def __init__(self, workers: int) -> None:
        self._workers = workers
        self._by_key: dict[tuple[str, ...], ListenerSocket] = {}
        self._ids = itertools.count(1)

    def take_over(self, passed: Collection[ListenerSocket]) -> None:
        """Go on with the sockets of another process: one `ListenerSocket` of its making each, of which `id` and
        `workers` are its own.

        Until `own` it has not left them: their files stay when they are closed.
        """
        for each in passed:
            file = None if each.file is None else each.file.of_another()
            ours = ListenerSocket(
                next(self._ids), each.key, each.bound, each.sockets, self._workers, file, taken_over=each.id
            )
            self._by_key[each.key] = ours

    def own(self) -> list[int]:
        """The process that had them leaves those that were taken over; returns their ids there."""
        for each in self._by_key.values():
            if each.file is not None:
                each.file.ours = True
        return [each.taken_over for each in self._by_key.values() if each.taken_over is not None]

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
            try:
                if existing is not None:
                    existing.complete()
                    chosen[listener.name] = existing
                    continue
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
        self.adjust(config, sockets)
        wanted = {each.key: each for each in sockets.values()}
        dropped = [each for key, each in self._by_key.items() if key not in wanted]
        self._by_key = wanted
        return dropped

    def adjust(self, config: Config, sockets: dict[str, ListenerSocket]) -> None:
        """Set what may change while a socket listens as `config` says, by listener name."""
        for listener in config.listeners:
            if listener.name in sockets:
                sockets[listener.name].adjust(listener)

    def give_up(self) -> list[ListenerSocket]:
        """All of them; the caller closes or leaves each when every worker has stopped accepting."""
        given, self._by_key = list(self._by_key.values()), {}
        return given

    def close(self) -> None:
        """Close them all; no worker may accept any more."""
        for each in self.give_up():
            each.close()

    def _open(self, key: tuple[str, ...], listener: Listener) -> ListenerSocket:
        address = parse_address(listener.address)
        if address.family == socket.AF_UNIX:
            return self._open_unix(key, address, listener)
        # SO_REUSEPORT would let another proxy of the same user share the port without a word: the first socket takes
        # it alone, unless it is to be shared with one of ours that is on its way out.
        alone = all(each.bound.port != address.port for each in self._by_key.values())
        sockets: list[socket.socket] = []
        try:
            for index in range(self._workers):
                sockets.append(_new_socket(address, shared=index > 0 or not alone))
                # With port 0, the others join the port that the first one was given.
                address = Address(address.family, address.host, sockets[-1].getsockname()[1])
            for each in sockets:
                each.listen(listener.backlog)
        except OSError:
            for each in sockets:
                each.close()
            raise
        return ListenerSocket(next(self._ids), key, address, sockets, self._workers)

    def _open_unix(self, key: tuple[str, ...], address: Address, listener: Listener) -> ListenerSocket:
        bound, file = bind_unix_socket(address, _mode(listener))
        try:
            bound.listen(listener.backlog)
        except OSError:
            bound.close()
            file.remove()
            raise
        return ListenerSocket(next(self._ids), key, address, [bound], self._workers, file)


def _new_socket(address: Address, *, shared: bool) -> socket.socket:
    """A bound socket on an IP address, which others of ours may share from now on, or `shared` already do.

    Raises OSError.
    """
    each = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    try:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if shared:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        # Accepted sockets inherit these two, which saves two calls for each of them.
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        each.setsockopt(socket.SOL_SOCKET, socket.SO_OOBINLINE, 1)
        if address.family == socket.AF_INET6:
            each.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        each.bind(address.sockaddr())
        each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    except OSError:
        each.close()
        raise
    return each


def _key(listener: Listener) -> tuple[str, ...]:
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
