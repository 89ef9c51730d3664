"""The choice of a filter chain, from Python."""

from libc.stdint cimport uint16_t
from libc.string cimport memcpy, memset
from mesh_core._testing.convert cimport peer_address
from mesh_core.control.filter_chain_compiler cimport compile_filter_chains
from mesh_core.net.address cimport PeerAddressC
from mesh_core.snapshot.filter_chain_table cimport FilterChainTableC, filter_chain_find
from mesh_core.snapshot.snapshot cimport Snapshot
from mesh_core.tls.client_hello cimport ClientHelloC


cdef class FilterChains:
    """The table of some matches."""

    cdef Snapshot snapshot
    cdef FilterChainTableC* table

    def __init__(self, matches):
        self.snapshot = Snapshot(1, 1)
        self.table = compile_filter_chains(self.snapshot, matches)

    @property
    def asks(self):
        """(what a ClientHello says, the destination)."""
        return bool(self.table.asks_hello), bool(self.table.asks_destination)

    def find(self, bytes destination, bytes source, tls):
        """The index of the chain or -1. `tls`: None, or (server name, [protocol]); addresses as socket addresses."""
        cdef PeerAddressC destination_address = peer_address(destination)
        cdef PeerAddressC source_address = peer_address(source)
        cdef ClientHelloC hello
        cdef bytes name, alpn
        memset(&hello, 0, sizeof(hello))
        if tls is None:
            return filter_chain_find(self.table, &destination_address, &source_address, NULL)
        name = tls[0].encode()
        alpn = b"".join(bytes([len(protocol)]) + protocol for protocol in tls[1])
        hello.server_name_bytes = <uint16_t>len(name)
        hello.alpn_bytes = <uint16_t>len(alpn)
        memcpy(hello.server_name, <const char*>name, min(<size_t>len(name), sizeof(hello.server_name) - 1))
        memcpy(hello.alpn, <const char*>alpn, min(<size_t>len(alpn), sizeof(hello.alpn)))
        return filter_chain_find(self.table, &destination_address, &source_address, &hello)
