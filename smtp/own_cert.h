/*
 * own_cert.h - our certificate, for servers that ask for one
 * (smtp_tls_chain_files and its kin). The keys are with the role keys, which
 * is asked when the first server asks us, and again when certificates have
 * changed.
 */
#ifndef SMTP_OWN_CERT_H
#define SMTP_OWN_CERT_H

#include <openssl/types.h>

#include "conf/conf.h"
#include "sys/board.h"

struct own_cert;

/* Before OpenSSL is used. NULL where main.cf names none for that prefix, or
 * with a line in the log where there can be none. */
struct own_cert *own_cert_open(struct arena *life, const struct conf *conf,
                               const char *prefix);

/* Where changes are told; without it there are none. c may be NULL. */
void own_cert_watch(struct own_cert *c, const struct board *board);

/* Use it in a handshake. Where it cannot be had the log says so, and the server
 * sees none. */
void own_cert_use(void *own_cert, SSL *ssl);

#endif
