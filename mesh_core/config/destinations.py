"""Where a listener sends connections and requests: its own cluster, those of its filter chains, those of routes."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_core.config.faults import PathStep
from mesh_core.config.schema import FilterChain, Listener, Mirror, Route, VirtualHost, WeightedCluster

ClusterReference = Listener | FilterChain | Route | WeightedCluster | Mirror
"""What may name a cluster, and a subset of it."""


def destinations(listener: Listener) -> Iterator[tuple[list[PathStep], Listener | FilterChain]]:
    """Yield whatever takes connections, with its path within the listener; the values may be wrong."""
    yield [], listener
    chains = listener.filter_chains
    for place, chain in enumerate(chains if isinstance(chains, tuple) else ()):
        if isinstance(chain, FilterChain):
            yield ["filter_chains", place], chain


def cluster_references(listener: Listener) -> Iterator[tuple[list[PathStep], ClusterReference]]:
    """Yield whatever has `cluster` and `subset`, with its path within the listener; the values may be wrong."""
    for path, destination in destinations(listener):
        for below, each in _references(destination):
            yield [*path, *below], each


def clusters_of(destination: Listener | FilterChain) -> Iterator[str]:
    """Yield the names of the clusters that its connections or requests may go to, some more than once."""
    for _, each in _references(destination):
        if isinstance(each.cluster, str):
            yield each.cluster


def _references(destination: Listener | FilterChain) -> Iterator[tuple[list[PathStep], ClusterReference]]:
    yield [], destination
    for path, route in routes(destination):
        yield path, route
        weighted = route.clusters
        for place, each in enumerate(weighted if isinstance(weighted, tuple) else ()):
            if isinstance(each, WeightedCluster):
                yield [*path, "clusters", place], each
        yield from _mirrors(path, route)
    hosts = destination.virtual_hosts
    for place, host in enumerate(hosts if isinstance(hosts, tuple) else ()):
        if isinstance(host, VirtualHost):
            yield from _mirrors(["virtual_hosts", place], host)


def _mirrors(path: list[PathStep], of: Route | VirtualHost) -> Iterator[tuple[list[PathStep], Mirror]]:
    for place, mirror in enumerate(of.mirrors if isinstance(of.mirrors, tuple) else ()):
        if isinstance(mirror, Mirror):
            yield [*path, "mirrors", place], mirror


def routes(destination: Listener | FilterChain) -> Iterator[tuple[list[PathStep], Route]]:
    """Yield the routes of a destination, with their paths within it; the values may be wrong."""
    yield from _routes(destination)
    hosts = destination.virtual_hosts
    for place, host in enumerate(hosts if isinstance(hosts, tuple) else ()):
        if isinstance(host, VirtualHost):
            for path, route in _routes(host):
                yield ["virtual_hosts", place, *path], route


def _routes(of: Listener | FilterChain | VirtualHost) -> Iterator[tuple[list[PathStep], Route]]:
    for place, route in enumerate(of.routes if isinstance(of.routes, tuple) else ()):
        if isinstance(route, Route):
            yield ["routes", place], route
