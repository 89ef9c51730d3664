"""Names, usages and validity of a certificate; the contract stands in certificate_names.pxd."""

from libc.stdlib cimport abort
from libc.string cimport memchr, memcmp, memset
from mesh_core.tls.der cimport (
    TAG_BIT_STRING, TAG_INTEGER, TAG_OCTET_STRING, TAG_OID, TAG_SEQUENCE, DerReaderC, der_left, der_read_element,
    der_read_flag, der_read_only, der_read_tagged, der_read_time,
)

cdef enum:
    TAG_VERSION = 0xA0                   # of TBSCertificate, RFC 5280, section 4.1
    TAG_ISSUER_ID = 0x81
    TAG_SUBJECT_ID = 0x82
    TAG_EXTENSIONS = 0xA3
    TAG_DNS_NAME = 0x82                  # of GeneralName, section 4.2.1.6
    TAG_URI_NAME = 0x86
    VERSION_3 = 2

# All known extensions are 2.5.29.n.
cdef enum:
    EXTENSION_KEY_USAGE = 15
    EXTENSION_SUBJECT_ALT_NAME = 17
    EXTENSION_BASIC_CONSTRAINTS = 19
    EXTENSION_EXTENDED_KEY_USAGE = 37

cdef const uint8_t* OID_EXTENSIONS = b"\x55\x1d"                           # 2.5.29
cdef const uint8_t* OID_PURPOSES = b"\x2b\x06\x01\x05\x05\x07\x03"         # 1.3.6.1.5.5.7.3
cdef const uint8_t* OID_ANY_PURPOSE = b"\x55\x1d\x25\x00"                  # 2.5.29.37.0


# --- the certificate ---

cdef int certificate_names_parse(const uint8_t* der, size_t size, CertificateNamesC* out) noexcept nogil:
    cdef DerReaderC reader, certificate, signed_part, skipped
    memset(out, 0, sizeof(CertificateNamesC))
    reader.at = der
    reader.end = der + size
    if not der_read_only(&reader, TAG_SEQUENCE, &certificate):
        return CERTIFICATE_MALFORMED
    if not (der_read_tagged(&certificate, TAG_SEQUENCE, &signed_part)
            and der_read_tagged(&certificate, TAG_SEQUENCE, &skipped)
            and der_read_only(&certificate, TAG_BIT_STRING, &skipped)):
        return CERTIFICATE_MALFORMED
    return parse_signed_part(&signed_part, out)


cdef int parse_signed_part(DerReaderC* reader, CertificateNamesC* out) noexcept nogil:
    cdef DerReaderC version, number, validity, extensions, skipped
    cdef int fault
    cdef uint8_t version_number = 0
    if der_left(reader) and reader.at[0] == TAG_VERSION:
        if not (der_read_tagged(reader, TAG_VERSION, &version) and der_read_only(&version, TAG_INTEGER, &number)):
            return CERTIFICATE_MALFORMED
        if der_left(&number) != 1 or number.at[0] not in (1, VERSION_3):
            return CERTIFICATE_MALFORMED
        version_number = number.at[0]
    if not (der_read_tagged(reader, TAG_INTEGER, &skipped)            # serial number
            and der_read_tagged(reader, TAG_SEQUENCE, &skipped)       # signature algorithm
            and der_read_tagged(reader, TAG_SEQUENCE, &skipped)       # issuer
            and der_read_tagged(reader, TAG_SEQUENCE, &validity)
            and der_read_tagged(reader, TAG_SEQUENCE, &skipped)       # subject
            and der_read_tagged(reader, TAG_SEQUENCE, &skipped)):     # public key
        return CERTIFICATE_MALFORMED
    fault = parse_validity(&validity, out)
    if fault:
        return fault
    if version_number:
        der_read_tagged(reader, TAG_ISSUER_ID, &skipped)
        der_read_tagged(reader, TAG_SUBJECT_ID, &skipped)
    if der_left(reader) == 0:
        return 0
    if version_number != VERSION_3 or not der_read_only(reader, TAG_EXTENSIONS, &extensions):
        return CERTIFICATE_MALFORMED
    return parse_extensions(&extensions, out)


cdef int parse_extensions(DerReaderC* reader, CertificateNamesC* out) noexcept nogil:
    cdef DerReaderC[CERTIFICATE_EXTENSION_LIMIT] kinds
    cdef DerReaderC extensions, extension, wrapped
    cdef size_t count = 0, index
    cdef bint critical
    cdef int fault
    if not der_read_only(reader, TAG_SEQUENCE, &extensions) or der_left(&extensions) == 0:
        return CERTIFICATE_MALFORMED
    while der_left(&extensions):
        if count == CERTIFICATE_EXTENSION_LIMIT:
            return CERTIFICATE_OVERSIZED
        if not (der_read_tagged(&extensions, TAG_SEQUENCE, &extension)
                and der_read_tagged(&extension, TAG_OID, &kinds[count])
                and der_read_flag(&extension, &critical)
                and der_read_only(&extension, TAG_OCTET_STRING, &wrapped)):
            return CERTIFICATE_MALFORMED
        for index in range(count):
            if same(&kinds[index], &kinds[count]):
                return CERTIFICATE_DUPLICATE_EXTENSION
        fault = parse_extension(&kinds[count], &wrapped, out)
        if fault:
            return fault
        count += 1
    return 0


cdef inline bint same(const DerReaderC* one, const DerReaderC* other) noexcept nogil:
    return der_left(one) == der_left(other) and memcmp(one.at, other.at, der_left(one)) == 0


cdef int parse_extension(const DerReaderC* kind, DerReaderC* wrapped, CertificateNamesC* out) noexcept nogil:
    if der_left(kind) != 3 or memcmp(kind.at, OID_EXTENSIONS, 2) != 0:
        return 0
    if kind.at[2] == EXTENSION_SUBJECT_ALT_NAME:
        return parse_names(wrapped, out)
    if kind.at[2] == EXTENSION_EXTENDED_KEY_USAGE:
        return parse_extended_key_usage(wrapped, out)
    if kind.at[2] == EXTENSION_BASIC_CONSTRAINTS:
        return parse_basic_constraints(wrapped, out)
    if kind.at[2] == EXTENSION_KEY_USAGE:
        return parse_key_usage(wrapped, out)
    return 0


cdef int parse_extended_key_usage(DerReaderC* wrapped, CertificateNamesC* out) noexcept nogil:
    cdef DerReaderC purposes, purpose
    if not der_read_only(wrapped, TAG_SEQUENCE, &purposes) or der_left(&purposes) == 0:
        return CERTIFICATE_MALFORMED
    while der_left(&purposes):
        if not der_read_tagged(&purposes, TAG_OID, &purpose) or der_left(&purpose) == 0:
            return CERTIFICATE_MALFORMED
        if der_left(&purpose) == 4 and memcmp(purpose.at, OID_ANY_PURPOSE, 4) == 0:
            out.extended_key_usage |= USAGE_ANY
        elif der_left(&purpose) != 8 or memcmp(purpose.at, OID_PURPOSES, 7) != 0:
            out.extended_key_usage |= USAGE_OTHER
        elif purpose.at[7] == 1:
            out.extended_key_usage |= USAGE_SERVER_AUTH
        elif purpose.at[7] == 2:
            out.extended_key_usage |= USAGE_CLIENT_AUTH
        else:
            out.extended_key_usage |= USAGE_OTHER
    return 0


cdef int parse_basic_constraints(DerReaderC* wrapped, CertificateNamesC* out) noexcept nogil:
    cdef DerReaderC constraints, path_length
    if not der_read_only(wrapped, TAG_SEQUENCE, &constraints) or not der_read_flag(&constraints, &out.is_authority):
        return CERTIFICATE_MALFORMED
    if der_left(&constraints) and not der_read_only(&constraints, TAG_INTEGER, &path_length):
        return CERTIFICATE_MALFORMED
    return 0


cdef int parse_key_usage(DerReaderC* wrapped, CertificateNamesC* out) noexcept nogil:
    """A BIT STRING: the number of unused bits at its end, which DER wants zero, then the octets."""
    cdef DerReaderC bits
    if not der_read_only(wrapped, TAG_BIT_STRING, &bits) or der_left(&bits) < 2 or bits.at[0] > 7:
        return CERTIFICATE_MALFORMED
    if (bits.end - 1)[0] & ((1 << bits.at[0]) - 1):
        return CERTIFICATE_MALFORMED
    out.has_key_usage = True
    out.key_usage = bits.at[1]
    return 0


cdef int parse_validity(DerReaderC* reader, CertificateNamesC* out) noexcept nogil:
    if (not der_read_time(reader, &out.not_before_s) or not der_read_time(reader, &out.not_after_s)
            or der_left(reader)):
        return CERTIFICATE_BAD_TIME
    return 0


# --- names ---

cdef int parse_names(DerReaderC* wrapped, CertificateNamesC* out) noexcept nogil:
    """Judge every entry of subjectAltName, so that others may walk them without checks."""
    cdef DerReaderC names, name
    cdef uint8_t tag
    if not der_read_only(wrapped, TAG_SEQUENCE, &names) or der_left(&names) == 0:
        return CERTIFICATE_MALFORMED
    out.names = names.at
    out.names_bytes = der_left(&names)
    while der_left(&names):
        if not der_read_element(&names, &tag, &name) or not is_name_tag(tag):
            return CERTIFICATE_MALFORMED
        if tag != TAG_DNS_NAME and tag != TAG_URI_NAME:
            continue
        if not is_printable(name.at, der_left(&name)):
            return CERTIFICATE_BAD_NAME
        if tag == TAG_DNS_NAME:
            if out.dns_count == 0:
                out.dns = name.at
                out.dns_bytes = der_left(&name)
            out.dns_count += 1
        else:
            if out.uri_count == 0:
                out.uri = name.at
                out.uri_bytes = der_left(&name)
            out.uri_count += 1
    return 0


cdef bint is_name_tag(uint8_t tag) noexcept nogil:
    """[0] to [8]; other names, X.400 addresses, directory names and EDI parties are constructed, the rest is not."""
    return tag in (0xA0, 0x81, 0x82, 0xA3, 0xA4, 0xA5, 0x86, 0x87, 0x88)


cdef bint is_printable(const uint8_t* text, size_t size) noexcept nogil:
    cdef size_t index
    for index in range(size):
        if text[index] <= 0x20 or text[index] >= 0x7F:
            return False
    return size > 0


cdef bint certificate_has_dns_name(const CertificateNamesC* names, const uint8_t* name, size_t size) noexcept nogil:
    cdef DerReaderC entries, entry
    cdef uint8_t tag
    entries.at = names.names
    entries.end = names.names + names.names_bytes
    while der_left(&entries) and der_read_element(&entries, &tag, &entry):
        if tag == TAG_DNS_NAME and dns_name_matches(entry.at, der_left(&entry), name, size):
            return True
    return False


cdef bint certificate_has_uri(const CertificateNamesC* names, const uint8_t* uri, size_t size) noexcept nogil:
    cdef DerReaderC entries, entry
    cdef uint8_t tag
    entries.at = names.names
    entries.end = names.names + names.names_bytes
    while der_left(&entries) and der_read_element(&entries, &tag, &entry):
        if tag == TAG_URI_NAME and der_left(&entry) == size and memcmp(entry.at, uri, size) == 0:
            return True
    return False


cdef bint dns_name_matches(
    const uint8_t* pattern, size_t pattern_size, const uint8_t* name, size_t name_size
) noexcept nogil:
    cdef const uint8_t* domain
    cdef size_t label
    if equal_but_for_case(pattern, pattern_size, name, name_size):
        return True
    if pattern_size < 2 or pattern[0] != c"*" or pattern[1] != c".":
        return False
    if memchr(pattern + 2, c".", pattern_size - 2) == NULL:
        return False
    domain = <const uint8_t*>memchr(name, c".", name_size)
    if domain == NULL or domain == name:
        return False
    label = domain - name
    return equal_but_for_case(pattern + 1, pattern_size - 1, domain, name_size - label)


cdef bint equal_but_for_case(const uint8_t* one, size_t one_size, const uint8_t* other, size_t size) noexcept nogil:
    cdef size_t index
    if one_size != size:
        return False
    for index in range(size):
        if lower(one[index]) != lower(other[index]):
            return False
    return True


cdef inline uint8_t lower(uint8_t character) noexcept nogil:
    """As ASCII has it, whatever the process's locale."""
    return <uint8_t>(character | 0x20) if c"A" <= character <= c"Z" else character


# --- fuzzing ---

cdef int fuzz_certificate_names(const uint8_t* data, size_t size) noexcept nogil:
    cdef CertificateNamesC names, part
    cdef size_t cut
    cdef int fault = certificate_names_parse(data, size, &names)
    if fault > 0:
        abort()
    if fault:
        return 0
    for cut in range(size):
        if certificate_names_parse(data, cut, &part) == 0:
            abort()
    if (names.dns_count > 0) != (names.dns != NULL) or (names.uri_count > 0) != (names.uri != NULL):
        abort()
    if names.names != NULL and (names.names < data or names.names + names.names_bytes > data + size):
        abort()
    if names.dns_count and not certificate_has_dns_name(&names, names.dns, names.dns_bytes):
        abort()
    if names.uri_count and not certificate_has_uri(&names, names.uri, names.uri_bytes):
        abort()
    return 0
