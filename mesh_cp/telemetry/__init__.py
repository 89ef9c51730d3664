"""What proxies have told of their requests, by service and by edge."""

from mesh_cp.telemetry.mesh_telemetry import Edge, MeshTelemetry, Traffic

__all__ = ["Edge", "MeshTelemetry", "Traffic"]
