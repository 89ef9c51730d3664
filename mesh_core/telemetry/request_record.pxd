"""The access record of a request, written into the worker's ring when its stream ends. Worker thread, no GIL."""

from mesh_core.runtime.ring cimport RingC
from mesh_core.telemetry.access_record cimport AccessTextsC, RequestRecordC
from mesh_core.telemetry.request_capture cimport CaptureC


# Write `record` with what `texts` point to (those before TEXT_METHOD) and `capture` holds, which may be NULL. A full
# ring drops the record and counts it. No system call but the one that wakes a sleeping control thread.
cdef void request_log(
    RingC* ring, const RequestRecordC* record, AccessTextsC* texts, const CaptureC* capture
) noexcept nogil
