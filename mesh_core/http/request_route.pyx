"""Where a request goes; the contract stands in request_route.pxd."""

from libc.stdint cimport int64_t, uint16_t, uint64_t
from libc.string cimport memcpy, memset
from mesh_core.http.local_reply cimport ReplyC, stream_reply, stream_reply_status
from mesh_core.http.stream cimport (
    STREAM_AFFINITY, STREAM_LAST, STREAM_PINNED, STREAM_UPGRADE, TEXT_BYTES, UPGRADE_BYTES, HttpWorkerC, stream_admit,
    stream_at_endpoint,
)
from mesh_core.http1.framing cimport BODY_LENGTH
from mesh_core.http1.grammar cimport SliceC
from mesh_core.http1.method cimport METHOD_CONNECT, METHOD_OPTIONS
from mesh_core.http1.path cimport PATH_REDIRECT, path_normalize
from mesh_core.http1.serialize cimport TextC
from mesh_core.http1.target cimport TARGET_ABSOLUTE, TARGET_AUTHORITY
from mesh_core.includes.likely cimport unlikely
from mesh_core.includes.socket cimport AF_INET, AF_INET6
from mesh_core.relay.connection cimport ConnectionC
from mesh_core.routing.hash_policy cimport route_hash
from mesh_core.routing.redirect cimport redirect_location_write
from mesh_core.routing.route cimport (
    ROUTE_DIRECT_RESPONSE, ROUTE_REDIRECT, ROUTE_WRITE_NO_HOST, RouteC, route_allows_upgrade, route_choose_cluster,
)
from mesh_core.routing.route_table cimport RouteTableC, route_find
from mesh_core.routing.session_affinity cimport AFFINITY_FOUND, AFFINITY_LOST, AFFINITY_NONE, affinity_find
from mesh_core.runtime.core cimport CoreC
from mesh_core.snapshot.http_settings cimport HttpSettingsC
from mesh_core.snapshot.tables cimport PickContextC
from mesh_core.telemetry.response_flags cimport (
    DETAIL_ABSOLUTE_URL_REFUSED, DETAIL_CLUSTER_NOT_FOUND, DETAIL_DIRECT_RESPONSE, DETAIL_LOW_VERSION,
    DETAIL_NO_ENDPOINT, DETAIL_PATH_REDIRECT, DETAIL_PATH_REFUSED, DETAIL_REDIRECT, DETAIL_REQUEST_BODY_TOO_LARGE,
    DETAIL_ROUTE_NOT_FOUND, DETAIL_UPGRADE_REFUSED, FLAG_DOWNSTREAM_PROTOCOL_ERROR,
    FLAG_NO_CLUSTER_FOUND, FLAG_NO_HEALTHY_UPSTREAM, FLAG_NO_ROUTE, FLAG_UPSTREAM_OVERFLOW,
)
from mesh_core.telemetry.stats cimport (
    CLUSTER_CX_NONE_HEALTHY, LISTENER_NO_ROUTE, LISTENER_RQ_DIRECT_RESPONSE, LISTENER_RQ_REDIRECT,
    LISTENER_RQ_TOO_LARGE,
)
from mesh_core.upstream.hashing cimport random_next
from mesh_core.upstream.pick cimport cluster_pick


cdef bint request_look(
    StreamC* stream, const HeadC* head, const uint8_t* data, const FramingC* framing, RequestViewC* view
) noexcept nogil:
    cdef HttpWorkerC* worker = stream.worker
    cdef const HttpSettingsC* settings = &stream.http.settings
    cdef SliceC path = head.target.path
    cdef size_t path_bytes = path.size
    cdef int verdict
    memset(view, 0, sizeof(RequestViewC))
    view.head = head
    view.data = data
    view.method_id = head.method_id
    view.method = TextC(data + head.method.at, head.method.size)
    view.authority = TextC(data + framing.authority.at, framing.authority.size)
    if not framing.authority.size:
        view.authority = settings.default_host
    view.query = TextC(data + head.target.query.at, head.target.query.size)
    view.has_query = head.target.has_query
    view.secure = stream.connection.downstream.tls != NULL
    view.remote = &stream.connection.remote
    view.local_port = port_of(stream)
    if unlikely(not head.minor_version and not settings.accept_http_10):
        stream.flags |= STREAM_LAST
        stream_reply_status(stream, 426, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_LOW_VERSION)
        return False
    if unlikely(head.target.form == TARGET_ABSOLUTE and not settings.allow_absolute_url):
        stream.flags |= STREAM_LAST
        stream_reply_status(stream, 400, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_ABSOLUTE_URL_REFUSED)
        return False
    if head.target.form == TARGET_AUTHORITY:
        return True
    verdict = path_normalize(&settings.path, data + path.at, path.size, worker.path, &path_bytes)
    if unlikely(verdict < 0):
        stream.flags |= STREAM_LAST
        stream.record.codec_error = <short>verdict
        stream_reply_status(stream, 400, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_PATH_REFUSED)
        return False
    if unlikely(not path_bytes):
        # RFC 9112, section 3.2.4: an absolute target of OPTIONS without a path is for the server as a whole.
        worker.path[0] = c"*" if head.method_id == METHOD_OPTIONS and not head.target.has_query else c"/"
        path_bytes = 1
    view.path = TextC(worker.path, path_bytes)
    if unlikely(verdict == PATH_REDIRECT):
        redirect_to_path(stream, view)
        return False
    return True


cdef uint16_t port_of(const StreamC* stream) noexcept nogil:
    cdef const ConnectionC* connection = stream.connection
    cdef uint16_t port = 0
    if connection.proxied_local.family == AF_INET or connection.proxied_local.family == AF_INET6:
        port = connection.proxied_local.v4.sin_port
    elif connection.listener.local.family == AF_INET or connection.listener.local.family == AF_INET6:
        port = connection.listener.local.v4.sin_port
    return <uint16_t>(port >> 8 | port << 8)


cdef void redirect_to_path(StreamC* stream, const RequestViewC* view) noexcept nogil:
    """The path with its escaped slashes decoded, for policy to see what is meant (Envoy's UNESCAPE_AND_REDIRECT)."""
    cdef ReplyC reply
    cdef uint8_t* text = stream.worker.text
    if view.path.size > 1 and view.path.bytes[1] == c"/":
        # As a reference it would name another host (RFC 3986, section 4.2).
        stream.flags |= STREAM_LAST
        stream_reply_status(stream, 400, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_PATH_REFUSED)
        return
    memset(&reply, 0, sizeof(ReplyC))
    reply.status = 307
    reply.detail = DETAIL_PATH_REDIRECT
    memcpy(text, view.path.bytes, view.path.size)
    reply.location = TextC(text, view.path.size)
    if view.has_query:
        text[view.path.size] = c"?"
        memcpy(text + view.path.size + 1, view.query.bytes, view.query.size)
        reply.location.size += 1 + view.query.size
    stream_reply(stream, &reply)


cdef bint request_find_route(StreamC* stream, const RequestViewC* view) noexcept nogil:
    stream.route = route_find(<const RouteTableC*>stream.http.routes, view)
    if not unlikely(stream.route == NULL):
        return True
    stream.connection.listener.stats[stream.worker.core.index][LISTENER_NO_ROUTE] += 1
    stream_reply_status(stream, 404, FLAG_NO_ROUTE, DETAIL_ROUTE_NOT_FOUND)
    return False


cdef bint request_route(StreamC* stream, HeadC* head, const FramingC* framing, const RequestViewC* view) noexcept nogil:
    cdef uint64_t* stats = stream.connection.listener.stats[stream.worker.core.index]
    if unlikely(head.method_id == METHOD_CONNECT) and (
            stream.route.action == ROUTE_REDIRECT or stream.route.action == ROUTE_DIRECT_RESPONSE):
        # Whatever stands behind it is meant for a tunnel.
        stream.flags |= STREAM_LAST
    if unlikely(stream.route.action == ROUTE_REDIRECT):
        stats[LISTENER_RQ_REDIRECT] += 1
        redirect(stream, view)
        return False
    if unlikely(stream.route.action == ROUTE_DIRECT_RESPONSE):
        stats[LISTENER_RQ_DIRECT_RESPONSE] += 1
        direct_response(stream)
        return False
    if unlikely(head.method_id == METHOD_CONNECT):
        if not stream.route.allows_connect:
            stream.flags |= STREAM_LAST
            stream_reply_status(stream, 403, 0, DETAIL_UPGRADE_REFUSED)
            return False
        stream.flags |= STREAM_UPGRADE
    elif unlikely(framing.has_upgrade) and framing.upgrade.size <= UPGRADE_BYTES and route_allows_upgrade(
            stream.route, view.data + framing.upgrade.at, framing.upgrade.size):
        stream.flags |= STREAM_UPGRADE
        stream.upgrade_bytes = <uint8_t>framing.upgrade.size
        memcpy(stream.upgrade, view.data + framing.upgrade.at, framing.upgrade.size)
    return fits(stream, framing) and choose(stream, view)


cdef bint fits(StreamC* stream, const FramingC* framing) noexcept nogil:
    """Whether its body may be as large as it says; False when that was the stream's end."""
    cdef uint64_t most = stream.route.body_limits.request_bytes if stream.route.body_limits != NULL else 0
    if not most:
        return True
    if framing.body == BODY_LENGTH and framing.length > most:
        request_too_large(stream)
        return False
    stream.request_body.most = most
    return True


cdef void request_too_large(StreamC* stream) noexcept nogil:
    stream.connection.listener.stats[stream.worker.core.index][LISTENER_RQ_TOO_LARGE] += 1
    stream_reply_status(stream, 413, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_REQUEST_BODY_TOO_LARGE)


cdef void redirect(StreamC* stream, const RequestViewC* view) noexcept nogil:
    cdef ReplyC reply
    cdef int64_t size = redirect_location_write(stream.route, view, stream.worker.text, TEXT_BYTES)
    if size < 0:
        stream_reply_status(
            stream, 400 if size == ROUTE_WRITE_NO_HOST else 414, FLAG_DOWNSTREAM_PROTOCOL_ERROR, DETAIL_REDIRECT)
        return
    memset(&reply, 0, sizeof(ReplyC))
    reply.status = stream.route.redirect.status
    reply.detail = DETAIL_REDIRECT
    reply.location = TextC(stream.worker.text, size)
    stream_reply(stream, &reply)


cdef void direct_response(StreamC* stream) noexcept nogil:
    cdef ReplyC reply
    memset(&reply, 0, sizeof(ReplyC))
    reply.status = stream.route.direct_response.status
    reply.detail = DETAIL_DIRECT_RESPONSE
    reply.body = stream.route.direct_response.body
    reply.content_type = stream.route.direct_response.content_type
    stream_reply(stream, &reply)


cdef bint choose(StreamC* stream, const RequestViewC* view) noexcept nogil:
    """Choose the cluster and the endpoint; False when that was the stream's end."""
    cdef CoreC* core = stream.worker.core
    cdef const RouteC* route = stream.route
    cdef EndpointC* endpoint = NULL
    cdef int affinity = AFFINITY_NONE
    if route.affinity != NULL:
        affinity = affinity_find(route, view, &stream.chosen, &endpoint)
        if affinity != AFFINITY_FOUND:
            stream.flags |= STREAM_AFFINITY
        elif route.affinity.strict:
            stream.flags |= STREAM_PINNED
    if affinity != AFFINITY_FOUND:
        stream.chosen = route_choose_cluster(route, random_next(&core.random) if route.cluster_count > 1 else 0)
    if unlikely(stream.chosen == NULL):
        stream_reply_status(stream, 500, FLAG_NO_CLUSTER_FOUND, DETAIL_CLUSTER_NOT_FOUND)
        return False
    stream.cluster = stream.chosen.cluster
    if unlikely(not stream_admit(stream)):
        stream_reply_status(stream, 503, FLAG_UPSTREAM_OVERFLOW, stream.record.detail)
        return False
    if route.hash_policy_count:
        route_hash(route, view, random_next(&core.random), &stream.hash)
    if endpoint == NULL and affinity != AFFINITY_LOST:
        endpoint = request_pick(stream)
    if unlikely(endpoint == NULL):
        stream.cluster.stats[core.index][CLUSTER_CX_NONE_HEALTHY] += 1
        stream_reply_status(stream, 503, FLAG_NO_HEALTHY_UPSTREAM, DETAIL_NO_ENDPOINT)
        return False
    stream_at_endpoint(stream, endpoint)
    return True


cdef EndpointC* request_pick(const StreamC* stream) noexcept nogil:
    cdef PickContextC context
    context.hash = stream.hash.hash
    context.hashed = stream.hash.hashed
    context.subset = stream.chosen.subset
    context.now_ms = stream.worker.core.reactor.now_ms
    context.tried = NULL
    context.tried_count = 0
    if unlikely(stream.attempts != NULL):
        context.tried = stream.attempts.tried
        context.tried_count = stream.attempts.tried_count
    return cluster_pick(stream.cluster, stream.worker.core.index, &context)
