"""A great many TLS connections, in every way that one can end: `python -m tests.soak.connections`.

Behind the listener with mTLS the proxy speaks mTLS again, to itself: each connection takes two handshakes as a server
and one as a client. Prints a JSON object; the exit status is 1 if a descriptor was left over, if memory grew with the
number of connections, or if one ended otherwise than it should.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import multiprocessing
import socket
import ssl
import struct
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

from tests.support.certificates import Authority, Files
from tests.support.process import running, until

CLIENTS = 2
GROWTH_BYTES = 8 << 20
"""Of resident memory, between the first fifth of the connections and the last: what a heap may shift about."""


def main() -> int:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, default=1_000_000)
    parser.add_argument("--limit", type=float, default=7200, help="seconds after which no more are begun")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="hopmesh-soak-") as folder:
        report = soak(Path(folder), arguments.connections, arguments.limit)
    print(json.dumps(report, indent=2))
    whole = report["connections"] >= arguments.connections
    sound = not report["failures"] and report["descriptors_left"] <= 0 and report["grown_bytes"] < GROWTH_BYTES
    return 0 if whole and sound else 1


def soak(folder: Path, connections: int, limit_s: float) -> dict[str, Any]:
    """What was done, and what it left."""
    root, stranger = Authority("root"), Authority("stranger")
    good = root.issue("peer", dns_names=["peer.mesh.local"]).write(folder)
    bad = stranger.issue("bad", dns_names=["peer.mesh.local"]).write(folder)
    trusted = root.write(folder)
    tls = {"certificate": good.certificate, "key": good.key, "trusted_ca": trusted}
    inner = folder / "inner.sock"
    begun = time.monotonic()
    with Echo() as echo:
        parts = {
            "workers": 2,
            "listeners": [
                {"name": "in", "address": "127.0.0.1:0", "cluster": "self", "tls": tls},
                {"name": "inner", "address": f"unix:{inner}", "cluster": "app", "tls": tls},
            ],
            "clusters": [
                {"name": "self", "endpoints": [f"unix:{inner}"], "tls": {**tls, "server_name": "peer.mesh.local"}},
                {"name": "app", "endpoints": [echo.address]},
            ],
        }
        with running(folder, parts) as proxy:
            idle = proxy.open_descriptors()
            target = Target(proxy.port(), good, bad, trusted, begun + limit_s)
            first = clients(target, connections // 5)
            until(lambda: proxy.open_descriptors() <= idle, "the first connections are gone")
            settled = resident(proxy.process.pid)
            done = first + clients(target, connections - connections // 5)
            with contextlib.suppress(AssertionError):
                until(lambda: proxy.open_descriptors() <= idle, "every connection is gone")
            left, grown = proxy.open_descriptors() - idle, resident(proxy.process.pid) - settled
    return {
        "connections": sum(done[kind] for kind in KINDS),
        "kinds": {kind: done[kind] for kind in KINDS},
        "failures": {key: count for key, count in done.items() if key not in KINDS},
        "descriptors_left": left,
        "grown_bytes": grown,
        "seconds": round(time.monotonic() - begun, 1),
    }


def resident(pid: int) -> int:
    """Resident memory of a process, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]) * 4096


class Echo:
    """An origin that gives back what it gets, on threads of this process."""

    def __enter__(self) -> Echo:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            while data := connection.recv(65536):
                connection.sendall(data)


# --- the clients, in processes of their own ---


class Target(NamedTuple):
    """Where clients go, with what, and until when."""

    port: int
    good: Files
    bad: Files
    trusted: str
    deadline: float


def clients(target: Target, count: int) -> Counter[str]:
    """Make connections of every kind in turn; how many of each, and what went wrong."""
    with multiprocessing.get_context("spawn").Pool(CLIENTS) as pool:
        return sum(pool.starmap(_client, [(target, count // CLIENTS)] * CLIENTS), Counter())


def _client(target: Target, count: int) -> Counter[str]:
    context, stranger = _context(target.good, target.trusted), _context(target.bad, target.trusted)
    done: Counter[str] = Counter()
    session: ssl.SSLSession | None = None
    names = list(KINDS)
    for number in range(count):
        if time.monotonic() > target.deadline:
            break
        kind = names[number % len(names)]
        try:
            with socket.create_connection(("127.0.0.1", target.port), timeout=30) as connection:
                session = KINDS[kind](connection, stranger if kind == "refused" else context, session) or session
            done[kind] += 1
        except (OSError, AssertionError) as error:
            done[f"{kind}: {error}"] += 1
    return done


def _context(files: Files, trusted: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=trusted)
    context.load_cert_chain(files.certificate, files.key)
    return context


def _shake(
    connection: socket.socket, context: ssl.SSLContext, session: ssl.SSLSession | None = None
) -> ssl.SSLSocket:
    return context.wrap_socket(connection, server_hostname="peer.mesh.local", session=session)


def _exchange(tls: ssl.SSLSocket, size: int) -> None:
    tls.sendall(b"x" * size)
    got = 0
    while got < size:
        piece = tls.recv(65536)
        assert piece, "the echo ended too early"
        got += len(piece)


def _whole(connection: socket.socket, context: ssl.SSLContext, _session: object) -> ssl.SSLSession | None:
    with _shake(connection, context) as tls:
        _exchange(tls, 100)
        session = tls.session
        tls.unwrap().close()
        return session


def _resumed(connection: socket.socket, context: ssl.SSLContext, session: ssl.SSLSession | None) -> None:
    with _shake(connection, context, session) as tls:
        _exchange(tls, 40_000)
        assert session is None or tls.session_reused, "the session was not resumed"


def _reset(connection: socket.socket, context: ssl.SSLContext, _session: object) -> None:
    with _shake(connection, context) as tls:
        tls.sendall(b"y" * 5000)
        tls.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _cut(connection: socket.socket, _context: ssl.SSLContext, _session: object) -> None:
    # The beginning of a ClientHello.
    connection.sendall(bytes.fromhex("16030100c8010000c40303"))


def _nonsense(connection: socket.socket, _context: ssl.SSLContext, _session: object) -> None:
    connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
    with contextlib.suppress(ConnectionResetError):
        while connection.recv(4096):
            pass


def _refused(connection: socket.socket, context: ssl.SSLContext, _session: object) -> None:
    try:
        with _shake(connection, context) as tls:
            tls.sendall(b"z")
            assert not tls.recv(1), "a stranger was served"
    except ssl.SSLError as error:
        assert "ALERT" in str(error), error
    except ConnectionResetError:
        pass


KINDS = {"whole": _whole, "resumed": _resumed, "reset": _reset, "cut": _cut, "nonsense": _nonsense, "refused": _refused}


if __name__ == "__main__":
    raise SystemExit(main())
