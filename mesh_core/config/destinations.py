"""Where a listener sends connections: its own cluster, and those of its filter chains."""

from __future__ import annotations

from collections.abc import Iterator

from mesh_core.config.faults import PathStep
from mesh_core.config.schema import FilterChain, Listener


def destinations(listener: Listener) -> Iterator[tuple[list[PathStep], Listener | FilterChain]]:
    """Yield whatever has `cluster`, `subset` and `tls`, with its path within the listener; the values may be wrong."""
    yield [], listener
    chains = listener.filter_chains
    for place, chain in enumerate(chains if isinstance(chains, tuple) else ()):
        if isinstance(chain, FilterChain):
            yield ["filter_chains", place], chain
