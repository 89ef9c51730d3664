"""Fixtures of the integration tests: a proxy in both mountings, an origin, and a check that nothing leaks."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import uvloop

from mesh_core.control.listener_sockets import ListenerSocket
from mesh_core.control.proxy import Mounting
from mesh_core.runtime.memory import fail_allocations_after_for_test
from tests.support.addresses import Kind, free_address
from tests.support.configs import cluster, config, listener
from tests.support.leaks import LeakCheck
from tests.support.peer import Origin
from tests.support.running_proxy import RunningProxy

Settings = dict[str, Any]


@pytest.fixture(scope="session", autouse=True)
def opened_once() -> None:
    """What a process opens once and keeps is opened before anything is counted."""
    uvloop.new_event_loop().close()


@pytest.fixture(autouse=True)
def no_leaks(opened_once: None) -> Iterator[None]:
    """Memory of the compiled core and descriptors are as many after a test as before it."""
    check = LeakCheck()
    yield
    fail_allocations_after_for_test(None)
    check.check()


@pytest.fixture(params=["threaded", "inline"])
def mounting(request: pytest.FixtureRequest) -> Mounting:
    """Every test that runs a proxy runs it in both mountings."""
    return request.param


@pytest.fixture
def start(mounting: Mounting, no_leaks: None) -> Iterator[Callable[..., RunningProxy]]:
    """Start a proxy by a whole configuration; it is closed when the test ends."""
    running: list[RunningProxy] = []

    def start_one(settings: Settings, passed: Sequence[ListenerSocket] = ()) -> RunningProxy:
        running.append(RunningProxy(settings, mounting, passed))
        return running[-1]

    yield start_one
    fail_allocations_after_for_test(None)
    while running:
        running.pop().close()


@pytest.fixture
def origin(no_leaks: None) -> Iterator[Origin]:
    """An origin on IPv4."""
    with Origin() as made:
        yield made


@pytest.fixture
def serve(start: Callable[[Settings], RunningProxy], tmp_path: Path) -> Callable[..., RunningProxy]:
    """Start a proxy with the listener "in" and the cluster "app": `serve(origin.address, listener={...})`."""

    def serve_one(
        *endpoints: str,
        kind: Kind = "ipv4",
        listener: Settings | None = None,
        cluster: Settings | None = None,
        **more: Any,
    ) -> RunningProxy:
        settings = {"address": free_address(kind, tmp_path)} | (listener or {})
        return start(config([_listener(**settings)], [_cluster(endpoints, **(cluster or {}))], tmp_path, **more))

    return serve_one


_listener, _cluster = listener, cluster


@pytest.fixture(params=["ipv4", "ipv6", "unix", "abstract"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Every kind of address."""
    if request.param == "ipv6":
        try:
            with socket.socket(socket.AF_INET6) as probe:
                probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 loopback")
    return request.param


@pytest.fixture
def origin_of_kind(kind: Kind, tmp_path: Path, no_leaks: None) -> Iterator[Origin]:
    """An origin on an address of that kind."""
    with Origin(free_address(kind, tmp_path)) as made:
        yield made
