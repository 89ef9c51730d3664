/* Fetches large bodies over a number of keep-alive connections, one after another, as fast as they come.
 *
 *     http_bulk PORT CONNECTIONS SECONDS
 *
 * Each answer must be a 200 with the origin's large body, whole. Prints one JSON object: how many came, their bytes and
 * the seconds that this took.
 */
#include "http.h"

enum { RECEIVE_BYTES = 1 << 20, BATCH = 64 };

struct fetch {
    int fd;
    size_t head_bytes; /* received of a head that is not there whole */
    size_t left;       /* of the body; 0 while the head is awaited */
    char head[MOST_HEAD_BYTES];
};

static uint64_t bytes, answers;

static void ask(struct fetch *fetch) {
    fetch->head_bytes = 0;
    if (send(fetch->fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) != sizeof REQUEST - 1) die("send");
}

/* What a receive has brought; 0 when there was nothing yet. */
static size_t received(ssize_t got) {
    if (got < 0 && errno == EAGAIN) return 0;
    if (got < 0) die("recv");
    if (got == 0) {
        fprintf(stderr, "http_bulk: a connection ended early\n");
        exit(1);
    }
    return (size_t)got;
}

static void read_head(struct fetch *fetch) {
    size_t space = sizeof fetch->head - 1 - fetch->head_bytes;
    if (!space) {
        fprintf(stderr, "http_bulk: a head of more than %zu bytes\n", fetch->head_bytes);
        exit(1);
    }
    fetch->head_bytes += received(recv(fetch->fd, fetch->head + fetch->head_bytes, space, 0));
    fetch->head[fetch->head_bytes] = 0;
    size_t body = body_at(fetch->head, fetch->head_bytes, LARGE_BODY_BYTES);
    if (body) fetch->left = LARGE_BODY_BYTES - (fetch->head_bytes - body);
}

/* MSG_TRUNC discards in the kernel: the load is to cost little. */
static void read_body(struct fetch *fetch) {
    size_t most = fetch->left < RECEIVE_BYTES ? fetch->left : RECEIVE_BYTES;
    size_t got = received(recv(fetch->fd, NULL, most, MSG_TRUNC));
    bytes += got;
    fetch->left -= got;
    if (fetch->left) return;
    answers++;
    ask(fetch);
}

int main(int argc, char **argv) {
    if (argc != 4) usage("PORT CONNECTIONS SECONDS");
    int port = (int)number(argv[1], 1, 65535);
    long connections = number(argv[2], 1, 10000), seconds = number(argv[3], 1, 3600);
    alarm((unsigned)seconds + 10);
    struct fetch *fetches = calloc((size_t)connections, sizeof *fetches);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!fetches || epoll < 0) die("set-up");
    for (long i = 0; i < connections; i++) {
        fetches[i].fd = dial(port, SOCK_NONBLOCK);
        ask(&fetches[i]);
        watch(epoll, fetches[i].fd, EPOLLIN, &fetches[i]);
    }
    double begin = now(), time = begin;
    while (time < begin + (double)seconds) {
        struct epoll_event events[BATCH];
        int count = epoll_wait(epoll, events, BATCH, 100);
        if (count < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct fetch *fetch = events[i].data.ptr;
            if (fetch->left) {
                read_body(fetch);
            } else {
                read_head(fetch);
            }
        }
        time = now();
    }
    if (!answers) {
        fprintf(stderr, "http_bulk: not one whole answer in %ld s\n", seconds);
        return 1;
    }
    printf("{\"answers\": %llu, \"bytes\": %llu, \"seconds\": %.6f}\n", (unsigned long long)answers,
           (unsigned long long)bytes, time - begin);
    return 0;
}
