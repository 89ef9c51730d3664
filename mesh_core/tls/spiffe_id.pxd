"""SPIFFE IDs (the SPIFFE-ID standard, section 2): spiffe://trust-domain/path. Sans-I/O, no GIL."""

from libc.stdint cimport uint8_t

cdef enum:
    SPIFFE_ID_LIMIT = 2048
    SPIFFE_TRUST_DOMAIN_LIMIT = 255
    SPIFFE_SCHEME_BYTES = 9    # "spiffe://"


# The length of the trust domain, which begins at `id` + SPIFFE_SCHEME_BYTES; 0 when `id` is no SPIFFE ID.
cdef size_t spiffe_id_parse(const uint8_t* id, size_t size) noexcept nogil

# A libFuzzer entry: parses, and checks what must hold of longer and shorter IDs. Aborts on a violation.
cdef int fuzz_spiffe_id(const uint8_t* data, size_t size) noexcept nogil
