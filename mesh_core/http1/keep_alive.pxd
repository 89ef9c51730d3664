"""The field Keep-Alive, by which servers say how long they leave a connection idle. Sans-I/O, no GIL.

RFC 2068, section 19.7.1.1, is all that ever described it.
"""

from libc.stdint cimport int64_t, uint8_t
from mesh_core.http1.head cimport HeadC


# Milliseconds by the `timeout` of a complete head's Keep-Alive field; -1 when there is none, or none that makes sense.
cdef int64_t keep_alive_timeout(const HeadC* head, const uint8_t* data) noexcept nogil
