"""What a proxy must know of a peer's certificate to judge it: names, usages, validity. Sans-I/O, no GIL.

A walker over the DER of X.509 (RFC 5280), strict: lengths definite and minimal, every element within its parent,
nothing behind the end. It proves nothing: signatures and chains are the TLS library's.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t

cdef enum:
    CERTIFICATE_EXTENSION_LIMIT = 64

cdef enum CertificateFault:
    CERTIFICATE_MALFORMED = -1             # not the DER of a certificate, or an extension's content is not its type's
    CERTIFICATE_DUPLICATE_EXTENSION = -2
    CERTIFICATE_BAD_NAME = -3              # a DNS or URI name is empty, or has other than printable ASCII characters
    CERTIFICATE_BAD_TIME = -4
    CERTIFICATE_OVERSIZED = -5             # over CERTIFICATE_EXTENSION_LIMIT

# Of `extended_key_usage` (RFC 5280, section 4.2.1.12).
cdef enum ExtendedKeyUsage:
    USAGE_SERVER_AUTH = 1
    USAGE_CLIENT_AUTH = 2
    USAGE_ANY = 4
    USAGE_OTHER = 8

# Of `key_usage` (section 4.2.1.3).
cdef enum KeyUsage:
    KEY_USAGE_DIGITAL_SIGNATURE = 0x80
    KEY_USAGE_CERTIFICATE_SIGN = 0x04
    KEY_USAGE_CRL_SIGN = 0x02


# Pointers are into the DER, which must outlive the struct. Counts are of subjectAltName; the subject's common name
# is never looked at.
cdef struct CertificateNamesC:
    const uint8_t* names       # subjectAltName's entries, one after the other; NULL without that extension
    size_t names_bytes
    size_t dns_count
    size_t uri_count
    const uint8_t* dns         # the first DNS name, NULL when there is none
    size_t dns_bytes
    const uint8_t* uri         # the first URI name, NULL when there is none
    size_t uri_bytes
    int64_t not_before_s       # since 1970-01-01 UTC, may be negative
    int64_t not_after_s        # inclusive
    uint16_t extended_key_usage   # a set of ExtendedKeyUsage; 0 without the extension, then any usage is allowed
    uint16_t key_usage            # bits as in the first octet of the extension; 0 without it
    bint has_key_usage            # the extension is there
    bint is_authority             # basicConstraints: cA


# Read one certificate that is exactly `size` bytes; 0 or a CertificateFault, then `out` means nothing.
cdef int certificate_names_parse(const uint8_t* der, size_t size, CertificateNamesC* out) noexcept nogil

# True when a DNS name of the certificate covers `name`: a host name without a dot at its end and, since "*" would
# match an address's digits, never an IP address.
cdef bint certificate_has_dns_name(const CertificateNamesC* names, const uint8_t* name, size_t size) noexcept nogil

# True when a URI name of the certificate is `uri`, byte for byte.
cdef bint certificate_has_uri(const CertificateNamesC* names, const uint8_t* uri, size_t size) noexcept nogil

# RFC 9525, section 6.3: equal but for case, or `pattern` is "*." and a domain of two labels or more (as OpenSSL asks),
# and `name` is one label in front of that domain.
cdef bint dns_name_matches(
    const uint8_t* pattern, size_t pattern_size, const uint8_t* name, size_t name_size
) noexcept nogil

# A libFuzzer entry: parses, and checks what must hold between results. Aborts on a violation.
cdef int fuzz_certificate_names(const uint8_t* data, size_t size) noexcept nogil
