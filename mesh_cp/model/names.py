"""Hosts of the mesh: how services are called, and what a short name means, as Istio documents them."""

from __future__ import annotations

from collections.abc import Container, Iterator

CLUSTER_DOMAIN = "svc.cluster.local"


def service_host(name: str, namespace: str) -> str:
    """The whole host name of a Service."""
    return f"{name}.{namespace}.{CLUSTER_DOMAIN}"


def meanings(host: str, namespace: str) -> tuple[str, ...]:
    """The hosts that a manifest or a workload of `namespace` may mean by `host`, the likeliest first.

    A name without a dot is a Service of that namespace. Any other stands for itself; name.namespace and
    name.namespace.svc may be Services too.
    """
    host = host.lower().removesuffix(".")
    if host.startswith("*"):
        return (host,)
    if "." not in host:
        return (service_host(host, namespace),)
    short = host.removesuffix(".svc")
    return (host, f"{short}.{CLUSTER_DOMAIN}") if short.count(".") == 1 else (host,)


def resolve(host: str, namespace: str, known: Container[str]) -> str:
    """The first of its `meanings` that is known, or the likeliest where none is."""
    found = meanings(host, namespace)
    return next((each for each in found if each in known), found[0])


def names_of(host: str, namespace: str | None) -> Iterator[str]:
    """What a workload of `namespace` may call `host`: itself, and the short names of a Service.

    The bare name is of its own namespace only; with None no workload is.
    """
    yield host
    if host.endswith(f".{CLUSTER_DOMAIN}"):
        short = host.removesuffix(f".{CLUSTER_DOMAIN}")
        name, _, own = short.partition(".")
        if namespace == own:
            yield name
        yield short
        yield f"{short}.svc"


def patterns_of(host: str) -> Iterator[str]:
    """What manifests may call `host` by: itself, then wildcards, the longest first."""
    yield host
    rest = host.removeprefix("*.")
    while "." in rest:
        rest = rest.partition(".")[2]
        yield f"*.{rest}"
    if host != "*":
        yield "*"


def specificity(pattern: str) -> tuple[bool, int]:
    """Sorts patterns that stand for one host, the largest counts: a host itself, then the longest wildcard."""
    return not pattern.startswith("*"), len(pattern)
