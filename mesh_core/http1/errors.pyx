"""The errors' words and statuses, in the order of errors.pxd."""

cdef const char* TEXTS[HTTP1_ERROR_COUNT]
TEXTS[:] = [
    b"", b"control_character", b"bare_cr", b"bare_lf", b"start_line_too_long", b"head_too_large",
    b"too_many_fields", b"bad_start_line", b"bad_method", b"bad_target", b"bad_authority", b"bad_version",
    b"unsupported_version", b"bad_status", b"bad_field_name", b"folded_field", b"no_host", b"repeated_host",
    b"bad_host", b"bad_length", b"repeated_length", b"length_and_coding", b"bad_coding", b"repeated_coding",
    b"coding_in_1_0", b"forbidden_body", b"bad_connection", b"forbidden_option", b"bad_upgrade", b"bad_expect",
    b"unexpected_upgrade", b"bad_chunk_size", b"bad_chunk_extension", b"bad_chunk_end", b"chunk_line_too_long",
    b"too_many_extensions", b"forbidden_trailer", b"bad_escape", b"escaped_nul", b"escaped_slash",
    b"output_overflow", b"output_field", b"output_start_line",
]


cdef const char* http1_error_text(int error) noexcept nogil:
    return TEXTS[-error]


cdef int http1_error_status(int error) noexcept nogil:
    if error == HTTP1_OK:
        return 200
    if error == HTTP1_START_LINE_TOO_LONG:
        return 414
    if error == HTTP1_BAD_EXPECT:
        return 417
    if error == HTTP1_HEAD_TOO_LARGE or error == HTTP1_TOO_MANY_FIELDS:
        return 431
    if error == HTTP1_UNSUPPORTED_VERSION:
        return 505
    return 500 if error <= HTTP1_OUTPUT_OVERFLOW else 400
