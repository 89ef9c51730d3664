"""Random: every connection draws an endpoint, in proportion to the weights, independently of all others."""

from libc.stdint cimport uint64_t
from mesh_core.snapshot.tables cimport EndpointC, LoadBalancerC, PoolC
from mesh_core.upstream.hashing cimport multiply_high, random_next
from mesh_core.upstream.weighted_table cimport weighted_table_find

cdef LoadBalancerC RANDOM


# One of the eligible endpoints, drawn in proportion to their weights.
cdef inline EndpointC* pool_draw(const PoolC* pool, uint64_t* random) noexcept nogil:
    cdef uint64_t number = random_next(random)
    if pool.weighted:
        return pool.eligible[weighted_table_find(&pool.weights, number)]
    return pool.eligible[multiply_high(number, pool.eligible_count)]


# A second one: never the first again where all weigh the same, and there are two or more.
cdef inline EndpointC* pool_draw_other(const PoolC* pool, uint64_t* random, const EndpointC* first) noexcept nogil:
    cdef uint64_t place
    if pool.weighted or pool.eligible_count < 2:
        return pool_draw(pool, random)
    place = multiply_high(random_next(random), pool.eligible_count - 1)
    # The last one stands in for the first.
    return pool.eligible[pool.eligible_count - 1] if pool.eligible[place] == first else pool.eligible[place]
