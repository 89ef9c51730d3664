"""Which rules a request is subject to, and which of their buckets is its own. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.header_match cimport HeaderMatchC
from mesh_core.routing.rate_buckets cimport RateBucketsC
from mesh_core.routing.request_view cimport RequestViewC

cdef enum RateKeyKind:
    RATE_KEY_HEADER            # `name`
    RATE_KEY_SOURCE_ADDRESS
    RATE_KEY_PATH_SEGMENTS     # `segments`


cdef struct RateKeyC:
    uint8_t kind               # RateKeyKind
    uint32_t segments
    TextC name


# Owner: the snapshot.
cdef struct RateLimitC:
    RateBucketsC* buckets      # of all snapshots that have this rule; written atomically
    const RateKeyC* keys
    uint32_t key_count
    const HeaderMatchC* headers  # that a request must have, all of them
    uint32_t header_count
    uint16_t status
    uint32_t enforced_ppm
    bint retry_after
    bint x_ratelimit_headers
    uint64_t** stats           # RateLimitStat words, a block for each worker


cdef struct RateLimitsC:
    const RateLimitC* rules
    uint32_t count


# Whether the request is subject to the rule: then `key` names its bucket. The headers must be as the rule has them, and
# those that are keys must be there.
cdef bint rate_limit_applies(const RateLimitC* rule, const RequestViewC* request, uint64_t* key) noexcept nogil
