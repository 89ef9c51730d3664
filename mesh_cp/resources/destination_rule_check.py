"""What must hold within a DestinationRule, and what in it has no effect."""

from __future__ import annotations

import re
from typing import get_args

from mesh_core.config.faults import PathStep
from mesh_core.config.schema.tls import HostName, Uri
from mesh_core.config.wording import quoted
from mesh_cp.resources.common import Checks, is_given
from mesh_cp.resources.destination_rule import (
    ClientTls,
    DestinationRuleSpec,
    LoadBalancer,
    PortTrafficPolicy,
    TrafficPolicy,
)
from mesh_cp.resources.workload_entry import is_ip

_URI, _HOST_NAME = (re.compile(get_args(each)[1].pattern) for each in (Uri, HostName))
_HASH_KEYS = ("http_header_name", "http_cookie", "use_source_ip", "http_query_parameter_name")


def check(spec: DestinationRuleSpec, checks: Checks) -> None:
    """Report what cannot be, and what has no effect."""
    if spec.traffic_policy is not None:
        _check_policy(["spec", "trafficPolicy"], spec.traffic_policy, checks)
    names: dict[str, int] = {}
    for index, subset in enumerate(spec.subsets):
        path: list[PathStep] = ["spec", "subsets", index]
        if names.setdefault(subset.name, index) != index:
            checks.error([*path, "name"], f"is the name of subsets[{names[subset.name]}] too", "write another")
        if subset.traffic_policy is not None:
            _check_policy([*path, "trafficPolicy"], subset.traffic_policy, checks)


def _check_policy(path: list[PathStep], policy: TrafficPolicy, checks: Checks) -> None:
    _check_settings(path, policy, checks)
    if policy.proxy_protocol is not None:
        message = "requests of many share a connection: of effect for ports of TCP only"
        checks.warning([*path, "proxyProtocol"], message)
    numbers: dict[int, int] = {}
    for index, settings in enumerate(policy.port_level_settings):
        here = [*path, "portLevelSettings", index]
        first = numbers.setdefault(settings.port.number, index)
        if first != index:
            checks.error([*here, "port"], f"is the port of portLevelSettings[{first}] too", "write one for each port")
        _check_settings(here, settings, checks)


def _check_settings(path: list[PathStep], settings: TrafficPolicy | PortTrafficPolicy, checks: Checks) -> None:
    if settings.load_balancer is not None:
        _check_balancer([*path, "loadBalancer"], settings.load_balancer, checks)
    if settings.tls is not None:
        _check_tls([*path, "tls"], settings.tls, checks)
    detection = settings.outlier_detection
    if detection is not None and is_given(detection.consecutive_errors):
        checks.warning([*path, "outlierDetection", "consecutiveErrors"], "was replaced by Istio: taken for the next",
                       "write consecutive5xxErrors")  # fmt: skip


def _check_balancer(path: list[PathStep], balancer: LoadBalancer, checks: Checks) -> None:
    checks.only_one(path, balancer, ("simple", "consistent_hash"), required=False)
    if balancer.simple == "PASSTHROUGH":
        checks.error([*path, "simple"], "PASSTHROUGH goes by the address dialled, which is not supported")
    if balancer.simple == "LEAST_CONN":
        checks.warning([*path, "simple"], "was replaced by Istio: taken for LEAST_REQUEST", "write LEAST_REQUEST")
    checks.only_one(path, balancer, ("warmup", "warmup_duration_secs"), required=False)
    if balancer.consistent_hash is not None and (balancer.warmup or balancer.warmup_duration_secs):
        checks.warning([*path, "consistentHash"], "a hash knows no warm-up: warmup is of no effect here")
    hashing = balancer.consistent_hash
    if hashing is not None:
        here = [*path, "consistentHash"]
        checks.only_one(here, hashing, _HASH_KEYS)
        checks.only_one(here, hashing, ("ring_hash", "maglev", "minimum_ring_size"), required=False)
        if hashing.maglev is not None and not _is_prime(hashing.maglev.table_size):
            checks.error([*here, "maglev", "tableSize"], "not a prime number", "for example 65537")
    locality = balancer.locality_lb_setting
    for index, share in enumerate(locality.distribute if locality is not None else ()):
        if sum(share.to.values()) != 100:
            at = [*path, "localityLbSetting", "distribute", index, "to"]
            checks.error(at, f"the shares add up to {sum(share.to.values())}", "they must add up to 100")


def _check_tls(path: list[PathStep], tls: ClientTls, checks: Checks) -> None:
    if tls.mode == "MUTUAL" and (tls.client_certificate is None or tls.private_key is None):
        checks.error(path, "mode: MUTUAL shows a certificate", "add clientCertificate and privateKey")
    if (tls.client_certificate is None) != (tls.private_key is None):
        checks.error(path, "a certificate and its key go together", "add the other")
    for name in ("client_certificate", "private_key", "ca_certificates"):
        if "-----BEGIN" in (getattr(tls, name) or ""):
            checks.error(path, "expected the path of a file, found what stands in one", "put it into a file")
    for index, name in enumerate(tls.subject_alt_names):
        if is_ip(name) or not (_URI if "://" in name else _HOST_NAME).fullmatch(name):
            checks.error([*path, "subjectAltNames", index], f"{quoted(name)} is neither a host name nor a URI")
    if tls.sni is not None and is_ip(tls.sni):
        checks.error([*path, "sni"], f"{quoted(tls.sni)} is an IP address", "write a host name")
    if tls.mode == "ISTIO_MUTUAL":
        message = "the mesh's own certificates are not there yet: connections in the mesh are in the clear"
        checks.warning([*path, "mode"], message)


def _is_prime(number: int) -> bool:
    return (number % 2 != 0 and all(number % divisor for divisor in range(3, int(number**0.5) + 1, 2))) or number == 2
