"""Walking the automaton of a regular expression: one step for each byte, whatever the input. Any thread, no GIL.

Made from mesh_core.config.regex, which says what the table holds.
"""

from libc.stdint cimport uint8_t, uint32_t


cdef struct RegexC:
    const uint8_t* classes     # of each of the 256 bytes
    const uint32_t* table
    uint32_t class_count
    uint32_t start             # the state before the first byte


# The state behind `size` more bytes. A text may come in pieces.
cdef inline uint32_t regex_walk(
    const RegexC* regex, uint32_t state, const uint8_t* text, size_t size
) noexcept nogil:
    cdef size_t index
    for index in range(size):
        if state == 0:
            break
        state = regex.table[state + regex.classes[text[index]]]
    return state


# Whether a text that led to `state` fits.
cdef inline bint regex_fits(const RegexC* regex, uint32_t state) noexcept nogil:
    return regex.table[state + regex.class_count] != 0
