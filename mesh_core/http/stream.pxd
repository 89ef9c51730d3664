"""A stream: one request and its response, whatever versions of HTTP they travel by; and what carries it.

A stream belongs to its downstream connection. It borrows an upstream connection, a client, from the pool of its
endpoint. Worker thread, no GIL.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from mesh_core.http.body cimport BodyC
from mesh_core.http.explain cimport ExplainC
from mesh_core.http.input cimport InputC
from mesh_core.http.mirroring cimport MirroringC
from mesh_core.http.policy_state cimport PolicyStateC
from mesh_core.http.replay cimport ReplayC
from mesh_core.http1.head cimport FieldC, HeadC
from mesh_core.net.address cimport PeerAddressC
from mesh_core.relay.connection cimport ConnectionC, ConnectionTableC
from mesh_core.relay.upstream cimport UpstreamC, upstream_failed_fn, upstream_opened_fn
from mesh_core.routing.hash_policy cimport RouteHashC
from mesh_core.routing.route cimport RouteC, RouteClusterC
from mesh_core.runtime.core cimport CoreC
from mesh_core.runtime.reactor cimport RetiredC, TaskC, event_fn, task_fn
from mesh_core.runtime.timers cimport TimerC
from mesh_core.snapshot.http_settings cimport HttpC
from mesh_core.snapshot.tables cimport ClusterC, EndpointC, IdleClientsC, SnapshotC
from mesh_core.telemetry.access_record cimport RequestRecordC
from mesh_core.telemetry.request_capture cimport CaptureC
from mesh_core.telemetry.trace_context cimport TraceContextC
from mesh_core.upstream.retry cimport ATTEMPTS_MOST, RetryPolicyC

cdef enum StreamFlag:
    STREAM_SENT = 1 << 0       # the request's head was given to an open client
    STREAM_RESPONDED = 1 << 1  # a final response's head was given to the downstream
    STREAM_UPGRADE = 1 << 2    # the request went upstream with an Upgrade, or is a CONNECT
    STREAM_LAST = 1 << 3       # the downstream connection ends with this stream
    STREAM_COUNTED_REQUEST = 1 << 4   # holds a place among the cluster's requests
    STREAM_COUNTED_ENDPOINT = 1 << 5  # is counted as active at its endpoint
    STREAM_AFFINITY = 1 << 6   # the response names the endpoint in a cookie
    STREAM_CLIENT_LAST = 1 << 7  # its client is not to be used again
    STREAM_COUNTED_CONCURRENCY = 1 << 11  # holds a place under the cluster's adaptive limit
    STREAM_COUNTED_PENDING = 1 << 9  # holds a place among the cluster's pending requests
    STREAM_QUEUED = 1 << 10    # waits for a connection of its cluster to be free
    STREAM_UPSTREAM_SLOW = 1 << 20  # it did not take all that came of the request, since body_rate looked last
    STREAM_ASKED_UPGRADE = 1 << 8  # what the downstream says behind the request is no HTTP, it hopes
    STREAM_REPEATABLE = 1 << 13  # may be sent again although it may have been processed
    STREAM_PINNED = 1 << 12    # goes to its endpoint, or to nobody


cdef enum:
    UPGRADE_BYTES = 30         # the longest name of a protocol that is passed on


# How an attempt has failed, and what is answered if it was the last one.
cdef struct FailureC:
    uint8_t end                # AttemptEnd of attempts.pxd
    uint16_t status
    uint16_t detail            # Detail
    uint16_t error             # errno of a failed connect, or 0
    short codec_error          # Http1Error, or 0
    uint32_t flags             # response flags
    const char* upstream_failure  # as StreamC's


# What is known of a request's attempts once one has failed. Owner: StreamC.
cdef struct AttemptsC:
    EndpointC* tried[ATTEMPTS_MOST]
    uint32_t tried_count
    uint32_t retries           # that were begun, but for those below
    uint32_t races             # attempts that were lost with a connection that had been idle, and made again at once
    bint counted               # holds a place among the cluster's retries
    bint fresh                 # the next one goes over a new connection
    FailureC failure           # of the last one
    bint rate_limited          # the wait is what the answer asked for
    int64_t waiting_since_ms   # for a place among the cluster's retries; 0: not yet
    TimerC timer               # the next attempt
    TaskC task                 # the same, at once


# Owner: DownstreamC. Freed when the response has gone, or its connection ends. What every request needs comes first.
cdef struct StreamC:
    HttpWorkerC* worker
    ConnectionC* connection    # the downstream
    HttpClientC* client        # NULL while it has none
    SnapshotC* snapshot        # held
    const HttpC* http
    const RouteC* route        # NULL: none was found, or none was looked for
    const RouteClusterC* chosen
    const ClusterC* cluster
    EndpointC* endpoint        # that it is counted at
    const RetryPolicyC* retry  # the route's, or else the cluster's; NULL before there is one
    const ClientHandlersC* handlers  # of its client: the worker's, or those of copies
    uint32_t flags             # StreamFlag bits
    uint8_t method_id          # HttpMethod
    uint8_t minor_version      # of the downstream's HTTP/1
    uint8_t priority           # Priority, by whose circuit breakers it takes its places
    uint8_t upgrade_bytes      # of `upgrade`
    int64_t begun_ms           # coarse monotonic clock, as the next ones; when its head was whole
    int64_t whole_ms           # when its last byte had come; noted only for routes with time-outs, else 0
    int64_t try_deadline_ms    # when its client is to have sent the head of a response; 0: no matter
    int64_t wake_at_ms         # when `wake_fn` is to be called with the stream, once; 0: never
    AttemptsC* attempts        # owned; NULL until an attempt has failed and another is to come
    CaptureC* capture          # owned; NULL without an access log
    ExplainC* explain          # owned; NULL until an attempt has ended that the listener explains
    MirroringC* mirroring      # owned; NULL: nobody gets a copy, or all have theirs
    PolicyStateC* policy       # owned; NULL unless its route's policies keep something of it
    ReplayC replay             # the request as it goes upstream: until the client is open, and to be sent again
    BodyC request_body
    BodyC response_body
    StreamC* next_spare
    StreamC* next_waiting      # in HttpWorkerC.waiting
    StreamC** waiting_link     # what points at this stream there
    TaskC task                 # its turn has come to have a connection
    task_fn wake_fn
    RouteHashC hash
    const char* upstream_failure  # why TLS failed there, in words; static, NULL: it did not
    TraceContextC trace        # of requests to listeners with `tracing`; kept for spans
    uint8_t upgrade[UPGRADE_BYTES]  # the protocol that was asked for upstream
    RequestRecordC record      # the last: stream_create leaves it to request_record_begin


# What mesh_core.http.body_rate saw when it looked last. Owner: DownstreamC.
cdef struct BodyRateC:
    int64_t begun_ms           # of the last request, coarse monotonic clock
    int64_t looked_ms          # the same; 0: not since then
    bint wanted                # more of a request's body
    bint upstream_slow         # it did not take all that came
    uint64_t received          # bytes from the downstream until then
    uint64_t taken             # bytes that it has read until then, as its acknowledgements say
    uint64_t waiting           # for it to read


# The downstream side of a connection that speaks HTTP/1; see mesh_core.http.downstream. Owner:
# ConnectionC.protocol_state.
cdef struct DownstreamC:
    HttpWorkerC* worker
    StreamC* stream            # NULL between requests
    InputC input
    uint32_t requests          # that have begun
    bint last                  # the next request is the last one
    bint reading               # downstream_continue is under way
    bint refused               # what comes next is no request
    bint closing               # no further request is read
    bint unread                # the downstream has said, or may say, what nobody will read
    int64_t head_begun_ms      # of a head that is not complete
    int64_t timer_ms           # what the connection's timer is set to; 0: nothing
    BodyRateC rate
    PeerAddressC local         # that the connection was made to


# Who is told of what happens to a client, which is the owner; set once, by mesh_core.http.exchange.
cdef struct ClientHandlersC:
    upstream_opened_fn opened
    upstream_failed_fn failed
    event_fn on_event          # while it carries a stream
    task_fn on_task
    task_fn on_turn            # the owner is a stream that waited: it may have a connection now
    task_fn on_retry           # the owner is a stream whose next attempt is due
    task_fn out_of_memory      # the owner is the stream that was to have one


# A connection to an endpoint that carries requests, one after the other. Owner: HttpWorkerC.
cdef struct HttpClientC:
    UpstreamC upstream         # first, with what every event looks at
    HttpWorkerC* worker
    StreamC* stream            # that it carries; NULL: it is idle
    IdleClientsC* pool         # of its endpoint, in this worker; NULL until it is open
    HttpClientC* newer         # in the pool, while idle
    HttpClientC* older
    int64_t idle_since_ms      # coarse monotonic clock
    int64_t opened_ms          # the same
    uint32_t requests
    bint sentinel              # it stays idle, for us to see how long the endpoint lets it
    bint sink_failed           # it was to be sent more, and took nothing
    InputC input
    uint64_t sent_before       # bytes that the kernel had taken for it when the present request's first were sent
    uint64_t received_before   # and that had come of it, in the clear
    TaskC task                 # more to receive without a new event
    HttpClientC* next          # of all of the worker
    HttpClientC** link
    RetiredC retired
    PeerAddressC local         # its own address, for access records; AF_UNSPEC when not asked for


# What one worker has for HTTP. Owner: WorkerC.
cdef struct HttpWorkerC:
    CoreC* core
    SnapshotC** current        # the newest snapshot; borrowed
    ClientHandlersC handlers
    ClientHandlersC copy_handlers  # of clients that carry copies of requests; see copies.pxd
    void* copies               # CopyC, all that are under way
    HttpClientC* clients       # all
    StreamC* waiting           # for a connection of their cluster to be free; see waiting.pxd
    StreamC** waiting_end
    StreamC* spare
    uint32_t spare_count
    HeadC head                 # the one that is being looked at
    FieldC* fields             # of that; FIELDS_MOST, owned
    uint8_t* message           # what is to be sent; MESSAGE_BYTES, owned
    uint8_t* path              # normalized; TEXT_BYTES, owned
    uint8_t* text              # a target, a Location …; TEXT_BYTES, owned

cdef enum:
    FIELDS_MOST = 1024
    MESSAGE_BYTES = 786432     # a head of the largest kind, edited, and a receive in chunks behind it
    TEXT_BYTES = 131072


cdef inline DownstreamC* downstream_of(const ConnectionC* connection) noexcept nogil:
    return <DownstreamC*>connection.protocol_state


# 0, or an errno.
cdef int http_worker_init(HttpWorkerC* worker, CoreC* core, SnapshotC** current) noexcept nogil
# Every connection has ended. Closes the idle clients.
cdef void http_worker_destroy(HttpWorkerC* worker) noexcept nogil

# A new stream of `connection`, by its snapshot; NULL when memory is exhausted.
cdef StreamC* stream_create(HttpWorkerC* worker, ConnectionC* connection) noexcept nogil

# Leave every count, and free all that it holds but itself. It has no client any more.
cdef void stream_leave(StreamC* stream) noexcept nogil

# It is over and was recorded: leave every count, free it. It has no client any more.
cdef void stream_end(StreamC* stream) noexcept nogil

# Take a place among the requests of its cluster, by its route's priority; False when there is none, and then
# record.detail says what has none.
cdef bint stream_admit(StreamC* stream) noexcept nogil

# It is `endpoint` that serves it, from now on.
cdef void stream_at_endpoint(StreamC* stream, EndpointC* endpoint) noexcept nogil
