"""Ring hash; the contract stands in ring_hash.pxd."""

from libc.math cimport ceil
from libc.stdint cimport uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport qsort
from libc.string cimport memcpy
from mesh_core.runtime.memory cimport memory_alloc, memory_free
from mesh_core.snapshot.tables cimport BalancerSettingsC, EndpointC, PickContextC, PoolC, PoolTableC
from mesh_core.upstream.hash_walk cimport WALK_MOST, eligible_by_hash
from mesh_core.upstream.hashing cimport hash_bytes, stretch_shift
from mesh_core.upstream.pick cimport pick_may_be

cdef enum:
    NUMBER_BYTES = 24          # "_", a 64-bit number, NUL


cdef struct PointC:
    uint64_t hash
    uint32_t member


# The head of the lookup; points and guide follow it in the same block.
cdef struct RingC:
    PointC* points             # in the order of their hashes
    uint32_t* guide            # of each stretch of 2^shift hashes: the first point in it or after it
    uint32_t count
    uint32_t shift


cdef double scale_of(const BalancerSettingsC* settings, const PoolTableC* table, double* total) noexcept nogil:
    """How many points there are together, and the sum of the weights."""
    cdef double least = table.members[0].weight
    cdef uint32_t index
    total[0] = 0
    for index in range(table.member_count):
        total[0] += table.members[index].weight
        least = min(least, <double>table.members[index].weight)
    least /= total[0]
    return min(ceil(least * settings.minimum_ring_size) / least, <double>settings.maximum_ring_size)


cdef size_t lookup_bytes(const BalancerSettingsC* settings, const PoolTableC* table) noexcept nogil:
    cdef double total
    # One more than the scale, as the sums that points are counted by are rounded.
    cdef uint32_t count = <uint32_t>ceil(scale_of(settings, table, &total)) + 1
    cdef size_t guide = (<size_t>1 << (64 - stretch_shift(count))) * sizeof(uint32_t)
    return sizeof(RingC) + count * sizeof(PointC) + guide


cdef bint build(const BalancerSettingsC* settings, PoolTableC* table) noexcept nogil:
    cdef RingC* ring = <RingC*>table.lookup
    cdef double total
    cdef double scale = scale_of(settings, table, &total)
    cdef double target = 0
    cdef uint32_t capacity = <uint32_t>ceil(scale) + 1
    cdef uint32_t index, first
    ring.points = <PointC*>(ring + 1)
    ring.guide = <uint32_t*>(ring.points + capacity)
    for index in range(table.member_count):
        target += scale * table.members[index].weight / total
        first = ring.count
        while ring.count < target and ring.count < capacity:
            ring.count += 1
        if not add_points(ring, first, table.members[index], index):
            return False
    qsort(ring.points, ring.count, sizeof(PointC), by_hash)
    ring.shift = stretch_shift(capacity)
    fill_guide(ring)
    return True


cdef bint add_points(RingC* ring, uint32_t first, const EndpointC* endpoint, uint32_t member) noexcept nogil:
    """Hash the endpoint's points, from `first` to the ring's end; False when memory is exhausted."""
    cdef char* text = <char*>memory_alloc(endpoint.name.size + <size_t>NUMBER_BYTES)
    cdef uint32_t index
    cdef int size
    if text == NULL:
        return False
    memcpy(text, endpoint.name.text, endpoint.name.size)
    for index in range(first, ring.count):
        size = snprintf(text + endpoint.name.size, NUMBER_BYTES, b"_%u", index - first)
        ring.points[index].hash = hash_bytes(text, endpoint.name.size + <size_t>size, 0)
        ring.points[index].member = member
    memory_free(text)
    return True


cdef int by_hash(const void* left, const void* right) noexcept nogil:
    cdef uint64_t a = (<const PointC*>left).hash
    cdef uint64_t b = (<const PointC*>right).hash
    return (a > b) - (a < b)


cdef void fill_guide(RingC* ring) noexcept nogil:
    cdef uint64_t stretch
    cdef uint32_t point = 0
    for stretch in range(<uint64_t>1 << (64 - ring.shift)):
        while point < ring.count and ring.points[point].hash < stretch << ring.shift:
            point += 1
        ring.guide[stretch] = point


cdef EndpointC* pick(
    const BalancerSettingsC* settings, PoolC* pool, uint64_t* random, const PickContextC* context
) noexcept nogil:
    cdef const RingC* ring = <const RingC*>pool.table.lookup
    cdef uint32_t place = ring.guide[context.hash >> ring.shift]
    cdef EndpointC* endpoint
    cdef uint32_t _step
    while place < ring.count and ring.points[place].hash < context.hash:
        place += 1
    for _step in range(WALK_MOST):
        if place >= ring.count:
            place = 0
        endpoint = pool.table.members[ring.points[place].member]
        if pick_may_be(pool, context, endpoint):
            return endpoint
        place += 1
    return eligible_by_hash(pool, context)


RING_HASH.lookup_bytes = lookup_bytes
RING_HASH.build = build
RING_HASH.pick = pick
