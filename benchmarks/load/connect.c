/* A new connection for each request: connect, ask, read to the end, close; a number of them at a time.
 *
 * The request asks for the connection's end, which an origin behind a TCP relay brings anyway.
 *
 *     connect PORT CONCURRENCY SECONDS
 *
 * Prints one JSON object: how many, and the p50 and p99 of one connection's life in microseconds.
 */
#include "http.h"

#define LAST_REQUEST GET "Connection: close\r\n\r\n"

enum { MOST_SAMPLES = 4 << 20, BATCH = 64 };

struct attempt {
    int fd;
    double begun;
    size_t received;
    char data[MOST_HEAD_BYTES]; /* the answer so far, and a NUL */
};

static int epoll, port;
static float *samples; /* microseconds */
static long count;

static void begin(struct attempt *attempt) {
    attempt->begun = now();
    attempt->received = 0;
    /* On loopback the kernel completes the handshake at once: a blocking connect does not wait. */
    attempt->fd = dial(port, SOCK_NONBLOCK);
    ssize_t size = sizeof LAST_REQUEST - 1;
    if (send(attempt->fd, LAST_REQUEST, (size_t)size, MSG_NOSIGNAL) != size) die("send");
    watch(epoll, attempt->fd, EPOLLIN, attempt);
}

/* Reads; says whether the answer has ended, whole. */
static int finished(struct attempt *attempt) {
    size_t space = sizeof attempt->data - 1 - attempt->received;
    ssize_t got = recv(attempt->fd, attempt->data + attempt->received, space, 0);
    if (got < 0 && errno == EAGAIN) return 0;
    if (got < 0) die("recv");
    attempt->received += (size_t)got;
    attempt->data[attempt->received] = 0;
    int whole = answered(attempt->data, attempt->received);
    if (got > 0) return 0;
    if (!whole) {
        fprintf(stderr, "connect: an answer of %zu bytes is not whole\n", attempt->received);
        exit(1);
    }
    return 1;
}

static int by_value(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv) {
    if (argc != 4) usage("PORT CONCURRENCY SECONDS");
    port = (int)number(argv[1], 1, 65535);
    long concurrency = number(argv[2], 1, 1000), seconds = number(argv[3], 1, 3600);
    alarm((unsigned)seconds + 10);
    samples = malloc(MOST_SAMPLES * sizeof *samples);
    struct attempt *attempts = calloc((size_t)concurrency, sizeof *attempts);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!samples || !attempts || epoll < 0) die("set-up");

    double start = now();
    for (long i = 0; i < concurrency; i++) begin(&attempts[i]);
    while (now() < start + (double)seconds && count + BATCH < MOST_SAMPLES) {
        struct epoll_event events[BATCH];
        int ready = epoll_wait(epoll, events, BATCH, 100);
        if (ready < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < ready; i++) {
            struct attempt *attempt = events[i].data.ptr;
            if (!finished(attempt)) continue;
            close(attempt->fd);
            samples[count++] = (float)((now() - attempt->begun) * 1e6);
            begin(attempt);
        }
    }
    if (!count) {
        fprintf(stderr, "connect: not one answer in %ld s\n", seconds);
        return 1;
    }
    qsort(samples, (size_t)count, sizeof *samples, by_value);
    printf("{\"connections\": %ld, \"p50_us\": %.1f, \"p99_us\": %.1f}\n", count, samples[count / 2],
           samples[(long)((double)count * 0.99)]);
    return 0;
}
