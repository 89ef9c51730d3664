"""HTTP: what a listener makes of the requests that come in."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from mesh_core.config.schema.body_limits import BodyLimits
from mesh_core.config.schema.common import NaturalInt, PositiveInt
from mesh_core.config.schema.local_reply import LocalReply
from mesh_core.config.schema.min_body_rate import MinBodyRate
from mesh_core.config.schema.tracing import Tracing

HeaderBytes = Annotated[int, Meta(ge=1024, le=131_072)]
HeaderCount = Annotated[int, Meta(ge=1, le=1000)]

_HOST = r"^[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$"


class HttpSettings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Bounds and habits of a listener or filter chain with protocol: http."""

    max_header_bytes: Annotated[
        HeaderBytes,
        Meta(
            description=(
                "Bytes of a request's head, start line and empty line included, and of its trailers. What is longer "
                "is answered by 431. Default: 61440, as Envoy's max_request_headers_kb."
            ),
            examples=[61440],
        ),
    ] = 61_440
    max_header_count: Annotated[
        HeaderCount,
        Meta(
            description=(
                "Header fields of a request. What has more is answered by 431. Default: 100, as Envoy's "
                "max_headers_count."
            ),
            examples=[100],
        ),
    ] = 100
    max_start_line_bytes: Annotated[
        int,
        Meta(
            ge=256,
            le=131_072,
            description=(
                "Bytes of a request's first line, method, target and version, or max_header_bytes where that is less. "
                "What is longer is answered by 414. Default: 8192, as nginx's large_client_header_buffers (RFC 9112 "
                "asks for 8000 at least)."
            ),
            examples=[8192],
        ),
    ] = 8192
    normalize_path: Annotated[
        bool,
        Meta(
            description=(
                "Whether dot segments are taken out of a path and escapes that need none decoded (RFC 3986, section "
                "6.2.2), before routes see it; the upstream gets what they saw. Default: true, as in Istio, since "
                "/public/../admin must not pass for public (Envoy: false)."
            ),
        ),
    ] = True
    merge_slashes: Annotated[
        bool,
        Meta(
            description=(
                "Whether several slashes in a row become one, in the same way. Default: false, as in Envoy: to an "
                "application /a//b may be another thing."
            ),
        ),
    ] = False
    path_with_escaped_slashes_action: Annotated[
        Literal["keep_unchanged", "reject_request", "unescape_and_redirect", "unescape_and_forward"],
        Meta(
            description=(
                "What becomes of a path with %2F or %5C. keep_unchanged: it goes on. reject_request: 400. "
                "unescape_and_redirect: 307 to the path with slashes. unescape_and_forward: they become slashes. "
                "Default: keep_unchanged, as in Envoy: registries and repositories have names with %2F. Where routes "
                "keep somebody out of a path, choose another, for upstreams may decode it."
            ),
        ),
    ] = "keep_unchanged"
    idle_timeout_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds that a connection may wait for its next request, or its first; 0 for ever. Default: one "
                "hour, as in Envoy, so that the downstream's pool is the first to close, and never meets a close of "
                "ours with a request of its own."
            ),
            examples=[3_600_000],
        ),
    ] = 3_600_000
    request_headers_timeout_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds from the first byte of a request to the end of its head; 0 for no limit. What is later "
                "is answered by 408. Default: 60000, as nginx's client_header_timeout: who sends a byte now and then "
                "holds no connection for long (Envoy: no limit)."
            ),
            examples=[10_000],
        ),
    ] = 60_000
    stream_idle_timeout_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds without a byte in either direction after which a request is given up (response flag "
                "SI); 0 for never. Upgraded connections go by the listener's idle_timeout_ms. Default: 300000, as in "
                "Envoy."
            ),
            examples=[300_000],
        ),
    ] = 300_000
    request_timeout_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds from the head of a request to its last byte; 0 for no limit. What is later is answered "
                "by 408 (response flag DPE). Default: 0, as in Envoy: how long an upload takes is the network's to "
                "say."
            ),
            examples=[300_000],
        ),
    ] = 0
    max_stream_duration_ms: Annotated[
        NaturalInt,
        Meta(
            description=(
                "Milliseconds from the head of a request to the last byte of its response; 0 for no limit. What lasts "
                "longer is answered by 408 while the request is not whole, by 504 after that, or cut where its "
                "response has begun (response flag DT). Upgraded connections go by the listener's "
                "max_connection_duration_ms. Default: 0, as in Envoy."
            ),
            examples=[3_600_000],
        ),
    ] = 0
    max_requests_per_connection: Annotated[
        PositiveInt | None,
        Meta(
            description="Requests after which a connection is closed. Default: no limit, as in Envoy.",
            examples=[10_000],
        ),
    ] = None
    forwarded_headers: Annotated[
        Literal["append", "overwrite", "keep"],
        Meta(
            description=(
                "What becomes of X-Forwarded-For and X-Forwarded-Proto. append: the downstream's address is put "
                "behind those that came, and its scheme where none came. overwrite: both are written anew, whatever "
                "came; for the edge, where nobody's word counts. keep: they go on as they came; for a sidecar's "
                "outbound listener, whose downstream is always its own application. Default: append, as HAProxy's "
                "forwardfor and Envoy with use_remote_address: an application behind a sidecar sees no other address "
                "of its client (Envoy's own default: keep)."
            ),
        ),
    ] = "append"
    generate_request_id: Annotated[
        bool,
        Meta(
            description=(
                "Whether a request without X-Request-ID gets one, a random UUID (version 4). Default: true, as in "
                "Envoy."
            ),
        ),
    ] = True
    preserve_external_request_id: Annotated[
        bool,
        Meta(
            description=(
                "Whether the X-Request-ID that a request comes with goes on; else it is thrown away. Default: true: "
                "one id follows a request through every sidecar, and opens nothing to who chooses it. At the edge "
                "write false (Envoy's default, which does not count for internal addresses)."
            ),
        ),
    ] = True
    accept_http_10: Annotated[
        bool,
        Meta(
            description=(
                "Whether HTTP/1.0 is spoken; else it is answered by 426. Default: true: health checks and old clients "
                "speak it (Envoy: false)."
            ),
        ),
    ] = True
    default_host_for_http_10: Annotated[
        Annotated[str, Meta(pattern=_HOST, extra={"form": "a host name or IPv4 address without a port"})]
        | None,
        Meta(
            description=(
                "The Host of a request of HTTP/1.0 that names none, for routes and the upstream. Default: none, which "
                "only fits virtual hosts for every host; the upstream gets the address of the endpoint, or "
                "localhost behind a Unix socket."
            ),
            examples=["app.example"],
        ),
    ] = None
    tracing: Annotated[
        Tracing | None,
        Meta(
            description=(
                "Take part in traces: read, begin and pass on their context. Default: none, headers of traces go on as "
                "they came."
            ),
        ),
    ] = None
    allow_absolute_url: Annotated[
        bool,
        Meta(
            description=(
                "Whether the target of a request may be a whole URL, as clients send to proxies; its host then "
                "counts, not that of Host. Else it is answered by 400. Default: true, as in Envoy and as RFC 9112, "
                "section 3.2.2, demands."
            ),
        ),
    ] = True
    body_limits: Annotated[
        BodyLimits | None,
        Meta(description="How large bodies may be, where neither route nor virtual host says. Default: no limits."),
    ] = None
    min_body_rate: Annotated[
        MinBodyRate | None,
        Meta(
            description=(
                "How slow clients may send and read bodies. Default: no bound, as in Envoy; at the edge, set one."
            ),
            examples=[{"request_bytes_per_s": 240, "response_bytes_per_s": 240}],
        ),
    ] = None
    local_replies: Annotated[
        tuple[LocalReply, ...],
        Meta(
            description=(
                "What becomes of answers of the proxy's own, errors that is: the first that fits counts, of at most "
                "64. Redirects and direct responses of routes stay as they are. Default: none, as in Envoy: a status "
                "and a word of plain text."
            ),
        ),
    ] = ()
    explain: Annotated[
        bool,
        Meta(
            description=(
                "Whether a response that failed, or needed several attempts, says in x-hopmesh-explain why, which "
                "endpoints were tried and what each said. Default: false: it names addresses of the inside."
            ),
        ),
    ] = False
