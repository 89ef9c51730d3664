"""The path that an upstream or a redirect is given; the contract stands in path_rewrite.pxd."""

from libc.string cimport memcmp
from mesh_core.http1.method cimport METHOD_CONNECT
from mesh_core.routing.route cimport PATH_FULL, PATH_UNCHANGED, ROUTE_WRITE_OVERFLOW
from mesh_core.routing.text_writer cimport TextWriterC, write_text, write_word


cdef int64_t route_target_write(
    const RouteC* route, const RequestViewC* request, uint8_t* out, size_t capacity
) noexcept nogil:
    cdef TextWriterC writer
    cdef int64_t size
    cdef TextC path = request.path
    if path.size == 0 and request.method_id != METHOD_CONNECT:
        # That of "http://host?query".
        path = TextC(<const uint8_t*>b"/", 1)
    size = path_modifier_write(&route.path, route, path, out, capacity)
    if size < 0 or not request.has_query:
        return size
    writer = TextWriterC(out, <size_t>size, capacity, False)
    write_word(&writer, b"?")
    write_text(&writer, request.query)
    return ROUTE_WRITE_OVERFLOW if writer.overflowed else <int64_t>writer.size


cdef int64_t path_modifier_write(
    const PathModifierC* modifier, const RouteC* route, TextC path, uint8_t* out, size_t capacity
) noexcept nogil:
    cdef TextWriterC writer = TextWriterC(out, 0, capacity, False)
    if modifier.kind == PATH_UNCHANGED or path.size == 0 or path.bytes[0] != c"/":
        write_text(&writer, path)
    elif modifier.kind == PATH_FULL:
        write_text(&writer, modifier.text)
    else:
        write_prefixed(&writer, modifier.text, route, path)
    return ROUTE_WRITE_OVERFLOW if writer.overflowed else <int64_t>writer.size


cdef void write_prefixed(TextWriterC* writer, TextC prefix, const RouteC* route, TextC path) noexcept nogil:
    """`path` with `prefix` in place of the one that matched."""
    cdef size_t matched = route.matched_prefix.size
    if matched and route.matched_prefix.text[matched - 1] == c"/":
        matched -= 1
    if path.size < matched or memcmp(path.bytes, route.matched_prefix.text, matched) != 0:
        write_text(writer, path)
        return
    path = TextC(path.bytes + matched, path.size - matched)
    if path.size == 0:
        write_text(writer, prefix if prefix.size else TextC(<const uint8_t*>b"/", 1))
        return
    if path.bytes[0] != c"/":
        # No whole segments matched, so that it is not this route's prefix.
        write_text(writer, TextC(path.bytes - matched, path.size + matched))
        return
    if prefix.size and prefix.bytes[prefix.size - 1] == c"/":
        prefix.size -= 1
    if prefix.size == 0:
        # Two slashes at the begin would make a host of the first segment where a browser reads it.
        while path.size > 1 and path.bytes[1] == c"/":
            path = TextC(path.bytes + 1, path.size - 1)
    write_text(writer, prefix)
    write_text(writer, path)
