"""What is known of an endpoint at run time; the contract stands in endpoint_state.pxd."""

cimport cython
from mesh_core.includes.atomic cimport (
    exchange_u32, fetch_add_u64, fetch_and_u32, fetch_or_u32, load_relaxed_i64, load_relaxed_u32, load_relaxed_u64,
    store_relaxed_i64, store_relaxed_u32,
)
from mesh_core.runtime.clock cimport coarse_clock_ms
from mesh_core.snapshot.shared_count cimport shared_count_leave

PRIORITIES = {"default": PRIORITY_DEFAULT, "high": PRIORITY_HIGH, "low": PRIORITY_LOW}
BREAKER_PRIORITIES = ("default", "high")
FAILED_ACTIVE_HEALTH_CHECK = UNHEALTHY_ACTIVE
REMOVED = ENDPOINT_REMOVED

cdef tuple ROWS = (
    "consecutive_local_origin_failure", "consecutive_gateway_failure", "consecutive_5xx", "consecutive_failures",
)


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

    def connections(self, str priority):
        """Connections open, being opened, or waiting for another attempt (int), opened for this priority."""
        return load_relaxed_u64(&self.state.connections[breaker_priority(PRIORITIES[priority])])

    def pending(self, str priority):
        """Those of them that are not open yet (int)."""
        return load_relaxed_u64(&self.state.pending[breaker_priority(PRIORITIES[priority])])

    @property
    def retries(self):
        """Connections that are not open yet and whose first attempt has failed (int)."""
        return load_relaxed_u64(&self.state.retries)

    @property
    def request_retries(self):
        """Attempts of HTTP requests that are under way and not the first one (int)."""
        return load_relaxed_u64(&self.state.request_retries)

    def breaker_retries(self, str priority):
        """Those of them that are of this priority (int)."""
        return load_relaxed_u64(&self.state.breaker_retries[breaker_priority(PRIORITIES[priority])])

    def requests(self, str priority):
        """HTTP requests of this priority that have begun and not ended (int)."""
        return load_relaxed_u64(&self.state.requests[breaker_priority(PRIORITIES[priority])])

    def pending_requests(self, str priority):
        """Those of them that wait for a connection (int)."""
        return load_relaxed_u64(&self.state.pending_requests[breaker_priority(PRIORITIES[priority])])

    @property
    def ejected(self):
        """Endpoints that outlier detection keeps out now (int)."""
        return load_relaxed_u64(&self.state.ejected)

    @property
    def ejections(self):
        """Ejections ever (int, modulo 2**32)."""
        return load_relaxed_u32(&self.state.ejections)


# The garbage collector, were it to look inside, could take `cluster` away before __dealloc__ has used it. That keeps
# nothing that leads back.
@cython.no_gc
cdef class EndpointState:
    """What is known of one endpoint, by all workers together."""

    def __cinit__(self, ClusterState cluster not None):
        self.cluster = cluster
        self.state.healthy_since_ms = coarse_clock_ms()

    def __dealloc__(self):
        # A worker of an old snapshot may have ejected it after it was removed.
        if self.state.unhealthy & UNHEALTHY_EJECTED:
            shared_count_leave(&self.cluster.state.ejected)

    @property
    def active(self):
        """Connections open or being opened (int)."""
        return load_relaxed_u64(&self.state.active)

    @property
    def idle_timeout_ms(self):
        """After how long it ends idle connections, as far as was learned (int); None: nothing was."""
        return load_relaxed_i64(&self.state.idle_timeout_ms) or None

    @property
    def healthy(self):
        """Whether it may be picked (bool)."""
        return load_relaxed_u32(&self.state.unhealthy) == 0

    @property
    def failed_active_health_check(self):
        """Whether active health checks have found it unhealthy, or not found it healthy yet (bool)."""
        return bool(load_relaxed_u32(&self.state.unhealthy) & UNHEALTHY_ACTIVE)

    @property
    def ejected(self):
        """Whether outlier detection has ejected it (bool)."""
        return bool(load_relaxed_u32(&self.state.unhealthy) & UNHEALTHY_EJECTED)

    @property
    def ejections(self):
        """How often it was ejected (int, modulo 2**32)."""
        return load_relaxed_u32(&self.state.ejections)

    @property
    def ejection_reason(self):
        """What rule of failures in a row made a worker eject it last (str)."""
        return ROWS[load_relaxed_u32(&self.state.ejection_row)]

    @property
    def probe_at_ms(self):
        """When a request may try it, on the monotonic clock (int); 0 unless it is ejected by accrual."""
        return load_relaxed_i64(&self.state.probe_at_ms)

    @property
    def ejected_at_ms(self):
        """When it was last ejected, on the monotonic clock (int)."""
        return load_relaxed_i64(&self.state.ejected_at_ms)

    @property
    def ejection_jitter_ms(self):
        """By how much its last ejection lasts longer than it would (int)."""
        return load_relaxed_u32(&self.state.ejection_jitter_ms)

    @property
    def ejection_multiplier(self):
        """How many base ejection times its ejection lasts (int); falls while it is healthy."""
        return load_relaxed_u32(&self.state.ejection_multiplier)

    def lower_ejection_multiplier(self):
        """It was healthy for an interval. For the control thread, and an endpoint that is not ejected."""
        cdef uint32_t multiplier = load_relaxed_u32(&self.state.ejection_multiplier)
        if multiplier:
            store_relaxed_u32(&self.state.ejection_multiplier, multiplier - 1)

    def take_connects(self):
        """(successes, failures) of connects since the last call."""
        return exchange_u32(&self.state.successes, 0), exchange_u32(&self.state.failures, 0)

    def mark(self, uint32_t bit, bint unhealthy):
        """Set or clear FAILED_ACTIVE_HEALTH_CHECK or REMOVED, for every worker; False when it was so already."""
        return endpoint_mark(&self.cluster.state, &self.state, bit, unhealthy)
