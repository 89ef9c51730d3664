"""What balancing costs the whole proxy: two of them at once on one processor, each with a load and an origin."""

import ipaddress

from benchmarks.errors import BenchmarkError
from benchmarks.measure.requests import whole
from benchmarks.measure.trial import Trial, watch
from benchmarks.peers import Peer
from benchmarks.peers.floor import FloorSpread
from benchmarks.peers.hopmesh import HopmeshBalancing
from benchmarks.programs import program

_FEW, _MANY = 10, 10_000
_FIRST_ADDRESS = ipaddress.IPv4Address("127.1.0.1")
_WINDOW_FACTOR = 5  # a bar of 2 % needs longer windows than the others


def least_request(trial: Trial) -> dict[str, float]:
    """Return CPU per connection with least request over that with round robin, both with 10 endpoints."""
    return _ratio(trial, _balancing("least_request", _FEW), _balancing("round_robin", _FEW))


def many_endpoints(trial: Trial) -> dict[str, float]:
    """Return CPU per connection with 10,000 endpoints over that with 10.

    Both balance by least request, which reads two endpoints at random and so has the processor's caches
    against it. The floor's ratio is what the kernel takes for connecting to so many addresses instead of ten.
    """
    if trial.peer.name == "floor":
        return _ratio(trial, FloorSpread(_MANY), FloorSpread(_FEW))
    return _ratio(trial, _balancing("least_request", _MANY), _balancing("least_request", _FEW))


def _balancing(load_balancer: str, endpoints: int) -> HopmeshBalancing:
    return HopmeshBalancing(load_balancer, [str(_FIRST_ADDRESS + index) for index in range(endpoints)])


def _ratio(trial: Trial, judged: Peer, base: Peer) -> dict[str, float]:
    """Return the ratio, and CPU in µs per connection of both.

    Both are under load in the same window: what slows the machine slows both, to the nearest time slice.
    """
    seconds = trial.seconds * _WINDOW_FACTOR
    watched, loads = [], []
    for peer in (judged, base):
        origin = trial.origin("close", every_address=True)
        watched.append((trial.proxy(origin, peer), origin))
    for proxy, _ in watched:
        arguments = [proxy.port, trial.connections, whole(seconds + 2)]
        loads.append(trial.load([str(program("connect")), *map(str, arguments)]))
    windows = watch(watched, 1.0, seconds)
    for load in loads:
        load.wait(seconds + 10)
    if not all(window.accepted for window in windows):
        raise BenchmarkError("an origin accepted no connection while the window was open")
    cpu_us = [window.proxy_cpu_ns / 1e3 / window.accepted for window in windows]
    return {
        "ratio": cpu_us[0] / cpu_us[1],
        "cpu_us": cpu_us[0],
        "base_cpu_us": cpu_us[1],
        "connections_per_s": windows[0].accepted / windows[0].seconds,
        "base_connections_per_s": windows[1].accepted / windows[1].seconds,
    }
