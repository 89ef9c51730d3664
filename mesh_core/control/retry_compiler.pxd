"""From policies of retries to their C struct. Control thread, with the GIL."""

from mesh_core.snapshot.snapshot cimport Snapshot
from mesh_core.upstream.retry cimport RetryPolicyC


# Fill in `out` from a checked Retry, a cluster's.
cdef compile_cluster_retry(RetryPolicyC* out, retry)

# The policy of a checked RouteRetry, or NULL for None, in the snapshot's memory; one for all that are equal. Raises
# MemoryError.
cdef const RetryPolicyC* compile_route_retry(Snapshot snapshot, retry) except? NULL
