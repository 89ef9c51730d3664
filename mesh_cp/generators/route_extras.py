"""What a route does besides choosing where requests go: time-outs, retries, faults, copies, CORS."""

from __future__ import annotations

from typing import Any

from mesh_cp.generators.context import Context
from mesh_cp.model.routes import Attached, Virtual
from mesh_cp.resources.http_route import HttpRule
from mesh_cp.resources.virtual_service import HttpRoute


def virtual_service_extras(context: Context, virtual: Virtual, port: int, route: HttpRoute) -> dict[str, Any]:
    """The fields of a route that an HTTP route of a VirtualService asks for."""
    return {}


def http_route_extras(context: Context, attached: Attached, rule: HttpRule, port: int) -> dict[str, Any]:
    """The fields of a route that a rule of an HTTPRoute asks for."""
    return {}
