"""Which traffic policy holds for a port of a host, or of a subset of it, by Istio's rules.

A subset's policy stands in place of the host's, each of its parts (load balancer, connection pool …) on its own. The
settings of a port stand in place of all that, and inherit nothing: what they leave out is as by default.
"""

from __future__ import annotations

from msgspec import Struct

from mesh_cp.model.rules import Rule
from mesh_cp.resources.destination_rule import (
    ClientTls,
    ConnectionPool,
    HttpSettings,
    LoadBalancer,
    OutlierDetection,
    ProxyProtocol,
    RetryBudget,
    TcpSettings,
    TrafficPolicy,
)


class Effective(Struct, frozen=True, kw_only=True):
    """What holds in the end."""

    load_balancer: LoadBalancer = LoadBalancer()
    tcp: TcpSettings = TcpSettings()
    http: HttpSettings = HttpSettings()
    outlier_detection: OutlierDetection | None = None
    tls: ClientTls | None = None
    proxy_protocol: ProxyProtocol | None = None
    retry_budget: RetryBudget | None = None

    @property
    def by_locality(self) -> bool:
        """Whether endpoints near the proxy go first: as in Istio, where they can fail over and nobody turned it off."""
        setting = self.load_balancer.locality_lb_setting
        enabled = setting is None or setting.enabled is not False
        shared = setting is not None and bool(setting.distribute)
        return enabled and not shared and self.outlier_detection is not None


def effective(rule: Rule, subset: str, port: int) -> Effective:
    """What `rule` says of a port, of the host or of a subset of it."""
    own = rule.subset(subset)
    policy = _over(rule.policy, own.traffic_policy if own is not None else None)
    pool, balancer = policy.connection_pool, policy.load_balancer
    detection, tls = policy.outlier_detection, policy.tls
    for settings in policy.port_level_settings:
        if settings.port.number == port:
            pool, balancer = settings.connection_pool, settings.load_balancer
            detection, tls = settings.outlier_detection, settings.tls
    pool = pool or ConnectionPool()
    return Effective(
        load_balancer=balancer or LoadBalancer(),
        tcp=pool.tcp or TcpSettings(),
        http=pool.http or HttpSettings(),
        outlier_detection=detection,
        tls=tls,
        proxy_protocol=policy.proxy_protocol,
        retry_budget=policy.retry_budget,
    )


def _over(policy: TrafficPolicy, own: TrafficPolicy | None) -> TrafficPolicy:
    """`policy` with the parts that `own` has in place of its own."""
    if own is None:
        return policy
    return TrafficPolicy(
        load_balancer=own.load_balancer or policy.load_balancer,
        connection_pool=own.connection_pool or policy.connection_pool,
        outlier_detection=own.outlier_detection or policy.outlier_detection,
        tls=own.tls or policy.tls,
        port_level_settings=own.port_level_settings or policy.port_level_settings,
        proxy_protocol=own.proxy_protocol or policy.proxy_protocol,
        retry_budget=own.retry_budget or policy.retry_budget,
    )
