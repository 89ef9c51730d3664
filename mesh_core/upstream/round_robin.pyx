"""Round robin; the contract stands in round_robin.pxd."""

from libc.stdint cimport uint64_t
from mesh_core.snapshot.tables cimport BalancerSettingsC, EndpointC, PickContextC, PoolC
from mesh_core.upstream.hashing cimport GOLDEN_STEP
from mesh_core.upstream.weighted_table cimport weighted_table_find


cdef EndpointC* pick(
    const BalancerSettingsC* settings, PoolC* pool, uint64_t* random, const PickContextC* context
) noexcept nogil:
    cdef uint64_t turn = pool.turn
    pool.turn = turn + 1
    if pool.weighted:
        return pool.eligible[weighted_table_find(&pool.weights, turn * <uint64_t>GOLDEN_STEP)]
    return pool.eligible[turn % pool.eligible_count]


ROUND_ROBIN.pick = pick
