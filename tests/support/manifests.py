"""Manifests to apply, as short as they can be."""

from __future__ import annotations

from collections.abc import Sequence

from mesh_cp.resources import Resource, load


def service(name: str = "web", port: int = 80, namespace: str = "", version: str = "") -> str:
    """A v1/Service."""
    metadata = f"name: {name}" + (f", namespace: {namespace}" if namespace else "")
    metadata += f", resourceVersion: {version}" if version else ""
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{{metadata}}}\n"
        f"spec:\n  selector: {{app: {name}}}\n  ports:\n    - {{name: http, port: {port}, appProtocol: http}}\n"
    )


def resources(*texts: str) -> Sequence[Resource]:
    """What good manifests are of."""
    loaded = load("---\n".join(texts), "test.yaml")
    assert loaded.faults == ()
    return loaded.resources
