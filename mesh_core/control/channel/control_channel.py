"""A proxy's way to its control plane: finds one, comes back to it, and keeps what it has sent."""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Awaitable, Callable

import structlog

from mesh_core._version import __version__
from mesh_core.channel.frames import ProtocolError
from mesh_core.channel.messages import PROTOCOL, DialInfo, Hello, Register, Telemetry, Update, WorkloadInfo
from mesh_core.config import Config, ConfigError, Fault, parse_address
from mesh_core.config.schema import ControlPlane, Dial, Locality, Workload
from mesh_core.control.channel.conversation import Conversation, RefusedError
from mesh_core.control.channel.held import NAME, Held
from mesh_core.control.channel.last_good import LastGood
from mesh_core.control.channel.workload_health import WorkloadHealth

log = structlog.get_logger("hopmesh")

CONNECT_TIMEOUT_S = 5.0
BACKOFF_FIRST_S, BACKOFF_MOST_S = 0.1, 10.0
"""The bound of the wait before another attempt, which is random below it: a thousand proxies that have lost a control
plane do not come back together."""
LEAVE_TIMEOUT_S = 5.0
RESTART_HINT = "restart the proxy to change it (hopmesh restart)"

TELEMETRY_INTERVAL_S = 1.0

Counted = Callable[[], Telemetry | None]
"""What has been counted since the last time; None: nothing."""

Serve = Callable[[Config], Awaitable[None]]
"""Serve by a configuration from now on. Raises ConfigError, and then nothing has changed."""


class ControlChannel:
    """`run` talks to control planes until it is cancelled. `held` is what has come of it so far."""

    def __init__(self, file: Config, serve: Serve, changing: asyncio.Lock, counted: Counted) -> None:
        """`file`: the configuration's own part, whose `control_plane` says where to go. `changing`: held while what is
        served changes, whoever changes it."""
        assert file.control_plane is not None
        self._file, self._serve, self._changing, self._counted = file, serve, changing, counted
        self._settings: ControlPlane = file.control_plane
        self._last_good = None if self._settings.state is None else LastGood(self._settings.state)
        self._health = WorkloadHealth(self._settings.workloads, self._register)
        self._told: tuple[WorkloadInfo, ...] = ()
        self._leaving = False
        self._config: Config | None = None
        self._talking: Conversation | None = None
        self._writing: asyncio.Task[None] | None = None
        self.held = Held({})
        self.version = 0
        """Of the last update that is in effect; 0: none has come since the start."""
        self.counts = dict.fromkeys(
            ("connect_attempt", "connected", "protocol_error", "update_success", "update_rejected"), 0
        )
        self.last_error = ""
        """Why the last connection ended, or none came about."""

    # --- what is there without a control plane ---

    def start(self) -> Config:
        """The configuration to start with: the file's, with the last good resources where there are any and they fit.

        What does not fit is told in the log, and is asked for anew.
        """
        if self._last_good is None:
            return self._file
        try:
            held = self._last_good.read()
            if held is None:
                return self._file
            config = held.config(self._file)
        except (OSError, ValueError, ConfigError) as error:
            log.error("last good configuration not used", path=self._settings.state, reason=str(error))
            return self._file
        self.held, self._config = held, config
        log.info("last good configuration", path=self._settings.state, resources=len(held.resources))
        return config

    def with_file(self, file: Config) -> Config:
        """The configuration that another file makes with what is held. Raises ConfigError.

        Who asks for it goes on to serve that, and to call `took`.
        """
        if file.control_plane != self._settings:
            raise ConfigError(NAME, (Fault("control_plane", None, None, "fixed while the proxy runs", RESTART_HINT),))
        return self.held.config(file)

    def took(self, file: Config, config: Config) -> None:
        """What `with_file` gave is served."""
        self._file, self._config = file, config

    # --- talking ---

    async def run(self) -> None:
        """Find a control plane and talk to it, for ever; and see whether the workloads are well."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._health.run())
            group.create_task(self._find())

    async def _find(self) -> None:
        addresses = list(self._settings.addresses)
        random.shuffle(addresses)
        failures = 0
        while True:
            address = addresses[failures % len(addresses)]
            before = dict(self.counts)
            wait_ms = await self._visit(address)
            # One that answers and makes no sense is left alone ever longer.
            talked = self.counts["connected"] > before["connected"]
            if talked and self.counts["protocol_error"] == before["protocol_error"]:
                failures = 0
            failures += 1
            bound_s = min(BACKOFF_FIRST_S * 2 ** min(failures - 1, 16), BACKOFF_MOST_S)
            await asyncio.sleep(wait_ms / 1000 + random.uniform(0, bound_s))

    async def _visit(self, address: str) -> int:
        """One connection, to its end; the milliseconds that the control plane wants to be left alone."""
        self.counts["connect_attempt"] += 1
        writer: asyncio.StreamWriter | None = None
        try:
            reader, writer = await _connect(address)
            self._talking = Conversation(reader, writer, self._apply)
            counting = asyncio.get_running_loop().create_task(self._count(self._talking))
            try:
                await self._talking.talk(self._hello())
            finally:
                counting.cancel()
        except RefusedError as error:
            self._ended(address, f"refused: {error}")
            return error.retry_after_ms
        except ProtocolError as error:
            self.counts["protocol_error"] += 1
            self._ended(address, str(error))
        except OSError as error:
            self._ended(address, str(error) or type(error).__name__)
        finally:
            self._talking = None
            if writer is not None:
                writer.transport.abort()
        return 0

    async def _count(self, talking: Conversation) -> None:
        """Tell what is counted. What is not told, because the other end does not read, is told later."""
        while True:
            await asyncio.sleep(TELEMETRY_INTERVAL_S)
            # What has changed between the hello and the welcome.
            self._register()
            if talking.welcome is not None and talking.reads and (telemetry := self._counted()) is not None:
                talking.send(telemetry)

    def _ended(self, address: str, reason: str) -> None:
        talked = self._talking is not None and self._talking.welcome is not None
        if talked:
            self.counts["connected"] += 1
        if talked or reason != self.last_error:
            # Once for each reason: a control plane may be away for long.
            log.warning("control plane lost" if talked else "no control plane", address=address, reason=reason)
        self.last_error = reason

    def _workloads(self) -> tuple[WorkloadInfo, ...]:
        workloads = enumerate(self._settings.workloads)
        return tuple(workload_info(each, self._namespace, self._health.healthy(index)) for index, each in workloads)

    @property
    def _namespace(self) -> str:
        return self._file.node.namespace or "default"

    def _register(self) -> None:
        """Say which workloads are well, if that is another than was said."""
        workloads = self._workloads()
        if workloads != self._told and self._talking is not None and self.connected and not self._leaving:
            self._told = workloads
            self._talking.send(Register(workloads=workloads))

    def _hello(self) -> Hello:
        settings = self._settings
        self._told = self._workloads()
        return Hello(
            protocol=PROTOCOL,
            node=settings.node,
            namespace=self._namespace,
            labels=settings.labels,
            locality=locality_text(settings.locality),
            version=__version__,
            outbound=settings.outbound or "",
            unknown=settings.unknown,
            dials=tuple(dial_info(each) for each in settings.dials),
            workloads=self._told,
            holds=self.held.hashes,
        )

    @property
    def connected(self) -> bool:
        """Whether a control plane is talking to us."""
        return self._talking is not None and self._talking.welcome is not None

    async def leave(self, timeout_s: float = LEAVE_TIMEOUT_S) -> None:
        """Have the workloads taken out of the mesh, and wait until every proxy knows, but no longer than that."""
        self._leaving = True
        if not self._settings.workloads or self._talking is None or not self.connected:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._talking.leave()
        except TimeoutError:
            log.warning("not every proxy has said that it knows of our end", waited_s=timeout_s)

    # --- updates ---

    async def _apply(self, update: Update) -> None:
        async with self._changing:
            try:
                held = self.held.after(update)
                config = None if self._config is None else held.with_endpoints(self._config, update)
                if config is None:
                    config = held.config(self._file)
                await self._serve(config)
            except ConfigError as error:
                self.counts["update_rejected"] += 1
                faults = [fault.render(error.name) for fault in error.faults]
                log.error("update refused", version=update.version, faults=faults)
                raise
            except OSError as error:
                self.counts["update_rejected"] += 1
                raise ConfigError(NAME, (Fault("", None, None, f"cannot be served: {error}"),)) from error
            self.held, self._config, self.version = held, config, update.version
            self.counts["update_success"] += 1
            log.debug("updated", version=update.version)
        if self._last_good is not None and self._writing is None:
            self._writing = asyncio.get_running_loop().create_task(self._write(self._last_good))

    async def _write(self, last_good: LastGood) -> None:
        """Write what is held, and again what has changed meanwhile: an acknowledgement does not wait for the disk."""
        written: Held | None = None
        try:
            while written is not self.held:
                written = self.held
                await asyncio.get_running_loop().run_in_executor(None, last_good.write, written)
        except OSError as error:
            log.error("last good configuration not written", path=self._settings.state, reason=error.strerror)
        finally:
            self._writing = None

    async def close(self) -> None:
        """Wait until what is being written is on disk. `run` has ended."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)


def workload_info(workload: Workload, namespace: str, healthy: bool) -> WorkloadInfo:
    """A workload of the configuration as the channel has it; `namespace`: where none is said."""
    labels = dict(workload.labels)
    if workload.version:
        labels.setdefault("version", workload.version)
    return WorkloadInfo(
        service=workload.service,
        namespace=workload.namespace or namespace,
        port=workload.port,
        port_name=workload.port_name,
        listen=workload.listen,
        app=workload.app,
        protocol=workload.protocol,
        version=workload.version,
        labels=labels,
        weight=workload.weight,
        healthy=healthy,
    )


def dial_info(dial: str | Dial) -> DialInfo:
    """A dial of the configuration as the channel has it."""
    if isinstance(dial, str):
        return DialInfo(host=dial)
    return DialInfo(host=dial.host, port=dial.port or 0, listen=dial.listen or "")


def locality_text(locality: Locality) -> str:
    """Region/zone/sub_zone, as far as it is known."""
    return "/".join((locality.region, locality.zone, locality.sub_zone)).rstrip("/")


async def _connect(address_text: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    address = parse_address(address_text)
    async with asyncio.timeout(CONNECT_TIMEOUT_S):
        connection = socket.socket(address.family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            await asyncio.get_running_loop().sock_connect(connection, address.sockaddr())
            return await asyncio.open_connection(sock=connection)
        except BaseException:
            connection.close()
            raise
