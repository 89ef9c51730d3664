"""The traffic policies of a route; the contract stands in policies.pxd."""

from libc.stdint cimport uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset
from mesh_core.http.local_reply cimport ReplyC, stream_reply, stream_reply_status
from mesh_core.http.policy_state cimport PolicyStateC, policy_delay_ended, policy_state
from mesh_core.http1.method cimport METHOD_OPTIONS
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.cors cimport CorsC, cors_allows
from mesh_core.routing.fault cimport FaultC, draw, fault_abort, fault_applies, fault_delay
from mesh_core.routing.header_find cimport header_find
from mesh_core.routing.rate_buckets cimport RateVerdictC, rate_bucket, rate_take
from mesh_core.routing.rate_limit cimport RateLimitC, rate_limit_applies
from mesh_core.runtime.memory cimport memory_alloc
from mesh_core.snapshot.shared_count cimport shared_count_enter, shared_count_leave
from mesh_core.telemetry.response_flags cimport (
    DETAIL_CORS_PREFLIGHT, DETAIL_FAULT_ABORT, DETAIL_LOCAL_RATE_LIMITED, DETAIL_OUT_OF_MEMORY, FLAG_DELAY_INJECTED,
    FLAG_FAULT_INJECTED, FLAG_OVERLOAD, FLAG_RATE_LIMITED,
)
from mesh_core.telemetry.stats cimport (
    LISTENER_CORS_ALLOWED, LISTENER_CORS_PREFLIGHT, LISTENER_CORS_REFUSED, LISTENER_FAULT_ABORTS,
    LISTENER_FAULT_DELAYS, LISTENER_FAULT_OVERFLOW, RATE_LIMIT_ENFORCED, RATE_LIMIT_LIMITED, RATE_LIMIT_NO_PLACE,
    RATE_LIMIT_OK, SERVER_MEMORY_EXHAUSTED,
)

cdef enum:
    SECOND_NS = 1000000000


cdef int policies_ask(
    StreamC* stream, const HeadC* head, const uint8_t* data, const RequestViewC* view
) noexcept nogil:
    cdef int verdict = POLICY_GO_ON
    if stream.route.cors != NULL:
        verdict = ask_cors(stream, stream.route.cors, view)
    if verdict == POLICY_GO_ON and stream.route.rate_limits != NULL:
        verdict = ask_rate_limits(stream, view)
    if verdict == POLICY_GO_ON and stream.route.fault != NULL and fault_applies(stream.route.fault, view):
        verdict = ask_delay(stream, stream.route.fault, head, data, view)
        if verdict == POLICY_GO_ON:
            verdict = ask_abort(stream, stream.route.fault, view)
    return verdict


cdef int policies_ask_delayed(StreamC* stream, const RequestViewC* view) noexcept nogil:
    policy_delay_ended(stream.policy)
    return ask_abort(stream, stream.route.fault, view)


cdef uint64_t* listener_stats(const StreamC* stream) noexcept nogil:
    return stream.connection.listener.stats[stream.worker.core.index]


cdef int out_of_memory(StreamC* stream) noexcept nogil:
    stream.worker.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
    stream_reply_status(stream, 503, FLAG_OVERLOAD, DETAIL_OUT_OF_MEMORY)
    return POLICY_ANSWERED


# --- CORS ---

cdef int ask_cors(StreamC* stream, const CorsC* cors, const RequestViewC* view) noexcept nogil:
    cdef PolicyStateC* state
    cdef TextC origin
    cdef ReplyC reply
    if not header_find(view, b"origin", &origin):
        return POLICY_GO_ON
    state = policy_state(&stream.policy)
    if state == NULL:
        return out_of_memory(stream)
    state.cors_allowed = cors_allows(cors, origin)
    listener_stats(stream)[LISTENER_CORS_ALLOWED if state.cors_allowed else LISTENER_CORS_REFUSED] += 1
    if state.cors_allowed:
        state.origin_bytes = <uint32_t>origin.size
        memcpy(state.origin, origin.bytes, origin.size)
    if view.method_id != METHOD_OPTIONS or not header_find(
            view, b"access-control-request-method", &state.asked_method):
        return POLICY_GO_ON
    if not state.cors_allowed and cors.forward_unmatched:
        state.cors_left = True
        return POLICY_GO_ON
    listener_stats(stream)[LISTENER_CORS_PREFLIGHT] += 1
    state.preflight = True
    header_find(view, b"access-control-request-headers", &state.asked_headers)
    memset(&reply, 0, sizeof(ReplyC))
    reply.status = 204
    reply.detail = DETAIL_CORS_PREFLIGHT
    stream_reply(stream, &reply)
    return POLICY_ANSWERED


# --- rate limits ---

cdef int ask_rate_limits(StreamC* stream, const RequestViewC* view) noexcept nogil:
    cdef const RateLimitC* rule
    cdef uint64_t key
    cdef uint32_t index
    cdef int verdict = POLICY_GO_ON
    for index in range(stream.route.rate_limits.count):
        rule = &stream.route.rate_limits.rules[index]
        if rate_limit_applies(rule, view, &key):
            verdict = ask_rate_limit(stream, rule, key)
            if verdict != POLICY_GO_ON:
                break
    return verdict


cdef int ask_rate_limit(StreamC* stream, const RateLimitC* rule, uint64_t key) noexcept nogil:
    cdef uint64_t* stats = rule.stats[stream.worker.core.index]
    cdef uint64_t now_ns = <uint64_t>stream.record.received_us * 1000
    cdef RateVerdictC said
    cdef bint enforced
    rate_take(rule.buckets, rate_bucket(rule.buckets, key, now_ns), now_ns, &said)
    stats[RATE_LIMIT_OK if said.allowed else RATE_LIMIT_LIMITED] += 1
    if said.overflowed:
        stats[RATE_LIMIT_NO_PLACE] += 1
    enforced = not said.allowed and draw(rule.enforced_ppm, &stream.worker.core.random)
    if (rule.x_ratelimit_headers or (enforced and rule.retry_after)) and not tell_rate(
            stream, rule, &said, enforced):
        return out_of_memory(stream)
    if not enforced:
        return POLICY_GO_ON
    stats[RATE_LIMIT_ENFORCED] += 1
    stream_reply_status(stream, rule.status, FLAG_RATE_LIMITED, DETAIL_LOCAL_RATE_LIMITED)
    return POLICY_ANSWERED


cdef bint tell_rate(
    StreamC* stream, const RateLimitC* rule, const RateVerdictC* said, bint refused
) noexcept nogil:
    """Note what the response tells, of several rules that of the nearest limit; False when memory is exhausted."""
    cdef PolicyStateC* state = policy_state(&stream.policy)
    if state == NULL:
        return False
    if rule.x_ratelimit_headers and (refused or not state.tells_rate or said.remaining < state.rate_remaining):
        state.tells_rate = True
        state.rate_tokens = rule.buckets.max_tokens
        state.rate_remaining = said.remaining
        state.rate_reset_s = seconds_of(said.full_ns)
    if refused and rule.retry_after:
        state.tells_retry = True
        state.retry_after_s = seconds_of(said.retry_ns)
    return True


cdef uint64_t seconds_of(uint64_t ns) noexcept nogil:
    """Whole seconds, never too few."""
    return (ns + SECOND_NS - 1) // <uint64_t>SECOND_NS


# --- faults ---

cdef int ask_delay(
    StreamC* stream, const FaultC* fault, const HeadC* head, const uint8_t* data, const RequestViewC* view
) noexcept nogil:
    cdef uint32_t delay_ms = fault_delay(fault, view, &stream.worker.core.random)
    cdef PolicyStateC* state
    if not delay_ms:
        return POLICY_GO_ON
    if not shared_count_enter(fault.active, fault.max_active):
        listener_stats(stream)[LISTENER_FAULT_OVERFLOW] += 1
        return POLICY_GO_ON
    state = policy_state(&stream.policy)
    if state == NULL:
        shared_count_leave(fault.active)
        return out_of_memory(stream)
    state.delays = fault.active
    state.head = <uint8_t*>memory_alloc(head.bytes)
    if state.head == NULL:
        return out_of_memory(stream)
    memcpy(state.head, data, head.bytes)
    state.head_bytes = head.bytes
    listener_stats(stream)[LISTENER_FAULT_DELAYS] += 1
    stream.record.flags |= FLAG_DELAY_INJECTED
    stream.wake_at_ms = stream.worker.core.reactor.now_ms + delay_ms
    return POLICY_DELAYED


cdef int ask_abort(StreamC* stream, const FaultC* fault, const RequestViewC* view) noexcept nogil:
    cdef uint16_t status = fault_abort(fault, view, &stream.worker.core.random)
    if not status:
        return POLICY_GO_ON
    listener_stats(stream)[LISTENER_FAULT_ABORTS] += 1
    stream_reply_status(stream, status, FLAG_FAULT_INJECTED, DETAIL_FAULT_ABORT)
    return POLICY_ANSWERED
