"""What a TLS ClientHello asks for, read before anything is answered. Sans-I/O, no GIL.

RFC 8446 (section 4.1.2; records: 5.1), RFC 6066 (section 3, server name), RFC 7301 (section 3.1, ALPN), RFC 8701
(GREASE). It does not judge what only the TLS library can: cipher suites, groups, key shares, compression.
"""

from libc.stdint cimport uint8_t, uint16_t

cdef enum:
    CLIENT_HELLO_LIMIT = 16384        # of the handshake message, its 4-byte header included
    CLIENT_HELLO_RECORD_LIMIT = 64    # records that a message may be split into
    CLIENT_HELLO_WIRE_LIMIT = 16704   # the most bytes that are ever looked at: with so many there is a verdict
    CLIENT_HELLO_NAME_BYTES = 256     # with the NUL
    CLIENT_HELLO_ALPN_BYTES = 256

cdef enum ClientHelloVerdict:
    CLIENT_HELLO_INCOMPLETE = 0       # so far it may become a hello
    CLIENT_HELLO_COMPLETE = 1
    CLIENT_HELLO_NOT_TLS = -1         # does not begin as a TLS handshake; so too the hello of SSL 2
    CLIENT_HELLO_MALFORMED = -2
    CLIENT_HELLO_OVERSIZED = -3       # a message over its limit, in too many records, or ALPN over its limit


# What a complete hello says; of any other the struct means nothing.
cdef struct ClientHelloC:
    size_t wire_bytes           # the hello's length, record headers included
    uint16_t legacy_version
    uint16_t highest_version    # the highest that is offered, of 0x0300 (SSL 3) to 0x0304 (TLS 1.3); 0 when none is
    uint16_t server_name_bytes  # 0 when there is none; the NUL not counted
    uint16_t alpn_bytes         # 0 when there is none
    # A host name in lower case: letters, digits, "-", "_", in labels of 1 to 63 characters.
    char[CLIENT_HELLO_NAME_BYTES] server_name
    # Protocols as in the hello, each behind a byte with its length, without GREASE.
    uint8_t[CLIENT_HELLO_ALPN_BYTES] alpn


# Read a hello from the start of `data`, which may hold more. The verdict depends on the bytes only, not on their cuts:
# of a shorter piece it is either the same or CLIENT_HELLO_INCOMPLETE.
#
# A name that is no host name (with a NUL, of over 255 bytes, with a dot at its end, not in ASCII) makes the hello
# malformed. An IP address, which clients must not send but some do, counts as no name.
cdef int client_hello_parse(const uint8_t* data, size_t size, ClientHelloC* out) noexcept nogil

# A libFuzzer entry: parses, and checks that neither cuts nor other records change anything. Aborts on a violation.
cdef int fuzz_client_hello(const uint8_t* data, size_t size) noexcept nogil
