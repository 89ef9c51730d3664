"""Round robin; the contract stands in round_robin.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.snapshot.tables cimport ClusterC, EndpointC, PickContextC


cdef struct StateC:
    uint32_t next


cdef void init(const ClusterC* cluster, void* state, uint64_t seed) noexcept nogil:
    (<StateC*>state).next = <uint32_t>(seed % cluster.endpoint_count) if cluster.endpoint_count else 0


cdef EndpointC* pick(const ClusterC* cluster, void* state, const PickContextC* context) noexcept nogil:
    cdef StateC* turn = <StateC*>state
    cdef uint32_t index = turn.next
    if index >= cluster.endpoint_count:
        if cluster.endpoint_count == 0:
            return NULL
        index = 0
    turn.next = index + 1
    return &cluster.endpoints[index]


ROUND_ROBIN.state_bytes = sizeof(StateC)
ROUND_ROBIN.init = init
ROUND_ROBIN.pick = pick
