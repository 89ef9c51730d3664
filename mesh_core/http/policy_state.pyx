"""What traffic policies keep of a stream; the contract stands in policy_state.pxd."""

from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.snapshot.shared_count cimport shared_count_leave


cdef PolicyStateC* policy_state(PolicyStateC** place) noexcept nogil:
    if place[0] == NULL:
        place[0] = <PolicyStateC*>memory_alloc(sizeof(PolicyStateC))
    return place[0]


cdef void policy_delay_ended(PolicyStateC* state) noexcept nogil:
    if state.delays != NULL:
        shared_count_leave(state.delays)
        state.delays = NULL


cdef void policy_state_end(PolicyStateC* state) noexcept nogil:
    policy_delay_ended(state)
    memory_free(state.head)
    memory_free(state)
