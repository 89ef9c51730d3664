"""Whether a request is tried again; the contract stands in retry.pxd."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.http.attempts cimport (
    ATTEMPT_ANSWERED, ATTEMPT_LATE, ATTEMPT_NOT_SENT, ATTEMPT_RESET, PLACE_LATER, PLACE_TAKEN,
    AttemptPlace, attempts_enter, attempts_leave, attempts_note, attempts_wait,
)
from mesh_core.http.explain cimport explain_attempt
from mesh_core.http.input cimport input_clear
from mesh_core.http.local_reply cimport stream_reply_status
from mesh_core.http.pool cimport client_close, client_give
from mesh_core.http.request_route cimport request_pick
from mesh_core.http.results cimport endpoint_answered
from mesh_core.http.retry_conditions cimport retry_find_field, retry_wait_asked_for
from mesh_core.http.stream cimport (
    STREAM_AFFINITY, STREAM_CLIENT_LAST, STREAM_PINNED, STREAM_REPEATABLE, STREAM_RESPONDED, STREAM_SENT,
    AttemptsC, FailureC, HttpClientC, stream_at_endpoint,
)
from mesh_core.http1.framing cimport BODY_LENGTH, BODY_NONE
from mesh_core.http1.method cimport METHOD_HEAD
from mesh_core.net.acknowledged cimport socket_acknowledged_bytes
from mesh_core.relay.side cimport side_wire_sent
from mesh_core.runtime.clock cimport monotonic_us
from mesh_core.snapshot.tables cimport EndpointC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_NO_ENDPOINT, DETAIL_PER_TRY_TIMEOUT, DETAIL_RETRY_OVERFLOW, FLAG_NO_HEALTHY_UPSTREAM,
    FLAG_UPSTREAM_OVERFLOW, FLAG_UPSTREAM_REQUEST_TIMEOUT, FLAG_UPSTREAM_RETRY_LIMIT_EXCEEDED,
)
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_ATTEMPTS_EXCEEDED, CLUSTER_CX_NONE_HEALTHY, CLUSTER_CX_RETRY, CLUSTER_CX_RETRY_OVERFLOW,
    CLUSTER_RQ_RETRY, CLUSTER_RQ_RETRY_AFTER, CLUSTER_RQ_RETRY_BACKOFF,
    CLUSTER_RQ_RETRY_LIMIT_EXCEEDED, CLUSTER_RQ_RETRY_OVERFLOW, CLUSTER_RQ_RETRY_RACE, SERVER_MEMORY_EXHAUSTED,
)
from mesh_core.upstream.hashing cimport random_next
from mesh_core.upstream.idle_timeout cimport idle_timeout_ended, idle_timeout_forget
from mesh_core.upstream.pick cimport cluster_observe
from mesh_core.upstream.retry cimport (
    RETRY_ON_RESET, RetryPolicyC, retry_after_interval_ms, retry_allowed, retry_interval_ms,
)

cdef enum Verdict:
    AS_IT_IS                   # no further attempt
    LATER                      # after a back-off, at another endpoint
    AT_ONCE                    # over a new connection to the same endpoint, which has done nothing wrong


cdef void retry_prepare(StreamC* stream, const HeadC* head, const uint8_t* data) noexcept nogil:
    cdef const RetryPolicyC* policy = &stream.cluster.retry if stream.route.retry == NULL else stream.route.retry
    stream.retry = policy
    if policy.max_attempts > 1 and (
            policy.methods >> stream.method_id & 1 or retry_find_field(head, data, b"idempotency-key") != NULL):
        stream.flags |= STREAM_REPEATABLE


# --- an attempt has failed ---

cdef void attempt_failed(StreamC* stream, FailureC failure) noexcept nogil:
    if stream.client != NULL:
        failure.error = <uint16_t>stream.client.upstream.error
        failure.upstream_failure = stream.client.upstream.failure
    if not again(stream, &failure):
        answer(stream, &failure)


cdef void answer(StreamC* stream, const FailureC* failure) noexcept nogil:
    stream.record.error = failure.error
    stream.record.codec_error = failure.codec_error
    stream.upstream_failure = failure.upstream_failure
    stream_reply_status(stream, failure.status, failure.flags, failure.detail)


cdef bint again(StreamC* stream, const FailureC* failure) noexcept nogil:
    """Whether there will be another attempt; then the client is gone."""
    cdef int end = failure.end
    cdef Verdict verdict = judge(stream, end)
    learn(stream, end)
    if verdict == AS_IT_IS or (verdict == LATER and not may_try(stream, end)) or not note(stream, failure):
        return False
    if stream.client != NULL:
        # What the kernel still has of the request must not get there after all.
        client_close(stream.client, end != ATTEMPT_NOT_SENT)
    if verdict == AT_ONCE:
        again_at_once(stream)
    else:
        back_off(stream)
    return True


cdef bint note(StreamC* stream, const FailureC* failure) noexcept nogil:
    """Keep what is known of the attempt that is over; False when memory is exhausted."""
    if not attempts_note(stream):
        stream.worker.core.stats[SERVER_MEMORY_EXHAUSTED] += 1
        return False
    stream.attempts.failure = failure[0]
    if stream.http.settings.explain:
        explain_attempt(
            &stream.explain, stream.endpoint, failure.status if failure.end == ATTEMPT_ANSWERED else 0,
            failure.detail, failure.error)
    let_go(stream)
    return True


cdef void learn(const StreamC* stream, int end) noexcept nogil:
    """How long the endpoint leaves connections idle, from one that ended when it was used again."""
    cdef const HttpClientC* client = stream.client
    if not stream.cluster.http.learns_idle_timeouts:
        return
    if end == ATTEMPT_NOT_SENT:
        idle_timeout_forget(stream.endpoint.state)
    elif end <= ATTEMPT_RESET and client.requests > 1 and (
            client.upstream.side.received == client.received_before):
        idle_timeout_ended(stream.endpoint.state, client.worker.core.reactor.now_ms - client.idle_since_ms)


cdef Verdict judge(const StreamC* stream, int end) noexcept nogil:
    cdef const RetryPolicyC* policy = stream.retry
    cdef const HttpClientC* client = stream.client
    if policy.max_attempts <= 1 or stream.flags & STREAM_RESPONDED or stream.replay.lost:
        return AS_IT_IS
    if end == ATTEMPT_NOT_SENT:
        return LATER
    if client.requests > 1 and end <= ATTEMPT_RESET and client.upstream.side.received == client.received_before:
        # It had been idle: that it ended is most likely nothing to do with this request.
        return AT_ONCE if stream.flags & STREAM_REPEATABLE or is_unprocessed(client, end) else AS_IT_IS
    if stream.flags & STREAM_REPEATABLE and policy.conditions & RETRY_ON_RESET:
        return LATER
    return LATER if is_unprocessed(client, end) else AS_IT_IS


cdef bint is_unprocessed(const HttpClientC* client, int end) noexcept nogil:
    """Whether the upstream can prove not to have seen any of the request.

    A peer that has ended its stream says with that what it had received until then. One that resets the connection does
    not: its program may have read what its kernel has not acknowledged yet.
    """
    cdef int64_t acknowledged
    if end > ATTEMPT_RESET or client.upstream.side.received != client.received_before:
        return False
    if side_wire_sent(&client.upstream.side) == client.sent_before:
        return True
    if end == ATTEMPT_RESET or client.sink_failed:
        return False
    acknowledged = socket_acknowledged_bytes(client.upstream.side.source.fd)
    return 0 <= acknowledged <= <int64_t>client.sent_before


cdef bint may_try(StreamC* stream, int end) noexcept nogil:
    """Whether the number of attempts and the budget allow another one; if not, flags and counters say so."""
    cdef uint64_t* stats = stream.cluster.stats[stream.worker.core.index]
    cdef uint32_t retries = stream.attempts.retries if stream.attempts != NULL else 0
    if retries + 1 >= stream.retry.max_attempts:
        stats[CLUSTER_RQ_RETRY_LIMIT_EXCEEDED] += 1
        if end == ATTEMPT_NOT_SENT:
            stats[CLUSTER_CX_ATTEMPTS_EXCEEDED] += 1
        stream.record.flags |= FLAG_UPSTREAM_RETRY_LIMIT_EXCEEDED
        return False
    if retry_allowed(stream.retry):
        return True
    overflow(stream, end)
    return False


cdef void overflow(StreamC* stream, int end) noexcept nogil:
    cdef uint64_t* stats = stream.cluster.stats[stream.worker.core.index]
    stats[CLUSTER_RQ_RETRY_OVERFLOW] += 1
    if end == ATTEMPT_NOT_SENT:
        stats[CLUSTER_CX_RETRY_OVERFLOW] += 1
    stream.record.flags |= FLAG_UPSTREAM_OVERFLOW


cdef void let_go(StreamC* stream) noexcept nogil:
    """Nothing of the attempt that is over says anything of the next one."""
    attempts_leave(stream)
    stream.flags &= ~<uint32_t>(STREAM_SENT | STREAM_CLIENT_LAST)
    stream.attempts.rate_limited = False
    stream.attempts.fresh = False
    stream.attempts.waiting_since_ms = 0
    stream.record.codec_error = 0
    stream.record.error = 0
    stream.try_deadline_ms = 0


cdef void again_at_once(StreamC* stream) noexcept nogil:
    stream.cluster.stats[stream.worker.core.index][CLUSTER_RQ_RETRY_RACE] += 1
    stream.attempts.races += 1
    stream.attempts.tried_count -= 1
    stream.attempts.fresh = True
    attempts_wait(stream, 0)


cdef void back_off(StreamC* stream) noexcept nogil:
    stream.cluster.stats[stream.worker.core.index][CLUSTER_RQ_RETRY_BACKOFF] += 1
    attempts_wait(stream, retry_interval_ms(
        stream.retry, stream.attempts.retries + 1, random_next(&stream.worker.core.random)))


cdef void attempt_late(StreamC* stream) noexcept nogil:
    attempt_failed(stream, FailureC(
        ATTEMPT_LATE, 504, DETAIL_PER_TRY_TIMEOUT, 0, 0, FLAG_UPSTREAM_REQUEST_TIMEOUT, NULL))


# --- an attempt was answered ---

cdef bint retry_answered(
    StreamC* stream, const HeadC* head, const uint8_t* data, const FramingC* framing, size_t size
) noexcept nogil:
    cdef HttpClientC* client = stream.client
    cdef FailureC failure = FailureC(ATTEMPT_ANSWERED, head.status, DETAIL_RETRY_OVERFLOW, 0, 0, 0, NULL)
    cdef int64_t wait_ms
    wait_ms = retry_wait_asked_for(stream, head, data)
    if (wait_ms > stream.retry.max_retry_after_ms or not may_try(stream, ATTEMPT_ANSWERED)
            or not note(stream, &failure)):
        return False
    endpoint_answered(stream, head.status)
    cluster_observe(
        stream.cluster, stream.endpoint, monotonic_us() - stream.record.upstream_sent_us,
        stream.worker.core.reactor.now_ms)
    input_clear(&client.input)
    if stream.request_body.ended and framing.keep_alive and is_whole(stream, framing, size):
        client_give(client)
    else:
        client_close(client, not framing.keep_alive)
    if wait_ms < 0:
        back_off(stream)
    else:
        stream.attempts.rate_limited = True
        stream.cluster.stats[stream.worker.core.index][CLUSTER_RQ_RETRY_AFTER] += 1
        attempts_wait(stream, retry_after_interval_ms(wait_ms, random_next(&stream.worker.core.random)))
    return True


cdef bint is_whole(const StreamC* stream, const FramingC* framing, size_t size) noexcept nogil:
    """Whether what has come behind the head is the body, all of it and nothing else."""
    if stream.method_id == METHOD_HEAD and framing.length:
        # See STREAM_CLIENT_LAST in response.pyx.
        return False
    return size == 0 if framing.body == BODY_NONE else framing.body == BODY_LENGTH and size == framing.length


# --- the next attempt ---

cdef bint retry_begin(StreamC* stream) noexcept nogil:
    cdef bint race = stream.attempts.fresh
    if not race and not take_place(stream):
        return False
    stream.record.attempts = <uint16_t>(1 + stream.attempts.retries + stream.attempts.races)
    if race or stream.flags & STREAM_PINNED:
        return True
    return choose(stream)


cdef bint take_place(StreamC* stream) noexcept nogil:
    """False when it waits for one, or was answered."""
    cdef AttemptsC* attempts = stream.attempts
    cdef uint64_t* stats = stream.cluster.stats[stream.worker.core.index]
    cdef int64_t now_ms = stream.worker.core.reactor.now_ms
    cdef AttemptPlace place = attempts_enter(stream)
    if place == PLACE_TAKEN:
        attempts.retries += 1
        attempts.waiting_since_ms = 0
        stats[CLUSTER_RQ_RETRY] += 1
        if attempts.failure.end == ATTEMPT_NOT_SENT:
            stats[CLUSTER_CX_RETRY] += 1
        return True
    if not attempts.waiting_since_ms:
        attempts.waiting_since_ms = now_ms
    if place == PLACE_LATER and now_ms - attempts.waiting_since_ms < stream.retry.budget_wait_ms:
        attempts_wait(stream, 1 + retry_interval_ms(stream.retry, 1, random_next(&stream.worker.core.random)))
        return False
    overflow(stream, attempts.failure.end)
    give_up(stream)
    return False


cdef void give_up(StreamC* stream) noexcept nogil:
    """Answer as the last attempt has ended, and as if there had been no other to come. What it was answered, if it was,
    is gone: a status of our own says that nothing is known."""
    cdef FailureC failure = stream.attempts.failure
    if failure.end == ATTEMPT_ANSWERED:
        failure.status = 503
    answer(stream, &failure)


cdef bint choose(StreamC* stream) noexcept nogil:
    cdef EndpointC* endpoint = request_pick(stream)
    if endpoint == NULL:
        stream.cluster.stats[stream.worker.core.index][CLUSTER_CX_NONE_HEALTHY] += 1
        stream_reply_status(
            stream, 503, FLAG_NO_HEALTHY_UPSTREAM | stream.attempts.failure.flags, DETAIL_NO_ENDPOINT)
        return False
    if endpoint != stream.endpoint and stream.route.affinity != NULL:
        # The session goes on where it is served now.
        stream.flags |= STREAM_AFFINITY
    stream_at_endpoint(stream, endpoint)
    return True
