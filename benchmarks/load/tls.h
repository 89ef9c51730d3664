/* What the loads that speak TLS share: a client's context and its connections, over the system's libssl.
 *
 * TLS 1.3 with AES-128-GCM-SHA256 and X25519 and nothing else, so that every proxy does the same work. The client
 * presents a certificate and verifies the server's, by authority and by name. As in net.h, a function either
 * succeeds or ends the program.
 */
#ifndef HOPMESH_BENCH_TLS_H
#define HOPMESH_BENCH_TLS_H

#include "net.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

/* Where the PEM files are, and the name that the server's certificate must carry. */
struct identity {
    const char *authority, *certificate, *key, *name;
};

/* Ends the program, naming the call that failed and what libssl says about it. */
static inline void die_tls(const char *what) {
    unsigned long code = ERR_peek_last_error();
    char text[256];
    ERR_error_string_n(code, text, sizeof text);
    fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what, code ? text : strerror(errno));
    exit(1);
}

static inline SSL_CTX *client_context(struct identity identity) {
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    if (!context) die_tls("SSL_CTX_new");
    if (!SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION)) die_tls("the protocol's version");
    if (!SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256")) die_tls("the cipher suite");
    if (!SSL_CTX_set1_groups_list(context, "X25519")) die_tls("the group");
    if (!SSL_CTX_load_verify_file(context, identity.authority)) die_tls(identity.authority);
    if (!SSL_CTX_use_certificate_chain_file(context, identity.certificate)) die_tls(identity.certificate);
    if (!SSL_CTX_use_PrivateKey_file(context, identity.key, SSL_FILETYPE_PEM)) die_tls(identity.key);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    return context;
}

/* The client's end over a connected socket, which stays the caller's to close. */
static inline SSL *client_over(SSL_CTX *context, int fd, const char *name) {
    SSL *tls = SSL_new(context);
    if (!tls || !SSL_set_fd(tls, fd)) die_tls("SSL_new");
    if (!SSL_set_tlsext_host_name(tls, name) || !SSL_set1_host(tls, name)) die_tls("the server's name");
    SSL_set_connect_state(tls);
    return tls;
}

#endif
