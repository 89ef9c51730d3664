"""The access log's format: compiled from pieces, and what collects records as lines. Control thread."""

from mesh_core.runtime.ring cimport RingC
from mesh_core.telemetry.line_format cimport LineFormatC
from mesh_core.telemetry.line_writer cimport OutC


cdef class AccessFormat:
    """How the lines of an access log are written."""

    cdef LineFormatC connection
    cdef LineFormatC request
    cdef OutC out              # room for BATCH_BYTES and the longest line; owned. What is in it waits to be collected
    cdef list literals         # that the operations point into
    cdef size_t line_limit

    cdef int compile(self, LineFormatC* out, list pieces) except -1
    # Take records out of the ring as lines: some of them, b"" when there are none. Raises MemoryError, and then
    # the next call gives those that it would have.
    cdef bytes collect(self, RingC* ring)
