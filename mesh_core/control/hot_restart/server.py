"""The socket that `hopmesh restart` talks to: one line asks, one line of JSON answers. Control thread."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable

import orjson
import structlog

from mesh_core.control.control_server import ControlServer
from mesh_core.control.hot_restart.link import RestartError
from mesh_core.control.hot_restart.messages import RESTART_REQUEST

REQUEST_TIMEOUT_S = 5.0

log = structlog.get_logger("hopmesh")


class RestartServer(ControlServer):
    """Restarts the process for those who may ask: its own user, and root.

    The answer is `{"ok": true, "pid": ...}`, or `{"ok": false, "reason": ...}`.
    """

    field = "restart.address"
    connections_limit = 8

    def __init__(self, restart: Callable[[], Awaitable[int]]) -> None:
        """`restart` returns the id of the process that has taken over, or raises RestartError."""
        super().__init__()
        self._restart = restart

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        uid = _peer_uid(writer.get_extra_info("socket").fileno())
        if uid not in (0, os.geteuid()):
            log.warning("a restart was asked for by another user", uid=uid)
            writer.write(_failed("only the user of the proxy, or root, may restart it"))
            return
        try:
            async with asyncio.timeout(REQUEST_TIMEOUT_S):
                request = await reader.readexactly(len(RESTART_REQUEST))
        except asyncio.IncompleteReadError:
            return
        if request != RESTART_REQUEST:
            writer.write(_failed(f"not {RESTART_REQUEST.decode().strip()!r}"))
            return
        with self._busy():
            try:
                answer = orjson.dumps({"ok": True, "pid": await self._restart()}) + b"\n"
            except RestartError as error:
                answer = _failed(str(error))
            writer.write(answer)
            await writer.drain()


def _failed(reason: str) -> bytes:
    return orjson.dumps({"ok": False, "reason": reason}) + b"\n"


def _peer_uid(descriptor: int) -> int:
    with socket.socket(fileno=os.dup(descriptor)) as connection:
        credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", credentials)[1])
