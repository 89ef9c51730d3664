"""The process of `hopmesh control-plane`: the store, the API, the proxies, and the signals that end it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import stat
from pathlib import Path
from typing import Any

import structlog

from mesh_core._version import __version__
from mesh_core.config import ConfigError, Fault
from mesh_core.control.descriptor_limit import raise_descriptor_limit
from mesh_cp.api.server import ApiServer
from mesh_cp.channel.server import ChannelServer
from mesh_cp.paths import channel_address_beside, default_api_address
from mesh_cp.push.followed import Followed
from mesh_cp.push.observed import Observed
from mesh_cp.push.progress import Progress
from mesh_cp.settings import Settings
from mesh_cp.store.sqlite import SqliteStore

log = structlog.get_logger("hopmesh")


GARBAGE_THRESHOLDS = (50_000, 20, 20)
"""When cycles are looked for (CPython's own: 700, 10, 10). A large mesh is a million objects, next to none of them in a
cycle, and nobody is answered while all of them are looked at, which takes a third of a second."""


class ControlPlane:
    """One control plane."""

    def __init__(self, settings: Settings, name: str) -> None:
        """`name`: what faults call the settings."""
        self._settings = settings
        self._name = name
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises ConfigError, StoreOpenError."""
        raise_descriptor_limit()
        gc.set_threshold(*GARBAGE_THRESHOLDS)
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(_log_internal_error)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stopping.set)
        store = await SqliteStore.open(self._settings.data_path, self._settings.revisions_kept)
        try:
            log.info("store open", path=str(self._settings.data_path), revision=await store.revision())
            await self._serve(store)
        finally:
            await store.close()
        log.info("stopped")

    async def _serve(self, store: SqliteStore) -> None:
        followed = Followed(store)
        pusher = await followed.start()
        api = ApiServer(
            store, Progress(pusher, followed), Observed(pusher), int(self._settings.api.socket_mode, 8)
        )
        channel = ChannelServer(pusher, socket_mode=int(self._settings.channel.socket_mode, 8))
        following = asyncio.get_running_loop().create_task(followed.run())
        try:
            # Both, before anybody is answered: with the address of one taken, nothing was begun.
            self._open(api, channel)
            await channel.serve()
            log.info("channel listening", address=channel.address)
            await api.serve()
            log.info("api listening", address=api.address)
            log.info("ready", version=__version__)
            await self._stopping.wait()
            log.info("stopping")
        finally:
            await api.close()
            await channel.close()
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)
            await pusher.registrations.close()

    def _open(self, api: ApiServer, channel: ChannelServer) -> None:
        settings = self._settings
        if settings.api.address is None or settings.channel_address == channel_address_beside(default_api_address()):
            _make_private(Path(default_api_address().removeprefix("unix:")).parent, self._name)
        api.open(settings.api_address, self._name)
        channel.open(settings.channel_address, self._name)


def _make_private(folder: Path, name: str) -> None:
    """Make the folder of the default socket; one that is somebody else's is refused. Raises ConfigError."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = folder.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
            return
        reason = "it is somebody else's"
    except OSError as error:
        reason = error.strerror or str(error)
    message = f"{folder} cannot be used: {reason}"
    raise ConfigError(name, (Fault("api.address", None, None, message, "choose another address"),))


def _log_internal_error(_loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What asyncio would write in a format of its own."""
    log.error("internal error", reason=context.get("message"), exc_info=context.get("exception"))
