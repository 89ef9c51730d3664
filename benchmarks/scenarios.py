"""The scenarios: what is measured, with which load, and which figure counts."""

from dataclasses import dataclass

from benchmarks.cpus import Arrangement
from benchmarks.measure.balancing import least_request, many_endpoints
from benchmarks.measure.bulk import bulk_down, bulk_up, http_bulk
from benchmarks.measure.connect import connect, full_handshake, resumed_handshake
from benchmarks.measure.gil import gil_hold
from benchmarks.measure.idle import idle_cpu, idle_memory, resident
from benchmarks.measure.picks import picks
from benchmarks.measure.policies import idle_policies
from benchmarks.measure.requests import logged_requests, mesh_requests, requests
from benchmarks.measure.routes import many_routes
from benchmarks.measure.syscalls import syscalls
from benchmarks.measure.trial import Measure
from benchmarks.peers import PEERS, Mode


@dataclass(frozen=True)
class Metric:
    """One figure of a scenario, and how it is shown."""

    key: str
    label: str
    digits: int = 1


@dataclass(frozen=True)
class Scenario:
    """A kind of work. Its first metric is the headline: the ratios are made of it, and lower is better."""

    name: str
    title: str
    measure: Measure
    metrics: tuple[Metric, ...]
    arrangement: Arrangement
    connections: int = 0
    mode: Mode = Mode.TCP
    only: frozenset[str] = frozenset()  # the proxies it makes sense for; empty for all
    needs_proxy: bool = False  # whether `direct` has nothing to show
    most_rounds: int = 1_000  # figures that hardly vary need fewer rounds

    @property
    def headline(self) -> Metric:
        return self.metrics[0]

    def fits(self, proxy: str) -> bool:
        """Say whether ``proxy`` has something to show here and can do what stands between load and origin."""
        if self.only:
            return proxy in self.only
        return self.mode in PEERS[proxy].modes and not (self.needs_proxy and proxy == "direct")


_CPU_REQUEST = Metric("cpu_us", "CPU µs/request")
_RATE = Metric("requests_per_s", "requests/s", 0)
_P50 = Metric("p50_us", "p50 µs", 0)
_P99 = Metric("p99_us", "p99 µs", 0)
_ADDED_P50 = Metric("added_p50_us", "p50 added µs")
_GB_RATE = Metric("gb_per_s", "GB/s", 2)
_BULK = (Metric("cpu_s_per_gb", "CPU s/GB", 3), _GB_RATE)
_SATURATED = (_CPU_REQUEST, _RATE, _P50, _P99)

_CONNECT = (Metric("cpu_us", "CPU µs/connection"), Metric("connections_per_s", "connections/s", 0),
            _P50, _P99)
_FULL = (*_CONNECT, Metric("tickets", "tickets each"))
_RESUMED = (*_CONNECT, Metric("resumed", "resumed", 0))
_RATIO = (Metric("ratio", "CPU ratio", 3), Metric("cpu_us", "CPU µs/connection"),
          Metric("base_cpu_us", "of the other"))
_REQUEST_RATIO = (_RATIO[0], _CPU_REQUEST, _RATIO[2])
_CALLS = (Metric("calls", "calls/request", 3), Metric("receives", "receives", 3), Metric("sends", "sends", 3),
          Metric("waits", "waits", 3), Metric("others", "others", 3))
_PICKS = tuple(Metric(f"ns_{size}", f"ns, {size:,} endpoints") for size in (10_000, 1_000, 100, 10))
_IDLE_MEMORY = (Metric("kib_per_connection", "KiB/connection (PSS)", 2),
                Metric("rss_kib_per_connection", "KiB/connection (RSS)", 2))
_RESIDENT = (Metric("rss_mib", "MiB (RSS)"), Metric("pss_mib", "MiB (PSS)"))
_GIL = (Metric("p99_ratio", "p99 ratio", 3), Metric("p50_ratio", "p50 ratio", 3),
        Metric("p99_held_us", "p99 held µs", 0), Metric("p99_free_us", "p99 free µs", 0),
        Metric("python_stall_ms", "longest Python stall ms"))

_SMALL = "keep-alive, small requests"
_ONE, _TWO = Arrangement.ONE_CPU, Arrangement.TWO_CPUS
_BALANCERS = ("round_robin", "least_request", "random", "ring_hash", "maglev", "peak_ewma")

SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in (
    Scenario("tcp-1", f"TCP relay, 1 connection, {_SMALL}", requests,
             (_CPU_REQUEST, _ADDED_P50, _P50, _P99, _RATE), _ONE, 1),
    Scenario("tcp-64", f"TCP relay, 64 connections, {_SMALL}", requests, _SATURATED, _ONE, 64),
    Scenario("tcp-64-two", f"TCP relay, 64 connections, {_SMALL}", requests, _SATURATED, _TWO, 64),
    Scenario("tcp-256", f"TCP relay, 256 connections, {_SMALL}", requests, _SATURATED, _TWO, 256),
    Scenario("bulk-1", "TCP bulk from the origin, 1 connection", bulk_down, _BULK, _TWO, 1),
    Scenario("bulk-8", "TCP bulk from the origin, 8 connections", bulk_down, _BULK, _TWO, 8),
    Scenario("bulk-8-up", "TCP bulk to the origin, 8 connections", bulk_up, _BULK, _TWO, 8),
    Scenario("connect", "a new TCP connection for each request, 16 at a time", connect, _CONNECT, _ONE, 16),
    Scenario("idle-memory", "growth per idle connection, both sides' state, 2,000 of them", idle_memory,
             _IDLE_MEMORY, _TWO, 2_000, needs_proxy=True, most_rounds=3),
    Scenario("resident", "memory at start", resident, _RESIDENT, _TWO, needs_proxy=True, most_rounds=3),
    Scenario("idle-cpu", "processor time with 2,000 idle connections", idle_cpu,
             (Metric("cpu_ms_per_s", "CPU ms/s", 3),), _TWO, 2_000, needs_proxy=True, most_rounds=3),
    Scenario("pair-64", f"two sidecars with mTLS between them, 64 connections, {_SMALL}", requests, _SATURATED,
             _ONE, 64, mode=Mode.PAIR),
    Scenario("pair-bulk-8", "two sidecars with mTLS between them, bulk from the origin, 8 connections", bulk_down,
             _BULK, _TWO, 8, mode=Mode.PAIR),
    Scenario("mtls-full", "a new mTLS connection with a full handshake for each request, 16 at a time",
             full_handshake, _FULL, _ONE, 16, mode=Mode.MTLS),
    Scenario("mtls-resumed", "the same with resumed handshakes", resumed_handshake, _RESUMED, _ONE, 16,
             mode=Mode.MTLS_TICKETS),
    Scenario("mtls-idle", "growth per idle mTLS connection, both sides' state, 2,000 of them", idle_memory,
             _IDLE_MEMORY, _TWO, 2_000, mode=Mode.MTLS, needs_proxy=True, most_rounds=3),
    Scenario("http-1", f"HTTP/1.1, 1 connection, {_SMALL}", requests,
             (_CPU_REQUEST, _ADDED_P50, _P50, _P99, _RATE), _ONE, 1, mode=Mode.HTTP),
    Scenario("http-64", f"HTTP/1.1, 64 connections, {_SMALL}", requests, _SATURATED, _ONE, 64, mode=Mode.HTTP),
    Scenario("http-headers", "HTTP/1.1, 64 connections, requests with 12 header fields as in a mesh", mesh_requests,
             _SATURATED, _TWO, 64, mode=Mode.HTTP),
    Scenario("http-log", "HTTP/1.1, 64 connections, an access log in JSON and all metrics", logged_requests,
             _SATURATED, _TWO, 64, mode=Mode.HTTP_LOG),
    Scenario("http-pair-mtls", f"HTTP/1.1 through two sidecars with mTLS between them, 64 connections, {_SMALL}",
             requests, _SATURATED, _ONE, 64, mode=Mode.HTTP_PAIR),
    Scenario("http-bulk", "HTTP/1.1, bodies of 16 MiB from the origin, 8 connections", http_bulk, _BULK, _TWO, 8,
             mode=Mode.HTTP),
    Scenario("http-new", "HTTP/1.1, a new connection for each request, 16 at a time, upstream pooled", connect,
             _CONNECT, _ONE, 16, mode=Mode.HTTP, needs_proxy=True),
    Scenario("http-routes", "CPU per request with 10,000 routes in 1,000 virtual hosts over one route", many_routes,
             _REQUEST_RATIO, _ONE, 16, mode=Mode.HTTP, only=frozenset({"hopmesh"})),
    Scenario("http-policies", "CPU per request with every policy of resilience configured, and idle, over none",
             idle_policies, _REQUEST_RATIO, _ONE, 16, mode=Mode.HTTP, only=frozenset({"hopmesh"})),
    Scenario("http-idle", "growth per idle HTTP/1.1 keep-alive connection, 2,000 of them", idle_memory,
             _IDLE_MEMORY, _TWO, 2_000, mode=Mode.HTTP, needs_proxy=True, most_rounds=3),
    Scenario("http-syscalls", "system calls per HTTP/1.1 request, 64 connections", syscalls, _CALLS, _ONE, 64,
             mode=Mode.HTTP, needs_proxy=True, most_rounds=3),
    Scenario("least-request", "CPU per connection with least request over round robin, 10 endpoints",
             least_request, _RATIO, _ONE, 16, only=frozenset({"hopmesh"})),
    Scenario("endpoints-10000", "CPU per connection with 10,000 endpoints over 10, least request",
             many_endpoints, _RATIO, _ONE, 16, only=frozenset({"hopmesh", "floor"})),
    *(Scenario(f"pick-{name.replace('_', '-')}", f"one pick of the load balancer {name}, without a connection",
               picks(name), _PICKS, _ONE, only=frozenset({"hopmesh"}), most_rounds=3) for name in _BALANCERS),
    Scenario("gil-hold", "p99 while a Python thread holds the GIL for 100 ms at a time, over p99 without",
             gil_hold, _GIL, _TWO, 16, only=frozenset({"hopmesh"})),
)}
