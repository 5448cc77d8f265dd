#include "tls/client_cache.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "sys/io.h"

/* Full, it starts anew. */
#define ENTRIES_MAX 500

struct kept {
    SSL_SESSION *session;
    struct client_entry entry; /* but for its key */
};

struct client_cache {
    struct hash *table;
    int64_t life;
};

struct client_cache *
client_cache_new(struct arena *life, int64_t ms)
{
    struct client_cache *c = arena_make(life, struct client_cache);

    c->table = hash_new();
    c->life = ms;
    return c;
}

static void
forget(struct kept *k)
{
    if (k)
        SSL_SESSION_free(k->session);
    free(k);
}

static void
forget_all(struct client_cache *c)
{
    size_t at = 0;
    void *value;

    while (hash_next(c->table, &at, NULL, &value))
        forget(value);
    hash_free(c->table);
    c->table = hash_new();
}

void
client_cache_put(struct client_cache *c, const struct client_entry *e,
                 SSL_SESSION *session)
{
    struct kept *k = calloc(1, sizeof *k);

    if (k == NULL)
        log_fatal("out of memory for a TLS session");
    if (hash_count(c->table) >= ENTRIES_MAX)
        forget_all(c);
    SSL_SESSION_up_ref(session);
    k->session = session;
    k->entry = *e;
    if (k->entry.until == 0)
        k->entry.until = io_now() + c->life;
    void **place = hash_put(c->table, e->key);

    forget(*place);
    *place = k;
}

void
client_cache_resume(struct client_cache *c, struct client_entry *e, SSL *ssl)
{
    struct kept *k = hash_get(c->table, e->key);

    if (k == NULL)
        return;
    if (!k->entry.met || k->entry.until < io_now() ||
        !SSL_SESSION_is_resumable(k->session)) {
        forget(hash_del(c->table, e->key));
        return;
    }
    SSL_set_session(ssl, k->session);
    k->entry.key = e->key;
    *e = k->entry;
}

void
client_cache_judged(struct client_cache *c, const struct client_entry *e)
{
    struct kept *k = hash_get(c->table, e->key);

    if (k == NULL)
        return;
    k->entry.met = e->met;
    k->entry.trusted = e->trusted;
    k->entry.verified = e->verified;
}
