/* Three ways from a socket to OpenSSL and back, over one table of OpenSSL's functions so that any library can be
 * measured: records read and written by OpenSSL itself (descriptor), one large receive copied into a memory BIO
 * (copied), one large receive read where it is (borrowed). CPU time of both ends, on one thread.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DESCRIPTOR, COPIED, BORROWED };
enum { ROOM = 1 << 18, RECORD = 16384 };

/* The order is that of FUNCTIONS in __main__.py. */
struct library {
    void *(*SSL_new)(void *);
    void (*SSL_free)(void *);
    int (*SSL_set_fd)(void *, int);
    void (*SSL_set_bio)(void *, void *, void *);
    void (*SSL_set_accept_state)(void *);
    void (*SSL_set_connect_state)(void *);
    int (*SSL_do_handshake)(void *);
    int (*SSL_read)(void *, void *, int);
    int (*SSL_write)(void *, const void *, int);
    void *(*BIO_new)(const void *);
    const void *(*BIO_s_mem)(void);
    void *(*BIO_new_mem_buf)(const void *, int);
    int (*BIO_read)(void *, void *, int);
    int (*BIO_write)(void *, const void *, int);
};

struct end {
    void *ssl, *input, *output;
    int fd;
};

static uint8_t plain[ROOM], wire[ROOM + ROOM / 8];

static double now(clockid_t clock) {
    struct timespec at;
    clock_gettime(clock, &at);
    return at.tv_sec * 1e6 + at.tv_nsec / 1e3;
}

static int shake(const struct library *ssl, struct end *client, struct end *server) {
    for (int round = 0; round < 10; round++) {
        int one = ssl->SSL_do_handshake(client->ssl), other = ssl->SSL_do_handshake(server->ssl);
        if (one == 1 && other == 1) return 0;
    }
    return -1;
}

static void use_memory(const struct library *ssl, struct end *end) {
    end->input = ssl->BIO_new(ssl->BIO_s_mem());
    end->output = ssl->BIO_new(ssl->BIO_s_mem());
    ssl->SSL_set_bio(end->ssl, end->input, end->output);
}

static int put(const struct library *ssl, struct end *end, int way, int size) {
    int filled = 0;
    for (int done = 0; done < size;) {
        int piece = size - done < RECORD ? size - done : RECORD;
        if (ssl->SSL_write(end->ssl, plain, piece) != piece) return -1;
        done += piece;
        if (way != DESCRIPTOR) filled += ssl->BIO_read(end->output, wire + filled, sizeof wire - filled);
    }
    return way == DESCRIPTOR || send(end->fd, wire, filled, MSG_NOSIGNAL) == filled ? 0 : -1;
}

static int get(const struct library *ssl, struct end *end, int way, int size) {
    int read = 0;
    while (read < size) {
        if (way != DESCRIPTOR) {
            int received = recv(end->fd, wire, sizeof wire, 0);
            if (received <= 0) return -1;
            if (way == COPIED) {
                if (ssl->BIO_write(end->input, wire, received) != received) return -1;
            } else {
                end->input = ssl->BIO_new_mem_buf(wire, received);
                ssl->SSL_set_bio(end->ssl, end->input, end->output);
            }
        }
        int more = ssl->SSL_read(end->ssl, plain, sizeof plain);
        if (more <= 0) return -1;
        for (; more > 0 && (read += more) < size;) more = ssl->SSL_read(end->ssl, plain, sizeof plain);
    }
    return 0;
}

/* Mean CPU microseconds of writing `size` bytes and reading them at the other end; negative on failure. */
double way_cost(const struct library *ssl, void *client_context, void *server_context, int way, int size, int rounds) {
    struct end client = {0}, server = {0};
    int pair[2], room = 4 << 20;
    double cost = -1;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair)) return -1;
    for (int i = 0; i < 2; i++) {
        fcntl(pair[i], F_SETFL, O_NONBLOCK);
        setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }
    client.fd = pair[0], server.fd = pair[1];
    client.ssl = ssl->SSL_new(client_context), server.ssl = ssl->SSL_new(server_context);
    ssl->SSL_set_connect_state(client.ssl), ssl->SSL_set_accept_state(server.ssl);
    ssl->SSL_set_fd(client.ssl, client.fd), ssl->SSL_set_fd(server.ssl, server.fd);
    if (!shake(ssl, &client, &server)) {
        if (way != DESCRIPTOR) use_memory(ssl, &client), use_memory(ssl, &server);
        double begun = now(CLOCK_THREAD_CPUTIME_ID);
        int round = 0;
        /* From the client: the server's tickets, which nobody reads here, wait in the other direction. */
        while (round < rounds && !put(ssl, &client, way, size) && !get(ssl, &server, way, size)) round++;
        if (round == rounds) cost = (now(CLOCK_THREAD_CPUTIME_ID) - begun) / rounds;
    }
    ssl->SSL_free(client.ssl), ssl->SSL_free(server.ssl);
    close(pair[0]), close(pair[1]);
    return cost;
}

/* Mean CPU microseconds of a handshake, both ends. */
double handshake_cost(const struct library *ssl, void *client_context, void *server_context, int rounds) {
    double begun = now(CLOCK_THREAD_CPUTIME_ID);
    for (int round = 0; round < rounds; round++)
        if (way_cost(ssl, client_context, server_context, DESCRIPTOR, 1, 1) < 0) return -1;
    return (now(CLOCK_THREAD_CPUTIME_ID) - begun) / rounds;
}
