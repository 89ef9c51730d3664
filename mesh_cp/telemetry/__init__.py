"""What proxies have told of their requests.

    traffic.py          what went over an edge of the mesh
    mesh_telemetry.py   all edges of the last minute, by who has counted
    access_records.py   the newest lines of access logs
"""

from mesh_cp.telemetry.access_records import AccessRecords
from mesh_cp.telemetry.mesh_telemetry import MeshTelemetry, by_service
from mesh_cp.telemetry.traffic import Edge, Traffic

__all__ = ["AccessRecords", "Edge", "MeshTelemetry", "Traffic", "by_service"]
