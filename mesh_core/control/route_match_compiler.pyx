"""From matches to what workers ask of requests; the contract stands in route_match_compiler.pxd."""

from libc.stdint cimport uint8_t, uint32_t, uintptr_t
from libc.string cimport memcpy
from mesh_core.routing.value_match cimport VALUE_EXACT, VALUE_PREFIX, VALUE_PRESENT, VALUE_REGEX

from mesh_core.config.regex import compile_regex


cdef class RouteMatchCompiler:
    """Makes the matches of one table of routes."""

    def __init__(self, Snapshot snapshot):
        self.snapshot = snapshot
        self.regexes = {}
        self.parameters = {}

    cdef compile(self, RouteMatchC* out, match):
        if match.method is not None:
            out.method = copy_text(self.snapshot, match.method)
        out.headers = self.headers(match.headers)
        out.header_count = <uint32_t>len(match.headers)
        out.parameters = self.query_parameters(match.query_parameters)
        out.parameter_count = <uint32_t>len(match.query_parameters)

    cdef const RegexC* regex(self, str pattern) except NULL:
        cdef RegexC* out
        cdef const uint32_t[::1] words
        cdef uint32_t* table
        cdef uint8_t* classes
        if pattern in self.regexes:
            return <RegexC*><uintptr_t>self.regexes[pattern]
        automaton = compile_regex(pattern)
        words = automaton.table
        out = <RegexC*>self.snapshot.allocate(sizeof(RegexC))
        table = <uint32_t*>self.snapshot.allocate(words.shape[0] * sizeof(uint32_t))
        memcpy(table, &words[0], words.shape[0] * sizeof(uint32_t))
        classes = <uint8_t*>self.snapshot.allocate(256)
        memcpy(classes, <const char*><bytes>automaton.classes, 256)
        out.table = table
        out.classes = classes
        out.class_count = automaton.class_count
        out.start = automaton.start
        self.regexes[pattern] = <uintptr_t>out
        return out

    cdef HeaderMatchC* headers(self, matches) except? NULL:
        cdef HeaderMatchC* out
        if not matches:
            return NULL
        out = <HeaderMatchC*>self.snapshot.allocate(len(matches) * sizeof(HeaderMatchC))
        for index, match in enumerate(matches):
            out[index].name = copy_text(self.snapshot, match.name)
            out[index].separator = copy_text(self.snapshot, "; " if match.name.lower() == "cookie" else ",")
            self.value(&out[index].value, match, match.invert)
            if match.prefix is not None:
                out[index].value.kind = VALUE_PREFIX
                out[index].value.text = copy_text(self.snapshot, match.prefix)
        return out

    cdef QueryMatchC* query_parameters(self, matches) except? NULL:
        cdef QueryMatchC* out
        if not matches:
            return NULL
        out = <QueryMatchC*>self.snapshot.allocate(len(matches) * sizeof(QueryMatchC))
        for index, match in enumerate(matches):
            out[index].name = copy_text(self.snapshot, match.name)
            out[index].name_id = self.parameters.setdefault(match.name, len(self.parameters) + 1)
            self.value(&out[index].value, match, False)
        return out

    cdef value(self, ValueMatchC* out, match, bint invert):
        out.invert = invert != (match.present is False)
        if match.exact is not None:
            out.kind = VALUE_EXACT
            out.text = copy_text(self.snapshot, match.exact)
        elif match.regex is not None:
            out.kind = VALUE_REGEX
            out.regex = self.regex(match.regex)[0]
        else:
            out.kind = VALUE_PRESENT


cdef TextC copy_text(Snapshot snapshot, str text) except *:
    cdef bytes encoded = text.encode()
    cdef uint8_t* copy = <uint8_t*>snapshot.allocate(len(encoded))
    memcpy(copy, <const char*>encoded, len(encoded))
    return TextC(copy, len(encoded))
