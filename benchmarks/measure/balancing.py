"""What balancing costs the whole proxy."""

import ipaddress

from benchmarks.measure.requests import whole
from benchmarks.measure.together import Work, cost_ratio
from benchmarks.measure.trial import Proxy, Trial
from benchmarks.peers.floor import FloorSpread
from benchmarks.peers.hopmesh import HopmeshBalancing
from benchmarks.processes import Program
from benchmarks.programs import program

_FEW, _MANY = 10, 10_000
_FIRST_ADDRESS = ipaddress.IPv4Address("127.1.0.1")


def least_request(trial: Trial) -> dict[str, float]:
    """Return CPU per connection with least request over that with round robin, both with 10 endpoints."""
    return cost_ratio(trial, _CONNECTIONS, _balancing("least_request", _FEW), _balancing("round_robin", _FEW))


def many_endpoints(trial: Trial) -> dict[str, float]:
    """Return CPU per connection with 10,000 endpoints over that with 10.

    Both balance by least request, which reads two endpoints at random and so has the processor's caches
    against it. The floor's ratio is what the kernel takes for connecting to so many addresses instead of ten.
    """
    if trial.peer.name == "floor":
        return cost_ratio(trial, _CONNECTIONS, FloorSpread(_MANY), FloorSpread(_FEW))
    return cost_ratio(trial, _CONNECTIONS, _balancing("least_request", _MANY), _balancing("least_request", _FEW))


def _balancing(load_balancer: str, endpoints: int) -> HopmeshBalancing:
    return HopmeshBalancing(load_balancer, [str(_FIRST_ADDRESS + index) for index in range(endpoints)])


def _start(trial: Trial, proxy: Proxy, seconds: float) -> Program:
    arguments = [proxy.port, trial.connections, whole(seconds)]
    return trial.load([str(program("connect")), *map(str, arguments)])


def _finish(load: Program, seconds: float) -> None:
    load.wait(whole(seconds) + 10)


_CONNECTIONS = Work("close", _start, _finish, lambda window: window.accepted, every_address=True)
