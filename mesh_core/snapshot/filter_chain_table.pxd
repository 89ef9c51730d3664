"""Which filter chain of a listener a connection belongs to: a walk down six steps, one for each thing that is asked.

Worker thread or tests, no GIL. Made by mesh_core.control.filter_chain_compiler; the rules are Envoy's (FilterChainMatch
in listener_components.proto). A step costs a binary search over its entries, or of texts one hash of each candidate,
so a choice does not grow with the number of names.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from mesh_core.net.address cimport PeerAddressC
from mesh_core.tls.client_hello cimport ClientHelloC

cdef enum:
    ADDRESS_KEY_BYTES = 17     # 4 or 6, then the address, filled up with zeros
    TEXT_HASH_SEED = 0x811C9DC5


cdef struct NumberEntryC:
    uint16_t number
    const FilterChainStepC* next


# From `first` to the next entry's. The first entry is the lowest address of IPv4.
cdef struct AddressEntryC:
    uint8_t first[ADDRESS_KEY_BYTES]
    const FilterChainStepC* next      # NULL: no chain


# A place of a hash table, empty when `text` is NULL.
cdef struct TextEntryC:
    const char* text           # not NUL-terminated
    uint16_t size
    const FilterChainStepC* next


cdef union StepEntriesC:
    NumberEntryC* numbers      # ascending
    AddressEntryC* addresses   # ascending
    TextEntryC* texts          # a power of two of places, at least one of them empty


cdef struct FilterChainStepC:
    StepEntriesC entries
    uint32_t entry_count       # 0: nothing is asked
    const FilterChainStepC* otherwise  # where no entry fits; NULL: no chain
    int chain                  # the answer, behind the last step


cdef struct FilterChainTableC:
    const FilterChainStepC* root
    bint asks_hello            # some chain asks for what a ClientHello says, or whether there is one
    bint asks_destination


# The index of the chain, or -1. `hello` is NULL when the connection does not begin with one.
cdef int filter_chain_find(
    const FilterChainTableC* table, const PeerAddressC* destination, const PeerAddressC* source,
    const ClientHelloC* hello
) noexcept nogil

# The place of a text, or the empty one where it would be. `hash` is text_hash of all its bytes, the last one first.
cdef TextEntryC* text_place(
    const FilterChainStepC* step, uint32_t hash, const char* text, size_t size
) noexcept nogil

# FNV-1a, a byte at a time.
cdef inline uint32_t text_hash(uint32_t hash, uint8_t byte) noexcept nogil:
    return (hash ^ byte) * <uint32_t>0x01000193
