"""Downstreams that send or read too slowly, without ever being idle. Worker thread, no GIL.

Looked at once in a while (see mesh_core.http.deadlines), never when bytes move: between two looks the downstream must
have sent, or taken, so many bytes. A time in which it was not the downstream that was slow is not counted.
"""

from libc.stdint cimport int64_t
from mesh_core.http.stream cimport BodyRateC
from mesh_core.relay.connection cimport ConnectionC

cdef enum:
    BODY_RATE_NEVER_MS = 0x7FFFFFFFFFFFFFFF

cdef enum BodyRateVerdict:
    BODY_RATE_FINE
    BODY_RATE_REQUEST          # a request's body comes too slowly
    BODY_RATE_RESPONSE         # what is said to the downstream is read too slowly


# A request has begun.
cdef inline void body_rate_begin(BodyRateC* rate, int64_t now_ms) noexcept nogil:
    rate.begun_ms = now_ms
    rate.looked_ms = 0


# When to look; BODY_RATE_NEVER_MS: there is nothing to look at.
cdef int64_t body_rate_next(const ConnectionC* connection) noexcept nogil

# Look now.
cdef BodyRateVerdict body_rate_look(ConnectionC* connection) noexcept nogil
