"""Names of fields; the contract stands in field_names.pxd."""

cdef enum:
    NEITHER = FIELD_NO_TRAILER | FIELD_NO_OPTION


cdef int make_table() except -1:
    """Fill the table; when the module is loaded."""
    cdef WordsC words
    cdef uint8_t slot
    names = [
        (b"host", FIELD_HOST, NEITHER),
        (b"content-length", FIELD_CONTENT_LENGTH, NEITHER),
        (b"transfer-encoding", FIELD_TRANSFER_ENCODING, NEITHER),
        (b"connection", FIELD_CONNECTION, NEITHER),
        (b"upgrade", FIELD_UPGRADE, FIELD_NO_TRAILER),
        (b"expect", FIELD_EXPECT, NEITHER),
        # RFC 9110, section 7.6.1; the last is of a withdrawn way to HTTP/2 (RFC 9113, section 3.1).
        (b"keep-alive", FIELD_KEEP_ALIVE, FIELD_NO_TRAILER),
        (b"proxy-connection", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        (b"te", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        (b"http2-settings", FIELD_HOP_BY_HOP, FIELD_NO_TRAILER),
        # For the next proxy only, should it have asked (RFC 9110, section 11.7).
        (b"proxy-authorization", FIELD_OTHER, FIELD_NO_TRAILER),
        (b"proxy-authenticate", FIELD_OTHER, FIELD_NO_TRAILER),
        (b"trailer", FIELD_OTHER, FIELD_NO_TRAILER),
        (b"x-request-id", FIELD_X_REQUEST_ID, NEITHER),
        (b"x-forwarded-for", FIELD_X_FORWARDED_FOR, NEITHER),
        (b"x-forwarded-proto", FIELD_X_FORWARDED_PROTO, NEITHER),
    ]
    names += [(name, FIELD_END_TO_END, NEITHER) for name in (
        b"age", b"authorization", b"cache-control", b"content-encoding", b"content-location", b"content-range",
        b"content-type", b"cookie", b"date", b"expires", b"forwarded", b"if-match", b"if-modified-since",
        b"if-none-match", b"if-range", b"if-unmodified-since", b"location", b"max-forwards", b"pragma", b"range",
        b"retry-after", b"set-cookie", b"vary", b"via", b"warning", b"www-authenticate",
        b"x-forwarded-host", b"x-real-ip", b"traceparent", b"tracestate", b"origin",
    )]
    for text, id, rules in names:
        if len(text) > LONGEST_NAME:
            raise AssertionError(f"{text!r} is longer than what is looked for")
        words = words_of(<const uint8_t*><const char*>text, len(text))
        slot = words_hash(&words)
        while NAMES[slot].size:
            slot += 1
        NAMES[slot] = NameC(words, len(text), id, rules)
    return 0


make_table()
