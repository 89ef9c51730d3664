"""What is known of an endpoint at run time; the contract stands in endpoint_state.pxd."""

from mesh_core.includes.atomic cimport fetch_add_u64, fetch_and_u32, fetch_or_u32, load_relaxed_u64, store_relaxed_i64
from mesh_core.runtime.clock cimport coarse_clock_ms


cdef bint endpoint_mark(ClusterStateC* cluster, EndpointStateC* endpoint, uint32_t bit, bint unhealthy) noexcept nogil:
    cdef uint32_t before
    if unhealthy:
        before = fetch_or_u32(&endpoint.unhealthy, bit)
        if before & bit:
            return False
    else:
        before = fetch_and_u32(&endpoint.unhealthy, ~bit)
        if not before & bit:
            return False
        if before == bit:
            store_relaxed_i64(&endpoint.healthy_since_ms, coarse_clock_ms())
    # After the bit, so that a worker that sees this number sees the bit too.
    fetch_add_u64(&cluster.generation, 1)
    return True


cdef class ClusterState:
    """What is known of one cluster, by all workers together."""

    @property
    def connections(self):
        """Connections open or being opened (int)."""
        return load_relaxed_u64(&self.state.connections)

    @property
    def pending(self):
        """Connections being opened (int)."""
        return load_relaxed_u64(&self.state.pending)


cdef class EndpointState:
    """What is known of one endpoint, by all workers together."""

    def __cinit__(self, ClusterState cluster not None):
        self.cluster = cluster
        self.state.healthy_since_ms = coarse_clock_ms()

    @property
    def active(self):
        """Connections open or being opened (int)."""
        return load_relaxed_u64(&self.state.active)

    @property
    def failed_active_health_check(self):
        """Whether active health checks have found it unhealthy (bool)."""
        return bool(self.state.unhealthy & UNHEALTHY_ACTIVE)

    @property
    def ejected(self):
        """Whether outlier detection has ejected it (bool)."""
        return bool(self.state.unhealthy & UNHEALTHY_EJECTED)

    def mark(self, uint32_t bit, bint unhealthy):
        """Set or clear one of UNHEALTHY_*, for every worker; False when it was so already."""
        return endpoint_mark(&self.cluster.state, &self.state, bit, unhealthy)
