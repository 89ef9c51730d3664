"""The process of `hopmesh proxy`: start, reload on SIGHUP, drain on SIGTERM and SIGINT, rotate on SIGUSR1."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from mesh_core._version import __version__
from mesh_core.config import Config, ConfigError, Fault, load_file
from mesh_core.config.escape import escaped
from mesh_core.control.admin.server import AdminServer
from mesh_core.control.proxy import Proxy

log = structlog.get_logger("hopmesh")


class Process:
    """One proxy, its admin endpoint, and the signals that steer them."""

    def __init__(self, path: str, config: Config) -> None:
        """`path`: where `config` came from, and where a reload reads it again."""
        self._path = path
        self._name = escaped(os.fspath(path))
        self._proxy = Proxy(config, name=self._name)
        self._admin: AdminServer | None = None
        self._admin_configured: str | None = None
        self._reloading = asyncio.Lock()
        self._reload_waits = False
        self._stop = asyncio.Event()
        self._stop_now = asyncio.Event()
        self._draining = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until told to stop. Raises ConfigError when the configuration cannot be served."""
        raise_descriptor_limit()
        asyncio.get_running_loop().set_exception_handler(_log_internal_error)
        try:
            # A reload that is asked for meanwhile waits; a stop is heard as soon as there is something to stop.
            async with self._reloading:
                self._watch_signals()
                await self._start()
            self._tell_listeners()
            log.info("ready", version=__version__, workers=self._proxy.worker_count)
            await self._stop.wait()
            await self._drain()
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            if self._admin is not None:
                await self._admin.close()
            await self._proxy.close()

    async def _start(self) -> None:
        # The admin endpoint first: with its address taken, no listener may have accepted anybody.
        config = self._proxy.config
        await self._replace_admin(config, await self._prepare_admin(config))
        try:
            await self._proxy.start()
        except OSError as error:
            raise ConfigError(self._name, (Fault("", None, None, f"cannot be served: {error}"),)) from error
        self._tell_admin()

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._on_stop, number.name)
        loop.add_signal_handler(signal.SIGHUP, self._on_reload)
        loop.add_signal_handler(signal.SIGUSR1, self._reopen)

    def _in_background(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- signals ---

    def _on_stop(self, name: str) -> None:
        # uvloop may report one signal twice when two come together: only one that finds a drain is a second one.
        if self._draining:
            log.warning("stopping at once", signal=name, connections=self._proxy.active_connections)
            self._stop_now.set()
        self._stop.set()

    async def _drain(self) -> None:
        self._draining = True
        log.info(
            "draining",
            connections=self._proxy.active_connections,
            timeout_ms=self._proxy.config.drain_timeout_ms,
        )
        drain = asyncio.ensure_future(self._proxy.drain())
        now = asyncio.ensure_future(self._stop_now.wait())
        await asyncio.wait((drain, now), return_when=asyncio.FIRST_COMPLETED)
        # Told to hurry, it is `close` that resets them.
        left = drain.result() if drain.done() else self._proxy.active_connections
        for each in (drain, now):
            each.cancel()
        await asyncio.gather(drain, now, return_exceptions=True)
        log.info("stopped", connections_reset=left)

    def _on_reload(self) -> None:
        # One that has not begun will read the file as it is then.
        if not self._reload_waits:
            self._reload_waits = True
            self._in_background(self._reload)

    async def _reload(self) -> None:
        """Read the file again; a fault changes nothing."""
        async with self._reloading:
            self._reload_waits = False
            try:
                await self._take(load_file(self._path))
            except ConfigError as error:
                log.error("reload refused", faults=[fault.render(error.name) for fault in error.faults])
            except Exception:
                log.exception("reload failed")
            else:
                self._tell_listeners()
                log.info("reloaded", snapshot=self._proxy.snapshot_version)

    async def _take(self, config: Config) -> None:
        # What can fail comes first, so that a refused configuration is refused whole.
        replacement = await self._prepare_admin(config)
        try:
            await self._proxy.apply(config, self._name)
        except BaseException:
            if replacement is not self._admin and replacement is not None:
                await replacement.close()
            raise
        if await self._replace_admin(config, replacement):
            self._tell_admin()

    def _reopen(self) -> None:
        try:
            self._proxy.reopen_access_log()
        except OSError as error:
            log.error("access log not reopened", reason=error.strerror)

    # --- admin ---

    async def _prepare_admin(self, config: Config) -> AdminServer | None:
        """The endpoint that `config` wants: the one that there is, or another that listens already."""
        wanted = None if config.admin is None else config.admin.address
        if wanted is None or wanted == self._admin_configured:
            return None if wanted is None else self._admin
        replacement = AdminServer(self._proxy)
        await replacement.start(wanted, self._name)
        return replacement

    async def _replace_admin(self, config: Config, replacement: AdminServer | None) -> bool:
        """Serve by `replacement` from now on; whether that changed anything."""
        replaced, self._admin = self._admin, replacement
        self._admin_configured = None if config.admin is None else config.admin.address
        if replaced is replacement:
            return False
        if replaced is not None:
            await replaced.close()
        return True

    def _tell_admin(self) -> None:
        if self._admin is not None:
            log.info("admin listening", address=self._admin.address)

    def _tell_listeners(self) -> None:
        for name, address in self._proxy.listener_addresses.items():
            log.info("listening", listener=name, address=address)


def raise_descriptor_limit() -> None:
    """Allow as many open files as the hard limit does: every connection takes two."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        # A hard limit over fs.nr_open is possible, and cannot be reached.
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _log_internal_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would write in a format of its own."""
    log.error("internal error", reason=context.get("message"), exc_info=context.get("exception"))
