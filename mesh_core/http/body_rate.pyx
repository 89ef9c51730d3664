"""Downstreams that are too slow; the contract stands in body_rate.pxd."""

from libc.stdint cimport uint32_t, uint64_t
from mesh_core.http.stream cimport (
    STREAM_SENT, STREAM_UPSTREAM_SLOW, BodyRateC, DownstreamC, StreamC, downstream_of,
)
from mesh_core.includes.socket cimport SIOCOUTQ, ioctl
from mesh_core.relay.side cimport SIDE_BLOCKED, SideC
from mesh_core.snapshot.http_settings cimport MinBodyRateC


cdef int64_t body_rate_next(const ConnectionC* connection) noexcept nogil:
    cdef const MinBodyRateC* least = &connection.chain.http.settings.min_body_rate
    cdef const DownstreamC* downstream = downstream_of(connection)
    cdef const StreamC* stream = downstream.stream
    if not (least.response and (stream != NULL or has_output(connection))) and not (
            least.request and stream != NULL and not stream.request_body.ended):
        return BODY_RATE_NEVER_MS
    if downstream.rate.looked_ms:
        return downstream.rate.looked_ms + least.window_ms
    return downstream.rate.begun_ms + least.grace_ms


cdef bint has_output(const ConnectionC* connection) noexcept nogil:
    return connection.downstream.queue.size > 0 or connection.downstream.pipe != NULL


cdef BodyRateVerdict body_rate_look(ConnectionC* connection) noexcept nogil:
    cdef const MinBodyRateC* least = &connection.chain.http.settings.min_body_rate
    cdef BodyRateC* rate = &downstream_of(connection).rate
    cdef BodyRateC before = rate[0]
    cdef uint64_t window_ms
    rate.looked_ms = connection.table.core.reactor.now_ms
    rate.received = connection.downstream.received
    rate.wanted = look_at_request(downstream_of(connection).stream, &rate.upstream_slow)
    look_at_output(&connection.downstream, rate)
    if not before.looked_ms:
        return BODY_RATE_FINE
    window_ms = rate.looked_ms - before.looked_ms
    if before.wanted and rate.wanted and not rate.upstream_slow and (
            rate.received - before.received < least.request * window_ms // 1000):
        return BODY_RATE_REQUEST
    # What waited when the window began was there to be read all the time.
    if rate.waiting and rate.taken - before.taken < min(before.waiting, least.response * window_ms // 1000):
        return BODY_RATE_RESPONSE
    return BODY_RATE_FINE


cdef bint look_at_request(StreamC* stream, bint* upstream_slow) noexcept nogil:
    """Whether more of a request is wanted; and whether the upstream did not take it, at some time since the last look.
    """
    if stream == NULL:
        return False
    upstream_slow[0] = stream.flags & STREAM_UPSTREAM_SLOW != 0
    stream.flags &= ~<uint32_t>STREAM_UPSTREAM_SLOW
    return (
        not stream.request_body.ended and stream.flags & STREAM_SENT != 0 and stream.client != NULL
        and not stream.client.upstream.side.flags & SIDE_BLOCKED
    )


cdef void look_at_output(const SideC* side, BodyRateC* rate) noexcept nogil:
    """Bytes in the kernel have been counted as sent; with TLS, also those in the queue."""
    cdef uint64_t kept = side.queue.size
    cdef int unread = 0
    if ioctl(side.source.fd, SIOCOUTQ, &unread) < 0:
        unread = 0
    rate.taken = side.sent - min(side.sent, unread + (kept if side.tls != NULL else 0))
    rate.waiting = kept + unread + (side.pipe.filled if side.pipe != NULL else 0)
