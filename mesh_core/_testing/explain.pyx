"""http/explain for tests."""

from libc.stdint cimport uint8_t
from mesh_core.http.explain cimport EXPLAIN_BYTES, ExplainC, explain_attempt, explain_write
from mesh_core.runtime.memory cimport memory_free
from mesh_core.snapshot.tables cimport EndpointC, NameC

from mesh_core.telemetry.response_flags import DETAILS


def explain(why, attempts):
    """The text for `why` (bytes, or None) and attempts: (endpoint: bytes, status, detail: str, errno)."""
    cdef ExplainC* explained = NULL
    cdef EndpointC[16] endpoints
    cdef uint8_t[EXPLAIN_BYTES] out
    cdef bytes name
    cdef const char* words = NULL
    for index, (name, status, detail, error) in enumerate(attempts):
        endpoints[index].name = NameC(<const char*>name, len(name))
        explain_attempt(&explained, &endpoints[index], status, DETAILS.get(detail, 0), error)
    if why is not None:
        words = <const char*>why
    size = explain_write(explained, words, out)
    memory_free(explained)
    return out[:size]
