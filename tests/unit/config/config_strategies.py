"""Hypothesis strategies for configurations: good ones, and good ones with one value replaced."""

from __future__ import annotations

import string
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import strategies as st

from mesh_core.config import (
    AccessLog,
    Admin,
    Cluster,
    ClusterTls,
    Config,
    Endpoint,
    Listener,
    ListenerTls,
    PeerNames,
    ServerCertificate,
)
from mesh_core.config.schema import (
    ClusterHttp,
    HttpSettings,
    LeastRequest,
    Locality,
    LocalityWeight,
    Maglev,
    PeakEwma,
    RingHash,
    SlowStart,
    Subsets,
    SubsetSelector,
)

_LETTERS = string.ascii_letters + string.digits + "_"
NAMES = st.builds(
    "{}{}".format, st.sampled_from(_LETTERS), st.text(st.sampled_from(_LETTERS + ".:/-"), max_size=20)
) | st.just("n" * 128)
LARGEST = 2**31 - 1
_PORTS = st.integers(1, 65535)
_HOST_LABELS = st.text(st.sampled_from(_LETTERS), min_size=1, max_size=62)
_IP_ADDRESSES = st.one_of(
    st.ip_addresses(v=4).map(str).filter(lambda host: host != "0.0.0.0"),
    st.ip_addresses(v=6).map(lambda host: f"[{host}]").filter(lambda host: host != "[::]"),
)
ADDRESSES = st.one_of(
    st.builds("{}:{}".format, _IP_ADDRESSES, _PORTS),
    st.builds("unix:{}{}".format, st.sampled_from("@/"), st.text(st.sampled_from("aZ9é ._-"), min_size=1)),
)


_HOST_NAMES = st.sampled_from(["app.mesh.local", "a", "A_b.c-d"])
_PEERS = st.builds(
    PeerNames,
    trust_domains=st.just(("mesh.local",)),
    uris=st.sampled_from([(), ("spiffe://mesh.local/ns/a",)]),
    dns_names=st.tuples(_HOST_NAMES),
)
_TLS_SETTINGS: dict[str, st.SearchStrategy[Any]] = {
    "alpn": st.sampled_from([(), ("h2", "http/1.1")]),
    "min_version": st.just("1.2"),
    "max_version": st.sampled_from(["1.2", "1.3"]),
    "cipher_suites": st.just(("TLS_AES_128_GCM_SHA256",)),
    "ciphers": st.just(("ECDHE-RSA-AES128-GCM-SHA256", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384")),
    "groups": st.sampled_from([("X25519",), ("X25519MLKEM768", "P-256")]),
    "max_verify_depth": st.integers(0, 16),
}
_LISTENER_TLS = st.builds(
    ListenerTls,
    certificate=st.just("leaf.pem"),
    key=st.just("leaf.key"),
    certificates=st.sampled_from(
        [(), (ServerCertificate(server_names=("*.b", "c"), certificate="b.pem", key="b.key"),)]
    ),
    trusted_ca=st.just("ca.pem"),
    require_client_certificate=st.none() | st.just(True),
    peer=st.none() | _PEERS,
    session_tickets=st.booleans(),
    handshake_timeout_ms=st.integers(1, LARGEST),
    **_TLS_SETTINGS,
)
_CLUSTER_TLS = st.builds(
    ClusterTls,
    trusted_ca=st.sampled_from(["ca.pem", "system"]),
    server_name=_HOST_NAMES,
    peer=st.none() | _PEERS,
    session_resumption=st.booleans(),
    **_TLS_SETTINGS,
) | st.just(ClusterTls(insecure_skip_verify=True, certificate="leaf.pem", key="leaf.key"))
_LABELS = st.dictionaries(
    st.sampled_from(["version", "stage", "a/b.c"]), st.text(st.sampled_from("aZ9é -"), max_size=5), max_size=2
)
_LOCALITIES = st.builds(Locality, region=st.sampled_from(["", "eu"]), zone=st.sampled_from(["", "é 1"]))
_SHARES = st.floats(0.01, 100)
_OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "least_request": st.builds(
        LeastRequest, choice_count=st.integers(2, 16), active_request_bias=st.floats(0, 100)
    ),
    "ring_hash": st.builds(
        RingHash, minimum_ring_size=st.integers(1, 5000), maximum_ring_size=st.integers(5000, 8_388_608)
    ),
    "maglev": st.builds(Maglev, table_size=st.sampled_from([2, 65537, 5_000_011])),
    "peak_ewma": st.builds(PeakEwma, decay_ms=st.integers(1, LARGEST)),
}
_SLOW_STARTS = st.builds(
    SlowStart, window_ms=st.integers(1, LARGEST), aggression=_SHARES, minimum_weight_percent=_SHARES
)


_HTTP_SETTINGS = st.builds(
    HttpSettings,
    max_header_bytes=st.integers(1024, 131_072),
    max_header_count=st.integers(1, 1000),
    max_start_line_bytes=st.integers(256, 131_072),
    normalize_path=st.booleans(),
    path_with_escaped_slashes_action=st.sampled_from(["keep_unchanged", "unescape_and_redirect"]),
    idle_timeout_ms=st.integers(0, LARGEST),
    max_requests_per_connection=st.none() | st.integers(1, LARGEST),
    forwarded_headers=st.sampled_from(["append", "overwrite", "keep"]),
    default_host_for_http_10=st.sampled_from([None, "a", "app.mesh.local"]),
)
_CLUSTER_HTTP = st.builds(
    ClusterHttp,
    idle_timeout_ms=st.integers(0, LARGEST),
    max_idle_connections=st.integers(1, LARGEST),
    max_requests_per_connection=st.none() | st.integers(1, LARGEST),
    max_connection_duration_ms=st.none() | st.integers(1, LARGEST),
)


@st.composite
def _balancing(draw: Callable[..., Any]) -> dict[str, Any]:
    """The load balancing of a cluster, without its endpoints."""
    balancer = draw(st.sampled_from(["round_robin", "random", *_OPTIONS]))
    chosen: dict[str, Any] = {
        "load_balancer": balancer,
        "panic_threshold_percent": draw(st.integers(0, 100)),
        "overprovisioning_percent": draw(st.integers(100, 10_000)),
    }
    if balancer in _OPTIONS:
        chosen[balancer] = draw(st.none() | _OPTIONS[balancer])
    if balancer not in ("ring_hash", "maglev"):
        chosen["slow_start"] = draw(st.none() | _SLOW_STARTS)
    return chosen


@st.composite
def _subsets(draw: Callable[..., Any]) -> Subsets:
    keys = draw(st.lists(st.sampled_from([("version",), ("stage",), ("version", "stage")]), unique=True, max_size=3))
    policy = draw(st.sampled_from(["no_fallback", "any_endpoint", "default_subset"]))
    return Subsets(
        subset_selectors=tuple(SubsetSelector(keys=each) for each in keys),
        fallback_policy=policy,
        default_subset=draw(_LABELS) if policy == "default_subset" else None,
    )


@st.composite
def _endpoint(draw: Callable[..., Any], address: str) -> str | Endpoint:
    settings = st.builds(
        Endpoint,
        address=st.just(address),
        weight=st.integers(1, 1_000_000),
        priority=st.integers(0, 127),
        locality=_LOCALITIES,
        labels=_LABELS,
    )
    return draw(st.just(address) | settings)


def _locality_weights(endpoints: tuple[str | Endpoint, ...]) -> tuple[LocalityWeight, ...]:
    found = dict.fromkeys(each.locality if isinstance(each, Endpoint) else Locality() for each in endpoints)
    return tuple(LocalityWeight(locality=each, weight=place + 1) for place, each in enumerate(found))


def _listeners(clusters: list[str]) -> st.SearchStrategy[list[Listener]]:
    def numbered(listeners: list[Listener]) -> list[Listener]:
        # A port each, so that no two are on the same address, and none is where an endpoint is.
        return [
            msgspec.structs.replace(listener, name=f"l{index}", address=f"127.0.0.1:{index + 1}")
            for index, listener in enumerate(listeners)
        ]

    naturals, positives = st.integers(0, LARGEST), st.integers(1, LARGEST)
    listener = st.builds(
        Listener,
        name=NAMES,
        address=st.just(""),
        cluster=st.sampled_from(clusters),
        max_connections=st.none() | positives,
        idle_timeout_ms=naturals,
        max_connection_duration_ms=st.none() | positives,
        accept_proxy_protocol=st.booleans(),
        proxy_protocol_timeout_ms=positives,
        buffer_limit_bytes=st.integers(4096, 262144),
        backlog=positives,
        unix_mode=st.none(),
        tls=st.none() | _LISTENER_TLS,
    )
    http = st.builds(
        Listener,
        name=NAMES,
        address=st.just(""),
        protocol=st.just("http"),
        cluster=st.just("http"),
        http=st.none() | _HTTP_SETTINGS,
    )
    return st.lists(listener | http, max_size=4).map(numbered)


def _static(endpoints: tuple[Any, ...]) -> st.SearchStrategy[dict[str, Any]]:
    """What a cluster of these endpoints may have."""
    return st.fixed_dictionaries(
        {
            "endpoints": st.just(endpoints),
            "locality_weights": st.sampled_from([(), _locality_weights(endpoints)]),
            "subsets": st.none() | _subsets(),
        }
    )


def _dns() -> st.SearchStrategy[dict[str, Any]]:
    """What makes a DNS cluster of one."""
    ordered = st.tuples(st.integers(1, LARGEST), st.integers(1, LARGEST)).map(sorted)
    name = st.builds("h{}.h{}.:{}".format, _HOST_LABELS, _HOST_LABELS, _PORTS)
    return st.builds(
        lambda endpoints, ttl, failure, **more: more
        | {"endpoints": tuple(endpoints), "type": "logical_dns" if len(endpoints) == 1 else "strict_dns"}
        | dict(zip(("dns_min_refresh_ms", "dns_max_refresh_ms"), ttl, strict=True))
        | dict(zip(("dns_failure_refresh_ms", "dns_failure_max_refresh_ms"), failure, strict=True)),
        st.lists(name, min_size=1, max_size=3, unique_by=str.lower),
        ordered,
        ordered,
        dns_refresh_ms=st.integers(1, LARGEST),
        respect_dns_ttl=st.booleans(),
        dns_lookup_family=st.sampled_from(["auto", "v4_only", "v6_only", "v4_preferred", "all"]),
        dns_resolvers=st.lists(st.ip_addresses().map(str).filter(lambda host: host not in ("0.0.0.0", "::")))
        .map(tuple),
        dns_query_timeout_ms=st.integers(1, LARGEST),
    )


@st.composite
def configs(draw: Callable[..., Any]) -> Config:
    """Configurations that the loader accepts."""
    names = draw(st.lists(NAMES.filter(lambda name: name != "http"), min_size=1, max_size=4, unique=True))
    endpoints = st.lists(
        ADDRESSES.filter(lambda text: not text.startswith("127.0.0.1:")), max_size=3, unique=True
    )
    chosen = {name: tuple(draw(_endpoint(each)) for each in draw(endpoints)) for name in names}
    clusters = [
        Cluster(
            name=name,
            **draw(_balancing()),
            connect_timeout_ms=draw(st.integers(1, LARGEST)),
            send_proxy_protocol=draw(st.sampled_from([None, "v1", "v2"])),
            tls=draw(st.none() | _CLUSTER_TLS),
            **draw(_dns() | _static(chosen[name])),
        )
        for name in names
    ]
    clusters.append(Cluster(name="http", endpoints=("192.0.2.1:1",), http=draw(_CLUSTER_HTTP)))
    paths = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20)
    return Config(
        listeners=tuple(draw(_listeners(names))),
        clusters=tuple(clusters),
        admin=draw(st.none() | st.just(Admin(address="127.0.0.1:0"))),
        workers=draw(st.none() | st.integers(1, 256)),
        access_log=draw(st.none() | st.builds(AccessLog, path=paths, format=st.just("json"))),
        max_connections=draw(st.none() | st.integers(1, LARGEST)),
        drain_timeout_ms=draw(st.integers(0, LARGEST)),
    )


_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.binary(max_size=8)
    | st.sampled_from(["on", "5s", "tcp", "127.0.0.1:1", "unix:@x", "0660", "round_robin"])
)
values = st.recursive(
    _scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10) | st.integers(), inner, max_size=3)
    ),
    max_leaves=8,
)
"""Anything that a message can hold."""


@st.composite
def altered(draw: Callable[..., Any]) -> Any:
    """The builtins of a good configuration with one value replaced, removed, or added."""
    root: Any = msgspec.to_builtins(draw(configs()), builtin_types=(bytes,))
    place, steps = root, draw(st.integers(0, 3))
    for _ in range(steps):
        below = list(place.values() if isinstance(place, dict) else place)
        inner = [value for value in below if isinstance(value, dict | list) and value]
        if not inner:
            break
        place = draw(st.sampled_from(inner))
    _alter(draw, place)
    return root


def _alter(draw: Callable[..., Any], place: Any) -> None:
    if isinstance(place, list):
        place[draw(st.integers(0, len(place) - 1))] = draw(values)
        return
    key = draw(st.sampled_from(sorted(place)) | st.text(max_size=10))
    if draw(st.booleans()):
        place.pop(key, None)
    else:
        place[key] = draw(values)
