"""Manifests to resources: which kinds, what is skipped, and every fault with its place."""

from __future__ import annotations

from textwrap import dedent

import msgspec
import pytest

from mesh_core.config.node import NODE_LIMIT
from mesh_cp.resources import Key, from_document, load
from mesh_cp.resources.common import milliseconds
from mesh_cp.resources.load import DOCUMENT_LIMIT
from mesh_cp.resources.virtual_service import VirtualServiceSpec

SHOP = """\
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: cart, namespace: shop}
spec:
  template: {8080: on, mode: 0644, deep: &a [1, 2], more: *a}
---
# nothing but a comment
---
apiVersion: v1
kind: Service
metadata:
  name: cart
  namespace: shop
  creationTimestamp: 2026-01-01T00:00:00Z
  annotations: {note: "x"}
spec:
  selector: {app: cart}
  clusterIP: null
  ports: [{port: 80, name: http, targetPort: web}, {port: 81, name: other, targetPort: 8081}]
status: {loadBalancer: {}}
---
apiVersion: networking.istio.io/v1alpha3
kind: VirtualService
metadata: {name: cart, namespace: shop}
spec:
  hosts: [cart]
  http:
    - match: [{uri: {prefix: /v2}, headers: {x-user: {exact: ann}}}]
      route: [{destination: {host: cart, subset: v2}}]
    - route: [{destination: {host: cart, subset: v1}}]
"""


def faults(text: str) -> list[str]:
    """The faults of a text, one a line."""
    return [str(fault) for fault in load(dedent(text), "f").faults]


def one(kind: str, spec: str, group: str = "networking.istio.io/v1") -> str:
    """A manifest around a spec of one line."""
    return f"{{apiVersion: {group}, kind: {kind}, metadata: {{name: a}},\nspec: {spec}}}"


def test_every_document_is_a_resource_skipped_or_at_fault() -> None:
    loaded = load(SHOP, "shop.yaml")
    assert [resource.key for resource in loaded.resources] == [
        Key("Service", "shop", "cart"),
        Key("VirtualService", "shop", "cart"),
    ]
    assert [(str(each), each.line) for each in loaded.skipped] == [("Namespace shop", 1), ("Deployment shop/cart", 5)]
    assert loaded.faults == ()
    service, virtual = loaded.resources
    assert (service.line, service.source, service.document["status"]) == (13, "shop.yaml", {"loadBalancer": {}})
    assert isinstance(virtual.spec, VirtualServiceSpec)
    assert virtual.spec.http[0].match[0].headers["x-user"].exact == "ann"


def test_a_stored_document_gives_the_same_resource() -> None:
    for resource in load(SHOP, "shop.yaml").resources:
        stored = msgspec.json.decode(msgspec.json.encode(resource.document))
        again = from_document(stored, "shop.yaml", created=7).resources[0]
        assert again == msgspec.structs.replace(resource, line=None, created=7)


def test_json_and_lists_are_read() -> None:
    inner = one("WorkloadEntry", "{address: 10.0.0.1}")
    assert load(f"{{apiVersion: v1, kind: List, items: [{inner}]}}", "l").resources[0].name == "a"
    encoded = msgspec.json.encode(load(inner, "f").resources[0].document)
    assert load(encoded, "j").resources[0].spec == load(inner, "f").resources[0].spec


@pytest.mark.parametrize("version", ["v1", "v1beta1", "v1alpha3"])
def test_versions_of_a_kind_are_read_alike(version: str) -> None:
    text = one("DestinationRule", "{host: cart}", f"networking.istio.io/{version}")
    assert load(text, "f").resources[0].api_version == f"networking.istio.io/{version}"


GATEWAY = "gateway.networking.k8s.io/v1"
FAULTS = [
    (
        one("VirtualService", "{hosts: [a], http: [{delegate: {name: b}, route: [{destination: {host: b}}]}]}"),
        "f:2:38: error: VirtualService default/a: spec.http[0].delegate: write the other VirtualService's routes here",
    ),
    (
        one("VirtualService", "{hosts: [a], htpp: []}"),
        'f:2:20: error: VirtualService default/a: spec.htpp: unknown key — did you mean "http"?',
    ),
    (
        one("VirtualService", "{hosts: ['*'], gateways: [edge], http: [{route: [{destination: {host: b}}]}]}"),
        "f:2:32: warning: VirtualService default/a: spec.gateways: it is for gateways only, and there are none: of no "
        "effect here — add mesh, which stands for every sidecar",
    ),
    (
        one("DestinationRule", "{host: a, trafficPolicy: {connectionPool: {tcp: {tcpKeepalive: {time: 7s}}}}}"),
        "f:2:77: warning: DestinationRule default/a: spec.trafficPolicy.connectionPool.tcp.tcpKeepalive.time: "
        "keep-alive probes are not set: of no effect here",
    ),
    (
        one("DestinationRule", "{host: a, trafficPolicy: {connectionPool: {tcp: {connectTimeout: 10}}}}"),
        "f:2:72: error: DestinationRule default/a: spec.trafficPolicy.connectionPool.tcp.connectTimeout: expected a "
        'string, found 10 — quote it: "10"',
    ),
    (
        one("VirtualService", "{hosts: [a], http: [{retries: {retryOn: '5xx,envoy-ratelimited,503'}, route: []}]}"),
        'f:2:47: warning: VirtualService default/a: spec.http[0].retries.retryOn: "envoy-ratelimited" is not a '
        "reason to try again here",
    ),
    (
        one("ServiceEntry", "{hosts: ['*.b'], ports: [{number: 80, name: http}]}"),
        "f:2:7: error: ServiceEntry default/a: spec.resolution: NONE sends each connection to the address that was "
        "dialled, which is not supported — name the hosts, and write resolution: DNS",
    ),
    (
        one("HTTPRoute", "{parentRefs: [{name: g}]}", GATEWAY),
        'f:2:21: warning: HTTPRoute default/a: spec.parentRefs[0]: there is no "Gateway" here: of no effect — attach '
        'it to a Service: {group: "", kind: Service, name: …}',
    ),
    (
        one("HTTPRoute", "{rules: [{filters: [{type: ExtensionRef, extensionRef: {}}]}]}", GATEWAY),
        "f:2:62: error: HTTPRoute default/a: spec.rules[0].filters[0].extensionRef: there are no filters of other "
        "kinds",
    ),
    (
        one("TCPRoute", "{rules: [{backendRefs: [{name: b}]}]}", "gateway.networking.k8s.io/v1alpha2"),
        "f:2:31: error: TCPRoute default/a: spec.rules[0].backendRefs[0].port: missing — a Service is sent to at one "
        "of its ports",
    ),
    (
        one("Service", "{ports: [{port: 53, protocol: UDP}]}", "v1"),
        "f:2:37: warning: Service default/a: spec.ports[0].protocol: UDP does not go through the mesh: of no effect "
        "here",
    ),
    (
        one("Service", "{}", "v7"),
        'f:1:14: error: Service default/a: apiVersion: the version "v7" of Service is not known — the versions are: '
        '"v1"',
    ),
    ("kind: Service", "f:1:1: error: no manifest: apiVersion or kind is missing — for example kind: Service"),
]


@pytest.mark.parametrize(("text", "fault"), FAULTS)
def test_faults_say_where_and_what(text: str, fault: str) -> None:
    assert fault in faults(text)


def test_a_document_at_fault_keeps_no_other_from_being_read() -> None:
    good = one("WorkloadEntry", "{address: 10.0.0.1}")
    loaded = load("\n---\n".join([one("WorkloadEntry", "{adress: x}"), "a: {b: 1, b: 2}", good]), "f")
    assert len(loaded.resources) == 1
    assert len(loaded.errors) == 2


def test_the_same_resource_twice_is_an_error() -> None:
    text = one("WorkloadEntry", "{address: 10.0.0.1}")
    loaded = load(f"{text}\n---\n{text}", "f")
    assert len(loaded.resources) == 1
    assert loaded.errors[0].message == "this WorkloadEntry stands here already in line 1"


BOMB = "\n".join(
    ["apiVersion: v1", "kind: Service", "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10)]
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, f"more than {NODE_LIMIT} values"),
        ("[" * 5000, "nested more than 100 deep"),
        ("- - -\n---\n" * (DOCUMENT_LIMIT + 1), f"more than {DOCUMENT_LIMIT} documents"),
        ("a: b: c", "mapping values are not allowed"),
        (b"\xff\xfe\x00", "UTF-16"),
    ],
)
def test_hostile_text_is_refused_within_bounds(text: str | bytes, message: str) -> None:
    loaded = load(text, "f")
    assert loaded.resources == ()
    assert any(message in fault.message for fault in loaded.errors) or loaded.omitted


@pytest.mark.parametrize(
    ("duration", "expected"), [("10s", 10_000), ("1.5s", 1500), ("1h30m", 5_400_000), ("0s", 0), ("10us", 1)]
)
def test_durations(duration: str, expected: int) -> None:
    assert milliseconds(duration) == expected
