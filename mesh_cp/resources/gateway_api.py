"""What the routes of the Gateway API have in common: what they are attached to, and where they lead."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

from mesh_core.config.faults import PathStep
from mesh_core.config.wording import quoted
from mesh_cp.resources.common import Checks, Namespace, PortNumber, ResourceName
from mesh_cp.resources.gaps import Gaps, warning

GATEWAY_GROUP = "gateway.networking.k8s.io"
_KIND = Annotated[str, Meta(max_length=63)]


class ParentRef(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, rename="camel"):
    """What a route is attached to: here a Service (group "", kind Service), or one port of it."""

    gaps: ClassVar[Gaps] = {
        "sectionName": warning("a part of a gateway; a Service has ports: of no effect here"),
    }

    name: ResourceName
    group: Annotated[str, Meta(max_length=253)] = GATEWAY_GROUP
    kind: _KIND = "Gateway"
    namespace: Namespace | None = None
    port: PortNumber | None = None

    @property
    def is_service(self) -> bool:
        """Whether it is a Service, or a host of a ServiceEntry."""
        return self.kind == "Service" and self.group in ("", "core")


class BackendObject(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A Service and a port of it."""

    name: ResourceName
    group: Annotated[str, Meta(max_length=253)] = ""
    kind: _KIND = "Service"
    namespace: Namespace | None = None
    port: PortNumber | None = None


def check_parents(parents: tuple[ParentRef, ...], checks: Checks) -> None:
    """Report parents that there are none of here."""
    if not parents:
        checks.warning(["spec"], "it is attached to nothing: of no effect", "add parentRefs")
    for index, parent in enumerate(parents):
        if not parent.is_service:
            checks.warning(["spec", "parentRefs", index], f"there is no {quoted(parent.kind)} here: of no effect",
                           'attach it to a Service: {group: "", kind: Service, name: …}')  # fmt: skip


def check_backend(path: list[PathStep], backend: BackendObject, checks: Checks) -> None:
    """Report what cannot be sent to."""
    if (backend.group, backend.kind) not in (("", "Service"), ("core", "Service")):
        checks.error([*path, "kind"], f"{quoted(backend.kind)} cannot be sent to", "write a Service")
    elif backend.port is None:
        checks.error([*path, "port"], "missing", "a Service is sent to at one of its ports")
