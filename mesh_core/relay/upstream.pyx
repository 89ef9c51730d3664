"""A connection to an endpoint; the contract stands in upstream.pxd."""

from mesh_core.relay.closing cimport side_close
from mesh_core.relay.upstream_counts cimport upstream_leave
from mesh_core.runtime.memory cimport memory_free
from mesh_core.runtime.reactor cimport reactor_cancel_timer


cdef void upstream_init(
    UpstreamC* upstream, CoreC* core, void* owner, upstream_opened_fn opened, upstream_failed_fn failed
) noexcept nogil:
    upstream.core = core
    upstream.owner = owner
    upstream.opened = opened
    upstream.failed = failed
    upstream.side.source.fd = -1
    upstream.connect_time_us = -1


cdef void upstream_close(UpstreamC* upstream, bint reset) noexcept nogil:
    side_close(upstream.core, &upstream.side, reset)
    reactor_cancel_timer(&upstream.core.reactor, &upstream.timer)
    upstream_leave(upstream)
    memory_free(upstream.tried)
    upstream.tried = NULL
