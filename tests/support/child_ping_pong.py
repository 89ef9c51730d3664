"""Both ends of connections through a proxy, in one process: `python -m tests.support.child_ping_pong FILE`.

Tells the address of its origin, is told that of the proxy, and then counts its round trips into FILE (8 bytes,
native order) until the input ends. One thread plays both ends, so nothing but the proxy can hold it up.
"""

from __future__ import annotations

import json
import mmap
import select
import struct
import sys
from pathlib import Path

from tests.support.peer import Origin, connect

ROUND_TRIPS = 20


def main() -> None:
    """Play."""
    with Path(sys.argv[1]).open("r+b") as file, mmap.mmap(file.fileno(), 8) as shared, Origin() as origin:
        print(json.dumps(origin.address), flush=True)
        address = json.loads(sys.stdin.readline())
        total = 0
        while not select.select([sys.stdin], [], [], 0)[0]:
            # A new connection now and then: to accept and to connect must not need anybody else either.
            with connect(address) as client, origin.accept() as server:
                for _ in range(ROUND_TRIPS):
                    client.send(b"ping")
                    server.receive(4)
                    server.send(b"pong")
                    client.receive(4)
                    total += 1
                    shared[:] = struct.pack("=Q", total)
                client.end()
                server.expect_end()
        print(json.dumps("ended"), flush=True)


if __name__ == "__main__":
    main()
