"""A TLS handshake in pieces: what one end would send, as bytes that a test sends, cuts or keeps to itself."""

from __future__ import annotations

import contextlib
import socket
import ssl


class Wire:
    """One end of a TLS connection that leaves the sending to its owner."""

    def __init__(
        self,
        plain: socket.socket,
        context: ssl.SSLContext,
        *,
        server: bool = False,
        server_name: str | None = None,
    ) -> None:
        self.plain = plain
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(self._incoming, self._outgoing, server_side=server, server_hostname=server_name)

    def flight(self) -> bytes:
        """What it has to say until it must hear something; b"" when it is done."""
        with contextlib.suppress(ssl.SSLWantReadError):
            self.ssl.do_handshake()
        return self._outgoing.read()

    def hear(self) -> bool:
        """Take in what has come; False at the end of the connection."""
        data = self.plain.recv(65536)
        self._incoming.write(data)
        return bool(data)

    def data(self, content: bytes, *, end: bool = False) -> bytes:
        """The records with that content and, at the end, close_notify. The handshake must be complete."""
        self.ssl.write(content)
        if end:
            with contextlib.suppress(ssl.SSLWantReadError):
                self.ssl.unwrap()
        return self._outgoing.read()

    def complete(self) -> bytes:
        """Go through the handshake but for the last flight of this end, which it returns.

        For a client of TLS 1.3 and of 1.2, and for a server of 1.2.
        """
        while True:
            said = self.flight()
            with contextlib.suppress(ssl.SSLWantReadError):
                self.ssl.do_handshake()
                return said
            if said and self._is_last(said):
                return said
            self.plain.sendall(said)
            assert self.hear()

    def _is_last(self, said: bytes) -> bool:
        """Whether it ends with Finished: in TLS 1.2 the record behind ChangeCipherSpec."""
        return not self.ssl.server_side and b"\x14\x03\x03\x00\x01\x01" in said
