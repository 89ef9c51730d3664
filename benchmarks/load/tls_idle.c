/* Opens mutual TLS connections, makes one request on each, and then holds them without a byte.
 *
 *     tls_idle PORT CONNECTIONS LIFE_SECONDS CA CERTIFICATE KEY NAME
 *
 * Prints "ready" when all are open and answered; ends on SIGTERM or at the end of its life.
 */
#include "tls.h"

/* The request makes sure that the proxy has reached the origin and has used its buffers once. */
static void ask(SSL *tls) {
    char data[4096];
    if (SSL_do_handshake(tls) != 1) die_tls("handshake");
    if (SSL_write(tls, REQUEST, sizeof REQUEST - 1) != sizeof REQUEST - 1) die_tls("SSL_write");
    for (ssize_t received = 0; received < RESPONSE_BYTES;) {
        int got = SSL_read(tls, data, sizeof data);
        if (got <= 0) die_tls("SSL_read");
        received += got;
    }
}

int main(int argc, char **argv) {
    if (argc != 8) usage("PORT CONNECTIONS LIFE_SECONDS CA CERTIFICATE KEY NAME");
    int port = (int)number(argv[1], 1, 65535);
    long connections = number(argv[2], 1, 100000);
    alarm((unsigned)number(argv[3], 1, 3600));
    signal(SIGPIPE, SIG_IGN); /* libssl writes with write(2) */
    SSL_CTX *context = client_context((struct identity){argv[4], argv[5], argv[6], argv[7]});
    for (long i = 0; i < connections; i++) ask(client_over(context, dial(port, 0), argv[7]));
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
