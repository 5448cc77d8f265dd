/*
 * keys.h - the role keys, as those see it who shake hands: certificates, and
 * signatures for OpenSSL (tls/provider.h).
 *
 * One connection a process, to private/keys; it is made anew when it breaks.
 */
#ifndef DAEMON_KEYS_H
#define DAEMON_KEYS_H

#include <openssl/types.h>

#include "base/arena.h"
#include "base/vec.h"
#include "base/why.h"
#include "conf/conf.h"

/* The most that an answer's certificates come to. */
#define KEYS_CHAINS_MAX ((size_t)60000)

/* How long an answer may take. */
#define KEYS_WAIT_MS 10000

/* A key that signs there, its own certificate first, those above it. */
struct keys_chain {
    EVP_PKEY *key;
    VEC(X509 *) certs;
};

struct keys_chains {
    VEC(struct keys_chain) list;
    uint64_t sum; /* of the whole answer, for keys_same */
};

/* Before OpenSSL is used; nothing is asked yet. The second call is OK. */
enum rc keys_start(const struct conf *conf, struct why *why) MUST_USE;

/*
 * The chains of an identity (conf/identity.h) or, with a name, what
 * tls_server_sni_maps has for it; none if there are none. TEMP 4.7.0 where
 * keys does not answer, or has trouble.
 */
enum rc keys_find(struct str identity, struct str name,
                  struct keys_chains *chains, struct why *why) MUST_USE;
void keys_chains_free(struct keys_chains *chains);

/*
 * Will whoever signs for this process know the keys that an answer with this
 * sum was about? Asked where the connection is new: it may lead to another
 * worker of keys, with other files. True where it does not answer, too.
 */
bool keys_same(struct str identity, uint64_t sum);

/* Use them in a context, or in a session. False: why. */
bool keys_use(SSL_CTX *ctx, const struct keys_chains *chains, struct why *why);
bool keys_use_once(SSL *ssl, const struct keys_chains *chains, struct why *why);

/* Ask whoever answers now: certificates have changed. Also in a child process
 * that must not share its parent's connection. */
void keys_reconnect(void);

#endif
