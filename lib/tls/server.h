/*
 * server.h - the server's side of TLS: contexts for sessions of clients.
 *
 * What takes files (authorities, Diffie-Hellman parameters) is read once,
 * with the rights a program starts with; contexts are made of it later, and
 * again whenever certificates have changed. A session keeps the context it
 * began with.
 */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include "sys/board.h"
#include "tls/options.h"
#include "tls/session.h"

enum tls_name_result {
    TLS_NAME_UNKNOWN, /* the certificates that everybody gets */
    TLS_NAME_DONE,    /* the session has been given those of the name */
    TLS_NAME_FAILED,  /* end the handshake */
};

struct tls_server_options {
    struct tls_protocols protocols;
    const char *ciphers; /* the library's list, TLS 1.2 and below */
    bool own_order;      /* ciphers in our order, not the client's */
    const char *groups;  /* "X25519 prime256v1"; unknown ones are left out;
                            "": no elliptic curves */
    const char *dh_file; /* "", "auto": parameters by the key's size */
    uint64_t options;    /* SSL_OP_ bits more */
    uint64_t not_options;

    bool ask_client;               /* for a certificate; it may have none */
    const char *ca_file, *ca_path; /* "": none */
    bool system_cas;
    int depth;

    const char *sessions;      /* tickets of others than this are not taken */
    const struct board *board; /* where ticket keys are; NULL: no tickets */
    int64_t ticket_life;       /* ms */
    const char *alpn; /* the one protocol that clients may ask for: others are
                         refused (ALPACA; RFC 9325 3.7). NULL: none is looked
                         at */

    /* A client asks for this name, in lower case; NULL: never asked. */
    enum tls_name_result (*name)(void *own, SSL *ssl, struct str name);
    void *own;
};

/* Files that are read once. */
struct tls_server_files;
enum rc tls_server_read(struct arena *life, const struct tls_server_options *o,
                        struct tls_server_files **files,
                        struct why *why) MUST_USE;

/* A context without certificates yet; the options live as long as it does.
 * NULL with why. */
SSL_CTX *tls_server_context(const struct tls_server_options *o,
                            const struct tls_server_files *files,
                            struct why *why);

/* A session of it, for tls_start or tls_new. */
SSL *tls_server_session(SSL_CTX *ctx);

/* The name that a client asked for and was given certificates of; "" else. */
const char *tls_server_name(const SSL *ssl);

/* tls_ssl_options and tls_disable_workarounds: names, or a number of bits.
 * TEMP 4.3.5 for what is none. */
enum rc tls_bits_parse(const char *what, struct str text, uint64_t *bits,
                       struct why *why) MUST_USE;

#endif
