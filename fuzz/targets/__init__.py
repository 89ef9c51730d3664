"""The register of fuzz targets: one line each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Native:
    """A ``nogil`` function ``int (const uint8_t *data, size_t size)``, declared in the module's ``.pxd``."""

    module: str
    function: str


@dataclass(frozen=True)
class Python:
    """A module with ``fuzz_one(data: bytes)`` and ``INSTRUMENT``, the packages whose coverage guides it."""

    module: str


TARGETS: dict[str, Native | Python] = {
    "proxy_protocol": Native("mesh_core.net.proxy_protocol", "fuzz_proxy_protocol"),
    "client_hello": Native("mesh_core.tls.client_hello", "fuzz_client_hello"),
    "certificate_names": Native("mesh_core.tls.certificate_names", "fuzz_certificate_names"),
    "spiffe_id": Native("mesh_core.tls.spiffe_id", "fuzz_spiffe_id"),
    "http1_request": Native("mesh_core.http1.fuzzing.heads", "fuzz_http1_request"),
    "http1_response": Native("mesh_core.http1.fuzzing.heads", "fuzz_http1_response"),
    "http1_chunked": Native("mesh_core.http1.fuzzing.chunks", "fuzz_http1_chunked"),
    "http1_serialize": Native("mesh_core.http1.fuzzing.writing", "fuzz_http1_serialize"),
    "http1_path": Native("mesh_core.http1.fuzzing.paths", "fuzz_http1_path"),
    "http1_values": Native("mesh_core.http1.fuzzing.values", "fuzz_http1_values"),
    "http_body": Native("mesh_core.http.fuzzing.bodies", "fuzz_http_body"),
    "cookie": Native("mesh_core.routing.cookie", "fuzz_cookie"),
    "trace_context": Native("mesh_core.telemetry.trace_context", "fuzz_trace_context"),
    "config": Python("fuzz.targets.config"),
}
