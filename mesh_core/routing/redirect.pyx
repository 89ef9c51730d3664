"""Where a redirect leads; the contract stands in redirect.pxd."""

from libc.stdint cimport uint16_t, uint32_t
from mesh_core.http1.grammar cimport is_digit, write_decimal
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.path_rewrite cimport path_modifier_write
from mesh_core.routing.route cimport (
    REDIRECT_SCHEME_HTTPS, REDIRECT_SCHEME_SAME, ROUTE_WRITE_NO_HOST, ROUTE_WRITE_OVERFLOW, RedirectC,
)
from mesh_core.routing.text_writer cimport TextWriterC, write_bytes, write_text, write_word

cdef enum:
    HTTP_PORT = 80
    HTTPS_PORT = 443


cdef int64_t redirect_location_write(
    const RouteC* route, const RequestViewC* request, uint8_t* out, size_t capacity
) noexcept nogil:
    cdef TextWriterC writer = TextWriterC(out, 0, capacity, False)
    cdef const RedirectC* redirect = route.redirect
    cdef bint secure = redirect.scheme == REDIRECT_SCHEME_HTTPS
    cdef TextC host = request.authority
    cdef uint16_t named_port = take_port(&host)
    cdef TextC path = request.path
    if redirect.scheme == REDIRECT_SCHEME_SAME:
        secure = request.secure
    if redirect.host.size:
        host = redirect.host
    elif host.size == 0:
        return ROUTE_WRITE_NO_HOST
    write_word(&writer, b"https://" if secure else b"http://")
    write_text(&writer, host)
    write_port(&writer, redirect_port(redirect, named_port, request.local_port), secure)
    if path.size == 0 or path.bytes[0] != c"/":
        path = TextC(<const uint8_t*>b"/", 1)
    return write_path(&writer, route, request, path)


cdef uint16_t take_port(TextC* authority) noexcept nogil:
    """Cut the port off an authority; 0 when it has none."""
    cdef size_t at = authority.size
    cdef uint32_t port = 0
    cdef size_t index
    while at and is_digit(authority.bytes[at - 1]):
        at -= 1
    if at < 2 or authority.bytes[at - 1] != c":" or authority.size - at > 5:
        return 0
    for index in range(at, authority.size):
        port = port * 10 + authority.bytes[index] - c"0"
    authority.size = at - 1
    return <uint16_t>port if port <= 65535 else 0


cdef uint16_t redirect_port(const RedirectC* redirect, uint16_t named, uint16_t local) noexcept nogil:
    """The port of the new URL; 0 for that of its scheme."""
    if redirect.port:
        return redirect.port
    if redirect.scheme != REDIRECT_SCHEME_SAME:
        return 0
    return named if named else local


cdef void write_port(TextWriterC* writer, uint16_t port, bint secure) noexcept nogil:
    cdef uint8_t[20] digits
    if port and port != (HTTPS_PORT if secure else HTTP_PORT):
        write_word(writer, b":")
        write_bytes(writer, digits, write_decimal(digits, port))


cdef int64_t write_path(
    TextWriterC* writer, const RouteC* route, const RequestViewC* request, TextC path
) noexcept nogil:
    """Finish the URL: the path, changed or as it was, and the query."""
    cdef int64_t size
    if writer.overflowed:
        return ROUTE_WRITE_OVERFLOW
    size = path_modifier_write(
        &route.redirect.path, route, path, writer.begin + writer.size, writer.capacity - writer.size)
    if size < 0:
        return size
    writer.size += <size_t>size
    if request.has_query and not route.redirect.strip_query:
        write_word(writer, b"?")
        write_text(writer, request.query)
    return ROUTE_WRITE_OVERFLOW if writer.overflowed else <int64_t>writer.size
