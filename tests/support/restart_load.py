"""Traffic that must not notice a restart: short and long connections, on a loop of its own, every failure kept.

The origin is here too: it sends back what it gets.
"""

from __future__ import annotations

import asyncio
import itertools
import threading
from collections import Counter
from typing import Self

import uvloop

LIMIT_S = 20.0
PAUSE_S = 0.004
"""Between two things that one client does: many connections, not much of a processor."""
LONG_REQUESTS = 200
"""Of one long connection: about a second, which is less than any drain."""


class RestartLoad:
    """`with RestartLoad() as load`: its origin listens at `origin`; `begin` sends traffic until `end`."""

    def __init__(self) -> None:
        self.origin = ""
        self.connections = 0
        self.requests = 0
        self.failures: Counter[str] = Counter()
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="load")
        self._ending = False
        self._clients: list[asyncio.Task[None]] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(LIMIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(LIMIT_S)
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(LIMIT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def begin(self, address: str, short: int = 4, long: int = 4) -> None:
        """Send traffic to `address`: so many clients with a connection for each request, so many that keep theirs."""

        async def start() -> None:
            for requests in [1] * short + [LONG_REQUESTS] * long:
                self._clients.append(asyncio.get_running_loop().create_task(self._client(address, requests)))

        asyncio.run_coroutine_threadsafe(start(), self._loop).result(LIMIT_S)

    def end(self) -> None:
        """Stop sending; every connection ends in peace."""
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(LIMIT_S)

    async def _listen(self) -> asyncio.Server:
        server = await asyncio.start_server(self._echo, "127.0.0.1", 0, backlog=1024)
        self.origin = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        return server

    async def _end(self) -> None:
        self._ending = True
        await asyncio.gather(*self._clients)
        self._clients = []

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _echo(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def _client(self, address: str, requests: int) -> None:
        for number in itertools.count():
            if self._ending:
                return
            try:
                async with asyncio.timeout(LIMIT_S):
                    await self._converse(address, requests, b"%08d" % number)
            except (OSError, EOFError, ValueError) as error:
                self.failures[f"{type(error).__name__}: {error}"] += 1
            await asyncio.sleep(PAUSE_S)

    async def _converse(self, address: str, requests: int, message: bytes) -> None:
        if address.startswith("unix:"):
            reader, writer = await asyncio.open_unix_connection(address.removeprefix("unix:"))
        else:
            host, _, port = address.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
        self.connections += 1
        try:
            for _ in range(requests):
                writer.write(message)
                if await reader.readexactly(len(message)) != message:
                    raise ValueError("not what was sent")
                self.requests += 1
                if self._ending:
                    break
                if requests > 1:
                    await asyncio.sleep(PAUSE_S)
            writer.write_eof()
            if await reader.read(1):
                raise ValueError("more than was sent")
        finally:
            writer.close()
