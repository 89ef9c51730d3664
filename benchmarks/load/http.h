/* What the loads that read answers to HTTP requests share: whether a head is the one that must come.
 *
 * A proxy may add header fields, change their case and their order; the status and the body's length are the
 * origin's. As in net.h, what is wrong ends the program.
 */
#ifndef HOPMESH_BENCH_HTTP_H
#define HOPMESH_BENCH_HTTP_H

#include "net.h"

#define GET "GET / HTTP/1.1\r\nHost: bench\r\n"

enum { MOST_HEAD_BYTES = 4096, SMALL_BODY_BYTES = 100, LARGE_BODY_BYTES = 16 * 1024 * 1024 };

/* Where an answer's body begins in `data`, which holds the answer's first `size` bytes and a NUL behind them; 0 while
 * its head is not there whole. The head must be that of a 200 with a body of so many bytes. */
static inline size_t body_at(const char *data, size_t size, long body_bytes) {
    const char *end = memmem(data, size, "\r\n\r\n", 4);
    if (!end) return 0;
    const char *field = strcasestr(data, "\r\ncontent-length:");
    int right = !strncmp(data, "HTTP/1.1 200 ", 13) && field && field < end;
    if (!right || strtol(field + sizeof "\r\ncontent-length:" - 1, NULL, 10) != body_bytes) {
        fprintf(stderr, "%s: not a 200 with a body of %ld bytes: %.200s\n", program_invocation_short_name, body_bytes,
                data);
        exit(1);
    }
    return (size_t)(end - data) + 4;
}

/* Whether `data` holds a whole answer with the origin's small body; an answer with too much ends the program. */
static inline int answered(const char *data, size_t size) {
    size_t body = body_at(data, size, SMALL_BODY_BYTES), whole = body + SMALL_BODY_BYTES;
    if (body && size > whole) {
        fprintf(stderr, "%s: %zu bytes too many in an answer\n", program_invocation_short_name, size - whole);
        exit(1);
    }
    return body && size == whole;
}

#endif
