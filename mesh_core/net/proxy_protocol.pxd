"""The PROXY protocol, versions 1 and 2 (haproxy.org, proxy-protocol.txt, 2020/03/05). Sans-I/O, no GIL."""

from libc.stdint cimport uint8_t
from mesh_core.net.address cimport PeerAddressC

cdef enum:
    PROXY_V1_LIMIT = 107       # the longest version 1 header (section 2.1)
    PROXY_V2_FIXED = 16
    PROXY_V2_LIMIT = 4096      # the longest version 2 header that is accepted, TLVs included
    PROXY_WRITE_LIMIT = 108    # the longest header that proxy_protocol_write makes

cdef enum ProxyProtocolFault:
    PROXY_INCOMPLETE = 0
    PROXY_BAD_SIGNATURE = -1
    PROXY_BAD_LINE = -2        # version 1: not a well-formed line
    PROXY_BAD_ADDRESS = -3
    PROXY_BAD_VERSION = -4
    PROXY_BAD_COMMAND = -5
    PROXY_BAD_FAMILY = -6
    PROXY_BAD_LENGTH = -7
    PROXY_BAD_TLV = -8
    PROXY_BAD_CHECKSUM = -9


# What a header says. `source.family` is AF_UNSPEC when it says nothing (UNKNOWN, LOCAL, UNSPEC).
cdef struct ProxyHeaderC:
    int version
    bint local                 # a connection of the sender's own, such as a health check
    PeerAddressC source
    PeerAddressC destination


# Read a header from the start of `data`: its length in bytes, PROXY_INCOMPLETE when more is needed, or a negative
# fault. At most PROXY_V2_LIMIT bytes are ever looked at. The result depends on the bytes only, not on their cuts.
cdef int proxy_protocol_parse(const uint8_t* data, size_t size, ProxyHeaderC* header) noexcept nogil

# Write the header of `version` (1 or 2) for a connection; both addresses of one family, otherwise UNKNOWN or LOCAL
# is sent. `out` has PROXY_WRITE_LIMIT bytes; returns the length.
cdef int proxy_protocol_write(
    uint8_t* out, int version, const PeerAddressC* source, const PeerAddressC* destination
) noexcept nogil

# A libFuzzer entry: parses, and checks that cutting the input changes nothing. Aborts on a violation.
cdef int fuzz_proxy_protocol(const uint8_t* data, size_t size) noexcept nogil
