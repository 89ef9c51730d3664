"""TCPRoute of the Gateway API: where connections to a Service go."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from mesh_core.config.faults import PathStep
from mesh_cp.resources.common import Checks
from mesh_cp.resources.gaps import Gaps, warning
from mesh_cp.resources.gateway_api import BackendObject, ParentRef, check_backend, check_parents

Weight = Annotated[int, Meta(ge=0, le=1_000_000)]


class TcpBackendRef(BackendObject, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One of the Services that share connections."""

    weight: Weight = 1


class TcpRule(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """Where connections go."""

    name: str | None = None
    backend_refs: tuple[TcpBackendRef, ...] = ()


class TcpRouteSpec(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What is done with connections to what it is attached to."""

    gaps: ClassVar[Gaps] = {"useDefaultGateways": warning("there are no gateways here: of no effect")}

    parent_refs: tuple[ParentRef, ...] = ()
    rules: tuple[TcpRule, ...] = ()


def check(spec: TcpRouteSpec, checks: Checks) -> None:
    """Report what cannot be, and what has no effect."""
    check_parents(spec.parent_refs, checks)
    if not spec.rules:
        checks.error(["spec", "rules"], "no rule", "add one with backendRefs")
    for index, _ in enumerate(spec.rules[1:], 1):
        checks.error(["spec", "rules", index], "a TCPRoute has one rule", "write a TCPRoute for each port")
    for index, rule in enumerate(spec.rules):
        for place, backend in enumerate(rule.backend_refs):
            path: list[PathStep] = ["spec", "rules", index, "backendRefs", place]
            check_backend(path, backend, checks)
            if place == 1:
                message = "a connection goes to the Service of the largest weight"
                checks.warning(path, message, "split requests, not connections")
