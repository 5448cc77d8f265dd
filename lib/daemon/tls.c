#include "daemon/tls.h"

#include <openssl/ssl.h>
#include <stdlib.h>

#include "base/hash.h"
#include "base/log.h"
#include "daemon/keys.h"
#include "sys/io.h"

#define RETRY_MS  1000
#define NAMES_MAX 200  /* names whose certificates are kept */
#define NAMES_MS  2000 /* and for how long, before keys is asked again */

struct daemon_tls {
    struct daemon *daemon;
    struct tls_server_options options;
    struct tls_server_files *files;
    struct str identity;
    SSL_CTX *ctx;        /* NULL: not made, or not to be had */
    uint32_t generation; /* of ctx */
    uint64_t sum;        /* of its certificates */
    int64_t retry_at;    /* io_now: not before */
    struct hash *names;  /* of struct named, this generation's */
};

/* ---- names */

struct named {
    struct keys_chains chains;
    int64_t until; /* io_now */
};

static void
forget(struct named *n)
{
    keys_chains_free(&n->chains);
    free(n);
}

static void
forget_names(struct daemon_tls *t)
{
    size_t pos = 0;
    void *value;

    while (hash_next(t->names, &pos, NULL, &value))
        forget(value);
    hash_free(t->names);
    t->names = hash_new();
}

static struct keys_chains *
find_name(struct daemon_tls *t, struct str name)
{
    struct named *n = hash_get(t->names, name);
    struct why why;

    if (n && io_now() < n->until)
        return &n->chains;
    if (n)
        forget(hash_del(t->names, name));
    if (hash_count(t->names) >= NAMES_MAX)
        forget_names(t);
    n = calloc(1, sizeof *n);
    must(n);
    if (keys_find(t->identity, name, &n->chains, &why) != OK) {
        log_warn("certificate for %.*s: %s", STR(name), why.text);
        free(n);
        return NULL;
    }
    n->until = io_now() + NAMES_MS;
    *hash_put(t->names, name) = n;
    return &n->chains;
}

static enum tls_name_result
on_name(void *own, SSL *ssl, struct str name)
{
    struct keys_chains *chains = find_name(own, name);
    struct why why;

    if (chains == NULL)
        return TLS_NAME_FAILED;
    if (chains->list.len == 0)
        return TLS_NAME_UNKNOWN;
    if (keys_use_once(ssl, chains, &why))
        return TLS_NAME_DONE;
    log_warn("certificate for %.*s: %s", STR(name), why.text);
    return TLS_NAME_FAILED;
}

/* ---- contexts */

struct daemon_tls *
daemon_tls_open(struct daemon *d, const struct tls_server_options *options,
                struct str identity, bool names)
{
    struct daemon_tls *t = arena_make(d->life, struct daemon_tls);
    struct why why;

    t->daemon = d;
    t->options = *options;
    t->options.name = names ? on_name : NULL;
    t->options.own = t;
    t->identity = identity;
    t->names = hash_new();
    if (keys_start(d->conf, &why) == OK &&
        tls_server_read(d->life, &t->options, &t->files, &why) == OK)
        return t;
    log_warn("TLS is not available: %s", why.text);
    return NULL;
}

static SSL_CTX *
make(struct daemon_tls *t, struct why *why)
{
    struct keys_chains chains = {0};
    SSL_CTX *ctx = tls_server_context(&t->options, t->files, why);

    if (ctx == NULL)
        return NULL;
    keys_reconnect(); /* to whom has the newest */
    bool good = keys_find(t->identity, S(""), &chains, why) == OK;

    if (good && chains.list.len == 0)
        good = fail(why, "4.7.0", "no certificate can be used") == OK;
    good = good && keys_use(ctx, &chains, why);
    t->sum = chains.sum;
    keys_chains_free(&chains);
    if (good)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

/* What was had before stays in use where there is nothing newer. Only before a
 * handshake is it worth a question to keys. */
static void
renew(struct daemon_tls *t, bool handshake)
{
    uint32_t generation =
        t->daemon->board ? board_generation(t->daemon->board) : 0;
    struct why why;

    if (io_now() < t->retry_at ||
        (t->ctx && t->generation == generation &&
         (!handshake || keys_same(t->identity, t->sum))))
        return;
    SSL_CTX *ctx = make(t, &why);

    if (ctx == NULL) {
        t->retry_at = io_now() + RETRY_MS;
        log_warn("TLS: %s%s", why.text,
                 t->ctx ? "; the certificates from before stay in use" : "");
        return;
    }
    t->generation = generation;
    forget_names(t);
    SSL_CTX_free(t->ctx); /* sessions hold on to theirs */
    t->ctx = ctx;
}

void
daemon_tls_ready(struct daemon_tls *t)
{
    (void)daemon_tls_works(t);
}

bool
daemon_tls_works(struct daemon_tls *t)
{
    if (t)
        renew(t, false);
    return t && t->ctx;
}

SSL *
daemon_tls_session(struct daemon_tls *t)
{
    if (t)
        renew(t, true);
    return t && t->ctx ? tls_server_session(t->ctx) : NULL;
}
