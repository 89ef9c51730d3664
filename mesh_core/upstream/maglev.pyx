"""Maglev; the contract stands in maglev.pxd."""

from libc.stdint cimport UINT32_MAX, uint32_t, uint64_t
from libc.string cimport memset
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.snapshot.tables cimport BalancerSettingsC, EndpointC, PickContextC, PoolC, PoolTableC
from mesh_core.upstream.hash_walk cimport WALK_MOST, eligible_by_hash
from mesh_core.upstream.hashing cimport hash_bytes
from mesh_core.upstream.pick cimport pick_may_be


# What one member does while the table is filled.
cdef struct TurnC:
    double due                 # its turns come in the order of this: turns taken, divided by its weight
    double period
    uint32_t place             # its next preference
    uint32_t skip
    uint32_t member


cdef size_t lookup_bytes(const BalancerSettingsC* settings, const PoolTableC* table) noexcept nogil:
    return settings.maglev_table_size * sizeof(uint32_t)


cdef bint build(const BalancerSettingsC* settings, PoolTableC* table) noexcept nogil:
    cdef uint32_t size = settings.maglev_table_size
    cdef uint32_t* places = <uint32_t*>table.lookup
    cdef TurnC* turns = <TurnC*>memory_alloc(table.member_count * sizeof(TurnC))
    cdef uint32_t index, _place
    if turns == NULL:
        return False
    memset(places, 0xFF, size * sizeof(uint32_t))
    for index in range(table.member_count):
        begin(&turns[index], table.members[index], index, size)
    for index in range(table.member_count // 2, 0, -1):
        sift_down(turns, index - 1, table.member_count)
    for _place in range(size):
        take_turn(&turns[0], places, size)
        sift_down(turns, 0, table.member_count)
    memory_free(turns)
    return True


cdef void begin(TurnC* turn, const EndpointC* endpoint, uint32_t member, uint32_t size) noexcept nogil:
    turn.period = 1.0 / endpoint.weight
    turn.due = turn.period
    turn.place = <uint32_t>(hash_bytes(endpoint.name.text, endpoint.name.size, 0) % size)
    turn.skip = <uint32_t>(hash_bytes(endpoint.name.text, endpoint.name.size, 1) % (size - 1)) + 1
    turn.member = member


cdef void take_turn(TurnC* turn, uint32_t* places, uint32_t size) noexcept nogil:
    """Take the most preferred place that is free. The size is a prime, so preferences come to every place."""
    while places[turn.place] != UINT32_MAX:
        turn.place = <uint32_t>((<uint64_t>turn.place + turn.skip) % size)
    places[turn.place] = turn.member
    turn.due += turn.period


cdef void sift_down(TurnC* turns, uint32_t index, uint32_t count) noexcept nogil:
    cdef TurnC moving = turns[index]
    cdef uint32_t child
    while True:
        child = 2 * index + 1
        if child >= count:
            break
        if child + 1 < count and before(&turns[child + 1], &turns[child]):
            child += 1
        if not before(&turns[child], &moving):
            break
        turns[index] = turns[child]
        index = child
    turns[index] = moving


cdef inline bint before(const TurnC* left, const TurnC* right) noexcept nogil:
    return left.due < right.due or (left.due == right.due and left.member < right.member)


cdef EndpointC* pick(
    const BalancerSettingsC* settings, PoolC* pool, uint64_t* random, const PickContextC* context
) noexcept nogil:
    cdef const uint32_t* places = <const uint32_t*>pool.table.lookup
    cdef uint32_t place = <uint32_t>(context.hash % settings.maglev_table_size)
    cdef EndpointC* endpoint
    cdef uint32_t _step
    for _step in range(WALK_MOST):
        endpoint = pool.table.members[places[place]]
        if pick_may_be(pool, context, endpoint):
            return endpoint
        place += 1
        if place == settings.maglev_table_size:
            place = 0
    return eligible_by_hash(pool, context)


MAGLEV.lookup_bytes = lookup_bytes
MAGLEV.build = build
MAGLEV.pick = pick
