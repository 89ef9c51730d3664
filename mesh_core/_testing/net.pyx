"""Addresses, the PROXY protocol and sockets, from Python. A socket address is given and returned as bytes."""

from libc.stdint cimport uint8_t
from libc.string cimport memcpy, memset
from mesh_core._testing.convert cimport exact_copy, peer_address, peer_bytes
from mesh_core.includes.socket cimport sockaddr_storage, socklen_t
cimport mesh_core.net.address as net_address
cimport mesh_core.net.proxy_protocol as proxy_protocol
cimport mesh_core.net.sockets as sockets
from mesh_core.net.address cimport PeerAddressC
from mesh_core.runtime.memory cimport memory_free

FAULTS = {
    "incomplete": proxy_protocol.PROXY_INCOMPLETE,
    "signature": proxy_protocol.PROXY_BAD_SIGNATURE,
    "line": proxy_protocol.PROXY_BAD_LINE,
    "address": proxy_protocol.PROXY_BAD_ADDRESS,
    "version": proxy_protocol.PROXY_BAD_VERSION,
    "command": proxy_protocol.PROXY_BAD_COMMAND,
    "family": proxy_protocol.PROXY_BAD_FAMILY,
    "length": proxy_protocol.PROXY_BAD_LENGTH,
    "tlv": proxy_protocol.PROXY_BAD_TLV,
    "checksum": proxy_protocol.PROXY_BAD_CHECKSUM,
}
PROXY_WRITE_LIMIT = proxy_protocol.PROXY_WRITE_LIMIT
PROXY_V2_LIMIT = proxy_protocol.PROXY_V2_LIMIT


def address_from_ip(str host, int port):
    """The socket address as bytes; b"" when `host` is not an IP literal."""
    cdef sockaddr_storage out
    cdef bytes encoded = host.encode()
    cdef socklen_t size = net_address.address_from_ip(&out, encoded, port)
    return (<const char*>&out)[:size]


def address_from_path(bytes path):
    """The socket address as bytes; b"" when `path` is too long."""
    cdef sockaddr_storage out
    cdef uint8_t* copy = exact_copy(path)
    cdef socklen_t size = net_address.address_from_path(&out, <const char*>copy, len(path))
    memory_free(copy)
    return (<const char*>&out)[:size]


def address_format(bytes sockaddr_bytes):
    cdef char text[net_address.ADDRESS_TEXT_BYTES]
    cdef PeerAddressC address = peer_address(sockaddr_bytes)
    cdef int size = net_address.address_format(&address, text)
    return text[:size].decode()


def address_is_wildcard(bytes sockaddr_bytes):
    cdef PeerAddressC address = peer_address(sockaddr_bytes)
    return bool(net_address.address_is_wildcard(&address))


def proxy_parse(bytes data):
    """(result, version, local, source, destination); the addresses as bytes of a socket address."""
    cdef proxy_protocol.ProxyHeaderC header
    cdef uint8_t* copy = exact_copy(data)
    cdef size_t size = len(data)
    cdef int result
    with nogil:
        result = proxy_protocol.proxy_protocol_parse(copy, size, &header)
    memory_free(copy)
    return result, header.version, bool(header.local), peer_bytes(&header.source), peer_bytes(&header.destination)


def proxy_write(int version, bytes source, bytes destination):
    cdef PeerAddressC source_address = peer_address(source)
    cdef PeerAddressC destination_address = peer_address(destination)
    cdef uint8_t* out = exact_copy(bytes(proxy_protocol.PROXY_WRITE_LIMIT))
    cdef int size = proxy_protocol.proxy_protocol_write(out, version, &source_address, &destination_address)
    try:
        return (<const char*>out)[:size]
    finally:
        memory_free(out)


def socket_connect(bytes sockaddr_bytes, int descriptor_limit=0x7FFFFFFF):
    """(descriptor or -errno, connected)."""
    cdef sockaddr_storage storage
    cdef bint connected
    cdef int fd
    memset(&storage, 0, sizeof(storage))
    memcpy(&storage, <const char*>sockaddr_bytes, len(sockaddr_bytes))
    fd = sockets.socket_connect(&storage, <socklen_t>len(sockaddr_bytes), descriptor_limit, &connected)
    return fd, bool(connected)


def socket_close_reset(int fd):
    sockets.socket_close_reset(fd)
