"""Small meshes for tests: manifests in short, workloads, and what a proxy makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mesh_core.config import Config, load_builtins
from mesh_cp.generators import Dial, Generator, Output, OutputKey, Proxy
from mesh_cp.model import Client, Workload, WorkloadPort, World, build
from mesh_cp.resources import Resource, from_document

_GROUPS = {
    "Service": "v1",
    "HTTPRoute": "gateway.networking.k8s.io/v1",
    "TCPRoute": "gateway.networking.k8s.io/v1alpha2",
}

CART = "cart.shop.svc.cluster.local"
HOST = f"{CART}:80"


def manifest(kind: str, name: str, spec: dict[str, Any], namespace: str = "shop", created: int = 0) -> Resource:
    """The resource that a manifest makes; it must have no fault."""
    document = {
        "apiVersion": _GROUPS.get(kind, "networking.istio.io/v1"),
        "kind": kind,
        "metadata": {"name": name, "namespace": namespace},
        "spec": spec,
    }
    loaded = from_document(document, "test", created)
    assert loaded.resources and not loaded.errors, [str(fault) for fault in loaded.faults]
    return loaded.resources[0]


def service(name: str, *ports: dict[str, Any], namespace: str = "shop", **more: Any) -> Resource:
    """A Service whose workloads have the label app."""
    spec = {"selector": {"app": name}, "ports": list(ports) or [{"port": 80, "name": "http", "targetPort": 8080}]}
    return manifest("Service", name, {**spec, **more}, namespace)


def workload(identity: str, app: str, address: str, namespace: str = "shop", **labels: str) -> Workload:
    """One that serves its ports at `address`."""
    return Workload(
        id=identity,
        namespace=namespace,
        name=app,
        ports=(WorkloadPort(number=8080, name="web", address=f"{address}:8080"),),
        host=address,
        labels={"app": app, **labels},
    )


def proxy(*hosts: str, namespace: str = "shop", **more: Any) -> Proxy:
    """One that dials these hosts through its outbound listener."""
    settings: dict[str, Any] = {
        "id": "p",
        "client": Client(namespace=namespace),
        "outbound": "127.0.0.1:15001",
        "dials": tuple(Dial(host=host) for host in hosts),
    }
    return Proxy(**{**settings, **more})


def world(*parts: Resource | Workload) -> World:
    """The world that these make."""
    return build(
        [part for part in parts if isinstance(part, Resource)], [part for part in parts if isinstance(part, Workload)]
    )


def outputs(of: World, one: Proxy) -> Mapping[OutputKey, Output]:
    """What a proxy should have, which must be a configuration without a fault."""
    made = Generator(of).generate(one).outputs
    assembled(made)
    return made


def content(of: World, one: Proxy, kind: str, name: str) -> Any:
    """The content of one output."""
    return outputs(of, one)[OutputKey(kind, name)].content  # type: ignore[arg-type]


def routes(of: World, one: Proxy, host: str) -> list[dict[str, Any]]:
    """The routes of a virtual host of the outbound listener."""
    found: list[dict[str, Any]] = content(of, one, "route", f"outbound/{host}")["virtual_host"].get("routes", [])
    return found


def assembled(made: Mapping[OutputKey, Output]) -> Config:
    """The configuration that outputs make together, as a proxy puts them together; it must have no fault."""
    of: dict[str, dict[str, Any]] = {"cluster": {}, "endpoint": {}, "listener": {}, "route": {}}
    for key, output in made.items():
        of[key.type][key.name] = output.content
    assert of["endpoint"].keys() == of["cluster"].keys()
    listeners = []
    for name, listener in of["listener"].items():
        hosts = [route["virtual_host"] for route in of["route"].values() if route["listener"] == name]
        listeners.append({**listener, "virtual_hosts": hosts} if hosts else listener)
    clusters = [{**cluster, "endpoints": of["endpoint"][name]} for name, cluster in of["cluster"].items()]
    return load_builtins({"listeners": listeners, "clusters": clusters})


def virtual(*http: dict[str, Any], **more: Any) -> Resource:
    """A VirtualService of the host cart."""
    return manifest("VirtualService", "cart", {"hosts": ["cart"], "http": list(http), **more})


def rule(policy: dict[str, Any], **more: Any) -> Resource:
    """A DestinationRule of the host cart, with subsets v1 and v2."""
    subsets = [{"name": name, "labels": {"version": name}} for name in ("v1", "v2")]
    return manifest("DestinationRule", "cart", {"host": "cart", "trafficPolicy": policy, "subsets": subsets, **more})


def to(subset: str = "", weight: int = 0, **more: Any) -> dict[str, Any]:
    """A destination of a VirtualService: the host cart."""
    destination = {"host": "cart", **({"subset": subset} if subset else {})}
    return {"destination": destination, "weight": weight, **more}
