/*
 * client_cache.h - sessions to go on with, in the memory of one process.
 */
#ifndef TLS_CLIENT_CACHE_H
#define TLS_CLIENT_CACHE_H

#include <openssl/ssl.h>

#include "base/arena.h"

/* What is known of a session. A session that is gone on with shows no
 * certificate chain again, so what came of it is kept. */
struct client_entry {
    struct str key; /* server and demand */
    bool met;       /* the demand; else the session is not kept */
    bool trusted, verified;
    int64_t until; /* io_now: then the certificate is looked at again, however
                      often sessions were gone on with; 0: not known yet */
};

struct client_cache;

struct client_cache *client_cache_new(struct arena *life, int64_t ms);

/* Keep it for that key, in the place of an earlier one. */
void client_cache_put(struct client_cache *c, const struct client_entry *e,
                      SSL_SESSION *session);
/* Go on with what is kept for e->key, if there is something; fills in e. */
void client_cache_resume(struct client_cache *c, struct client_entry *e,
                         SSL *ssl);
/* The server's certificate has been judged since the session came. */
void client_cache_judged(struct client_cache *c, const struct client_entry *e);

#endif
