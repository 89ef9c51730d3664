"""The process of `hopmesh proxy`, and what signals do: SIGHUP reloads it, SIGTERM and SIGINT drain it, SIGUSR1 rotates
its log, SIGUSR2 has a new process take over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

import structlog

from mesh_core._version import __version__
from mesh_core.channel.messages import Telemetry
from mesh_core.config import Config, ConfigError, Fault, load_file
from mesh_core.config.escape import escaped
from mesh_core.config.schema.operations import RESTART_TIMEOUT_MS
from mesh_core.control.admin.server import AdminServer
from mesh_core.control.channel.control_channel import ControlChannel
from mesh_core.control.channel.counted import CountedRequests
from mesh_core.control.control_server import ControlServer
from mesh_core.control.control_servers import ControlServers
from mesh_core.control.descriptor_limit import raise_descriptor_limit
from mesh_core.control.hot_restart.link import RestartError
from mesh_core.control.hot_restart.messages import Order
from mesh_core.control.hot_restart.predecessor import Predecessor
from mesh_core.control.hot_restart.restarts import Restarts
from mesh_core.control.hot_restart.server import RestartServer
from mesh_core.control.proxy import Proxy

log = structlog.get_logger("hopmesh")


ORDERS: dict[signal.Signals, Order] = {
    signal.SIGTERM: "stop",
    signal.SIGINT: "stop",
    signal.SIGHUP: "reload",
    signal.SIGUSR1: "reopen",
    signal.SIGUSR2: "restart",
}


class Process:
    """One proxy, the servers for operators, and the signals that steer them."""

    def __init__(self, path: str, config: Config, predecessor: Predecessor | None = None) -> None:
        """`path`: where `config` came from, and where a reload reads it again.

        `predecessor`: the process to take over from, in a hot restart.
        """
        self._path = path
        self._name = escaped(os.fspath(path))
        self.changing = asyncio.Lock()
        self._channel: ControlChannel | None = None
        if config.control_plane is not None:
            self._channel = ControlChannel(config, self._take_pushed, self.changing, self._growth)
        self.proxy = Proxy(config if self._channel is None else self._channel.start(), name=self._name)
        self._counted = CountedRequests(self.proxy)
        restarts = self._restarts = Restarts(self, predecessor)
        self._servers = ControlServers(
            {
                AdminServer.field: lambda: AdminServer(self.proxy),
                RestartServer.field: lambda: RestartServer(restarts.restart),
            }
        )
        self.stopping = asyncio.Event()
        self._reload_waits = False
        self._stop_now = asyncio.Event()
        self._draining = False
        self._leaves_mesh = False
        self._talking: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self) -> int:
        """Serve until told to stop, or until another process has taken over; returns the exit status.

        Raises ConfigError when the configuration cannot be served, RestartError when it cannot take over.
        """
        raise_descriptor_limit()
        asyncio.get_running_loop().set_exception_handler(_log_internal_error)
        try:
            try:
                # A reload that is asked for meanwhile waits; a stop is heard as soon as there is something to stop.
                async with self.changing:
                    self._watch_signals()
                    await self._start()
                self._tell_listeners()
                log.info("ready", version=__version__, workers=self.proxy.worker_count)
                self._talk()
                await self.stopping.wait()
                await self._leave_mesh()
                await self._drain()
            finally:
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                await self._hang_up()
                await self._servers.close()
                await self.proxy.close()
            return await self._restarts.finish()
        finally:
            await self._restarts.close()

    async def _start(self) -> None:
        passed = await self._restarts.receive()
        config = self.proxy.config
        try:
            # The servers first: with the address of one taken, no listener may have accepted anybody.
            servers = await self._servers.prepare(config, self._name, None if passed is None else passed.servers)
            if passed is not None:
                self.proxy.take_over(passed.take_listeners())
        finally:
            if passed is not None:
                passed.close()
        try:
            await self.proxy.start(self._restarts.ready)
        except BaseException as error:
            await self._servers.discard(servers)
            if isinstance(error, OSError):
                raise ConfigError(self._name, (Fault("", None, None, f"cannot be served: {error}"),)) from error
            raise
        await self._servers.replace(servers)
        self._restarts.serving()

    def _watch_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for number, order in ORDERS.items():
            loop.add_signal_handler(number, self.obey, order)
        self._restarts.watch()

    def _in_background(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.get_running_loop().create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- what it is told, by a signal or by another process ---

    def obey(self, order: Order) -> None:
        """Do what is ordered, or pass it on to the process that has taken over."""
        if self._restarts.passes_on(order):
            return
        match order:
            case "stop":
                self._on_stop()
            case "stop at once":
                self._hurry()
            case "reload":
                self._on_reload()
            case "reopen":
                self._reopen()
            case "restart":
                self._in_background(self._restart)

    def _on_stop(self) -> None:
        # uvloop may report one signal twice when two come together: only one that finds a drain is a second one.
        if self._draining:
            self._hurry()
        self.proxy.hurry()
        self._leaves_mesh = True
        self.stopping.set()

    def _hurry(self) -> None:
        log.warning("stopping at once", connections=self.proxy.active_connections)
        self._stop_now.set()
        self._restarts.tell_predecessor("stop at once")

    async def _drain(self) -> None:
        self._draining = True
        log.info(
            "draining",
            connections=self.proxy.active_connections,
            timeout_ms=self.proxy.config.drain_timeout_ms,
        )
        drain = asyncio.ensure_future(self.proxy.drain())
        now = asyncio.ensure_future(self._stop_now.wait())
        await asyncio.wait((drain, now), return_when=asyncio.FIRST_COMPLETED)
        # Told to hurry, it is `close` that resets them.
        left = drain.result() if drain.done() else self.proxy.active_connections
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
        async with self.changing:
            self._reload_waits = False
            # It may have waited for another process to take over.
            if self._restarts.passes_on("reload"):
                return
            try:
                await self._take_file(load_file(self._path))
            except ConfigError as error:
                log.error("reload refused", faults=[fault.render(error.name) for fault in error.faults])
            except Exception:
                log.exception("reload failed")
            else:
                self._tell_listeners()
                log.info("reloaded", snapshot=self.proxy.snapshot_version)

    async def _take_file(self, file: Config) -> None:
        if self._channel is None:
            if file.control_plane is not None:
                fault = Fault("control_plane", None, None, "fixed while the proxy runs", "restart the proxy to add it")
                raise ConfigError(self._name, (fault,))
            await self._take(file)
            return
        config = self._channel.with_file(file)
        await self._take(config)
        self._channel.took(file, config)

    async def _take(self, config: Config) -> None:
        # What can fail comes first, so that a refused configuration is refused whole.
        servers = await self._servers.prepare(config, self._name)
        try:
            await self.proxy.apply(config, self._name)
        except BaseException:
            await self._servers.discard(servers)
            raise
        await self._servers.replace(servers)

    # --- the control channel ---

    async def _take_pushed(self, config: Config) -> None:
        before = self.proxy.listener_addresses
        await self._take(config)
        for name, address in self.proxy.listener_addresses.items():
            if before.get(name) != address:
                log.info("listening", listener=name, address=address)

    def _growth(self) -> Telemetry | None:
        return self._counted.growth()

    def _talk(self) -> None:
        if self._channel is not None:
            self._talking = asyncio.get_running_loop().create_task(self._channel.run())

    async def _leave_mesh(self) -> None:
        """Before a drain: nobody is to be sent here any more. Who takes over in a hot restart goes on instead."""
        if self._channel is not None and self._leaves_mesh:
            leaving = asyncio.ensure_future(self._channel.leave())
            now = asyncio.ensure_future(self._stop_now.wait())
            await asyncio.wait((leaving, now), return_when=asyncio.FIRST_COMPLETED)
            for each in (leaving, now):
                each.cancel()
            await asyncio.gather(leaving, now, return_exceptions=True)
        await self._hang_up()

    async def _hang_up(self) -> None:
        if self._talking is not None:
            self._talking.cancel()
            await asyncio.gather(self._talking, return_exceptions=True)
            self._talking = None
        if self._channel is not None:
            await self._channel.close()

    def _reopen(self) -> None:
        self._restarts.tell_predecessor("reopen")
        try:
            self.proxy.reopen_access_log()
        except OSError as error:
            log.error("access log not reopened", reason=error.strerror)

    async def _restart(self) -> None:
        # Why it has failed is in the log.
        with contextlib.suppress(RestartError):
            await self._restarts.restart()

    # --- for a hot restart ---

    @property
    def servers(self) -> Mapping[str, ControlServer]:
        """By the field of the configuration that has their address."""
        return self._servers.running

    @property
    def restart_timeout_ms(self) -> int:
        """How long a new process may take to be ready."""
        restart = self.proxy.config.restart
        return RESTART_TIMEOUT_MS if restart is None else restart.timeout_ms

    def _tell_listeners(self) -> None:
        for name, address in self.proxy.listener_addresses.items():
            log.info("listening", listener=name, address=address)


def _log_internal_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would write in a format of its own."""
    log.error("internal error", reason=context.get("message"), exc_info=context.get("exception"))
