"""A network of the benchmark's own: a namespace that holds only a loopback device, with cubic on its route.

With BBR, some machines' default, bulk over loopback halves, and most peers cannot choose their sockets'
congestion control. A route can choose it for all of them alike; in a namespace that touches nobody else. Nor does
the kernel remember there what it learnt about an address: no connection starts with what an earlier proxy's had
found, and ten thousand addresses cost it no more than ten.
"""

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
from pathlib import Path

_CLONE_NEWNET = 0x40000000
_NO_METRICS = Path("/proc/sys/net/ipv4/tcp_no_metrics_save")
_COMMANDS = (
    "link set lo up",
    "route replace local 127.0.0.1 dev lo table local proto kernel scope host src 127.0.0.1 congctl cubic",
)


def enter_own_network() -> str:
    """Move this process into a network namespace of its own; return one line that says what came of it.

    Must be called before any thread or child is started. Where that is not allowed (it takes root), the run
    goes on in the machine's network, and the line says which congestion control the proxies use there.

    Raises OSError when the namespace was entered but its loopback device cannot be used.
    """
    ip = shutil.which("ip")
    if not ip:
        return _shared("`ip` is not installed: apt install iproute2")
    if os.geteuid() != 0:
        return _shared("only root may make another")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET):
        return _shared(os.strerror(ctypes.get_errno()))
    for command in _COMMANDS:
        done = subprocess.run([ip, *command.split()], capture_output=True, text=True, check=False)
        # Without the route only the congestion control is another, which the returned line tells.
        if done.returncode and command.startswith("link"):
            raise OSError(f"`ip {command}` failed in the new network namespace: {done.stderr.strip()}")
    with contextlib.suppress(OSError):  # in some containers /proc/sys cannot be written
        _NO_METRICS.write_text("1")
    return f"own network namespace; congestion control {congestion_control()}"


def _shared(reason: str) -> str:
    return f"the machine's network ({reason}); congestion control {congestion_control()}"


def congestion_control() -> str:
    """Return the congestion control that a new connection over loopback gets, whoever makes it."""
    with socket.create_server(("127.0.0.1", 0)) as listener, \
            socket.create_connection(listener.getsockname()) as connection:
        name = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16)
    return name.rstrip(b"\0").decode()


def free_port() -> int:
    """Return a TCP port on 127.0.0.1 that nobody listens on.

    From below the range that outgoing connections use, so that no connection of a running load can take it
    before its listener does.
    """
    low = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for _ in range(200):
        port = 10000 + int.from_bytes(os.urandom(2)) % max(1, min(low, 60000) - 10000)
        with socket.socket() as probe:
            # No SO_REUSEADDR: a port with connections in TIME_WAIT counts as taken too.
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError("no free port found on 127.0.0.1 in 200 tries")
