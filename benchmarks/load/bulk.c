/* Moves bytes over a number of connections as fast as they go.
 *
 *     bulk PORT down|up CONNECTIONS SECONDS
 *
 * Prints one JSON object: the bytes that it moved and the seconds that this took.
 */
#include "net.h"

enum { CHUNK_BYTES = 256 * 1024, RECEIVE_BYTES = 1 << 20, BATCH = 64 };

static char chunk[CHUNK_BYTES];

/* One receive or send; the bytes moved. MSG_TRUNC discards in the kernel: it is to cost little. */
static ssize_t move(int fd, int up) {
    ssize_t moved =
        up ? send(fd, chunk, sizeof chunk, MSG_NOSIGNAL) : recv(fd, NULL, RECEIVE_BYTES, MSG_TRUNC);
    if (moved < 0 && errno == EAGAIN) return 0;
    if (moved < 0) die(up ? "send" : "recv");
    if (moved == 0) {
        fprintf(stderr, "bulk: a connection ended early\n");
        exit(1);
    }
    return moved;
}

int main(int argc, char **argv) {
    if (argc != 5) usage("PORT down|up CONNECTIONS SECONDS");
    int port = (int)number(argv[1], 1, 65535), up = !strcmp(argv[2], "up");
    int connections = (int)number(argv[3], 1, 10000);
    long seconds = number(argv[4], 1, 3600);
    alarm((unsigned)seconds + 10);

    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    for (int i = 0; i < connections; i++) {
        int fd = dial(port, SOCK_NONBLOCK);
        watch(epoll, fd, up ? EPOLLOUT : EPOLLIN, (void *)(intptr_t)fd);
    }
    uint64_t bytes = 0;
    double begin = now(), time = begin;
    while (time < begin + (double)seconds) {
        struct epoll_event events[BATCH];
        int count = epoll_wait(epoll, events, BATCH, 100);
        if (count < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < count; i++) bytes += (uint64_t)move((int)(intptr_t)events[i].data.ptr, up);
        time = now();
    }
    printf("{\"bytes\": %llu, \"seconds\": %.6f}\n", (unsigned long long)bytes, time - begin);
    return 0;
}
