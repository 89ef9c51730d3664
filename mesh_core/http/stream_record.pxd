"""What a stream tells of itself: heads are noted while they pass, the record is written at its end."""

from libc.stdint cimport uint8_t
from mesh_core.http.stream cimport StreamC
from mesh_core.http1.framing cimport FramingC
from mesh_core.http1.head cimport HeadC
from mesh_core.telemetry.request_capture cimport response_capture


# The request's head, before it is edited.
cdef void stream_note_request(
    StreamC* stream, const HeadC* head, const uint8_t* data, const FramingC* framing
) noexcept nogil

# The final response's head, as the upstream sent it.
cdef inline void stream_note_response(StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil:
    if stream.capture != NULL:
        response_capture(stream.snapshot.capture_plan, head, data, stream.capture)

# The stream ends, and still has its client if it had one: its access record, its metrics, and the counters of its
# status.
cdef void stream_record(StreamC* stream) noexcept nogil
