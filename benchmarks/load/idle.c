/* Opens connections, makes one request on each, and then holds them without a byte.
 *
 *     idle PORT CONNECTIONS LIFE_SECONDS
 *
 * Prints "ready" when all are open and answered; ends on SIGTERM or at the end of its life, and with an error as soon
 * as one of the connections does not rest.
 */
#include "http.h"

/* The request makes sure that the proxy has reached the origin and has used its buffers once. */
static void ask(int fd) {
    char data[MOST_HEAD_BYTES];
    size_t received = 0;
    if (send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) != sizeof REQUEST - 1) die("send");
    do {
        ssize_t got = recv(fd, data + received, sizeof data - 1 - received, 0);
        if (got < 0) die("recv");
        if (got == 0) {
            fprintf(stderr, "idle: a connection ended before its answer\n");
            exit(1);
        }
        received += (size_t)got;
        data[received] = 0;
    } while (!answered(data, received));
}

int main(int argc, char **argv) {
    if (argc != 4) usage("PORT CONNECTIONS LIFE_SECONDS");
    int port = (int)number(argv[1], 1, 65535);
    long connections = number(argv[2], 1, 100000);
    alarm((unsigned)number(argv[3], 1, 3600));
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    for (long i = 0; i < connections; i++) {
        int fd = dial(port, 0);
        ask(fd);
        watch(epoll, fd, EPOLLIN | EPOLLRDHUP, NULL);
    }
    puts("ready");
    fflush(stdout);
    struct epoll_event event;
    while (epoll_wait(epoll, &event, 1, -1) < 0)
        if (errno != EINTR) die("epoll_wait");
    fprintf(stderr, "idle: a connection did not rest (events 0x%x)\n", event.events);
    return 1;
}
