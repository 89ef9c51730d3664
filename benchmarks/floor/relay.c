/* The floor: a TCP relay with one thread, epoll, and not a single feature.
 *
 *     relay LISTEN_PORT ORIGIN_PORT [ADDRESSES]
 *
 * It dials the origin at 127.0.0.1, or at one of so many addresses from 127.1.0.1 on, drawn at random.
 *
 * It says what a relay must cost on this machine, so it is as cheap as we can make it while it stays
 * correct: half-closes stay half-closes, resets arrive as resets, a slow reader stops the reading on the
 * other side. It has no splice: recv and send are its floor for bulk too.
 *
 * Where the few system calls come from:
 *  - Each socket is registered once, edge-triggered, for IN, OUT and RDHUP; epoll_ctl is not called again,
 *    except after a receive that filled the whole buffer (once per 256 KiB of bulk).
 *  - A receive that returns less than it asked for has emptied the socket, so no second one is made to learn
 *    that; unless the other end has half-closed (RDHUP), since no edge will come for the end of the stream.
 *  - What was received is sent at once from the one shared buffer. Only what the kernel refused is copied.
 */
#include "../load/net.h"

enum { BUFFER_BYTES = 256 * 1024, BATCH = 16, FIRST_ADDRESS = 0x7f010001 };

/* One socket of a relayed connection; two of them lie side by side and are freed together. */
struct side {
    int fd;
    struct side *peer;
    char *left; /* what could not be sent to this socket yet; NULL when there is nothing */
    size_t left_at, left_end;
    unsigned readable : 1;    /* an edge said so, and no receive has shown otherwise */
    unsigned writable : 1;    /* likewise; false until the connection is made */
    unsigned half_closed : 1; /* RDHUP was seen: receive until the end */
    unsigned ended : 1;       /* the end of its stream was received */
    unsigned shut : 1;        /* the end of the stream was sent to it */
    unsigned second : 1;      /* the upper of the pair in memory */
    unsigned dead : 1;        /* closed; freed after this batch of events */
};

static char buffer[BUFFER_BYTES];
static int epoll, origin_port, addresses;
static struct side *graveyard[BATCH];
static int graves;

/* Closes both sockets. Memory waits for the end of the batch, where another event may still point to it. */
static void bury(struct side *side, int reset) {
    struct side *pair[2] = {side, side->peer};
    for (int i = 0; i < 2; i++) {
        struct linger abort = {.l_onoff = 1, .l_linger = 0};
        if (reset) (void)setsockopt(pair[i]->fd, SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
        close(pair[i]->fd);
        free(pair[i]->left);
        pair[i]->left = NULL;
        pair[i]->dead = 1;
    }
    graveyard[graves++] = side->second ? side->peer : side;
}

/* Passes the end of a stream on; closes the connection when both directions have ended. */
static void pass_end(struct side *to) {
    if (shutdown(to->fd, SHUT_WR)) return bury(to, 1);
    to->shut = 1;
    if (to->peer->shut) bury(to, 0);
}

/* Keeps a copy of what `to` did not take. */
static void keep(struct side *to, const char *data, size_t size) {
    to->left = malloc(size);
    if (!to->left) die("malloc");
    memcpy(to->left, data, size);
    to->left_at = 0;
    to->left_end = size;
    to->writable = 0;
}

/* Sends what was kept for `to`, once it can be written again. */
static void flush(struct side *to) {
    ssize_t sent = send(to->fd, to->left + to->left_at, to->left_end - to->left_at, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN) return bury(to, 1);
    if (sent > 0) to->left_at += (size_t)sent;
    if (to->left_at < to->left_end) {
        to->writable = 0;
        return;
    }
    free(to->left);
    to->left = NULL;
}

/* Asks epoll to report again what it finds: other connections get their turn between two full buffers. */
static void yield(struct side *side) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, .data.ptr = side};
    if (epoll_ctl(epoll, EPOLL_CTL_MOD, side->fd, &event)) die("epoll_ctl");
}

/* Moves what has arrived at `from` to its peer: one receive, one send, except towards the end of a stream. */
static void pump(struct side *from) {
    struct side *to = from->peer;
    while (from->readable && to->writable) {
        ssize_t got = recv(from->fd, buffer, sizeof buffer, 0);
        if (got < 0 && errno != EAGAIN) return bury(from, 1);
        if (got <= 0) {
            from->readable = 0;
            if (got == 0) {
                from->ended = 1;
                pass_end(to);
            }
            return;
        }
        ssize_t sent = send(to->fd, buffer, (size_t)got, MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) return bury(from, 1);
        if (sent < 0) sent = 0;
        if (sent < got) keep(to, buffer + sent, (size_t)(got - sent));
        if (from->half_closed) continue;
        if (got < BUFFER_BYTES) {
            from->readable = 0;
        } else if (to->writable) {
            return yield(from);
        }
    }
}

static void handle(struct side *side, uint32_t events) {
    if (side->dead) return;
    if (events & EPOLLERR) return bury(side, 1);
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP)) side->readable = 1;
    if (events & (EPOLLRDHUP | EPOLLHUP)) side->half_closed = 1;
    if (events & EPOLLOUT) {
        side->writable = 1;
        if (side->left) flush(side);
        if (!side->dead && side->peer->readable && !side->peer->ended) pump(side->peer);
    }
    if (!side->dead && !side->ended) pump(side);
}

/* Takes one waiting connection and dials the origin for it. The listener is level-triggered. */
static void accept_one(int listener) {
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EAGAIN || errno == ECONNABORTED) return;
        die("accept"); /* out of descriptors: a benchmark must not go on and measure that */
    }
    int upstream = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (upstream < 0) die("socket");
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(upstream, IPPROTO_TCP, TCP_NODELAY, 1);
    use_cubic(upstream);
    struct sockaddr_in address = loopback(origin_port);
    if (addresses) address.sin_addr.s_addr = htonl(FIRST_ADDRESS + (uint32_t)(random() % addresses));
    int failed = connect(upstream, (struct sockaddr *)&address, sizeof address);
    if (failed && errno != EINPROGRESS) die("connect");

    struct side *pair = calloc(2, sizeof *pair);
    if (!pair) die("calloc");
    pair[0].fd = fd;
    pair[0].peer = &pair[1];
    pair[1].fd = upstream;
    pair[1].peer = &pair[0];
    pair[1].second = 1;
    watch(epoll, upstream, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair[1]);
    watch(epoll, fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &pair[0]);
}

int main(int argc, char **argv) {
    if (argc != 3 && argc != 4) usage("LISTEN_PORT ORIGIN_PORT [ADDRESSES]");
    int listener = listen_on((int)number(argv[1], 1, 65535), 0);
    origin_port = (int)number(argv[2], 1, 65535);
    if (argc == 4) addresses = (int)number(argv[3], 1, 60000);
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
        while (graves) free(graveyard[--graves]);
    }
}
