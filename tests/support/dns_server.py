"""An authoritative DNS server for tests, UDP and TCP on one port of loopback, that says what the test tells it to."""

from __future__ import annotations

import selectors
import socket
import struct
import threading
from collections.abc import Sequence
from typing import NamedTuple, Self

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from tests.support.waiting import wait_until


class Query(NamedTuple):
    """A question that has come: the name without its last dot, "A" or "AAAA", "udp" or "tcp"."""

    name: str
    kind: str
    transport: str


class DnsServer:
    """Answers from the moment it is made. A name that it knows nothing of does not exist (NXDOMAIN)."""

    def __init__(self) -> None:
        self.queries: list[Query] = []
        self.silent = False
        self.truncating = False
        self._records: dict[str, dict[str, tuple[int, list[str]]]] = {}
        self._rcodes: dict[tuple[str, str], dns.rcode.Rcode] = {}
        self._tcp, self._udp = _pair()
        self.address = f"127.0.0.1:{self._tcp.getsockname()[1]}"
        self._wake, self._woken = socket.socketpair()
        # Here, not in the thread: whoever counts descriptors finds them all, however late that comes to run.
        self._selector = selectors.DefaultSelector()
        for each in (self._tcp, self._udp, self._woken):
            self._selector.register(each, selectors.EVENT_READ)
        self._thread = threading.Thread(target=self._run, name="dns-server")
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Answer no more; nobody listens on the port then. Again is allowed."""
        self._wake.close()
        self._thread.join()
        for each in (self._selector, self._tcp, self._udp, self._woken):
            each.close()

    # --- what it says ---

    def set(self, name: str, addresses: Sequence[str], ttl: int = 3600, kind: str = "A") -> None:
        """The addresses of a name in one family; with none, the name exists without a record of that kind."""
        self._records.setdefault(name, {})[kind] = ttl, list(addresses)
        self._rcodes.pop((name, kind), None)

    def alias(self, name: str, to: str, ttl: int = 3600) -> None:
        """A CNAME."""
        self._records[name] = {"CNAME": (ttl, [to + "."])}

    def remove(self, name: str) -> None:
        """The name does not exist."""
        self._records.pop(name, None)

    def fail(self, name: str, kind: str = "A", rcode: str = "SERVFAIL") -> None:
        """Refuse to say anything of a name, until it is `set` again."""
        self._rcodes[name, kind] = dns.rcode.from_text(rcode)

    def wait_for_queries(self, count: int, name: str) -> None:
        """Wait until a name has been asked for so many times."""
        wait_until(lambda: self.asked(name) >= count, f"{count} queries for {name}, but {self.queries}")

    def asked(self, name: str) -> int:
        """How many times a name has been asked for."""
        return sum(query.name == name for query in self.queries)

    # --- the server ---

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                if key.fileobj is self._woken:
                    return
                if key.fileobj is self._udp:
                    self._serve_udp()
                else:
                    self._serve_tcp()

    def _serve_udp(self) -> None:
        data, client = self._udp.recvfrom(65536)
        answer = self._answer(data, "udp")
        if answer is not None:
            self._udp.sendto(answer, client)

    def _serve_tcp(self) -> None:
        connection, _ = self._tcp.accept()
        with connection:
            connection.settimeout(5)
            (size,) = struct.unpack("!H", _exactly(connection, 2))
            answer = self._answer(_exactly(connection, size), "tcp")
            if answer is not None:
                connection.sendall(struct.pack("!H", len(answer)) + answer)

    def _answer(self, data: bytes, transport: str) -> bytes | None:
        question = dns.message.from_wire(data)
        asked = question.question[0]
        name, kind = asked.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(asked.rdtype)
        self.queries.append(Query(name, kind, transport))
        if self.silent:
            return None
        answer = dns.message.make_response(question)
        if (name, kind) in self._rcodes:
            answer.set_rcode(self._rcodes[name, kind])
        elif name not in self._records:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif self.truncating and transport == "udp":
            answer.flags |= dns.flags.TC
        else:
            self._fill(answer, name, kind)
        return answer.to_wire(max_size=65535, want_shuffle=False)

    def _fill(self, answer: dns.message.Message, name: str, kind: str) -> None:
        records = self._records.get(name, {})
        if "CNAME" in records:
            ttl, (target,) = records["CNAME"]
            answer.answer.append(dns.rrset.from_text(name + ".", ttl, "IN", "CNAME", target))
            self._fill(answer, target.removesuffix("."), kind)
        elif kind in records and records[kind][1]:
            ttl, addresses = records[kind]
            answer.answer.append(dns.rrset.from_text(name + ".", ttl, "IN", kind, *addresses))


def _pair() -> tuple[socket.socket, socket.socket]:
    """A TCP and a UDP socket with the same port."""
    while True:
        tcp = socket.create_server(("127.0.0.1", 0))
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            udp.bind(tcp.getsockname())
        except OSError:
            tcp.close()
            udp.close()
        else:
            return tcp, udp


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := connection.recv(size - len(data))):
        data += piece
    return data
