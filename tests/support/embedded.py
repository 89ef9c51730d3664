"""What a program that embeds proxies has around them: an echo server and clients, all in one event loop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from mesh_core import Cluster, Config, Listener
from tests.support.waiting import LIMIT_S


@asynccontextmanager
async def echo_server() -> AsyncIterator[str]:
    """A server that sends back what it is sent, and ends as its client does; gives its address."""
    tasks: set[asyncio.Task[Any]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.transport.abort()
            tasks.discard(task)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
        # A transport closes its socket a turn later.
        await asyncio.sleep(0)


def config(*endpoints: str, name: str = "in", address: str = "127.0.0.1:0", **more: Any) -> Config:
    """One listener and one cluster, one worker."""
    settings = {
        "workers": 1,
        "listeners": (Listener(name=name, address=address, cluster="app"),),
        "clusters": (Cluster(name="app", endpoints=endpoints),),
    }
    return Config(**(settings | more))


class Client:
    """A connection whose every wait has a limit."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, address: str) -> Self:
        """Raises OSError."""
        host, _, port = address.rpartition(":")
        async with asyncio.timeout(LIMIT_S):
            return cls(*await asyncio.open_connection(host, int(port)))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def echo(self, data: bytes = b"hello") -> None:
        """Send, and receive the same."""
        self._writer.write(data)
        async with asyncio.timeout(LIMIT_S):
            assert await self._reader.readexactly(len(data)) == data

    async def expect_reset(self) -> None:
        """The connection has been reset, or is about to be."""
        async with asyncio.timeout(LIMIT_S):
            try:
                data = await self._reader.read(1)
            except ConnectionResetError:
                return
        raise AssertionError(f"received {data!r}, where there should have been a reset")

    async def close(self) -> None:
        """Close; again is allowed."""
        self._writer.transport.abort()
        await asyncio.sleep(0)


async def until(condition: Callable[[], Any], what: str) -> None:
    """Ask again and again until it is true, between turns of the loop."""
    try:
        async with asyncio.timeout(LIMIT_S):
            while not condition():
                await asyncio.sleep(0.001)
    except TimeoutError:
        raise AssertionError(f"not within {LIMIT_S} s: {what}") from None


async def refused(address: str) -> None:
    """Wait until nobody listens at an address any more."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            try:
                client = await Client.connect(address)
            except ConnectionRefusedError:
                return
            except OSError:
                # It has waited to be accepted, in vain.
                continue
            await client.close()
