"""Passing a message's body on, in either direction. Worker thread, no GIL."""

from libc.stdint cimport uint8_t
from mesh_core.http.body cimport BodyC
from mesh_core.http.input cimport InputC
from mesh_core.http.mirroring cimport MirroringC
from mesh_core.http.replay cimport ReplayC
from mesh_core.http.stream cimport HttpWorkerC
from mesh_core.http1.limits cimport Http1LimitsC
from mesh_core.relay.side cimport SideC

# Where a body goes, and how.
cdef struct PassageC:
    HttpWorkerC* worker
    BodyC* body
    InputC* input              # of who sends it
    const Http1LimitsC* limits
    SideC* sink                # NULL: to nobody yet
    ReplayC* replay            # what goes is put there, too; NULL: it is not; with no sink it must not be
    MirroringC* mirroring      # what goes is kept there for copies; NULL: it is not
    bint begun                 # something was sent; False at first
    bint sink_failed           # False at first


# Send the first `head_bytes` of worker.message, and behind them what data[0:size] has of the body; `data` and `size`
# become what is left, which belongs to what comes after the body (body.ended), or is nothing. Below 0 it is an
# Http1Error or BODY_TOO_LARGE, and not all may have been sent; else a RelayStatus: RELAY_WAITING, RELAY_BLOCKED,
# RELAY_SINK_FAILED or RELAY_NO_MEMORY.
cdef int pass_body(PassageC* passage, size_t head_bytes, const uint8_t** data, size_t* size) noexcept nogil

# Whether the body can be moved from one socket to the other without being looked at.
cdef bint is_plain(const PassageC* passage, const SideC* source) noexcept nogil

# Move what there is of such a body; a RelayStatus.
cdef int pass_plain(PassageC* passage, SideC* source, size_t limit) noexcept nogil
