"""Traffic policies and trace contexts, from Python."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset
from mesh_core._testing.convert cimport exact_copy
from mesh_core.control.policy_compiler cimport PolicyCompiler
from mesh_core.control.route_match_compiler cimport RouteMatchCompiler
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.cors cimport cors_allows
from mesh_core.routing.fault cimport draw
from mesh_core.routing.rate_buckets cimport BucketC, RateBuckets, RateVerdictC, rate_bucket, rate_take
from mesh_core.routing.route cimport RouteC
from mesh_core.runtime.memory cimport memory_free
from mesh_core.snapshot.snapshot cimport Snapshot
from mesh_core.telemetry.trace_context cimport (
    B3_BYTES_MOST, SPAN_ID_BYTES, TRACEPARENT_BYTES, TRACE_DECISION, TRACE_FOUND, TRACE_ID_BYTES, TRACE_MALFORMED,
    B3FieldsC, TraceContextC, b3_fields_read, b3_read, b3_write, traceparent_read, traceparent_write,
    tracestate_is_sound,
)

VERDICTS = {TRACE_MALFORMED: "malformed", TRACE_FOUND: "found", TRACE_DECISION: "decision"}


cdef class Policies:
    """The compiled policies of a route."""

    cdef Snapshot snapshot
    cdef RouteC c

    def __init__(self, route, host):
        """`route`: a Route with neither faults, rate limits nor mirrors, of the VirtualHost `host`."""
        cdef PolicyCompiler compiler = PolicyCompiler(None)
        self.snapshot = Snapshot(1, 1)
        compiler.compile(RouteMatchCompiler(self.snapshot), &self.c, host, route, {})

    def allows(self, bytes origin):
        """Whether CORS allows pages of this origin."""
        cdef uint8_t* text = exact_copy(origin)
        cdef bint allowed = cors_allows(self.c.cors, TextC(text, len(origin)))
        memory_free(text)
        return allowed


cdef class Buckets:
    """The buckets of one rule."""

    cdef RateBuckets buckets

    def __init__(self, max_tokens, tokens_per_fill, fill_interval_ms, descriptors=0):
        self.buckets = RateBuckets(max_tokens, tokens_per_fill, fill_interval_ms, descriptors)

    def take(self, uint64_t now_ns, uint64_t key=0):
        """Take a token; (allowed, overflowed, remaining, retry_ns, full_ns)."""
        cdef RateVerdictC said
        cdef BucketC* bucket = rate_bucket(&self.buckets.buckets, key, now_ns)
        rate_take(&self.buckets.buckets, bucket, now_ns, &said)
        return bool(said.allowed), bool(said.overflowed), said.remaining, said.retry_ns, said.full_ns

    def take_many(self, uint64_t now_ns, uint64_t key, uint32_t times):
        """How many of so many tries get a token, without the GIL meanwhile."""
        cdef RateVerdictC said
        cdef BucketC* bucket
        cdef uint32_t allowed = 0
        cdef uint32_t _each
        with nogil:
            for _each in range(times):
                bucket = rate_bucket(&self.buckets.buckets, key, now_ns)
                rate_take(&self.buckets.buckets, bucket, now_ns, &said)
                allowed += said.allowed
        return allowed


def draws(uint32_t ppm, uint64_t seed, uint32_t times):
    """How many lots out of so many are drawn."""
    cdef uint32_t count = 0
    cdef uint32_t _each
    for _each in range(times):
        count += draw(ppm, &seed)
    return count


cdef told(int verdict, const TraceContextC* trace):
    return (
        VERDICTS[verdict],
        trace.trace_id[:TRACE_ID_BYTES].hex() if trace.present else None,
        trace.parent_id[:SPAN_ID_BYTES].hex() if trace.present else None,
        bool(trace.sampled) if trace.has_decision else None,
        bool(trace.debug),
    )


def read_traceparent(bytes text):
    """(verdict, trace id, parent id, sampled or None, debug)."""
    cdef TraceContextC trace
    cdef uint8_t* copy = exact_copy(text)
    memset(&trace, 0, sizeof(TraceContextC))
    verdict = traceparent_read(copy, len(text), &trace)
    memory_free(copy)
    return told(verdict, &trace)


def read_b3(bytes text):
    """So too."""
    cdef TraceContextC trace
    cdef uint8_t* copy = exact_copy(text)
    memset(&trace, 0, sizeof(TraceContextC))
    verdict = b3_read(copy, len(text), &trace)
    memory_free(copy)
    return told(verdict, &trace)


def read_b3_fields(bytes trace_id=b"", bytes span_id=b"", bytes sampled=b"", bytes flags=b""):
    """So too, of the values of B3's several headers."""
    cdef TraceContextC trace
    cdef B3FieldsC fields
    memset(&trace, 0, sizeof(TraceContextC))
    fields.trace_id = <const uint8_t*><const char*>trace_id
    fields.trace_id_bytes = <uint32_t>len(trace_id)
    fields.span_id = <const uint8_t*><const char*>span_id
    fields.span_id_bytes = <uint32_t>len(span_id)
    fields.sampled = <const uint8_t*><const char*>sampled
    fields.sampled_bytes = <uint32_t>len(sampled)
    fields.flags = <const uint8_t*><const char*>flags
    fields.flags_bytes = <uint32_t>len(flags)
    return told(b3_fields_read(&fields, &trace), &trace)


def rewritten(bytes text):
    """What is written of a B3 header that was read: traceparent and b3, with the span id 0."""
    cdef TraceContextC trace
    cdef uint8_t[TRACEPARENT_BYTES] parent
    cdef uint8_t[B3_BYTES_MOST] b3
    cdef size_t size
    memset(&trace, 0, sizeof(TraceContextC))
    b3_read(<const uint8_t*><const char*>text, len(text), &trace)
    traceparent_write(&trace, parent)
    size = b3_write(&trace, b3)
    return parent[:TRACEPARENT_BYTES], b3[:size]


def sound_tracestate(*texts):
    """Whether the fields of a tracestate (bytes) may go on."""
    cdef uint32_t members = 0
    cdef bytes text
    for each in texts:
        text = each
        if not tracestate_is_sound(<const uint8_t*><const char*>text, <uint32_t>len(text), &members):
            return False
    return True
