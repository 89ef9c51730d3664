"""Which clusters get a copy of a route's requests, and how."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.snapshot.tables cimport ClusterC


# Owner: the snapshot.
cdef struct MirrorC:
    const ClusterC* cluster
    uint32_t subset            # of the cluster; SUBSET_NONE when it has none for this route
    uint32_t ppm
    bint shadow_host
    uint64_t max_concurrent
    uint64_t max_body_bytes
    uint32_t timeout_ms
    uint64_t* active           # copies to this cluster under way, in all workers; written atomically
    uint64_t** stats           # MirrorStat words, a block for each worker


cdef struct MirrorsC:
    const MirrorC* mirrors
    uint32_t count
