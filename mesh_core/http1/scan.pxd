"""Finding characters sixteen at a time. Sans-I/O, no GIL; data[0:end] is read, also what stands before `at`."""

from libc.stdint cimport uint8_t, uint64_t

cdef extern from * nogil:
    """
    #ifndef HOPMESH_HTTP1_SCAN
    #define HOPMESH_HTTP1_SCAN
    #include <stdint.h>
    #include <string.h>
    _Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first byte of a word is its lowest");
    typedef uint8_t hm_block __attribute__((vector_size(16)));

    /* A bit for each byte, the first one's lowest; bytes are 0xFF or 0. */
    static inline uint32_t hm_bits(hm_block hits) {
    #ifdef __SSE2__
        typedef char bytes __attribute__((vector_size(16)));
        return (uint32_t)__builtin_ia32_pmovmskb128((bytes)hits);
    #else
        uint64_t halves[2];
        memcpy(halves, &hits, 16);
        return (uint32_t)((halves[0] & 0x8040201008040201u) * 0x0101010101010101u >> 56)
            | (uint32_t)((halves[1] & 0x8040201008040201u) * 0x0101010101010101u >> 56) << 8;
    #endif
    }

    static inline hm_block hm_controls(hm_block block) {
        return (hm_block)(((block < 0x20) & (block != '\\t')) | (block == 0x7F));
    }

    static inline hm_block hm_usual(hm_block block) {
        hm_block letter = (hm_block)((hm_block)((block | 0x20) - 'a') < 26);
        hm_block other = (hm_block)((hm_block)(block - '-') < 13);
        return letter | (other & ~(hm_block)(block == '/'));
    }

    /* The first byte that is judged 0xFF; with `inverse` 0xFFFF the first that is not. The last block begins before
       `at`, to end where the data does. */
    static inline __attribute__((always_inline)) size_t hm_find(
            const uint8_t *data, size_t at, size_t end, hm_block (*judge)(hm_block), uint32_t inverse) {
        for (;;) {
            size_t from = end - at < 16 ? end - 16 : at;
            hm_block block;
            memcpy(&block, data + from, 16);
            uint32_t hits = (hm_bits(judge(block)) ^ inverse) >> (at - from);
            if (hits)
                return at + (size_t)__builtin_ctz(hits);
            at = from + 16;
            if (at >= end)
                return end;
        }
    }

    static inline uint64_t hm_word(const uint8_t *data) {
        uint64_t word;
        memcpy(&word, data, 8);
        return word;
    }

    static inline size_t hm_skip_text(const uint8_t *data, size_t at, size_t end) {
        return hm_find(data, at, end, hm_controls, 0);
    }

    static inline size_t hm_skip_name(const uint8_t *data, size_t at, size_t end) {
        return hm_find(data, at, end, hm_usual, 0xFFFF);
    }
    #endif
    """
    # Eight bytes, the first one's bits lowest.
    uint64_t load_word "hm_word"(const uint8_t* data)

    # From `at` on, pass over bytes that are no control characters but tab (CLASS_CONTROL in grammar.pxd): to the first
    # that is one, or to `end`. `at` is at most `end`, which is SCAN_LEAST at least.
    size_t skip_text "hm_skip_text"(const uint8_t* data, size_t at, size_t end)

    # So too over letters, digits, "-" and ".", which all names are made of but odd ones.
    size_t skip_name "hm_skip_name"(const uint8_t* data, size_t at, size_t end)

cdef enum:
    SCAN_LEAST = 16
