"""What balancers that hash do when they come upon endpoints that may not be picked. Worker thread, no GIL."""

from mesh_core.snapshot.tables cimport EndpointC, PickContextC, PoolC
from mesh_core.upstream.hashing cimport mix_bits, multiply_high

cdef enum:
    # Places to walk on from that of the hash. With half of the endpoints healthy all of these fail once in 2^64 picks.
    WALK_MOST = 64


# The walk was too long: the hash chooses among the eligible endpoints alone.
cdef inline EndpointC* eligible_by_hash(const PoolC* pool, const PickContextC* context) noexcept nogil:
    return pool.eligible[multiply_high(mix_bits(context.hash), pool.eligible_count)]
