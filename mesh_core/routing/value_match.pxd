"""What a value must be like, asked of one that comes in pieces. Worker thread, no GIL."""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcmp
from mesh_core.http1.serialize cimport TextC
from mesh_core.routing.regex cimport RegexC, regex_fits, regex_walk

cdef enum ValueMatchKind:
    VALUE_PRESENT              # any value
    VALUE_EXACT
    VALUE_PREFIX
    VALUE_REGEX


cdef struct ValueMatchC:
    uint8_t kind               # ValueMatchKind
    bint invert                # the answer is turned round, also where there is no value
    TextC text                 # of VALUE_EXACT and VALUE_PREFIX
    RegexC regex               # of VALUE_REGEX


cdef struct ValueStateC:
    const ValueMatchC* match
    size_t size                # of the pieces so far
    uint32_t regex_state
    bint differs               # from `text`


cdef inline ValueStateC value_begin(const ValueMatchC* match) noexcept nogil:
    return ValueStateC(match, 0, match.regex.start, False)


cdef inline void value_piece(ValueStateC* state, const uint8_t* piece, size_t size) noexcept nogil:
    cdef const ValueMatchC* match = state.match
    cdef size_t compared = size
    if match.kind == VALUE_REGEX:
        state.regex_state = regex_walk(&match.regex, state.regex_state, piece, size)
    elif match.kind != VALUE_PRESENT and state.size < match.text.size:
        compared = min(size, match.text.size - state.size)
        state.differs = state.differs or memcmp(piece, match.text.bytes + state.size, compared) != 0
    state.size += size


# Whether the value fits, `invert` left aside.
cdef inline bint value_fits(const ValueStateC* state) noexcept nogil:
    cdef const ValueMatchC* match = state.match
    if match.kind == VALUE_REGEX:
        return regex_fits(&match.regex, state.regex_state)
    if match.kind == VALUE_EXACT:
        return state.size == match.text.size and not state.differs
    return state.size >= match.text.size and not state.differs
