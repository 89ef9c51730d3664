"""What one worker sees of a subset: which endpoints may be picked now, and what share of the load they get.

Made by the control thread with the snapshot, then refreshed by its worker whenever the cluster's generation says that
an endpoint's health has changed, and from time to time while an endpoint is in its slow start. A refresh costs time in
proportion to the endpoints; a pick between two of them does not. No GIL.
"""

from libc.stdint cimport int64_t, uint64_t
from mesh_core.snapshot.tables cimport ClusterC, SubsetC, ViewC


# Bytes of memory that a view of the subset needs.
cdef size_t view_bytes(const SubsetC* subset) noexcept nogil

# Make a view in `memory`, zeroed, of view_bytes(subset). `seed` differs by worker and snapshot: it says where turns
# and random numbers begin.
cdef void view_init(ViewC* view, const ClusterC* cluster, const SubsetC* subset, void* memory, uint64_t seed) \
    noexcept nogil

cdef void view_refresh(ViewC* view, const ClusterC* cluster, int64_t now_ms) noexcept nogil
