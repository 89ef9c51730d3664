"""What a route does besides choosing where requests go: time-outs, retries, faults, copies, CORS."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mesh_core.config.regex import literal
from mesh_core.config.schema import Cors, FaultAbort, FaultDelay, FaultInjection, Mirror, RouteTimeouts
from mesh_cp.generators.context import Context
from mesh_cp.generators.names import cluster_name
from mesh_cp.generators.references import backend_reference, reference
from mesh_cp.generators.retries import gateway_retry, istio_retry
from mesh_cp.model.routes import Attached, Virtual
from mesh_cp.resources import http_route as api
from mesh_cp.resources import virtual_service as istio
from mesh_cp.resources.common import milliseconds

_DAY_S = 86_400
_HOUR_MS = 3_600_000


def virtual_service_extras(context: Context, virtual: Virtual, port: int, route: istio.HttpRoute) -> dict[str, Any]:
    """The fields of a route that an HTTP route of a VirtualService asks for."""
    fields: dict[str, Any] = {}
    if route.retries is not None and route.route:
        first = reference(context, virtual, route.route[0].destination, port)
        fields["retry"] = istio_retry(route.retries, context.effective(first))
    each = route.retries.per_try_timeout if route.retries is not None else None
    if route.timeout is not None or each is not None:
        fields["timeouts"] = _timeouts(route.timeout, each)
    if route.cors_policy is not None:
        fields["cors"] = _cors(route.cors_policy)
    fault = _fault(route.fault) if route.fault is not None else None
    if fault is not None:
        fields["fault"] = fault
    mirrors = tuple(_istio_mirrors(context, virtual, port, route))
    if mirrors:
        fields["mirrors"] = mirrors
    return fields


def _timeouts(whole: str | None, each: str | None) -> RouteTimeouts:
    """A time-out of one try that is longer than that of all has no effect, and is left out."""
    request_ms = None if whole is None else milliseconds(whole)
    per_try_ms = None if each is None else milliseconds(each)
    if request_ms and per_try_ms and per_try_ms > request_ms:
        per_try_ms = None
    return RouteTimeouts(request_ms=request_ms, per_try_ms=per_try_ms)


def _cors(cors: istio.Cors) -> Cors:
    """Istio passes preflights on that it does not know, unless it is told to answer them."""
    regexes = [match.regex for match in cors.allow_origins if match.regex is not None]
    prefixes = [f"{literal(match.prefix)}.*" for match in cors.allow_origins if match.prefix is not None]
    exact = [match.exact for match in cors.allow_origins if match.exact is not None]
    return Cors(
        allow_origins=(*cors.allow_origin, *exact),
        allow_origin_regexes=(*regexes, *prefixes),
        allow_methods=cors.allow_methods,
        allow_headers=cors.allow_headers,
        expose_headers=cors.expose_headers,
        allow_credentials=cors.allow_credentials is True,
        max_age_s=Cors().max_age_s if cors.max_age is None else min(_DAY_S, milliseconds(cors.max_age) // 1000),
        forward_unmatched_preflights=cors.unmatched_preflights != "IGNORE",
    )


def _fault(fault: istio.FaultInjection) -> FaultInjection | None:
    """None for a delay of no time."""
    delay = abort = None
    if fault.delay is not None and milliseconds(fault.delay.fixed_delay):
        part = fault.delay.percent if fault.delay.percentage is None else fault.delay.percentage.value
        delay_ms = min(_HOUR_MS, milliseconds(fault.delay.fixed_delay))
        delay = FaultDelay(fixed_ms=delay_ms, percentage=100.0 if part is None else float(part))
    if fault.abort is not None and fault.abort.http_status is not None:
        percentage = fault.abort.percentage
        abort = FaultAbort(status=fault.abort.http_status, percentage=100.0 if percentage is None else percentage.value)
    return FaultInjection(delay=delay, abort=abort) if delay is not None or abort is not None else None


def _istio_mirrors(context: Context, virtual: Virtual, port: int, route: istio.HttpRoute) -> Iterator[Mirror]:
    wanted = [(each.destination, each.percentage) for each in route.mirrors]
    if route.mirror is not None:
        part = route.mirror_percentage
        if part is None and route.mirror_percent is not None:
            part = istio.Percent(value=float(route.mirror_percent))
        wanted.append((route.mirror, part))
    for destination, percentage in wanted:
        if percentage is None or percentage.value:
            ref = reference(context, virtual, destination, port)
            yield Mirror(cluster=cluster_name(ref), percentage=100.0 if percentage is None else percentage.value)


def http_route_extras(context: Context, attached: Attached, rule: api.HttpRule) -> dict[str, Any]:
    """The fields of a route that a rule of an HTTPRoute asks for."""
    fields: dict[str, Any] = {}
    if rule.timeouts is not None:
        fields["timeouts"] = _timeouts(rule.timeouts.request, rule.timeouts.backend_request)
    if rule.retry is not None and rule.backend_refs:
        first = backend_reference(context, attached.key.namespace, rule.backend_refs[0])
        fields["retry"] = gateway_retry(rule.retry, context.effective(first))
    for cors in (each.cors for each in rule.filters if each.cors is not None):
        fields["cors"] = Cors(
            allow_origins=cors.allow_origins,
            allow_methods=cors.allow_methods,
            allow_headers=cors.allow_headers,
            expose_headers=cors.expose_headers,
            allow_credentials=cors.allow_credentials,
            max_age_s=min(_DAY_S, cors.max_age),
        )
    mirrors = tuple(_gateway_mirrors(context, attached, rule))
    if mirrors:
        fields["mirrors"] = mirrors
    return fields


def _gateway_mirrors(context: Context, attached: Attached, rule: api.HttpRule) -> Iterator[Mirror]:
    for mirror in (each.request_mirror for each in rule.filters if each.request_mirror is not None):
        percentage = 100.0 if mirror.percent is None else float(mirror.percent)
        if mirror.fraction is not None:
            percentage = 100.0 * mirror.fraction.numerator / mirror.fraction.denominator
        if percentage:
            ref = backend_reference(context, attached.key.namespace, mirror.backend_ref)
            yield Mirror(cluster=cluster_name(ref), percentage=percentage)
