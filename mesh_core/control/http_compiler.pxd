"""From the `http` settings of listeners and clusters to the tables that workers read. Control thread, with the GIL."""

from mesh_core.snapshot.http_settings cimport ClusterHttpC, HttpSettingsC
from mesh_core.snapshot.snapshot cimport Snapshot


# Fill in `out` from `settings`, an HttpSettings; texts go to the snapshot's memory. Raises MemoryError.
cdef int compile_http_settings(Snapshot snapshot, HttpSettingsC* out, settings) except -1

# Fill in `out` from `settings`, a ClusterHttp.
cdef int compile_cluster_http(ClusterHttpC* out, settings) except -1
