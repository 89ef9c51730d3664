"""A proxy inside another program: the public Python API. docs/embedding.md is its manual.

Nothing here relays: it holds a `mesh_core.control.proxy.Proxy`, checks what it is given, and refuses wrong use in
words. All of it runs on the thread of the program's event loop.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import warnings
from types import TracebackType
from typing import Final, Literal, Self, get_args

from mesh_core.config import Config, ConfigError, Fault, check_config
from mesh_core.config.escape import escaped
from mesh_core.control import proxy as control
from mesh_core.control.admin.statistics import statistics
from mesh_core.control.worker_pool import Mounting
from mesh_core.telemetry.stats import STATISTICS

State = Literal["new", "starting", "live", "draining", "closed"]

OF_A_PROCESS: Final = ("admin", "restart", "control_plane")
"""Fields of a configuration that only a process of its own (`hopmesh proxy`) can follow."""


class Proxy:
    """A proxy that runs in this program, from `start` to `close`, or as long as `async with` has it.

    Everything is asked and told on the thread, and in the event loop, that `start` was called in; anywhere else it
    raises RuntimeError, as does what comes too early or too late.
    """

    def __init__(self, config: Config, *, mounting: Mounting = "threaded", name: str = "<config>") -> None:
        """Nothing is opened or checked before `start`.

        `mounting`: "threaded" gives each worker a thread that never takes the GIL; "inline" runs the worker in turns
        of the event loop. `name`: what a ConfigError calls the configuration. Raises TypeError, ValueError.
        """
        _refuse_other_types(config)
        if mounting not in get_args(Mounting):
            raise ValueError(f'mounting is "threaded" or "inline", not {mounting!r}')
        self._config = config
        self._mounting = mounting
        self._name = escaped(name)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread = 0
        self._proxy: control.Proxy | None = None
        self._closing: asyncio.Task[None] | None = None
        self._last_stats: dict[str, float] | None = None

    def __repr__(self) -> str:
        return f"<mesh_core.Proxy {self._name}: {self.state}, {self._mounting}>"

    def __del__(self) -> None:
        # Of one whose constructor has raised there is nothing to say.
        if getattr(self, "_proxy", None) is not None and self.state != "closed":
            warnings.warn(f"nobody closed {self!r}: it goes on", ResourceWarning, stacklevel=1, source=self)

    # --- life ---

    async def __aenter__(self) -> Self:
        """`start`."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """`drain`, as long as is configured, then `close`; after an exception (cancellation too) `close` at once."""
        try:
            if kind is None and self.state in ("live", "draining"):
                await self.drain()
        finally:
            await self.close()

    async def start(self) -> None:
        """Listen, start the workers, serve; once. When it raises, or is cancelled, nothing is left open.

        Raises ConfigError when the configuration cannot be served, OSError when the system gives no descriptors,
        MemoryError, RuntimeError when it gives no threads, when this was started before, or when SIGPIPE would end the
        process.
        """
        if self._loop is not None:
            raise RuntimeError(f"a proxy is started once, and this one is {self.state}: make another")
        if signal.getsignal(signal.SIGPIPE) == signal.SIG_DFL:
            # splice(2) has no MSG_NOSIGNAL.
            raise RuntimeError("SIGPIPE would end the process: ignore it, as Python does by itself")
        config = self._checked(self._config)
        self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._proxy = control.Proxy(config, mounting=self._mounting, name=self._name)
        try:
            await self._proxy.start()
        except BaseException as error:
            was_closed = self._closing is not None
            await self.close()
            if was_closed and isinstance(error, ConfigError):
                raise RuntimeError("the proxy was closed while it started") from error
            raise

    async def apply(self, config: Config) -> None:
        """Serve by `config` from now on; open connections go on as they began. `workers` cannot change.

        Once begun it is done as a whole, also when the caller is cancelled. Raises ConfigError when it cannot be
        taken; then nothing has changed.
        """
        proxy = self._in("live")
        _refuse_other_types(config)
        try:
            await proxy.apply(self._checked(config), self._name)
        except ConfigError as error:
            if self.state != "live":
                raise RuntimeError(f"the proxy is {self.state}: the change came too late") from error
            raise

    async def drain(self, timeout_ms: int | None = None) -> int:
        """Stop listening, for good, and wait until every connection has ended; returns how many had to be reset.

        `timeout_ms`: milliseconds until those that are left are reset; default: the configuration's
        `drain_timeout_ms`. Cancelled, it leaves connections open, and may be called again.
        """
        if timeout_ms is not None and timeout_ms < 0:
            raise ValueError(f"timeout_ms is 0 or more, not {timeout_ms}")
        return await self._in("live", "draining").drain(timeout_ms)

    async def close(self) -> None:
        """Reset what is left and give everything back; also before `start`, also twice.

        Done to the end when the caller is cancelled; it takes moments, unless the access log's file is slow (2 s).
        """
        if self._loop is None:
            # It can be started no more: what has been closed stays so.
            self._loop, self._thread = asyncio.get_running_loop(), threading.get_ident()
        self._refuse_elsewhere(in_loop=True)
        if self._proxy is None:
            return
        cancelled = False
        while self._closing is None or not self._closing.done() or self._closing.cancelled():
            if self._closing is None or self._closing.cancelled():
                self._closing = self._loop.create_task(self._close(self._proxy))
            try:
                await asyncio.wait((self._closing,))
            except asyncio.CancelledError:
                cancelled = True
        self._closing.result()
        if cancelled:
            raise asyncio.CancelledError

    async def _close(self, proxy: control.Proxy) -> None:
        # Counters go with the last snapshot that has them, unless somebody keeps them.
        counters = [scope for kind in STATISTICS for scope in proxy.registry.scopes(kind)]
        await proxy.close()
        self._last_stats = statistics(proxy)
        del counters

    # --- what can be asked ---

    @property
    def state(self) -> State:
        """Where it is in its life; "draining" from the begin of `drain` until `close`."""
        if self._proxy is None:
            return "new" if self._loop is None else "closed"
        return "starting" if self._proxy.state == "new" else self._proxy.state

    @property
    def config(self) -> Config:
        """The configuration in force; before `start` that which was given, unchecked."""
        return self._config if self._proxy is None else self._proxy.config

    @property
    def listener_addresses(self) -> dict[str, str]:
        """Where each listener listens, by its name, as a configuration writes it; with the port that port 0 took."""
        return self._in("live", "draining", "closed").listener_addresses

    @property
    def active_connections(self) -> int:
        """Downstream connections open now."""
        return self._in("live", "draining", "closed").active_connections

    def stats(self) -> dict[str, float]:
        """All counters and gauges by the names of the admin endpoint's /stats; after `close`, the last ones.

        They are integers, but for `server.cpu_seconds_total`. Takes about two microseconds for each name.
        """
        proxy = self._in("live", "draining", "closed")
        return statistics(proxy) if self._last_stats is None else dict(self._last_stats)

    def reopen_access_log(self) -> None:
        """Go on in a new file of the same name, after the old one was moved away. Raises OSError."""
        self._in("live", "draining").reopen_access_log()

    # --- wrong use ---

    def _checked(self, config: Config) -> Config:
        refused = tuple(
            Fault(field, None, None, "only a process of its own has it, which `hopmesh proxy` runs", "remove it")
            for field in OF_A_PROCESS
            if getattr(config, field) is not None
        )
        try:
            checked = check_config(config, self._name)
        except ConfigError as error:
            raise ConfigError(self._name, error.faults + refused, error.omitted) from error
        if refused:
            raise ConfigError(self._name, refused)
        return checked

    def _in(self, *states: State) -> control.Proxy:
        """What is held, in the right place and time. Raises RuntimeError."""
        if self._proxy is None and self._loop is None:
            raise RuntimeError("the proxy is not started: await start(), or use it with `async with`")
        self._refuse_elsewhere(in_loop="closed" not in states)
        if self._proxy is None or self.state not in states:
            raise RuntimeError(f"the proxy is {self.state}")
        return self._proxy

    def _refuse_elsewhere(self, *, in_loop: bool) -> None:
        if self._thread != threading.get_ident():
            raise RuntimeError("a proxy is used in its loop's thread alone: loop.call_soon_threadsafe leads there")
        if in_loop and asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("the proxy belongs to another event loop")


def _refuse_other_types(config: object) -> None:
    if not isinstance(config, Config):
        raise TypeError(f"expected a Config, which load_builtins makes of a dict, not {type(config).__name__}")
