"""Judging a peer's certificate; the contract stands in peer_certificate.pxd."""

from libc.stdint cimport int64_t, uint32_t
from libc.string cimport memcmp, memcpy
from mesh_core.runtime.clock cimport wall_clock_us
from mesh_core.tls.certificate_names cimport (
    KEY_USAGE_CERTIFICATE_SIGN, KEY_USAGE_CRL_SIGN, KEY_USAGE_DIGITAL_SIGNATURE, USAGE_ANY, USAGE_CLIENT_AUTH,
    USAGE_SERVER_AUTH, CertificateNamesC, certificate_has_dns_name, certificate_has_uri, certificate_names_parse,
)
from mesh_core.tls.context cimport PeerRulesC, TlsTextC
from mesh_core.tls.openssl cimport BIO, openssl
from mesh_core.tls.spiffe_id cimport SPIFFE_SCHEME_BYTES, spiffe_id_parse

cdef const char* REFUSAL_TEXTS[PEER_REFUSALS]
REFUSAL_TEXTS[:] = [
    b"",
    b"the peer's certificate cannot be read",
    b"the peer's certificate is not valid at this time",
    b"the peer's certificate may not be used for this role",
    b"the peer's certificate is that of a CA",
    b"the peer's certificate does not have exactly one URI name",
    b"the peer's URI name is no SPIFFE ID",
    b"the peer is of a foreign trust domain",
    b"the peer's certificate has none of the expected names",
]


cdef const char* peer_refusal_text(PeerRefusal refusal) noexcept nogil:
    return REFUSAL_TEXTS[<int>refusal]


cdef PeerRefusal peer_judge(
    const TlsContextC* context, X509* certificate, uint8_t* identity, uint16_t* identity_size
) noexcept nogil:
    cdef CertificateNamesC names
    cdef char* der = NULL
    cdef long size
    cdef PeerRefusal refusal = PEER_UNREADABLE
    cdef BIO* encoded = openssl.BIO_new(openssl.BIO_s_mem())
    identity_size[0] = 0
    if encoded == NULL:
        return PEER_UNREADABLE
    if openssl.i2d_X509_bio(encoded, certificate) == 1:
        size = openssl.BIO_get_mem_data(encoded, &der)
        if size > 0 and certificate_names_parse(<const uint8_t*>der, size, &names) == 0:
            refusal = judge(context, &names)
            if names.uri_count:
                keep_identity(names.uri, names.uri_bytes, identity, identity_size)
            elif names.dns_count:
                keep_identity(names.dns, names.dns_bytes, identity, identity_size)
    openssl.BIO_free(encoded)
    return refusal


cdef void keep_identity(const uint8_t* name, size_t size, uint8_t* identity, uint16_t* identity_size) noexcept nogil:
    if size <= IDENTITY_BYTES:
        memcpy(identity, name, size)
        identity_size[0] = <uint16_t>size


cdef PeerRefusal judge(const TlsContextC* context, const CertificateNamesC* names) noexcept nogil:
    cdef const PeerRulesC* rules = &context.rules
    cdef int wanted = USAGE_CLIENT_AUTH if context.server else USAGE_SERVER_AUTH
    cdef int64_t now_s = wall_clock_us() // 1000000
    cdef PeerRefusal refusal
    # A chain is verified once, and its session may be resumed after it has expired.
    if not names.not_before_s <= now_s <= names.not_after_s:
        return PEER_EXPIRED
    if names.extended_key_usage and not names.extended_key_usage & (wanted | USAGE_ANY):
        return PEER_WRONG_USAGE
    if rules.trust_domain_count:
        refusal = judge_spiffe(rules, names)
        if refusal != PEER_ACCEPTED:
            return refusal
    if (rules.uri_count or rules.dns_name_count) and not has_expected_name(rules, names):
        return PEER_UNEXPECTED_NAME
    return PEER_ACCEPTED


cdef PeerRefusal judge_spiffe(const PeerRulesC* rules, const CertificateNamesC* names) noexcept nogil:
    """The rules of an X.509-SVID: SPIFFE's X509-SVID standard, sections 2, 4 and 5."""
    cdef size_t domain_size
    cdef uint32_t index
    cdef int both = USAGE_CLIENT_AUTH | USAGE_SERVER_AUTH
    if names.is_authority:
        return PEER_NOT_A_LEAF
    if names.has_key_usage and (
            not names.key_usage & KEY_USAGE_DIGITAL_SIGNATURE
            or names.key_usage & (KEY_USAGE_CERTIFICATE_SIGN | KEY_USAGE_CRL_SIGN)):
        return PEER_WRONG_USAGE
    if names.extended_key_usage and names.extended_key_usage & both != both:
        return PEER_WRONG_USAGE
    if names.uri_count != 1:
        return PEER_NOT_ONE_URI
    domain_size = spiffe_id_parse(names.uri, names.uri_bytes)
    if not domain_size:
        return PEER_NO_SPIFFE_ID
    for index in range(rules.trust_domain_count):
        if rules.trust_domains[index].size == domain_size and memcmp(
                rules.trust_domains[index].text, names.uri + SPIFFE_SCHEME_BYTES, domain_size) == 0:
            return PEER_ACCEPTED
    return PEER_FOREIGN_TRUST_DOMAIN


cdef bint has_expected_name(const PeerRulesC* rules, const CertificateNamesC* names) noexcept nogil:
    cdef const TlsTextC* each
    cdef uint32_t index
    for index in range(rules.uri_count):
        each = &rules.uris[index]
        if certificate_has_uri(names, each.text, each.size):
            return True
    for index in range(rules.dns_name_count):
        each = &rules.dns_names[index]
        if certificate_has_dns_name(names, each.text, each.size):
            return True
    return False
