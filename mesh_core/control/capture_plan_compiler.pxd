"""What workers keep of requests' heads for the access log, compiled. Control thread, with the GIL."""

from mesh_core.snapshot.snapshot cimport Snapshot
from mesh_core.telemetry.request_capture cimport CapturePlanC


# The plan for an access log's settings, in the snapshot's memory. Raises MemoryError.
cdef CapturePlanC* compile_capture_plan(Snapshot snapshot, settings) except NULL
