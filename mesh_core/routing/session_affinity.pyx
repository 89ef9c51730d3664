"""Keeping a session with one endpoint; the contract stands in session_affinity.pxd."""

from libc.stdint cimport uint32_t
from mesh_core.http1.grammar cimport hex_digit
from mesh_core.http1.serialize cimport TextC
from mesh_core.includes.atomic cimport load_relaxed_u32
from mesh_core.routing.cookie cimport cookie_find, cookie_write
from mesh_core.routing.text_writer cimport TextWriterC, write_key
from mesh_core.snapshot.tables cimport SUBSET_NONE, EndpointKeyC, SubsetC
from mesh_core.upstream.hashing cimport hash_bytes

cdef enum:
    KEY_DIGITS = 16
    VALUE_BYTES = 2 * KEY_DIGITS   # the cluster's key, then the endpoint's
    KEY_SEED = 0x68700001      # parts these hashes from those that balancers go by


cdef uint64_t affinity_key(const char* name, size_t size) noexcept nogil:
    return hash_bytes(name, size, KEY_SEED)


cdef int affinity_find(
    const RouteC* route, const RequestViewC* request, const RouteClusterC** chosen, EndpointC** endpoint
) noexcept nogil:
    cdef TextC value
    cdef uint64_t cluster_key, endpoint_key
    cdef const RouteClusterC* cluster
    cdef EndpointC* found
    if route.affinity == NULL:
        return AFFINITY_NONE
    if not cookie_find(request.head, request.data, &route.affinity.cookie.name, &value) or value.size != VALUE_BYTES:
        return AFFINITY_NONE
    if not parse_key(value.bytes, &cluster_key) or not parse_key(value.bytes + KEY_DIGITS, &endpoint_key):
        return AFFINITY_NONE
    cluster = find_cluster(route, cluster_key)
    if cluster == NULL:
        return AFFINITY_NONE
    found = find_endpoint(cluster, endpoint_key)
    if found == NULL or load_relaxed_u32(&found.state.unhealthy):
        return AFFINITY_LOST if route.affinity.strict else AFFINITY_NONE
    chosen[0] = cluster
    endpoint[0] = found
    return AFFINITY_FOUND


cdef bint parse_key(const uint8_t* digits, uint64_t* key) noexcept nogil:
    cdef int digit, index
    key[0] = 0
    for index in range(KEY_DIGITS):
        digit = hex_digit(digits[index])
        if digit < 0:
            return False
        key[0] = key[0] << 4 | <uint64_t>digit
    return True


cdef const RouteClusterC* find_cluster(const RouteC* route, uint64_t key) noexcept nogil:
    cdef uint32_t index
    for index in range(route.cluster_count):
        if route.clusters[index].affinity_key == key:
            return &route.clusters[index]
    return NULL


cdef EndpointC* find_endpoint(const RouteClusterC* cluster, uint64_t key) noexcept nogil:
    cdef const SubsetC* subset
    cdef const EndpointKeyC* place
    cdef uint32_t at
    if cluster.subset == SUBSET_NONE:
        return NULL
    subset = &cluster.cluster.subsets[cluster.subset]
    # The table is at most half full: an empty place ends the search.
    at = <uint32_t>key & subset.key_mask
    while True:
        place = &subset.keys[at]
        if place.endpoint == NULL or place.key == key:
            return place.endpoint
        at = (at + 1) & subset.key_mask


cdef size_t affinity_cookie_write(
    const RouteC* route, const RouteClusterC* chosen, const EndpointC* endpoint, uint8_t* out, size_t capacity
) noexcept nogil:
    cdef uint8_t[VALUE_BYTES] text
    cdef TextWriterC writer = TextWriterC(&text[0], 0, VALUE_BYTES, False)
    cdef TextC value
    write_key(&writer, chosen.affinity_key)
    write_key(&writer, affinity_key(endpoint.name.text, endpoint.name.size))
    value = TextC(&text[0], writer.size)
    return cookie_write(&route.affinity.cookie, &value, out, capacity)
