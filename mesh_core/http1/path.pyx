"""Paths; the contract stands in path.pxd."""

from libc.string cimport memmove
from mesh_core.http1.errors cimport HTTP1_BAD_ESCAPE, HTTP1_ESCAPED_NUL, HTTP1_ESCAPED_SLASH, HTTP1_OK
from mesh_core.http1.grammar cimport CLASS_UNRESERVED, hex_digit, is_of
from mesh_core.includes.likely cimport likely


# Text that is being rewritten in place, never beyond what has been read.
cdef struct RewriteC:
    uint8_t* bytes
    size_t size
    bint changed
    bint had_slash             # an escaped slash became one


cdef int path_normalize(
    const PathOptionsC* options, const uint8_t* path, size_t size, uint8_t* out, size_t* out_bytes
) noexcept nogil:
    cdef RewriteC text = RewriteC(out, size, False, False)
    cdef int error
    memmove(out, path, size)
    out_bytes[0] = size
    if likely(is_plain(path, size)):
        return PATH_SAME
    error = decode(&text, options, size > 0 and path[0] == c"/")
    if error:
        return error
    if text.size and out[0] == c"/":
        if options.normalize:
            remove_dot_segments(&text)
        if options.merge_slashes:
            merge_slashes(&text)
    out_bytes[0] = text.size
    if text.had_slash and options.escaped_slashes == ESCAPED_SLASHES_REDIRECT:
        return PATH_REDIRECT
    return PATH_CHANGED if text.changed else PATH_SAME


cdef inline bint is_plain(const uint8_t* path, size_t size) noexcept nogil:
    """Whether it has no escape, no dot segment, and no two slashes side by side."""
    cdef uint8_t previous = 0
    cdef size_t index
    for index in range(size):
        if path[index] == c"%" or (previous == c"/" and (path[index] == c"/" or path[index] == c".")):
            return False
        previous = path[index]
    return True


cdef int decode(RewriteC* text, const PathOptionsC* options, bint rewrites) noexcept nogil:
    """Judge every escape, and decode those that should be; the others get capital digits."""
    cdef size_t at = 0, put = 0
    cdef int value, error
    while at < text.size:
        if text.bytes[at] != c"%":
            text.bytes[put] = text.bytes[at]
            at += 1
            put += 1
            continue
        value = escape_value(text.bytes + at, text.size - at)
        if value < 0:
            return value
        if rewrites and (value == c"/" or value == c"\\"):
            error = put_slash(text, options, at, &put)
            if error:
                return error
        elif rewrites and options.normalize and is_of(<uint8_t>value, CLASS_UNRESERVED):
            text.bytes[put] = <uint8_t>value
            text.changed = True
            put += 1
        else:
            put_escape(text, at, &put, rewrites and options.normalize)
        at += 3
    text.size = put
    return HTTP1_OK


cdef int escape_value(const uint8_t* at, size_t left) noexcept nogil:
    """What "%XX" stands for, or an error."""
    cdef int high, low
    if left < 3:
        return HTTP1_BAD_ESCAPE
    high = hex_digit(at[1])
    low = hex_digit(at[2])
    if high < 0 or low < 0:
        return HTTP1_BAD_ESCAPE
    return high << 4 | low if high | low else HTTP1_ESCAPED_NUL


cdef int put_slash(RewriteC* text, const PathOptionsC* options, size_t at, size_t* put) noexcept nogil:
    if options.escaped_slashes == ESCAPED_SLASHES_REFUSE:
        return HTTP1_ESCAPED_SLASH
    if options.escaped_slashes == ESCAPED_SLASHES_KEEP:
        put_escape(text, at, put, options.normalize)
        return HTTP1_OK
    text.bytes[put[0]] = c"/"
    put[0] += 1
    text.had_slash = text.changed = True
    return HTTP1_OK


cdef void put_escape(RewriteC* text, size_t at, size_t* put, bint capital) noexcept nogil:
    cdef uint8_t digit
    cdef size_t index
    for index in range(3):
        digit = text.bytes[at + index]
        if capital and c"a" <= digit <= c"f":
            digit -= 0x20
            text.changed = True
        text.bytes[put[0] + index] = digit
    put[0] += 3


cdef void remove_dot_segments(RewriteC* text) noexcept nogil:
    """RFC 3986, section 5.2.4, for a path that begins with a slash."""
    cdef uint8_t* bytes = text.bytes
    cdef size_t at = 0, put = 0, end, dots
    while at < text.size:
        end = at + 1
        dots = 0
        while end < text.size and bytes[end] != c"/":
            dots += bytes[end] == c"."
            end += 1
        if end - at > 3 or dots == 0 or dots != end - at - 1:
            memmove(bytes + put, bytes + at, end - at)
            put += end - at
        else:
            if dots == 2:
                while put > 0:
                    put -= 1
                    if bytes[put] == c"/":
                        break
            if end == text.size:
                # What a last dot segment stands for is a folder, and keeps its slash.
                bytes[put] = c"/"
                put += 1
            text.changed = True
        at = end
    text.size = put


cdef void merge_slashes(RewriteC* text) noexcept nogil:
    cdef size_t at, put = 1
    for at in range(1, text.size):
        if text.bytes[at] == c"/" and text.bytes[put - 1] == c"/":
            text.changed = True
        else:
            text.bytes[put] = text.bytes[at]
            put += 1
    text.size = put
