"""The table of a listener's filter chains; the contract stands in filter_chain_compiler.pxd."""

from libc.stdint cimport uint16_t, uint32_t, uintptr_t
from libc.string cimport memcpy
from mesh_core.snapshot.filter_chain_table cimport (
    ADDRESS_KEY_BYTES, TEXT_HASH_SEED, AddressEntryC, FilterChainStepC, NumberEntryC, TextEntryC, text_hash,
    text_place,
)

from mesh_core.config.filter_chain_tree import Level, filter_chain_tree
from mesh_core.control.address_ranges import address_ranges


cdef FilterChainTableC* compile_filter_chains(Snapshot snapshot, matches) except NULL:
    cdef FilterChainTableC* table = <FilterChainTableC*>snapshot.allocate(sizeof(FilterChainTableC))
    table.root = compile_step(snapshot, filter_chain_tree(matches).root, {})
    for match in matches:
        if match.server_names or match.application_protocols or match.transport_protocol is not None:
            table.asks_hello = True
        if match.destination_ports or match.destination_addresses:
            table.asks_destination = True
    return table


cdef FilterChainStepC* compile_step(Snapshot snapshot, step, dict known) except? NULL:
    """`known`: of each step that was compiled before, by its identity, the address of its table."""
    cdef FilterChainStepC* out
    if step is None:
        return NULL
    if id(step) in known:
        return <FilterChainStepC*><uintptr_t>known[id(step)]
    out = <FilterChainStepC*>snapshot.allocate(sizeof(FilterChainStepC))
    known[id(step)] = <uintptr_t>out
    out.chain = step.chain if step.chain is not None else -1
    out.otherwise = compile_step(snapshot, step.otherwise, known)
    if not step.entries:
        return out
    if step.level in (Level.DESTINATION_PORT, Level.TRANSPORT):
        compile_numbers(snapshot, out, step.entries, known)
    elif step.level in (Level.DESTINATION_ADDRESS, Level.SOURCE_ADDRESS):
        compile_addresses(snapshot, out, address_ranges(step.entries, step.otherwise), known)
    else:
        compile_texts(snapshot, out, step.entries, known)
    return out


cdef int compile_numbers(Snapshot snapshot, FilterChainStepC* out, entries, dict known) except -1:
    out.entry_count = <uint32_t>len(entries)
    out.entries.numbers = <NumberEntryC*>snapshot.allocate(out.entry_count * sizeof(NumberEntryC))
    for index, number in enumerate(sorted(entries)):
        out.entries.numbers[index].number = <uint16_t>number
        out.entries.numbers[index].next = compile_step(snapshot, entries[number], known)
    return 0


cdef int compile_addresses(Snapshot snapshot, FilterChainStepC* out, ranges, dict known) except -1:
    out.entry_count = <uint32_t>len(ranges)
    out.entries.addresses = <AddressEntryC*>snapshot.allocate(out.entry_count * sizeof(AddressEntryC))
    for index, (first, step) in enumerate(ranges):
        memcpy(out.entries.addresses[index].first, <const char*><bytes>first, ADDRESS_KEY_BYTES)
        out.entries.addresses[index].next = compile_step(snapshot, step, known)
    return 0


cdef int compile_texts(Snapshot snapshot, FilterChainStepC* out, entries, dict known) except -1:
    cdef TextEntryC* place
    cdef char* text
    cdef bytes encoded
    cdef uint32_t hash
    # At most half full, so that a search soon meets an empty place.
    out.entry_count = 1 << (2 * len(entries) - 1).bit_length()
    out.entries.texts = <TextEntryC*>snapshot.allocate(out.entry_count * sizeof(TextEntryC))
    for key, step in entries.items():
        encoded = key.encode()
        text = <char*>snapshot.allocate(len(encoded))
        memcpy(text, <const char*>encoded, len(encoded))
        hash = TEXT_HASH_SEED
        for byte in reversed(encoded):
            hash = text_hash(hash, byte)
        place = text_place(out, hash, text, len(encoded))
        place.text = text
        place.size = <uint16_t>len(encoded)
        place.next = compile_step(snapshot, step, known)
    return 0
