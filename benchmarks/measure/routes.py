"""What a large route table costs the whole proxy."""

from benchmarks.measure.answers import check_answer
from benchmarks.measure.requests import finish_wrk, start_wrk
from benchmarks.measure.together import Work, cost_ratio
from benchmarks.measure.trial import Proxy, Trial
from benchmarks.paths import SOURCES
from benchmarks.peers.hopmesh import Hopmesh, HopmeshRoutes, route_host, route_path
from benchmarks.processes import Program

_VIRTUAL_HOSTS, _ROUTES = 1_000, 10
_STRIDE = 7_919  # a prime: neighbours in the order of requests are far apart in the tables


def many_routes(trial: Trial) -> dict[str, float]:
    """Return CPU per request with 10,000 routes in 1,000 virtual hosts over that with one route for everything.

    Both get the same requests, which ask for each of the routes in turn.
    """
    count = _VIRTUAL_HOSTS * _ROUTES
    pairs = [divmod(index * _STRIDE % count, _ROUTES) for index in range(count)]
    requests = trial.directory / "requests"
    requests.write_text("".join(f"{route_host(host)} {route_path(route)}\n" for host, route in pairs))

    def start(trial: Trial, proxy: Proxy, seconds: float) -> Program:
        for host, route in (pairs[0], pairs[-1]):
            check_answer(proxy.port, route_host(host), route_path(route))
        return start_wrk(trial, proxy, seconds, script=SOURCES / "load" / "requests.lua", arguments=[str(requests)])

    work = Work("http", start, finish_wrk, lambda window: window.requests)
    return cost_ratio(trial, work, HopmeshRoutes(_VIRTUAL_HOSTS, _ROUTES), Hopmesh())
