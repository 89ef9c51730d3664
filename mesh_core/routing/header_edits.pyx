"""Changes of headers; the contract stands in header_edits.pxd."""

from mesh_core.http1.grammar cimport equals_ignoring_case
from mesh_core.http1.head cimport FIELD_REMOVED, FieldC


cdef uint32_t carry_out(
    const HeaderEditsC* edits, HeadC* head, const uint8_t* data, AddedFieldC* added, uint32_t count, uint32_t capacity
) noexcept nogil:
    cdef const HeaderEditC* edit
    cdef uint32_t index
    for index in range(edits.count):
        edit = &edits.edits[index]
        if edit.kind != EDIT_ADD:
            remove_received(head, data, &edit.name)
            count = remove_added(added, count, &edit.name)
        if edit.kind != EDIT_REMOVE and count < capacity:
            added[count].name = edit.name
            added[count].value = edit.value
            count += 1
    return count


cdef void remove_received(HeadC* head, const uint8_t* data, const TextC* name) noexcept nogil:
    cdef FieldC* field
    cdef uint32_t index
    for index in range(head.field_count):
        field = &head.fields[index]
        if field.name.size == name.size and equals_ignoring_case(data + field.name.at, name.bytes, name.size):
            field.flags |= FIELD_REMOVED


cdef uint32_t remove_added(AddedFieldC* added, uint32_t count, const TextC* name) noexcept nogil:
    cdef uint32_t index, kept = 0
    for index in range(count):
        if added[index].name.size == name.size and equals_ignoring_case(added[index].name.bytes, name.bytes, name.size):
            continue
        added[kept] = added[index]
        kept += 1
    return kept
