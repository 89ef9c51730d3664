/* What the benchmark's C programs share: sockets on the loopback address, errors, time, the origin's answer.
 *
 * Every function either succeeds or ends the program with a message: a load that limps measures nothing.
 */
#ifndef HOPMESH_BENCH_NET_H
#define HOPMESH_BENCH_NET_H

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: bench\r\n\r\n"
#define BODY_OF_50 "01234567890123456789012345678901234567890123456789"
#define RESPONSE_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 100\r\n\r\n"
#define RESPONSE RESPONSE_HEAD BODY_OF_50 BODY_OF_50
#define RESPONSE_BYTES ((ssize_t)(sizeof(RESPONSE) - 1))

/* Ends the program, naming the call that failed. */
static inline void die(const char *what) {
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, strerror(errno));
    exit(1);
}

static inline void usage(const char *arguments) {
    fprintf(stderr, "usage: %s %s\n", program_invocation_short_name, arguments);
    exit(2);
}

/* A number from the command line, within [low, high]. */
static inline long number(const char *text, long low, long high) {
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (errno || *end || end == text || value < low || value > high) {
        fprintf(stderr, "'%s' is not a number from %ld to %ld\n", text, low, high);
        exit(2);
    }
    return value;
}

/* Seconds on the monotonic clock. */
static inline double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline struct sockaddr_in loopback(int port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

static inline void set_option(int fd, int level, int name, int value) {
    if (setsockopt(fd, level, name, &value, sizeof value)) die("setsockopt");
}

/* Cubic, because with BBR (some machines' default) bulk over loopback halves. It may be absent. */
static inline void use_cubic(int fd) {
    (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
}

/* A non-blocking listening socket on 127.0.0.1, or on every address but of the loopback device alone. */
static inline int listen_on(int port, int every_address) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
    use_cubic(fd); /* accepted sockets inherit it */
    struct sockaddr_in address = loopback(port);
    if (every_address) {
        if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 2)) die("SO_BINDTODEVICE");
        address.sin_addr.s_addr = htonl(INADDR_ANY);
    }
    if (bind(fd, (struct sockaddr *)&address, sizeof address)) die("bind");
    if (listen(fd, 4096)) die("listen");
    return fd;
}

/* A connection to 127.0.0.1, made while blocking (at most 10 s), then left as `flags` say (0, SOCK_NONBLOCK). */
static inline int dial(int port, int flags) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) die("socket");
    use_cubic(fd);
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    struct timeval limit = {.tv_sec = 10};
    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit)) die("setsockopt");
    if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit)) die("setsockopt");
    struct sockaddr_in address = loopback(port);
    if (connect(fd, (struct sockaddr *)&address, sizeof address)) die("connect");
    if (flags && fcntl(fd, F_SETFL, O_NONBLOCK)) die("fcntl");
    return fd;
}

static inline void watch(int epoll, int fd, uint32_t events, void *owner) {
    struct epoll_event event = {.events = events, .data.ptr = owner};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event)) die("epoll_ctl");
}

#endif
