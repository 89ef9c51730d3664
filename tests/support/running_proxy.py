"""A proxy on a loop of its own, in a thread, for tests that play the client and the origin."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from mesh_core.config import load_builtins
from mesh_core.control.listener_sockets import ListenerSocket
from mesh_core.control.proxy import Mounting, Proxy
from mesh_core.control.upstream_health.cluster_gauges import cluster_gauges
from mesh_core.upstream.endpoint_state import BREAKER_PRIORITIES
from tests.support.peer import Peer, connect, turned_away
from tests.support.waiting import LIMIT_S, wait_until

_T = TypeVar("_T")
Settings = dict[str, Any]


COUNTS = ("connections", "pending", "requests", "pending_requests", "breaker_retries")


class RunningProxy:
    """Starts when made. `close` must be called; it fails the test when something went wrong in the background."""

    def __init__(self, config: Settings, mounting: Mounting, passed: Sequence[ListenerSocket] = ()) -> None:
        """`passed`: sockets of another proxy that this one takes over."""
        self.proxy = Proxy(load_builtins(config), mounting=mounting)
        self.proxy.take_over(passed)
        self.access_log = Path(config["access_log"]["path"]) if config.get("access_log") else None
        self.loop = uvloop.new_event_loop()
        self.unhandled: list[dict[str, Any]] = []
        self.loop.set_exception_handler(lambda _, context: self.unhandled.append(context))
        self._thread = threading.Thread(target=self.loop.run_forever, name="control")
        self._thread.start()
        try:
            self.wait(self.proxy.start())
        except BaseException:
            self._end_loop()
            raise

    def start(self, work: Coroutine[Any, Any, _T]) -> Any:
        """Begin `work` on the control thread; returns its concurrent future."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)

    def wait(self, work: Coroutine[Any, Any, _T]) -> _T:
        """Do `work` on the control thread and wait for it."""
        return self.start(work).result(LIMIT_S)

    def call(self, function: Callable[[], _T]) -> _T:
        """Call `function` on the control thread and wait for what it returns."""

        async def work() -> _T:
            return function()

        return self.wait(work())

    @contextmanager
    def held(self) -> Iterator[None]:
        """The control thread does nothing meanwhile; in the inline mounting, the workers neither."""
        holds, go_on = threading.Event(), threading.Event()

        def hold() -> None:
            holds.set()
            go_on.wait(LIMIT_S)

        self.loop.call_soon_threadsafe(hold)
        assert holds.wait(LIMIT_S)
        try:
            yield
        finally:
            go_on.set()

    def apply(self, config: Settings) -> None:
        """Change the configuration."""
        self.wait(self.proxy.apply(load_builtins(config)))

    def close(self) -> None:
        """Close the proxy and its loop; again is allowed."""
        if not self.loop.is_closed():
            try:
                self.wait(self.proxy.close())
                self._check_counts()
            finally:
                self._end_loop()
                # A failed test's traceback keeps this object; what it ran shall be gone all the same.
                del self.proxy
            assert not self.unhandled, self.unhandled

    def _check_counts(self) -> None:
        """No connection is left, so nothing of what all workers count together may be."""
        for name, members in self.proxy.members.items():
            state = members.state
            for priority in BREAKER_PRIORITIES:
                counts = [getattr(state, each)(priority) for each in COUNTS]
                assert counts == [0] * len(COUNTS), (name, priority, counts)
            assert (state.retries, state.request_retries) == (0, 0), name
            assert {each.state.active for each in members.endpoints.values()} <= {0}, name
            assert state.ejected == sum(each.state.ejected for each in members.endpoints.values()), name

    def _end_loop(self) -> None:
        self.wait(self.loop.shutdown_default_executor())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()

    # --- what a test asks of it ---

    def address(self, listener: str = "in") -> str:
        """Where a listener listens."""
        return self.proxy.listener_addresses[listener]

    def connect(self, listener: str = "in", receive_buffer: int | None = None) -> Peer:
        """A client's connection to a listener."""
        return connect(self.address(listener), receive_buffer)

    def turns_away(self, listener: str = "in") -> None:
        """A new connection is reset before it has carried anything."""
        turned_away(self.address(listener))

    def stats(self, kind: str, *labels: str) -> dict[str, int]:
        """The statistics of a scope: ("server"), ("listener", "in"), ("cluster", "app"), ("endpoint", ...)."""
        settle()
        for scope in self.call(lambda: self.proxy.registry.scopes(kind)):
            if scope.labels == labels:
                return scope.read()
        raise AssertionError(f"no scope {kind} {labels}")

    def gauges(self, cluster: str = "app") -> dict[str, int]:
        """The gauges of a cluster."""
        settle()
        return self.call(lambda: cluster_gauges(self.proxy.members[cluster]))

    def wait_for_stat(self, value: int, name: str, kind: str, *labels: str) -> None:
        """Wait until a statistic has exactly this value."""
        wait_until(
            lambda: self.stats(kind, *labels)[name] == value,
            f"{kind} {labels}: {name} is {value}, but {self.stats(kind, *labels)}",
        )

    def wait_for_connections(self, count: int) -> None:
        """Wait until so many downstream connections are open."""
        wait_until(lambda: self.proxy.active_connections == count, f"{count} open connections")

    def records(self, count: int, limit_s: float = LIMIT_S) -> list[dict[str, Any]]:
        """All access records, once there are `count` of them."""
        path = self.access_log
        assert path is not None

        def lines() -> list[str] | None:
            found = path.read_text().splitlines(keepends=True)
            complete = [line for line in found if line.endswith("\n")]
            return complete if len(complete) >= count else None

        found = [json.loads(line) for line in wait_until(lines, f"{count} access records", limit_s)]
        assert len(found) == count, found
        return found

    def record(self) -> dict[str, Any]:
        """The only access record there is."""
        return self.records(1)[0]


def settle() -> None:
    """Wait until each worker thread waits for events, for a second at most: what it counts behind an answer is counted.

    A worker waits for nothing else, so when it sleeps it is done with what a client has seen.
    """
    for thread in threading.enumerate():
        if thread.name.startswith("worker-"):
            with suppress(AssertionError, OSError):
                wait_until(partial(is_asleep, thread), "a worker that waits", limit_s=1)


def is_asleep(thread: threading.Thread) -> bool:
    """By the kernel's word (proc(5))."""
    stat = Path(f"/proc/self/task/{thread.native_id}/stat").read_text(encoding="ascii")
    return stat.rpartition(")")[2].split()[0] == "S"
