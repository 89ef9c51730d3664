"""What must hold between the fields of a cluster's load balancing, and between them and its listeners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import takewhile
from typing import Any

from msgspec import Struct

from mesh_core.config.destinations import cluster_references
from mesh_core.config.faults import PathStep, Report
from mesh_core.config.schema import Cluster, Endpoint, Listener, LocalityWeight, Maglev, RingHash, Subsets
from mesh_core.config.wording import did_you_mean, listed, path_text, quoted

_OPTIONS = ("least_request", "ring_hash", "maglev", "peak_ewma")
_HASHING = ("ring_hash", "maglev")


def check_balancing(
    clusters: Sequence[tuple[int, Cluster]], listeners: Sequence[tuple[int, Listener]], report: Report
) -> None:
    """Report everything about load balancing that cannot work."""
    for index, cluster in clusters:
        path: list[PathStep] = ["clusters", index]
        _check_options(path, cluster, report)
        _check_sizes(path, cluster, report)
        _check_localities(path, cluster, report)
        if isinstance(cluster.subsets, Subsets):
            _check_subsets([*path, "subsets"], cluster.subsets, report)
    by_name = {cluster.name: cluster for _, cluster in clusters if isinstance(cluster.name, str)}
    for index, listener in listeners:
        for path, each in cluster_references(listener):
            wanted = by_name.get(each.cluster) if isinstance(each.cluster, str) else None
            if wanted is not None and isinstance(each.subset, dict):
                _check_choice(["listeners", index, *path, "subset"], each.subset, wanted, report)


def _check_options(path: list[PathStep], cluster: Cluster, report: Report) -> None:
    chosen = cluster.load_balancer
    if not isinstance(chosen, str):
        return
    for name in _OPTIONS:
        if isinstance(getattr(cluster, name), Struct) and name != chosen:
            message = f"options of {name}, but the load balancer is {chosen}"
            report([*path, name], message, f"remove them, or write load_balancer: {name}")
    if isinstance(cluster.slow_start, Struct) and chosen in _HASHING:
        message = f"{chosen} knows no slow start: it would move hashes from one endpoint to another and back"
        report([*path, "slow_start"], message, "remove it, or choose another load balancer")


def _check_sizes(path: list[PathStep], cluster: Cluster, report: Report) -> None:
    ring, maglev = cluster.ring_hash, cluster.maglev
    if isinstance(ring, RingHash) and isinstance(ring.minimum_ring_size, int):
        most = ring.maximum_ring_size
        if isinstance(most, int) and ring.minimum_ring_size > most:
            message = f"{ring.minimum_ring_size} is more than the maximum_ring_size of {most}"
            report([*path, "ring_hash", "minimum_ring_size"], message, "make it smaller, or that larger")
    if isinstance(maglev, Maglev) and isinstance(maglev.table_size, int) and not _is_prime(maglev.table_size):
        prime = next(size for size in range(maglev.table_size, 1, -1) if _is_prime(size))
        message = f"{maglev.table_size} is not a prime number"
        report([*path, "maglev", "table_size"], message, f"for example {prime}")


def _is_prime(number: int) -> bool:
    divisors = takewhile(lambda each: each * each <= number, range(2, number))
    return number > 1 and all(number % each for each in divisors)


def _check_localities(path: list[PathStep], cluster: Cluster, report: Report) -> None:
    weights = cluster.locality_weights
    if not isinstance(weights, tuple) or not weights:
        return
    first: dict[Any, int] = {}
    for place, each in enumerate(weights):
        if not isinstance(each, LocalityWeight) or not _is_whole(each.locality):
            # It might be the one that an endpoint names.
            return
        if first.setdefault(each.locality, place) != place:
            other = path_text([*path, "locality_weights", first[each.locality]])
            message = f"this locality has a weight already, in {other}"
            report([*path, "locality_weights", place, "locality"], message, "remove one")
    for place, entry in _entries(cluster):
        locality = entry.locality if isinstance(entry, Endpoint) else Endpoint(address=entry).locality
        if _is_whole(locality) and locality not in first:
            at = [*path, "endpoints", place, *(["locality"] if isinstance(entry, Endpoint) else [])]
            report(at, "its locality has no weight", "add it to locality_weights")


def _is_whole(part: object) -> bool:
    """Whether all fields of a mapping of strings could be read."""
    return isinstance(part, Struct) and all(isinstance(getattr(part, each), str) for each in part.__struct_fields__)


def _entries(cluster: Cluster) -> Iterator[tuple[int, str | Endpoint]]:
    for place, entry in enumerate(cluster.endpoints if isinstance(cluster.endpoints, tuple) else ()):
        if isinstance(entry, str | Endpoint):
            yield place, entry


def _check_subsets(path: list[PathStep], subsets: Subsets, report: Report) -> None:
    first: dict[frozenset[str], int] = {}
    for place, selector in enumerate(subsets.subset_selectors if isinstance(subsets.subset_selectors, tuple) else ()):
        if not isinstance(selector, Struct) or not isinstance(selector.keys, tuple):
            continue
        at = [*path, "subset_selectors", place, "keys"]
        if not selector.keys:
            report(at, "no label to choose by", "for example [version]")
        elif first.setdefault(frozenset(selector.keys), place) != place:
            other = path_text([*at[:-2], first[frozenset(selector.keys)]])
            report(at, f"the same labels as {other}", "remove one")
    if isinstance(subsets.fallback_policy, str):
        if subsets.fallback_policy == "default_subset" and subsets.default_subset is None:
            report([*path, "fallback_policy"], "there is no default_subset", "add it, for example {version: v1}")
        if subsets.fallback_policy != "default_subset" and isinstance(subsets.default_subset, dict):
            message = f"of no use with fallback_policy: {subsets.fallback_policy}"
            report([*path, "default_subset"], message, "write fallback_policy: default_subset, or remove it")


def _check_choice(path: list[PathStep], subset: dict[str, str], cluster: Cluster, report: Report) -> None:
    if cluster.subsets is None:
        report(path, f"cluster {quoted(cluster.name)} has no subsets", "add subsets to it, or remove this")
        return
    if not subset:
        report(path, "no label to choose by", "for example {version: v2}")
        return
    selectors = cluster.subsets.subset_selectors if isinstance(cluster.subsets, Subsets) else None
    if not isinstance(selectors, tuple):
        return
    keys = [each.keys for each in selectors if isinstance(each, Struct) and isinstance(each.keys, tuple)]
    if len(keys) < len(selectors) or not all(isinstance(key, str) for key in (*subset, *sum(keys, ()))):
        return
    if frozenset(subset) not in {frozenset(each) for each in keys}:
        message = f"no subset_selector of cluster {quoted(cluster.name)} has the keys {listed(subset)}"
        known = [", ".join(each) for each in keys]
        report(path, message, partial(did_you_mean, ", ".join(subset), known, "there are"))
