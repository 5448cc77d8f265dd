#include "keys.h"

#include <openssl/crypto.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "base/hash.h"
#include "base/log.h"
#include "daemon/identity.h"
#include "mail/base64.h"
#include "map/map.h"
#include "tls/sign.h"

#define SECURE_HEAP ((size_t)4 << 20)
#define SECURE_MIN  32
#define NAMES_MAX   200 /* names whose keys are kept, in a worker */
#define VALUE_MAX   ((size_t)1 << 20)

/* What tls_server_sni_maps has for a name. */
struct named {
    struct chains chains;
    uint64_t sum; /* of the value */
};

static struct {
    struct hash *identities; /* of struct chains */
    struct hash *names;      /* of struct named, by server name */
    struct hash *keys;       /* of EVP_PKEY */
    VEC(const char *) bad;
    struct maps *sni;
    struct arena *scratch;
} store;

static void
add_keys(const struct chains *c)
{
    for (size_t i = 0; i < c->list.len; i++) {
        unsigned char name[SIGN_KEY_NAME];

        must(sign_key_name(c->list.at[i].key, name));
        *hash_put(store.keys, (struct str){(char *)name, sizeof name}) =
            c->list.at[i].key;
    }
}

/* ---- identities */

static void
warn(void *own, const char *text)
{
    (void)own;
    log_warn("%s", text);
}

/* All lines of an identity: one that is no good spoils only itself. */
static void
load_identity(const struct daemon *d, const char *identity)
{
    struct chains *all = arena_make(d->life, struct chains);
    struct str rest = str_from(identity), line;
    struct why why;

    while (str_cut(&rest, '\n', &line) || line.len > 0) {
        struct chains one = {0};

        if (line.len == 0)
            continue;
        if (identity_read(store.scratch, line, &one, &why) == OK) {
            identity_look_over(store.scratch, d->conf, line, &one, warn, NULL);
            for (size_t i = 0; i < one.list.len; i++)
                *vec_add(&all->list) = one.list.at[i];
            vec_free(&one.list);
        } else {
            log_warn("no TLS with %.*s: %s", STR(line), why.text);
            *vec_add(&store.bad) = identity;
        }
        arena_reset(store.scratch);
    }
    add_keys(all);
    *hash_put(store.identities, str_from(identity)) = all;
}

const char *
keys_store_bad(size_t i, size_t *chains)
{
    if (i >= store.bad.len)
        return NULL;
    const struct chains *all =
        hash_get(store.identities, str_from(store.bad.at[i]));

    *chains = all->list.len;
    return store.bad.at[i];
}

/* ---- names */

static enum rc
parse_value(struct str value, struct chains *out, struct why *why)
{
    struct buf b = buf_in(store.scratch);

    if (value.len > VALUE_MAX || !base64_decode(&b, value))
        return fail(why, "4.3.0",
                    "the value is no base64: make the table with postmap -F");
    enum rc rc = chain_read(buf_str(&b), out, why);

    explicit_bzero(b.p, b.len);
    return rc;
}

/* A name may have the very key of an identity: what is left is counted anew. */
static void
forget_names(void)
{
    size_t pos = 0;
    void *value;

    while (hash_next(store.names, &pos, NULL, &value)) {
        chains_free(&((struct named *)value)->chains);
        free(value);
    }
    hash_free(store.names);
    hash_free(store.keys);
    store.names = hash_new();
    store.keys = hash_new();
    for (pos = 0; hash_next(store.identities, &pos, NULL, &value);)
        add_keys(value);
}

/* "mail.example.org", then ".example.org", ".org", as Postfix looks. */
static enum rc
look_up(struct str name, struct str *value, struct why *why)
{
    enum rc rc = OK;
    ssize_t dot = 0;

    *value = (struct str){0};
    while (rc == OK && value->p == NULL && dot >= 0) {
        rc = maps_get(store.sni, name, store.scratch, value, why);
        dot = str_find(str_sub(name, 1, name.len), '.');
        name = str_sub(name, (size_t)dot + 1, name.len);
    }
    return rc;
}

/* Parsed once, as long as the table says the same. */
static enum rc
find_value(struct str name, struct str value, const struct chains **chains,
           struct why *why)
{
    struct named *kept = hash_get(store.names, name);
    uint64_t sum = hash_of(value);

    if (kept && kept->sum != sum) {
        forget_names();
        kept = NULL;
    }
    if (kept == NULL) {
        if (hash_count(store.names) >= NAMES_MAX)
            forget_names();
        kept = calloc(1, sizeof *kept);
        must(kept);
        kept->sum = sum;
        enum rc rc = parse_value(value, &kept->chains, why);

        if (rc != OK) {
            free(kept);
            return rc;
        }
        add_keys(&kept->chains);
        *hash_put(store.names, name) = kept;
    }
    *chains = &kept->chains;
    return OK;
}

static enum rc
find_name(struct str name, const struct chains **chains, struct why *why)
{
    struct str value;

    *chains = NULL;
    if (name.len == 0 || maps_empty(store.sni))
        return OK;
    enum rc rc = look_up(name, &value, why);

    if (rc == OK && value.p) {
        rc = find_value(name, value, chains, why);
        explicit_bzero((char *)(uintptr_t)value.p, value.len);
    }
    arena_reset(store.scratch);
    return rc;
}

enum rc
keys_store_find(struct str identity, struct str name,
                const struct chains **chains, struct why *why)
{
    *chains = NULL;
    if (name.len > 0)
        return find_name(name, chains, why);
    *chains = hash_get(store.identities, identity);
    return OK;
}

EVP_PKEY *
keys_store_key(struct str name)
{
    return hash_get(store.keys, name);
}

/* ---- all of it */

void
keys_store_open(struct daemon *d)
{
    /* Not everybody may lock that much: then it is only not dumped. */
    if (CRYPTO_secure_malloc_init(SECURE_HEAP, SECURE_MIN) == 0)
        log_warn("no memory of its own for keys: they stand with the rest");
    store.identities = hash_new();
    store.names = hash_new();
    store.keys = hash_new();
    store.scratch = arena_new("keys", 4 * VALUE_MAX);
    store.sni = maps_open_fixed(d->conf->tls_server_sni_maps, NULL);
    for (char **identity = d->args; *identity; identity++)
        load_identity(d, *identity);
}
