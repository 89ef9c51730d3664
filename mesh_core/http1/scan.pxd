"""Finding characters sixteen at a time. Sans-I/O, no GIL; nothing at or behind `end` is read."""

from libc.stdint cimport uint8_t

cdef extern from * nogil:
    """
    #ifndef HOPMESH_HTTP1_SCAN
    #define HOPMESH_HTTP1_SCAN
    #include <stdint.h>
    #include <string.h>
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a word is its lowest");
    typedef uint8_t hm_block __attribute__((vector_size(16)));

    /* The index of the first byte that is 0xFF, all others being 0; 16 when there is none. */
    static inline size_t hm_first(hm_block hits) {
    #ifdef __SSE2__
        typedef char bytes __attribute__((vector_size(16)));
        unsigned mask = (unsigned)__builtin_ia32_pmovmskb128((bytes)hits);
        return mask ? (size_t)__builtin_ctz(mask) : 16;
    #else
        uint64_t halves[2];
        memcpy(halves, &hits, 16);
        if (halves[0])
            return (size_t)__builtin_ctzll(halves[0]) / 8;
        return halves[1] ? 8 + (size_t)__builtin_ctzll(halves[1]) / 8 : 16;
    #endif
    }

    static inline size_t hm_skip_text(const uint8_t *data, size_t at, size_t end) {
        while (end - at >= 16) {
            hm_block block;
            memcpy(&block, data + at, 16);
            size_t found = hm_first((hm_block)(((block < 0x20) & (block != '\\t')) | (block == 0x7F)));
            if (found < 16)
                return at + found;
            at += 16;
        }
        return at;
    }

    static inline size_t hm_skip_name(const uint8_t *data, size_t at, size_t end) {
        while (end - at >= 16) {
            hm_block block;
            memcpy(&block, data + at, 16);
            hm_block letter = (hm_block)((hm_block)((block | 0x20) - 'a') < 26);
            hm_block other = (hm_block)(((hm_block)(block - '-') < 13) & (block != '/'));
            size_t found = hm_first((hm_block)~(letter | other));
            if (found < 16)
                return at + found;
            at += 16;
        }
        return at;
    }
    #endif
    """
    # From `at` on, pass over bytes that are no control characters but tab (CLASS_CONTROL in grammar.pxd): to the first
    # that is one, or to less than 16 bytes before `end`.
    size_t skip_text "hm_skip_text"(const uint8_t* data, size_t at, size_t end)

    # So too over letters, digits, "-" and ".", which all names are made of but odd ones.
    size_t skip_name "hm_skip_name"(const uint8_t* data, size_t at, size_t end)
