"""The head of a response; the contract stands in downstream_head.pxd."""

from mesh_core.http.stream cimport STREAM_LAST
from mesh_core.http1.framing cimport BODY_CHUNKED, BODY_LENGTH, BODY_NONE, BODY_UNTIL_CLOSE
from mesh_core.http1.method cimport METHOD_HEAD
from mesh_core.http1.serialize cimport CONNECTION_CLOSE, CONNECTION_KEEP_ALIVE, CONNECTION_UNSAID


cdef void downstream_framing(StreamC* stream, int body, uint64_t length, OutputC* output) noexcept nogil:
    output.body = <unsigned char>body
    output.length = length
    if stream.method_id == METHOD_HEAD and body == BODY_LENGTH:
        output.body = BODY_NONE
        output.states_length = True
    elif body == BODY_CHUNKED or body == BODY_UNTIL_CLOSE:
        # HTTP/1.0 knows no chunks: there the body ends with the connection (RFC 9112, section 6.3).
        output.body = BODY_CHUNKED if stream.minor_version else BODY_UNTIL_CLOSE
    if output.body == BODY_UNTIL_CLOSE or not stream.request_body.ended:
        stream.flags |= STREAM_LAST
    if stream.flags & STREAM_LAST:
        output.connection = CONNECTION_CLOSE
    else:
        output.connection = CONNECTION_UNSAID if stream.minor_version else CONNECTION_KEEP_ALIVE
