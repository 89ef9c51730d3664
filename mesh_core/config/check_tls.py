"""What must hold within the TLS settings of a listener or a cluster. The files that they name are not looked at."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence

from mesh_core.config.faults import PathStep, Report
from mesh_core.config.host_name import shared_host_name
from mesh_core.config.schema import (
    Cluster,
    ClusterTls,
    Endpoint,
    FilterChain,
    Listener,
    ListenerTls,
    PeerNames,
    ServerCertificate,
)
from mesh_core.config.wording import path_text, quoted

ALPN_LIMIT = 16
"""Protocols that a listener speaks, or a cluster offers."""

SERVER_NAMES_LIMIT = 256
"""Names of a listener's further certificates: each handshake looks through them."""

SYSTEM_CA = "system"
"""What stands for the CAs of the operating system."""

_SPIFFE_ID = re.compile(r"spiffe://([a-z0-9._-]{1,255})((?:/[A-Za-z0-9._-]+)*)")
_NOT_EMPTY = ("cipher_suites", "ciphers", "groups")
_DISTINCT = (*_NOT_EMPTY, "alpn")


def check_listener_tls(path: list[PathStep], listener: Listener | FilterChain, report: Report) -> None:
    """Report what cannot work in the TLS settings of a listener or a filter chain, which stand at `path`."""
    tls = listener.tls
    if not isinstance(tls, ListenerTls):
        return
    _check_common(path, tls, report)
    if isinstance(tls.certificates, tuple):
        _check_certificates([*path, "certificates"], tls.certificates, report)
    if tls.trusted_ca is None:
        hint = "add trusted_ca"
        if tls.require_client_certificate is True:
            message = "there is no trusted_ca that a client's certificate could lead to"
            report([*path, "require_client_certificate"], message, hint)
        if isinstance(tls.peer, PeerNames):
            report([*path, "peer"], "without trusted_ca clients are not asked for a certificate", hint)
    elif isinstance(tls.peer, PeerNames) and tls.require_client_certificate is False:
        message = "a client without a certificate would pass, whatever names are asked for"
        report([*path, "peer"], message, "remove it, or require_client_certificate")


def check_cluster_tls(path: list[PathStep], cluster: Cluster, report: Report) -> None:
    """Report what cannot work in the TLS settings of a cluster, which stand at `path`."""
    tls = cluster.tls
    if not isinstance(tls, ClusterTls):
        return
    _check_common(path, tls, report)
    if tls.certificate is None and isinstance(tls.key, str):
        report([*path, "key"], "a key without its certificate", "add certificate")
    if tls.key is None and isinstance(tls.certificate, str):
        report([*path, "certificate"], "a certificate without its key", "add key")
    if isinstance(tls.server_name, str):
        _check_host_name([*path, "server_name"], tls.server_name, report)
    _check_verification(path, cluster, tls, report)


def _check_verification(path: list[PathStep], cluster: Cluster, tls: ClusterTls, report: Report) -> None:
    """Endpoints are verified, by CA and by name, or it is said that they are not."""
    if tls.insecure_skip_verify is True:
        for key in ("trusted_ca", "peer"):
            if getattr(tls, key) is not None:
                message = "insecure_skip_verify says that endpoints are not verified"
                report([*path, key], message, f"remove one: {key} or insecure_skip_verify")
    elif tls.trusted_ca is None:
        hint = f"add trusted_ca: the path of a file, or {SYSTEM_CA}"
        report(path, "nothing says which CAs endpoints' certificates must lead to", hint)
    elif tls.server_name is None and tls.peer is None and not _has_host_name(cluster):
        message = "nothing says which name an endpoint's certificate must have"
        report(path, message, "add server_name, or peer")


def _has_host_name(cluster: Cluster) -> bool:
    """Whether the endpoints' own name can be checked, as far as can be told."""
    endpoints = cluster.endpoints
    readable = isinstance(endpoints, tuple) and all(
        isinstance(each.address if isinstance(each, Endpoint) else each, str) for each in endpoints
    )
    return not readable or shared_host_name(cluster) is not None


def _check_common(path: list[PathStep], tls: ListenerTls | ClusterTls, report: Report) -> None:
    _check_paths(path, tls, report)
    if tls.min_version == "1.3" and tls.max_version == "1.2":
        report([*path, "max_version"], "older than min_version", "remove one of them")
    for key in _NOT_EMPTY:
        if getattr(tls, key) == ():
            report([*path, key], "an empty list", "remove it for the default")
    for key in _DISTINCT:
        _check_distinct([*path, key], getattr(tls, key), report)
    if isinstance(tls.alpn, tuple) and len(tls.alpn) > ALPN_LIMIT:
        report([*path, "alpn", ALPN_LIMIT], f"more than {ALPN_LIMIT} protocols", None)
    if isinstance(tls.peer, PeerNames):
        _check_peer([*path, "peer"], tls.peer, report)


def _check_paths(
    path: list[PathStep], files: ListenerTls | ClusterTls | ServerCertificate, report: Report
) -> None:
    for key in ("certificate", "key", "trusted_ca"):
        value = getattr(files, key, None)
        # Not shown: whatever stands there, a message or /config_dump must not carry it on.
        if isinstance(value, str) and "-----BEGIN" in value:
            report([*path, key], "expected the path of a file, found what stands in one", "put it into a file")


def _check_certificates(
    path: list[PathStep], certificates: tuple[ServerCertificate, ...], report: Report
) -> None:
    first: dict[str, list[PathStep]] = {}
    for index, each in enumerate(certificates):
        if not isinstance(each, ServerCertificate):
            continue
        _check_paths([*path, index], each, report)
        names = [*path, index, "server_names"]
        if each.server_names == ():
            report(names, "an empty list: no client would be shown this certificate", "add a name")
        for place, name in enumerate(each.server_names if isinstance(each.server_names, tuple) else ()):
            if not isinstance(name, str):
                continue
            here: list[PathStep] = [*names, place]
            same = first.setdefault(name.lower(), here)
            if same is not here:
                report(here, f"{quoted(name)} stands here already, as {path_text(same)}", "remove one")
            elif len(first) == SERVER_NAMES_LIMIT + 1:
                report(here, f"more than {SERVER_NAMES_LIMIT} names", "use a name with *")
            _check_host_name(here, name, report)


def _check_peer(path: list[PathStep], peer: PeerNames, report: Report) -> None:
    if peer == PeerNames():
        report(path, "asks for no name", "add trust_domains, uris or dns_names")
    for key in ("trust_domains", "uris", "dns_names"):
        _check_distinct([*path, key], getattr(peer, key), report)
    for place, name in enumerate(peer.dns_names if isinstance(peer.dns_names, tuple) else ()):
        if isinstance(name, str):
            _check_host_name([*path, "dns_names", place], name, report)
    for place, uri in enumerate(peer.uris if isinstance(peer.uris, tuple) else ()):
        if isinstance(uri, str):
            _check_uri([*path, "uris", place], uri, peer.trust_domains, report)


def _check_uri(path: list[PathStep], uri: str, trust_domains: object, report: Report) -> None:
    spiffe_id = _SPIFFE_ID.fullmatch(uri)
    if spiffe_id is not None and {".", ".."} & set(spiffe_id[2].split("/")):
        spiffe_id = None
    if uri.lower().startswith("spiffe:") and spiffe_id is None:
        report(path, f"not a SPIFFE ID: {quoted(uri)}", "for example spiffe://mesh.local/ns/shop/sa/cart")
    elif isinstance(trust_domains, tuple) and trust_domains:
        domain = None if spiffe_id is None else spiffe_id[1]
        if domain not in trust_domains and all(isinstance(each, str) for each in trust_domains):
            report(path, f"{quoted(uri)} is of none of the trust domains: no certificate has both", None)


def _check_host_name(path: list[PathStep], name: str, report: Report) -> None:
    """Certificates have addresses apart from names, and SNI has none (RFC 6066, section 3)."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return
    report(path, f"{quoted(name)} is an IP address", "write a host name")


def _check_distinct(path: list[PathStep], items: Sequence[object], report: Report) -> None:
    first: dict[str, int] = {}
    for place, item in enumerate(items if isinstance(items, tuple) else ()):
        if isinstance(item, str) and first.setdefault(item, place) != place:
            same = path_text([*path, first[item]])
            report([*path, place], f"{quoted(item)} stands here already, as {same}", "remove one")
