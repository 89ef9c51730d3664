/* Opens connections, makes one request on each, and then holds them without a byte.
 *
 *     idle PORT CONNECTIONS LIFE_SECONDS
 *
 * Prints "ready" when all are open and answered; ends on SIGTERM or at the end of its life.
 */
#include "net.h"

/* The request makes sure that the proxy has reached the origin and has used its buffers once. */
static void ask(int fd) {
    char data[4096];
    if (send(fd, REQUEST, sizeof REQUEST - 1, MSG_NOSIGNAL) != sizeof REQUEST - 1) die("send");
    for (ssize_t received = 0; received < RESPONSE_BYTES;) {
        ssize_t got = recv(fd, data, sizeof data, 0);
        if (got < 0) die("recv");
        if (got == 0) {
            fprintf(stderr, "idle: a connection ended before its answer\n");
            exit(1);
        }
        received += got;
    }
}

int main(int argc, char **argv) {
    if (argc != 4) usage("PORT CONNECTIONS LIFE_SECONDS");
    int port = (int)number(argv[1], 1, 65535);
    long connections = number(argv[2], 1, 100000);
    alarm((unsigned)number(argv[3], 1, 3600));
    for (long i = 0; i < connections; i++) ask(dial(port, 0));
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
