"""What must hold within and between the filter chains of a listener."""

from __future__ import annotations

from msgspec import structs

from mesh_core.config.faults import PathStep, Report
from mesh_core.config.filter_chain_tree import TooManyEntriesError, filter_chain_tree
from mesh_core.config.network import NetworkError, parse_network
from mesh_core.config.schema.filter_chain import FilterChain, FilterChainMatch
from mesh_core.config.schema.listener import Listener
from mesh_core.config.wording import path_text, quoted

_LISTS = tuple(name for name in structs.asdict(FilterChainMatch()) if name != "transport_protocol")
_NETWORKS = ("destination_addresses", "source_addresses")


def check_filter_chains(index: int, listener: Listener, report: Report) -> None:
    """Report everything in the chains of listener number `index` that cannot work."""
    if not isinstance(listener.filter_chains, tuple):
        return
    sound = []
    for place, chain in enumerate(listener.filter_chains):
        path: list[PathStep] = ["listeners", index, "filter_chains", place]
        if isinstance(chain, FilterChain) and isinstance(chain.match, FilterChainMatch):
            sound.append(_check_match([*path, "match"], chain.match, report))
        else:
            sound.append(False)
    if all(sound):
        _check_ambiguity(index, listener.filter_chains, report)


def _check_match(path: list[PathStep], match: FilterChainMatch, report: Report) -> bool:
    """Report the faults of one match; return whether it can be compared with others."""
    checks = [_check_list([*path, name], getattr(match, name), name in _NETWORKS, report) for name in _LISTS]
    if match.transport_protocol == "raw_buffer":
        for name in ("server_names", "application_protocols"):
            if getattr(match, name):
                report([*path, name], "raw_buffer has none", "remove it, or write transport_protocol: tls")
    return all(checks) and match.transport_protocol in (None, "tls", "raw_buffer")


def _check_list(path: list[PathStep], values: object, networks: bool, report: Report) -> bool:
    if not isinstance(values, tuple):
        return False
    sound = True
    first: dict[object, int] = {}
    for place, value in enumerate(values):
        key = value
        if not isinstance(value, str | int):
            sound = False
            continue
        if isinstance(value, str):
            key = value.lower() if path[-1] == "server_names" else value
            if networks:
                try:
                    key = parse_network(value)
                except NetworkError as error:
                    report([*path, place], f"{quoted(value)}: {error.message}", error.hint)
                    sound = False
                    continue
        if path[-1] == "server_names" and _is_address(value):
            report([*path, place], f"{quoted(str(value))} is an IP address", "clients ask for host names only")
        if first.setdefault(key, place) != place:
            report([*path, place], f"stands here already, as {path_text([*path, first[key]])}", "remove one")
    return sound


def _check_ambiguity(index: int, chains: tuple[FilterChain, ...], report: Report) -> None:
    path: list[PathStep] = ["listeners", index, "filter_chains"]
    try:
        tree = filter_chain_tree([chain.match for chain in chains])
    except TooManyEntriesError:
        report(path, "too many combinations of matches", "name fewer things in several fields at once")
        return
    for first, other in tree.conflicts:
        message = f"nothing tells it from {path_text([*path, first])} where both fit"
        report([*path, other, "match"], message, "give one of them something that the other has not")


def _is_address(value: object) -> bool:
    try:
        parse_network(str(value))
    except NetworkError:
        return False
    return True
