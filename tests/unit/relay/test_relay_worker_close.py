"""A worker that is closed with connections open gives back all it has."""

from __future__ import annotations

import gc
import os
import select
import socket
from pathlib import Path

from mesh_core.config import load_builtins
from mesh_core.control.compiler import Compiler
from mesh_core.control.endpoints import configured_endpoints
from mesh_core.control.listener_sockets import ListenerSockets
from mesh_core.runtime.memory import live_allocations
from mesh_core.telemetry.stats import StatsRegistry
from mesh_core.worker.worker import Worker

CONNECTIONS = 5


def close_a_busy_worker() -> None:
    registry = StatsRegistry(1)
    server = registry.scope("server")
    notify = os.eventfd(0, os.EFD_NONBLOCK)
    sockets = ListenerSockets(1)
    with socket.create_server(("127.0.0.1", 0)) as origin:
        config = load_builtins(
            {
                "listeners": [{"name": "in", "address": "127.0.0.1:0", "cluster": "app"}],
                "clusters": [{"name": "app", "endpoints": [f"127.0.0.1:{origin.getsockname()[1]}"]}],
            }
        )
        chosen, _ = sockets.prepare(config, "test")
        compiler = Compiler(1, registry)
        snapshot = compiler.compile(config, chosen, configured_endpoints(config))
        worker = Worker(0, notify, server)
        worker.publish(snapshot)
        worker.turn()
        assert worker.adopted == snapshot.version
        clients = [socket.create_connection(chosen["in"].sockets[0].getsockname()) for _ in range(CONNECTIONS)]
        while compiler.active_connections < CONNECTIONS:
            select.select([worker.epoll_fd], [], [], 1)
            worker.turn()
        worker.close()
        assert snapshot.released
        assert compiler.active_connections == 0
        for client in clients:
            client.close()
    for each in chosen.values():
        each.close()
    os.close(notify)


def test_closing_without_a_stop_gives_everything_back() -> None:
    gc.collect()
    memory, descriptors = live_allocations(), len(list(Path("/proc/self/fd").iterdir()))
    close_a_busy_worker()
    gc.collect()
    assert live_allocations() == memory
    assert len(list(Path("/proc/self/fd").iterdir())) == descriptors
