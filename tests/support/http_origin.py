"""An origin that records every byte of each connection and answers by script, as well or as badly as a test likes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Literal, Self

from tests.support.http_messages import ok, response
from tests.support.http_oracles import Malformed, Message, MessageReader
from tests.support.peer import Peer, connect
from tests.support.waiting import LIMIT_S


class Move(Enum):
    """What an origin can do besides sending."""

    RESET = auto()
    CLOSE = auto()
    END = auto()  # half-close; it goes on reading
    TUNNEL = auto()  # what follows is no HTTP


class Gate:
    """A step at which connections wait until the test opens it."""

    def __init__(self) -> None:
        self._arrived = threading.Semaphore(0)
        self._open = threading.Event()

    def wait_reached(self, count: int = 1) -> None:
        """Wait until `count` more connections have come to it."""
        for _ in range(count):
            assert self._arrived.acquire(timeout=LIMIT_S), "nobody came to the gate"

    def open(self) -> None:
        """Let everybody through, now and later."""
        self._open.set()

    def go_through(self) -> None:
        """What a connection does."""
        self._arrived.release()
        self._open.wait(LIMIT_S)


Step = bytes | Move | Gate | Callable[[], object]
When = Literal["connected", "head", "complete"]


@dataclass
class Script:
    """What is done, and when: with the connection, once a request's head has come, or all of it."""

    steps: tuple[Step, ...]
    when: When = "complete"


@dataclass
class Recorded:
    """One connection, from its begin on."""

    index: int
    received: bytearray = field(default_factory=bytearray)
    requests: list[Message] = field(default_factory=list)
    ended: Literal["end", "reset"] | None = None
    fault: str | None = None  # why what came is no HTTP
    unfinished: bool = False  # a request has begun and is not complete
    tunnel: bytearray | None = None  # what came behind Move.TUNNEL


def answer(message: Message) -> bytes:
    """What an origin without another script says: a response that tells which request it is for."""
    body = b"%s %s\n%s" % (*message.start, message.body)
    return response(b"Content-Length: %d" % len(body)) if message.start[0] == b"HEAD" else ok(body)


class HttpOrigin:
    """Listens from the begin on; a thread for each connection. `close` must be called."""

    def __init__(self) -> None:
        self.connections: list[Recorded] = []
        self.requests: list[Message] = []  # those that are complete, as they came
        self.scripts: dict[bytes, Script] = {}
        self.default: Callable[[Message], bytes] = answer
        self._changed = threading.Condition()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = "{}:{}".format(*self._socket.getsockname())
        self._acceptor = threading.Thread(target=self._accept, name="origin")
        self._acceptor.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def on(self, target: bytes, *steps: Step, when: When = "complete") -> None:
        """Requests of that target are answered so; without a move at the end the connection goes on."""
        self.scripts[target] = Script(steps, when)

    def connection_of(self, target: bytes) -> Recorded:
        """The connection that a request came on; the only one with that target."""
        (found,) = (each for each in self.connections for message in each.requests if message.target == target)
        return found

    def wait(self, condition: Callable[[], object], what: str) -> None:
        """Wait until what was recorded fits `condition`."""
        with self._changed:
            assert self._changed.wait_for(condition, LIMIT_S), f"{what}: {self.connections!r}"

    def hang_up(self, target: bytes) -> None:
        """End the connection that a request came on, whatever its script waits for."""
        self._sockets[self.connection_of(target).index].shutdown(socket.SHUT_RDWR)

    def settle(self) -> None:
        """Wait until everybody who has connected so far has ended."""
        count = len(self.connections)
        with connect(self.address):
            pass
        self.wait(lambda: self._has_marker(count), "the last connection")
        self.wait(lambda: all(each.ended for each in self.connections), "every connection has ended")
        self.connections = [each for each in self.connections if each.received or each.index < count]

    def _has_marker(self, count: int) -> bool:
        return any(each.ended and not each.received for each in self.connections[count:])

    def close(self) -> None:
        """Stop; again is allowed."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._socket.close()
        for script in self.scripts.values():
            for step in script.steps:
                if isinstance(step, Gate):
                    step.open()
        for each in self._sockets:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()

    # --- its threads ---

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            record = Recorded(len(self.connections))
            self._sockets.append(connection)
            with self._changed:
                self.connections.append(record)
            self._threads.append(threading.Thread(target=self._serve, args=(Peer(connection), record)))
            self._threads[-1].start()

    def _serve(self, peer: Peer, record: Recorded) -> None:
        peer.socket.settimeout(None)
        try:
            Conversation(self, peer, record).run()
        except OSError:
            self.note(record, ended="reset")
        finally:
            peer.close()
            if record.ended is None:
                self.note(record, ended="end")

    def note(self, record: Recorded, **changes: object) -> None:
        """Change a record, and wake who waits for it."""
        with self._changed:
            for name, value in changes.items():
                setattr(record, name, value)
            self._changed.notify_all()


class Conversation:
    """What an origin does with one connection, in a thread of its own."""

    def __init__(self, origin: HttpOrigin, peer: Peer, record: Recorded) -> None:
        self._origin, self._peer, self._record = origin, peer, record

    def run(self) -> None:
        """Read requests and follow their scripts, until the other side ends."""
        script = self._origin.scripts.get(b"")
        if script is not None and script.when == "connected" and not self._follow(script):
            return
        rest = b""
        while (message := self._request(rest)) is not None:
            script = self._origin.scripts.get(message.message.target if message.message else b"")
            rest = message.rest
            assert message.message is not None
            if script is None:
                self._peer.send(self._origin.default(message.message))
            elif script.when == "complete" and not self._follow(script):
                return

    def _follow(self, script: Script) -> bool:
        """False when the connection has gone."""
        for step in script.steps:
            if isinstance(step, Gate):
                step.go_through()
            elif isinstance(step, bytes):
                self._peer.send(step)
            elif not isinstance(step, Move):
                step()
            elif step is Move.END:
                self._peer.end()
            elif step is Move.TUNNEL:
                self._tunnel()
                return False
            else:
                self._peer.reset() if step is Move.RESET else self._peer.close()
                self._origin.note(self._record, ended=self._record.ended or "end")
                return False
        return True

    def _receive(self) -> bytes:
        data = self._peer.socket.recv(65536)
        self._record.received += data
        if not data:
            self._origin.note(self._record, ended="end")
        return data

    def _request(self, rest: bytes) -> MessageReader | None:
        """The next request, once it is complete; None at the end, or when it is none."""
        reader = MessageReader("request")
        follows: Script | None = None
        data = rest or self._receive()
        while data:
            try:
                complete = reader.feed(data)
            except Malformed as fault:
                self._origin.note(self._record, fault=str(fault))
                return None
            if follows is None and reader.message is not None:
                follows = self._origin.scripts.get(reader.message.target)
                if follows is not None and follows.when == "head" and not self._follow(follows):
                    return None
            if complete:
                assert reader.message is not None
                self._origin.requests.append(reader.message)
                self._record.requests.append(reader.message)
                self._origin.note(self._record, unfinished=False)
                return reader
            self._origin.note(self._record, unfinished=True)
            data = self._receive()
        return None

    def _tunnel(self) -> None:
        tunnel = bytearray()
        self._origin.note(self._record, tunnel=tunnel)
        while data := self._receive():
            tunnel += data
            self._origin.note(self._record)
