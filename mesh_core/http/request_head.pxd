"""The head of a request, written anew for the upstream. Worker thread, no GIL."""

from libc.stdint cimport int64_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.framing cimport FramingC
from mesh_core.http1.head cimport HeadC
from mesh_core.routing.request_view cimport RequestViewC


# Write it to the begin of the worker's message buffer, with what the route, the cluster and the settings change: its
# size, or an Http1Error or a RouteWriteError when it is too long. `head` is changed.
cdef int64_t request_head_write(
    StreamC* stream, HeadC* head, const FramingC* framing, const RequestViewC* view
) noexcept nogil
