/* A new mutual TLS connection for each request: connect, shake hands, ask, read to the end, close; a number of
 * them at a time.
 *
 *     tls_connect PORT full|resumed CONCURRENCY SECONDS CA CERTIFICATE KEY NAME
 *
 * "resumed" offers in each connection the newest ticket of the one before it. Prints one JSON object: how many
 * connections, how many of them the server resumed, how many tickets came, how many streams ended without
 * close_notify, and the p50 and p99 of one connection's life in microseconds.
 */
#include "tls.h"

enum { MOST_SAMPLES = 1 << 20, BATCH = 64 };

struct attempt {
    int fd;
    double begun;
    ssize_t received;
    int asked;
    SSL *tls;
    SSL_SESSION *ticket; /* the newest one; NULL when there is none, or none is wanted */
};

static int epoll, port, resume;
static SSL_CTX *context;
static const char *name;
static float *samples; /* microseconds */
static long count, resumed, tickets, cut;

/* libssl hands a ticket over with its first reference, which is ours when this returns 1. */
static int on_ticket(SSL *tls, SSL_SESSION *ticket) {
    struct attempt *attempt = SSL_get_app_data(tls);
    tickets++;
    if (!resume) return 0;
    SSL_SESSION_free(attempt->ticket);
    attempt->ticket = ticket;
    return 1;
}

/* Says whether the call that returned `result` waits for bytes. What we send is small: libssl never waits to send. */
static int waits(struct attempt *attempt, int result) {
    return SSL_get_error(attempt->tls, result) == SSL_ERROR_WANT_READ;
}

/* Shakes hands and, once that is done, asks. */
static void ask(struct attempt *attempt) {
    ERR_clear_error();
    int result = SSL_do_handshake(attempt->tls);
    if (result != 1) {
        if (!waits(attempt, result)) die_tls("handshake");
        return;
    }
    if (SSL_write(attempt->tls, REQUEST, sizeof REQUEST - 1) != sizeof REQUEST - 1) die_tls("SSL_write");
    attempt->asked = 1;
    resumed += SSL_session_reused(attempt->tls);
}

static void begin(struct attempt *attempt) {
    attempt->begun = now();
    attempt->received = attempt->asked = 0;
    attempt->fd = dial(port, SOCK_NONBLOCK);
    attempt->tls = client_over(context, attempt->fd, name);
    SSL_set_app_data(attempt->tls, attempt);
    if (attempt->ticket && !SSL_set_session(attempt->tls, attempt->ticket)) die_tls("SSL_set_session");
    watch(epoll, attempt->fd, EPOLLIN, attempt);
    ask(attempt);
}

/* Reads; says whether the answer has ended, whole. */
static int finished(struct attempt *attempt) {
    char data[4096];
    int got;
    ERR_clear_error();
    while ((got = SSL_read(attempt->tls, data, sizeof data)) > 0) attempt->received += got;
    if (waits(attempt, got)) return 0;
    if (attempt->received != RESPONSE_BYTES) {
        fprintf(stderr, "tls_connect: an answer has %zd bytes, not %zd; ", attempt->received, RESPONSE_BYTES);
        die_tls("SSL_read");
    }
    cut += !(SSL_get_shutdown(attempt->tls) & SSL_RECEIVED_SHUTDOWN);
    return 1;
}

/* The peer has said that it ends: so do we, for half a goodbye is what a proxy would wait for. */
static void end(struct attempt *attempt) {
    (void)SSL_shutdown(attempt->tls);
    /* Without this, libssl holds a session whose connection did not end in peace for bad. */
    SSL_set_shutdown(attempt->tls, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(attempt->tls);
    close(attempt->fd);
    samples[count++] = (float)((now() - attempt->begun) * 1e6);
}

static int by_value(const void *left, const void *right) {
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

int main(int argc, char **argv) {
    if (argc != 9) usage("PORT full|resumed CONCURRENCY SECONDS CA CERTIFICATE KEY NAME");
    port = (int)number(argv[1], 1, 65535);
    resume = !strcmp(argv[2], "resumed");
    long concurrency = number(argv[3], 1, 1000), seconds = number(argv[4], 1, 3600);
    name = argv[8];
    alarm((unsigned)seconds + 10);
    signal(SIGPIPE, SIG_IGN); /* libssl writes with write(2) */
    context = client_context((struct identity){argv[5], argv[6], argv[7], name});
    /* The callback is how tickets come; kept in libssl's own cache they would only be looked for in vain. */
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(context, on_ticket);
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
            if (!attempt->asked) {
                ask(attempt);
            } else if (finished(attempt)) {
                end(attempt);
                begin(attempt);
            }
        }
    }
    if (!count) {
        fprintf(stderr, "tls_connect: not one answer in %ld s\n", seconds);
        return 1;
    }
    qsort(samples, (size_t)count, sizeof *samples, by_value);
    printf("{\"connections\": %ld, \"resumed\": %ld, \"tickets\": %ld, \"cut\": %ld, \"p50_us\": %.1f, "
           "\"p99_us\": %.1f}\n",
           count, resumed, tickets, cut, samples[count / 2], samples[(long)((double)count * 0.99)]);
    return 0;
}
