"""How the load of a cluster is shared between its priority levels. Pure functions, no GIL.

Envoy's: a level's health is the percentage of its endpoints that are healthy, times the overprovisioning factor, at
most 100. Each level takes as much of the load as its health says, the first ones first. Only where the levels together
have less than 100 are shares scaled up, and is a level below the panic threshold in panic: then its endpoints count as
healthy, all of them. When all levels are in panic, each gets a share by the number of its endpoints.
Source: source/extensions/load_balancing_policies/common/load_balancer_impl.cc, and the pages on priority levels and
the panic threshold of Envoy's documentation.
"""

from libc.stdint cimport uint32_t


cdef struct LevelLoadC:
    uint32_t member_count      # in
    uint32_t healthy_count     # in
    uint32_t health            # out: 0 to 100
    uint32_t load_percent      # out; together 100, or 0 when there are no endpoints
    bint panic                 # out


cdef void priority_load(
    LevelLoadC* levels, uint32_t count, uint32_t overprovisioning_percent, uint32_t panic_threshold_percent
) noexcept nogil
