#include "own_cert.h"

#include "base/log.h"
#include "conf/identity.h"
#include "daemon/keys.h"
#include "sys/io.h"

#define RETRY_MS 1000

struct own_cert {
    struct str identity;
    const struct board *board; /* NULL: nothing changes */
    struct keys_chains chains;
    bool known;          /* chains are those of the generation, or older */
    uint32_t generation; /* of the board */
    int64_t retry_at;    /* io_now: not before */
};

struct own_cert *
own_cert_open(struct arena *life, const struct conf *conf, const char *prefix)
{
    struct str identity = identity_of(life, conf, prefix);
    struct own_cert *c;
    struct why why;

    if (identity.len == 0)
        return NULL;
    if (keys_start(conf, &why) != OK) {
        log_warn("%s client certificate: %s", prefix, why.text);
        return NULL;
    }
    c = arena_make(life, struct own_cert);
    c->identity = identity;
    return c;
}

void
own_cert_watch(struct own_cert *c, const struct board *board)
{
    if (c)
        c->board = board;
}

/* What was had before stays in use where there is nothing newer. */
static void
renew(struct own_cert *c)
{
    uint32_t generation = c->board ? board_generation(c->board) : 0;
    struct keys_chains chains;
    struct why why;

    if (io_now() < c->retry_at ||
        (c->known && c->generation == generation &&
         keys_same(c->identity, c->chains.sum)))
        return;
    keys_reconnect(); /* to whom has the newest */
    if (keys_find(c->identity, S(""), &chains, &why) != OK) {
        c->retry_at = io_now() + RETRY_MS;
        log_warn("client certificate: %s", why.text);
        return;
    }
    keys_chains_free(&c->chains);
    c->chains = chains;
    c->known = true;
    c->generation = generation;
}

void
own_cert_use(void *own_cert, SSL *ssl)
{
    struct own_cert *c = own_cert;
    struct why why;

    renew(c);
    if (c->chains.list.len > 0 && !keys_use_once(ssl, &c->chains, &why))
        log_warn("client certificate: %s", why.text);
}
