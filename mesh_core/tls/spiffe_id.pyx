"""SPIFFE IDs; the contract stands in spiffe_id.pxd."""

from libc.stdlib cimport abort
from libc.string cimport memcmp, memcpy

cdef const uint8_t* SCHEME = b"spiffe://"


cdef size_t spiffe_id_parse(const uint8_t* id, size_t size) noexcept nogil:
    cdef size_t at = SPIFFE_SCHEME_BYTES
    cdef size_t trust_domain
    if size <= SPIFFE_SCHEME_BYTES or size > SPIFFE_ID_LIMIT or memcmp(id, SCHEME, SPIFFE_SCHEME_BYTES) != 0:
        return 0
    # A port or user information would need a character that is not allowed here.
    while at < size and (is_lower_or_digit(id[at]) or is_mark(id[at])):
        at += 1
    trust_domain = at - SPIFFE_SCHEME_BYTES
    if trust_domain > SPIFFE_TRUST_DOMAIN_LIMIT or not is_path(id + at, size - at):
        return 0
    return trust_domain


cdef inline bint is_lower_or_digit(uint8_t character) noexcept nogil:
    return c"a" <= character <= c"z" or c"0" <= character <= c"9"


cdef inline bint is_mark(uint8_t character) noexcept nogil:
    return character == c"." or character == c"-" or character == c"_"


cdef bint is_path(const uint8_t* path, size_t size) noexcept nogil:
    """Nothing, or segments each behind a slash: not empty, and neither "." nor ".."."""
    cdef size_t at = 0, segment, dots
    while at < size:
        if path[at] != c"/":
            return False
        at += 1
        segment = at
        dots = 0
        while at < size and path[at] != c"/":
            if not (is_lower_or_digit(path[at]) or is_mark(path[at]) or c"A" <= path[at] <= c"Z"):
                return False
            dots += path[at] == c"."
            at += 1
        if at == segment or (dots == at - segment and dots <= 2):
            return False
    return True


# --- fuzzing ---

cdef int fuzz_spiffe_id(const uint8_t* data, size_t size) noexcept nogil:
    cdef uint8_t[SPIFFE_ID_LIMIT + 3] longer
    cdef size_t trust_domain = spiffe_id_parse(data, size)
    cdef size_t authority = SPIFFE_SCHEME_BYTES + trust_domain
    if trust_domain == 0:
        return 0
    if trust_domain > SPIFFE_TRUST_DOMAIN_LIMIT or authority > size or size > SPIFFE_ID_LIMIT:
        abort()
    if authority < size and data[authority] != c"/":
        abort()
    # The trust domain alone is an ID; a slash at the end never is; one more segment is, while it fits.
    if spiffe_id_parse(data, authority) != trust_domain:
        abort()
    memcpy(longer, data, size)
    longer[size] = c"/"
    if spiffe_id_parse(longer, size + 1) != 0:
        abort()
    longer[size + 1] = c"Z"
    if spiffe_id_parse(longer, size + 2) != (trust_domain if size + 2 <= SPIFFE_ID_LIMIT else 0):
        abort()
    return 0
