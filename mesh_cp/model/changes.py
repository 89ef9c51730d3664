"""What differs between two worlds, in the words of dependencies."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from mesh_cp.model.table import Table
from mesh_cp.model.world import World


class Fact(NamedTuple):
    """A part of a world that something may depend on: of a host, its service, its members, or what is said of it.

    `host` may be a wildcard where it is of `policy`. `hosts` is which hosts there are at all.
    """

    about: Literal["service", "members", "policy", "hosts"]
    host: str = ""


HOSTS = Fact("hosts")


def changed_facts(before: World, after: World) -> frozenset[Fact]:
    """Every fact that is another in `after`. Parts that both worlds share cost nothing."""
    facts: set[Fact] = set()
    services = _changed(before.services, after.services)
    facts.update(Fact("service", host) for host in services)
    facts.update(Fact("members", host) for host in _changed(before.members, after.members))
    policies = _changed(before.policies, after.policies)
    facts.update(Fact("policy", host) for host in policies)
    appeared = [host for host in services if (host in before.services) != (host in after.services)]
    # A VirtualService alone makes a host.
    if appeared or any(_has_virtuals(before, host) != _has_virtuals(after, host) for host in policies):
        facts.add(HOSTS)
    return frozenset(facts)


def _has_virtuals(world: World, host: str) -> bool:
    policy = world.policies.get(host)
    return policy is not None and bool(policy.virtuals)


def _changed(before: Table[Any], after: Table[Any]) -> set[str]:
    return {
        key
        for old, new in before.differing(after)
        for key in old.keys() | new.keys()
        if old.get(key) != new.get(key)
    }
