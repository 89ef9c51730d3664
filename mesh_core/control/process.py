"""The process of `hopmesh proxy`: start, reload on SIGHUP, drain on SIGTERM and SIGINT, rotate on SIGUSR1."""

from __future__ import annotations

import asyncio
import resource
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from mesh_core._version import __version__
from mesh_core.config import Config, ConfigError, load_file
from mesh_core.control.admin.server import AdminServer
from mesh_core.control.proxy import Proxy

log = structlog.get_logger("hopmesh")


class Process:
    """One proxy, its admin endpoint, and the signals that steer them."""

    def __init__(self, path: str, config: Config) -> None:
        """`path`: where `config` came from, and where a reload reads it again."""
        self._path = path
        self._proxy = Proxy(config, name=path)
        self._admin: AdminServer | None = None
        self._admin_configured: str | None = None
        self._stop = asyncio.Event()
        self._stop_now = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until told to stop. Raises ConfigError when the configuration cannot be served."""
        raise_descriptor_limit()
        await self._proxy.start()
        try:
            await self._change_admin(self._proxy.config, self._path)
            self._watch_signals()
            self._tell_listeners()
            log.info("ready", version=__version__, workers=self._proxy.worker_count)
            await self._stop.wait()
            await self._drain()
        finally:
            if self._admin is not None:
                await self._admin.close()
            await self._proxy.close()

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop, number.name)
        loop.add_signal_handler(signal.SIGHUP, self._in_background, self._reload)
        loop.add_signal_handler(signal.SIGUSR1, self._reopen)

    def _in_background(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- signals ---

    def _on_stop(self, name: str) -> None:
        if self._stop.is_set():
            log.warning("stopping at once", signal=name, connections=self._proxy.active_connections)
            self._stop_now.set()
        self._stop.set()

    async def _drain(self) -> None:
        log.info(
            "draining",
            connections=self._proxy.active_connections,
            timeout_ms=self._proxy.config.drain_timeout_ms,
        )
        drain = asyncio.ensure_future(self._proxy.drain())
        now = asyncio.ensure_future(self._stop_now.wait())
        await asyncio.wait((drain, now), return_when=asyncio.FIRST_COMPLETED)
        for each in (drain, now):
            each.cancel()
        await asyncio.gather(drain, now, return_exceptions=True)
        log.info("stopped", connections_reset=self._proxy.active_connections)

    async def _reload(self) -> None:
        """Read the file again; a fault changes nothing."""
        try:
            config = load_file(self._path)
            await self._proxy.apply(config, self._path)
            await self._change_admin(config, self._path)
        except ConfigError as error:
            log.error("reload refused", faults=[fault.render(error.name) for fault in error.faults])
            return
        self._tell_listeners()
        log.info("reloaded", snapshot=self._proxy.snapshot_version)

    def _reopen(self) -> None:
        try:
            self._proxy.reopen_access_log()
        except OSError as error:
            log.error("access log not reopened", reason=error.strerror)

    # --- admin ---

    async def _change_admin(self, config: Config, name: str) -> None:
        wanted = None if config.admin is None else config.admin.address
        if wanted == self._admin_configured:
            return
        replacement = None
        if wanted is not None:
            replacement = AdminServer(self._proxy)
            await replacement.start(wanted, name)
            log.info("admin listening", address=replacement.address)
        if self._admin is not None:
            await self._admin.close()
        self._admin, self._admin_configured = replacement, wanted

    def _tell_listeners(self) -> None:
        for name, address in self._proxy.listener_addresses.items():
            log.info("listening", listener=name, address=address)


def raise_descriptor_limit() -> None:
    """Allow as many open files as the hard limit does: every connection takes two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
