"""Random; the contract stands in random_choice.pxd."""

from mesh_core.snapshot.tables cimport BalancerSettingsC, PickContextC


cdef EndpointC* pick(
    const BalancerSettingsC* settings, PoolC* pool, uint64_t* random, const PickContextC* context
) noexcept nogil:
    return pool_draw(pool, random)


RANDOM.pick = pick
