"""The servers of a process, as its configuration wants them: the admin endpoint, and the one for restarts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import structlog

from mesh_core.config import Config
from mesh_core.control.control_server import ControlServer, ControlSocket

log = structlog.get_logger("hopmesh")


class ControlServers:
    """Opens, keeps and closes them, by the field of the configuration that has their address."""

    def __init__(self, make: Mapping[str, Callable[[], ControlServer]]) -> None:
        """`make`: what makes each."""
        self._make = make
        self.running: dict[str, ControlServer] = {}

    async def prepare(
        self, config: Config, name: str, passed: dict[str, ControlSocket] | None = None
    ) -> dict[str, ControlServer]:
        """Those that `config` wants: the ones that there are, or others that listen already but answer nobody.

        `passed`: sockets of another process; those whose address is wanted are used, and taken out. Raises
        ConfigError, and then none is left open.
        """
        wanted = {
            "admin.address": None if config.admin is None else config.admin.address,
            "restart.address": None if config.restart is None else config.restart.address,
        }
        prepared: dict[str, ControlServer] = {}
        try:
            for field, address in wanted.items():
                if address is not None:
                    prepared[field] = self._prepare(field, address, name, {} if passed is None else passed)
        except BaseException:
            await self.discard(prepared)
            raise
        return prepared

    def _prepare(
        self, field: str, address: str, name: str, passed: dict[str, ControlSocket]
    ) -> ControlServer:
        current = self.running.get(field)
        if current is not None and current.listening.configured == address:
            return current
        server = self._make[field]()
        offered = passed.get(field)
        if offered is not None and offered.configured == address:
            server.take_over(passed.pop(field))
        else:
            server.open(address, name)
        return server

    async def discard(self, prepared: Mapping[str, ControlServer]) -> None:
        """Close those that `prepare` has opened."""
        for field, server in prepared.items():
            if self.running.get(field) is not server:
                await server.close()

    async def replace(self, prepared: dict[str, ControlServer]) -> None:
        """Serve by what `prepare` gave from now on."""
        replaced, self.running = self.running, prepared
        for field, server in prepared.items():
            if replaced.get(field) is not server:
                await server.serve()
                log.info(f"{field.partition('.')[0]} listening", address=server.address)
        for field, server in replaced.items():
            if prepared.get(field) is not server:
                await server.close()

    async def close(self) -> None:
        """Close them all."""
        for server in self.running.values():
            await server.close()
