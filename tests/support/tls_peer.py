"""TLS at the far ends of a proxy, by Python's ssl: a `Peer` whose every move the test dictates."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Sequence
from typing import Any

from tests.support.certificates import Files
from tests.support.peer import Origin, Peer, connect
from tests.support.waiting import LIMIT_S


def client_context(
    trusted_ca: str | None = None,
    files: Files | None = None,
    **more: Any,
) -> ssl.SSLContext:
    """How a client speaks TLS: verifies the server by CA (none: not at all), shows a certificate if it has one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_REQUIRED if trusted_ca else ssl.CERT_NONE
    return _with(context, trusted_ca, files, **more)


def server_context(
    files: Files,
    trusted_ca: str | None = None,
    **more: Any,
) -> ssl.SSLContext:
    """How a server speaks TLS: shows its certificate, and asks for one that leads to a CA when it has one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED if trusted_ca else ssl.CERT_NONE
    return _with(context, trusted_ca, files, **more)


def _with(
    context: ssl.SSLContext,
    trusted_ca: str | None,
    files: Files | None,
    *,
    alpn: Sequence[str] = (),
    version: ssl.TLSVersion | None = None,
    any_key: bool = False,
) -> ssl.SSLContext:
    """`any_key`: its own key may also be one that is too small for anybody."""
    if any_key:
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
    if trusted_ca is not None:
        context.load_verify_locations(trusted_ca)
    if files is not None:
        context.load_cert_chain(files.certificate, files.key)
    if alpn:
        context.set_alpn_protocols(alpn)
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class TlsSocket:
    """What `Peer` asks of a socket, with TLS inside. One thread may send while another receives."""

    def __init__(
        self,
        connection: socket.socket,
        context: ssl.SSLContext,
        *,
        server: bool = False,
        server_name: str | None = None,
        session: ssl.SSLSession | None = None,
    ) -> None:
        self.plain = connection
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.ssl = context.wrap_bio(
            self._incoming, self._outgoing, server_side=server, server_hostname=server_name, session=session
        )
        self._using, self._sending = threading.Lock(), threading.Lock()
        self._ahead = bytearray()
        self.family = connection.family

    def handshake(self) -> None:
        """Shake hands. Raises ssl.SSLError, ConnectionError."""
        while True:
            try:
                self.ssl.do_handshake()
                self._flush()
                return
            except ssl.SSLWantReadError:
                self._flush()
                self._fetch()
            except ssl.SSLError:
                # The alert that tells the other side why.
                self._flush()
                raise

    def recv(self, size: int) -> bytes:
        """Plain bytes, b"" at the end that the other side has announced; ssl.SSLEOFError where it is cut."""
        while True:
            try:
                with self._using:
                    if self._ahead:
                        data = bytes(self._ahead[:size])
                        del self._ahead[:size]
                    else:
                        data = self.ssl.read(size)
            except ssl.SSLWantReadError:
                self._answer()
                self._fetch()
            except ssl.SSLZeroReturnError:
                return b""
            else:
                self._answer()
                return data

    def recv_into(self, buffer: memoryview) -> int:
        """As `recv`, into a buffer: how many."""
        data = self.recv(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def send(self, data: bytes | memoryview) -> int:
        """Send at most 64 KiB of it: how many."""
        with self._sending:
            with self._using:
                written = self.ssl.write(data[:65536])
            self._send_what_waits()
        return written

    def sendall(self, data: bytes | memoryview) -> None:
        """Send all of it."""
        view = memoryview(data)
        while view:
            view = view[self.send(view) :]

    def send_and_end(self, data: bytes) -> None:
        """Send a little, and close_notify in the same packet."""
        with self._sending:
            with self._using:
                self.ssl.write(data)
                with contextlib.suppress(ssl.SSLWantReadError):
                    self.ssl.unwrap()
            self._send_what_waits()

    def shutdown(self, _how: int) -> None:
        """End our stream as TLS does, with close_notify; the other side's goes on."""
        with self._sending:
            with self._using:
                # What follows looks for the other side's close_notify too, and would stumble over data.
                with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLZeroReturnError):
                    while data := self.ssl.read(65536):
                        self._ahead += data
                with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLSyscallError):
                    self.ssl.unwrap()
            self._send_what_waits()

    def wire(self) -> bytes:
        """The next bytes of the wire, given to nobody."""
        return self.plain.recv(65536)

    def close(self) -> None:
        """Close it, without a word."""
        self.plain.close()

    def settimeout(self, seconds: float | None) -> None:
        """As of the socket below."""
        self.plain.settimeout(seconds)

    def setsockopt(self, *arguments: Any) -> None:
        """As of the socket below."""
        self.plain.setsockopt(*arguments)

    def getsockname(self) -> Any:
        """As of the socket below."""
        return self.plain.getsockname()

    def _fetch(self) -> None:
        data = self.plain.recv(262144)
        with self._using:
            if data:
                self._incoming.write(data)
            else:
                self._incoming.write_eof()

    def _answer(self) -> None:
        """Send what reading has called for, unless somebody is sending anyway."""
        if self._outgoing.pending and self._sending.acquire(blocking=False):
            try:
                self._send_what_waits()
            finally:
                self._sending.release()

    def _flush(self) -> None:
        with self._sending:
            self._send_what_waits()

    def _send_what_waits(self) -> None:
        while True:
            with self._using:
                data = self._outgoing.read()
            if not data:
                return
            self.plain.sendall(data)


class TlsPeer(Peer):
    """A `Peer` that speaks TLS; `tls.ssl` tells version, cipher, certificate."""

    def __init__(self, tls: TlsSocket) -> None:
        self.tls = tls
        super().__init__(tls)  # type: ignore[arg-type]

    def reset(self) -> None:
        """Close so that the other side sees a reset."""
        Peer(self.tls.plain).reset()

    def cut(self) -> None:
        """End the connection below TLS, without close_notify."""
        self.tls.plain.shutdown(socket.SHUT_WR)


def tls_connect(
    address: str,
    context: ssl.SSLContext,
    server_name: str | None = None,
    session: ssl.SSLSession | None = None,
) -> TlsPeer:
    """A client's connection, the handshake done (in TLS 1.3: before the server has looked at a certificate)."""
    plain = connect(address).socket
    try:
        tls = TlsSocket(plain, context, server_name=server_name, session=session)
        tls.handshake()
    except BaseException:
        plain.close()
        raise
    return TlsPeer(tls)


def tls_accept(origin: Origin, context: ssl.SSLContext) -> TlsPeer:
    """The next connection that comes to an origin, the handshake done."""
    plain = origin.accept().socket
    try:
        plain.settimeout(LIMIT_S)
        tls = TlsSocket(plain, context, server=True)
        tls.handshake()
    except BaseException:
        plain.close()
        raise
    return TlsPeer(tls)
