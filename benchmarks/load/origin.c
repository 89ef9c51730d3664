/* The origin behind every proxy, and the one who counts.
 *
 *     origin PORT one|every MODE COUNTERS_FILE LIFE_SECONDS
 *
 * It listens on one address, 127.0.0.1, or on every address of the loopback device.
 *
 * Modes:
 *   http    answers each request of a keep-alive connection with 100 bytes; idle connections are simply held
 *   close   answers the first request and closes
 *   bodies  answers each request of a keep-alive connection with a large body
 *   source  sends to each connection as fast as it is taken
 *   sink    receives and discards
 *
 * COUNTERS_FILE is mapped into memory and holds four native 64-bit numbers, which the harness reads while the
 * load runs: requests answered, connections accepted, connections open, bytes sent or received as bulk.
 */
#include "http.h"

#include <sys/mman.h>

#define LARGE_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n"

enum mode { HTTP, CLOSE, BODIES, SOURCE, SINK };
enum { BULK_BYTES = 256 * 1024, RECEIVE_BYTES = 16 * 1024, BATCH = 64, MOST_PIPELINED = 64 };

struct counters {
    volatile uint64_t requests, accepted, open, bytes;
};

struct connection {
    int fd;
    int matched; /* how many bytes of the "\r\n\r\n" that ends a request have been seen */
    size_t left; /* of a large body, to be sent */
};

static enum mode mode;
static struct counters *counters;
static int epoll;
static char bulk[BULK_BYTES], answers[MOST_PIPELINED * RESPONSE_BYTES];

static struct counters *map_counters(const char *path) {
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) die(path);
    if (ftruncate(fd, sizeof(struct counters))) die("ftruncate");
    void *memory = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) die("mmap");
    close(fd);
    return memory;
}

static enum mode mode_named(const char *name) {
    static const char *const names[] = {"http", "close", "bodies", "source", "sink"};
    for (int i = 0; i < 5; i++)
        if (!strcmp(name, names[i])) return (enum mode)i;
    fprintf(stderr, "origin: mode '%s' is none of http, close, bodies, source, sink\n", name);
    exit(2);
}

static void end(struct connection *connection) {
    close(connection->fd);
    free(connection);
    counters->open--;
}

static void accept_one(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN || errno == ECONNABORTED) return;
        die("accept");
    }
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    struct connection *connection = calloc(1, sizeof *connection);
    if (!connection) die("calloc");
    connection->fd = fd;
    counters->accepted++;
    counters->open++;
    watch(epoll, fd, (mode == SOURCE ? EPOLLOUT : EPOLLIN) | EPOLLRDHUP, connection);
}

/* How many requests end in these bytes; the state carries over to the next receive. */
static int requests_in(struct connection *connection, const char *data, ssize_t size) {
    int count = 0, matched = connection->matched;
    for (ssize_t i = 0; i < size; i++) {
        if (data[i] == "\r\n\r\n"[matched]) {
            if (++matched == 4) {
                matched = 0;
                count++;
            }
        } else {
            matched = data[i] == '\r';
        }
    }
    connection->matched = matched;
    return count;
}

/* One receive, one send. Answers are small and clients wait for them: a short send is a broken set-up. */
static void serve(struct connection *connection) {
    char data[RECEIVE_BYTES];
    ssize_t got = recv(connection->fd, data, sizeof data, 0);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return end(connection);
    int count = requests_in(connection, data, got);
    if (!count) return;
    if (count > MOST_PIPELINED) count = MOST_PIPELINED;
    ssize_t sent = send(connection->fd, answers, (size_t)(count * RESPONSE_BYTES), MSG_NOSIGNAL);
    if (sent < 0) return end(connection);
    if (sent != count * RESPONSE_BYTES) die("answer not taken whole");
    counters->requests += (uint64_t)count;
    if (mode == CLOSE) end(connection);
}

static void pour(struct connection *connection, uint32_t events) {
    ssize_t sent = send(connection->fd, bulk, sizeof bulk, MSG_NOSIGNAL);
    if ((sent < 0 && errno != EAGAIN) || events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) return end(connection);
    if (sent > 0) counters->bytes += (uint64_t)sent;
}

/* Waits for room while a body is to be sent, and for a request otherwise. */
static void await(struct connection *connection) {
    uint32_t events = (connection->left ? EPOLLOUT : EPOLLIN) | EPOLLRDHUP;
    struct epoll_event event = {.events = events, .data.ptr = connection};
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, connection->fd, &event)) die("epoll_ctl");
}

/* One receive, or one send of a piece of the body. */
static void serve_body(struct connection *connection) {
    char data[RECEIVE_BYTES];
    if (!connection->left) {
        ssize_t got = recv(connection->fd, data, sizeof data, 0);
        if (got < 0 && errno == EAGAIN) return;
        if (got <= 0) return end(connection);
        if (!requests_in(connection, data, got)) return;
        int size = snprintf(data, sizeof data, LARGE_HEAD, LARGE_BODY_BYTES);
        if (send(connection->fd, data, (size_t)size, MSG_NOSIGNAL | MSG_MORE) != size) return end(connection);
        connection->left = LARGE_BODY_BYTES;
        counters->requests++;
        return await(connection);
    }
    size_t piece = connection->left < BULK_BYTES ? connection->left : BULK_BYTES;
    ssize_t sent = send(connection->fd, bulk, piece, MSG_NOSIGNAL);
    if (sent < 0 && errno == EAGAIN) return;
    if (sent < 0) return end(connection);
    counters->bytes += (uint64_t)sent;
    connection->left -= (size_t)sent;
    if (!connection->left) await(connection);
}

/* MSG_TRUNC discards in the kernel, so that the origin does not become the bottleneck. */
static void drain(struct connection *connection) {
    ssize_t got = recv(connection->fd, NULL, 1 << 20, MSG_TRUNC);
    if (got < 0 && errno == EAGAIN) return;
    if (got <= 0) return end(connection);
    counters->bytes += (uint64_t)got;
}

int main(int argc, char **argv) {
    if (argc != 6) usage("PORT one|every http|close|bodies|source|sink COUNTERS_FILE LIFE_SECONDS");
    int listener = listen_on((int)number(argv[1], 1, 65535), !strcmp(argv[2], "every"));
    mode = mode_named(argv[3]);
    counters = map_counters(argv[4]);
    alarm((unsigned)number(argv[5], 1, 3600));
    for (int i = 0; i < MOST_PIPELINED; i++) memcpy(answers + i * RESPONSE_BYTES, RESPONSE, RESPONSE_BYTES);

    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    watch(epoll, listener, EPOLLIN, NULL);
    struct epoll_event events[BATCH];
    for (;;) {
        int count = epoll_wait(epoll, events, BATCH, -1);
        if (count < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;
            if (!connection) {
                accept_one(listener);
            } else if (mode == SOURCE) {
                pour(connection, events[i].events);
            } else if (mode == SINK) {
                drain(connection);
            } else if (mode == BODIES) {
                serve_body(connection);
            } else {
                serve(connection);
            }
        }
    }
}
