"""Names of fields; the contract stands in field_names.pxd."""

from mesh_core.http1.grammar cimport equals_ignoring_case, lower

cdef enum:
    LONGEST = 19
    NAMES = 47
    NEITHER = FIELD_NO_TRAILER | FIELD_NO_OPTION

cdef struct NameC:
    const char* text           # in lower case
    uint8_t id
    uint8_t rules


cdef NameC[NAMES] TABLE                # by size
cdef uint8_t[LONGEST + 2] FIRST        # of each size; that of the next size is behind its last


cdef int make_table() except -1:
    """Fill the tables; when the module is loaded."""
    cdef int index, size
    names = [
        (b"host", FIELD_HOST, NEITHER),
        (b"content-length", FIELD_CONTENT_LENGTH, NEITHER),
        (b"transfer-encoding", FIELD_TRANSFER_ENCODING, NEITHER),
        (b"connection", FIELD_CONNECTION, NEITHER),
        (b"upgrade", FIELD_UPGRADE, FIELD_NO_TRAILER),
        (b"expect", FIELD_EXPECT, NEITHER),
        # RFC 9110, section 7.6.1; the last is of a withdrawn way to HTTP/2 (RFC 9113, section 3.1).
        (b"keep-alive", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        (b"proxy-connection", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        (b"te", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        (b"http2-settings", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        # For the next proxy only, should it have asked (RFC 9110, section 11.7).
        (b"proxy-authorization", FIELD_OTHER, FIELD_NO_TRAILER),
        (b"proxy-authenticate", FIELD_OTHER, FIELD_NO_TRAILER),
        (b"trailer", FIELD_OTHER, FIELD_NO_TRAILER),
    ]
    names += [(name, FIELD_END_TO_END, NEITHER) for name in (
        b"age", b"authorization", b"cache-control", b"content-encoding", b"content-location", b"content-range",
        b"content-type", b"cookie", b"date", b"expires", b"forwarded", b"if-match", b"if-modified-since",
        b"if-none-match", b"if-range", b"if-unmodified-since", b"location", b"max-forwards", b"pragma", b"range",
        b"retry-after", b"set-cookie", b"vary", b"via", b"warning", b"www-authenticate", b"x-forwarded-for",
        b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"x-request-id", b"traceparent", b"tracestate",
        b"origin",
    )]
    names.sort(key=lambda entry: len(entry[0]))
    for index, (text, id, rules) in enumerate(names):
        TABLE[index] = NameC(<const char*>KEPT.setdefault(text, text), id, rules)
    for size in range(LONGEST + 2):
        FIRST[size] = sum(len(entry[0]) < size for entry in names)
    if len(names) != NAMES or FIRST[LONGEST + 1] != NAMES:
        raise AssertionError("the table of names has another size")
    return 0


cdef dict KEPT = {}                    # the texts that TABLE points to
make_table()


cdef uint8_t field_name_find(const uint8_t* name, size_t size, uint8_t* rules) noexcept nogil:
    cdef const NameC* known
    cdef size_t index
    rules[0] = 0
    if size > LONGEST:
        return FIELD_OTHER
    for index in range(FIRST[size], FIRST[size + 1]):
        known = &TABLE[index]
        if lower(name[0]) == known.text[0] and equals_ignoring_case(name, <const uint8_t*>known.text, size):
            rules[0] = known.rules
            return known.id
    return FIELD_OTHER
