"""From a cluster's endpoints and its load balancing to the tables that picks go by. Control thread, with the GIL."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.snapshot.snapshot cimport Snapshot
from mesh_core.snapshot.tables cimport ClusterC


# The subsets of a cluster that are asked for: {labels (frozenset of pairs): index}, the first of all endpoints.
# `endpoints`: ResolvedEndpoints; `references`: what names the cluster in the configuration, each with its `subset`.
cdef dict needed_subsets(cluster, endpoints, references)

# The index of the subset for a listener whose `subset` is `labels` (a dict or None); SUBSET_NONE when there is none.
cdef uint32_t subset_index(cluster, dict subsets, labels) except? 0

# Fill in the balancer, its settings, the subsets and every worker's views. `out.endpoints` are those of `endpoints`,
# compiled. Worker w's turns begin at `seed` + w. Raises MemoryError.
cdef compile_balancing(Snapshot snapshot, ClusterC* out, cluster, endpoints, dict subsets, uint64_t seed)
