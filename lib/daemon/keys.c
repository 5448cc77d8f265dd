#include "daemon/keys.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/log.h"
#include "ipc/message.h"
#include "tls/provider.h"
#include "tls/session.h"

static struct {
    struct link link;
    pid_t pid;  /* whose connection it is */
    bool fresh; /* it has not been asked for an identity */
    const char *path;
    struct packet packet;
    struct hash *names; /* by key: the name it was given for (struct str) */
    struct arena *names_arena;
} keys = {.link.fd = -1};

#define NAMES_MAX   1000
#define NAMES_ARENA ((size_t)1 << 20)

void
keys_reconnect(void)
{
    if (keys.link.fd >= 0)
        close(keys.link.fd);
    keys.link.fd = -1;
}

/* A worker leaves the connection of its template alone: their questions and
 * answers would mix. */
static bool
dial(struct why *why)
{
    if (keys.pid != getpid())
        keys_reconnect();
    if (keys.link.fd >= 0)
        return true;
    int fd = sock_connect_unix(keys.path, SOCK_SEQPACKET);

    if (fd < 0 || !sock_timeout(fd, KEYS_WAIT_MS)) {
        (void)!fail(why, "4.7.0", "cannot reach the service keys: %m");
        if (fd >= 0)
            close(fd);
        return false;
    }
    keys.link = (struct link){.fd = fd, .self = SIDE(TLS), .peer = SIDE(KEYS)};
    keys.pid = getpid();
    keys.fresh = true;
    return true;
}

typedef bool send_question(const void *question);

/* A connection that was kept may have ended since: that is no failure. */
static bool
converse(send_question *ask, const void *question, enum msg_type type,
         struct why *why)
{
    for (int i = 0; i < 2; i++) {
        if (!dial(why))
            return false;
        enum link_state state = LINK_GONE;

        if (ask(question))
            state = link_expect(&keys.link, &keys.packet, type);
        if (state == LINK_OK)
            return true;
        keys_reconnect();
        if (state == LINK_AGAIN)
            break; /* it had its time */
    }
    (void)!fail(why, "4.7.0", "the service keys does not answer");
    return false;
}

static bool
send_sign(const void *m)
{
    return send_ask_signature(&keys.link, m);
}

static bool
send_find(const void *m)
{
    return send_ask_identity(&keys.link, m);
}

/* ---- certificates */

static bool
add_certs(struct keys_chain *c, struct str list, struct why *why)
{
    struct rec_cert rec;

    while (list.len > 0) {
        if (!get_cert(&list, &rec))
            return fail(why, "4.7.0", "a bad answer of the service keys") == OK;
        const unsigned char *p = (const unsigned char *)rec.der.p;
        X509 *cert = d2i_X509(NULL, &p, (long)rec.der.len);

        if (cert == NULL)
            return fail(why, "4.7.0", "a bad certificate") == OK;
        *vec_add(&c->certs) = cert;
    }
    if (c->certs.len == 0)
        return fail(why, "4.7.0", "a key without certificate") == OK;
    c->key = tls_provider_key(c->certs.at[0], why);
    return c->key != NULL;
}

static bool
add_chains(struct keys_chains *chains, struct str list, struct why *why)
{
    struct rec_chain rec;

    while (list.len > 0) {
        if (!get_chain(&list, &rec))
            return fail(why, "4.7.0", "a bad answer of the service keys") == OK;
        if (!add_certs(vec_add(&chains->list), rec.certs, why))
            return false;
    }
    return true;
}

/* A worker of keys that has just begun knows the keys of identities, but not
 * those of names until it is asked for the name. */
static void
remember_names(const struct keys_chains *chains, struct str name)
{
    if (hash_count(keys.names) >= NAMES_MAX) {
        hash_free(keys.names);
        keys.names = hash_new();
        arena_reset(keys.names_arena);
    }
    for (size_t i = 0; i < chains->list.len; i++) {
        unsigned char id[SIGN_KEY_NAME];
        struct str key = {(char *)id, sizeof id};

        if (!sign_key_name(chains->list.at[i].key, id) ||
            hash_get(keys.names, key))
            continue;
        struct str *copy = arena_make(keys.names_arena, struct str);

        *copy = arena_str(keys.names_arena, name);
        *hash_put(keys.names, key) = copy;
    }
}

enum rc
keys_find(struct str identity, struct str name, struct keys_chains *chains,
          struct why *why)
{
    struct msg_ask_identity ask = {.identity = identity, .name = name};
    struct msg_identity answer;

    *chains = (struct keys_chains){0};
    if (!converse(send_find, &ask, MSG_identity, why))
        return TEMP;
    if (!read_identity(&keys.packet, &answer)) {
        keys_reconnect();
        return fail(why, "4.7.0", "a bad answer of the service keys");
    }
    if (answer.rc != OK)
        return fail(why, "4.7.0", "%.*s", STR(answer.text));
    if (name.len == 0)
        keys.fresh = false;
    chains->sum = hash_of(answer.chains);
    if (!add_chains(chains, answer.chains, why)) {
        keys_chains_free(chains);
        ERR_clear_error();
        return TEMP;
    }
    if (name.len > 0)
        remember_names(chains, name);
    return OK;
}

/* Whoever was asked last is gone. */
static bool
is_over(void)
{
    char byte;

    return keys.link.fd >= 0 &&
           recv(keys.link.fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

bool
keys_same(struct str identity, uint64_t sum)
{
    struct msg_ask_identity ask = {.identity = identity};
    struct msg_identity answer;
    struct why why;

    if (is_over())
        keys_reconnect();
    if (!dial(&why) || !keys.fresh)
        return true;
    if (!converse(send_find, &ask, MSG_identity, &why) ||
        !read_identity(&keys.packet, &answer) || answer.rc != OK)
        return true;
    keys.fresh = false;
    return hash_of(answer.chains) == sum;
}

void
keys_chains_free(struct keys_chains *chains)
{
    for (size_t i = 0; i < chains->list.len; i++) {
        struct keys_chain *c = &chains->list.at[i];

        EVP_PKEY_free(c->key);
        for (size_t k = 0; k < c->certs.len; k++)
            X509_free(c->certs.at[k]);
        vec_free(&c->certs);
    }
    vec_free(&chains->list);
}

/* ---- signatures */

static enum rc
ask_signature(const struct msg_ask_signature *ask, unsigned char *bytes,
              size_t *len, struct why *why)
{
    struct msg_signature answer;

    if (!converse(send_sign, ask, MSG_signature, why))
        return TEMP;
    if (!read_signature(&keys.packet, &answer)) {
        keys_reconnect();
        return fail(why, "4.7.0", "a bad answer of the service keys");
    }
    if (answer.rc != OK)
        return fail(why, answer.rc == PERM ? "5.7.0" : "4.7.0", "%.*s",
                    STR(answer.text));
    if (answer.bytes.len > *len)
        return fail(why, "4.7.0", "a signature that is too long");
    memcpy(bytes, answer.bytes.p, answer.bytes.len);
    *len = answer.bytes.len;
    return OK;
}

static enum rc
sign(void *own, struct str key, unsigned code, struct str digest,
     unsigned char *bytes, size_t *len)
{
    struct msg_ask_signature ask = {
        .key = key, .scheme = code, .digest = digest};
    const struct str *name = hash_get(keys.names, key);
    struct why why;
    enum rc rc = PERM;

    (void)own;
    if (digest.len > SIGN_TEXT_MAX)
        return PERM;
    rc = ask_signature(&ask, bytes, len, &why);
    if (rc == PERM && name) {
        struct keys_chains again;

        if (keys_find(S(""), *name, &again, &why) == OK) {
            keys_chains_free(&again);
            rc = ask_signature(&ask, bytes, len, &why);
        }
    }
    if (rc != OK)
        log_warn("no signature for a TLS handshake: %s", why.text);
    return rc;
}

enum rc
keys_start(const struct conf *conf, struct why *why)
{
    static struct arena *life;

    if (life)
        return OK;
    life = arena_new("keys", NAMES_ARENA);
    keys.path = arena_fmt(life, "%s/private/keys", conf->queue_directory);
    keys.names = hash_new();
    keys.names_arena = arena_new("key names", NAMES_ARENA);
    return tls_provider_start(sign, NULL, why);
}

/* ---- in OpenSSL's hands */

static STACK_OF(X509) * above(const struct keys_chain *c)
{
    STACK_OF(X509) *stack = sk_X509_new_null();

    for (size_t i = 1; i < c->certs.len; i++)
        sk_X509_push(stack, c->certs.at[i]);
    return stack;
}

static bool
use(SSL_CTX *ctx, SSL *ssl, const struct keys_chain *c)
{
    STACK_OF(X509) *chain = above(c);
    X509 *own = c->certs.at[0];
    int done = ctx ? SSL_CTX_use_cert_and_key(ctx, own, c->key, chain, 1)
                   : SSL_use_cert_and_key(ssl, own, c->key, chain, 1);

    sk_X509_free(chain);
    return done == 1;
}

static bool
use_all(SSL_CTX *ctx, SSL *ssl, const struct keys_chains *chains,
        struct why *why)
{
    char text[256];

    for (size_t i = 0; i < chains->list.len; i++)
        if (!use(ctx, ssl, &chains->list.at[i]))
            return fail(why, "4.7.0", "certificate: %s",
                        tls_error_text(text)) == OK;
    return true;
}

bool
keys_use(SSL_CTX *ctx, const struct keys_chains *chains, struct why *why)
{
    return use_all(ctx, NULL, chains, why);
}

bool
keys_use_once(SSL *ssl, const struct keys_chains *chains, struct why *why)
{
    SSL_certs_clear(ssl);
    return use_all(NULL, ssl, chains, why);
}
