"""A proxy between raw clients and a recording origin."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tests.support.configs import cluster, config
from tests.support.http_client import HttpClient, Incomplete
from tests.support.http_messages import get
from tests.support.http_oracles import Message
from tests.support.http_origin import HttpOrigin
from tests.support.peer import connect
from tests.support.request_records import check_records, requests_of
from tests.support.running_proxy import RunningProxy

Settings = dict[str, Any]


class HttpMesh:
    """A proxy with one worker; its listener "in" speaks HTTP with the origin. `finish` must be called; with a `log` it
    looks at the access log too."""

    def __init__(
        self, start: Callable[[Settings], RunningProxy], folder: Path, listener: Settings, log: bool = False
    ) -> None:
        self.origin = HttpOrigin()
        self._fence_origin = HttpOrigin()
        self._fence_lock = threading.Lock()
        self._clients: list[HttpClient] = []
        try:
            self.proxy = start(_config(self.origin.address, self._fence_origin.address, listener, folder, log))
            self._fence = self.client("fence")
        except BaseException:
            self.close()
            raise

    def client(self, listener: str = "in") -> HttpClient:
        """A new connection."""
        self._clients.append(HttpClient(connect(self.proxy.address(listener))))
        return self._clients[-1]

    def fence(self) -> None:
        """Whatever was sent before to the proxy's only worker, that has read when this returns. For any thread."""
        with self._fence_lock:
            assert self._fence.exchange(get(b"/fence")).status == 200

    def exchange(self, data: bytes, method: bytes = b"GET") -> Message:
        """Send a request on a connection of its own; its response."""
        with self.client() as client:
            return client.exchange(data, method)

    def finish(self) -> list[Message]:
        """Stop the proxy; the complete requests that the origin got. Whatever else it got was no more than the begin
        of one."""
        if self._clients:
            self._close_clients()
            log = self.proxy.access_log
            count = requests_of(self.proxy, "in", "fence") if log else 0
            self.proxy.close()
            self.origin.settle()
            if log:
                check_records(log, count)
        faults = [each.fault for each in self.origin.connections if each.fault]
        assert not faults, faults
        return self.origin.requests

    def targets(self) -> list[bytes]:
        """The targets of all requests that the origin got; stops the proxy."""
        return [message.target for message in self.finish()]

    def close(self) -> None:
        """Give everything back, whatever has failed."""
        self._close_clients()
        self.origin.close()
        self._fence_origin.close()

    def _close_clients(self) -> None:
        while self._clients:
            self._clients.pop().peer.close()


def _config(origin: str, fence: str, listener: Settings, folder: Path, log: bool) -> Settings:
    base: Settings = {"name": "in", "address": "127.0.0.1:0", "protocol": "http"}
    if not {"routes", "virtual_hosts"} & listener.keys():
        base["cluster"] = "app"
    fences = {"name": "fence", "address": "127.0.0.1:0", "protocol": "http", "cluster": "fence"}
    clusters = [cluster([origin]), cluster([fence], "fence")]
    more = {} if log else {"access_log": None}
    return config([base | listener, fences], clusters, folder, **more)


# --- judgements that do not stop at the first fault ---

ADDED = frozenset({b"x-forwarded-for", b"x-forwarded-proto", b"x-request-id"})
"""What the proxy adds to requests."""


def kept_fields(message: Message) -> list[tuple[bytes, bytes]]:
    """The fields of a message but those that the proxy adds."""
    return [(name, value) for name, value in message.fields if name.lower() not in ADDED]


def refused(client: HttpClient, status: int) -> str | None:
    """What is wrong with a refusal; None when the answer has that status, says that the connection is closed, and is
    the last thing on it."""
    try:
        response = client.response()
    except Incomplete as incomplete:
        return f"no answer: {incomplete}"
    if response.status != status:
        return f"answered by {response.status}"
    if response.values(b"Connection") != [b"close"]:
        return f"the answer does not say that the connection is closed: {response.fields}"
    rest = client.until_end()
    return f"more behind the answer: {rest!r}" if rest else None


def failed(client: HttpClient, method: bytes = b"GET") -> str | None:
    """What is wrong with how a client learns that the upstream has failed; None when it gets an error of the proxy's or
    an incomplete response."""
    try:
        response = client.response(method)
    except Incomplete:
        return None
    return None if response.status in (502, 503) else f"a complete response: {response}"


def complaints(found: Iterable[tuple[str, str | None]]) -> list[str]:
    """Those of the judgements that say something, by name."""
    return [f"{name}: {said}" for name, said in found if said is not None]
