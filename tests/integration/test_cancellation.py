"""Changes whose caller goes away, and proxies that nobody closes: nothing is left half done."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mesh_core.config import ConfigError, load_builtins
from mesh_core.control.proxy import Mounting, Proxy
from tests.support.child import ROOT
from tests.support.configs import cluster, config, listener
from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy
from tests.support.waiting import LIMIT_S

Serve = Callable[..., RunningProxy]


@pytest.mark.parametrize("steps", range(6))
def test_a_cancelled_change_is_made_as_a_whole(serve: Serve, origin: Origin, tmp_path: Path, steps: int) -> None:
    """The old listener's sockets are closed when the workers have left them, not when the caller has."""
    proxy = serve(origin.address)
    renamed = config([listener(name="new")], [cluster([origin.address])], tmp_path)

    async def cancel_midway() -> None:
        task = asyncio.ensure_future(proxy.proxy.apply(load_builtins(renamed)))
        for _ in range(steps):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    proxy.wait(cancel_midway())
    # Whatever became of it, the next one finds everything in order.
    proxy.apply(renamed)
    with proxy.connect("new") as client, origin.accept() as server:
        client.send(b"hello")
        assert server.receive(5) == b"hello"


def test_a_close_while_it_starts(mounting: Mounting, origin: Origin, tmp_path: Path) -> None:
    """`start` does not report a proxy as live that has been closed meanwhile."""

    async def race() -> str:
        proxy = Proxy(load_builtins(config([listener()], [cluster([origin.address])], tmp_path)), mounting=mounting)
        starting = asyncio.ensure_future(proxy.start())
        await asyncio.sleep(0)
        await proxy.close()
        with pytest.raises(ConfigError):
            await starting
        return proxy.state

    assert asyncio.run(race()) == "closed"


NEVER_CLOSED = """
import asyncio, gc, socket, sys
from mesh_core.config import load_builtins
from mesh_core.control.proxy import Proxy

async def main():
    origin = socket.create_server(("127.0.0.1", 0))
    where = "127.0.0.1:%d" % origin.getsockname()[1]
    proxy = Proxy(load_builtins({
        "workers": 1,
        "listeners": [{"name": "in", "address": "127.0.0.1:0", "cluster": "app"}],
        "clusters": [{"name": "app", "endpoints": [where]}],
    }))
    await proxy.start()
    host, port = proxy.listener_addresses["in"].split(":")
    client = socket.create_connection((host, int(port)))
    return client, await asyncio.to_thread(origin.accept)

client, (server, _) = asyncio.run(main())
gc.collect()
for _ in range(100):
    client.sendall(b"hello")
    assert server.recv(5, socket.MSG_WAITALL) == b"hello"
print("relayed")
"""


def test_a_proxy_that_nobody_closes() -> None:
    """Its threads go on, and what they work by is not freed beneath them."""
    done = subprocess.run(
        [sys.executable, "-c", NEVER_CLOSED], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert (done.stdout, done.returncode) == ("relayed\n", 0), done.stderr
