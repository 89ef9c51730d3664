"""Starting the process that takes over, and what becomes of it. Control thread."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys

from mesh_core.control.hot_restart.link import RestartError

VARIABLE = "HOPMESH_HOT_RESTART"
"""Environment variable of a successor: the number of its descriptor for the link."""

STATUSES_LIMIT = 1024
"""Of how many ended processes the status is remembered."""


class Children:
    """The processes that this one has started, and those that it was given as their keeper or as process 1."""

    def __init__(self) -> None:
        self._statuses: dict[int, int] = {}
        self._own: set[int] = set()
        self._news = asyncio.Event()
        self.adopts = os.getpid() == 1
        """Whether it also waits for processes that it has not started."""

    def watch(self) -> None:
        """Wait for those that end, from now on."""
        # uvloop gives this one signal to nobody. The handler runs within a turn of the loop.
        loop = asyncio.get_running_loop()
        signal.signal(signal.SIGCHLD, lambda *_: loop.call_soon_threadsafe(self._reap))

    def start(self, end: socket.socket) -> int:
        """Run the command line of this process anew, with `end` as its end of the link; its process id.

        The program is looked up again, so a newer version that was installed meanwhile is what runs. Raises
        RestartError.
        """
        number = 3
        try:
            # Never a fork: this process has threads. It has a process group of its own, so that Ctrl-C on a terminal
            # reaches it once, by way of the keeper.
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, *sys.orig_argv[1:]],
                {**os.environ, VARIABLE: str(number)},
                file_actions=[(os.POSIX_SPAWN_DUP2, end.fileno(), number)],
                setpgroup=0,
                setsigmask=[],
            )
        except OSError as error:
            raise RestartError(f"cannot start {sys.executable}: {error.strerror}") from error
        self._own.add(pid)
        return pid

    async def status(self, pid: int) -> int:
        """Wait for the end of a process; what it returned, or 128 and the number of the signal that ended it."""
        self._reap()
        while pid not in self._statuses:
            self._news.clear()
            await self._news.wait()
        return self._statuses[pid]

    def has_ended(self, pid: int) -> bool:
        """Whether the end of that process is known."""
        return pid in self._statuses

    def _reap(self) -> None:
        for pid in (-1,) if self.adopts else tuple(self._own):
            while True:
                try:
                    ended, status = os.waitpid(pid, os.WNOHANG)
                except ChildProcessError:
                    break
                if ended == 0:
                    break
                code = os.waitstatus_to_exitcode(status)
                self._own.discard(ended)
                self._statuses[ended] = 128 - code if code < 0 else code
                if len(self._statuses) > STATUSES_LIMIT:
                    self._statuses.pop(next(iter(self._statuses)))
        self._news.set()
