"""What a route does besides choosing where requests go: time-outs, retries, faults, copies, CORS."""

from __future__ import annotations

from typing import Any

from mesh_core.config.schema import RouteTimeouts
from mesh_cp.generators.context import Context
from mesh_cp.model.routes import Attached, Virtual
from mesh_cp.resources.common import milliseconds
from mesh_cp.resources.http_route import HttpRule
from mesh_cp.resources.virtual_service import HttpRoute


def virtual_service_extras(context: Context, virtual: Virtual, port: int, route: HttpRoute) -> dict[str, Any]:
    """The fields of a route that an HTTP route of a VirtualService asks for."""
    fields: dict[str, Any] = {}
    if route.timeout is not None:
        fields["timeouts"] = RouteTimeouts(request_ms=milliseconds(route.timeout))
    return fields


def http_route_extras(context: Context, attached: Attached, rule: HttpRule, port: int) -> dict[str, Any]:
    """The fields of a route that a rule of an HTTPRoute asks for."""
    fields: dict[str, Any] = {}
    if rule.timeouts is not None:
        whole, each = rule.timeouts.request, rule.timeouts.backend_request
        fields["timeouts"] = RouteTimeouts(
            request_ms=None if whole is None else milliseconds(whole),
            per_try_ms=None if each is None else milliseconds(each),
        )
    return fields
