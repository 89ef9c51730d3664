"""The bars: what hopmesh must reach, and whether a run shows that it does."""

from dataclasses import dataclass

from benchmarks.ratios import Spread, paired_difference, paired_ratio
from benchmarks.results import Results

PRODUCT = "hopmesh"


@dataclass(frozen=True)
class Bar:
    """A limit on hopmesh's figure: its ratio to peers, its difference from them, or the figure itself.

    With several peers it has to hold against each of them, so against the best.
    """

    scenario: str
    metric: str
    what: str
    limit: float
    peers: tuple[str, ...] = ()
    difference: bool = False


BARS = (
    Bar("tcp-64", "cpu_us", "CPU per request, 64 connections", 0.90, ("haproxy", "nginx")),
    Bar("tcp-64", "cpu_us", "CPU per request, 64 connections", 1.05, ("floor",)),
    Bar("tcp-1", "added_p50_us", "p50 added over direct, 1 connection: µs more than", 0.0,
        ("haproxy", "nginx", "envoy"), difference=True),
    Bar("bulk-8", "cpu_s_per_gb", "CPU per GB, 8 connections", 0.45, ("envoy",)),
    Bar("connect", "cpu_us", "CPU per new connection", 1.00, ("haproxy",)),
    Bar("idle-memory", "kib_per_connection", "KiB per idle connection", 1.0),
    Bar("resident", "rss_mib", "MiB resident at start", 45.0),
    Bar("idle-cpu", "cpu_ms_per_s", "CPU ms/s with 2,000 idle connections", 0.1),
    Bar("pair-64", "cpu_us", "CPU of both per request, mTLS between them, 64 connections", 0.85,
        ("haproxy", "nginx", "envoy")),
    Bar("pair-bulk-8", "cpu_s_per_gb", "CPU of both per GB, mTLS between them, 8 connections", 1.20, ("envoy",)),
    Bar("pair-bulk-8", "cpu_s_per_gb", "CPU of both per GB, mTLS between them, 8 connections", 0.75, ("haproxy",)),
    Bar("mtls-full", "cpu_us", "CPU per full mTLS handshake", 1.15, ("envoy",)),
    Bar("mtls-full", "cpu_us", "CPU per full mTLS handshake", 0.50, ("haproxy",)),
    Bar("mtls-idle", "kib_per_connection", "KiB per idle mTLS connection", 20.0),
    Bar("http-1", "added_p50_us", "p50 added over direct, HTTP/1.1, 1 connection: µs more than", 0.0,
        ("haproxy", "nginx", "envoy"), difference=True),
    Bar("http-64", "cpu_us", "CPU per HTTP/1.1 request, 64 connections", 0.75, ("haproxy", "nginx")),
    Bar("http-64", "cpu_us", "CPU per HTTP/1.1 request, 64 connections", 0.20, ("envoy",)),
    Bar("http-headers", "cpu_us", "CPU per HTTP/1.1 request with 12 header fields", 0.80, ("haproxy", "nginx")),
    Bar("http-log", "cpu_us", "CPU per HTTP/1.1 request with JSON access log and all metrics", 0.75, ("haproxy",)),
    Bar("http-pair-mtls", "cpu_us", "CPU of both per HTTP/1.1 request, mTLS between them", 0.80,
        ("haproxy", "nginx", "envoy")),
    Bar("http-pair-mtls", "cpu_us", "CPU of both per HTTP/1.1 request, mTLS between them", 0.30, ("envoy",)),
    Bar("http-bulk", "cpu_s_per_gb", "CPU per GB of HTTP/1.1 bodies, 8 connections", 1.00, ("envoy",)),
    Bar("http-new", "cpu_us", "CPU per new HTTP/1.1 connection, upstream pooled", 0.90, ("haproxy",)),
    Bar("http-routes", "ratio", "CPU per request, 10,000 routes over one", 1.1),
    Bar("http-policies", "ratio", "CPU per request, every policy configured and idle over none", 1.03),
    Bar("http-idle", "kib_per_connection", "KiB per idle HTTP/1.1 keep-alive connection", 1.0),
    Bar("http-syscalls", "receives", "receives per HTTP/1.1 request", 2.01),
    Bar("http-syscalls", "sends", "sends per HTTP/1.1 request", 2.01),
    Bar("http-syscalls", "others", "system calls per HTTP/1.1 request but receives, sends and waits", 0.01),
    Bar("least-request", "ratio", "CPU per connection, least request over round robin", 1.02),
    Bar("endpoints-10000", "ratio", "CPU per connection, 10,000 endpoints over 10", 1.02),
    Bar("gil-hold", "p99_ratio", "p99 with the GIL held over p99 without", 1.1),
)


@dataclass(frozen=True)
class Verdict:
    """A bar and what the run says about it; ``value`` is None when the run did not measure it."""

    bar: Bar
    value: Spread | None
    against: str = ""  # the peer that the value was found against: the hardest of the bar's peers
    absent: tuple[str, ...] = ()  # peers of the bar that were not measured

    @property
    def passed(self) -> bool | None:
        """Whether the bar is reached; None when a peer it needs was not measured: then nothing is proved."""
        if self.value is None:
            return None
        if self.value.median > self.bar.limit:
            return False
        return None if self.absent else True


def check(bar: Bar, results: Results) -> Verdict:
    """Hold one bar against a run."""
    own = results.by_round(bar.scenario, PRODUCT, bar.metric)
    if not bar.peers:
        return Verdict(bar, Spread.of(own.values()))
    compare = paired_difference if bar.difference else paired_ratio
    found, absent = [], []
    for peer in bar.peers:
        value = compare(own, results.by_round(bar.scenario, peer, bar.metric))
        if value:
            found.append((value, peer))
        else:
            absent.append(peer)
    if not found:
        return Verdict(bar, None, absent=tuple(absent))
    hardest, peer = max(found, key=lambda item: item[0].median)
    return Verdict(bar, hardest, peer, tuple(absent))


def check_all(results: Results) -> list[Verdict]:
    """Hold every bar whose scenario the run contains against it."""
    return [check(bar, results) for bar in BARS if results.has(bar.scenario)]
