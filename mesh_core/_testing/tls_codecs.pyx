"""The codecs of mesh_core.tls from Python; input lies in a heap block of exactly its size."""

from libc.stdint cimport uint8_t
from mesh_core._testing.convert cimport exact_copy
from mesh_core.runtime.memory cimport memory_free
cimport mesh_core.tls.certificate_names as certificate_names
cimport mesh_core.tls.client_hello as client_hello
cimport mesh_core.tls.spiffe_id as spiffe_id

VERDICTS = {
    client_hello.CLIENT_HELLO_INCOMPLETE: "incomplete",
    client_hello.CLIENT_HELLO_COMPLETE: "complete",
    client_hello.CLIENT_HELLO_NOT_TLS: "not_tls",
    client_hello.CLIENT_HELLO_MALFORMED: "malformed",
    client_hello.CLIENT_HELLO_OVERSIZED: "oversized",
}
FAULTS = {
    certificate_names.CERTIFICATE_MALFORMED: "malformed",
    certificate_names.CERTIFICATE_DUPLICATE_EXTENSION: "duplicate_extension",
    certificate_names.CERTIFICATE_BAD_NAME: "bad_name",
    certificate_names.CERTIFICATE_BAD_TIME: "bad_time",
    certificate_names.CERTIFICATE_OVERSIZED: "oversized",
}
CLIENT_HELLO_LIMIT = client_hello.CLIENT_HELLO_LIMIT
CLIENT_HELLO_RECORD_LIMIT = client_hello.CLIENT_HELLO_RECORD_LIMIT
CLIENT_HELLO_WIRE_LIMIT = client_hello.CLIENT_HELLO_WIRE_LIMIT
CLIENT_HELLO_ALPN_BYTES = client_hello.CLIENT_HELLO_ALPN_BYTES
CERTIFICATE_EXTENSION_LIMIT = certificate_names.CERTIFICATE_EXTENSION_LIMIT
USAGE_SERVER_AUTH = certificate_names.USAGE_SERVER_AUTH
USAGE_CLIENT_AUTH = certificate_names.USAGE_CLIENT_AUTH
USAGE_ANY = certificate_names.USAGE_ANY
USAGE_OTHER = certificate_names.USAGE_OTHER


def hello_parse(bytes data):
    """A word of VERDICTS, or (wire bytes, legacy version, highest version, server name, [protocol])."""
    cdef client_hello.ClientHelloC hello
    cdef uint8_t* copy = exact_copy(data)
    cdef size_t size = len(data)
    cdef size_t at = 0
    cdef int verdict
    with nogil:
        verdict = client_hello.client_hello_parse(copy, size, &hello)
    memory_free(copy)
    if verdict != client_hello.CLIENT_HELLO_COMPLETE:
        return VERDICTS[verdict]
    alpn = []
    while at < hello.alpn_bytes:
        alpn.append((<const char*>hello.alpn)[at + 1:at + 1 + hello.alpn[at]])
        at += 1 + hello.alpn[at]
    name = hello.server_name[:hello.server_name_bytes].decode()
    return hello.wire_bytes, hello.legacy_version, hello.highest_version, name, alpn


def certificate_parse(bytes der, bytes dns=b"", bytes uri=b""):
    """A word of FAULTS, or what the struct says as a dictionary, and whether the names given are covered."""
    cdef certificate_names.CertificateNamesC names
    cdef uint8_t* copy = exact_copy(der)
    cdef int fault
    try:
        fault = certificate_names.certificate_names_parse(copy, len(der), &names)
        if fault:
            return FAULTS[fault]
        return {
            "dns_count": names.dns_count,
            "uri_count": names.uri_count,
            "dns": (<const char*>names.dns)[:names.dns_bytes] if names.dns != NULL else None,
            "uri": (<const char*>names.uri)[:names.uri_bytes] if names.uri != NULL else None,
            "not_before_s": names.not_before_s,
            "not_after_s": names.not_after_s,
            "extended_key_usage": names.extended_key_usage,
            "key_usage": names.key_usage if names.has_key_usage else None,
            "is_authority": bool(names.is_authority),
            "has_dns": bool(certificate_names.certificate_has_dns_name(&names, dns, len(dns))),
            "has_uri": bool(certificate_names.certificate_has_uri(&names, uri, len(uri))),
        }
    finally:
        memory_free(copy)


def dns_name_matches(bytes pattern, bytes name):
    return bool(certificate_names.dns_name_matches(pattern, len(pattern), name, len(name)))


def spiffe_id_parse(bytes text):
    """The trust domain, or None."""
    cdef uint8_t* copy = exact_copy(text)
    cdef size_t size = spiffe_id.spiffe_id_parse(copy, len(text))
    memory_free(copy)
    return text[spiffe_id.SPIFFE_SCHEME_BYTES:spiffe_id.SPIFFE_SCHEME_BYTES + size] if size else None
