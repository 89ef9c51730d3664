/* The floor for HTTP/1.1: a proxy with one thread, epoll, pooled upstream connections, and not a single check.
 *
 *     http LISTEN_PORT ORIGIN_PORT
 *
 * It finds where a request's head ends, whether it asks for the connection's end, where an answer's head ends, and its
 * Content-Length; it rewrites nothing. It knows only what the benchmark's loads send and its origin answers: a head
 * in one piece, requests without a body, one at a time. Anything else ends the program, so that nobody measures it.
 *
 * The few system calls come from where relay.c says. An upstream connection is taken for one request, the most
 * recently used first, and given back with the last byte of its answer. One is made while blocking: on loopback the
 * kernel completes the handshake at once.
 */
#include "../load/net.h"

#define CLOSE_FIELD "\r\nConnection: close\r\n"
#define LENGTH_FIELD "\r\nContent-Length: "

enum { BUFFER_BYTES = 256 * 1024, BATCH = 16 };
enum { EDGES = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET };

struct side {
    int fd;
    struct side *peer; /* while a request is under way: its client, its upstream; NULL otherwise */
    struct side *next; /* in the pool, or among the dead */
    char *kept;        /* a client's: what it did not take yet; NULL when there is nothing */
    size_t kept_at, kept_end;
    size_t remaining; /* an upstream's: bytes of the answer still to come; 0 while its head is awaited */
    unsigned upstream : 1;
    unsigned readable : 1;    /* an edge said so, and no receive has shown otherwise */
    unsigned half_closed : 1; /* RDHUP was seen: receive until the end */
    unsigned last : 1;        /* a client's: it asked for the connection's end */
    unsigned dead : 1;        /* closed; freed after this batch of events */
};

static char buffer[BUFFER_BYTES];
static int epoll, origin_port;
static struct side *pool, *dead;

static void refuse(const char *what) {
    fprintf(stderr, "http: %s is beyond the floor\n", what);
    exit(1);
}

static struct side *side_of(int fd) {
    struct side *side = calloc(1, sizeof *side);
    if (!side) die("calloc");
    side->fd = fd;
    watch(epoll, fd, EDGES, side);
    return side;
}

static void bury(struct side *side) {
    close(side->fd);
    free(side->kept);
    side->kept = NULL;
    side->dead = 1;
    side->next = dead;
    dead = side;
}

/* Ends a request that cannot be completed, with both its connections; the client sees a reset. */
static void abandon(struct side *side) {
    struct side *client = side->upstream ? side->peer : side;
    if (side->peer) {
        struct linger abort = {.l_onoff = 1, .l_linger = 0};
        (void)setsockopt(client->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        bury(side->peer);
    } else if (side->upstream) {
        struct side **at = &pool;
        while (*at != side) at = &(*at)->next;
        *at = side->next;
    }
    bury(side);
}

static struct side *take_upstream(void) {
    struct side *upstream = pool;
    if (upstream) {
        pool = upstream->next;
    } else {
        upstream = side_of(dial(origin_port, SOCK_NONBLOCK));
        upstream->upstream = 1;
    }
    return upstream;
}

static void give_back(struct side *upstream) {
    upstream->peer = NULL;
    upstream->next = pool;
    pool = upstream;
}

/* Receives into the buffer; 0 when there is nothing to go on with, and the connections may be gone. */
static size_t receive(struct side *from) {
    ssize_t got = recv(from->fd, buffer, sizeof buffer, 0);
    if (got < 0 && errno == EAGAIN) from->readable = 0;
    if (got == 0 || (got < 0 && errno != EAGAIN)) abandon(from);
    if (got <= 0) return 0;
    if (got < BUFFER_BYTES && !from->half_closed) from->readable = 0;
    return (size_t)got;
}

/* Passes the next request of a client on, if it has come and the one before it is done. */
static void pass_request(struct side *client) {
    if (!client->readable || client->peer || client->kept) return;
    size_t size = receive(client);
    if (!size) return;
    if (memmem(buffer, size, "\r\n\r\n", 4) != buffer + size - 4) refuse("a request that is not one whole head");
    client->last = memmem(buffer, size, CLOSE_FIELD, sizeof CLOSE_FIELD - 1) != NULL;
    struct side *upstream = take_upstream();
    upstream->peer = client;
    client->peer = upstream;
    if (send(upstream->fd, buffer, size, MSG_NOSIGNAL) != (ssize_t)size) die("a request was not taken whole");
}

/* How long the answer is whose head the buffer begins with. */
static size_t answer_bytes(size_t size) {
    char *end = memmem(buffer, size, "\r\n\r\n", 4);
    char *length = end ? memmem(buffer, (size_t)(end - buffer), LENGTH_FIELD, sizeof LENGTH_FIELD - 1) : NULL;
    if (!length) refuse("an answer without a whole head and its Content-Length");
    return (size_t)(end + 4 - buffer) + strtoul(length + sizeof LENGTH_FIELD - 1, NULL, 10);
}

/* Sends what the buffer holds; keeps a copy of what the client does not take. Says whether the client is there. */
static int send_answer(struct side *client, size_t size) {
    ssize_t sent = send(client->fd, buffer, size, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return 0;
    if (sent < 0) sent = 0;
    client->kept_at = 0;
    client->kept_end = size - (size_t)sent;
    if (!client->kept_end) return 1;
    client->kept = malloc(client->kept_end);
    if (!client->kept) die("malloc");
    memcpy(client->kept, buffer + sent, client->kept_end);
    return 1;
}

/* After an answer has been sent whole: the connection's end, or the next request. */
static void go_on(struct side *client) {
    if (client->last) return bury(client);
    pass_request(client);
}

/* Passes on what has come of an answer. */
static void pass_answer(struct side *upstream) {
    struct side *client = upstream->peer;
    while (upstream->readable && !client->kept) {
        size_t size = receive(upstream);
        if (!size) return;
        if (!upstream->remaining) upstream->remaining = answer_bytes(size);
        if (size > upstream->remaining) refuse("an answer with more behind it");
        upstream->remaining -= size;
        if (!send_answer(client, size)) return abandon(client);
        if (!upstream->remaining) {
            client->peer = NULL;
            give_back(upstream);
            if (!client->kept) go_on(client);
            return;
        }
        if (size == BUFFER_BYTES && !client->kept) {
            /* epoll is to report it again: other connections get their turn between two full buffers. */
            struct epoll_event event = {.events = EDGES, .data.ptr = upstream};
            if (epoll_ctl(epoll, EPOLL_CTL_MOD, upstream->fd, &event)) die("epoll_ctl");
            return;
        }
    }
}

/* Sends what was kept for a client that can be written again. */
static void flush(struct side *client) {
    ssize_t sent = send(client->fd, client->kept + client->kept_at, client->kept_end - client->kept_at, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return abandon(client);
    if (sent > 0) client->kept_at += (size_t)sent;
    if (client->kept_at < client->kept_end) return;
    free(client->kept);
    client->kept = NULL;
    if (client->peer) {
        pass_answer(client->peer);
    } else {
        go_on(client);
    }
}

static void handle(struct side *side, uint32_t events) {
    if (side->dead) return;
    if (events & EPOLLERR) return abandon(side);
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) side->readable = 1;
    if (events & (EPOLLRDHUP | EPOLLHUP)) side->half_closed = 1;
    if (!side->upstream) {
        if (side->kept && events & EPOLLOUT) return flush(side);
        pass_request(side);
    } else if (side->peer) {
        pass_answer(side);
    } else if (side->half_closed) {
        abandon(side);
    }
}

/* Takes one waiting connection. The listener is level-triggered. */
static void accept_one(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN || errno == ECONNABORTED) return;
        die("accept"); /* out of descriptors: a benchmark must not go on and measure that */
    }
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    (void)side_of(fd);
}

int main(int argc, char **argv) {
    if (argc != 3) usage("LISTEN_PORT ORIGIN_PORT");
    int listener = listen_on((int)number(argv[1], 1, 65535), 0);
    origin_port = (int)number(argv[2], 1, 65535);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) die("epoll_create1");
    watch(epoll, listener, EPOLLIN, NULL);
    struct epoll_event events[BATCH];
    for (;;) {
        int count = epoll_wait(epoll, events, BATCH, -1);
        if (count < 0 && errno != EINTR) die("epoll_wait");
        for (int i = 0; i < count; i++) {
            struct side *side = events[i].data.ptr;
            if (side) {
                handle(side, events[i].events);
            } else {
                accept_one(listener);
            }
        }
        while (dead) {
            struct side *gone = dead;
            dead = gone->next;
            free(gone);
        }
    }
}
